/** Groups of instances by true label: their squares, marked, and walked by the arrow keys. */

import { useComputed, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { memo } from "preact/compat";
import { useMemo, useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry, Subset } from "../../contract/activis";
import { mix } from "../../draw/palette";
import { judgementOf, NO_PREDICTION, predictedName } from "../../store/judgement";
import { instanceName } from "../../store/rows";
import { errorsOf, narrowed } from "../../store/subset_from_click";
import { useClassColours, usePalette, useSnapshot, useTab } from "../../ui/context";
import { deferred, useLater } from "../../ui/deferred";
import { ClassDot, glyphOf, InstanceGlyph } from "../../ui/glyphs";
import { useLighting } from "../../ui/lighting";
import { countText, percentText } from "../../ui/numbers";
import { useSize } from "../../ui/surface";
import type { Group } from "./grouping";
import { listenToInstances, useInstanceMarks } from "./marked";
import type { VeilProperties } from "./veil";
import {
  isInSight,
  type PlacedGroup,
  placeGroups,
  SQUARE,
  STEP,
  sightOf,
  squarePlace,
  squaresInSight,
  steppedTop,
} from "./windowing";

interface SquarePosition {
  label: number;
  side: keyof Group;
  position: number;
}

const SIDES = ["correct", "misclassified"] as const;

function findSquare(groups: readonly Group[], row: number): SquarePosition | null {
  for (const [label, group] of groups.entries()) {
    for (const side of SIDES) {
      const position = group[side].indexOf(row);
      if (position >= 0) return { label, side, position };
    }
  }
  return null;
}

/** Returns the sampled row that `key` leads to from `row`; null where it leads nowhere. */
export function rowAfter(
  groups: readonly Group[],
  placed: readonly PlacedGroup[],
  row: number,
  key: string,
): number | null {
  const from = findSquare(groups, row);
  if (!from) return null;
  const line = groups[from.label]?.[from.side] ?? [];
  const perLine = placed[from.label]?.perLine[from.side] ?? 1;
  if (key === "ArrowDown") return line[from.position + perLine] ?? nextInColumn(groups, from, 1);
  if (key === "ArrowUp") return line[from.position - perLine] ?? nextInColumn(groups, from, -1);
  const order = groups.flatMap((group) => [...group.correct, ...group.misclassified]);
  const at = order.indexOf(row);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: order.length - 1 }[key];
  return to === undefined ? null : (order[to] ?? null);
}

/** The first square on the same side of the next group that has one; the last of the one before. */
function nextInColumn(groups: readonly Group[], { label, side }: SquarePosition, step: 1 | -1): number | null {
  for (let other = label + step; other >= 0 && other < groups.length; other += step) {
    const row = step > 0 ? groups[other]?.[side][0] : groups[other]?.[side].at(-1);
    if (row !== undefined) return row;
  }
  return null;
}

/** Over all instances, or of the squares that a filter leaves. */
type GroupCounts = Pick<Subset, "count"> & { correct?: number | undefined };

interface InstanceGroupProperties {
  placed: PlacedGroup;
  group: Group;
  instances: InstanceColumns;
  classes: readonly string[];
  /** Grouped by predicted class. */
  unlabelled: boolean;
  /** By row, how much of its colour a square keeps; null where that is all. */
  tones: Float32Array | null;
  subset: GroupCounts | undefined;
  /** In sight, from the top of all groups. */
  sightTop: number;
  sightBottom: number;
  /** The row whose square the Tab key reaches. */
  tabRow: number;
}

/** Groups that follow each other are drawn in different frames, so many in turn. */
const FRAMES = 4;

const InstanceGroup = memo(function InstanceGroup(current: InstanceGroupProperties) {
  return <DrawnGroup {...useLater(current, current.placed.label % FRAMES)} />;
});

