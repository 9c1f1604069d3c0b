/** Words of a layer as rows: the commonest tokens of its positions, in place of classes, subsets and instances. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { WordList } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import { comparable } from "../language/tokens";
import { columnOrder, type LayerContext, type LayerStore } from "./layer";
import { sliceRow } from "./numbers";
import { followProjection } from "./projection";
import { createResource, type Loadable } from "./resource";
import { type MatrixRow, type WordRow, wordKey } from "./rows";
import { followKeys, type SnapshotStore } from "./snapshot";
import type { ProjectionChoice } from "./url_state";

type Floats = NpyArray<Float32Array>;

/** A layer that is open per word: as a layer and as a snapshot, so that the views of both serve it. */
export interface WordsStore {
  layer: LayerStore;
  snapshot: SnapshotStore;
  /** What is said of all words; null until it is there. */
  list: ReadonlySignal<WordList | null>;
  /** The words that are recorded over all instances, the commonest first. */
  words: ReadonlySignal<readonly WordRow[]>;
  /** A part of the words that are shown; empty where all are. */
  wanted: Signal<string>;
  dispose: () => void;
}

interface Fetched extends Floats {
  list: WordList;
}

export function openWords(recorded: LayerStore, base: SnapshotStore, context: LayerContext): WordsStore {
  const { client, cache, view, urlState, host } = context;
  const { name } = recorded;
  const reference = computed(() => (recorded.entry.value?.positions === "tokens" ? view.reference.value : null));
  const fetched = createResource<Fetched>(() => {
    const { value: current } = reference;
    if (!current) return null;
    const load = async (signal: AbortSignal) => {
      const [list, means] = await Promise.all([
        client.words(current, name, signal),
        client.wordMeans(current, name, signal),
      ]);
      return { ...means, list };
    };
    return { key: `words ${name} ${view.key.value}`, subject: JSON.stringify(current), load };
  }, cache);
  const means = computed(() => fetched.state.value.value ?? null);
  const words = computed((): readonly WordRow[] => (means.value ? wordRows(means.value) : []));
  const wanted = signal("");
  const rows = computed((): readonly MatrixRow[] => {
    const part = comparable(wanted.value.trim());
    return part === "" ? words.value : words.value.filter((row) => comparable(row.name).includes(part));
  });
  const choice = computed((): ProjectionChoice & { of: "words" } => ({
    ...urlState.projection.value,
    framing: "own",
    of: "words",
  }));
  const projection = followProjection({
    client,
    cache,
    layer: name,
    reference,
    key: view.key,
    choice,
    visible: host.visible,
  });
  const state = computed((): Loadable<Floats> => {
    const { value: loaded } = fetched.state;
    return loaded.status === "error" ? loaded : recorded.mean.state.value;
  });
  const sorting = computed(() => words.value.find(({ key }) => key === urlState.sort.value) ?? null);
  const layer: LayerStore = {
    ...recorded,
    mean: { ...recorded.mean, state },
    sole: NOTHING,
    difference: NOTHING,
    isRelative: computed(() => false),
    projection,
    columns: computed(() => {
      const { value: sort } = urlState.sort;
      const isOwn = sorting.value !== null || sort === "variance";
      if (!means.value || !isOwn) return recorded.columns.value;
      return columnOrder(sort, means.value, words.value.length, sorting.value?.values ?? null);
    }),
    dispose: () => {},
  };
  const snapshot: SnapshotStore = {
    ...base,
    rows: words,
    shown: computed(() => ({ rows: rows.value, names: NO_NAMES })),
    rowOfKey: followKeys(words, NOTHING),
    temporary: NOTHING,
    rowKey: computed(() => base.hover.value?.row?.key ?? null),
    factsOf: (row) => (row.kind === "word" ? factsOfWord(row) : base.factsOf(row)),
  };
  return {
    layer,
    snapshot,
    list: computed(() => means.value?.list ?? null),
    words,
    wanted,
    dispose: () => {
      fetched.dispose();
      projection.dispose();
    },
  };
}

const NOTHING = signal(null);
const NO_NAMES: ReadonlyMap<string, string> = new Map();

const wordRows = ({ list, ...means }: Fetched): WordRow[] =>
  list.text.map((text, at) => ({
    kind: "word",
    key: wordKey(text),
    name: text,
    count: list.count[at] ?? 0,
    values: sliceRow(means, at) ?? new Float32Array(),
    instances: null,
  }));

/** Of positions there is no accuracy. */
const factsOfWord = ({ count }: WordRow) => ({
  count,
  correct: undefined,
  predicted_counts: [],
  without_prediction: 0,
});
