import { describe, expect, test, vi } from "vitest";
import type { Client } from "../src/contract/client";
import type { HashValues } from "../src/store/address";
import { open, rowNamed, settled } from "./opened_store";
import { agreement, instances, matching, runEntry, runList, snapshot } from "./samples";

/** `b` has the instances of `a` in another order, and neurons 0 and 1 swapped. */
const TWO_RUNS: Partial<Client> = {
  runs: async () =>
    runList([
      runEntry("a", [snapshot({ step: 1 }), snapshot({ step: 2, version: "2" })]),
      runEntry("b", [snapshot({ step: 1, version: "b1" }), snapshot({ step: 3, version: "b3", layers: [] })]),
    ]),
  instances: async ({ run }) => (run === "a" ? instances() : instances({ id: ["c", "a", "b"], label: [1, 0, 0] })),
};
const AGAINST_B: HashValues = { run: "a", step: "1", layers: "hidden", vs: "b,validation,1" };

async function openTwo(values: HashValues = AGAINST_B, client: Partial<Client> = {}) {
  const opened = await open({ ...TWO_RUNS, ...client }, values);
  await settled();
  const [side] = opened.tab.comparing.sides.value;
  if (!side) throw new Error("no side");
  return { ...opened, side };
}

describe("another run", () => {
  test("is not looked for while nothing is compared", async () => {
    const asked: string[] = [];
    const { tab, hash } = await open({
      ...TWO_RUNS,
      agreement: async () => {
        asked.push("agreement");
        throw new Error("not asked for");
      },
    });
    expect(tab.comparing.active.value).toBe(false);
    expect(asked).toEqual([]);
    expect(hash.written.vs).toBe("");
  });

  test("agrees over the sample until all stored instances are counted", async () => {
    const answers = [
      { done: false, value: agreement({ exactness: "sample" }) },
      { done: true, value: agreement({ over: 900, both_right: 700 }) },
    ];
    const asked = vi.fn(async () => answers[asked.mock.calls.length - 1] ?? Promise.reject(new Error("asked again")));
    const { side } = await openTwo(AGAINST_B, { agreement: asked });
    expect(side.agreement.state.value).toEqual({ status: "loading", value: answers[0]?.value });
    await vi.waitFor(() => expect(side.agreement.state.value).toEqual({ status: "ready", value: answers[1]?.value }));
    expect(asked).toHaveBeenCalledTimes(2);
  });

  test("shows its values under the base's neurons", async () => {
    const { tab, base, side } = await openTwo();
    const compared = side.layers.value.get("hidden");
    await vi.waitFor(() => expect(compared?.matching.value).toBeTruthy());
    const row = side.store.rows.value.find(({ key }) => key === "class:dog");
    expect(row && [...(compared?.valuesOf(row) ?? [])].slice(0, 3)).toEqual([0, 5, 4]);
    tab.urlState.comparing.showing.value = "difference";
    expect(tab.comparing.isDifference("hidden")).toBe(true);
    expect(row && [...(compared?.differencesOf(row, rowNamed(base, "class:dog")) ?? [])].slice(0, 3)).toEqual([
      -2.5,
      2.5,
      Number.NaN,
    ]);
  });

  test("takes the base's step where it has that, else its newest", async () => {
    const { tab } = await open(TWO_RUNS, { run: "a", step: "1" });
    tab.comparing.add({ run: "b", name: "validation", step: null });
    expect(tab.comparing.sides.value[0]?.view.reference.value?.step).toBe(1);
    tab.urlState.wish.value = { run: "a", name: "validation", step: 2 };
    expect(tab.comparing.sides.value[0]?.view.reference.value?.step).toBe(3);
  });

  test("that is gone is still named, with nothing to show", async () => {
    const { side } = await openTwo({ ...AGAINST_B, vs: "gone,validation,1" });
    expect(side.run.value).toBeNull();
    expect(side.view.snapshot.value).toBeNull();
    expect(side.layers.value.size).toBe(0);
  });

  test("that lacks the layer at a step has no counterpart there until one is chosen", async () => {
    const { tab, side } = await openTwo();
    expect(side.layers.value.has("hidden")).toBe(true);
    tab.comparing.pair(0, "hidden", "");
    expect(side.layers.value.has("hidden")).toBe(false);
    tab.comparing.pair(0, "hidden", "hidden");
    expect(tab.urlState.comparing.pairs.value).toEqual([]);
    tab.comparing.change(0, { step: 3 });
    expect(side.layers.value.size).toBe(0);
  });
});

