import { batch } from "@preact/signals";
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/contract/activis";
import { type Client, RouteError } from "../src/contract/client";
import type { HashValues } from "../src/store/address";
import { createClient, open, rowNamed, rows, settled } from "./opened_store";
import { instances, layer, runEntry, runList, snapshot } from "./samples";

const CLOSED = { panels: "closed" };

describe("on opening", () => {
  test("the newest step is shown; where the link has every panel closed, nothing of a layer was asked for", async () => {
    const asked: string[] = [];
    const statistics: Client["statistics"] = async (_snapshot, layer) => {
      asked.push(layer);
      return rows([]);
    };
    const { tab, base, hash } = await open({ statistics }, CLOSED);
    expect(tab.catalogue.reference.value).toEqual({ run: "cnn/activis", name: "validation", step: 2 });
    expect(hash.written).toMatchObject({ run: "cnn/activis", name: "validation", step: "2", layers: "" });
    expect(base.layers.value).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("everything that the hash names is shown again", async () => {
    const { tab, base } = await open(
      {},
      { step: "1", run: "cnn/activis", layers: "hidden", sort: "class:dog", pinned: "b" },
    );
    expect(tab.catalogue.reference.value?.step).toBe(1);
    expect(base.layers.value.map((layer) => layer.name)).toEqual(["hidden"]);
    expect([...(base.layers.value[0]?.columns.value ?? [])].slice(0, 3)).toEqual([0, 2, 1]);
    expect(base.rows.value.map((row) => row.key)).toEqual(["class:cat", "class:dog", "subset:striped", "instance:b"]);
  });
});

describe("where nobody chose a layer", () => {
  const layers = [
    layer("output", 2),
    layer("embedding", 18),
    layer("hidden", 18),
    { ...layer("logits", 2), signed: true },
  ];
  const two = (change: Partial<Client> = {}): Partial<Client> => ({
    runs: async () => runList([runEntry("a", [snapshot({ layers })]), runEntry("b", [snapshot({ layers: OTHER })])]),
    ...change,
  });
  const OTHER = [layer("first", 18), layer("second", 18), layer("scores", 2)];
  const opened = ({ base, tab }: Awaited<ReturnType<typeof open>>) => ({
    shown: base.layers.value.map(({ name }) => name),
    opening: tab.opening.value,
  });

  test("an address that says nothing opens the last hidden layer and the output, which is no step of the history", async () => {
    const store = await open(two(), {});
    expect(opened(store)).toEqual({ shown: ["hidden", "output"], opening: false });
    expect(store.hash.written).toMatchObject({ run: "a", layers: "hidden,output", panels: "" });
    expect(new Set(store.hash.causes)).toEqual(new Set(["consequence"]));
  });

  test("layers are opened when their order is known, without a graph as they were recorded", async () => {
    let answer: (graph: Promise<Graph>) => void = () => undefined;
    const store = await open(two({ graph: () => new Promise((resolve) => (answer = resolve)) }), {});
    expect(opened(store)).toEqual({ shown: [], opening: true });
    answer(Promise.reject(new RouteError(404, "There is no graph.")));
    await settled();
    expect(opened(store)).toEqual({ shown: ["output", "hidden"], opening: false });
  });

  test("the only layer of a recording is opened, also by a link that names a run", async () => {
    expect(opened(await open({}, { run: "cnn/activis" })).shown).toEqual(["hidden"]);
  });

  test("a link that names a run alone, as a recording prints it, opens as a fresh visit", async () => {
    expect(opened(await open(two(), { run: "b" })).shown).toEqual(["second", "scores"]);
  });

  test("a link that names a step, and no layer of several, opens none, until another run is picked", async () => {
    const store = await open(two(), { run: "a", step: "1" });
    expect(opened(store)).toEqual({ shown: [], opening: false });
    batch(() => {
      store.tab.urlState.undecided.value = true;
      store.tab.urlState.wish.value = { run: "b", name: null, step: null };
    });
    await settled();
    expect(opened(store).shown).toEqual(["second", "scores"]);
  });

  test("what was opened so follows the run; what the user opened or closed does not", async () => {
    const store = await open(two(), {});
    const pick = async (run: string) => {
      store.tab.urlState.wish.value = { run, name: null, step: null };
      await settled();
    };
    await pick("b");
    expect(store.hash.written.layers).toBe("second,scores");
    store.tab.toggleLayer("second");
    await pick("a");
    expect(store.hash.written.layers).toBe("scores");
    store.tab.toggleLayer("scores");
    await pick("b");
    expect(opened(store)).toEqual({ shown: [], opening: false });
    expect(store.hash.written).toMatchObject({ layers: "", panels: "closed" });
  });

  test("closing the last panel stays in the link, and opening one lets go of it", async () => {
    const store = await open({}, {});
    store.tab.toggleLayer("hidden");
    expect(store.hash.written).toMatchObject({ layers: "", panels: "closed" });
    expect(opened(await open({}, store.hash.written)).shown).toEqual([]);
    store.tab.toggleLayer("hidden");
    expect(store.hash.written).toMatchObject({ layers: "hidden", panels: "" });
  });
});

describe("hovering", () => {
  test("a class lights exactly its instances", async () => {
    const { base } = await open();
    base.hover.value = { source: "label", row: rowNamed(base, "class:dog") };
    expect([...(base.litMask.value ?? [])]).toEqual([0, 0, 1]);
    base.hover.value = null;
    expect(base.litMask.value).toBeNull();
  });

  test("an instance adds a temporary row, until it is pinned", async () => {
    const { base } = await open();
    const row = { key: "instance:b", kind: "instance" as const, name: "b", id: "b", sampled: 1 };
    base.hover.value = { source: "instances", row };
    expect(base.temporary.value).toMatchObject({ id: "b", kind: "temporary", sampled: 1 });
    base.togglePin(1);
    expect(base.temporary.value).toBeNull();
    expect(base.rows.value.at(-1)).toMatchObject({ key: "instance:b", kind: "instance" });
    base.togglePin(1);
    expect(base.rows.value.map((shown) => shown.kind)).toEqual(["class", "class", "recorded"]);
  });
});

describe("a locked row", () => {
  test("stays lit while nothing else, or an instance, is hovered", async () => {
    const { tab, base } = await open();
    tab.toggleLock(rowNamed(base, "class:cat"));
    expect([...(base.litMask.value ?? [])]).toEqual([1, 1, 0]);
    base.hover.value = {
      source: "instances",
      row: { key: "instance:c", kind: "instance", name: "c", id: "c", sampled: 2 },
    };
    expect(base.lit.value?.key).toBe("class:cat");
  });

  test("gives way to a hovered class, comes back as the same array, and is let go", async () => {
    const { tab, base } = await open({}, { locked: "class:cat" });
    const before = base.litMask.value;
    base.hover.value = { source: "label", row: rowNamed(base, "class:dog") };
    expect([...(base.litMask.value ?? [])]).toEqual([0, 0, 1]);
    base.hover.value = null;
    expect(base.litMask.value).toBe(before);
    tab.toggleLock(rowNamed(base, "class:cat"));
    expect(base.litMask.value).toBeNull();
  });
});

describe("an open layer", () => {
  test("sorts by a row's own values in that layer, instances by their activations", async () => {
    const { tab, base } = await open({}, CLOSED);
    tab.toggleLayer("hidden");
    await settled();
    const columns = () => [...(base.layers.value[0]?.columns.value ?? [])].slice(0, 3);
    tab.urlState.sort.value = "class:cat";
    expect(columns()).toEqual([1, 2, 0]);
    tab.urlState.sort.value = "instance:a";
    expect(columns()).toEqual([2, 1, 0]);
  });

  test("is closed by the click that opened it", async () => {
    const { tab, base } = await open({}, CLOSED);
    tab.toggleLayer("hidden");
    tab.toggleLayer("hidden");
    expect(base.layers.value).toEqual([]);
  });

  test("shows t-SNE as the last projection", async () => {
    const { base } = await open({}, { layers: "hidden" });
    expect(base.layers.value[0]?.projection.shown.value).toMatchObject({ method: "tsne", iteration: 750 });
  });

  test("asks for no projection while the tab is hidden, and does when it is back", async () => {
    const asked: string[] = [];
    const projection: Client["projection"] = async (snapshot, layer, request, aborted) => {
      asked.push(request.method);
      return createClient().projection(snapshot, layer, request, aborted);
    };
    const { tab, host } = await open({ projection }, CLOSED);
    host.visible.value = false;
    tab.toggleLayer("hidden");
    await settled();
    expect(asked).toEqual([]);
    host.visible.value = true;
    await settled();
    expect(asked).toEqual(["pca", "tsne"]);
  });

  test("shows a failed route's sentence while everything else works", async () => {
    const { base } = await open(
      { statistics: () => Promise.reject(new RouteError(404, "There is no layer 'hidden'.")) },
      { layers: "hidden" },
    );
    expect(base.layers.value[0]?.mean.state.value).toEqual({
      status: "error",
      message: "There is no layer 'hidden'.",
    });
    expect(base.instances.state.value.status).toBe("ready");
    expect(base.layers.value[0]?.projection.shown.value?.method).toBe("tsne");
  });
});

describe("changing the step", () => {
  test("drops an answer that comes late", async () => {
    const release: Record<number, () => void> = {};
    const { tab, base } = await open({
      instances: (reference) =>
        new Promise((resolve) => {
          release[reference.step] = () => resolve(instances({ id: [`step ${reference.step}`] }));
        }),
    });
    tab.urlState.wish.value = { run: "cnn/activis", name: "validation", step: 1 };
    release[1]?.();
    await settled();
    release[2]?.();
    await settled();
    expect(base.instances.state.value.value?.id).toEqual(["step 1"]);
  });

  test("asks once for each step, however often one goes back and forth", async () => {
    const asked: number[] = [];
    const { tab } = await open({
      instances: async ({ step }) => {
        asked.push(step);
        return instances();
      },
    });
    for (const step of [1, 2, 1, 2]) {
      tab.urlState.wish.value = { run: "cnn/activis", name: "validation", step };
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
      await opened.tab.catalogue.refresh();
      await settled();
    };
    return { ...opened, grow };
  }

  test.each([[{}], [{ run: "cnn/activis" }]])("a new step is told of and moves nothing, from %o", async (values) => {
    const { tab, hash, grow } = await openGrowing(values);
    const shown = tab.catalogue.snapshot.value;
    await grow(2);
    expect(tab.catalogue.snapshot.value).toBe(shown);
    expect(tab.catalogue.steps.value).toEqual([1, 2]);
    expect(tab.catalogue.newSteps.value).toEqual([2]);
    expect(hash.written.step).toBe("1");
    tab.urlState.wish.value = { run: "cnn/activis", name: "validation", step: 2 };
    expect(tab.catalogue.newSteps.value).toEqual([]);
    expect(hash.causes.at(-1)).toBe("choice");
  });

  test("a new step is shown where the newest is followed, which is no choice of the user's", async () => {
    const { tab, hash, grow } = await openGrowing({ follow: "latest" });
    await grow(2);
    expect(tab.catalogue.reference.value?.step).toBe(2);
    expect(hash.written).toMatchObject({ step: "2", follow: "latest" });
    expect(new Set(hash.causes)).toEqual(new Set(["consequence"]));
  });

  test("a poll that gets no answer says so and leaves what is shown", async () => {
    let works = true;
    const { tab } = await open({
      runs: () =>
        works
          ? Promise.resolve(runList([runEntry("cnn/activis", [step(1)])]))
          : Promise.reject(new RouteError(0, "TensorBoard does not answer.", null, true)),
    });
    works = false;
    await tab.catalogue.refresh();
    expect(tab.catalogue.silence.value).toBe("TensorBoard does not answer.");
    expect(tab.catalogue.reference.value?.step).toBe(1);
    works = true;
    await tab.catalogue.refresh();
    expect(tab.catalogue.silence.value).toBe("");
  });
});
