import { describe, expect, test } from "vitest";
import { colourInstances } from "../src/draw/colouring";
import { LIGHT } from "../src/draw/palette";
import { completeCondition } from "../src/language/completion";
import {
  accuracyOf,
  accuracyOfRow,
  isError,
  type JudgementKind,
  judgementOf,
  judgementText,
  lacksPredictions,
  predictedNames,
  strataOf,
} from "../src/store/judgement";
import { sampledFacts } from "../src/store/rows";
import { cellOf, predictedAs } from "../src/store/subset_from_click";
import { instanceRecords } from "../src/store/tables";
import { vocabularyOf } from "../src/store/vocabulary";
import { instances, snapshot, subset } from "./samples";

const CLASSES = ["cat", "dog"];

describe("what the model made of an instance", () => {
  const cases: [number, number, JudgementKind, boolean, string][] = [
    [0, 0, "right", false, "cat ✓"],
    [0, 1, "wrong", true, "cat → dog"],
    [0, -1, "nothing", true, "cat → none"],
    [-1, 1, "unlabelled", false, "dog"],
    [-1, -1, "nothing", false, "no prediction"],
  ];
  test.each(cases)("true %i, predicted %i is %s", (label, predicted, kind, error, text) => {
    const judgement = judgementOf({ label: [label], predicted: [predicted] }, 0);
    expect([judgement.kind, isError(judgement), judgementText(judgement, CLASSES)]).toEqual([kind, error, text]);
  });
});

describe("instances that are predicted as nothing", () => {
  const broken = snapshot({
    subsets: [{ ...subset("cat", "class", 3, 1), predicted_counts: [1, 1], without_prediction: 1 }],
  });

  test("have a column of their own, and a condition", () => {
    expect([lacksPredictions(broken), lacksPredictions(snapshot())]).toEqual([true, false]);
    expect(predictedNames(broken)).toEqual(["cat", "dog", "none"]);
    expect(predictedNames(snapshot())).toEqual(["cat", "dog"]);
    expect(predictedAs(null)).toEqual({ name: "no prediction", condition: "predicted IS NULL" });
    expect(cellOf({ name: "old", condition: "age > 3 OR sick" }, null)).toEqual({
      name: "old → no prediction",
      condition: "(age > 3 OR sick) AND predicted IS NULL",
    });
  });

  test("are never right, and have no score", () => {
    const columns = instances({ label: [-1, 0, 1], predicted: [-1, -1, 1], score: [0, 0, 0.7] });
    expect(sampledFacts(columns, [0, 1, 2])).toMatchObject({ count: 3, correct: 1 });
    const [first, second, third] = instanceRecords(snapshot(), columns, [0, 1, 2]);
    expect([first?.label, first?.predicted, first?.score]).toEqual([null, null, null]);
    expect([second?.label, second?.predicted, second?.score]).toEqual(["cat", null, null]);
    expect([third?.label, third?.predicted, third?.score]).toEqual(["dog", "dog", 0.7]);
    expect([...colourInstances("score", columns, ["a", "b"], LIGHT).codes].slice(0, 2)).toEqual([-1, -1]);
  });
});

describe("a snapshot without labels", () => {
  const { correct: _, ...all } = { ...subset("unlabelled", "all", 3, 0), predicted_counts: [1, 2] };
  const unlabelled = snapshot({ unlabelled: true, subsets: [all] });

  test("claims no accuracy", () => {
    expect(accuracyOf(unlabelled)).toEqual({ count: 0, share: Number.NaN });
    expect([accuracyOfRow(all), accuracyOfRow({ count: 4, correct: 1 })]).toEqual([null, 0.25]);
    expect([strataOf(unlabelled), strataOf(snapshot())]).toEqual([1, 2]);
  });

  test("is coloured by what it is predicted as", () => {
    const columns = instances({ label: [-1, -1, 1], predicted: [1, -1, 0], example: [false, false, true] });
    expect([...colourInstances("label", columns, ["a", "b"], LIGHT).codes]).toEqual([1, -1, 0]);
  });

  test("has no condition about labels", () => {
    const vocabulary = vocabularyOf(unlabelled, null);
    expect(vocabulary.columns.map(({ name }) => name)).toEqual(["predicted", "score", "id", "index"]);
    expect(vocabulary.columns[0]?.values).toEqual([
      { value: "cat", count: 1 },
      { value: "dog", count: 2 },
    ]);
    const offered = ["", "score > 1 "].flatMap((text) => completeCondition(text, text.length, vocabulary));
    expect(offered.filter(({ insert }) => /label|correct/.test(insert))).toEqual([]);
  });
});
