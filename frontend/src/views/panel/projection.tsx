/**
 * Projection of a layer's sampled instances: dots and zoom.
 *
 * The dots are painted as pixels once, and once more for each row that lights some of them; hovering then puts a finished
 * picture in place, whatever the number of dots.
 */

import { effect, type Signal, signal, useSignal } from "@preact/signals";
import { memo } from "preact/compat";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type Colouring, hasLabels } from "../../draw/colouring";
import type { Palette } from "../../draw/palette";
import {
  createPaintedPoints,
  enlargement,
  FRAME_REACH,
  type PlacedPoints,
  placePoints,
  type View,
  WHOLE,
  zoomAround,
  zoomPoints,
} from "../../draw/projection";
import type { Strip } from "../../draw/strip";
import type { LayerStore } from "../../store/layer";
import { sliceColumn } from "../../store/numbers";
import { isOf, type ShownProjection } from "../../store/projection";
import { usePalette, useSnapshot, useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { deferred, useLater } from "../../ui/deferred";
import { Icon } from "../../ui/glyphs";
import { pixelRatio, Surface, useSize } from "../../ui/surface";
import { ColourLegend, useColouring } from "./dot_colours";
import { isAlike, useGliding } from "./projection_glide";
import { LassoLine, ProjectionHeader, useLasso } from "./projection_header";
import { usePointer } from "./projection_pointer";

const ProjectionMarks = deferred(async () => (await import("./projection_marks")).ProjectionMarks);

interface ZoomButtonsProperties {
  view: Signal<View>;
  width: number;
  height: number;
}

const STEP = 1.6;

export function ZoomButtons({ view, width, height }: ZoomButtonsProperties) {
  const by = (factor: number) => () => {
    view.value = zoomAround(view.peek(), factor, width / 2, height / 2);
  };
  const whole = view.value.scale === 1;
  return (
    <span class="projection-zoom">
      <button type="button" aria-label="Zoom the projection in" onClick={by(STEP)}>
        <Icon name="plus" />
      </button>
      <button type="button" aria-label="Zoom the projection out" disabled={whole} onClick={by(1 / STEP)}>
        <Icon name="minus" />
      </button>
      <button
        type="button"
        aria-label="Show the whole projection"
        disabled={whole}
        onClick={() => {
          view.value = WHOLE;
        }}
      >
        <Icon name="fit" />
      </button>
    </span>
  );
}

interface ProjectionDotsProperties {
  placed: PlacedPoints;
  view: View;
  width: number;
  height: number;
  pointer: ReturnType<typeof usePointer>;
}

function ProjectionDots({ placed, view, width, height, pointer }: ProjectionDotsProperties) {
  const store = useSnapshot();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const colouring = useColouring();
  const ratio = pixelRatio.value;
  const positions = useMemo(() => zoomPoints(placed.positions, view), [placed, view]);
  const pictures = useMemo(
    () => createPictures({ positions, width, height, ratio, palette, colouring }),
    [positions, width, height, ratio, palette, colouring],
  );
  useLayoutEffect(
    () =>
      effect(() => {
        const pixels = pictures(store.litMask.value);
        canvas.current?.getContext("2d")?.putImageData(pixels, 0, 0);
      }),
    [store, pictures],
  );
  return (
    <canvas
      ref={canvas}
      width={Math.round(width * ratio)}
      height={Math.round(height * ratio)}
      style={{ width: `${width}px`, height: `${height}px` }}
      data-testid="projection"
      role="img"
      aria-label="Projection of the sampled instances"
      {...pointer}
    />
  );
}

interface PictureInputs {
  positions: Float32Array;
  width: number;
  height: number;
  ratio: number;
  palette: Palette;
  colouring: Colouring | null;
}

const MOST_PICTURES = 24;

/** Returns how to get the picture for a lit row; pictures are kept, the oldest leave first. */
function createPictures({ positions, width, height, ratio, palette, colouring }: PictureInputs) {
  const { codes, colours, rings } = colouring ?? { codes: [], colours: [], rings: null };
  const enlarged = enlargement(width, height);
  const newPixels = () =>
    new ImageData(Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio)));
  const painted = createPaintedPoints({ positions, codes, colours, rings, palette, enlarged }, newPixels, ratio);
  const kept = new Map<Uint8Array, ImageData>();
  return (litMask: Uint8Array | null): ImageData => {
    if (!litMask) return painted.all();
    const pixels = kept.get(litMask) ?? painted.lit(litMask);
    kept.set(litMask, pixels);
    for (const oldest of kept.keys()) {
      if (kept.size <= MOST_PICTURES) break;
      kept.delete(oldest);
    }
    return pixels;
  };
}

/** Whether the dots are those of the instances on show; those of another step are, where it has the same ones. */
function usePlaced(projection: ShownProjection | null): boolean {
  const store = useSnapshot();
  const ids = store.columns.value?.id;
  const drawn = useRef<{ projection: ShownProjection | null; ids: readonly string[] }>({ projection, ids: [] });
  const isOwn = projection !== null && isOf(projection.of, store.reference.value);
  if (isOwn && ids) drawn.current = { projection, ids };
  return ids !== undefined && (isOwn || (drawn.current.projection === projection && isAlike(drawn.current.ids, ids)));
}

