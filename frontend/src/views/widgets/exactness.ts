/** What counts and averages hold for, in words: over all instances, within a bound, or estimated. */

import type { SubsetDescription } from "../../contract/activis";
import type { SubsetStatistic } from "../../contract/client";
import { countText, valueText } from "./numbers";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `5,452` below a hundred thousand, then `4.1 M`. */
export const shortCountText = (count: number): string =>
  count < 100_000
    ? countText(count)
    : compact.format(count).replace(/[KMB]$/, (unit) => (unit === "K" ? " k" : ` ${unit}`));

/** Whether a count is that of all instances. */
export const isExact = ({ exactness }: SubsetDescription): boolean => exactness !== "estimate";

/** `± 0.4 k`, twice the standard error; empty where the count is exact. */
export const countErrorText = (answer: SubsetDescription): string =>
  isExact(answer) || answer.count_error === 0 ? "" : `± ${shortCountText(2 * answer.count_error)}`;

/** `exact over 5,452` or `estimate from 1,000 of 5,000,000`. */
export function populationText(answer: SubsetDescription): string {
  const { over, total, note } = answer;
  const words = isExact(answer)
    ? `exact over ${countText(over)}`
    : `estimate from ${countText(over)} of ${countText(total)}`;
  return note === "" ? words : `${words}. ${note}`;
}

/** `averages ± 0.003`, or `averages estimated, standard error up to 0.02`; empty where they are exact. */
export function averagesText(statistic: SubsetStatistic | undefined): string {
  if (!statistic || statistic.exactness === "exact") return "";
  const { bound, standardError } = statistic;
  const within = bound > 0 ? `averages ± ${valueText(bound)}` : "";
  if (statistic.exactness !== "estimate") return within;
  return `averages estimated${standardError > 0 ? `, standard error up to ${valueText(standardError)}` : ""}`;
}
