/** The instances of one true label. */

import type { RefObject } from "preact";
import { memo } from "preact/compat";
import { useRef } from "preact/hooks";
import type { InstanceColumns, SubsetEntry } from "../../contract/activis";
import { judgementOf, NO_PREDICTION, predictedName } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import { errorsOf, narrowed } from "../../store/subset_from_click";
import { useClassColours, useStore } from "../../ui/context";
import { useLater } from "../../ui/deferred";
import { ClassDot, glyphOf, InstanceGlyph } from "../../ui/glyphs";
import { countText, percentText } from "../../ui/numbers";
import type { Group } from "./grouping";
import { useInstanceMarks } from "./marked";
import { type PlacedGroup, STEP, squarePlace, squaresInSight } from "./windowing";

/** Over all instances, or of the squares that a filter leaves. */
export type GroupCounts = Pick<SubsetEntry, "count"> & { correct?: number | undefined };

interface InstanceGroupProperties {
  placed: PlacedGroup;
  group: Group;
  instances: InstanceColumns;
  classes: readonly string[];
  /** Grouped by predicted class. */
  unlabelled: boolean;
  subset: GroupCounts | undefined;
  /** In sight, from the top of all groups. */
  sightTop: number;
  sightBottom: number;
  /** The row whose square the Tab key reaches. */
  tabRow: number;
}

/** Groups that follow each other are drawn in different frames, so many in turn. */
const FRAMES = 4;

export const InstanceGroup = memo(function InstanceGroup(current: InstanceGroupProperties) {
  return <DrawnGroup {...useLater(current, current.placed.label % FRAMES)} />;
});

const DrawnGroup = memo(function DrawnGroup(properties: InstanceGroupProperties) {
  const { placed, classes, subset, unlabelled } = properties;
  const colours = useClassColours();
  const total = useStore().catalogue.snapshot.value?.instances ?? 0;
  const count = subset?.count ?? 0;
  const correct = subset?.correct ?? 0;
  const name = predictedName(classes, placed.label);
  const section = useRef<HTMLElement>(null);
  return (
    <section
      ref={section}
      class={unlabelled ? "instance-group whole" : "instance-group"}
      style={{ top: `${placed.top}px`, height: `${placed.height}px` }}
      aria-label={name}
    >
      <h3>
        {colours[placed.label] === undefined ? (
          <InstanceGlyph judgement={{ kind: "nothing", label: -1, predicted: -1 }} colours={colours} />
        ) : (
          <ClassDot colour={colours[placed.label]} />
        )}
        <span class="class-name" title={name}>
          {name}
        </span>
        {unlabelled ? (
          <span class="group-count" title={`${countText(count)} of ${countText(total)} instances: ${name}`}>
            {subset ? `${countText(count)} · ${percentText(count / total)}` : ""}
          </span>
        ) : (
          <>
            <span
              class="group-count"
              title={`${countText(correct)} of ${countText(count)} instances are predicted as ${name}`}
            >
              {accuracyText(correct, count, total)}
            </span>
            <WrongCount name={name} count={count - correct} />
          </>
        )}
      </h3>
      <div class="sides">
        <Squares {...properties} side="correct" />
        {!unlabelled && <Squares {...properties} side="misclassified" />}
      </div>
      <Marks container={section} />
    </section>
  );
});

/** Of so many, the correct ones are left out: beside both counts there would be no room for a class's name. */
const MANY_INSTANCES = 100_000;

function accuracyText(correct: number, count: number, total: number): string {
  if (count === 0) return "none";
  const share = percentText(correct / count);
  if (total >= MANY_INSTANCES) return `${share} of ${countText(count)}`;
  return `${countText(correct)} of ${countText(count)} · ${share}`;
}

/** By itself, so that marking draws no square again. */
function Marks({ container }: { container: RefObject<HTMLElement | null> }) {
  useInstanceMarks(container, useStore());
  return null;
}

/** A click makes a subset of the misclassified ones. */
function WrongCount({ name, count }: { name: string; count: number }) {
  const { durable, pointing } = useStore();
  if (count === 0) return <span class="wrong-count none">0</span>;
  const title = `Make a subset of the ${countText(count)} ${name} that are not predicted as it`;
  return (
    <button
      type="button"
      class="wrong-count"
      data-testid="class-errors"
      data-label={name}
      title={title}
      aria-label={title}
      onClick={() => pointing.point(narrowed(errorsOf(name), durable.filter.peek()))}
    >
      {countText(count)}
    </button>
  );
}

function Squares(properties: InstanceGroupProperties & { side: keyof Group }) {
  const { group, placed, side, sightTop, sightBottom } = properties;
  const rows = group[side];
  const [first, end] = squaresInSight(placed, side, rows.length, { top: sightTop, bottom: sightBottom });
  const perLine = placed.perLine[side];
  return (
    <div class={`squares ${side}`} style={{ height: `${Math.ceil(rows.length / perLine) * STEP}px` }}>
      {rows.slice(first, end).map((row, at) => (
        <Square key={row} {...properties} row={row} place={squarePlace(first + at, perLine)} />
      ))}
    </div>
  );
}

interface SquareProperties extends InstanceGroupProperties {
  row: number;
  place: { left: number; top: number };
}

function Square({ row, place, instances, classes, tabRow }: SquareProperties) {
  const colours = useClassColours();
  const judgement = judgementOf(instances, row);
  const { kind, label, predicted } = judgement;
  const asked = instances.always[row] ?? false;
  const { look, style } = glyphOf(judgement, colours);
  const found = kind === "nothing" ? NO_PREDICTION : `predicted ${classes[predicted]}`;
  const said = [
    [instanceName(instances, row), classes[label]].filter((part) => part !== undefined).join(", "),
    kind === "right" ? "" : found,
    asked ? "test case" : "",
  ];
  return (
    <button
      type="button"
      tabIndex={row === tabRow ? 0 : -1}
      class={`instance-glyph${look}${asked ? " always" : ""}`}
      style={{ left: `${place.left}px`, top: `${place.top}px`, ...style }}
      data-testid="instance-square"
      data-row={row}
      data-label={classes[label]}
      data-predicted={classes[predicted]}
      data-correct={label < 0 ? undefined : String(kind === "right")}
      aria-label={said.filter((part) => part !== "").join(", ")}
    />
  );
}
