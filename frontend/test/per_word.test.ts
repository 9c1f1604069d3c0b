import { describe, expect, test, vi } from "vitest";
import type { Client } from "../src/contract/client";
import { rowValues } from "../src/store/layer";
import { instanceRow, type MatrixRow, placeKey, wordOfKey } from "../src/store/rows";
import { formatCsv, matrixTable } from "../src/store/tables";
import { wordsText } from "../src/views/panel/word_projection";
import { open as openTab, rowNamed, settled } from "./opened_store";
import { instances, layer, runEntry, runList, snapshot } from "./samples";

/** A convolution whose positions have words, and a dense layer. */
const runs = async () => {
  const layers = [{ ...layer("conv", 18), positions: "tokens" }, layer("hidden", 18)];
  return runList([runEntry("cnn/activis", [snapshot({ step: 1, layers })])]);
};

async function openWords(values: Record<string, string> = {}, client: Partial<Client> = {}) {
  const opened = await openTab({ runs, ...client }, { layers: "conv,hidden", perword: "conv", ...values });
  const words = await vi.waitFor(() => {
    const found = opened.tab.perWord.value.get("conv");
    if (!found) throw new Error("its code is not there yet");
    return found;
  });
  await settled();
  return { ...opened, words };
}

const first = (columns: Int32Array | null | undefined) => [...(columns ?? [])].slice(0, 3);

describe("a layer that is open per word", () => {
  test("has the commonest words as rows, with how often they come and their means", async () => {
    const { words, base } = await openWords();
    const { shown, factsOf } = words.snapshot;
    expect(shown.value.rows.map(({ key, name }) => [key, name])).toEqual([
      ["word:the", "the"],
      ["word:city", "city"],
    ]);
    const city = rowNamed(words.snapshot, "word:city");
    expect(factsOf(city)).toMatchObject({ count: 3, correct: undefined });
    expect([...(rowValues(words.layer, city) ?? [])].slice(0, 3)).toEqual([3, 0, 6]);
    expect(base.rows.value.map(({ kind }) => kind)).not.toContain("word");
    expect(words.layer.scale.value).toEqual(base.layers.value[0]?.scale.value);
  });

  test("is sorted by a word, by the variance between words, and else as it is per instance", async () => {
    const { tab, words, base } = await openWords();
    const { sort } = tab.urlState;
    expect(words.layer.columns.value).toEqual(base.layers.value[0]?.columns.value);
    const usual = first(base.layers.value[1]?.columns.value);
    sort.value = "word:city";
    expect(first(words.layer.columns.value)).toEqual([2, 0, 1]);
    expect(first(base.layers.value[1]?.columns.value)).toEqual(usual);
    sort.value = "variance";
    expect(first(words.layer.columns.value)).toEqual([2, 0, 1]);
    sort.value = "natural";
    expect(first(words.layer.columns.value)).toEqual([0, 1, 2]);
    sort.value = "word:unheard";
    expect(words.layer.columns.value).toEqual(base.layers.value[0]?.columns.value);
  });

  test("shows the words that are looked for, whatever their case", async () => {
    const { words } = await openWords();
    words.wanted.value = "CIT";
    expect(words.snapshot.shown.value.rows.map(({ name }) => name)).toEqual(["city"]);
  });

  test("shows means alone, where others are measured against all instances", async () => {
    const { words, base } = await openWords({ scale: "relative" });
    expect(base.layers.value[0]?.isRelative.value).toBe(true);
    expect(words.layer.isRelative.value).toBe(false);
  });

  test("is in the address, with the word that sorts, and so is going back", async () => {
    const { tab, hash } = await openWords({ sort: "word:city" });
    expect(hash.written).toMatchObject({ perword: "conv", sort: "word:city" });
    tab.urlState.perWord.value = [];
    expect(tab.perWord.value.size).toBe(0);
    expect(hash.written.perword).toBe("");
  });

  test("is none whose positions have no words, and none while runs are compared", async () => {
    const { tab } = await openWords({ perword: "conv,hidden" });
    expect([...tab.perWord.value.keys()]).toEqual(["conv"]);
    tab.urlState.comparing.others.value = [{ run: "cnn/activis", name: "test", step: 1 }];
    expect(tab.perWord.value.size).toBe(0);
  });

  test("asks for its words once, and places them as words", async () => {
    const asked: unknown[] = [];
    const { words } = await openWords(
      {},
      {
        projection: async (_snapshot, name, { method, of, framing }) => {
          asked.push([name, of, framing]);
          const coordinates = of === "words" ? Float32Array.of(0, 0, 1, 1) : new Float32Array(6);
          return {
            method,
            framing,
            coordinates,
            done: true,
            iteration: 1,
            iterations: 1,
            perplexity: 1,
            neuronsLeftOut: 0,
          };
        },
      },
    );
    expect(asked).toContainEqual(["conv", "words", "own"]);
    expect(asked).not.toContainEqual(["hidden", "words", "own"]);
    expect(words.layer.projection.shown.value?.coordinates).toEqual(Float32Array.of(0, 0, 1, 1));
  });

  test("is a table of words as CSV", async () => {
    const { words } = await openWords({ sort: "word:city" });
    const [head, ...lines] = formatCsv(matrixTable(words.snapshot, words.layer)).trim().split("\r\n");
    expect(head?.split(",").slice(0, 5)).toEqual(["kind", "row", "instances", "neuron 2", "neuron 0"]);
    expect(lines.map((line) => line.split(",").slice(0, 5))).toEqual([
      ["word", "the", "9", "0", "0"],
      ["word", "city", "3", "6", "3"],
    ]);
  });

  test("says why it has none where they cannot be fetched", async () => {
    const { words } = await openWords({}, { wordMeans: () => Promise.reject(new Error("The data is damaged.")) });
    expect(words.layer.mean.state.value).toEqual({ status: "error", message: "The data is damaged." });
    expect(words.snapshot.rows.value).toEqual([]);
  });
});

