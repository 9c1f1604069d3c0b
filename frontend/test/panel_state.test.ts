import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
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

test("the scale of a layer of millions of means is that of a regular part of them", () => {
  const [classes, neurons] = [1000, 1000];
  const data = Float32Array.from({ length: classes * neurons }, (_, at) => ((at * 7919) % 1000) / 1000);
  expect(valueScale({ shape: [classes, neurons], data }, classes, false)).toEqual({ max: 1, signed: false });
});
