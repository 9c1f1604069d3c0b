import { describe, expect, test } from "vitest";
import type { Subset } from "../src/contract/activis";
import { commonSubset } from "../src/store/common_subset";
import { errorCount, mostConfused, strongestConfusion } from "../src/store/confusion";
import { instances, snapshot, subset } from "./samples";

/** Classes with what they are predicted as; the rest of `count` is predicted as nothing. */
const classesOf = (rows: Record<string, number[]>, nothing = 0): Subset[] =>
  Object.entries(rows).map(([name, predicted_counts], label) => ({
    ...subset(
      name,
      "class",
      predicted_counts.reduce((sum, count) => sum + count, nothing),
      predicted_counts[label] ?? 0,
    ),
    predicted_counts,
    without_prediction: nothing,
  }));

const of = (rows: Record<string, number[]>, nothing = 0) =>
  snapshot({ classes: Object.keys(rows), subsets: classesOf(rows, nothing), instances: 1_000, sampled: 100 });

const QUESTIONS = {
  ABBR: [7, 2, 0, 0, 0, 0],
  DESC: [0, 134, 3, 0, 0, 1],
  ENTY: [0, 13, 71, 5, 5, 0],
  HUM: [0, 0, 4, 60, 1, 0],
  LOC: [0, 2, 1, 0, 78, 0],
  NUM: [0, 8, 0, 0, 3, 102],
};

describe("the strongest confusion", () => {
  test("is the one whose share of its class's errors is surely the largest; a small class leads nothing", () => {
    expect(strongestConfusion(of(QUESTIONS), null)).toEqual({
      label: 5,
      predicted: 1,
      count: 8,
      of: 11,
      isOfErrors: true,
    });
    const small = { ...QUESTIONS, ABBR: [1, 8, 0, 0, 0, 0] };
    expect(strongestConfusion(of(small), null)?.label).toBe(5);
    expect(strongestConfusion(of({ ...QUESTIONS, ABBR: [2, 80, 0, 0, 0, 0] }), null)).toMatchObject({
      label: 0,
      of: 80,
    });
  });

  test("of two classes is of the class's instances, as all of its errors go to the other", () => {
    expect(strongestConfusion(of({ no: [900, 30], yes: [20, 50] }), null)).toEqual({
      label: 1,
      predicted: 0,
      count: 20,
      of: 70,
      isOfErrors: false,
    });
  });

  test("may be that there is no prediction", () => {
    const nothing = of({ a: [50, 0, 0], b: [0, 50, 0], c: [0, 0, 50] }, 4);
    expect(strongestConfusion(nothing, null)).toMatchObject({ label: 0, predicted: null, count: 4, of: 4 });
  });

  test("is none without errors, labels, other classes, or a second error of a kind", () => {
    const right = of({ a: [20, 0, 0], b: [0, 20, 0], c: [0, 0, 20] });
    expect(strongestConfusion(right, null)).toBeNull();
    expect(errorCount(right)).toEqual({ errors: 0, over: 60 });
    expect(strongestConfusion(of({ a: [20, 1, 1], b: [0, 20, 0], c: [0, 0, 20] }), null)).toBeNull();
    const alone = of({ a: [20] });
    expect([strongestConfusion(alone, null), errorCount(alone)]).toEqual([null, null]);
    const unlabelled = snapshot({ unlabelled: true, subsets: [subset("unlabelled", "all", 30, 0)] });
    expect([strongestConfusion(unlabelled, null), errorCount(unlabelled)]).toEqual([null, null]);
    expect(errorCount(of({ a: [0, 0, 0], b: [0, 0, 0], c: [0, 0, 0] }, 20))).toBeNull();
  });

  test("of more classes than are counted is known where all instances are kept", () => {
    const label = Array.from({ length: 36 }, (_, row) => row % 3);
    const predicted = label.map((truth, row) => (row < 9 && truth === 0 ? 2 : truth));
    const columns = instances({ label, predicted, example: label.map(() => false) });
    const rows = ["a", "b", "c"].map((name, at) => subset(name, "class", 12, at === 0 ? 9 : 12));
    const kept = snapshot({ classes: ["a", "b", "c"], subsets: rows, instances: 36, sampled: 36 });
    expect(strongestConfusion(kept, columns)).toMatchObject({ label: 0, predicted: 2, count: 3, of: 3 });
    expect(strongestConfusion({ ...kept, instances: 360 }, columns)).toBeNull();
    expect(strongestConfusion(kept, null)).toBeNull();
  });
});

