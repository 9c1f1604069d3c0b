import { describe, expect, test } from "vitest";
import { findRun, findRuns, namesOf, resolveSelection, snapshotsOf } from "../src/store/selection";
import { runEntry, runList, snapshot } from "./samples";

const list = runList([
  runEntry("old/activis", [snapshot({ name: "validation", step: 7, wall_time: 10 })]),
  runEntry("new/activis", [
    snapshot({ name: "train", step: 1, wall_time: 20 }),
    snapshot({ name: "validation", step: 10, wall_time: 30 }),
    snapshot({ name: "validation", step: 2, wall_time: 25 }),
  ]),
  runEntry("scalars only", []),
]);

const pick = (run: string | null, name: string | null, step: number | null) => {
  const selection = resolveSelection(list, { run, name, step });
  return selection && [selection.run.run, selection.snapshot.name, selection.snapshot.step];
};

describe("the snapshot that is shown", () => {
  test("is the newest while nothing was chosen", () => {
    expect(pick(null, null, null)).toEqual(["new/activis", "validation", 10]);
  });

  test("is the one that was chosen", () => {
    expect(pick("new/activis", "validation", 2)).toEqual(["new/activis", "validation", 2]);
  });

  test("falls back to the newest where the choice is not there", () => {
    expect(pick("old/activis", "train", 2)).toEqual(["old/activis", "validation", 7]);
    expect(pick("gone", null, null)).toEqual(["new/activis", "validation", 10]);
    expect(pick("scalars only", null, null)).toEqual(["new/activis", "validation", 10]);
  });

  test("is none where nothing was recorded", () => {
    expect(resolveSelection(runList([]), { run: null, name: null, step: null })).toBeNull();
  });
});

describe("a run that a link names", () => {
  const entries = (...runs: string[]) =>
    runs.map((run) => ({ ...runEntry(run, [snapshot({})]), label: run.replace(/\/activis$/, "") }));
  const meant = (logdir: string, runs: string[], name: string) =>
    findRuns(runList(entries(...runs), { logdir }), name).map(({ run }) => run);

  test("is the one that is called so, by its full name or the one that is shown", () => {
    expect(meant("runs", ["a/activis", "b/a/activis"], "a/activis")).toEqual(["a/activis"]);
    expect(meant("runs", ["a/activis", "b/a/activis"], "a")).toEqual(["a/activis"]);
    expect(meant("", ["a", "b"], "a")).toEqual(["a"]);
  });

  test("is found whichever of the folders around it TensorBoard serves", () => {
    const printed = "runs/cnn/activis";
    expect(meant("cnn", ["activis"], printed)).toEqual(["activis"]);
    expect(meant("runs", ["cnn/activis", "old/cnn/activis", "mlp/activis"], printed)).toEqual(["cnn/activis"]);
    expect(meant("me", ["runs/cnn/activis", "runs/mlp/activis"], printed)).toEqual(["runs/cnn/activis"]);
    expect(meant("", ["runs/cnn/activis", "runs/mlp/activis"], printed)).toEqual(["runs/cnn/activis"]);
    expect(meant("cnn", ["."], "runs/cnn")).toEqual(["."]);
  });

  test("is no other run that ends alike", () => {
    expect(meant("mlp", ["activis"], "runs/cnn/activis")).toEqual([]);
    expect(meant("sweep-2", ["seed0/activis"], "sweep-1/seed0/activis")).toEqual([]);
    expect(meant("runs", ["my-cnn/activis"], "x/cnn/activis")).toEqual([]);
    expect(meant("runs", ["cnn/activis"], "activis")).toEqual([]);
  });

  test("is none where it can be several", () => {
    const runs = ["1/seed0/activis", "2/seed0/activis"];
    expect(meant("all", runs, "seed0/activis")).toEqual(runs);
    expect(findRun(runList(entries(...runs), { logdir: "all" }), "seed0/activis")).toBeNull();
  });
});

test("names are listed once and steps in ascending order", () => {
  const run = list.runs[1] ?? runEntry("", []);
  expect(namesOf(run)).toEqual(["train", "validation"]);
  expect(snapshotsOf(run, "validation").map((entry) => entry.step)).toEqual([2, 10]);
});
