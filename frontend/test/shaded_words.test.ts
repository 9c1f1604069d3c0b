/** Words of an instance at a neuron: their values, which of them decided, how strong their shades are, and what is folded. */

import { expect, test } from "vitest";
import type { LayerPositions } from "../src/contract/activis";
import { LIGHT, mix } from "../src/draw/palette";
import { keptPositions } from "../src/store/positions";
import { shadeOf, shownSpans } from "../src/ui/shaded_words";

/** Two instances of 4 and 3 words, at positions that see three words each; two neurons. */
const positions = {
  kind: "tokens",
  before: 1,
  after: 1,
  rows: [0, 2],
  starts: [0, 3, 5],
  text_starts: [0, 4, 7],
  texts: ["what", "is", "the", "city", "a", "", "b"],
  origin: [0, -1],
  scale: [0.5, 0.25],
} as unknown as LayerPositions;
const data = Uint8Array.of(0, 1, 2, 5, 255, 9, 4, 0, 0, 2);
const maxima = { shape: [3, 2], data: Uint16Array.of(1, 2, 65_535, 0, 0, 6) };
const kept = keptPositions({ shape: [5, 2], data, positions, maxima });

test("values stand at the words in the middle of what a position sees, and none where there is no position", () => {
  const first = kept?.ofNeuron(0, 0);
  expect(first?.words).toEqual(["what", "is", "the", "city"]);
  expect([...(first?.values ?? [])]).toEqual([Number.NaN, 0, 0.75, Number.NaN]);
  expect([...(kept?.ofNeuron(2, 1)?.values ?? [])].slice(1)).toEqual([0, -0.625]);
  expect(first?.most).toBe(1.75);
  expect(kept?.ofNeuron(1, 0)).toBeNull();
  expect(kept?.ofNeuron(0, 2)).toBeNull();
});

test("the word that decided is the middle of the position with the maximum; that of padding is beyond the text", () => {
  expect(kept?.ofNeuron(0, 0)?.decided).toBe(2);
  expect(kept?.ofNeuron(2, 0)?.decided).toBe(1);
  expect(kept?.ofNeuron(2, 1)?.decided).toBe(7);
  expect(kept?.ofNeuron(0, 1)?.decided).toBe(3);
});

test("nothing is kept of a layer without words", () => {
  const without = { ...positions, text_starts: [], texts: [] };
  expect(keptPositions({ shape: [5, 2], data, positions: without, maxima })).toBeNull();
});

test("a shade grows with the magnitude, by sign, and small values are plain", () => {
  expect(shadeOf(0, 1, LIGHT)).toBeUndefined();
  expect(shadeOf(Number.NaN, 1, LIGHT)).toBeUndefined();
  expect(shadeOf(0.03, 1, LIGHT)).toBeUndefined();
  const [negative, , positive] = LIGHT.diverging;
  expect(shadeOf(2, 2, LIGHT)?.background).toBe(mix(LIGHT.card, positive, 1));
  expect(shadeOf(-2, 2, LIGHT)?.background).toBe(mix(LIGHT.card, negative, 1));
  expect(shadeOf(0.5, 1, LIGHT)?.background).toBe(mix(LIGHT.card, positive, 0.08 + 0.92 * 0.5 ** 0.85));
});

test("a long text is folded to its strongest places, which are apart", () => {
  const words = Array.from({ length: 200 }, (_, at) => `w${at}`);
  const values = new Float32Array(200);
  for (const [at, value] of [
    [20, 5],
    [25, 4],
    [60, 3],
    [190, 2],
    [1, 1],
    [120, 0.5],
  ] as const)
    values[at] = value;
  expect(shownSpans({ words, values })).toEqual([
    [0, 7],
    [15, 26],
    [55, 66],
    [185, 196],
  ]);
  expect(shownSpans({ words: words.slice(0, 40), values: values.slice(0, 40) })).toEqual([[0, 40]]);
  expect(shownSpans({ words, values: new Float32Array(200) })).toEqual([[0, 6]]);
});
