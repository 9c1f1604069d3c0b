/** Charts over steps: accuracy and separation, a line per class. */

import { line } from "d3-shape";
import type { ClassSeparation, SnapshotEntry } from "../../contract/activis";
import { accuracyOf, accuracyOfRow } from "../../store/judgement";
import { overStepsOf } from "../../store/over_steps";
import type { SnapshotStore } from "../../store/snapshot";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { percentText } from "../../ui/numbers";

export interface Line {
  name: string;
  colour: string;
  /** By step; NaN where there is none. */
  values: readonly number[];
}

interface LinePlace {
  x: (position: number) => number;
  y: (value: number) => number;
}

interface LineBox {
  width: number;
  height: number;
  low: number;
  high: number;
}

const MARGIN = 6;
const TICKS = 22;

/** Spreads `count` steps evenly over the width, and values from `low` to `high` over the height. */
export function placeSteps(count: number, { width, height, low, high }: LineBox): LinePlace {
  return {
    x: (position) => TICKS + ((width - MARGIN - TICKS) * Math.max(0, position)) / Math.max(1, count - 1),
    y: (value) => height - MARGIN - ((height - 2 * MARGIN) * (value - low)) / (high - low),
  };
}

/** A scale in tenths from zero, or below where a value is, to `high`, or as far as the values go. */
export function scaleOf(lines: readonly Line[], high?: number): Pick<LineBox, "low" | "high"> {
  const values = lines.flatMap((line) => line.values.filter(Number.isFinite));
  return {
    low: Math.floor(10 * Math.min(0, ...values)) / 10,
    high: high ?? Math.ceil(10 * Math.max(0.1, ...values)) / 10,
  };
}

/** The path of a line; a value alone among gaps is a dot. */
export function linePath(values: readonly number[], { x, y }: LinePlace): string {
  const path = line<number>()
    .defined((value) => Number.isFinite(value))
    .x((_, position) => x(position))
    .y((value) => y(value));
  return path([...values]) ?? "";
}

const WIDTH = 190;
const HEIGHT = 96;

export function StepCharts() {
  const tab = useTab();
  const overSteps = overStepsOf(tab);
  const store = useSnapshot();
  const snapshots = overSteps.snapshots.value;
  const classes = store.snapshot.value?.classes ?? [];
  const separations = snapshots.map(({ step }) => overSteps.separation(step));
  const apart = (choose: (separation: ClassSeparation) => number) => (name: string | null) =>
    snapshots.map((snapshot, at) => {
      const found = separations[at]?.value;
      const own = name === null ? found?.overall : found?.classes[snapshot.classes.indexOf(name)];
      return own ? choose(own) : Number.NaN;
    });
  if (store.snapshot.value?.unlabelled) {
    return <p class="hint">Recorded without labels: there is no accuracy and no separation of classes.</p>;
  }
  const neighbours = Math.max(0, ...separations.map((one) => one?.value?.neighbours ?? 0));
  const failed = separations.find((one) => one?.status === "error");
  return (
    <>
      <Chart
        title="accuracy"
        explanation="Share of a class's instances that are predicted correctly"
        names={classes}
        valuesOf={(name) => snapshots.map((snapshot) => accuracyOfClass(snapshot, name))}
        high={1}
        text={(value) => percentText(value, 1)}
      />
      <Chart
        title="silhouette"
        explanation="Mean over the sampled instances of (b − a) / max(a, b) on the activations: a is the mean distance to the own class, b to the nearest other"
        names={classes}
        valuesOf={apart(({ silhouette, silhouette_over }) => (silhouette_over > 0 ? silhouette : Number.NaN))}
        text={(value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–")}
        problem={failed?.status === "error" ? failed.message : undefined}
      />
      <Chart
        title="purity"
        explanation={`Mean share of an instance's ${neighbours} nearest neighbours in the layer that are of its class, over the sampled instances`}
        names={classes}
        valuesOf={apart(({ purity, purity_over }) => (purity_over > 0 ? purity : Number.NaN))}
        high={1}
        text={(value) => percentText(value, 1)}
      />
    </>
  );
}

function accuracyOfClass(snapshot: SnapshotEntry, name: string | null): number {
  if (name === null) return accuracyOf(snapshot).share;
  const subset = snapshot.unlabelled ? undefined : snapshot.subsets[snapshot.classes.indexOf(name)];
  return (subset && accuracyOfRow(subset)) ?? Number.NaN;
}

interface ChartProperties {
  title: string;
  explanation: string;
  names: readonly string[];
  /** By step, of a class, or of all where that is null. */
  valuesOf: (name: string | null) => readonly number[];
  /** The end of the scale; what the values need without it. */
  high?: number;
  text: (value: number) => string;
  problem?: string | undefined;
}

function Chart({ title, explanation, names, valuesOf, high, text, problem }: ChartProperties) {
  const tab = useTab();
  const overSteps = overStepsOf(tab);
  const store = useSnapshot();
  const palette = usePalette();
  const colours = useClassColours();
  const steps = overSteps.snapshots.value.map(({ step }) => step);
  const at = steps.indexOf(store.snapshot.value?.step ?? Number.NaN);
  const litKey = store.rowKey.value ?? store.lit.value?.key ?? null;
  const lines: (Line & { key: string })[] = [
    ...names.map((name, position) => ({
      key: `class:${name}`,
      name,
      colour: colours[position] ?? palette.otherClass,
      values: valuesOf(name),
    })),
    { key: "", name: "all", colour: palette.text, values: valuesOf(null) },
  ];
  const scale = scaleOf(lines, high);
  const place = placeSteps(steps.length, { width: WIDTH, height: HEIGHT, ...scale });
  const chosen = lines.find(({ key }) => key === litKey) ?? lines.at(-1);
  return (
    <figure class="step-chart" data-testid="step-chart" data-chart={title}>
      <figcaption title={explanation}>
        {title}
        <b>
          {chosen?.name} {text(chosen?.values[at] ?? Number.NaN)}
        </b>
      </figcaption>
      <svg width={WIDTH} height={HEIGHT} role="img" aria-label={`${title} of each class over ${steps.length} steps`}>
        {[...new Set([scale.high, 0, scale.low])].map((tick) => (
          <g key={tick}>
            <line class="axis" x1={place.x(0)} x2={place.x(steps.length - 1)} y1={place.y(tick)} y2={place.y(tick)} />
            <text x={place.x(0) - 4} y={place.y(tick) + 3}>
              {tickText(tick)}
            </text>
          </g>
        ))}
        <line class="now" x1={place.x(at)} x2={place.x(at)} y1={0} y2={HEIGHT} />
        {lines.map((line) => (
          <path
            key={line.key}
            d={linePath(line.values, place)}
            stroke={line.colour}
            class={lineLook(line.key, litKey)}
            data-name={line.name}
            onPointerEnter={() => lightClass(store, line.key)}
            onPointerLeave={() => lightClass(store, null)}
          >
            <title>{`${line.name}: ${line.values.map((value, position) => `step ${steps[position]} ${text(value)}`).join(", ")}`}</title>
          </path>
        ))}
      </svg>
      {problem && <p class="wrong">{problem}</p>}
    </figure>
  );
}

const tickText = (value: number): string => String(value).replace("-", "−");

function lineLook(key: string, litKey: string | null): string {
  if (key === "") return "all";
  return litKey?.startsWith("class:") && litKey !== key ? "faded" : "";
}

function lightClass(store: SnapshotStore, key: string | null): void {
  const row = store.rows.peek().find((candidate) => candidate.key === key);
  store.hover.value = row ? { source: "label", row } : null;
}
