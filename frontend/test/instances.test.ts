import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { instanceName } from "../src/store/rows";
import { listedInstances } from "../src/store/subset_from_click";
import { findInstances, followReading, searchableTexts } from "../src/store/tab";
import { groupInstances, tonesOf } from "../src/views/instances/grouping";
import { rowAfter } from "../src/views/instances/groups";
import { firstLit } from "../src/views/instances/lit";
import {
  EVERYTHING,
  isInSight,
  placeGroups,
  STEP,
  sightOf,
  squarePlace,
  squaresInSight,
  steppedTop,
} from "../src/views/instances/windowing";
import { instances, snapshot } from "./samples";

const rows = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe("finding", () => {
  const text = { name: "text", type: "text", numbers: [], booleans: [], codes: [], categories: [], present: [] };
  const animals = instances({ attributes: [{ ...text, texts: ["A black Cat", "b is here", "a dog"] }] });
  const find = (wanted: string) => [...findInstances(animals, searchableTexts(animals), wanted)];

  test("takes a part of a text in any case", () => {
    expect(find("CAT")).toEqual([1, 0, 0]);
    expect(find("a ")).toEqual([1, 0, 1]);
  });

  test("takes letters with marks in one piece or two", () => {
    const cafes = instances({ attributes: [{ ...text, texts: ["Caf\u00e9", "cafe\u0301", "cafe"] }] });
    for (const wanted of ["caf\u00e9", "CAFE\u0301"])
      expect([...findInstances(cafes, searchableTexts(cafes), wanted)]).toEqual([1, 1, 0]);
  });

  test("takes no notice of what says that a text was cut", () => {
    const mark = " … (7 more characters were not kept)";
    const cut = instances({ attributes: [{ ...text, texts: ["x".repeat(10_000) + mark, `short${mark}`, "x"] }] });
    expect([...findInstances(cut, searchableTexts(cut), "characters were")]).toEqual([0, 1, 0]);
    expect([...findInstances(cut, searchableTexts(cut), "xxxx")]).toEqual([1, 0, 0]);
  });

  test("takes an id, and behind # nothing but an id", () => {
    expect(find("#b")).toEqual([0, 1, 0]);
    expect(find("#dog")).toEqual([0, 0, 0]);
    expect(find("c")).toEqual([1, 0, 1]);
  });

  test("takes the place in the stream where ids were derived", () => {
    const derived = { ...animals, ids_given: false, index: [10, 20, 30] };
    expect([...findInstances(derived, searchableTexts(derived), "#20")]).toEqual([0, 1, 0]);
  });
});

describe("the lit instances in words", () => {
  test("are those with the highest scores, as they stand among the squares, and all are counted", () => {
    const score = Array.from({ length: 40 }, (_, row) => (row * 7) % 10);
    const lit = Uint8Array.from(score, (_, row) => Number(row % 2 === 0));
    const sorted = [...score.keys()].filter((row) => row % 2 === 0);
    sorted.sort((one, other) => (score[other] ?? 0) - (score[one] ?? 0) || one - other);
    expect(firstLit(lit, score)).toEqual({ count: 20, first: sorted.slice(0, 8) });
    expect(firstLit(null, score)).toEqual({ count: 0, first: [] });
  });
});

describe("a test case", () => {
  const cases = instances({ ids_given: false, example: [false, false, true] });

  test("stands in no class and under no filter", () => {
    expect(groupInstances(cases, snapshot())[1]).toEqual({ correct: [], misclassified: [] });
    expect(groupInstances(cases, snapshot(), Uint8Array.of(1, 1, 1))[1]).toEqual({ correct: [], misclassified: [] });
  });

  test("has its name even where the others have numbers", () => {
    expect([0, 2].map((row) => instanceName(cases, row))).toEqual(["#0", "c"]);
  });

  test("is called by the id that was given, or by its number", () => {
    const named = { ...cases, id: ["test case cab", "test case 12", "test case 2b"], example: [true, true, true] };
    expect([0, 1, 2].map((row) => instanceName(named, row))).toEqual(["cab", "test case 12", "2b"]);
  });

  test("is in no list of instances", () => {
    expect(listedInstances("some", cases, [1, 2])).toEqual({ name: "some", condition: "index IN (1)" });
    expect(listedInstances("none", cases, [2])).toMatch("There is no instance");
  });
});

test("the card keeps the instance that was hovered last, as long as the same ones are shown", () => {
  const [hovered, columns] = [signal(-1), signal(instances())];
  const reading = followReading(hovered, columns);
  expect(reading.value).toBe(-1);
  hovered.value = 2;
  hovered.value = -1;
  expect(reading.value).toBe(2);
  columns.value = instances();
  expect(reading.value).toBe(-1);
});

