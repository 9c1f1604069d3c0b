/** Charts of a neuron's card: its distribution by class, and its means over the steps. */

import { line } from "d3-shape";
import type { NeuronCard, NeuronClass } from "../../contract/activis";
import { useClassColours, usePalette, useSnapshot } from "../../ui/context";
import { ClassDot } from "../../ui/glyphs";
import { countText, valueText } from "../../ui/numbers";
import { areaText, areaTitle, shownClasses } from "./words";

const MOST_CLASSES = 10;
const WIDTH = 112;
const HEIGHT = 22;
const BASE = 17;

export function Distribution({ value }: { value: NeuronCard | undefined }) {
  const { snapshot } = useSnapshot();
  const names = snapshot.value?.classes ?? [];
  const isLabelled = !snapshot.value?.unlabelled;
  const shown = value ? shownClasses(value, MOST_CLASSES) : [];
  const rows = Math.min(MOST_CLASSES, isLabelled ? names.length : 1);
  const others = names.length - shown.length;
  return (
    <section aria-label="Distribution by class">
      <h4>Distribution by class {isLabelled && <span title="Of the class against all others">AUC</span>}</h4>
      {value ? (
        <ul class="neuron-classes">
          {shown.map((one) => (
            <ClassRow
              key={one.label}
              value={value}
              one={one}
              name={names[one.label] ?? snapshot.value?.subsets[0]?.name ?? ""}
            />
          ))}
        </ul>
      ) : (
        <Bones count={rows} />
      )}
      {value && value.edges.length > 0 && (
        <>
          <p class="neuron-axis" aria-hidden="true">
            <span>{valueText(value.min)}</span>
            <span>{valueText((value.min + value.max) / 2)}</span>
            <span>{valueText(value.max)}</span>
          </p>
          <p class="hint">
            bar: share of the class, √ scale · ▲ mean
            {isLabelled && others > 0 && ` · ${countText(others)} other classes, told less well`}
          </p>
        </>
      )}
    </section>
  );
}

export function Bones({ count }: { count: number }) {
  return (
    <>
      {Array.from({ length: count }, (_, at) => (
        <i key={at} class="bone neuron-bone" aria-hidden="true" />
      ))}
    </>
  );
}

interface ClassRowProperties {
  value: NeuronCard;
  one: NeuronClass;
  name: string;
}

function ClassRow({ value, one, name }: ClassRowProperties) {
  const palette = usePalette();
  const colour = useClassColours()[one.label] ?? palette.bar;
  const width = WIDTH / Math.max(1, one.shares.length);
  const most = Math.max(...value.classes.flatMap(({ shares }) => shares), 1e-9);
  const span = value.max - value.min || 1;
  const mean = ((one.mean - value.min) / span) * WIDTH;
  const label = `${name}: mean ${valueText(one.mean)} over ${countText(one.count)}, AUC ${areaText(value, one)}`;
  return (
    <li class={one.label === value.preferred ? "preferred" : undefined} data-testid="neuron-class" data-class={name}>
      <span class="neuron-class" title={name}>
        <ClassDot colour={colour} /> {name}
      </span>
      <svg width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
        <title>{label}</title>
        <line class="axis" x1={0} x2={WIDTH} y1={BASE + 0.5} y2={BASE + 0.5} />
        {one.shares.map((share, bin) => {
          const height = share > 0 ? Math.max(1, Math.sqrt(share / most) * BASE) : 0;
          return (
            <rect
              key={bin}
              x={bin * width}
              y={BASE - height}
              width={Math.max(1, width - 0.6)}
              height={height}
              fill={colour}
            />
          );
        })}
        {one.count > 0 && <path d={`M${mean} ${BASE + 1} l3 4 h-6 Z`} fill={palette.text} />}
      </svg>
      <span class="neuron-area" title={areaTitle(value, one, name)}>
        {one.label >= 0 && areaText(value, one)}
      </span>
    </li>
  );
}

const STEPS = { width: 214, height: 96, left: 34, right: 8, top: 6, bottom: 16 };

/** A line per class, and one over all; nothing where there is one step. */
export function NeuronSteps({ value }: { value: NeuronCard }) {
  const { snapshot } = useSnapshot();
  const palette = usePalette();
  const colours = useClassColours();
  const { steps, classes } = value;
  if (steps.length < 2) return null;
  const names = snapshot.value?.classes ?? [];
  const shown = shownClasses(value, MOST_CLASSES);
  const lines = [
    ...classes.flatMap((one, at) =>
      shown.includes(one) && one.label >= 0
        ? [
            {
              name: names[one.label] ?? "",
              colour: colours[one.label] ?? palette.bar,
              isMain: one.label === value.preferred,
              values: steps.map(({ means, known }) => (known[at] ? (means[at] ?? Number.NaN) : Number.NaN)),
            },
          ]
        : [],
    ),
    {
      name: "all",
      colour: palette.text,
      isMain: value.preferred < 0,
      values: steps.map(({ mean }) => mean ?? Number.NaN),
    },
  ];
  const finite = lines.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = [Math.min(0, ...finite), Math.max(...finite, Math.min(0, ...finite) + 1e-9)];
  const x = (at: number) => STEPS.left + ((STEPS.width - STEPS.left - STEPS.right) * at) / (steps.length - 1);
  const y = (one: number) =>
    STEPS.height - STEPS.bottom - ((STEPS.height - STEPS.top - STEPS.bottom) * (one - low)) / (high - low);
  const path = line<number>()
    .defined(Number.isFinite)
    .x((_, at) => x(at))
    .y(y);
  const now = steps.findIndex(({ step }) => step === snapshot.value?.step);
  const label = `Means at ${steps.length} steps: ${lines.map(({ name, values }) => `${name} ${values.map(valueText).join(", ")}`).join("; ")}`;
  return (
    <section aria-label="Over steps">
      <h4>
        Over steps <span>mean by class</span>
      </h4>
      <svg
        class="neuron-steps"
        width={STEPS.width}
        height={STEPS.height}
        role="img"
        aria-label={label}
        data-testid="neuron-steps"
      >
        {[low, high].map((tick) => (
          <g key={tick}>
            <line class="axis" x1={STEPS.left} x2={STEPS.width - STEPS.right} y1={y(tick)} y2={y(tick)} />
            <text x={STEPS.left - 4} y={y(tick) + 3}>
              {valueText(tick)}
            </text>
          </g>
        ))}
        {now >= 0 && <line class="now" x1={x(now)} x2={x(now)} y1={STEPS.top} y2={STEPS.height - STEPS.bottom} />}
        {lines.map(({ name, colour, isMain, values }) => (
          <path
            key={name}
            d={path(values) ?? ""}
            stroke={colour}
            class={isMain ? "main" : undefined}
            stroke-dasharray={name === "all" ? "4 3" : undefined}
          >
            <title>{name}</title>
          </path>
        ))}
        <text class="first" x={STEPS.left} y={STEPS.height - 3}>
          {`step ${steps[0]?.step}`}
        </text>
        <text x={STEPS.width - STEPS.right} y={STEPS.height - 3}>
          {steps.at(-1)?.step}
        </text>
      </svg>
    </section>
  );
}
