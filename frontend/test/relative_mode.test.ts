/** Relative mode: cells, order and exports show distances from the mean over all. */

import { expect, test } from "vitest";
import { shownValues } from "../src/store/layer";
import { matrixTable } from "../src/store/tables";
import { followUnknown } from "../src/store/unknown";
import { open, rowNamed, settled } from "./opened_store";

const AT_FIRST = { run: "cnn/activis", step: "1", layers: "hidden", sort: "class:cat" };

async function opened(values: Record<string, string>) {
  const { tab, base, hash } = await open({}, { ...AT_FIRST, ...values });
  await settled();
  const layer = base.layers.value[0];
  if (!layer) throw new Error("no layer");
  return { tab, base, hash, layer };
}

test("cells show means until they are to show distances from the mean over all, and the address says so", async () => {
  const { tab, base, hash, layer } = await opened({});
  const cat = rowNamed(base, "class:cat");
  expect([...(shownValues(layer, cat) ?? [])].slice(0, 4)).toEqual([1, 3, 2, 0]);
  tab.urlState.scale.value = "relative";
  await settled();
  expect([...(shownValues(layer, cat) ?? [])].slice(0, 4)).toEqual([0, 1, 0.5, -0.5]);
  expect(hash.written.scale).toBe("relative");
});

test("a row that sorts puts first what is highest, or what singles it out", async () => {
  const highest = await opened({ scale: "relative" });
  expect([...(highest.layer.columns.value ?? [])].slice(0, 4)).toEqual([1, 2, 0, 3]);
  const apart = await opened({ by: "apart" });
  expect([...(apart.layer.columns.value ?? [])].slice(0, 3)).toEqual([1, 2, 3]);
  expect(apart.layer.columns.value?.at(-1)).toBe(0);
  expect(followUnknown(apart.tab).sentences.value).toEqual([]);
});

test("a table has what is shown, and says what that is", async () => {
  const { base, layer } = await opened({ scale: "relative" });
  const [header, cat] = matrixTable(base, layer);
  expect(header?.[3]).toBe("neuron 1, sd from the mean over all");
  expect(cat?.slice(0, 5)).toEqual(["class", "cat", 2, 1, 0.5]);
});
