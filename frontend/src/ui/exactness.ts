/** Exactness of counts and averages in words: over all instances, within a bound, an interval, or of the sample. */
import type { SubsetDescription } from "../contract/activis";
import type { SubsetStatistic } from "../contract/client";
import { isLow, type RowAccuracy } from "../store/row_accuracy";
import { countText, percentText, valueText } from "./numbers";

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `5,452` below a hundred thousand, then `4.1 M`. */
export const shortCountText = (count: number): string =>
  count < 100_000
    ? countText(count)
    : compact.format(count).replace(/[KMB]$/, (unit) => (unit === "K" ? " k" : ` ${unit}`));

/** Whether a count is known. */
export const isExact = ({ count_low, count_high }: SubsetDescription): boolean => count_low === count_high;

/** Whether it is about all instances, of which some are in doubt: activations are rounded, or texts were cut. */
export const isInDoubt = (answer: SubsetDescription): boolean => answer.exactness === "bound" && !isExact(answer);

/** `64 to 205`, or `at most 297` where none was found; empty where the count is exact. */
export function limitsText({ count, count_low, count_high }: SubsetDescription): string {
  if (count_low === count_high) return "";
  const high = shortCountText(count_high);
  return count === 0 ? `at most ${high}` : `${shortCountText(count_low)} to ${high}`;
}

/** A count or share in words, `≈ 205` where it is an estimate that stands without its limits. */
export const aboutText = (words: string, isEstimate: boolean): string => (isEstimate ? `≈ ${words}` : words);

/** Above this quotient of its limits a count is no number, but an interval. */
const WIDE = 3;

/** A count where there is little room: `205`, `≈ 13,000`, `64–205`, `≤ 297`. */
export function roughCountText(answer: SubsetDescription): string {
  const { count, count_low, count_high } = answer;
  if (isExact(answer)) return countText(count);
  if (count === 0) return `≤ ${shortCountText(count_high)}`;
  if (count_high > WIDE * count_low) return `${shortCountText(count_low)}–${shortCountText(count_high)}`;
  return `≈ ${shortCountText(count)}`;
}

/** `80 % of them correct`, or `50 to 95 %`; empty where there is no instance, or none of the sample. */
export function accuracyText(answer: SubsetDescription): string {
  const { count, correct, accuracy_low, accuracy_high } = answer;
  if (count === 0 || correct === undefined) return "";
  if (accuracy_low === accuracy_high) return `${percentText(correct / count)} of them correct`;
  return `${percentsText(accuracy_low, accuracy_high)} of them correct`;
}

/** What stands in place of an accuracy that all or none have by definition. */
export const outcomeText = (share: number): string => (share === 0 ? "errors" : "right");

/** `176 of 205 predicted right (86 %)`, and how that is beside the accuracy over all instances; two lines. */
export function rowAccuracyText(accuracy: RowAccuracy, whole: { count: number; share: number }): string {
  const { count, correct, share, limits, byDefinition } = accuracy;
  if (byDefinition) return `${outcomeText(share)} by definition: no accuracy is claimed`;
  const first = limits
    ? `predicted right: between ${percentsText(limits[0], limits[1])}`
    : `${countText(correct)} of ${countText(count)} predicted right (${percentText(share)})`;
  return `${first}\n${besideAll(accuracy, whole.share)}`;
}

/** `11 points below all (85 %): more than chance explains` */
function besideAll({ share, below, ...accuracy }: RowAccuracy, all: number): string {
  const points = Math.round(100 * Math.abs(all - share));
  const over = `all (${percentText(all)})`;
  if (points === 0) return `as over ${over}`;
  if (share > all) return `${points} ${points === 1 ? "point" : "points"} above ${over}`;
  const cause = isLow({ share, below, ...accuracy }) ? "more than chance explains" : "chance may explain it";
  return `${points} ${points === 1 ? "point" : "points"} below ${over}: ${cause}, ${below.toFixed(1)} standard errors`;
}

