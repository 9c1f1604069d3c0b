/** Likeness of many rows, found beside the page's own work. */

import { describe, expect, test, vi } from "vitest";
import { likenessOrder, startLikeness } from "../src/store/likeness_order";

/** Alike ones at every second place. */
const rowsOf = (count: number, neurons = 128, shift = 0) =>
  Array.from({ length: count }, (_, at) =>
    Float32Array.from({ length: neurons }, (_, neuron) => Math.sin(neuron + (at % 2) + shift)),
  );

/** A worker whose messages are answered when the test says so. */
function createWorkers() {
  const asked: { number: number; rows: Float32Array[] }[] = [];
  const worker = {
    onmessage: null as ((event: { data: unknown }) => void) | null,
    onerror: null as (() => void) | null,
    postMessage: (message: { number: number; rows: Float32Array[] }) => asked.push(message),
  };
  const create = vi.fn(() => worker as unknown as Worker);
  const answer = (at: number) => {
    const { number = -1, rows = [] } = asked[at] ?? {};
    worker.onmessage?.({ data: { number, order: likenessOrder(rows) } });
  };
  return { create, worker, asked, answer };
}

describe("the order by likeness", () => {
  test("of few rows is there at once", () => {
    const { create } = createWorkers();
    const few = rowsOf(6);
    expect(startLikeness(() => undefined, create)(few)).toEqual(likenessOrder(few));
    expect(create).not.toHaveBeenCalled();
  });

  test("of many is asked of a worker, once, and is the same", () => {
    const { create, asked, answer } = createWorkers();
    const found = vi.fn();
    const order = startLikeness(found, create);
    const many = rowsOf(200);
    expect(order(many)).toEqual([...many.keys()]);
    order([...many]);
    expect(asked).toHaveLength(1);
    answer(0);
    expect(found).toHaveBeenCalledOnce();
    expect(order(many)).toEqual(likenessOrder(many));
    expect(create).toHaveBeenCalledOnce();
  });

  test("stays while that of as many other rows is looked for", () => {
    const { create, asked, answer } = createWorkers();
    const order = startLikeness(() => undefined, create);
    const [first, second] = [rowsOf(200), rowsOf(200, 128, 1)];
    order(first);
    answer(0);
    expect(order(second)).toEqual(likenessOrder(first));
    order(rowsOf(201));
    expect(asked.map(({ rows }) => rows.length)).toEqual([200, 200, 201]);
  });

  test("is found in the page where there is no worker, or it fails", () => {
    const many = rowsOf(200);
    const refuse = () => {
      throw new Error("no workers here");
    };
    expect(startLikeness(() => undefined, refuse)(many)).toEqual(likenessOrder(many));
    const { create, worker } = createWorkers();
    const order = startLikeness(() => undefined, create);
    order(many);
    worker.onerror?.();
    expect(order(many)).toEqual(likenessOrder(many));
  });
});