describe("windowing", () => {
  const many = [
    { correct: rows(0, 25_000), misclassified: rows(25_000, 500) },
    { correct: rows(30_000, 20_000), misclassified: [] },
  ];
  const placed = placeGroups(many, 262);

  test("stacks groups of as many lines as their squares need", () => {
    expect(placed[0]?.perLine).toEqual({ correct: 14, misclassified: 5 });
    expect(placed[0]?.height).toBe(32 + Math.ceil(25_000 / 14) * STEP + 7);
    expect(placed[1]?.top).toBe(placed[0]?.height);
    expect(squarePlace(15, 14)).toEqual({ left: STEP, top: STEP });
  });

  test("of 45,500 squares makes those in sight, and their lines are the right ones", () => {
    const sight = sightOf(many, 10_000, 500);
    const [first, second] = placed;
    if (!first || !second) throw new Error("two groups were placed");
    expect(isInSight(second, sight)).toBe(false);
    const [from, to] = squaresInSight(first, "correct", 25_000, sight);
    expect(to - from).toBeLessThan(1_300);
    expect(squarePlace(from, 14).top + 32).toBeLessThanOrEqual(10_000);
    expect(squarePlace(to, 14).top + 32).toBeGreaterThanOrEqual(10_500);
    expect(squaresInSight(first, "misclassified", 500, sight)).toEqual([500, 500]);
  });

  test("makes all of up to 2,000", () => {
    const few = [{ correct: rows(0, 1_500), misclassified: rows(1_500, 500) }];
    expect(sightOf(few, 0, 100)).toEqual(EVERYTHING);
    const [only] = placeGroups(few, 262);
    expect(only && squaresInSight(only, "correct", 1_500, EVERYTHING)).toEqual([0, 1_500]);
  });

  test("of a thousand classes makes the groups in sight, the same ones for a little way of scrolling", () => {
    const thousand = Array.from({ length: 1_000 }, (_, label) => ({ correct: [label], misclassified: [] }));
    const groups = placeGroups(thousand, 262);
    const inSight = (scrollTop: number) => {
      const sight = sightOf(thousand, steppedTop(scrollTop), 500);
      return groups.flatMap((group, label) => (isInSight(group, sight) ? [label] : []));
    };
    expect(inSight(0).length).toBeLessThan(20);
    const lines = (top: number) => Math.floor(top / (groups[1]?.top ?? 1));
    for (const top of [10_000, 10_037, 30_000]) {
      expect(inSight(top)[0]).toBeLessThanOrEqual(lines(top));
      expect(inSight(top).at(-1)).toBeGreaterThanOrEqual(lines(top + 500));
      expect(inSight(top).length).toBeLessThan(30);
    }
    expect(inSight(10_050)).toEqual(inSight(10_100));
  });
});

describe("arrow keys among squares", () => {
  const groups = [
    { correct: rows(0, 20), misclassified: [20, 21] },
    { correct: [], misclassified: [22] },
    { correct: rows(23, 3), misclassified: [] },
  ];
  const placed = placeGroups(groups, 262);
  const rowBy = (row: number, key: string) => rowAfter(groups, placed, row, key);

  test("lead on across sides and groups, and end at the ends", () => {
    expect([rowBy(19, "ArrowRight"), rowBy(21, "ArrowRight"), rowBy(22, "ArrowRight")]).toEqual([20, 22, 23]);
    expect([rowBy(0, "ArrowLeft"), rowBy(25, "ArrowRight")]).toEqual([null, null]);
    expect([rowBy(7, "Home"), rowBy(7, "End")]).toEqual([0, 25]);
  });

  test("lead up and down by lines, then to the next group that has such squares", () => {
    expect([rowBy(0, "ArrowDown"), rowBy(14, "ArrowUp")]).toEqual([14, 0]);
    expect([rowBy(15, "ArrowDown"), rowBy(23, "ArrowUp")]).toEqual([23, 19]);
    expect(rowBy(20, "ArrowDown")).toBe(22);
  });

  test("mean nothing for other keys", () => {
    expect(rowBy(0, "x")).toBeNull();
  });
});

test("instances stand by true label, each side by score descending", () => {
  const many = instances({
    id: ["a", "b", "c", "d"],
    label: [0, 0, 0, 1],
    predicted: [0, 0, 1, 1],
    score: [0.5, 0.9, 0.8, 1],
  });
  expect(groupInstances(many, snapshot())).toEqual([
    { correct: [1, 0], misclassified: [2] },
    { correct: [3], misclassified: [] },
  ]);
});

test("an instance that is predicted as nothing stands with the misclassified", () => {
  const broken = instances({ predicted: [-1, 0, 1] });
  expect(groupInstances(broken, snapshot())).toEqual([
    { correct: [1], misclassified: [0] },
    { correct: [2], misclassified: [] },
  ]);
});

test("without labels instances stand by predicted class, and last those that have none", () => {
  const unlabelled = instances({ label: [-1, -1, -1], predicted: [1, 1, -1], score: [0.6, 0.9, 0] });
  expect(groupInstances(unlabelled, snapshot({ unlabelled: true }))).toEqual([
    { correct: [], misclassified: [] },
    { correct: [1, 0], misclassified: [] },
    { correct: [2], misclassified: [] },
  ]);
});

test("a neuron orders the squares of each group, and the weaker it is the paler they are", () => {
  const all = instances({ label: [0, 0, 0], predicted: [0, 0, 1], score: [0.9, 0.8, 0.7] });
  const shown = snapshot({ classes: ["a", "b"] });
  expect(groupInstances(all, shown)[0]?.correct).toEqual([0, 1]);
  expect(groupInstances(all, shown, null, Float32Array.of(-1, 4, 2))[0]?.correct).toEqual([1, 0]);
  const tones = [...tonesOf(Float32Array.of(-1, 4, 2, Number.NaN, 0))];
  expect(tones.map((tone) => Math.round(100 * tone))).toEqual([0, 100, 59, 0, 0]);
  expect([...tonesOf(Float32Array.of(-1, -2))]).toEqual([0, 0]);
});
