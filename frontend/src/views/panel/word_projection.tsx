/** Words of a layer in its panel: how many there are, and their projection, a dot per word with its name. */

import { effect, useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { WordList } from "../../contract/activis";
import { LABEL_FONT, type PointMark, placeLabels } from "../../draw/marks";
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
export function WordFacts({ words: { list, words, layer } }: { words: WordsStore }) {
  const said = list.value;
  if (!said) return null;
  const { text, title } = wordsText(said, words.value.length);
  return (
    <p data-testid="word-facts" title={title}>
      {text} × {countText(layer.entry.value?.neurons ?? 0)}
    </p>
  );
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
          <Picture
            words={words.words.value}
            coordinates={shown.coordinates}
            {...{ layer: words.layer.name, width, height }}
          />
        ) : (
          <div class="projection-waiting">{problem ? <Problem sentence={problem} /> : "Placing the words…"}</div>
        )}
      </div>
    </div>
  );
}

interface PictureProperties {
  layer: string;
  words: readonly WordRow[];
  /** (words, 2) */
  coordinates: Float32Array;
  width: number;
  height: number;
}

function Picture({ layer, words, coordinates, width, height }: PictureProperties) {
  const view = useSignal(WHOLE);
  const placed = useMemo(() => placePoints(coordinates, width, height), [coordinates, width, height]);
  const pointer = usePointer({ layer, placed, view, width, height, words });
  return (
    <div
      class={`projection-canvases${view.value.scale > 1 ? " zoomed" : ""}`}
      style={{ width: `${width}px`, height: `${height}px` }}
    >
      <Dots {...{ placed, words, width, height, pointer }} view={view.value} />
      <ZoomButtons view={view} width={width} height={height} />
    </div>
  );
}

interface DotsProperties extends Pick<PictureProperties, "words" | "width" | "height"> {
  placed: PlacedPoints;
  view: View;
  pointer: ReturnType<typeof usePointer>;
}

/** Dots and their names; the hovered word and the one that sorts have a ring, and their names come first. */
function Dots({ placed, view, words, width, height, pointer }: DotsProperties) {
  const store = useSnapshot();
  const { urlState } = useTab();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const ratio = pixelRatio.value;
  const areNamed = urlState.clusterNames.value === "";
  const strongest = useMemo(() => strongestFirst(words), [words]);
  const key = useComputed(() => store.hover.value?.row?.key ?? null);
  const painted = useMemo(() => {
    const positions = zoomPoints(placed.positions, view);
    const newPixels = () =>
      new ImageData(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
    const picture = { positions, codes: words.map(() => 0), colours: [palette.secondary], palette };
    const points = createPaintedPoints({ ...picture, enlarged: enlargement(width, height) }, newPixels, ratio);
    return { positions, pixels: points.all() };
  }, [placed, view, words, width, height, ratio, palette]);
  useLayoutEffect(
    () =>
      effect(() => {
        const context = canvas.current?.getContext("2d");
        if (!context) return;
        const { positions, pixels } = painted;
        const radius = radiusAround(words.length, enlargement(width, height));
        const marks = markedLast(strongest, words, [urlState.sort.value, key.value]).map(
          (row): PointMark => ({
            x: positions[2 * row] ?? Number.NaN,
            y: positions[2 * row + 1] ?? Number.NaN,
            label: areNamed || isMarked(words[row], urlState.sort.value, key.value) ? (words[row]?.name ?? "") : "",
            colour: words[row]?.key === key.value ? palette.hoverRing : palette.text,
            radius: isMarked(words[row], urlState.sort.value, key.value) ? radius : DOT,
          }),
        );
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.putImageData(pixels, 0, 0);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        drawNames(context, marks, { width, height, text: palette.text, ground: palette.card });
      }),
    [painted, words, strongest, areNamed, width, height, ratio, palette],
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

/** Around a dot that is not marked, in CSS pixels. */
const DOT = 3;

const isMarked = (word: WordRow | undefined, sort: string, key: string | null): boolean =>
  word !== undefined && (word.key === sort || word.key === key);

const lengths = (word: WordRow): number =>
  Math.hypot(...word.values.map((value) => (Number.isFinite(value) ? value : 0)));

/** Rows by how much their words excite the layer: these have a name sooner than those that excite it little. */
function strongestFirst(words: readonly WordRow[]): number[] {
  const length = words.map(lengths);
  return [...words.keys()].sort((first, second) => (length[second] ?? 0) - (length[first] ?? 0) || first - second);
}

/** Rows so that the ones that choose their names' places first are the last. */
function markedLast(
  strongest: readonly number[],
  words: readonly WordRow[],
  keys: readonly (string | null)[],
): number[] {
  const marked = keys.map((key) => words.findIndex((word) => word.key === key)).filter((row) => row >= 0);
  return [...strongest.filter((row) => !marked.includes(row)).reverse(), ...marked];
}

interface Ground {
  width: number;
  height: number;
  text: string;
  ground: string;
}

function drawNames(
  context: CanvasRenderingContext2D,
  marks: readonly PointMark[],
  { width, height, text, ground }: Ground,
) {
  for (const { x, y, colour, radius = DOT } of marks) {
    if (radius === DOT || !Number.isFinite(x)) continue;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
  context.font = LABEL_FONT;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.strokeStyle = ground;
  context.fillStyle = text;
  context.lineWidth = 3;
  for (const { text: name, left, middle } of placeLabels(marks, width, height, (label) =>
    textWidth(label, LABEL_FONT),
  )) {
    context.strokeText(name, left, middle);
    context.fillText(name, left, middle);
  }
}
