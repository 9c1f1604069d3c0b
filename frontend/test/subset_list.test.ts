import { describe, expect, test } from "vitest";
import {
  addSubset,
  combineSubsets,
  duplicateSubset,
  exportSubsets,
  flattenSubsets,
  importSubsets,
  moveSubset,
  removeSubset,
  renameSubset,
  type SubsetList,
  unflattenSubsets,
} from "../src/store/subset_list";

const list: SubsetList = [
  { name: "hard", condition: "score < 0.6" },
  { name: "correct", condition: "correct" },
];
const names = (subsets: SubsetList) => subsets.map(({ name }) => name);

describe("the list of subsets", () => {
  test("names a subset after its condition, and gives a taken name a number", () => {
    expect(addSubset(list, " label = 'NUM' ").at(-1)).toEqual({ name: "label = 'NUM'", condition: "label = 'NUM'" });
    const thrice = addSubset(addSubset(list, "correct"), "correct");
    expect(names(thrice)).toEqual(["hard", "correct", "correct (2)", "correct (3)"]);
  });

  test("is renamed, moved, duplicated and shortened by name", () => {
    expect(names(renameSubset(list, "hard", "correct"))).toEqual(["correct (2)", "correct"]);
    expect(names(renameSubset(list, "hard", " "))).toEqual(["score < 0.6", "correct"]);
    expect(names(moveSubset(list, "correct", 0))).toEqual(["correct", "hard"]);
    expect(names(moveSubset(list, "hard", 9))).toEqual(["correct", "hard"]);
    expect(names(duplicateSubset(list, "hard"))).toEqual(["hard", "hard (2)", "correct"]);
    expect(names(removeSubset(list, "hard"))).toEqual(["correct"]);
  });

  test("comes out of the URL as it went in, whatever is in its texts", () => {
    const odd = addSubset(addSubset(list, "text = ',&=<b>'"), "a = 'ü🙂'", "x,y");
    expect(unflattenSubsets(flattenSubsets(odd))).toEqual(odd);
  });

  test("halves of characters, which no URL can hold, are replaced", () => {
    expect(addSubset([], "a = '\uD800'")[0]?.condition).toBe("a = '\uFFFD'");
  });

  test("makes one subset of several", () => {
    expect(combineSubsets("minus", list)).toEqual({
      name: "hard minus correct",
      condition: "score < 0.6 AND NOT correct",
    });
    expect(combineSubsets("not", list.slice(0, 1)).name).toBe("not hard");
  });
});

describe("the JSON of subsets", () => {
  test("has names and conditions, and brings back the same list", () => {
    expect(JSON.parse(exportSubsets(list))).toEqual({ hard: "score < 0.6", correct: "correct" });
    expect(importSubsets([], exportSubsets(list))).toEqual(list);
  });

  test("adds to a list what is not there yet", () => {
    expect(importSubsets(list, '{"hard": "score < 0.6", "easy": "score > 0.9"}')).toEqual([
      ...list,
      { name: "easy", condition: "score > 0.9" },
    ]);
  });

  test.each([
    ["{", "is not JSON"],
    ["[1]", "expected an object"],
    ['{"hard": 3}', "“hard” has no condition"],
  ])("%s is refused with a sentence", (text, sentence) => {
    expect(() => importSubsets(list, text)).toThrow(sentence);
  });
});
