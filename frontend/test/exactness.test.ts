import { expect, test } from "vitest";
import {
  averagesText,
  countErrorText,
  isExact,
  populationText,
  shortCountText,
  wholeText,
} from "../src/views/widgets/exactness";
import { answer } from "./samples";

const statistic = (exactness: string, bound: number, standardError: number) => ({
  values: { shape: [1, 0], data: new Float32Array() },
  exactness,
  bound,
  standardError,
});

test("counts are grouped, and shortened from a hundred thousand on", () => {
  expect([5_452, 99_999, 123_456, 4_100_000, 2e9].map(shortCountText)).toEqual([
    ...["5,452", "99,999", "123.5 k", "4.1 M", "2 B"],
  ]);
});

test("an exact count says over how many, and has no margin", () => {
  const exact = answer([0], { count: 205, total: 5_452, over: 5_452, exactness: "bound" });
  expect(isExact(exact)).toBe(true);
  expect([populationText(exact), countErrorText(exact)]).toEqual(["exact over 5,452", ""]);
});

test("an estimate says from how many of how many, twice its standard error, and why", () => {
  const estimate = answer([0], {
    ...{ count: 31_000, total: 5_000_000, over: 1_000, exactness: "estimate", count_error: 450 },
    note: "The files were removed.",
  });
  expect(isExact(estimate)).toBe(false);
  expect(populationText(estimate)).toBe("estimate from 1,000 of 5,000,000. The files were removed.");
  expect(countErrorText(estimate)).toBe("± 900");
});

test("listed instances are counted among the sampled ones", () => {
  const listed = answer([0, 2], { count: 2, total: 5_000_000, over: 1_000, exactness: "sample" });
  expect([isExact(listed), wholeText(listed), countErrorText(listed)]).toEqual([true, "of 1,000 sampled", ""]);
  expect(populationText(listed)).toBe("the listed instances that are among the 1,000 sampled; exact over these");
  expect(averagesText(statistic("sample", 0, 0))).toBe("over those sampled");
  expect(wholeText(answer([0], { total: 5_452, exactness: "bound" }))).toBe("of 5,452");
  expect(wholeText(answer([0], { total: 5_000_000, exactness: "estimate" }))).toBe("of 5 M");
});

test("a count by rounded activations is none of exact members", () => {
  const note = "Stored activations are rounded: neuron('hidden', 3) ± 0.0065.";
  const rounded = answer([0], { count: 9, total: 5_452, over: 5_452, exactness: "bound", note });
  expect([isExact(rounded), countErrorText(rounded)]).toEqual([false, ""]);
  expect(populationText(rounded)).toBe(`over 5,452, by rounded activations. ${note}`);
});

test("averages say their bound or their standard error, and nothing where they are exact", () => {
  expect(averagesText(statistic("exact", 0, 0))).toBe("");
  expect(averagesText(statistic("bound", 0.00312, 0))).toBe("averages ± 0.00312");
  expect(averagesText(statistic("estimate", 0, 0.02))).toBe("averages estimated, standard error up to 0.02");
  expect(averagesText(undefined)).toBe("");
});