const DrawnGroup = memo(function DrawnGroup(properties: InstanceGroupProperties) {
  const { placed, classes, subset, unlabelled } = properties;
  const colours = useClassColours();
  const total = useSnapshot().snapshot.value?.instances ?? 0;
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
              <Accuracy {...{ correct, count, total }} />
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

/** The share is left out where a long name has taken its room. */
function Accuracy({ correct, count, total }: { correct: number; count: number; total: number }) {
  if (count === 0) return <span>none</span>;
  const share = percentText(correct / count);
  if (total >= MANY_INSTANCES) return <span>{`${share} of ${countText(count)}`}</span>;
  return (
    <>
      <span>{`${countText(correct)} of ${countText(count)}`}</span> <span>{`· ${share}`}</span>
    </>
  );
}

/** By itself, so that marking draws no square again. */
function Marks({ container }: { container: RefObject<HTMLElement | null> }) {
  useInstanceMarks(container, { isDimmed: false });
  return null;
}

/** A click makes a subset of the misclassified ones. */
function WrongCount({ name, count }: { name: string; count: number }) {
  const { urlState, pointing } = useTab();
  const lighting = useLighting();
  if (count === 0) return <span class="wrong-count none">0</span>;
  const made = () => narrowed(errorsOf(name), urlState.filter.peek());
  const title = `Make a subset of the ${countText(count)} ${name} that are not predicted as it`;
  return (
    <button
      type="button"
      class="wrong-count"
      data-testid="class-errors"
      data-label={name}
      title={title}
      aria-label={title}
      {...lighting(made())}
      onClick={() => pointing.point(made())}
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
      <Outline label={placed.label} rows={rows} perLine={perLine} />
      {rows.slice(first, end).map((row, at) => (
        <Square key={row} {...properties} row={row} place={squarePlace(first + at, perLine)} />
      ))}
    </div>
  );
}

interface OutlineProperties {
  label: number;
  rows: readonly number[];
  perLine: number;
}

/** Around the squares of the instances that the sentence is about, while none are lit; one where they touch. */
function Outline({ label, rows, perLine }: OutlineProperties) {
  const { reported } = useTab();
  const { litMask } = useSnapshot();
  const isShown = useComputed(() => litMask.value === null && reported.value?.confusion.label === label).value;
  const outlined = new Set(isShown ? reported.value?.rows : []);
  const places = rows.flatMap((row, at) => (outlined.has(row) ? squarePlace(at, perLine) : []));
  if (places.length === 0) return null;
  const path = places.map(({ left, top }) => `M${left} ${top}h${SQUARE}v${SQUARE}h-${SQUARE}z`).join("");
  return (
    <svg
      class="outlined-squares"
      data-testid="outlined-squares"
      data-count={places.length}
      data-unprinted
      aria-hidden="true"
    >
      <path d={path} />
      <path d={path} />
    </svg>
  );
}

interface SquareProperties extends InstanceGroupProperties {
  row: number;
  place: { left: number; top: number };
}

function Square({ row, place, instances, classes, tones, tabRow }: SquareProperties) {
  const colours = useClassColours();
  const { field } = usePalette();
  const judgement = judgementOf(instances, row);
  const { kind, label, predicted } = judgement;
  const asked = instances.always[row] ?? false;
  const { look, style } = glyphOf(judgement, colours);
  const isToned = tones !== null && style["--truth"] !== "" && style["--truth"] !== "transparent";
  const toned = isToned ? { ...style, "--truth": mix(field, style["--truth"], tones[row] ?? 1) } : style;
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
      style={{ left: `${place.left}px`, top: `${place.top}px`, ...toned }}
      data-testid="instance-square"
      data-row={row}
      data-label={classes[label]}
      data-predicted={classes[predicted]}
      data-correct={label < 0 ? undefined : String(kind === "right")}
      aria-label={said.filter((part) => part !== "").join(", ")}
    />
  );
}

interface GroupsProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
  groups: readonly Group[];
  /** By row, how much of its colour a square keeps; null where that is all. */
  tones: Float32Array | null;
  /** Takes the function that brings a row's square into sight and focuses it. */
  focus: { current: (row: number) => void };
}

const PADDING = 12;

