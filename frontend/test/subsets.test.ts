import { describe, expect, test, vi } from "vitest";
import { type Client, RouteError } from "../src/contract/client";
import { newestRow } from "../src/store/rows";
import { open, rowNamed, rows, settled } from "./opened_store";
import { answer } from "./samples";

/** Sampled rows by condition; every other condition is refused for its first word. */
const members: Record<string, number[]> = { striped: [0, 1], barks: [2], all: [0, 1, 2] };

function askable(asked: string[] = []): Pick<Client, "subset" | "subsetStatistics"> {
  return {
    subset: async (_snapshot, condition) => {
      asked.push(condition);
      const found = members[condition];
      if (found) return answer(found);
      throw new RouteError(400, "There is no column brks. Did you mean barks?", {
        start: 0,
        end: 4,
        suggestion: "barks",
      });
    },
    subsetStatistics: async (_snapshot, _layer, statistic, condition) => ({
      values: rows([[statistic === "mean" ? (members[condition]?.length ?? 0) : 0.5]]),
      exactness: "bound",
      bound: 0.25,
    }),
  };
}

const typedRest = () => new Promise((resolve) => setTimeout(resolve, 200));

describe("a subset of the user's", () => {
  test("is a row after the recorded ones, with its own averages, counts and members", async () => {
    const { tab, base } = await open(askable(), { layers: "hidden", pinned: "b" });
    tab.subsets.add("striped", "cats");
    await settled();
    const keys = base.rows.value.map((row) => row.key);
    expect(keys).toEqual(["class:cat", "class:dog", "subset:striped", "typed:cats", "instance:b"]);
    const row = rowNamed(base, "typed:cats");
    const [layer] = base.layers.value;
    expect(layer?.typedMeans.states.value.get("striped")?.value).toMatchObject({ exactness: "bound", bound: 0.25 });
    expect(base.factsOf(row)?.count).toBe(2);
    base.hover.value = { source: "label", row };
    const litMask = base.litMask.value;
    expect([...(litMask ?? [])]).toEqual([1, 1, 0]);
    base.hover.value = null;
    base.hover.value = { source: "label", row };
    expect(base.litMask.value).toBe(litMask);
  });

  test("keeps sorting and staying lit by another name, and lets go when it is removed", async () => {
    const { tab, base } = await open(askable(), { layers: "hidden" });
    tab.subsets.add("striped");
    tab.urlState.sort.value = "typed:striped";
    tab.toggleLock(rowNamed(base, "typed:striped"));
    tab.subsets.rename("striped", "tigers");
    expect([tab.urlState.sort.value, tab.urlState.locked.value]).toEqual(["typed:tigers", "typed:tigers"]);
    tab.subsets.remove("tigers");
    expect([tab.urlState.sort.value, tab.urlState.locked.value]).toEqual(["strongest", ""]);
  });

  test("is known to be new when it is added, not when it is renamed, moved or there from the start", async () => {
    const { tab, base } = await open(askable(), { layers: "hidden", pinned: "b" });
    const newest = (change: () => void) => {
      const before = base.rows.value;
      change();
      return newestRow(before, base.rows.value);
    };
    expect(newest(() => tab.subsets.add("striped"))).toBe(3);
    expect(newest(() => tab.subsets.add("barks"))).toBe(4);
    expect(newest(() => tab.subsets.rename("barks", "loud"))).toBe(-1);
    expect(newest(() => tab.subsets.replace([...tab.subsets.list.value].reverse()))).toBe(-1);
    expect(newest(() => tab.subsets.remove("loud"))).toBe(-1);
    const { value: rows } = base.rows;
    const recorded = rows.filter((row) => row.kind !== "typed");
    expect(newestRow(recorded.slice(1), recorded)).toBe(-1);
    expect(newestRow(recorded, rows)).toBe(3);
  });

  test("is in the URL, and comes back from there", async () => {
    const { tab, hash } = await open(askable());
    tab.subsets.add("striped", "a, b");
    tab.subsets.add("barks");
    const again = await open(askable(), hash.written);
    expect(again.tab.subsets.list.value).toEqual([
      { name: "a, b", condition: "striped" },
      { name: "barks", condition: "barks" },
    ]);
    expect(again.base.rows.value.map((row) => row.key).slice(3)).toEqual(["typed:a, b", "typed:barks"]);
  });

  test("that this snapshot cannot have says why, and the others are there", async () => {
    const { tab, base } = await open(askable());
    tab.subsets.add("brks");
    tab.subsets.add("barks");
    await settled();
    expect(base.answers.value.get("brks")).toMatchObject({ status: "error" });
    expect(base.answers.value.get("barks")?.value?.count).toBe(1);
  });

  test("is not asked for again where the server lacks a library", async () => {
    vi.useFakeTimers();
    try {
      let times = 0;
      const opening = open({
        subset: () => {
          times++;
          return Promise.reject(new RouteError(503, "This needs DuckDB."));
        },
      });
      await vi.advanceTimersByTimeAsync(10);
      const { tab, base } = await opening;
      tab.subsets.add("barks");
      await vi.advanceTimersByTimeAsync(60_000);
      expect(base.answers.value.get("barks")).toMatchObject({
        status: "error",
        message: "This needs DuckDB.",
      });
      expect(times).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is asked for again while the server is busy", async () => {
    vi.useFakeTimers();
    try {
      let times = 0;
      const opening = open({
        subset: async () => {
          times++;
          if (times === 1) throw new RouteError(503, "Too many conditions are being evaluated.", null, true);
          return answer([2]);
        },
      });
      await vi.advanceTimersByTimeAsync(10);
      const { tab, base } = await opening;
      tab.subsets.add("barks");
      await vi.advanceTimersByTimeAsync(2_000);
      expect(base.answers.value.get("barks")?.value?.rows).toEqual([2]);
      expect(times).toBe(2);
      times = 0;
      tab.draft.text.value = "purrs";
      await vi.advanceTimersByTimeAsync(2_000);
      expect(tab.draft.verdict.value).toMatchObject({ status: "counted", answer: { rows: [2] } });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("typing a condition", () => {
  test("asks about the newest text alone, once it rests, and about a known one not again", async () => {
    const asked: string[] = [];
    const { tab } = await open(askable(asked));
    for (const text of ["s", "st", "striped"]) tab.draft.text.value = text;
    expect(tab.draft.verdict.value.status).toBe("asking");
    await typedRest();
    expect(asked).toEqual(["striped"]);
    expect(tab.draft.verdict.value).toMatchObject({ status: "counted", answer: { count: 2 } });
    tab.draft.text.value = "";
    tab.draft.text.value = " striped ";
    expect(tab.draft.verdict.value.status).toBe("counted");
    expect(asked).toEqual(["striped"]);
  });

  test("a wrong word is placed in the text as typed, with what may have been meant", async () => {
    const { tab } = await open(askable());
    tab.draft.text.value = "  brks AND x";
    await typedRest();
    expect(tab.draft.verdict.value).toEqual({
      status: "wrong",
      message: "There is no column brks.",
      mistake: { start: 2, end: 6, suggestion: "barks" },
    });
  });

  test("Enter adds the row when the answer comes, and nothing where it is wrong", async () => {
    const { tab } = await open(askable());
    tab.draft.text.value = "barks";
    tab.draft.commit();
    expect(tab.subsets.list.value).toEqual([]);
    await typedRest();
    expect(tab.subsets.list.value).toEqual([{ name: "barks", condition: "barks" }]);
    expect(tab.draft.text.value).toBe("");
    tab.draft.text.value = "brks AND x";
    tab.draft.commit();
    await typedRest();
    expect(tab.subsets.list.value).toHaveLength(1);
    expect(tab.draft.text.value).toBe("brks AND x");
  });

  test("what was typed after Enter is not added", async () => {
    const { tab } = await open(askable());
    tab.draft.text.value = "barks";
    tab.draft.commit();
    tab.draft.text.value = "all";
    await typedRest();
    expect(tab.subsets.list.value).toEqual([]);
  });

  test("the filter shows the instances of the condition, and follows it as it is typed", async () => {
    const { tab, base, hash } = await open(askable());
    expect(base.filtered.value).toBeNull();
    tab.urlState.filter.value = "barks";
    await settled();
    expect([...(base.filtered.value ?? [])]).toEqual([0, 0, 1]);
    expect(hash.written).toMatchObject({ filter: "barks" });
    tab.draft.text.value = "striped";
    await typedRest();
    await settled();
    expect([...(base.filtered.value ?? [])]).toEqual([1, 1, 0]);
    tab.urlState.filter.value = "";
    expect(base.filtered.value).toBeNull();
  });
});