describe("words of instances", () => {
  test("light the instances that contain them, and only these", async () => {
    const { words, base } = await openWords();
    const lights = (key: string) => {
      base.hover.value = { source: "label", layer: "conv", row: rowNamed(words.snapshot, key) };
      return { lit: base.litMask.value && [...base.litMask.value], name: base.temporary.value?.name };
    };
    expect(lights("word:city")).toEqual({ lit: [1, 1, 0], name: "“city” (words of 2 are kept)" });
    expect(lights("word:the").lit).toEqual([1, 1, 0]);
    expect(words.snapshot.rowKey.value).toBe("word:the");
    expect(words.snapshot.temporary.value).toBeNull();
  });

  test("of a hovered one take the place of the common ones, in their order, with what stands at each", async () => {
    const { words, base } = await openWords();
    const common = words.snapshot.shown.value.rows;
    const instance = (sampled: number) => {
      base.hover.value = { source: "instances", row: instanceRow(instances(), sampled) };
      return words.snapshot.shown.value.rows;
    };
    const [heading, ...own] = instance(0);
    expect(heading).toMatchObject({ kind: "group", isOpen: true });
    expect(own.map(({ name }) => name)).toEqual(["what", "city", "the", "?"]);
    const valuesAt = (at: number) => [...(rowValues(words.layer, own[at] as MatrixRow) ?? [])].slice(0, 3);
    // Positions stand one word later, and there is none for the first word and the last.
    expect(valuesAt(0)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(valuesAt(1)).toEqual([0, Number.NaN, 5]);
    expect(valuesAt(3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(own[1]).toMatchObject({ count: 3, place: expect.stringMatching(/^word 2 of /) });
    expect(own[0]).toMatchObject({ count: null });
    // Padding has no row, and an instance of which nothing is kept changes nothing.
    expect(
      instance(1)
        .map(({ name }) => name)
        .slice(1),
    ).toEqual(["the", "city"]);
    expect(instance(2)).toEqual(common);
  });

  test("of a pinned one stand above the common ones; one of them sorts, and their heading closes them", async () => {
    const id = instances().id[0] as string;
    const { tab, words, base } = await openWords({ pinned: id });
    const names = () => words.snapshot.shown.value.rows.map(({ name }) => name);
    expect(names().slice(1)).toEqual(["what", "city", "the", "?", "the", "city"]);
    base.hover.value = { source: "instances", row: instanceRow(instances(), 0) };
    expect(names()).toHaveLength(7);
    tab.urlState.sort.value = placeKey(id, 1);
    expect(first(words.layer.columns.value)).toEqual([2, 5, 8]);
    expect(first(base.layers.value[1]?.columns.value)).not.toEqual([2, 5, 8]);
    expect(wordOfKey(placeKey(id, 1))).toBe(`word 2 of ${id}`);
    tab.urlState.closed.value = [`place:${id}`];
    expect(names().slice(1)).toEqual(["the", "city"]);
  });

  test("light nothing where they were not kept", async () => {
    const none = {
      kind: "tokens",
      before: 0,
      after: 0,
      rows: [],
      starts: [0],
      text_starts: [0],
      texts: [],
      origin: [],
      scale: [],
    };
    const { words, base } = await openWords({}, { positions: async () => none });
    base.hover.value = { source: "label", layer: "conv", row: rowNamed(words.snapshot, "word:city") };
    expect([base.lit.value, base.litMask.value, base.temporary.value]).toEqual([null, null, null]);
  });
});

describe("what is said of the words", () => {
  const list = { text: [], count: [], positions: 20_000, distinct: 756, least: 3, exact: true };

  test("is how many there are, and that they are the commonest, where all were counted", () => {
    expect(wordsText(list, 126).text).toBe("126 commonest of 756 words");
    expect(wordsText(list, 126).title).toContain("20,000 positions");
    expect(wordsText(list, 126).title).toContain("The other 630 came less often");
    expect(wordsText(list, 756).text).toBe("756 words");
  });

  test("is never that they are the commonest where a random part was counted", () => {
    const { text, title } = wordsText({ ...list, distinct: 250_000, exact: false }, 300);
    expect(text).toBe("300 of about 250,000 words, a random part");
    expect(`${text}${title}`).not.toContain("common");
    expect(title).toContain("about 249,700 others");
  });
});
