/** Marks over a projection's dots: names of the classes, outlines of the sentence's instances, test cases, pinned and hovered instances. */

import { effect, type Signal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { InstanceColumns } from "../../contract/activis";
import { type Box, drawMarks, drawOutlines, LABEL_FONT, markBoxes, type PointMark } from "../../draw/marks";
import type { Palette } from "../../draw/palette";
import { enlargement, type PlacedPoints, radiusAround, type View } from "../../draw/projection";
import { judgementOf } from "../../store/judgement";
import { instanceName, pinnedOf } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { textWidth } from "../../ui/ruler";
import { pixelRatio } from "../../ui/surface";
import { ClusterNames } from "./cluster_names";

interface ProjectionMarksProperties {
  placed: PlacedPoints;
  /** Where the dots will be at the end of their way. */
  ends: PlacedPoints;
  view: Signal<View>;
  width: number;
  height: number;
  /** Whether classes are named at their clusters. */
  areNamed: boolean;
}

export function ProjectionMarks({ ends, areNamed, ...properties }: ProjectionMarksProperties) {
  const { view, width, height } = properties;
  return (
    <>
      {areNamed && <Names placed={ends} view={view} width={width} height={height} />}
      <Marks {...properties} view={view.value} />
    </>
  );
}

type NamesProperties = Pick<ProjectionMarksProperties, "placed" | "view" | "width" | "height">;

/** Names that leave the pinned instances and their labels free. */
function Names({ placed, view, width, height }: NamesProperties) {
  const store = useSnapshot();
  const rows = store.rows.value;
  const instances = store.instances.state.value.value;
  const shown = view.value;
  const kept = useMemo((): readonly Box[] => {
    const radius = radiusAround(placed.positions.length / 2, enlargement(width, height));
    const marks = instances
      ? pinnedOf(rows).map((row) => ({ ...markOf(instances, placed, shown, row), colour: "", radius }))
      : [];
    return markBoxes(marks, width, height, (text) => textWidth(text, LABEL_FONT));
  }, [rows, instances, placed, shown, width, height]);
  return <ClusterNames placed={placed} view={view} width={width} height={height} kept={kept} />;
}

interface MarksProperties extends Omit<NamesProperties, "view"> {
  view: View;
}

function Marks({ placed, view, width, height }: MarksProperties) {
  const store = useSnapshot();
  const canvas = useRef<HTMLCanvasElement>(null);
  const palette = usePalette();
  const colours = useClassColours();
  const ratio = pixelRatio.value;
  const { reported } = useTab();
  const outlined = (!store.beside && reported.value?.rows) || NONE;
  useLayoutEffect(
    () =>
      effect(() => {
        const around = radiusAround(placed.positions.length / 2, enlargement(width, height));
        const marks = marksOf(store, placed, view, palette, colours).map((mark) => ({ radius: around, ...mark }));
        const shown = store.litMask.value ? NONE : outlined;
        const context = canvas.current?.getContext("2d");
        if (!context) return;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        drawOutlines(
          context,
          shown.map((row) => placeOf(placed, view, row)),
          around,
          palette,
        );
        drawMarks(context, marks, width, height, palette);
      }),
    [store, placed, view, palette, colours, width, height, ratio, outlined],
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

const NONE: readonly number[] = [];

const placeOf = ({ positions }: PlacedPoints, view: View, row: number) => ({
  x: (positions[row * 2] ?? Number.NaN) * view.scale + view.x,
  y: (positions[row * 2 + 1] ?? Number.NaN) * view.scale + view.y,
});

const markOf = (instances: InstanceColumns, placed: PlacedPoints, view: View, row: number) => ({
  ...placeOf(placed, view, row),
  label: instanceName(instances, row),
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
  const mark = (row: number, colour: string): PointMark => ({ ...markOf(instances, placed, view, row), colour });
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
