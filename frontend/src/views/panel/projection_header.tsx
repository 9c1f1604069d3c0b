/** Header and footer of a projection: method, progress, lasso, colours. */

import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Projection } from "../../contract/client";
import { enclosedRows, extendLasso, type Lasso, lassoPath } from "../../draw/projection";
import type { LayerStore } from "../../store/layer";
import { isOf, type Progress, type ShownProjection } from "../../store/projection";
import { listedInstances } from "../../store/subset_from_click";
import { useSnapshot, useTab } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import { ColourChoice } from "./dot_colours";
import type { PointerInputs, usePointer } from "./projection_pointer";

export const METHODS = { pca: "PCA", tsne: "t-SNE" } as const;

const ProjectionOptions = deferred(async () => (await import("./projection_options")).ProjectionOptions);

type Pointer = ReturnType<typeof usePointer>;

/** The toggle; `armed` is whether the next drag draws. */
function LassoButton({ armed }: { armed: Signal<boolean> }) {
  return (
    <button
      type="button"
      class={armed.value ? "lasso-toggle on" : "lasso-toggle"}
      data-testid="lasso"
      aria-pressed={armed.value}
      aria-label="Draw a line around instances"
      title="Draw a line around instances to make a subset of them, or drag with Shift held. Esc cancels."
      onClick={() => {
        armed.value = !armed.value;
      }}
    >
      <Icon name="lasso" />
    </button>
  );
}

/** Puts the lasso before what the pointer does otherwise. */
export function useLasso(armed: Signal<boolean>, { layer, placed, view }: PointerInputs, pointer: Pointer) {
  const { pointing } = useTab();
  const { instances, hover } = useSnapshot();
  const drawn = useSignal<Lasso | null>(null);
  useEscape(() => {
    if (!armed.peek() && drawn.peek() === null) return false;
    drawn.value = null;
    armed.value = false;
    return true;
  });

  const finish = () => {
    const rows = enclosedRows(placed.positions, view.peek(), drawn.peek() ?? []);
    const columns = instances.state.peek().value;
    drawn.value = null;
    armed.value = false;
    const name = `${countText(rows.length)} of the sample · ${layer}`;
    if (columns) pointing.point(rows.length > 0 ? listedInstances(name, columns, rows) : NOTHING);
  };
  const handlers: Pointer = {
    ...pointer,
    onPointerDown: (event) => {
      if (event.button !== 0 || !(armed.peek() || event.shiftKey)) return pointer.onPointerDown(event);
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      hover.value = null;
      drawn.value = extendLasso([], event.offsetX, event.offsetY);
    },
    onPointerMove: (event) => {
      if (drawn.peek() === null) return pointer.onPointerMove(event);
      drawn.value = extendLasso(drawn.peek() ?? [], event.offsetX, event.offsetY);
    },
    onPointerUp: (event) => (drawn.peek() === null ? pointer.onPointerUp(event) : finish()),
    onPointerCancel: () => {
      drawn.value = null;
      pointer.onPointerCancel();
    },
  };
  return { handlers, drawn };
}

const NOTHING = "There is no instance inside the line; draw it around some.";

export function LassoLine({ drawn }: { drawn: ReadonlySignal<Lasso | null> }) {
  const lasso = drawn.value;
  if (!lasso) return null;
  return (
    <svg class="lasso-line" aria-hidden="true">
      <path d={lassoPath(lasso)} />
    </svg>
  );
}

/** The lasso is what Escape ends first; `cancel` says whether there was one. */
function useEscape(cancel: () => boolean): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Escape" && cancel()) event.stopPropagation();
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  });
}

interface ProjectionHeaderProperties {
  layer: LayerStore;
  projection: ShownProjection | null;
  problem: string | null;
  /** Whether the next drag draws a lasso. */
  armed: Signal<boolean>;
}

export function ProjectionHeader({ layer, projection, problem, armed }: ProjectionHeaderProperties) {
  const reference = useSnapshot().reference.value;
  const isSingle = layer.sole.value !== null;
  const isBehind = !isSingle && projection !== null && !isOf(projection.of, reference);
  const unfinished = projection !== null && projection.method === "tsne" && !projection.done ? projection : null;
  const progress = isBehind ? layer.projection.awaited.value : unfinished;
  const share = progress ? progress.iteration / Math.max(1, progress.iterations) : 0;
  return (
    <div class={problem ? "projection-header wrong" : "projection-header"}>
      <MethodChoice name={isSingle ? "values" : METHODS[projection?.method ?? "tsne"]} isSingle={isSingle} />
      <ColourChoice layer={layer.name} />
      {isBehind && <EarlierStep step={projection.of.step} due={reference?.step ?? 0} />}
      {problem ? (
        <small role="alert" data-testid="error" title={problem}>
          {problem}
        </small>
      ) : (
        <small>
          {progress ? progressText(progress) : projection && !isBehind && <RestingText {...{ layer, projection }} />}
        </small>
      )}
      <LassoButton armed={armed} />
      {progress && <i class="progress" style={{ width: `${100 * share}%` }} />}
    </div>
  );
}

/** Which step the dots are still of. */
const EarlierStep = ({ step, due }: { step: number; due: number }) => (
  <b
    class="earlier-step"
    data-testid="earlier-step"
    title={`The dots stand as at step ${countText(step)}; where they are at step ${countText(due)} is being computed`}
  >
    as at step {countText(step)}
  </b>
);

export const progressText = ({ iteration, iterations }: Progress) =>
  `${countText(iteration)} / ${countText(iterations)}`;

function RestingText({ layer, projection }: { layer: LayerStore; projection: Projection }) {
  const all = projection.coordinates.length / 2;
  const placed = countPlaced(projection.coordinates);
  const everything = projection.method === "pca" ? `${countText(all)} instances` : countText(all);
  const perplexity =
    projection.method === "tsne" && placed > 0 ? `perplexity ${Math.round(projection.perplexity)}` : "";
  const rotated = useSnapshot().beside !== null;
  const left = projection.neuronsLeftOut;
  const title =
    left > 0 ? `${countText(left)} of ${countText(layer.entry.value?.neurons ?? 0)} neurons left out: not finite` : "";
  if (layer.sole.value !== null) return <span class="resting">{everything}</span>;
  if (rotated) return <span title={ROTATED}>rotated onto A</span>;
  return (
    <span title={title}>
      <span class="resting">
        {[perplexity, placed < all ? "" : everything].filter((part) => part !== "").join(" · ")}
      </span>
      {placed < all && ` ${countText(placed)} of ${countText(all)} placed`}
      {left > 0 && ` ▲ ${countText(left)}`}
    </span>
  );
}

const ROTATED =
  "Rotated, mirrored, scaled and shifted so that the instances in both samples are as close as possible to their places in A (orthogonal Procrustes)";

function countPlaced(coordinates: Float32Array): number {
  let placed = 0;
  for (let at = 0; at < coordinates.length; at += 2) if (Number.isFinite(coordinates[at])) placed++;
  return placed;
}

/** @param isSingle Whether there is one neuron, whose values are shown as they are. */
export function MethodChoice({ name, isSingle }: { name: string; isSingle: boolean }) {
  return (
    <Popup class="projection-method" summary={<MethodName name={name} />}>
      <ProjectionOptions isSingle={isSingle} />
    </Popup>
  );
}

const MethodName = ({ name }: { name: string }) => (
  <span title="Another method or perplexity; names and rings">
    {name}
    <span data-unprinted> ▾</span>
  </span>
);
