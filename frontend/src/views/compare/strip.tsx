/** Strip of the compared runs: how right each is, at which step, on which data. */

import type { ComponentChildren } from "preact";
import type { Graph, GraphNode } from "../../contract/activis";
import { sourceKind } from "../../store/graph_order";
import { accuracyOf } from "../../store/judgement";
import type { Side } from "../../store/side";
import type { SnapshotStore } from "../../store/snapshot";
import type { TabStore } from "../../store/tab";
import { useTab } from "../../ui/context";
import { Icon, SideBadge } from "../../ui/glyphs";
import { countText, listText, percentText } from "../../ui/numbers";
import { OverStepsButton, PlayButton, StepSlider } from "../../ui/steps";
import { AgreementBar } from "./agreement_bar";

interface OperatorMatch {
  matched: number;
  /** Operators of the base. */
  total: number;
  /** Those of the base that the other has not, and the other way round; by their names without numbers. */
  lacked: readonly string[];
  added: readonly string[];
}

/**
 * Pairs operators of the same type and name, each with one; null where a graph has none. The numbers that tracing puts
 * after names do not count, nor does a scope that is around the whole model, nor what trains or reports.
 */
export function matchOperators(base: Graph, other: Graph): OperatorMatch | null {
  const [ours, theirs] = [operatorNames(base), operatorNames(other)];
  if (ours.length === 0 || theirs.length === 0) return null;
  const lacked = without(ours, theirs);
  return { matched: ours.length - lacked.length, total: ours.length, lacked, added: without(theirs, ours) };
}

function operatorNames(graph: Graph): string[] {
  if (sourceKind(graph) === "layers") return [];
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const isMachinery = (node: GraphNode | undefined): boolean =>
    node !== undefined && (node.auxiliary || isMachinery(nodes.get(node.parent)));
  const paths = graph.nodes
    .filter((node) => node.kind === "operator" && !isMachinery(node))
    .map(({ full_name, operator }) => ({ operator, path: full_name.split("/").map(withoutNumber) }));
  const [first] = paths;
  const isAround = first !== undefined && paths.every(({ path }) => path.length > 1 && path[0] === first.path[0]);
  return paths.map(({ operator, path }) => `${path.slice(isAround ? 1 : 0).join("/")} (${operator})`);
}

const withoutNumber = (name: string): string => name.replace(/_\d+$/, "");

/** The items that are left when each of `others` has taken one like it. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of others) counts.set(name, (counts.get(name) ?? 0) + 1);
  return items.filter((name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count - 1);
    return count <= 0;
  });
}

interface DataNote {
  text: string;
  title: string;
  wrong: boolean;
}

function differencesOfData({ base, graph }: TabStore, side: Side): DataNote[] {
  const operators = operatorNote(base, graph, side);
  return [instanceNote(base, side), operators, layerNote(base, side, operators !== null), classNote(base, side)].filter(
    (note) => note !== null,
  );
}

function instanceNote({ snapshot }: SnapshotStore, { letter, agreement, view }: Side): DataNote | null {
  const state = agreement.state.value;
  if (state.status === "error") return { text: state.message, title: "", wrong: true };
  const [ours, theirs] = [snapshot.value?.sampled, view.snapshot.value?.sampled];
  if (!state.value || ours === undefined || theirs === undefined) return null;
  const { sampled: over, sampled_note: note } = state.value;
  if (over === 0) return { text: "no instance in both", title: note, wrong: true };
  const same = over === ours && over === theirs;
  const text = same ? `same data: ${countText(over)} sampled` : `${countText(over)} instances in both`;
  return {
    text,
    title: note || `A's sample has ${countText(ours)} instances, ${letter}'s ${countText(theirs)}`,
    wrong: false,
  };
}

/** Null where a graph lacks operators, and of two steps of one run, which are one model. */
function operatorNote({ reference }: SnapshotStore, graph: TabStore["graph"], side: Side): DataNote | null {
  const [ours, theirs] = [graph.state.value.value, side.graph.state.value.value];
  const isOneRun = reference.value?.run === side.view.reference.value?.run;
  const match = ours && theirs && !isOneRun ? matchOperators(ours, theirs) : null;
  if (!match) return null;
  const { matched, total, lacked, added } = match;
  const facts = [
    "Operators of the same type and name in both graphs, ignoring the numbers that tracing adds",
    lacked.length > 0 ? `A alone: ${listText(lacked)}` : "",
    added.length > 0 ? `${side.letter} alone: ${listText(added)}` : "",
  ];
  return {
    text: `${countText(matched)} of ${countText(total)} operators match`,
    title: facts.filter((fact) => fact !== "").join(". "),
    wrong: false,
  };
}

/** @param isTold Whether the graphs have told it: then only layers that are missing are named. */
function layerNote({ snapshot }: SnapshotStore, { letter, view }: Side, isTold: boolean): DataNote | null {
  const [ours, theirs] = [snapshot.value, view.snapshot.value];
  if (!ours || !theirs) return null;
  const names = new Set(theirs.layers.map(({ name }) => name));
  const lacked = ours.layers.map(({ name }) => name).filter((name) => !names.has(name));
  if (isTold && lacked.length === 0) return null;
  const text = `${countText(ours.layers.length - lacked.length)} of ${countText(ours.layers.length)} layers match`;
  return { text, title: lacked.length > 0 ? `${letter} lacks ${listText(lacked)}` : "By their names", wrong: false };
}

