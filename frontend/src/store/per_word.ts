/** Words of a layer as rows: the commonest tokens of its positions, in place of classes, subsets and instances. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { InstanceColumns, WordList } from "../contract/activis";
import type { NpyArray } from "../contract/npy";
import { comparable } from "../language/tokens";
import { columnOrder, type LayerContext, type LayerStore } from "./layer";
import { sliceRow } from "./numbers";
import { followPositions, type KeptPositions } from "./positions";
import { followProjection } from "./projection";
import { createResource, type Loadable } from "./resource";
import { type FoundRow, instanceName, LIT, type MatrixRow, pinnedOf, placeKey, type WordRow, wordKey } from "./rows";
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
  /** What is kept of the words of sampled instances; null where nothing is. */
  kept: ReadonlySignal<KeptPositions | null>;
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
  const kept = followPositions(name, reference, context);
  const words = computed((): readonly WordRow[] =>
    means.value ? wordRows(means.value, kept.positions.value, base) : [],
  );
  const ownOf = (sampled: number) => ownWords(sampled, kept.positions.value, words.value, base, urlState.closed.value);
  const pinned = computed(() => pinnedOf(base.rows.value));
  const rows = computed((): readonly MatrixRow[] => [...pinned.value.flatMap(ownOf), ...words.value]);
  const wanted = signal("");
  const shown = computed((): readonly MatrixRow[] => {
    const { value: hovered } = base.instance;
    const own = pinned.value.includes(hovered) ? [] : ownOf(hovered);
    if (own.length > 0) return own;
    const part = comparable(wanted.value.trim());
    return part === "" ? rows.value : words.value.filter((row) => comparable(row.name).includes(part));
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
  const sorting = computed(() => rows.value.find(({ key }) => key === urlState.sort.value) ?? null);
  const layer: LayerStore = {
    ...recorded,
    mean: { ...recorded.mean, state },
    sole: NOTHING,
    difference: NOTHING,
    isRelative: computed(() => false),
    projection,
    columns: computed(() => {
      const { value: sort } = urlState.sort;
      const row = sorting.value;
      if (!means.value || (row === null && sort !== "variance")) return recorded.columns.value;
      return columnOrder(sort, means.value, words.value.length, row?.kind === "word" ? row.values : null);
    }),
    dispose: () => {},
  };
  const snapshot: SnapshotStore = {
    ...base,
    isPerWord: true,
    rows,
    shown: computed(() => ({ rows: shown.value, names: NO_NAMES })),
    rowOfKey: followKeys(shown, NOTHING),
    temporary: NOTHING,
    rowKey: computed(() => base.hover.value?.row?.key ?? null),
    factsOf: (row) => (row.kind === "word" ? factsOfWord(row) : base.factsOf(row)),
  };
  return {
    layer,
    snapshot,
    list: computed(() => means.value?.list ?? null),
    words,
    kept: kept.positions,
    wanted,
    dispose: () => {
      fetched.dispose();
      kept.dispose();
      projection.dispose();
    },
  };
}

const NOTHING = signal(null);
const NO_NAMES: ReadonlyMap<string, string> = new Map();

function wordRows({ list, ...means }: Fetched, kept: KeptPositions | null, base: SnapshotStore): WordRow[] {
  const rowsOf = kept && sightings(kept);
  return list.text.map((text, at) => ({
    kind: "word",
    key: wordKey(text),
    name: text,
    place: "",
    count: list.count[at] ?? 0,
    values: sliceRow(means, at) ?? new Float32Array(),
    instances: rowsOf && litBy(text, rowsOf.get(text) ?? [], kept, base.columns.value),
  }));
}

/** By word, the rows of the instances that contain it. */
function sightings({ rows, wordsOf }: KeptPositions): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const row of rows) {
    for (const text of new Set(wordsOf(row))) {
      const known = found.get(text);
      if (known) known.push(row);
      else found.set(text, [row]);
    }
  }
  return found;
}

/** The instances that a word lights, in every view. */
function litBy(
  text: string,
  lit: readonly number[],
  { rows }: KeptPositions,
  columns: InstanceColumns | null,
): FoundRow {
  const isWhole = rows.length >= (columns?.id.length ?? 0);
  const name = isWhole ? `“${text}”` : `“${text}” (words of ${rows.length.toLocaleString("en")} are kept)`;
  const members = lit.filter((row) => !columns?.example[row]);
  return { kind: "found", key: `${LIT}${wordKey(text)}`, name, members, lit };
}

/** A heading and the words of an instance, in their order; nothing where they are not kept. */
function ownWords(
  sampled: number,
  kept: KeptPositions | null,
  words: readonly WordRow[],
  { columns: { value: columns } }: SnapshotStore,
  closed: readonly string[],
): MatrixRow[] {
  const texts = kept?.wordsOf(sampled) ?? [];
  if (!kept || !columns || texts.length === 0) return [];
  const id = columns.id[sampled] ?? "";
  const name = instanceName(columns, sampled);
  const known = new Map(words.map((word) => [word.name, word]));
  const members = texts.flatMap((text, number): WordRow[] => {
    if (text === "") return [];
    const { count = null, instances = null } = known.get(text) ?? {};
    const values = kept.valuesOf(sampled, number);
    const place = `word ${number + 1} of ${name}`;
    return [{ kind: "word", key: placeKey(id, number), name: text, place, count, values, instances }];
  });
  const heading = `place:${id}`;
  const isOpen = !closed.includes(heading);
  const group: MatrixRow = {
    kind: "group",
    key: `group:${heading}`,
    id: heading,
    name,
    block: "subset",
    members,
    isOpen,
  };
  return isOpen ? [group, ...members] : [group];
}

/** Of positions there is no accuracy. */
const factsOfWord = ({ count }: WordRow) =>
  count === null ? null : { count, correct: undefined, predicted_counts: [], without_prediction: 0 };