/** Whether it is about listed instances, of which only those in the sample are known. */
export const isOfSample = ({ exactness }: { exactness: string }): boolean => exactness === "sample";

/** `of 5,452`, or `of 1,000 sampled` where only these were asked. */
export function wholeText(answer: SubsetDescription): string {
  if (isOfSample(answer)) return `of ${countText(answer.over)} sampled`;
  return `of ${isExact(answer) ? countText(answer.total) : shortCountText(answer.total)}`;
}

/** `exact over 5,452` or `estimate from 1,000 of 5,000,000, 95 % sure of 64 to 205`. */
export function populationText(answer: SubsetDescription): string {
  const words = basisText(answer);
  return answer.note === "" ? words : `${words}. ${answer.note}`;
}

function basisText(answer: SubsetDescription): string {
  const over = countText(answer.over);
  if (isOfSample(answer)) return `the listed instances that are among the ${over} sampled; exact over these`;
  if (isInDoubt(answer)) return `${limitsText(answer)} over ${over}`;
  if (isExact(answer)) return `exact over ${countText(answer.exactness === "bound" ? answer.over : answer.total)}`;
  return `estimate from ${over} of ${countText(answer.total)}, 95 % sure of ${limitsText(answer)}`;
}

/** `too few of the sample: 2`: why nothing is claimed of a mean. */
const tooFewText = (drawn: number): string =>
  `too few of the sample: ${countText(drawn)}${drawn > 2 ? ", of uneven weight" : ""}`;

/** `0.31 to 0.47 (95 %)` of a neuron, or that the sample has too few members; empty where it is no estimate. */
export function intervalText(statistic: SubsetStatistic | undefined, neuron: number, drawn: number): string {
  const ends = endsOf(statistic, neuron);
  if (!ends) return "";
  const [low, high] = ends;
  if (Number.isNaN(low)) return tooFewText(drawn);
  return low === high ? "exact" : `${valueText(low)} to ${valueText(high)} (95 %)`;
}

/** `31 %`; of an estimate `25 to 38 %`. */
export function shareText(share: number, statistic: SubsetStatistic | undefined, neuron: number): string {
  const [low, high] = endsOf(statistic, neuron) ?? [share, share];
  return low === high || Number.isNaN(low) ? percentText(share) : percentsText(low, high);
}

/** `25 to 38 %` */
const percentsText = (low: number, high: number): string =>
  `${percentText(low).replace(" %", "")} to ${percentText(high)}`;

function endsOf(statistic: SubsetStatistic | undefined, neuron: number): [number, number] | null {
  const { data } = statistic?.interval ?? {};
  return data ? [data[neuron] ?? Number.NaN, data[neuron + data.length / 2] ?? Number.NaN] : null;
}

/** `averages ± 0.003`, or `averages estimated, 95 % intervals of up to ± 0.02`; empty where they are exact. */
export function averagesText(statistic: SubsetStatistic | undefined, drawn = 0): string {
  if (!statistic || statistic.exactness === "exact") return "";
  if (isOfSample(statistic)) return "over those sampled";
  const { bound, exactness, interval } = statistic;
  if (exactness !== "estimate") return bound > 0 ? `averages ± ${valueText(bound)}` : "";
  if (!interval) return "averages estimated";
  const neurons = interval.data.length / 2;
  const halves = [...interval.data.subarray(neurons)].map((high, at) => (high - (interval.data[at] ?? Number.NaN)) / 2);
  const known = halves.filter((half) => !Number.isNaN(half));
  if (known.length === 0) return `averages unknown, ${tooFewText(drawn)}`;
  const widest = `averages estimated, 95 % intervals of up to ± ${valueText(Math.max(...known))}`;
  const few = neurons - known.length;
  return few > 0 ? `${widest}; unknown of ${countText(few)} ${few === 1 ? "neuron" : "neurons"}` : widest;
}
