import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { InstanceColumns } from "../src/contract/activis";
import type { Client } from "../src/contract/client";
import type { SnapshotView } from "../src/store/catalogue";
import { followScores } from "../src/store/judgement";
import { Cache } from "../src/store/resource";
import { instances } from "./samples";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

function follow(columns: InstanceColumns) {
  const asked: number[] = [];
  const client = {
    scores: async (_snapshot, row) => {
      asked.push(row);
      return { shape: [1, 2], data: Float32Array.of(row, 1 - row) };
    },
  } satisfies Partial<Client>;
  const view = { reference: signal({ run: "cnn", name: "test", step: 1 }), key: signal("cnn test 1") };
  const instance = signal(-1);
  const parts = {
    client: client as unknown as Client,
    cache: new Cache(),
    view: view as unknown as SnapshotView,
  };
  return { asked, instance, scores: followScores(parts, signal(columns), instance) };
}

test("the scores of an instance are taken from the columns where they are there", () => {
  const { asked, instance, scores } = follow(instances());
  expect(scores.value).toBeNull();
  instance.value = 1;
  expect(scores.value).toEqual([0.4, 0.6]);
  expect(asked).toEqual([]);
});

test("scores that were too many for the columns are fetched once for each instance looked at", async () => {
  const { asked, instance, scores } = follow(instances({ scores: [] }));
  instance.value = 1;
  expect(scores.value).toBeNull();
  await settled();
  expect(scores.value).toEqual(Float32Array.of(1, 0));
  instance.value = 0;
  await settled();
  expect(scores.value).toEqual(Float32Array.of(0, 1));
  instance.value = 1;
  expect(scores.value).toEqual(Float32Array.of(1, 0));
  expect(asked).toEqual([1, 0]);
});
