/** Rings around the pinned instances and around the hovered one, above a projection's dots. */

import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import { drawMarks, type PointMark } from "../../draw/marks";
import type { Palette } from "../../draw/palette";
import type { PlacedPoints, View } from "../../draw/projection";
import { judgementOf } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import type { Store } from "../../store/store";
import { useClassColours, usePalette, useStore } from "../../ui/context";
import { pixelRatio } from "../../ui/surface";

interface ProjectionMarksProperties {
  placed: PlacedPoints;
  view: View;
  width: number;
  height: number;
}

export function ProjectionMarks({ placed, view, width, height }: ProjectionMarksProperties) {
  const store = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const colours = useClassColours();
  const ratio = pixelRatio.value;
  useLayoutEffect(
    () =>
      effect(() => {
        const marks = marksOf(store, placed, view, palette, colours);
        const context = canvas.current?.getContext("2d");
        if (!context) return;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        drawMarks(context, marks, width, height, palette);
      }),
    [store, placed, view, palette, colours, width, height, ratio],
  );
  return (
    <div class="marks" aria-hidden="true">
      <canvas
        ref={canvas}
        width={Math.round(width * ratio)}
        height={Math.round(height * ratio)}
        style={{ width: `${width}px`, height: `${height}px` }}
      />
    </div>
  );
}

/** A test case's true class; without a label the predicted one. */
function shownClass(instances: InstanceColumns, row: number): number {
  const { label, predicted } = judgementOf(instances, row);
  return label < 0 ? predicted : label;
}

/** Test cases, pinned instances, and last the hovered one. */
function marksOf(
  store: Store,
  placed: PlacedPoints,
  view: View,
  palette: Palette,
  colours: readonly string[],
): PointMark[] {
  const instances = store.instances.state.value.value;
  if (!instances) return [];
  const mark = (row: number, colour: string): PointMark => ({
    x: (placed.positions[row * 2] ?? Number.NaN) * view.scale + view.x,
    y: (placed.positions[row * 2 + 1] ?? Number.NaN) * view.scale + view.y,
    label: instanceName(instances, row),
    colour,
  });
  const diamond = (row: number): PointMark => ({
    ...mark(row, palette.text),
    label: "",
    filled: colours[shownClass(instances, row)] ?? palette.otherClass,
  });
  const hovered = store.instance.value;
  const pinned = store.rows.value.filter((row) => row.kind === "instance" && row.sampled !== hovered);
  return [
    ...instances.example.flatMap((example, row) => (example ? [diamond(row)] : [])),
    ...pinned.map((row) => mark(row.sampled, palette.text)),
    ...(hovered >= 0 ? [mark(hovered, palette.hoverRing)] : []),
  ];
}