/** Null where the classes are the same. */
function classNote({ snapshot }: SnapshotStore, { letter, view }: Side): DataNote | null {
  const [ours, theirs] = [snapshot.value?.classes, view.snapshot.value?.classes];
  if (!ours || !theirs) return null;
  const onlyOurs = ours.filter((name) => !theirs.includes(name));
  const onlyTheirs = theirs.filter((name) => !ours.includes(name));
  if (onlyOurs.length + onlyTheirs.length === 0) return null;
  const parts = [
    onlyOurs.length > 0 ? `${listText(onlyOurs)} in A alone` : "",
    onlyTheirs.length > 0 ? `${listText(onlyTheirs)} in ${letter} alone` : "",
  ];
  const text = `other classes: ${parts.filter((part) => part !== "").join("; ")}`;
  return { text, title: `${text}. Classes correspond by their names.`, wrong: true };
}

export function ComparisonStrip() {
  const tab = useTab();
  const { catalogue, comparing, stepping } = tab;
  const sides = comparing.sides.value;
  const selection = catalogue.selection.value;
  return (
    <section class="card comparison-strip" data-testid="comparison" aria-label="What is compared">
      <Summary tab={tab} sides={sides} />
      <RunLine letter="A" label={selection?.run.label ?? ""} accuracy={accuracyOf(catalogue.snapshot.value).share}>
        {selection && (
          <>
            {catalogue.steps.value.length > 1 && <PlayButton />}
            <StepSlider
              steps={catalogue.steps.value}
              step={
                stepping.playing.value ? selection.snapshot.step : (stepping.pending.value ?? selection.snapshot.step)
              }
              label="Step of A"
              onPick={stepping.goTo}
              awaited={stepping.late.value ? stepping.pending.value : null}
            />
            <OverStepsButton />
          </>
        )}
      </RunLine>
      {sides.map((side) => (
        <SideLine key={side.letter} side={side} base={accuracyOf(catalogue.snapshot.value).share} />
      ))}
      <div class="agreements">
        {sides.map((side) => (
          <AgreementBar key={side.letter} side={side} alone={sides.length === 1} />
        ))}
      </div>
    </section>
  );
}

const NUMBERS = ["no", "one", "Two", "Three", "Four", "Five"];

/** Whether the runs are about the same: instances, layers, classes. */
function Summary({ tab, sides }: { tab: TabStore; sides: readonly Side[] }) {
  const runs = new Set([tab.base.reference.value?.run, ...sides.map(({ wish }) => wish.value?.run)]).size;
  const what = runs === sides.length + 1 ? "runs" : runs === 1 ? "steps" : "snapshots";
  return (
    <div class="comparison-summary">
      <h2>
        {NUMBERS[sides.length + 1]} {what}
      </h2>
      {sides.map((side) => (
        <DataLines key={side.letter} tab={tab} side={side} alone={sides.length === 1} />
      ))}
    </div>
  );
}

function DataLines({ tab, side, alone }: { tab: TabStore; side: Side; alone: boolean }) {
  const notes = differencesOfData(tab, side);
  return (
    <>
      {notes.map(({ text, title, wrong }) => (
        <p key={text} class={wrong ? "wrong" : ""} title={title} data-testid="data-note">
          {!alone && `${side.letter}: `}
          {text}
        </p>
      ))}
    </>
  );
}

interface RunLineProperties {
  letter: string;
  label: string;
  accuracy: number;
  /** The base's accuracy, where it is another one. */
  before?: number;
  children: ComponentChildren;
}

function RunLine({ letter, label, accuracy, before, children }: RunLineProperties) {
  const points = before === undefined ? Number.NaN : 100 * (accuracy - before);
  return (
    <div class="run-line" data-side={letter}>
      <SideBadge letter={letter} />
      <b class="run-name" title={label}>
        {label}
      </b>
      <span class="run-accuracy" data-testid="accuracy">
        {Number.isNaN(accuracy) ? (
          "no accuracy"
        ) : (
          <>
            <b>{percentText(accuracy, 1)}</b> correct
          </>
        )}
        {Number.isFinite(points) && (
          <span class={SIGNS[signOf(points)]?.look} title="Percentage points above A">
            {" "}
            {SIGNS[signOf(points)]?.sign}
            {Math.abs(points).toFixed(1)}
          </span>
        )}
      </span>
      <span class="run-step">{children}</span>
    </div>
  );
}

const SIGNS: Readonly<Record<number, { sign: string; look: string }>> = {
  [-1]: { sign: "−", look: "wrong" },
  0: { sign: "±", look: "" },
  1: { sign: "+", look: "right" },
};

/** Of what is shown with one decimal. */
const signOf = (points: number): number => Math.sign(Math.round(points * 10));

function SideLine({ side, base }: { side: Side; base: number }) {
  const { comparing } = useTab();
  const snapshot = side.view.snapshot.value;
  const label = side.run.value?.label ?? side.wish.value?.run ?? "";
  return (
    <RunLine
      letter={side.letter}
      label={label}
      accuracy={accuracyOf(snapshot).share}
      {...(snapshot && { before: base })}
    >
      {snapshot && (
        <StepSlider
          steps={side.view.steps.value}
          step={snapshot.step}
          label={`Step of ${side.letter}`}
          testId="side-step"
          onPick={(step) => comparing.change(side.position, { step })}
        />
      )}
      <button
        type="button"
        class="quiet"
        aria-label={`Remove ${side.letter}, ${label}`}
        data-testid="remove-side"
        data-side={side.letter}
        onClick={() => comparing.remove(side.position)}
      >
        <Icon name="close" />
      </button>
    </RunLine>
  );
}