describe("what the instances of a confusion have in common", () => {
  /** Twenty cats, of which the first five are taken for dogs, and a test case that is too. */
  const rows = 21;
  const columns = instances({
    label: Array.from({ length: rows }, () => 0),
    predicted: Array.from({ length: rows }, (_, row) => Number(row < 5 || row === 20)),
    example: Array.from({ length: rows }, (_, row) => row === 20),
  });
  const confusion = { label: 0, predicted: 1, count: 5, of: 20, isOfErrors: false };
  const kept = snapshot({
    subsets: [...snapshot().subsets, subset("all of them", "condition", 20, 0)],
    instances: 20,
    sampled: 20,
  });
  /** Of the third subset, and of one that everything is in. */
  const membershipOf = (striped: readonly number[]) => ({
    shape: [20, 4],
    data: Uint8Array.from({ length: 80 }, (_, at) =>
      at % 4 === 3 ? 1 : Number(at % 4 === 2 && striped.includes(Math.floor(at / 4))),
    ),
  });

  test("is a subset that many of them are in and few others, with its share among those", () => {
    expect(commonSubset(confusion, kept, columns, membershipOf([0, 1, 2, 3, 9, 10]))).toMatchObject({
      subset: 2,
      members: [0, 1, 2, 3],
      elsewhere: 2 / 15,
    });
  });

  test("is not said where it may be chance, or not all instances are kept", () => {
    expect(commonSubset(confusion, kept, columns, membershipOf([0, 1, 2, 9, 10]))).toBeNull();
    expect(commonSubset(confusion, kept, columns, membershipOf([0, 9]))).toBeNull();
    const more = { ...kept, instances: 200 };
    expect(commonSubset(confusion, more, columns, membershipOf([0, 1, 2, 3, 9, 10]))).toBeNull();
  });
});

describe("the most confused classes", () => {
  const classes = Array.from({ length: 14 }, (_, label) => `c${label}`);
  const line = (label: number, wrong: Record<number, number> = {}) =>
    classes.map((_, other) => (other === label ? 20 : (wrong[other] ?? 0)));

  test("are those with most errors of them and for them, in the order of the classes", () => {
    const rows = Object.fromEntries(
      classes.map((name, label) => [name, line(label, label === 12 ? { 3: 9, 7: 1 } : label === 5 ? { 12: 2 } : {})]),
    );
    expect(mostConfused(of(rows), 3)).toEqual(["c3", "c5", "c12"]);
    expect(mostConfused(of(rows), 4)).toEqual(["c3", "c5", "c7", "c12"]);
  });

  test("are told by their accuracy alone where nothing else is known, and are the first ones where all is right", () => {
    const known = of(Object.fromEntries(classes.map((name, label) => [name, line(label, label > 11 ? { 0: 5 } : {})])));
    const unknown = { ...known, subsets: known.subsets.map((one) => ({ ...one, predicted_counts: [] })) };
    expect(mostConfused(unknown, 3)).toEqual(["c0", "c12", "c13"]);
    const right = of(Object.fromEntries(classes.map((name, label) => [name, line(label)])));
    expect(mostConfused(right, 2)).toEqual(["c0", "c1"]);
    expect(mostConfused({ ...right, unlabelled: true, subsets: [] }, 2)).toEqual(["c0", "c1"]);
  });
});
