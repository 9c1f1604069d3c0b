/** Steps change all at once: when everything of the next one is there. */

import { describe, expect, it, vi } from "vitest";
import type { Projection } from "../src/contract/client";
import { HOLD_MILLISECONDS } from "../src/store/steps";
import { createClient, open, settled } from "./opened_store";
import { runEntry, runList, snapshot } from "./samples";

const AT_FIRST = { run: "cnn/activis", name: "validation", step: "1", layers: "hidden" };

/** What comes late, and how to let it come. */
function held(): { late: Promise<void>; answer: () => void } {
  let answer = () => {};
  const late = new Promise<void>((resolve) => {
    answer = resolve;
  });
  return { late, answer };
}

describe("a step that is picked", () => {
  it("is shown when its numbers are there, and until then the one before with its own", async () => {
    const { late, answer } = held();
    const { activations } = createClient();
    const { tab, base } = await open(
      {
        activations: async (snapshot, layer, signal) => {
          if (snapshot.step === 2) await late;
          return await activations(snapshot, layer, signal);
        },
      },
      AT_FIRST,
    );
    const shown = () => [tab.catalogue.snapshot.value?.step, base.layers.value[0]?.mean.state.value.status];
    tab.stepping.goTo(2);
    await settled();
    expect(shown()).toEqual([1, "ready"]);
    expect(tab.stepping.pending.value).toBe(2);
    answer();
    await settled();
    expect(shown()).toEqual([2, "ready"]);
    expect(base.layers.value[0]?.activations.state.value.status).toBe("ready");
    expect(tab.stepping.pending.value).toBeNull();
  });

  it("is shown unfinished where its numbers do not come", async () => {
    const never = new Promise<never>(() => {});
    const { health } = createClient();
    const { tab } = await open(
      { health: (snapshot, layer, signal) => (snapshot.step === 2 ? never : health(snapshot, layer, signal)) },
      AT_FIRST,
    );
    tab.stepping.goTo(2);
    await vi.waitFor(() => expect(tab.catalogue.snapshot.value?.step).toBe(2));
  });

  it("gives way to the one picked after it", async () => {
    const { tab } = await open({}, AT_FIRST);
    tab.stepping.goTo(2);
    tab.stepping.goTo(1);
    await settled();
    expect(tab.catalogue.snapshot.value?.step).toBe(1);
  });
});

describe("a step that is picked while another run is compared", () => {
  it("is shown when the other run's numbers are there too", async () => {
    const { late, answer } = held();
    const known = createClient();
    const steps = [snapshot({ step: 1 }), snapshot({ step: 2, wall_time: 1, version: "2" })];
    const { tab } = await open(
      {
        runs: async () => runList([runEntry("cnn/activis", steps), runEntry("other/activis", steps)]),
        activations: async (reference, layer, signal) => {
          if (reference.run === "other/activis" && reference.step === 2) await late;
          return await known.activations(reference, layer, signal);
        },
      },
      { ...AT_FIRST, vs: "other%2Factivis,validation," },
    );
    const shown = () => [
      tab.catalogue.snapshot.value?.step,
      ...tab.comparing.sides.value.map(({ view }) => view.snapshot.value?.step),
    ];
    tab.stepping.goTo(2);
    await settled();
    expect(shown()).toEqual([1, 1]);
    answer();
    await settled();
    expect(shown()).toEqual([2, 2]);
    const side = tab.comparing.sides.value[0]?.layers.value.get("hidden")?.layer;
    expect(side?.activations.state.value.status).toBe("ready");
  });
});

describe("a step that is picked while values are relative", () => {
  it("is shown when it is known what they are relative to", async () => {
    const { late, answer } = held();
    const known = createClient();
    const { tab, base } = await open(
      {
        overall: async (reference, layer, signal) => {
          if (reference.step === 2) await late;
          return await known.overall(reference, layer, signal);
        },
      },
      { ...AT_FIRST, scale: "relative" },
    );
    tab.stepping.goTo(2);
    await settled();
    expect(tab.catalogue.snapshot.value?.step).toBe(1);
    answer();
    await settled();
    expect(tab.catalogue.snapshot.value?.step).toBe(2);
    expect(base.layers.value[0]?.overall.value).not.toBeNull();
  });
});

