/** What a neuron's card says of its numbers, and which of them it shows. */

import { expect, test } from "vitest";
import type { NeuronClass } from "../src/contract/activis";
import { keyedNeuron, neuronKey } from "../src/store/url_state";
import { alignedText } from "../src/ui/numbers";
import {
  areaText,
  areaTitle,
  basisText,
  shownClasses,
  signedText,
  thresholdOf,
  wordsText,
} from "../src/views/neuron/words";
import { neuronCard } from "./samples";

test("a neuron's key is read as it was written, whatever its layer is called", () => {
  const one = { neuron: 35, layer: "block:2:hidden" };
  expect(keyedNeuron(neuronKey(one))).toEqual(one);
  expect(keyedNeuron("hidden")).toBeNull();
});

test("figures below each other have as many digits", () => {
  expect([0.525, 0.42, 1.9, 0, 12_300, 0.00042].map(alignedText)).toEqual([
    "0.525",
    "0.420",
    "1.90",
    "0",
    "12,300",
    "4.20e-4",
  ]);
});

test("weights below each other have their points below each other, and a sign unless they are nothing", () => {
  const texts = (values: readonly number[], most: number) => values.map((value) => signedText(value, most));
  expect(texts([0.516, -0.0164, 0.2, 0.0001], 0.516)).toEqual(["+0.516", "−0.016", "+0.200", "0.000"]);
  expect(texts([-123.4, 5.6], 123.4)).toEqual(["−123", "+6"]);
});

test("an AUC says what it is worth", () => {
  const card = neuronCard({ over: 1000, total: 5452 });
  const [first] = card.classes;
  const one = { ...(first as NeuronClass), auc: 0.974, auc_low: 0.953, auc_high: 0.988 };
  expect(areaText(card, one)).toBe("0.97");
  expect(areaTitle(card, one, "LOC")).toContain(
    "of LOC has a larger activation than one of another class: 0.974; exact",
  );
  const estimate = { ...card, exactness: "estimate" };
  expect(areaText(estimate, one)).toBe("≈ 0.97");
  expect(areaTitle(estimate, one, "LOC")).toContain("estimated from 1,000 of 5,452, 95 % sure of 0.953 to 0.988");
  expect(areaTitle({ ...card, exactness: "bound" }, one, "LOC")).toContain("0.953 to 0.988, over all 1,000");
  expect(areaText(card, { ...one, auc: undefined })).toBe("–");
});

test("figures say over how many instances they are", () => {
  expect(basisText(neuronCard())).toBe("Bars, AUC and lists: all 3 instances.");
  const stored = neuronCard({ exactness: "bound", listed: 5452, bound: 0.0021 });
  expect(basisText(stored)).toBe("Bars, AUC and lists: all 5,452 stored instances, each value within ± 0.0021.");
  const sampled = neuronCard({ exactness: "estimate", over: 990, listed: 1000, total: 5452 });
  expect(basisText({ ...sampled, listed: 5452 })).toBe(
    "Bars and AUC: estimated from 990 of 5,452. Lists: of all 5,452.",
  );
  expect(basisText(sampled)).toBe("Bars and AUC: estimated from 990 of 5,452. Lists: of 1,000 sampled.");
});

test("the limit is the mean of the class that it prefers, else of all", () => {
  expect(thresholdOf(neuronCard())).toBe(0.75);
  expect(thresholdOf(neuronCard({ preferred: -1, mean: 0.12345 }))).toBe(0.12);
});

test("of many classes those that it tells best are shown, in their order", () => {
  const [one] = neuronCard().classes;
  const classes = [0.2, 0.9, 0.5, 0.8].map((auc, label) => ({ ...(one as NeuronClass), auc, label }));
  expect(shownClasses(neuronCard({ classes }), 2).map(({ label }) => label)).toEqual([1, 3]);
});

test("words that are not listed are counted", () => {
  const tokens = [{ text: "city", mean: 1, max: undefined, count: 5 }];
  const words = { tokens, positions: 5452, fewest: 3, rarer: 930, exact: true, spans: [] };
  expect(wordsText(words)).toBe("Over all 5,452 words; 930 different ones are not listed: seen less than 3 times.");
  expect(wordsText({ ...words, rarer: 0 })).toBe("Over all 5,452 words.");
  expect(wordsText({ ...words, exact: false })).toContain(
    "about 930 different ones are not listed: only a random part",
  );
});
