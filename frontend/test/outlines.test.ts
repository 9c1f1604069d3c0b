/** Outlines of the instances that the sentence is about. */

import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { drawOutlines } from "../src/draw/marks";
import type { SnapshotView } from "../src/store/catalogue";
import { followReported, outlinedRows } from "../src/store/confusion";
import type { UrlState } from "../src/store/url_state";
import { instances, snapshot, subset } from "./samples";

test("go around every instance of the confusion, and around no test case", () => {
  const columns = {
    ...instances(),
    label: [0, 0, 1, 0],
    predicted: [1, 1, 0, 0],
    example: [false, true, false, false],
  };
  const confusion = { label: 0, predicted: 1, count: 2, of: 2, isOfErrors: true };
  expect(outlinedRows(confusion, columns)).toEqual([0]);
  expect(outlinedRows({ ...confusion, predicted: null }, { ...columns, predicted: [1, 1, 0, -1] })).toEqual([3]);
});

test("go around none of more than a hundred, which would hide what they point at", () => {
  const columns = (rows: number) => ({
    ...instances(),
    label: Array.from({ length: rows }, () => 0),
    predicted: Array.from({ length: rows }, () => 1),
    example: Array.from({ length: rows }, () => false),
  });
  const confusion = { label: 0, predicted: 1, count: 100, of: 100, isOfErrors: true };
  expect(outlinedRows(confusion, columns(100))).toHaveLength(100);
  expect(outlinedRows(confusion, columns(101))).toEqual([]);
});

test("are one where they touch: what is inside any of them is cut out of all", () => {
  const calls: string[] = [];
  let discs: string[] = [];
  const context = {
    globalCompositeOperation: "source-over",
    fillStyle: "",
    save: () => undefined,
    restore: () => undefined,
    beginPath: () => {
      discs = [];
    },
    moveTo: () => undefined,
    arc: (x: number, y: number, radius: number) => discs.push(`${x},${y},${radius}`),
    fill: () => calls.push(`${context.globalCompositeOperation}: ${discs.join(" ")}`),
  };
  const places = [
    { x: 10, y: 20 },
    { x: Number.NaN, y: Number.NaN },
    { x: 14, y: 20 },
  ];
  drawOutlines(context as unknown as CanvasRenderingContext2D, places, 6, { text: "#212121" });
  expect(context.fillStyle).toBe("#212121");
  expect(calls).toEqual(["source-over: 10,20,6.8 14,20,6.8", "destination-out: 10,20,5.2 14,20,5.2"]);
});

test("are there while the sentence is: not once it is put away, nor beside another run", () => {
  const row = (name: string, predicted_counts: number[], correct: number) => ({
    ...subset(name, "class", 12, correct),
    predicted_counts,
  });
  const classes = ["a", "b", "c"];
  const subsets = [row("a", [9, 3, 0], 9), row("b", [0, 12, 0], 12), row("c", [0, 0, 12], 12)];
  const columns = {
    ...instances(),
    label: [0, 1, 0],
    predicted: [0, 1, 1],
    example: [false, false, false],
  };
  const unsaid = signal("");
  const others = signal<unknown[]>([]);
  const view = { selection: signal({ run: { run: "cnn" } }), snapshot: signal(snapshot({ classes, subsets })) };
  const reported = followReported(
    { unsaid, comparing: { others } } as unknown as UrlState,
    view as unknown as SnapshotView,
    signal(columns),
  );
  expect(reported.value).toMatchObject({ confusion: { label: 0, predicted: 1, count: 3, of: 3 }, rows: [2] });
  unsaid.value = "another";
  expect(reported.value?.rows).toEqual([2]);
  others.value = [{}];
  expect(reported.value).toBeNull();
  others.value = [];
  unsaid.value = "cnn";
  expect(reported.value).toBeNull();
});