describe("playing", () => {
  it("begins anew at the end, keeps the projections in one frame, and stops at the last step", async () => {
    const asked: [number, string][] = [];
    const projection = async (
      snapshot: { step: number },
      layer: string,
      request: Parameters<ReturnType<typeof createClient>["projection"]>[2],
    ): Promise<Projection> => {
      asked.push([snapshot.step, request.framing]);
      const shown = await createClient().projection(
        { run: "", name: "", ...snapshot },
        layer,
        request,
        new AbortController().signal,
      );
      return { ...shown, framing: request.framing };
    };
    const { tab, hash } = await open({ projection }, { ...AT_FIRST, step: "2" });
    const steps: (number | undefined)[] = [];
    tab.catalogue.snapshot.subscribe((snapshot) => steps.push(snapshot?.step));
    tab.stepping.togglePlay();
    expect(tab.stepping.playing.value).toBe(true);
    await vi.waitFor(() => expect(tab.stepping.playing.value).toBe(false), 4 * HOLD_MILLISECONDS);
    expect(steps).toEqual([2, 1, 2]);
    expect(asked).toContainEqual([1, "steps"]);
    expect(hash.written.projection).toBe("steps-30");
  });

  it("says when the next step's numbers are late, and no longer once they are there", async () => {
    const { late, answer } = held();
    const { health } = createClient();
    const { tab } = await open(
      {
        health: async (snapshot, layer, signal) => {
          if (snapshot.step === 2) await late;
          return await health(snapshot, layer, signal);
        },
      },
      AT_FIRST,
    );
    tab.stepping.togglePlay();
    expect(tab.stepping.late.value).toBe(false);
    await vi.waitFor(() => expect(tab.stepping.late.value).toBe(true), 3 * HOLD_MILLISECONDS);
    expect([tab.catalogue.snapshot.value?.step, tab.stepping.pending.value]).toEqual([1, 2]);
    answer();
    await vi.waitFor(() => expect(tab.stepping.playing.value).toBe(false));
    expect([tab.catalogue.snapshot.value?.step, tab.stepping.late.value]).toEqual([2, false]);
  });

  it("does not wait for projections: they follow, and stay those of the step before until they are there", async () => {
    const known = createClient();
    const projection: ReturnType<typeof createClient>["projection"] = async (snapshot, layer, request, signal) => {
      const found = await known.projection(snapshot, layer, request, signal);
      const done = snapshot.step === 1;
      return { ...found, framing: request.framing, done, iteration: done ? 750 : 25 };
    };
    const { tab, base } = await open({ projection }, AT_FIRST);
    tab.stepping.togglePlay();
    await vi.waitFor(() => expect(tab.stepping.playing.value).toBe(false), 3 * HOLD_MILLISECONDS);
    const layer = base.layers.value[0];
    expect([tab.catalogue.snapshot.value?.step, layer?.mean.state.value.status]).toEqual([2, "ready"]);
    expect([layer?.projection.shown.value?.of.step, layer?.projection.settled.value]).toEqual([1, false]);
    expect(layer?.projection.awaited.value?.iteration).toBe(25);
  });

  it("does not wait for projections that never come", async () => {
    const known = createClient();
    const projection: ReturnType<typeof createClient>["projection"] = (snapshot, layer, request, signal) =>
      snapshot.step === 1 ? known.projection(snapshot, layer, request, signal) : new Promise(() => {});
    const { tab, base } = await open({ projection }, AT_FIRST);
    tab.stepping.togglePlay();
    await vi.waitFor(() => expect(tab.stepping.playing.value).toBe(false), 3 * HOLD_MILLISECONDS);
    expect([tab.catalogue.snapshot.value?.step, base.layers.value[0]?.health.state.value.status]).toEqual([2, "ready"]);
  });

  it("stops where it is when told to", async () => {
    const { tab } = await open({}, AT_FIRST);
    tab.stepping.togglePlay();
    tab.stepping.togglePlay();
    expect([tab.stepping.playing.value, tab.stepping.pending.value]).toEqual([false, null]);
    expect(tab.catalogue.snapshot.value?.step).toBe(1);
  });
});
