/** Words of an instance, shaded by what a neuron does at each; the words whose value is the neuron's are underlined. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { mix, type Palette, textOn } from "../draw/palette";
import { followPositions, type KeptPositions, type WordValues } from "../store/positions";
import { Cache } from "../store/resource";
import { usePalette, useSnapshot, useTab } from "./context";
import { countText, valueText } from "./numbers";
import "./shaded_words.css";

const cache = new Cache(32 * 2 ** 20);

/** @returns What is kept of the positions of a layer with words; null while it is not there, and of any other. */
export function usePositions(layer: string | undefined): KeptPositions | null {
  const { client } = useTab();
  const store = useSnapshot();
  const hasWords = store.snapshot.value?.layers.some(({ name, positions }) => name === layer && positions === "tokens");
  const wanted = hasWords ? layer : undefined;
  const followed = useMemo(
    () => wanted !== undefined && followPositions(wanted, store.reference, { client, cache, view: store }),
    [client, store, wanted],
  );
  useEffect(() => (followed ? followed.dispose : undefined), [followed]);
  return followed ? followed.positions.value : null;
}

/** A longer text is folded to its strongest places. */
const LONG = 40;
const MOST_PLACES = 4;
const PLACE_DISTANCE = 15;
const AROUND = 5;

/** The part of the scale below which a word is plain. */
const LEAST = 0.04;

/** Returns from where to where words are shown, the others being folded away: those around the strongest ones. */
export function shownSpans({ words, values }: Pick<WordValues, "words" | "values">): [number, number][] {
  if (words.length <= LONG) return [[0, words.length]];
  const order = [...values.keys()].filter((at) => Math.abs(values[at] ?? 0) > 0);
  order.sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0));
  const chosen: number[] = [];
  for (const at of order) {
    if (chosen.length === MOST_PLACES) break;
    if (chosen.every((other) => Math.abs(other - at) >= PLACE_DISTANCE)) chosen.push(at);
  }
  if (chosen.length === 0) chosen.push(0);
  const spans: [number, number][] = [];
  for (const at of chosen.sort((a, b) => a - b)) {
    const [from, to] = [Math.max(0, at - AROUND), Math.min(words.length, at + AROUND + 1)];
    const last = spans.at(-1);
    // A single word is not folded away.
    if (last && from <= last[1] + 1) last[1] = to;
    else spans.push([from <= 1 ? 0 : from, to]);
  }
  return spans;
}

/** Colours of a word; none where it is plain. */
export function shadeOf(value: number, most: number, palette: Palette) {
  const share = Math.min(1, Math.abs(value) / most);
  if (!(share >= LEAST)) return undefined;
  const [negative, , positive] = palette.diverging;
  const background = mix(palette.card, value < 0 ? negative : positive, 0.08 + 0.92 * share ** 0.85);
  return { background, color: textOn(background) };
}

interface ShadedProperties {
  of: WordValues;
  /** Folded to one line, which begins before the strongest place. */
  isLine?: boolean;
}

export function ShadedWords({ of, isLine = false }: ShadedProperties) {
  const isWhole = useSignal(false);
  const { words } = of;
  const spans: [number, number][] = isLine
    ? [[lineStart(of), Math.min(words.length, lineStart(of) + LONG)]]
    : isWhole.value
      ? [[0, words.length]]
      : shownSpans(of);
  const isFolded = !isLine && words.length > LONG;
  const byPadding = of.decided !== null && (words[of.decided] ?? "") === "";
  return (
    <span class={isLine ? "shaded-words line" : "shaded-words"} data-testid="shaded-words">
      {spans.map(([from, to], number) => (
        <span key={from}>
          {!isLine && <Fold count={from - (spans[number - 1]?.[1] ?? 0)} />}
          {isLine && from > 0 && "… "}
          {words.slice(from, to).map((word, at) => word !== "" && <Word key={from + at} of={of} at={from + at} />)}
        </span>
      ))}
      {!isLine && <Fold count={words.length - (spans.at(-1)?.[1] ?? 0)} />}
      {byPadding && (
        <span class="shaded-padding" title="Its value is that of a position after the text: of padding">
          padding
        </span>
      )}
      {isFolded && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            isWhole.value = !isWhole.value;
          }}
        >
          {isWhole.value ? "Show fewer" : `Show all ${countText(words.length)}`}
        </button>
      )}
    </span>
  );
}

const lineStart = ({ decided, words }: WordValues): number =>
  decided === null || words.length <= 2 * AROUND || decided >= words.length ? 0 : Math.max(0, decided - AROUND);

function Fold({ count }: { count: number }) {
  if (count <= 0) return null;
  return (
    <span class="shaded-fold">
      … {countText(count)} word{count === 1 ? "" : "s"}
    </span>
  );
}

function Word({ of, at }: { of: WordValues; at: number }) {
  const palette = usePalette();
  const { words, values, most, decided, before, after } = of;
  const value = values[at] ?? Number.NaN;
  const style = shadeOf(value, most, palette);
  const isSeen = decided !== null && (words[decided] ?? "") !== "" && at >= decided - before && at <= decided + after;
  const classes = ["shaded-word", value < 0 ? "negative" : "", at === decided ? "decided" : "", isSeen ? "seen" : ""];
  return (
    <>
      <span
        class={classes.filter((name) => name !== "").join(" ")}
        style={style}
        data-value={Number.isNaN(value) ? undefined : value}
        title={`${words[at]}: ${Number.isNaN(value) ? "no position" : valueText(value)}`}
      >
        {words[at]}
      </span>{" "}
    </>
  );
}

/** What the colours stand for. */
export function ShadedLegend({ of, name }: { of: WordValues; name: string }) {
  const palette = usePalette();
  const shades = [0, 0.25, 0.5, 0.75, 1].map((share) => shadeOf(share, 1, palette)?.background ?? palette.card);
  const seen = of.before + of.after + 1;
  return (
    <span class="shaded-legend" data-testid="shaded-legend">
      {name} at each word: 0 <i style={{ background: `linear-gradient(to right, ${shades.join(", ")})` }} />{" "}
      {valueText(of.most)}
      {of.decided !== null &&
        ` · ${seen > 1 ? `underlined: the ${seen} words whose value is the neuron’s` : "bold: the word whose value is the neuron’s"}`}
    </span>
  );
}
