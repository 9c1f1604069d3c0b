/** Dots glide to their places at another step or by another method, each instance to its own. */

import { beforeEach, expect, test, vi } from "vitest";
import { placedAt } from "../src/draw/projection";
import { setOut } from "../src/views/panel/projection_glide";

const at = (...positions: number[]) => placedAt(Float32Array.from(positions));
const aim = (positions: number[], subject: string, ids: readonly string[] = ["a", "b"], size = "100 100") => ({
  placed: at(...positions),
  ids,
  subject,
  size,
});
const from = (glide: ReturnType<typeof setOut>) => [...glide.from.positions];

let still = false;
beforeEach(() => {
  still = false;
  vi.stubGlobal("matchMedia", () => ({ matches: still }));
});

test("another step or method is glided to from where the dots are, the first picture is there at once", () => {
  const first = setOut(undefined, aim([1, 2, 3, 4], "tsne 1"), 0);
  expect(first.shown).toBe(first.placed);
  const second = setOut(first, aim([5, 6, 7, 8], "tsne 2"), 1_000);
  expect(from(second)).toEqual([1, 2, 3, 4]);
  expect([second.begun, second.end]).toEqual([1_000, 1_450]);
  expect(from(setOut({ ...second, shown: second.placed }, aim([0, 0, 0, 0], "pca 2"), 2_000))).toEqual([5, 6, 7, 8]);
});

test("an instance glides to its own place in another order; one that was not there has none to come from", () => {
  const first = setOut(undefined, aim([1, 2, 3, 4], "tsne 1"), 0);
  const second = setOut(first, aim([0, 0, 0, 0, 0, 0], "tsne 2", ["b", "c", "a"]), 0);
  expect(from(second)).toEqual([3, 4, Number.NaN, Number.NaN, 1, 2]);
});

test("a newer picture of the same is there at once, or is glided to in what is left of the time", () => {
  const first = setOut(undefined, aim([1, 2, 3, 4], "pca 1"), 0);
  const later = setOut(first, aim([1, 2, 3, 5], "pca 1"), 10);
  expect(later.shown).toBe(later.placed);
  const gliding = setOut(first, aim([5, 6, 7, 8], "tsne 1"), 100);
  const newer = setOut(gliding, aim([9, 9, 9, 9], "tsne 1"), 300);
  expect([newer.begun, newer.end, newer.shown === newer.placed]).toEqual([300, 550, false]);
});

test("nothing glides in a box of another size, where motion is not wanted, or of very many dots", () => {
  const first = setOut(undefined, aim([1, 2, 3, 4], "tsne 1"), 0);
  const wider = setOut(first, aim([5, 6, 7, 8], "tsne 2", ["a", "b"], "200 100"), 0);
  expect(wider.shown).toBe(wider.placed);
  const many = Array.from({ length: 12_000 }, () => 1);
  const crowd = setOut(first, aim(many, "tsne 2"), 0);
  expect(crowd.shown).toBe(crowd.placed);
  still = true;
  const quiet = setOut(first, aim([5, 6, 7, 8], "tsne 2"), 0);
  expect(quiet.shown).toBe(quiet.placed);
});
