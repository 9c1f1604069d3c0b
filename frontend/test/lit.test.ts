import { describe, expect, test } from "vitest";
import { outcomeMembers } from "../src/store/hover";
import { litRow, parseLit } from "../src/store/lit";
import { averageRows } from "../src/store/numbers";
import { followUnknown } from "../src/store/unknown";
import { open, rowNamed, rows, settled } from "./opened_store";
import { answer, instances } from "./samples";

const cell = { name: "cat → dog", condition: "label = 'cat' AND predicted = 'dog'" };

/** Which conditions hold for which of a, b, c. */
const MEMBERS: Readonly<Record<string, number[]>> = {
  [cell.condition]: [1],
  "score < 0.8": [1, 2],
  barks: [2],
};

const askable = (asked: string[] = []) => ({
  subset: async (_snapshot: unknown, condition: string) => answer(MEMBERS[condition] ?? []),
  subsetStatistics: async (_snapshot: unknown, _layer: string, _statistic: string, condition: string) => {
    asked.push(condition);
    return { values: rows([[4, 6, 5]]), exactness: "exact", bound: 0 };
  },
});

const rest = () => new Promise((resolve) => setTimeout(resolve, 400));

const shown = ({ litMask }: { litMask: { value: Uint8Array | null } }) => litMask.value && [...litMask.value];

describe("the lit set", () => {
  test("of a condition that is pointed at is lit at once, and a row of every matrix after a rest", async () => {
    const asked: string[] = [];
    const { base } = await open(askable(asked), { layers: "hidden" });
    base.hover.value = { source: "condition", row: litRow(cell) };
    await settled();
    expect(shown(base)).toEqual([0, 1, 0]);
    expect(base.temporary.value).toMatchObject({ kind: "typed", ...cell });
    expect(asked).toEqual([]);
    await rest();
    expect(asked).toContain(cell.condition);
    base.hover.value = null;
    expect(shown(base)).toBeNull();
    expect(base.temporary.value).toBeNull();
  });

  test("of a cell of the predictions is known before the plugin answers", async () => {
    const { base } = await open({ subset: () => new Promise(() => undefined) }, {});
    base.hover.value = { source: "condition", row: litRow(cell) };
    expect(shown(base)).toEqual([0, 1, 0]);
    const members = (condition: string) => {
      const mask = outcomeMembers(condition, instances({ example: [false, false, true] }), ["cat", "dog's"]);
      return mask && [...mask];
    };
    expect(members("label = 'cat'")).toEqual([1, 1, 0]);
    expect(members("predicted = 'dog''s'")).toEqual([0, 1, 0]);
    expect(members("label = 'cat' AND NOT correct")).toEqual([0, 1, 0]);
    expect(members("NOT correct")).toEqual([0, 1, 0]);
    expect(members("label = 'cat' AND ")).toBeNull();
    expect(["label = 'cat' OR predicted = 'x'", "score < 0.6", ""].map(members)).toEqual([null, null, null]);
  });

  test("of a condition that has a row is that row", async () => {
    const { tab, base } = await open(askable(), {});
    base.hover.value = { source: "condition", row: litRow({ name: "cats", condition: "label = 'cat'" }) };
    expect(base.lit.value?.key).toBe("class:cat");
    expect(base.rowKey.value).toBe("class:cat");
    expect(base.temporary.value).toBeNull();
    base.hover.value = { source: "condition", row: litRow(cell) };
    tab.subsets.add(cell.condition, "mine");
    expect(base.lit.value?.key).toBe("typed:mine");
  });

  test("of what is typed is lit while it is typed, and let go of with the text", async () => {
    const { tab, base } = await open(askable(), {});
    tab.draft.text.value = "barks";
    await rest();
    expect(shown(base)).toEqual([0, 0, 1]);
    tab.draft.text.value = "score < 0.8";
    expect(shown(base)).toEqual([0, 0, 1]);
    await rest();
    expect(shown(base)).toEqual([0, 1, 1]);
    tab.draft.text.value = "";
    expect(shown(base)).toBeNull();
  });

  test("of what is looked for is lit, without test cases in its average", async () => {
    const asCase = instances({ example: [false, true, false] });
    const { tab, base } = await open({ ...askable(), instances: async () => asCase }, { layers: "hidden" });
    tab.find.value = "#b";
    expect(shown(base)).toEqual([0, 1, 0]);
    expect(tab.foundRow.value?.members).toEqual([]);
    tab.find.value = "#c";
    expect(base.temporary.value).toMatchObject({ kind: "found", name: "“#c”", members: [2] });
    expect(base.temporary.value && base.factsOf(base.temporary.value)).toMatchObject({ count: 1, correct: 1 });
    expect(averageRows(base.layers.value[0]?.activations.state.value.value, [2])?.[1]).toBe(5);
  });

  test("is the later one of what is typed and what is looked for, and a hovered row before both", async () => {
    const { tab, base } = await open(askable(), {});
    tab.draft.text.value = "barks";
    await rest();
    tab.find.value = "#a";
    expect(base.lit.value?.kind).toBe("found");
    tab.draft.text.value = "score < 0.8";
    await rest();
    expect(base.lit.value).toMatchObject({ condition: "score < 0.8" });
    base.hover.value = { source: "label", row: rowNamed(base, "class:dog") };
    expect(shown(base)).toEqual([0, 0, 1]);
    base.hover.value = null;
    tab.draft.text.value = "";
    expect(base.lit.value?.kind).toBe("found");
  });

  test("of the filter is lit too, and nothing outside of it", async () => {
    const { tab, base } = await open(askable(), {});
    tab.urlState.filter.value = "score < 0.8";
    await settled();
    expect(shown(base)).toEqual([0, 1, 1]);
    base.hover.value = { source: "label", row: rowNamed(base, "class:cat") };
    expect(shown(base)).toEqual([0, 1, 0]);
    expect(base.litMask.value).toBe(base.litMask.value);
  });

  test("is kept in the link by name and condition", async () => {
    const { tab, base, hash } = await open(askable(), {});
    const row = litRow(cell);
    expect(parseLit(row.key)).toEqual(row);
    expect(parseLit("class:cat")).toBeNull();
    tab.toggleLock(row);
    await settled();
    expect(shown(base)).toEqual([0, 1, 0]);
    expect(followUnknown(tab).sentences.value).toEqual([]);
    const again = await open(askable(), hash.written);
    expect(again.base.temporary.value).toMatchObject(cell);
    expect(shown(again.base)).toEqual([0, 1, 0]);
    tab.toggleLock(row);
    expect(shown(base)).toBeNull();
  });
});
