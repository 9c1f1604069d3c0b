/** Words of a layer in its panel: how many there are, and their projection, a dot per word with its name. */

import { effect, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { InstanceColumns, WordList } from "../../contract/activis";
import { drawMarks, LABEL_FONT, type PointMark, placeLabels } from "../../draw/marks";
import type { Palette } from "../../draw/palette";
import {
  createPaintedPoints,
  enlargement,
  type PlacedPoints,
  placePoints,
  radiusAround,
  type View,
  WHOLE,
  zoomPoints,
} from "../../draw/projection";
import type { WordsStore } from "../../store/per_word";
import type { KeptPositions } from "../../store/positions";
import type { WordRow } from "../../store/rows";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { countedText, countText } from "../../ui/numbers";
import { textWidth } from "../../ui/ruler";
import { pixelRatio, useSize } from "../../ui/surface";
import { ZoomButtons } from "./projection";
import { METHODS, MethodChoice, progressText } from "./projection_header";
import { usePointer } from "./projection_pointer";

/** How many words have a row, of how many, and which: the commonest, where that is known. */
export function WordFacts({ words: { list, words, kept, layer, snapshot } }: { words: WordsStore }) {
  const said = list.value;
  if (!said) return null;
  const { text, title } = wordsText(said, words.value.length);
  return (
    <p data-testid="word-facts" title={`${title} ${keptText(kept.value, snapshot.columns.value)}`}>
      {text} × {countText(layer.entry.value?.neurons ?? 0)}
    </p>
  );
}

function keptText(kept: KeptPositions | null, columns: InstanceColumns | null): string {
  if (!kept) return "Which instances contain a word was not recorded, so that a word lights none.";
  const all = kept.rows.length >= (columns?.id.length ?? 0);
  return all ? "" : `A word lights those of the ${countText(kept.rows.length)} sampled instances whose words had room.`;
}

/** Of `rows` words that have one. */
export function wordsText({ distinct, exact, positions }: WordList, rows: number): { text: string; title: string } {
  const what = `Means of the neurons at the positions with a word; there are ${countedText(positions, "position")} with any, of all instances.`;
  const left = countText(Math.max(0, distinct - rows));
  if (!exact) {
    const why = `There were too many different words to count them all: these are a random part, and about ${left} others were left out.`;
    return {
      text: `${countText(rows)} of about ${countedText(distinct, "word")}, a random part`,
      title: `${what} ${why}`,
    };
  }
  if (rows >= distinct) return { text: countedText(rows, "word"), title: what };
  const text = `${countText(rows)} commonest of ${countedText(distinct, "word")}`;
  return { text, title: `${what} The other ${left} came less often, and have no row.` };
}

export function WordProjection({ words }: { words: WordsStore }) {
  const [area, { width, height }] = useSize<HTMLDivElement>();
  const { projection } = words.layer;
  const shown = projection.shown.value;
  const problem = projection.problem.value;
  // Of another step there may be others.
  const isOwn = shown !== null && shown.coordinates.length === 2 * words.words.value.length;
  const unfinished = shown?.method === "tsne" && !shown.done ? shown : null;
  return (
    <div class="projection">
      <div class={problem ? "projection-header wrong" : "projection-header"}>
        <MethodChoice name={METHODS[shown?.method ?? "tsne"]} isSingle={false} />
        <small title={problem ?? undefined}>
          {problem ?? (unfinished ? progressText(unfinished) : countedText(words.words.value.length, "word"))}
        </small>
        {unfinished && (
          <i
            class="progress"
            style={{ width: `${(100 * unfinished.iteration) / Math.max(1, unfinished.iterations)}%` }}
          />
        )}
      </div>
      <div class="projection-area" ref={area}>
        {isOwn && width > 0 && height > 0 ? (
          <Picture store={words} coordinates={shown.coordinates} width={width} height={height} />
        ) : (
          <div class="projection-waiting">{problem ? <Problem sentence={problem} /> : "Placing the words…"}</div>
        )}
      </div>
    </div>
  );
}

interface PictureProperties {
  store: WordsStore;
  /** (words, 2) */
  coordinates: Float32Array;
  width: number;
  height: number;
}

function Picture({ store, coordinates, width, height }: PictureProperties) {
  const view = useSignal(WHOLE);
  const words = store.words.value;
  const placed = useMemo(() => placePoints(coordinates, width, height), [coordinates, width, height]);
  const pointer = usePointer({ layer: store.layer.name, placed, view, width, height, words });
  return (
    <div
      class={`projection-canvases${view.value.scale > 1 ? " zoomed" : ""}`}
      style={{ width: `${width}px`, height: `${height}px` }}
    >
      <Dots {...{ placed, words, width, height, pointer }} kept={store.kept.value} view={view.value} />
      <ZoomButtons view={view} width={width} height={height} />
    </div>
  );
}

interface DotsProperties extends Pick<PictureProperties, "width" | "height"> {
  placed: PlacedPoints;
  words: readonly WordRow[];
  kept: KeptPositions | null;
  view: View;
  pointer: ReturnType<typeof usePointer>;
}

/** Dots and their names. The word that is hovered and the one that sorts have a ring; of a hovered instance its words are lit. */
function Dots({ placed, view, words, kept, width, height, pointer }: DotsProperties) {
  const { hover, instance } = useSnapshot();
  const { urlState } = useTab();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const ratio = pixelRatio.value;
  const areNamed = urlState.clusterNames.value === "";
  const hovered = useComputed(() => (hover.value?.row?.kind === "word" ? hover.value.row.name : null));
  const sorting = useComputed(() => words.find(({ key }) => key === urlState.sort.value)?.name ?? null);
  const strongest = useMemo(() => strongestFirst(words), [words]);
  const painted = useMemo(() => {
    const positions = zoomPoints(placed.positions, view);
    const newPixels = () =>
      new ImageData(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
    const picture = { positions, codes: words.map(() => 0), colours: [palette.secondary], palette };
    const points = createPaintedPoints({ ...picture, enlarged: enlargement(width, height) }, newPixels, ratio);
    const named = (rows: readonly number[]) => {
      const marks = rows.map((row) => markOf(row, positions, words[row]?.name ?? "", palette.text));
      return placeLabels(marks.reverse(), width, height, (label) => textWidth(label, LABEL_FONT));
    };
    return { positions, points, names: areNamed ? named(strongest) : [], named };
  }, [placed, view, words, strongest, areNamed, width, height, ratio, palette]);
  useLayoutEffect(
    () =>
      effect(() => {
        const context = canvas.current?.getContext("2d");
        if (!context) return;
        const { positions, points, names, named } = painted;
        const lit = litWords(words, kept?.wordsOf(instance.value) ?? []);
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.putImageData(lit ? points.lit(lit) : points.all(), 0, 0);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        drawNames(context, lit ? named(strongest.filter((row) => lit[row] === 1)) : names, palette);
        const radius = radiusAround(words.length, enlargement(width, height));
        for (const [name, colour] of [
          [sorting.value, palette.text],
          [hovered.value, palette.hoverRing],
        ] as const) {
          const row = words.findIndex((word) => word.name === name);
          if (row >= 0)
            drawMarks(context, [{ ...markOf(row, positions, name ?? "", colour), radius }], width, height, palette);
        }
      }),
    [painted, words, kept, strongest, width, height, ratio, palette],
  );
  return (
    <canvas
      ref={canvas}
      width={Math.round(width * ratio)}
      height={Math.round(height * ratio)}
      style={{ width: `${width}px`, height: `${height}px` }}
      data-testid="word-projection"
      role="img"
      aria-label="Projection of the words"
      {...pointer}
    />
  );
}

/** Around a dot without a ring, in CSS pixels. */
const DOT = 3;

const markOf = (row: number, positions: Float32Array, label: string, colour: string): PointMark => ({
  x: positions[2 * row] ?? Number.NaN,
  y: positions[2 * row + 1] ?? Number.NaN,
  label,
  colour,
  radius: DOT,
});

/** 1 for the words that an instance has; null where it has none. */
function litWords(words: readonly WordRow[], texts: readonly string[]): Uint8Array | null {
  const known = new Set(texts);
  const lit = Uint8Array.from(words, ({ name }) => Number(known.has(name)));
  return lit.includes(1) ? lit : null;
}

/** Rows by how much their words excite the layer: these have a name sooner than those that excite it little. */
function strongestFirst(words: readonly WordRow[]): number[] {
  const lengths = words.map(({ values }) => Math.hypot(...values.map((value) => (Number.isFinite(value) ? value : 0))));
  return [...words.keys()].sort((first, second) => (lengths[second] ?? 0) - (lengths[first] ?? 0) || first - second);
}

function drawNames(
  context: CanvasRenderingContext2D,
  names: ReturnType<typeof placeLabels>,
  { text, card }: Palette,
): void {
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.strokeStyle = card;
  context.fillStyle = text;
  context.lineWidth = 3;
  for (const { text: name, left, middle } of names) {
    context.strokeText(name, left, middle);
    context.fillText(name, left, middle);
  }
}
