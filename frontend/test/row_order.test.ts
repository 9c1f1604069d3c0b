import { describe, expect, test } from "vitest";
import { columnOf } from "../src/language/tokens";
import { joinList } from "../src/store/address";
import { likenessOrder } from "../src/store/likeness_order";
import { foldRows, groupRows, nameInGroup, orderRows, unfolded } from "../src/store/row_order";
import type { MatrixRow } from "../src/store/rows";
import { toggle } from "../src/store/url_state";
import { open, settled } from "./opened_store";
import { runEntry, runList, snapshot, subset } from "./samples";

const row = (name: string, kind: "class" | "recorded" = "recorded"): MatrixRow => ({
  kind,
  key: `${kind === "class" ? "class" : "subset"}:${name}`,
  name,
  subset: 0,
});
const pinned: MatrixRow = { kind: "instance", key: "instance:7", name: "7", id: "7", sampled: 0 };
const named = (rows: readonly MatrixRow[]) => rows.map(({ name }) => name);

describe("the order of rows", () => {
  const facts: Record<string, { count: number; correct?: number }> = {
    a: { count: 10, correct: 9 },
    b: { count: 30, correct: 3 },
    c: { count: 20, correct: 18 },
  };
  const values: Record<string, number[]> = { a: [0, 0], b: [9, 9], c: [1, 0], d: [8, 9] };
  const numbers = {
    facts: ({ name }: MatrixRow) => facts[name] ?? null,
    values: ({ name }: MatrixRow) => (values[name] ? Float32Array.from(values[name]) : null),
  };
  const rows = ["d", "c", "b", "a", "unknown"].map((name) => row(name));

  test("is as recorded, by accuracy, by size, or by likeness; what is not known comes last", () => {
    expect(orderRows(rows, "recorded", numbers, null)).toBe(rows);
    expect(named(orderRows(rows, "accuracy", numbers, null))).toEqual(["b", "c", "a", "d", "unknown"]);
    expect(named(orderRows(rows, "size", numbers, null))).toEqual(["b", "c", "a", "d", "unknown"]);
    expect(named(orderRows(rows, "likeness", numbers, likenessOrder))).toEqual(["b", "d", "c", "a", "unknown"]);
  });

  test("by likeness is that of clusters whose ends meet, whichever comes first", () => {
    const line = [5, 1, 3, 0, 4, 2].map((value) => Float32Array.of(value, Number.NaN));
    const order = likenessOrder(line).map((at) => line[at]?.[0]);
    expect([[...order], [...order].reverse()]).toContainEqual([0, 1, 2, 3, 4, 5]);
    expect(likenessOrder([])).toEqual([]);
    expect(likenessOrder([Float32Array.of(1)])).toEqual([0]);
  });

  test("by likeness has each of a thousand rows once", () => {
    const many = Array.from({ length: 1000 }, (_, at) =>
      Float32Array.from({ length: 128 }, (_, n) => Math.sin(at * n)),
    );
    expect(new Set(likenessOrder(many)).size).toBe(1000);
  });
});

