import { describe, expect, test } from "vitest";
import { type Client, RouteError } from "../src/contract/client";
import type { HashValues } from "../src/store/address";
import { createClient, open, rowNamed, rows, settled } from "./opened_store";
import { instances, runEntry, runList, snapshot } from "./samples";

describe("on opening", () => {
  test("the newest step is shown, no layer is open and nothing of a layer was asked for", async () => {
    const asked: string[] = [];
    const { store, hash } = await open({
      statistics: async (_snapshot, layer) => {
        asked.push(layer);
        return rows([]);
      },
    });
    expect(store.catalogue.reference.value).toEqual({ run: "cnn/activis", name: "validation", step: 2 });
    expect(hash.written).toMatchObject({ run: "cnn/activis", name: "validation", step: "2", layers: "" });
    expect(store.layers.value).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("everything that the hash names is shown again", async () => {
    const { store } = await open(
      {},
      { step: "1", run: "cnn/activis", layers: "hidden", sort: "class:dog", pinned: "b" },
    );
    expect(store.catalogue.reference.value?.step).toBe(1);
    expect(store.layers.value.map((layer) => layer.name)).toEqual(["hidden"]);
    expect([...(store.layers.value[0]?.columns.value ?? [])].slice(0, 3)).toEqual([0, 2, 1]);
    expect(store.rows.value.map((row) => row.key)).toEqual(["class:cat", "class:dog", "subset:striped", "instance:b"]);
  });
});

describe("hovering", () => {
  test("a class lights exactly its instances", async () => {
    const { store } = await open();
    store.hover.value = { source: "label", row: rowNamed(store, "class:dog") };
    expect([...(store.lit.value ?? [])]).toEqual([0, 0, 1]);
    store.hover.value = null;
    expect(store.lit.value).toBeNull();
  });

  test("an instance adds a temporary row, until it is pinned", async () => {
    const { store } = await open();
    const row = { key: "instance:b", kind: "instance" as const, name: "b", id: "b", sampled: 1 };
    store.hover.value = { source: "instances", row };
    expect(store.temporary.value).toMatchObject({ id: "b", kind: "temporary", sampled: 1 });
    store.togglePin(1);
    expect(store.temporary.value).toBeNull();
    expect(store.rows.value.at(-1)).toMatchObject({ key: "instance:b", kind: "instance" });
    store.togglePin(1);
    expect(store.rows.value.map((shown) => shown.kind)).toEqual(["class", "class", "recorded"]);
  });
});

describe("a locked row", () => {
  test("stays lit while nothing else, or an instance, is hovered", async () => {
    const { store } = await open();
    store.toggleLock(rowNamed(store, "class:cat"));
    expect([...(store.lit.value ?? [])]).toEqual([1, 1, 0]);
    store.hover.value = {
      source: "instances",
      row: { key: "instance:c", kind: "instance", name: "c", id: "c", sampled: 2 },
    };
    expect(store.litKey.value).toBe("class:cat");
  });

  test("gives way to a hovered class, comes back as the same array, and is let go", async () => {
    const { store } = await open({}, { locked: "class:cat" });
    const before = store.lit.value;
    store.hover.value = { source: "label", row: rowNamed(store, "class:dog") };
    expect([...(store.lit.value ?? [])]).toEqual([0, 0, 1]);
    store.hover.value = null;
    expect(store.lit.value).toBe(before);
    store.toggleLock(rowNamed(store, "class:cat"));
    expect(store.lit.value).toBeNull();
  });
});

describe("an open layer", () => {
  test("sorts by a row's own values in that layer, instances by their activations", async () => {
    const { store } = await open();
    store.toggleLayer("hidden");
    await settled();
    const columns = () => [...(store.layers.value[0]?.columns.value ?? [])].slice(0, 3);
    store.durable.sort.value = "class:cat";
    expect(columns()).toEqual([1, 2, 0]);
    store.durable.sort.value = "instance:a";
    expect(columns()).toEqual([2, 1, 0]);
  });

  test("is closed by the click that opened it", async () => {
    const { store } = await open();
    store.toggleLayer("hidden");
    store.toggleLayer("hidden");
    expect(store.layers.value).toEqual([]);
  });

  test("shows t-SNE as the last projection", async () => {
    const { store } = await open({}, { layers: "hidden" });
    expect(store.layers.value[0]?.projection.shown.value).toMatchObject({ method: "tsne", iteration: 750 });
  });

  test("asks for no projection while the tab is hidden, and does when it is back", async () => {
    const asked: string[] = [];
    const projection: Client["projection"] = async (snapshot, layer, request, aborted) => {
      asked.push(request.method);
      return createClient().projection(snapshot, layer, request, aborted);
    };
    const { store, host } = await open({ projection });
    host.visible.value = false;
    store.toggleLayer("hidden");
    await settled();
    expect(asked).toEqual([]);
    host.visible.value = true;
    await settled();
    expect(asked).toEqual(["pca", "tsne"]);
  });

  test("shows a failed route's sentence while everything else works", async () => {
    const { store } = await open(
      { statistics: () => Promise.reject(new RouteError(404, "There is no layer 'hidden'.")) },
      { layers: "hidden" },
    );
    expect(store.layers.value[0]?.mean.state.value).toEqual({
      status: "error",
      message: "There is no layer 'hidden'.",
    });
    expect(store.instances.state.value.status).toBe("ready");
    expect(store.layers.value[0]?.projection.shown.value?.method).toBe("tsne");
  });
});

describe("changing the step", () => {
  test("drops an answer that comes late", async () => {
    const release: Record<number, () => void> = {};
    const { store } = await open({
      instances: (reference) =>
        new Promise((resolve) => {
          release[reference.step] = () => resolve(instances({ id: [`step ${reference.step}`] }));
        }),
    });
    store.durable.wish.value = { run: "cnn/activis", name: "validation", step: 1 };
    release[1]?.();
    await settled();
    release[2]?.();
    await settled();
    expect(store.instances.state.value.value?.id).toEqual(["step 1"]);
  });

  test("asks once for each step, however often one goes back and forth", async () => {
    const asked: number[] = [];
    const { store } = await open({
      instances: async ({ step }) => {
        asked.push(step);
        return instances();
      },
    });
    for (const step of [1, 2, 1, 2]) {
      store.durable.wish.value = { run: "cnn/activis", name: "validation", step };
      await settled();
    }
    expect(asked).toEqual([2, 1]);
  });
});

describe("while training runs", () => {
  const step = (number: number) => snapshot({ step: number, wall_time: number, version: String(number) });

  /** A store whose list of runs grows when asked again. */
  async function openGrowing(values: HashValues) {
    const steps = [step(1)];
    const opened = await open({ runs: async () => runList([runEntry("cnn/activis", steps.slice())]) }, values);
    const grow = async (number: number) => {
      steps.push(step(number));
      await opened.store.catalogue.refresh();
      await settled();
    };
    return { ...opened, grow };
  }

  test.each([[{}], [{ run: "cnn/activis" }]])("a new step is told of and moves nothing, from %o", async (values) => {
    const { store, hash, grow } = await openGrowing(values);
    const shown = store.catalogue.snapshot.value;
    await grow(2);
    expect(store.catalogue.snapshot.value).toBe(shown);
    expect(store.catalogue.steps.value).toEqual([1, 2]);
    expect(store.catalogue.newSteps.value).toEqual([2]);
    expect(hash.written.step).toBe("1");
    store.durable.wish.value = { run: "cnn/activis", name: "validation", step: 2 };
    expect(store.catalogue.newSteps.value).toEqual([]);
    expect(hash.causes.at(-1)).toBe("choice");
  });

  test("a new step is shown where the newest is followed, which is no choice of the user's", async () => {
    const { store, hash, grow } = await openGrowing({ follow: "latest" });
    await grow(2);
    expect(store.catalogue.reference.value?.step).toBe(2);
    expect(hash.written).toMatchObject({ step: "2", follow: "latest" });
    expect(new Set(hash.causes)).toEqual(new Set(["consequence"]));
  });

  test("a poll that gets no answer says so and leaves what is shown", async () => {
    let works = true;
    const { store } = await open({
      runs: () =>
        works
          ? Promise.resolve(runList([runEntry("cnn/activis", [step(1)])]))
          : Promise.reject(new RouteError(0, "TensorBoard does not answer.", null, true)),
    });
    works = false;
    await store.catalogue.refresh();
    expect(store.catalogue.silence.value).toBe("TensorBoard does not answer.");
    expect(store.catalogue.reference.value?.step).toBe(1);
    works = true;
    await store.catalogue.refresh();
    expect(store.catalogue.silence.value).toBe("");
  });
});