export const ProjectionView = memo(function ProjectionView({ layer }: { layer: LayerStore }) {
  const { beside, instances, membership } = useSnapshot();
  const [area, { width, height }] = useSize<HTMLDivElement>();
  const armed = useSignal(false);
  // The matrix comes first, the base's picture a frame after it, then those of the sides.
  const projection = useLater(layer.projection.shown.value, beside ? beside.position + 1 : 0);
  const columns = instances.state.value;
  const failed = [columns, membership.state.value].find((state) => state.status === "error");
  const problem = layer.projection.problem.value ?? (failed?.status === "error" ? failed.message : null);
  const isPlaced = usePlaced(projection);
  const shown = projection !== null && isPlaced && width > 0 && height > 0;
  return (
    <div class="projection">
      <ProjectionHeader layer={layer} projection={projection} problem={projection && problem} armed={armed} />
      <div class="projection-area" ref={area}>
        {shown ? (
          <Picture layer={layer} projection={projection} width={width} height={height} armed={armed} />
        ) : (
          <div class="projection-waiting">{problem ? <Problem sentence={problem} /> : "Placing the instances…"}</div>
        )}
      </div>
      <ColourLegend />
    </div>
  );
});

interface PictureProperties {
  layer: LayerStore;
  projection: ShownProjection;
  width: number;
  height: number;
  /** Whether the next drag draws a lasso. */
  armed: Signal<boolean>;
}

/** Few models have a layer of one neuron: what draws it comes when there is one. */
const strips = signal<typeof import("../../draw/strip") | null>(null);

function useStrips(isSingle: boolean) {
  useLayoutEffect(() => {
    if (!isSingle || strips.peek()) return;
    void import("../../draw/strip").then((loaded) => {
      strips.value = loaded;
    });
  }, [isSingle]);
  return isSingle ? strips.value : null;
}

/** Where the instances are to stand: in a strip those of a single neuron, once its values are there. */
function usePlaces(
  layer: LayerStore,
  projection: ShownProjection,
  width: number,
  height: number,
): PlacedPoints | Strip {
  const store = useSnapshot();
  const columns = store.columns.value;
  const classes = store.snapshot.value?.classes.length ?? 0;
  const { coordinates, framing } = projection;
  const reach = framing === "steps" ? FRAME_REACH : undefined;
  const sole = layer.sole.value;
  const drawing = useStrips(sole !== null);
  const activations = layer.activations.state.value.value;
  return useMemo(() => {
    if (sole === null || !activations || !columns || !drawing) return placePoints(coordinates, width, height, reach);
    const codes = hasLabels(columns) ? columns.label : columns.predicted;
    const values = sliceColumn(activations, sole);
    return drawing.placeStrip({ values, codes, classes, width, height });
  }, [coordinates, reach, sole, activations, columns, drawing, classes, width, height]);
}

const NONE: readonly string[] = [];

function Picture({ layer, projection, width, height: whole, armed }: PictureProperties) {
  const fitted = usePlaces(layer, projection, width, whole);
  const { columns, reference: shown } = useSnapshot();
  const reference = shown.value;
  const isStrip = "low" in fitted;
  const height = isStrip ? fitted.height : whole;
  const { method, framing, of } = projection;
  const placed = useGliding(layer, {
    placed: fitted,
    ids: columns.value?.id ?? NONE,
    subject: isStrip ? `values ${reference?.run} ${reference?.step}` : `${method} ${framing} ${of.run} ${of.step}`,
    size: `${width} ${whole}`,
  });
  const view = useSignal(WHOLE);
  const inputs = { layer: layer.name, placed, view, width, height };
  const lasso = useLasso(armed, inputs, usePointer(inputs));
  const areNamed = useTab().urlState.clusterNames.value === "";
  return (
    <>
      <div
        class={`projection-canvases${view.value.scale > 1 ? " zoomed" : ""}${armed.value ? " armed" : ""}`}
        style={{ width: `${width}px`, height: `${height}px` }}
      >
        <ProjectionDots placed={placed} view={view.value} width={width} height={height} pointer={lasso.handlers} />
        <ProjectionMarks placed={placed} ends={fitted} view={view} width={width} height={height} areNamed={areNamed} />
        <LassoLine drawn={lasso.drawn} />
        <ZoomButtons view={view} width={width} height={height} />
        {placed.count === 0 && <p class="projection-empty">No instance has a finite activation in every neuron.</p>}
      </div>
      {isStrip && <StripAxis strip={fitted} title={stripTitle(layer)} view={view.value} width={width} top={height} />}
    </>
  );
}

function stripTitle({ name, entry, sole }: LayerStore): string {
  return entry.value?.neurons === 1
    ? `activation of ${name}`
    : `neuron ${sole.value} of ${name}, the only one that differs`;
}

interface StripAxisProperties {
  strip: Strip;
  title: string;
  view: View;
  width: number;
  top: number;
}

function StripAxis({ strip, title, view, width, top }: StripAxisProperties) {
  const palette = usePalette();
  return (
    <Surface
      class="strip-axis"
      data-testid="strip-axis"
      role="img"
      aria-label={`${title}, from ${strip.low} to ${strip.high}`}
      width={width}
      height={strip.axisHeight}
      style={{ top: `${top}px` }}
      draw={(context) => strip.drawAxis(context, view, title, palette)}
    />
  );
}
