/** All neurons of a layer that does not fit, and the window over them that the matrix shows. */

import { memo } from "preact/compat";
import { drawOverview, groupEnds, type HeaderLayout, paintMinimap } from "../../draw/matrix_header";
import { type LayerStore, rowValues } from "../../store/layer";
import type { MatrixRow } from "../../store/rows";
import { usePalette, useStore } from "../../ui/context";
import { countText } from "../../ui/numbers";
import { Surface } from "../../ui/surface";
import { wheelColumns } from "./cells";
import { type MatrixFrame, rampOf } from "./frame";

export function Overview({ frame }: { frame: MatrixFrame }) {
  const { layer, rows, order, width, header, columns } = frame;
  if (header.overview === "none" || !order) return null;
  const scale = width / columns.total;
  const place = { top: `${header.overviewTop}px`, height: `${header.overviewHeight}px` };
  return (
    <div class={`overview ${header.overview}`} style={place} data-testid="overview" data-kind={header.overview}>
      <OverviewPicture
        layer={layer}
        rows={rows}
        order={order}
        width={width}
        height={header.overviewHeight}
        kind={header.overview}
      />
      <i
        class="overview-window"
        style={{ left: `${columns.first * scale}px`, width: `${Math.max(4, columns.visible * scale)}px` }}
      />
      <OverviewHandle frame={frame} />
    </div>
  );
}

interface OverviewPictureProperties {
  layer: LayerStore;
  rows: readonly MatrixRow[];
  order: Int32Array;
  width: number;
  height: number;
  kind: HeaderLayout["overview"];
}

/** Painted when numbers or their order change, not while the window moves. */
const OverviewPicture = memo(function OverviewPicture(properties: OverviewPictureProperties) {
  const { layer, rows, order, width, height, kind } = properties;
  const store = useStore();
  const palette = usePalette();
  const ramp = rampOf(layer, palette);
  const values = kind === "strip" ? stripValues(layer, rows, store.durable.sort.value) : null;
  const all = kind === "map" ? rows.map((row) => rowValues(layer, row)) : [];
  const gaps = groupEnds(rows.map((row) => row.kind));

  const draw = (context: CanvasRenderingContext2D) => {
    if (!ramp) return;
    if (values) drawOverview(context, { order, values, ramp, width, height });
    if (kind !== "map") return;
    const pixels = context.createImageData(context.canvas.width, context.canvas.height);
    paintMinimap({ rows: all, gaps, order, ramp }, pixels);
    context.putImageData(pixels, 0, 0);
  };
  return <Surface later width={width} height={height} draw={draw} aria-hidden="true" />;
});

/** What the strip shows: the row that sorts, else each neuron's highest class mean. */
function stripValues(layer: LayerStore, rows: readonly MatrixRow[], sort: string): Float32Array | null {
  const row = rows.find((candidate) => candidate.key === sort);
  const means = layer.mean.state.value.value;
  if (row) return rowValues(layer, row);
  const [, neurons = 0] = means?.shape ?? [];
  const strongest = layer.strongest.value;
  return means && strongest
    ? Float32Array.from(strongest, (label, neuron) => (label < 0 ? 0 : (means.data[label * neurons + neuron] ?? 0)))
    : null;
}

/** Drags the window, by pointer or by key; a double click brings it back to the first rank. */
function OverviewHandle({ frame }: { frame: MatrixFrame }) {
  const { columns, width, scrollTo } = frame;
  const move = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.type === "pointermove" && event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    scrollTo((event.offsetX / width) * columns.total - columns.visible / 2);
  };
  return (
    <input
      class="overview-handle"
      data-testid="overview-handle"
      type="range"
      title="Drag to move along the neurons; a double click leads back to the first"
      aria-label="First neuron in sight"
      aria-valuetext={`${countText(columns.first + 1)} to ${countText(columns.first + columns.visible)}`}
      min={0}
      max={columns.total - columns.visible}
      value={columns.first}
      onInput={(event) => scrollTo(Number(event.currentTarget.value))}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.focus({ preventScroll: true });
        move(event);
      }}
      onPointerMove={move}
      onDblClick={() => scrollTo(0)}
      onWheel={(event) => {
        if (event.shiftKey || event.deltaX !== 0) return wheelColumns(event, frame);
        event.preventDefault();
        scrollTo(columns.first + (Math.sign(event.deltaY) * columns.visible) / 4);
      }}
    />
  );
}
