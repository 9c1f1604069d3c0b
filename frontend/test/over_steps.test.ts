/** One layer over the steps, and lines that are drawn of it. */

import { describe, expect, it } from "vitest";
import { betweenPoints, placePoints } from "../src/draw/projection";
import { overStepsOf } from "../src/store/over_steps";
import { linePath, placeSteps, scaleOf } from "../src/views/steps/charts";
import { createClient, open, settled } from "./opened_store";
import { layer, runEntry, runList, snapshot } from "./samples";

const AT_FIRST = { run: "cnn/activis", name: "validation", step: "1", layers: "hidden" };

describe("a layer over the steps", () => {
  it("asks for nothing until it is looked at, then about every step", async () => {
    const { tab } = await open({}, AT_FIRST);
    expect(overStepsOf(tab).snapshots.value).toEqual([]);
    expect(overStepsOf(tab).similarity.state.value.status).toBe("idle");
    tab.urlState.overSteps.value = "hidden";
    await settled();
    expect(overStepsOf(tab).snapshots.value.map(({ step }) => step)).toEqual([1, 2]);
    expect(overStepsOf(tab).separation(2)?.value?.overall?.silhouette).toBe(0.5);
    expect(overStepsOf(tab).projection(1)?.value?.done).toBe(true);
    expect(overStepsOf(tab).similarity.state.value.value?.cka).toEqual([1]);
  });

  it("shows the values of a single neuron, and projects nothing", async () => {
    const asked: string[] = [];
    const single = snapshot({ layers: [layer("hidden", 1)] });
    const { tab } = await open(
      {
        runs: async () =>
          runList([
            runEntry("cnn/activis", [
              { ...single, step: 1 },
              { ...single, step: 2, version: "2" },
            ]),
          ]),
        activations: async ({ step }) => ({ shape: [3, 1], data: Float32Array.of(step, 0, 1) }),
        projection: async (reference, name, { method, framing, perplexity }) => {
          asked.push(`${name} ${method} ${framing}`);
          return createClient().projection(
            reference,
            name,
            { method, framing, perplexity },
            new AbortController().signal,
          );
        },
      },
      { ...AT_FIRST, over: "hidden" },
    );
    expect(overStepsOf(tab).values(2)?.status).toBe("loading");
    await settled();
    expect(overStepsOf(tab).values(2)?.value?.data[0]).toBe(2);
    expect(overStepsOf(tab).projection(2)).toBeUndefined();
    expect(asked.filter((question) => !question.includes("pca"))).toEqual([]);
  });

  it("compares with the first step, and at that with the last", async () => {
    const { tab } = await open({}, AT_FIRST);
    expect(overStepsOf(tab).other.value?.step).toBe(2);
    tab.urlState.wish.value = { run: "cnn/activis", name: "validation", step: 2 };
    expect(overStepsOf(tab).other.value?.step).toBe(1);
  });

  it("is kept in the address", async () => {
    const { tab, hash } = await open({}, { ...AT_FIRST, over: "hidden" });
    expect(overStepsOf(tab).layer.value).toBe("hidden");
    tab.urlState.overSteps.value = "";
    expect(hash.written.over).toBe("");
  });
});

describe("lines over steps", () => {
  const place = placeSteps(3, { width: 128, height: 112, low: 0, high: 1 });

  it("spread the steps evenly and put small values low", () => {
    expect([0, 1, 2].map(place.x)).toEqual([22, 72, 122]);
    expect([0, 0.5, 1].map(place.y)).toEqual([106, 56, 6]);
  });

  it("leave a gap where there is no value", () => {
    expect(linePath([0, Number.NaN, 1], place)).toBe("M22,106ZM122,6Z");
  });

  it("have a scale in tenths that holds zero and every value", () => {
    const line = (values: number[]) => ({ name: "", colour: "", values });
    expect(scaleOf([line([0.31, -0.04]), line([Number.NaN])])).toEqual({ low: -0.1, high: 0.4 });
    expect(scaleOf([line([0.31])], 1)).toEqual({ low: 0, high: 1 });
  });
});

describe("points of one frame", () => {
  it("stand where they stand whatever else is there", () => {
    const alone = placePoints(Float32Array.of(0.5, 0), 116, 116, 1);
    const both = placePoints(Float32Array.of(0.5, 0, -0.9, 0.9), 116, 116, 1);
    expect([...both.positions.subarray(0, 2)]).toEqual([...alone.positions]);
    expect([...alone.positions]).toEqual([83, 58]);
  });

  it("move from one place to the next; one that had none is there at once", () => {
    const from = placePoints(Float32Array.of(-1, 0, Number.NaN, Number.NaN), 116, 116, 1);
    const to = placePoints(Float32Array.of(1, 0, 0, 0), 116, 116, 1);
    expect([...betweenPoints(from, to, 0.5).positions]).toEqual([58, 58, 58, 58]);
    expect([...betweenPoints(from, to, 1).positions]).toEqual([...to.positions]);
  });
});
