import { describe, expect, test } from "vitest";
import { errorsBelow, isLow, rowAccuracy } from "../src/store/row_accuracy";
import { rowAccuracyText } from "../src/ui/exactness";
import { open, rowNamed, settled } from "./opened_store";
import { answer, runEntry, runList, snapshot, subset } from "./samples";

const ALL = { count: 6033, share: 5137 / 6033 };
const exactly = (count: number, correct: number) => ({ count, share: correct / count, limits: null, isCertain: false });

describe("how far a row's accuracy is below that over all", () => {
  // In NumPy: (p - k / n) / sqrt(p * (1 - p) / n * (N - n) / (N - 1)), p = 5137 / 6033, N = 6033.
  test.each([
    [294, 206, 7.4545],
    [2826, 2091, 22.8735],
    [383, 314, 1.7992],
    [1961, 1883, -16.481],
  ])("%i instances, %i correct: %f standard errors", (count, correct, errors) => {
    expect(errorsBelow(exactly(count, correct), ALL)).toBeCloseTo(errors, 3);
  });

  test("is none of all instances, and where every instance is right", () => {
    expect(errorsBelow(exactly(6033, 5137), ALL)).toBe(0);
    expect(errorsBelow(exactly(10, 10), { count: 20, share: 1 })).toBe(0);
  });

  test("is less of an estimate, and as little as can be within certain limits", () => {
    const known = errorsBelow(exactly(400, 300), ALL);
    const estimated = { ...exactly(400, 300), limits: [0.7, 0.8] as const };
    expect(errorsBelow(estimated, ALL)).toBeLessThan(known);
    const rounded = errorsBelow({ ...estimated, isCertain: true }, ALL);
    expect(rounded).toBeCloseTo(errorsBelow(exactly(400, 320), ALL));
  });
});

describe("the accuracy of a row", () => {
  const recorded = snapshot({
    subsets: [
      subset("cat", "class", 4000, 3600),
      subset("dog", "class", 1000, 900),
      subset("striped", "function", 400, 300),
      subset("few", "function", 4, 2),
    ],
  });
  const client = { runs: async () => runList([runEntry("cnn/activis", [recorded])]) };

  test("is marked where chance does not explain it, of a function's subset too, with two classes", async () => {
    const { base } = await open(client);
    const of = (key: string) => rowAccuracy(base, rowNamed(base, key));
    expect(of("subset:striped")).toMatchObject({ count: 400, correct: 300, share: 0.75, limits: null });
    const marked = ["class:cat", "class:dog", "subset:striped", "subset:few"].filter((key) => {
      const accuracy = of(key);
      return accuracy && isLow(accuracy);
    });
    expect(marked).toEqual(["subset:striped"]);
  });

  test("is between limits for a condition that is estimated", async () => {
    const estimate = answer([0, 2], { count: 200, correct: 100, accuracy_low: 0.3, accuracy_high: 0.7 });
    const { tab, base } = await open({ ...client, subset: async () => ({ ...estimate, exactness: "estimate" }) });
    tab.subsets.add("striped");
    await settled();
    expect(rowAccuracy(base, rowNamed(base, "typed:striped"))).toMatchObject({ share: 0.5, limits: [0.3, 0.7] });
  });

  test("is none of a row that was chosen by its outcome, which no order by accuracy ranks", async () => {
    const errors = { ...subset("errors", "condition", 500, 0), condition: "NOT correct" };
    const runs = async () =>
      runList([runEntry("cnn/activis", [{ ...recorded, subsets: [...recorded.subsets, errors] }])]);
    const wrong = answer([1], { count: 1, correct: 0, accuracy_low: 0, accuracy_high: 0 });
    const { tab, base } = await open({ runs, subset: async () => wrong }, { rows: "accuracy" });
    tab.subsets.add("label = 'cat' AND predicted = 'dog'");
    tab.subsets.add("label = 'cat'");
    await settled();
    const of = (key: string) => rowAccuracy(base, rowNamed(base, key));
    expect(of("subset:errors")).toMatchObject({ share: 0, byDefinition: true });
    expect(of("typed:label = 'cat' AND predicted = 'dog'")).toMatchObject({ share: 0, byDefinition: true });
    expect(of("typed:label = 'cat'")).toMatchObject({ share: 0, byDefinition: false });
    const accuracy = of("subset:errors");
    expect(accuracy && isLow(accuracy)).toBe(false);
    expect(accuracy && rowAccuracyText(accuracy, ALL)).toMatch(/^errors by definition: no accuracy is claimed/);
    expect(base.shown.value.rows.map(({ name }) => name)).toEqual([
      ...["cat", "dog", "label = 'cat'", "few", "striped", "errors", "label = 'cat' AND predicted = 'dog'"],
    ]);
  });

  test("is not known without labels", async () => {
    const { correct: _, ...all } = subset("all", "all", 5000, 0);
    const unlabelled = snapshot({ unlabelled: true, subsets: [all] });
    const { base } = await open({ runs: async () => runList([runEntry("cnn/activis", [unlabelled])]) });
    expect(rowAccuracy(base, rowNamed(base, "subset:all"))).toBeNull();
  });
});
