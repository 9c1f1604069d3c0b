/** Marks over a projection's dots: outlines of the sentence's instances, test cases, pinned and hovered instances. */

import { effect } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import { drawMarks, drawOutlines, type PointMark } from "../../draw/marks";
import type { Palette } from "../../draw/palette";
import { enlargement, type PlacedPoints, radiusAround, type View } from "../../draw/projection";
import { outlinedRows, strongestConfusion } from "../../store/confusion";
import { judgementOf } from "../../store/judgement";
import { instanceName, pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { pixelRatio } from "../../ui/surface";

interface ProjectionMarksProperties {
  placed: PlacedPoints;
  view: View;
  width: number;
  height: number;
}

export function ProjectionMarks({ placed, view, width, height }: ProjectionMarksProperties) {
  const store = useSnapshot();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const colours = useClassColours();
  const ratio = pixelRatio.value;
  const told = useTold();
  useLayoutEffect(
    () =>
      effect(() => {
        const around = radiusAround(placed.positions.length / 2, enlargement(width, height));
        const marks = marksOf(store, placed, view, palette, colours).map((mark) => ({ radius: around, ...mark }));
        const outlined = store.litMask.value ? [] : told.map((row) => placeOf(placed, view, row));
        const context = canvas.current?.getContext("2d");
        if (!context) return;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        drawOutlines(context, outlined, around, palette);
        drawMarks(context, marks, width, height, palette);
      }),
    [store, placed, view, palette, colours, width, height, ratio, told],
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

/** The sampled instances that the sentence is about, while it stands there. */
function useTold(): readonly number[] {
  const { unsaid } = useTab().urlState;
  const store = useSnapshot();
  const snapshot = store.snapshot.value;
  const columns = store.columns.value;
  const isSaid = !store.beside && unsaid.value !== (store.selection.value?.run.run ?? "");
  return useMemo(() => {
    const confusion = isSaid && snapshot && strongestConfusion(snapshot, columns);
    return confusion && columns ? outlinedRows(confusion, columns) : [];
  }, [isSaid, snapshot, columns]);
}

const placeOf = ({ positions }: PlacedPoints, view: View, row: number) => ({
  x: (positions[row * 2] ?? Number.NaN) * view.scale + view.x,
  y: (positions[row * 2 + 1] ?? Number.NaN) * view.scale + view.y,
});

/** A test case's true class; without a label the predicted one. */
function shownClass(instances: InstanceColumns, row: number): number {
  const { label, predicted } = judgementOf(instances, row);
  return label < 0 ? predicted : label;
}

const examples = new WeakMap<InstanceColumns, readonly number[]>();

/** Rows of the test cases; looked for once. */
function examplesOf(instances: InstanceColumns): readonly number[] {
  const known = examples.get(instances) ?? instances.example.flatMap((example, row) => (example ? [row] : []));
  examples.set(instances, known);
  return known;
}

/** Test cases, pinned instances, and last the hovered one. */
function marksOf(
  store: SnapshotStore,
  placed: PlacedPoints,
  view: View,
  palette: Palette,
  colours: readonly string[],
): PointMark[] {
  const instances = store.instances.state.value.value;
  if (!instances) return [];
  const mark = (row: number, colour: string): PointMark => ({
    ...placeOf(placed, view, row),
    label: instanceName(instances, row),
    colour,
  });
  const diamond = (row: number): PointMark => ({
    ...mark(row, palette.text),
    label: "",
    filled: colours[shownClass(instances, row)] ?? palette.otherClass,
  });
  const hovered = store.instance.value;
  const pinned = pinnedOf(store.rows.value).filter((row) => row !== hovered);
  return [
    ...examplesOf(instances).map(diamond),
    ...pinned.map((row) => mark(row, palette.text)),
    ...(hovered >= 0 ? [mark(hovered, palette.hoverRing)] : []),
  ];
}
