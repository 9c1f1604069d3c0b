/** Small projections of the layer, one per step, all in one frame. */

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { SnapshotEntry } from "../../contract/activis";
import { hasLabels } from "../../draw/colouring";
import { createPaintedPoints, FRAME_REACH, placePoints } from "../../draw/projection";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { pixelRatio } from "../../ui/surface";

const SIZE = 104;
/** Dots are smaller than in a panel: the picture is laid out larger, and painted at this scale. */
const SCALE = 0.6;

export function StepStrip() {
  const { overSteps } = useStore();
  return (
    <div class="step-strip" data-testid="step-strip">
      {overSteps.snapshots.value.map((snapshot) => (
        <StepPicture key={snapshot.step} snapshot={snapshot} />
      ))}
    </div>
  );
}

function StepPicture({ snapshot }: { snapshot: SnapshotEntry }) {
  const { catalogue, overSteps, stepping } = useStore();
  const { step } = snapshot;
  const state = overSteps.projection(step);
  const current = catalogue.snapshot.value?.step === step;
  return (
    <button
      type="button"
      class="step-picture"
      data-testid="step-picture"
      data-step={step}
      data-ready={state?.status === "ready"}
      aria-pressed={current}
      aria-label={`Show step ${step}`}
      title={state?.status === "error" ? state.message : `Step ${step}, t-SNE in the frame of the steps`}
      onClick={() => stepping.goTo(step)}
    >
      {state?.value ? <Dots coordinates={state.value.coordinates} /> : <i class="bone" />}
      <span>{step}</span>
    </button>
  );
}

function Dots({ coordinates }: { coordinates: Float32Array }) {
  const { columns, lit } = useStore();
  const palette = usePalette();
  const colours = useClassColours();
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = pixelRatio.value;
  const side = Math.round(SIZE * ratio);
  // The sample is the same at every step, unless ids changed; without them a dot has no colour.
  const shown = columns.value;
  const labels = shown ? (hasLabels(shown) ? shown.label : shown.predicted) : [];
  const named = colours.join();
  const painted = useMemo(() => {
    const codes = 2 * labels.length === coordinates.length ? labels : [];
    const { positions } = placePoints(coordinates, SIZE / SCALE, SIZE / SCALE, FRAME_REACH);
    return createPaintedPoints(
      { positions, codes, colours: named.split(","), palette },
      () => new ImageData(side, side),
      ratio * SCALE,
    );
  }, [coordinates, labels, named, palette, ratio, side]);
  const lightened = lit.value && 2 * lit.value.length === coordinates.length ? lit.value : null;
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(lightened ? painted.lit(lightened) : painted.all(), 0, 0);
  }, [painted, lightened]);
  return <canvas ref={canvas} width={side} height={side} />;
}
