import { expect, test } from "vitest";
import {
  aboutText,
  accuracyText,
  averagesText,
  intervalText,
  isExact,
  limitsText,
  populationText,
  roughCountText,
  shareText,
  shortCountText,
  wholeText,
} from "../src/ui/exactness";
import { answer } from "./samples";

const statistic = (exactness: string, bound: number, ends?: number[][]) => ({
  values: { shape: [1, 0], data: new Float32Array() },
  exactness,
  bound,
  interval: ends && { shape: [2, ends[0]?.length ?? 0], data: Float64Array.from(ends.flat()) },
});

test("counts are grouped, and shortened from a hundred thousand on", () => {
  expect([5_452, 99_999, 123_456, 4_100_000, 2e9].map(shortCountText)).toEqual([
    ...["5,452", "99,999", "123.5 k", "4.1 M", "2 B"],
  ]);
});

test("an exact count says over how many, and has no limits", () => {
  const exact = answer([0], { count: 205, total: 5_452, over: 5_452, exactness: "bound" });
  expect(isExact(exact)).toBe(true);
  expect([populationText(exact), limitsText(exact), roughCountText(exact)]).toEqual(["exact over 5,452", "", "205"]);
});

const estimate = answer([0], {
  ...{ count: 31_000, count_low: 30_100, count_high: 31_900, total: 5_000_000, over: 1_000, exactness: "estimate" },
  ...{ correct: 15_500, accuracy_low: 0.47, accuracy_high: 0.53, note: "The files were removed." },
});

test("an estimate says from how many of how many, between what it is, and why", () => {
  expect(isExact(estimate)).toBe(false);
  expect(populationText(estimate)).toBe(
    "estimate from 1,000 of 5,000,000, 95 % sure of 30,100 to 31,900. The files were removed.",
  );
  expect([limitsText(estimate), roughCountText(estimate)]).toEqual(["30,100 to 31,900", "≈ 31,000"]);
  expect(accuracyText(estimate)).toBe("47 to 53 % of them correct");
});

test("an estimate of none says how many there are at most", () => {
  const none = { ...estimate, count: 0, count_low: 0, count_high: 14_900 };
  expect([limitsText(none), roughCountText(none), accuracyText(none)]).toEqual(["at most 14,900", "≤ 14,900", ""]);
  expect(roughCountText({ ...none, count: 100, count_low: 1, count_high: 660 })).toBe("1–660");
});

test("a count that labels decide is exact although averages are estimated", () => {
  const known = answer([0], { count: 10, correct: 5, accuracy_low: 0.5, accuracy_high: 0.5, exactness: "estimate" });
  expect([isExact(known), populationText(known)]).toEqual([true, "exact over 3"]);
  expect(accuracyText(known)).toBe("50 % of them correct");
});

test("listed instances are counted among the sampled ones", () => {
  const listed = answer([0, 2], { count: 2, total: 5_000_000, over: 1_000, exactness: "sample" });
  expect([isExact(listed), wholeText(listed), limitsText(listed)]).toEqual([true, "of 1,000 sampled", ""]);
  expect(populationText(listed)).toBe("the listed instances that are among the 1,000 sampled; exact over these");
  expect(averagesText(statistic("sample", 0))).toBe("over those sampled");
  expect(wholeText(answer([0], { total: 5_452, exactness: "bound" }))).toBe("of 5,452");
  expect(wholeText(estimate)).toBe("of 5 M");
});

test("a count by rounded activations says between what it is", () => {
  const note = "Stored activations are rounded: neuron('hidden', 3) ± 0.0065.";
  const rounded = answer([0], { count: 9, count_high: 11, total: 5_452, over: 5_452, exactness: "bound", note });
  expect([isExact(rounded), limitsText(rounded)]).toEqual([false, "9 to 11"]);
  expect(populationText(rounded)).toBe(`9 to 11 over 5,452. ${note}`);
});

test("averages say their bound or their intervals, and nothing where they are exact", () => {
  expect(averagesText(statistic("exact", 0))).toBe("");
  expect(averagesText(statistic("bound", 0.00312))).toBe("averages ± 0.00312");
  const means = statistic("estimate", 0, [
    [1, -2, Number.NaN, 3],
    [2, 2, Number.NaN, 3],
  ]);
  expect(averagesText(means, 25)).toBe("averages estimated, 95 % intervals of up to ± 2; unknown of 1 neuron");
  expect([0, 1, 2, 3].map((neuron) => intervalText(means, neuron, 25))).toEqual([
    ...["1 to 2 (95 %)", "-2 to 2 (95 %)", "too few of the sample: 25, of uneven weight", "exact"],
  ]);
  const few = statistic("estimate", 0, [[Number.NaN], [Number.NaN]]);
  expect([averagesText(few, 1), intervalText(few, 0, 1)]).toEqual([
    "averages unknown, too few of the sample: 1",
    "too few of the sample: 1",
  ]);
  const shares = statistic("estimate", 0, [[0.25], [0.4]]);
  expect([shareText(0.3, shares, 0), shareText(0.3, undefined, 0)]).toEqual(["25 to 40 %", "30 %"]);
  expect([averagesText(undefined), intervalText(undefined, 0, 1)]).toEqual(["", ""]);
});

test("an estimate that stands without its limits does not look exact", () => {
  expect(aboutText("205", true)).toBe("≈ 205");
  expect(aboutText("205", false)).toBe("205");
});
