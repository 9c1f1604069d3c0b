import { describe, expect, test } from "vitest";
import { signedNumber } from "../src/draw/matrix_text";
import { averageRows } from "../src/store/numbers";
import {
  changeOf,
  instanceRow,
  type MatrixRow,
  outcomeName,
  outcomeRow,
  parseOutcome,
  rightByDefinition,
  sampledFacts,
  subsetRows,
} from "../src/store/rows";
import { rowOnSide, type SideRows } from "../src/store/side";
import { barHeading } from "../src/views/panel/matrix_text";
import { instances, snapshot, subset } from "./samples";

const BASE = snapshot();
const OTHER = snapshot({
  classes: ["dog", "cat"],
  subsets: [subset("dog", "class", 1, 1), subset("cat", "class", 2, 2)],
});
const side = (change: Partial<SideRows> = {}): SideRows => ({
  snapshot: OTHER,
  rowOf: new Map([
    ["c", 0],
    ["a", 4],
  ]),
  base: BASE,
  baseIds: ["a", "b", "c"],
  ...change,
});
const [cat, dog, striped] = subsetRows(BASE);

describe("a row of the base on another side", () => {
  test("is the class of the same name, wherever that stands", () => {
    expect(cat && rowOnSide(cat, side())).toEqual({ kind: "class", key: "class:cat", name: "cat", subset: 1 });
    expect(dog && rowOnSide(dog, side())).toEqual({ kind: "class", key: "class:dog", name: "dog", subset: 0 });
  });

  test("is absent where there is no such class or subset", () => {
    expect(striped && rowOnSide(striped, side())).toEqual({
      kind: "absent",
      key: "subset:striped",
      name: "striped",
      of: striped,
    });
    const named = side({ snapshot: snapshot({ subsets: [subset("cat", "function", 1, 1)] }) });
    expect(cat && rowOnSide(cat, named), "a subset that is called as a class is no class").toMatchObject({
      kind: "absent",
    });
  });

  test("of all instances is only where there are no labels either", () => {
    const base = snapshot({ subsets: [subset("unlabelled", "all", 3, 0)] });
    const [all] = subsetRows(base);
    expect(all).toEqual({ kind: "all", key: "subset:unlabelled", name: "unlabelled", subset: 0 });
    expect(all && rowOnSide(all, side({ base }))).toMatchObject({ kind: "absent", of: all });
    expect(all && rowOnSide(all, side({ base, snapshot: base }))).toEqual(all);
  });

  test("is asked about by its condition where that is known", () => {
    const conditioned = { ...subset("striped", "condition", 2, 1), condition: "stripes > 0" };
    const base = snapshot({ subsets: [...BASE.subsets.slice(0, 2), conditioned] });
    expect(striped && rowOnSide(striped, side({ base }))).toEqual({
      kind: "typed",
      key: "subset:striped",
      name: "striped",
      condition: "stripes > 0",
    });
  });

  test("is the instance of the same id, or absent", () => {
    expect(rowOnSide(instanceRow(instances(), 0), side())).toMatchObject({ kind: "instance", sampled: 4 });
    const lacked = instanceRow(instances(), 1);
    expect(rowOnSide(lacked, side())).toMatchObject({ kind: "absent", key: lacked.key, of: lacked });
  });

  test("of an outcome has the same members there, as the same list each time", () => {
    const row = outcomeRow({ outcome: "only_base", other: 0 }, 1, [0, 1, 2]);
    const shared = side();
    const [first, second] = [rowOnSide(row, shared), rowOnSide(row, shared)];
    expect(first).toMatchObject({ kind: "outcome", members: [4, 0] });
    expect(first.kind === "outcome" && second.kind === "outcome" && first.members === second.members).toBe(true);
  });
});

describe("outcomes", () => {
  test("have keys that can be read again, and nothing else can", () => {
    expect(parseOutcome(outcomeRow({ outcome: "both_wrong", other: 2 }, 3, []).key)).toEqual({
      outcome: "both_wrong",
      other: 2,
    });
    expect(parseOutcome("outcome:toString:0")).toBeNull();
    expect(parseOutcome("class:cat")).toBeNull();
  });

  test("are named by letter, and by both letters where there are several others", () => {
    expect(outcomeName({ outcome: "only_other", other: 0 }, 1)).toBe("only B right");
    expect(outcomeName({ outcome: "only_other", other: 1 }, 2)).toBe("C right, A wrong");
  });

  test("define who is right", () => {
    expect([rightByDefinition("only_base", true), rightByDefinition("only_base", false)]).toEqual([true, false]);
    expect([rightByDefinition("both_right", false), rightByDefinition("both_wrong", true)]).toEqual([true, false]);
  });

  test("count over the sampled rows", () => {
    expect(sampledFacts(instances(), [0, 1])).toMatchObject({ count: 2, correct: 1 });
  });

  test.each([
    [true, true, "still right"],
    [true, false, "broken"],
    [false, true, "fixed"],
    [false, false, "still wrong"],
  ])("right before: %s, right now: %s is %s", (before, now, change) => {
    expect(changeOf(before, now)).toBe(change);
  });
});

test("an average leaves out what is not finite and is the same array for the same rows", () => {
  const values = { shape: [3, 2], data: Float32Array.of(1, Number.NaN, 2, Number.NaN, 6, 4) };
  const members = [0, 1, 2];
  const average = averageRows(values, members);
  expect([...(average ?? [])]).toEqual([3, 4]);
  expect(averageRows(values, members)).toBe(average);
  expect([...(averageRows(values, []) ?? [])]).toEqual([Number.NaN, Number.NaN]);
});

test("differences are printed with their sign, without the zero where room is short", () => {
  expect([signedNumber(0.24), signedNumber(-0.1), signedNumber(0)]).toEqual(["+0.24", "−0.10", "0.00"]);
  expect([signedNumber(0.24, true), signedNumber(-10.5, true)]).toEqual(["+.24", "−10.50"]);
});

test("bars are headed where instances have scores, and nowhere else", () => {
  const row: MatrixRow = { kind: "class", key: "class:cat", name: "cat", subset: 0 };
  const pinned: MatrixRow = { kind: "instance", key: "instance:a", name: "a", id: "a", sampled: 0 };
  expect(barHeading([row])).toBe("");
  expect(barHeading([row, pinned])).toBe("score");
});
