import { describe, expect, test } from "vitest";
import { namesOf, resolveSelection, snapshotsOf } from "../src/state/selection";
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

test("names are listed once and steps in ascending order", () => {
  const run = list.runs[1] ?? runEntry("", []);
  expect(namesOf(run)).toEqual(["train", "validation"]);
  expect(snapshotsOf(run, "validation").map((entry) => entry.step)).toEqual([2, 10]);
});