export function Groups({ snapshot, instances, groups, tones, focus }: GroupsProperties) {
  const store = useSnapshot();
  const [container, size] = useSize<HTMLDivElement>();
  const scrollTop = useSignal(0);
  const tabRow = useSignal(-1);
  const { unlabelled } = snapshot;
  const placed = useMemo(() => placeGroups(groups, size.width - PADDING, unlabelled), [groups, size.width, unlabelled]);
  const isFiltered = store.filtered.value !== null;
  const top = useComputed(() => steppedTop(scrollTop.value)).value;
  const sight = useMemo(() => sightOf(groups, top, size.height), [groups, top, size.height]);
  const last = placed.at(-1);
  const first = groups.flatMap(({ correct, misclassified }) => correct[0] ?? misclassified[0] ?? [])[0] ?? -1;
  const reachable = findSquare(groups, tabRow.value) ? tabRow.value : first;
  const reachableLabel = findSquare(groups, reachable)?.label;
  focus.current = (row) => focusRow(container, groups, placed, row);
  return (
    <div
      ref={container}
      class="instance-groups"
      onScroll={(event) => {
        scrollTop.value = event.currentTarget.scrollTop;
      }}
      {...listenToInstances(store, instances, (row, key) => {
        const next = rowAfter(groups, placed, row, key);
        if (next === null) return false;
        tabRow.value = next;
        focus.current(next);
        return true;
      })}
    >
      <div class="groups-inner" style={{ height: `${last ? last.top + last.height : 0}px` }}>
        {size.width > 0 &&
          placed.map((group) =>
            isInSight(group, sight) ? (
              <InstanceGroup
                key={snapshot.classes[group.label] ?? NO_PREDICTION}
                placed={group}
                group={groups[group.label] ?? { correct: [], misclassified: [] }}
                instances={instances}
                classes={snapshot.classes}
                unlabelled={unlabelled}
                tones={tones}
                subset={isFiltered ? countsOf(groups[group.label]) : recordedCounts(snapshot, group.label)}
                sightTop={sight.top}
                sightBottom={sight.bottom}
                tabRow={reachableLabel === group.label ? reachable : -1}
              />
            ) : null,
          )}
        <LitVeil
          container={container}
          height={size.height}
          instances={instances}
          groups={groups}
          placed={placed}
          width={size.width - PADDING}
          top={Math.max(0, sight.top)}
          bottom={Math.min(last ? last.top + last.height : 0, sight.bottom)}
        />
      </div>
    </div>
  );
}

const Veil = deferred(() => import("./veil").then((module) => module.Veil));

/** There is none before something is lit. */
function LitVeil(properties: VeilProperties) {
  const isLit = useSnapshot().litMask.value !== null;
  const wasLit = useRef(false);
  wasLit.current ||= isLit;
  return wasLit.current ? <Veil {...properties} /> : null;
}

/** Counts over all instances of a class; without labels, of those that are predicted as it, or as nothing. */
function recordedCounts(snapshot: SnapshotEntry, label: number): GroupCounts | undefined {
  const [all] = snapshot.subsets;
  if (!snapshot.unlabelled) return snapshot.subsets[label];
  const count = label < snapshot.classes.length ? all?.predicted_counts[label] : all?.without_prediction;
  return count === undefined ? undefined : { count };
}

/** Counts of the squares that a filter leaves. */
const countsOf = (group: Group | undefined): GroupCounts => ({
  count: (group?.correct.length ?? 0) + (group?.misclassified.length ?? 0),
  correct: group?.correct.length ?? 0,
});

/** Scrolls a square into sight, where it then has an element, and focuses that. */
function focusRow(
  container: RefObject<HTMLDivElement | null>,
  groups: readonly Group[],
  placed: readonly PlacedGroup[],
  row: number,
): void {
  const at = findSquare(groups, row);
  const group = at && placed[at.label];
  const element = container.current;
  if (!at || !group || !element) return;
  const top = group.top + squarePlace(at.position, group.perLine[at.side]).top;
  if (top < element.scrollTop || top > element.scrollTop + element.clientHeight - 60) {
    element.scrollTop = Math.max(0, top - element.clientHeight / 2);
  }
  // The square may only be made by the next drawing.
  requestAnimationFrame(() => element.querySelector<HTMLElement>(`[data-row="${row}"]`)?.focus());
}