describe("a group of rows", () => {
  const conditions: Record<string, string> = {
    "education: Masters": "education = 'Masters'",
    "education: 5th-6th": "education = '5th-6th'",
    "age <= 28": "age <= 28",
    "28 < age <= 37": "age > 28 AND age <= 37",
    rich: "income > 5 AND age < 30",
    alone: "sex = 'Male'",
  };
  const classes = [row("NUM", "class"), row("LOC", "class")];
  const subsets = Object.keys(conditions).map((name) => row(name));
  const rows = [...classes, ...subsets, pinned];
  const conditionOf = ({ name }: MatrixRow) => conditions[name] ?? "";

  test("is of the one column that its conditions are about", () => {
    expect(columnOf("age > 28 AND age <= 37")).toBe("age");
    expect(columnOf("\"level of education\" = 'Masters'")).toBe("level of education");
    expect(columnOf("text ILIKE 'What is%'")).toBe("text");
    expect([columnOf("label = 'NUM' AND NOT correct"), columnOf("")]).toEqual([null, null]);
  });

  test("has the classes first, an attribute each, the others, and the pinned instances", () => {
    const groups = groupRows(rows, "attribute", conditionOf);
    expect(groups.map(({ name, rows: members }) => [name, named(members)])).toEqual([
      ["class", ["NUM", "LOC"]],
      ["education", ["education: Masters", "education: 5th-6th"]],
      ["age", ["age <= 28", "28 < age <= 37"]],
      ["other subsets", ["rich", "alone"]],
      ["", ["7"]],
    ]);
    expect(groupRows(rows, "", conditionOf).every(({ name }) => name === "")).toBe(true);
    const many = [...rows, ...subsets.map((one) => ({ ...one, key: `${one.key} again` }))];
    expect(groupRows(many, "", conditionOf)[0]?.name).toBe("class");
    expect(groupRows(many, "none", conditionOf).map(({ name }) => name)).toEqual(["", "", ""]);
  });

  test("has the attribute in its heading alone", () => {
    expect(nameInGroup("education: Masters", "education")).toBe("Masters");
    expect(nameInGroup("age <= 28", "age")).toBe("≤ 28");
    expect(nameInGroup("28 < age <= 37", "age")).toBe("28 – 37");
    expect(nameInGroup("age > 47", "age")).toBe("> 47");
    expect(nameInGroup("What is", "text")).toBe("What is");
    expect(nameInGroup("teenage", "age")).toBe("teenage");
  });

  test("closes, and opens while something is looked for", () => {
    const groups = groupRows(rows, "attribute", conditionOf);
    const folded = (closed: string[], wanted = "") => foldRows(groups, { closed, hidden: ["subset:rich"], wanted });
    expect(named(folded(["attribute:education", "class"]).rows)).toEqual([
      ...["class", "education", "age", "age <= 28", "28 < age <= 37", "other subsets", "alone", "7"],
    ]);
    expect(named(folded(["attribute:education"], "MASTERS").rows)).toEqual(["education", "education: Masters", "7"]);
    expect(named(folded([], "educ").rows)).toEqual(["education", "education: Masters", "education: 5th-6th", "7"]);
    expect(folded([]).names.get("subset:age <= 28")).toBe("≤ 28");
    expect(named(unfolded(folded(["attribute:education", "class", "attribute:age"]).rows))).toEqual([
      ...["NUM", "LOC", "education: Masters", "education: 5th-6th", "age <= 28", "28 < age <= 37", "alone", "7"],
    ]);
  });
});

describe("the rows of every panel", () => {
  const recorded = snapshot({
    subsets: [
      subset("cat", "class", 2, 2),
      subset("dog", "class", 2, 1),
      { ...subset("x: 1", "condition", 1, 1), condition: "x = 1" },
      { ...subset("x: 2", "condition", 3, 0), condition: "x = 2" },
    ],
  });
  const client = { runs: async () => runList([runEntry("cnn/activis", [recorded])]) };

  test("have the order and the groups of the URL, and the matrix's as they are chosen", async () => {
    const { tab, base, hash } = await open(client, { rows: "accuracy", group: "attribute", closed: "attribute:x" });
    expect(named(base.shown.value.rows)).toEqual(["class", "dog", "cat", "x"]);
    tab.urlState.closed.value = [];
    tab.urlState.rowOrder.value = "size";
    expect(named(base.shown.value.rows)).toEqual(["class", "cat", "dog", "x", "x: 2", "x: 1"]);
    expect(hash.written).toMatchObject({ rows: "size", group: "attribute", closed: "" });
    tab.rowSearch.value = "x: 1";
    expect(named(base.shown.value.rows)).toEqual(["x", "x: 1"]);
    expect(named(base.rows.value)).toEqual(["cat", "dog", "x: 1", "x: 2"]);
  });

  test("leave out what is hidden, which still sorts and is lit", async () => {
    const { tab, base, hash } = await open(client, { group: "none", hidden: joinList(["subset:x: 1"]) });
    expect(named(base.shown.value.rows)).toEqual(["cat", "dog", "x: 2"]);
    toggle(tab.urlState.hidden, "subset:x: 1");
    expect(named(base.shown.value.rows)).toEqual(["cat", "dog", "x: 1", "x: 2"]);
    toggle(tab.urlState.hidden, "subset:x: 2");
    expect(hash.written).toMatchObject({ hidden: joinList(["subset:x: 2"]) });
    expect(base.rowOfKey("subset:x: 2")?.name).toBe("x: 2");
  });

  test("are alike where their activations in the last open layer are", async () => {
    const { base } = await open(client, { rows: "likeness", layers: "hidden" });
    await settled();
    expect(named(base.shown.value.rows)).toHaveLength(4);
  });
});
