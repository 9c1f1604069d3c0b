import { describe, expect, test } from "vitest";
import type { ColumnSummary } from "../src/contract/activis";
import { binsOf, quartersOf, withinInterval, withValue } from "../src/store/column_subsets";
import { cellOf, errorsOf, labelledAs, listedInstances, predictedAs } from "../src/store/subset_from_click";
import { instances } from "./samples";

const summary = (change: Partial<ColumnSummary>): ColumnSummary => ({
  name: "length",
  type: "number",
  present: 8,
  distinct: 8,
  values: [],
  beginnings: [],
  quantiles: [],
  quantile_texts: [],
  edge_texts: [],
  edges: [],
  counts: [],
  whole: false,
  ...change,
});

describe("what is pointed at becomes a condition", () => {
  test("of a class's errors, with its quotes doubled", () => {
    expect(errorsOf("O'Hare")).toEqual({ name: "O'Hare errors", condition: "label = 'O''Hare' AND NOT correct" });
  });

  test("of a cell of the table of predictions", () => {
    expect(cellOf(labelledAs("NUM"), "DESC").condition).toBe("label = 'NUM' AND predicted = 'DESC'");
    const either = { name: "either", condition: "score < 0.5 OR age > 3" };
    expect(cellOf(either, "DESC").condition).toBe("(score < 0.5 OR age > 3) AND predicted = 'DESC'");
  });

  test("of a predicted label", () => {
    expect(predictedAs("cat").condition).toBe("predicted = 'cat'");
  });

  test("of a category's value and of a truth", () => {
    expect(withValue({ name: "coarse topic", type: "category" }, "it's").condition).toBe("\"coarse topic\" = 'it''s'");
    expect(withValue({ name: "correct", type: "boolean" }, "true").condition).toBe("correct");
    expect(withValue({ name: "correct", type: "boolean" }, "false").condition).toBe("NOT correct");
  });
});

describe("listed instances", () => {
  test("go by the user's ids", () => {
    expect(listedInstances("these", instances({ id: ["a", "b'c", "d"] }), [1, 2])).toEqual({
      name: "these",
      condition: "id IN ('b''c', 'd')",
    });
  });

  test("go by their place where the ids were derived", () => {
    const derived = instances({ ids_given: false, index: [30, 10, 20] });
    expect(listedInstances("these", derived, [0, 2])).toEqual({ name: "these", condition: "index IN (30,20)" });
  });

  test("go by their place where their ids are too long", () => {
    const long = instances({ id: ["x".repeat(3000), "y".repeat(3000), "z"], index: [5, 6, 7] });
    expect(listedInstances("these", long, [0, 1])).toEqual({ name: "these", condition: "index IN (5,6)" });
  });

  test("are refused by a sentence where they are too many or none", () => {
    const many = (count: number, first: number) =>
      instances({
        id: Array.from({ length: count }, (_, row) => `i${row}`),
        index: Array.from({ length: count }, (_, row) => first + row),
      });
    const rows = (count: number) => Array.from({ length: count }, (_, row) => row);
    expect(listedInstances("", many(1001, 0), rows(1001))).toMatch(/1001 instances .* at most 999/);
    expect(listedInstances("", many(600, 1_000_000), rows(600))).toMatch(/600 instances has 4\d+ characters/);
    expect(listedInstances("", instances(), [])).toMatch(/no instance/);
  });
});

describe("intervals of a number", () => {
  test("have the edges that the histogram counts", () => {
    const bins = binsOf(summary({ edges: [-1, 0.5, 2], counts: [3, 5] }));
    expect(bins.map((bin) => withinInterval(summary({}), bin).condition)).toEqual([
      "length >= -1 AND length < 0.5",
      "length >= 0.5 AND length <= 2",
    ]);
  });

  test("of quarters share no value and leave none out", () => {
    const quarters = quartersOf(summary({ quantiles: [1, 1, 2, 4, 6, 8, 9] }));
    expect(quarters.map((quarter) => withinInterval(summary({}), quarter).condition)).toEqual([
      "length >= 1 AND length <= 2",
      "length > 2 AND length <= 4",
      "length > 4 AND length <= 6",
      "length > 6 AND length <= 9",
    ]);
  });

  test("of whole numbers are from one to another, and of one number alone", () => {
    const words = summary({
      name: "words",
      whole: true,
      edges: [1, 3, 5],
      counts: [3, 5],
      quantiles: [1, 1, 1, 2, 2, 3, 4],
    });
    expect(binsOf(words).map((bin) => withinInterval(words, bin))).toEqual([
      { name: "words 1–2", condition: "words >= 1 AND words <= 2" },
      { name: "words 3–4", condition: "words >= 3 AND words <= 4" },
    ]);
    expect(quartersOf(words).map((quarter) => withinInterval(words, quarter))).toEqual([
      { name: "words 1", condition: "words = 1" },
      { name: "words 2", condition: "words = 2" },
      { name: "words 3–4", condition: "words >= 3 AND words <= 4" },
    ]);
    const alone = summary({ whole: true, edges: [7, 7], counts: [9] });
    expect(binsOf(alone).map((bin) => withinInterval(alone, bin).condition)).toEqual(["length = 7"]);
  });

  test("of quarters that hold nothing are left out", () => {
    expect(
      quartersOf(summary({ quantiles: [0, 0, 0, 0, 3, 5, 5] })).map(({ low, high }) => [low.value, high.value]),
    ).toEqual([
      [0, 0],
      [0, 3],
      [3, 5],
    ]);
    expect(quartersOf(summary({}))).toEqual([]);
  });

  test("are written exactly where doubles are not enough", () => {
    const texts = ["1267890123456789012", "1267890123456789013"];
    const wide = summary({ edges: [1267890123456789000, 1267890123456789000], edge_texts: texts, counts: [2] });
    const [bin] = binsOf(wide);
    expect(bin && withinInterval(wide, bin)).toEqual({
      name: "length 1267890123456789012–1267890123456789013",
      condition: "length >= 1267890123456789012 AND length <= 1267890123456789013",
    });
    const doubles = summary({ edges: [0, 2 ** 60, 1e300], counts: [1, 1] });
    expect(binsOf(doubles).map((one) => withinInterval(doubles, one).condition)).toEqual([
      "length >= 0 AND length < 1152921504606846976",
      "length >= 1152921504606846976 AND length <= 1e+300",
    ]);
    const largest = Number.MAX_VALUE;
    const infinite = summary({
      quantiles: [0, 0, 1, 2, 3, 4, largest],
      quantile_texts: ["", "", "", "", "", "", "inf"],
    });
    expect(
      quartersOf(infinite)
        .map((quarter) => withinInterval(infinite, quarter))
        .at(-1),
    ).toEqual({
      name: "length 3–inf",
      condition: "length > 3 AND length <= inf",
    });
    expect(withValue(infinite, "-inf").condition).toBe("length = -inf");
  });

  test("of times are dates as texts", () => {
    const edge_texts = ["2024-01-01", "2024-02-01", "2024-03-01"];
    const times = summary({ name: "when", type: "time", edges: [1.7e9, 1.71e9, 1.72e9], edge_texts, counts: [3, 4] });
    expect(binsOf(times).map((bin) => withinInterval(times, bin))).toEqual([
      { name: "when 2024-01-01–2024-02-01", condition: "when >= '2024-01-01' AND when < '2024-02-01'" },
      { name: "when 2024-02-01–2024-03-01", condition: "when >= '2024-02-01' AND when <= '2024-03-01'" },
    ]);
  });
});
