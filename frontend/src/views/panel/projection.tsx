/** The projection of a layer's sampled instances: alike activations stand together. */

import { type Signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Projection } from "../../contract/client";
import { FRAME_REACH, placePoints, WHOLE } from "../../draw/projection";
import type { LayerStore } from "../../store/layer";
import { useStore } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { useLater } from "../../ui/deferred";
import { useSize } from "../../ui/surface";
import { useGliding } from "./gliding";
import { ColourLegend } from "./projection_colour";
import { ProjectionDots } from "./projection_dots";
import { ProjectionHeader } from "./projection_header";
import { LassoLine, useLasso } from "./projection_lasso";
import { ProjectionMarks } from "./projection_marks";
import { usePointer } from "./projection_pointer";
import { ZoomButtons } from "./projection_zoom";

/** Of the picture in a panel beside others. */
const WIDTH = 206;
const HEIGHT = 172;

interface ProjectionViewProperties {
  layer: LayerStore;
  /** Whether the picture fills its place; else it has a size of its own. */
  fitted?: boolean;
}

export function ProjectionView({ layer, fitted = false }: ProjectionViewProperties) {
  const { instances, membership, side } = useStore();
  const [area, size] = useSize<HTMLDivElement>();
  const armed = useSignal(false);
  // The matrix comes first, the base's picture a frame after it, then those of the sides.
  const projection = useLater(layer.projection.shown.value, side + 1);
  const columns = instances.state.value;
  const failed = [columns, membership.state.value].find((state) => state.status === "error");
  const problem = layer.projection.problem.value ?? (failed?.status === "error" ? failed.message : null);
  const width = fitted ? size.width : WIDTH;
  const height = fitted ? size.height : HEIGHT;
  const shown = projection !== null && columns.value !== undefined && width > 0 && height > 0;
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
}

interface PictureProperties {
  layer: LayerStore;
  projection: Projection;
  width: number;
  height: number;
  /** Whether the next drag draws a lasso. */
  armed: Signal<boolean>;
}

function Picture({ layer, projection, width, height, armed }: PictureProperties) {
  const { coordinates, framing } = projection;
  const reach = framing === "steps" ? FRAME_REACH : undefined;
  const fitted = useMemo(() => placePoints(coordinates, width, height, reach), [coordinates, width, height, reach]);
  const placed = useGliding(fitted, framing === "steps");
  const view = useSignal(WHOLE);
  const inputs = { layer: layer.name, placed, view, width, height };
  const lasso = useLasso(armed, inputs, usePointer(inputs));
  return (
    <div
      class={`projection-canvases${view.value.scale > 1 ? " zoomed" : ""}${armed.value ? " armed" : ""}`}
      style={{ width: `${width}px`, height: `${height}px` }}
    >
      <ProjectionDots placed={placed} view={view.value} width={width} height={height} pointer={lasso.handlers} />
      <ProjectionMarks placed={placed} view={view.value} width={width} height={height} />
      <LassoLine drawn={lasso.drawn} />
      <ZoomButtons view={view} width={width} height={height} />
      {placed.count === 0 && <p class="projection-empty">No instance has a finite activation in every neuron.</p>}
    </div>
  );
}
