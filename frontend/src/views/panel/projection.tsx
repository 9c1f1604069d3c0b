/** The projection of a layer's sampled instances: alike activations stand together. */

import { useMemo } from "preact/hooks";
import type { Projection } from "../../contract/client";
import { drawMarks, drawPoints, type PlacedPoints, type PointMark, placePoints } from "../../draw/projection";
import type { LayerStore } from "../../state/layer";
import { instanceName, instanceRow } from "../../state/rows";
import type { Store } from "../../state/store";
import { Problem } from "../widgets/controls";
import { countText } from "../widgets/numbers";
import { useClassColours, usePalette, useStore } from "../widgets/store";
import { Surface } from "../widgets/surface";

const WIDTH = 206;
const HEIGHT = 188;
const REACH = 8;

export function ProjectionView({ layer }: { layer: LayerStore }) {
  const { instances, membership } = useStore();
  const projection = layer.projection.shown.value;
  const columns = instances.state.value;
  const failed = [columns, membership.state.value].find((state) => state.status === "error");
  const problem = layer.projection.problem.value ?? failed?.message ?? null;
  return (
    <div class="projection">
      <ProjectionHeader projection={projection} problem={projection && problem} />
      {projection && columns.value ? (
        <Points layer={layer} projection={projection} />
      ) : (
        <div class="projection-waiting">{problem ? <Problem sentence={problem} /> : "Placing the instances…"}</div>
      )}
    </div>
  );
}

function ProjectionHeader({ projection, problem }: { projection: Projection | null; problem: string | null }) {
  if (problem) {
    return (
      <p class="projection-header wrong" role="alert" data-testid="error" title={problem}>
        {problem}
      </p>
    );
  }
  if (!projection) return <p class="projection-header" />;
  const moving = projection.method === "tsne" && !projection.done;
  const share = projection.iteration / Math.max(1, projection.iterations);
  return (
    <p class="projection-header">
      <span>{projection.method === "tsne" ? "t-SNE" : "PCA"}</span>
      <small>{moving ? `${projection.iteration} / ${projection.iterations}` : restingText(projection)}</small>
      {moving && <i class="progress" style={{ width: `${100 * share}%` }} />}
    </p>
  );
}

function restingText(projection: Projection): string {
  const all = projection.coordinates.length / 2;
  const placed = countPlaced(projection.coordinates);
  const instances = placed < all ? `${countText(placed)} of ${countText(all)} placed` : countText(all);
  return projection.method === "tsne" && placed > 0
    ? `perplexity ${Math.round(projection.perplexity)} · ${instances}`
    : instances;
}

function countPlaced(coordinates: Float32Array): number {
  return coordinates.reduce((count, value, at) => count + (at % 2 === 0 && Number.isFinite(value) ? 1 : 0), 0);
}

function Points({ layer, projection }: { layer: LayerStore; projection: Projection }) {
  const placed = useMemo(() => placePoints(projection.coordinates, WIDTH, HEIGHT), [projection.coordinates]);
  return (
    <div class="projection-canvases">
      <Dots layer={layer} placed={placed} />
      <Marks placed={placed} />
      {placed.index.size() === 0 && (
        <p class="projection-empty">No instance has a finite activation in every neuron.</p>
      )}
    </div>
  );
}

function Dots({ layer, placed }: { layer: LayerStore; placed: PlacedPoints }) {
  const store = useStore();
  const palette = usePalette();
  const colours = useClassColours();
  const lit = store.lit.value;
  const labels = store.instances.state.value.value?.label ?? [];
  return (
    <Surface
      width={WIDTH}
      height={HEIGHT}
      data-testid="projection"
      role="img"
      aria-label="Projection of the sampled instances"
      draw={(context) => drawPoints(context, { positions: placed.positions, labels, colours, lit, palette })}
      {...pointer(store, layer.name, placed)}
    />
  );
}

/** Makes the nearest dot the hovered instance; a press pins it. */
function pointer(store: Store, layer: string, placed: PlacedPoints) {
  const rowAt = (event: PointerEvent) => placed.index.find(event.offsetX, event.offsetY, REACH);
  return {
    onPointerMove: (event: PointerEvent) => {
      const row = rowAt(event);
      const instances = store.instances.state.peek().value;
      if (store.hover.peek()?.row?.sampled === row) return;
      store.hover.value =
        row === undefined || !instances ? null : { source: "projection", layer, row: instanceRow(instances, row) };
    },
    onPointerLeave: () => {
      store.hover.value = null;
    },
    onPointerUp: (event: PointerEvent) => {
      const row = rowAt(event);
      if (row !== undefined) store.togglePin(row);
    },
  };
}

function Marks({ placed }: { placed: PlacedPoints }) {
  const store = useStore();
  const palette = usePalette();
  const marks = marksOf(store, placed, palette.text, palette.hoverRing);
  return (
    <Surface
      class="marks"
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
      draw={(context) => drawMarks(context, marks, WIDTH, palette)}
    />
  );
}

/** Pinned instances, and last the hovered one. */
function marksOf(store: Store, placed: PlacedPoints, pinnedColour: string, hoverColour: string): PointMark[] {
  const instances = store.instances.state.value.value;
  if (!instances) return [];
  const mark = (row: number, colour: string) => ({
    x: placed.positions[row * 2] ?? Number.NaN,
    y: placed.positions[row * 2 + 1] ?? Number.NaN,
    label: instanceName(instances, row),
    colour,
  });
  const hovered = store.instance.value;
  const pinned = store.rows.value.filter((row) => row.kind === "instance" && row.sampled !== hovered);
  return [
    ...pinned.map((row) => mark(row.sampled, pinnedColour)),
    ...(hovered >= 0 ? [mark(hovered, hoverColour)] : []),
  ];
}
