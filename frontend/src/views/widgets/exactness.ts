/** What counts and averages hold for, in words: over all instances, within a bound, estimated, or of the sample alone. */

import type { SubsetDescription } from "../../contract/activis";
import type { SubsetStatistic } from "../../contract/client";
import { countText, valueText } from "./numbers";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `5,452` below a hundred thousand, then `4.1 M`. */
export const shortCountText = (count: number): string =>
  count < 100_000
    ? countText(count)
    : compact.format(count).replace(/[KMB]$/, (unit) => (unit === "K" ? " k" : ` ${unit}`));

/** Whether members were chosen by stored activations, which are rounded; the note says by how much. */
export const isRounded = ({ exactness, note }: SubsetDescription): boolean => exactness === "bound" && note !== "";

/** Whether a count is neither an estimate nor one of rounded activations. */
export const isExact = (answer: SubsetDescription): boolean => answer.exactness !== "estimate" && !isRounded(answer);

/** `± 0.4 k`, twice the standard error; empty where the count is exact. */
export const countErrorText = (answer: SubsetDescription): string =>
  isExact(answer) || answer.count_error === 0 ? "" : `± ${shortCountText(2 * answer.count_error)}`;

/** Whether it is about listed instances, of which only those in the sample are known. */
export const isOfSample = ({ exactness }: { exactness: string }): boolean => exactness === "sample";

/** `of 5,452`, or `of 1,000 sampled` where only these were asked. */
export function wholeText(answer: SubsetDescription): string {
  if (isOfSample(answer)) return `of ${countText(answer.over)} sampled`;
  return `of ${isExact(answer) ? countText(answer.total) : shortCountText(answer.total)}`;
}

/** `exact over 5,452` or `estimate from 1,000 of 5,000,000`. */
export function populationText(answer: SubsetDescription): string {
  const words = basisText(answer);
  return answer.note === "" ? words : `${words}. ${answer.note}`;
}

function basisText(answer: SubsetDescription): string {
  const over = countText(answer.over);
  if (isOfSample(answer)) return `the listed instances that are among the ${over} sampled; exact over these`;
  if (isRounded(answer)) return `over ${over}, by rounded activations`;
  return isExact(answer) ? `exact over ${over}` : `estimate from ${over} of ${countText(answer.total)}`;
}

/** `averages ± 0.003`, or `averages estimated, standard error up to 0.02`; empty where they are exact. */
export function averagesText(statistic: SubsetStatistic | undefined): string {
  if (!statistic || statistic.exactness === "exact") return "";
  if (isOfSample(statistic)) return "over those sampled";
  const { bound, standardError } = statistic;
  const within = bound > 0 ? `averages ± ${valueText(bound)}` : "";
  if (statistic.exactness !== "estimate") return within;
  return `averages estimated${standardError > 0 ? `, standard error up to ${valueText(standardError)}` : ""}`;
}