describe("hovering", () => {
  test("an instance is hovered by its id on the other side", async () => {
    const { base, side } = await openTwo();
    base.hover.value = { source: "instances", row: rowNamed(base, "class:cat") };
    expect(side.store.hover.value?.row?.key).toBe("class:cat");
    side.store.hover.value = {
      source: "projection",
      layer: "hidden",
      row: { key: "instance:c", kind: "instance", name: "c", id: "c", sampled: 0 },
    };
    expect(base.instance.value).toBe(2);
    expect(side.store.instance.value).toBe(0);
    expect(base.temporary.value).toMatchObject({ id: "c" });
    expect(side.store.temporary.value).toMatchObject({ id: "c", sampled: 0, kind: "temporary" });
  });

  test("pinning there pins the instance here", async () => {
    const { tab, side } = await openTwo();
    side.store.togglePin(1);
    expect(tab.urlState.pinned.value).toEqual(["a"]);
    expect(side.store.rows.value.at(-1)).toMatchObject({ key: "instance:a", sampled: 1 });
  });
});

describe("several others", () => {
  const THREE = { ...AGAINST_B, vs: "b,validation,1,a,validation,2", outcomes: "outcome%3Aboth_wrong%3A1" };

  test("count anew when one leaves, and their rows with them", async () => {
    const { tab, base } = await openTwo(THREE);
    tab.comparing.pair(1, "hidden", "");
    await vi.waitFor(() => expect(rowNamed(base, "outcome:both_wrong:1").name).toBe("A and C wrong"));
    tab.comparing.remove(0);
    await vi.waitFor(() => rowNamed(base, "outcome:both_wrong:0"));
    expect(rowNamed(base, "outcome:both_wrong:0")).toMatchObject({ name: "both wrong", members: [1] });
    expect(tab.urlState.comparing.pairs.value).toEqual([{ other: 0, layer: "hidden", recorded: "" }]);
  });

  test("two steps of one run go by index, other runs by the best match, unless it is chosen", async () => {
    const asked: string[] = [];
    const { tab } = await openTwo(THREE, {
      matching: async (_base, { run }, { method }) => {
        asked.push(`${run} ${method}`);
        return { done: true, value: matching({ method }) };
      },
    });
    await vi.waitFor(() => expect(asked.sort()).toEqual(["a index", "b best"]));
    tab.urlState.comparing.alignment.value = "index";
    await vi.waitFor(() => expect(asked).toContain("b index"));
  });
});

test("swapping puts the other in the base's place, with its step", async () => {
  const { tab, hash } = await openTwo();
  tab.comparing.swap();
  await settled();
  expect(tab.catalogue.reference.value).toEqual({ run: "b", name: "validation", step: 1 });
  expect(hash.written.vs).toBe("a,validation,1");
});

test("one layer is shown by its differences, the others as before", async () => {
  const { tab } = await openTwo({ ...AGAINST_B, layers: "hidden,output", show: "difference" });
  tab.comparing.showLayer("hidden", false);
  expect([tab.comparing.isDifference("hidden"), tab.comparing.isDifference("output")]).toEqual([false, true]);
  expect(tab.urlState.comparing.showing.value).toBe("layer");
});

test("the graph makes room and comes back", async () => {
  const { tab } = await open(TWO_RUNS, { run: "a", maximised: "hidden" });
  tab.comparing.add({ run: "b", name: "validation", step: null });
  expect([tab.urlState.graphSize.value, tab.urlState.maximised.value]).toEqual(["slim", ""]);
  tab.comparing.remove(0);
  expect(tab.urlState.graphSize.value).toBe("");
});
