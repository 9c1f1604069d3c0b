import { describe, expect, test } from "vitest";
import type { ColumnSummary } from "../src/contract/activis";
import { colourInstances } from "../src/draw/colouring";
import { LIGHT } from "../src/draw/palette";
import { vocabularyOf } from "../src/store/vocabulary";
import { exactText } from "../src/ui/numbers";
import { instances, snapshot } from "./samples";

const empty = {
  present: 8,
  distinct: 8,
  values: [],
  beginnings: [],
  edges: [],
  edge_texts: [],
  counts: [],
  whole: false,
};

describe("values to compare with", () => {
  test("are quantiles, rounded unless that would make another value of them", () => {
    const largest = Number.MAX_VALUE;
    const columns: ColumnSummary[] = [
      { ...empty, name: "age", type: "number", quantiles: [0, 1, 2, 3.4567, 4, 5, 6], quantile_texts: [] },
      {
        ...empty,
        name: "wide",
        type: "number",
        quantiles: [1, 1, 1, 1e18, 1e18, 1e18, largest],
        quantile_texts: ["", "", "", "1000000000000000001", "1000000000000000002", "1000000000000000003", "inf"],
      },
      {
        ...empty,
        name: "when",
        type: "time",
        quantiles: [0, 0, 0, 86_400, 86_400, 86_400, 86_400],
        quantile_texts: [...Array(3).fill("1970-01-01"), ...Array(4).fill("1970-01-02")],
      },
    ];
    const attributes = columns.map(({ name, type }) => ({ name, type }));
    const summaries = { columns, source: "all", over: 8, total: 8, note: "" };
    const known = vocabularyOf(snapshot({ attributes }), summaries).columns;
    const values = (name: string) => known.find((column) => column.name === name)?.values.map(({ value }) => value);
    expect(values("age")?.[0]).toBe(3.46);
    expect(values("wide")).toEqual([
      1000000000000000001n,
      1,
      1000000000000000002n,
      1000000000000000003n,
      Number.POSITIVE_INFINITY,
    ]);
    expect(values("when")).toEqual(["1970-01-02", "1970-01-01"]);
    expect(known.find(({ name }) => name === "when")?.type).toBe("time");
  });
});

test("values are shown as what they are", () => {
  expect(exactText(1.2e18, "1267890123456789012")).toBe("1267890123456789012");
  expect(exactText(-1.2e18, "-1267890123456789012")).toBe("−1267890123456789012");
  expect([exactText(1, "inf"), exactText(1, "-inf"), exactText(0.5, ""), exactText(0, "2024-01-02")]).toEqual([
    "∞",
    "−∞",
    "0.5",
    "2024-01-02",
  ]);
});

test("dots are coloured over the range of the finite values, infinite ones as its ends", () => {
  const column = { booleans: [], codes: [], categories: [], present: [] };
  const largest = Number.MAX_VALUE;
  const huge = { ...column, name: "x", type: "number", numbers: [largest, 1, 3], texts: ["inf", "", ""] };
  const when = { ...column, name: "when", type: "time", numbers: [0, 86_400, 0], texts: ["", "", ""] };
  const shown = instances({ attributes: [huge, when] });
  const { codes, legend } = colourInstances("attribute:x", shown, [], LIGHT);
  expect([...codes]).toEqual([31, 0, 31]);
  expect(legend).toMatchObject({ kind: "range", low: 1, high: 3, isTime: false });
  expect(colourInstances("attribute:when", shown, [], LIGHT).legend).toMatchObject({ high: 86_400, isTime: true });
});
