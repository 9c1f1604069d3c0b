import { computed, signal } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import type { Client, Projection, ProjectionRequest } from "../src/contract/client";
import { valueScale } from "../src/store/numbers";
import { followProjection } from "../src/store/projection";
import { Cache, createResource } from "../src/store/resource";
import type { ProjectionChoice } from "../src/store/url_state";

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a newer version of what is shown", () => {
  const load = (value: string, milliseconds: number) => () =>
    new Promise<string>((resolve) => setTimeout(() => resolve(value), milliseconds));

  test("takes over without a blank", async () => {
    const request = signal({ key: "step 1, version 1", subject: "step 1", load: load("old", 0) });
    const { state } = createResource(() => request.value, new Cache());
    await settled();
    expect(state.value).toEqual({ status: "ready", value: "old" });
    request.value = { key: "step 1, version 2", subject: "step 1", load: load("new", 1) };
    expect(state.value).toEqual({ status: "loading", value: "old" });
    await settled();
    expect(state.value).toEqual({ status: "ready", value: "new" });
  });

  test("is not mistaken for another step", async () => {
    const request = signal({ key: "step 1", subject: "step 1", load: load("old", 0) });
    const { state } = createResource(() => request.value, new Cache());
    await settled();
    request.value = { key: "step 2", subject: "step 2", load: load("new", 1) };
    expect(state.value.value).toBeUndefined();
  });
});

describe("a projection's method", () => {
  const reference = { run: "cnn", name: "test", step: 1 };
  const follow = (choice: ProjectionChoice) => {
    const asked: ProjectionRequest[] = [];
    const projection = async (_snapshot: unknown, _layer: string, request: ProjectionRequest): Promise<Projection> => {
      asked.push(request);
      return {
        framing: "own",
        method: request.method,
        coordinates: Float32Array.of(0, 0),
        done: true,
        iteration: 1,
        iterations: 1,
        perplexity: request.perplexity,
        neuronsLeftOut: 0,
      };
    };
    const chosen = signal(choice);
    const follower = followProjection({
      client: { projection } as unknown as Client,
      cache: new Cache(),
      layer: "hidden",
      reference: signal(reference),
      key: signal("1"),
      choice: chosen,
      visible: signal(true),
    });
    return { asked, chosen, follower };
  };

  test("PCA is all that is asked for where it is chosen", async () => {
    const { asked, follower } = follow({ method: "pca", perplexity: 30, framing: "own" });
    await settled();
    expect(asked).toEqual([{ method: "pca", perplexity: 30, framing: "own" }]);
    expect(follower.shown.value?.method).toBe("pca");
  });

  test("another perplexity is computed while the picture stays, and the first is remembered", async () => {
    const { asked, chosen, follower } = follow({ method: "tsne", perplexity: 30, framing: "own" });
    await settled();
    chosen.value = { method: "tsne", perplexity: 50, framing: "own" };
    expect(follower.shown.value?.perplexity).toBe(30);
    await settled();
    expect(follower.shown.value?.perplexity).toBe(50);
    chosen.value = { method: "tsne", perplexity: 30, framing: "own" };
    expect(follower.shown.value?.perplexity).toBe(30);
    expect(asked.map(({ method, perplexity }) => `${method} ${perplexity}`)).toEqual(["pca 30", "tsne 30", "tsne 50"]);
  });
});

describe("a projection whose snapshot changes", () => {
  const at = (step: number, run = "cnn") => ({ run, name: "test", step });

  const follow = (framing: "own" | "steps") => {
    let finish = () => {};
    const isOver = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let over = false;
    const projection = async (snapshot: { step: number }, _layer: string, request: ProjectionRequest) => {
      const done = snapshot.step === 1 || over;
      return {
        framing,
        method: request.method,
        coordinates: Float32Array.of(snapshot.step, 0),
        done,
        iteration: done ? 750 : 25,
        iterations: 750,
        perplexity: request.perplexity,
        neuronsLeftOut: 0,
      };
    };
    const reference = signal(at(1));
    const follower = followProjection({
      client: { projection } as unknown as Client,
      cache: new Cache(),
      layer: "hidden",
      reference,
      key: computed(() => JSON.stringify(reference.value)),
      choice: signal({ method: "tsne", perplexity: 30, framing }),
      visible: signal(true),
    });
    void isOver.then(() => {
      over = true;
    });
    return { reference, follower, finish };
  };

  test("in one frame stays as it was until the next step's is final, says of which step it is, and how far that one is", async () => {
    const { reference, follower, finish } = follow("steps");
    await settled();
    expect([follower.shown.value?.of.step, follower.settled.value]).toEqual([1, true]);
    reference.value = at(2);
    await settled();
    expect([follower.shown.value?.of.step, follower.settled.value]).toEqual([1, false]);
    expect(follower.awaited.value).toMatchObject({ iteration: 25, iterations: 750 });
    finish();
    await vi.waitFor(() => expect(follower.shown.value?.of.step).toBe(2));
    expect([follower.awaited.value, follower.settled.value]).toEqual([null, true]);
  });

  test("in a frame of its own gives way to the first picture of the next step, and to none of another run's", async () => {
    const { reference, follower } = follow("own");
    await settled();
    reference.value = at(2);
    expect(follower.shown.value?.of.step).toBe(1);
    await settled();
    expect([follower.shown.value?.of.step, follower.shown.value?.done]).toEqual([2, false]);
    reference.value = at(1, "other");
    expect(follower.shown.value).toBeNull();
  });
});

test("the scale of a layer of millions of means is that of a regular part of them", () => {
  const [classes, neurons] = [1000, 1000];
  const data = Float32Array.from({ length: classes * neurons }, (_, at) => ((at * 7919) % 1000) / 1000);
  expect(valueScale({ shape: [classes, neurons], data }, classes, false)).toEqual({ max: 1, signed: false });
});
