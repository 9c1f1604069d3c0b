/** View C: the sampled instances by true label, right ones left, misclassified ones right. */

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { instanceRow } from "../../state/rows";
import type { Store } from "../../state/store";
import { Problem } from "../widgets/controls";
import { countText, percentText } from "../widgets/numbers";
import { useStore } from "../widgets/store";
import { InstanceCard } from "./card";
import { InstanceGroup } from "./group";
import { groupInstances } from "./grouping";

export function InstanceColumn() {
  const { catalogue, instances } = useStore();
  const snapshot = catalogue.snapshot.value;
  const state = instances.state.value;
  if (!snapshot) return null;
  return (
    <aside class="card instances" aria-label="Instances">
      <Header snapshot={snapshot} />
      {state.status === "error" && <Problem sentence={state.message} />}
      {state.status === "loading" && <p class="waiting">Loading the instances…</p>}
      {state.value && <Groups snapshot={snapshot} instances={state.value} />}
      <InstanceCard />
    </aside>
  );
}

function Header({ snapshot }: { snapshot: SnapshotEntry }) {
  const classes = snapshot.subsets.filter((subset) => subset.kind === "class");
  const correct = classes.reduce((sum, subset) => sum + subset.correct, 0);
  const count = classes.reduce((sum, subset) => sum + subset.count, 0);
  const all = snapshot.sampled >= snapshot.instances;
  return (
    <header>
      <h2>Instances</h2>
      <p>
        {countText(snapshot.instances)} {snapshot.name} · <b>{percentText(correct / count, 1)}</b> correct
      </p>
      {!all && (
        <p
          class="sampled"
          title="Counts, accuracies and averages are over all instances; a square is one that was sampled"
        >
          a square per sampled one, {countText(snapshot.sampled)} of {countText(snapshot.instances)}
        </p>
      )}
      <p class="columns">
        <span>correct · by score ↓</span>
        <span>misclassified</span>
      </p>
    </header>
  );
}

function Groups({ snapshot, instances }: { snapshot: SnapshotEntry; instances: InstanceColumns }) {
  const store = useStore();
  const groups = useMemo(() => groupInstances(instances, snapshot.classes.length), [instances, snapshot]);
  const container = useRef<HTMLDivElement>(null);
  useDimming(container, store);
  return (
    <div ref={container} class="instance-groups" {...delegated(store, instances)}>
      {groups.map((group, label) => (
        <InstanceGroup
          key={snapshot.classes[label]}
          label={label}
          group={group}
          instances={instances}
          classes={snapshot.classes}
          subset={snapshot.subsets[label]}
        />
      ))}
    </div>
  );
}

/** One set of listeners for all squares. */
function delegated(store: Store, instances: InstanceColumns) {
  const rowOf = (event: Event): number | null => {
    const square = (event.target as Element).closest<HTMLElement>("[data-testid=instance-square]");
    return square ? Number(square.dataset.row) : null;
  };
  return {
    onPointerOver: (event: PointerEvent) => {
      const row = rowOf(event);
      store.hover.value = row === null ? null : { source: "instances", row: instanceRow(instances, row) };
    },
    onPointerLeave: () => {
      store.hover.value = null;
    },
    onFocusIn: (event: FocusEvent) => {
      const row = rowOf(event);
      if (row !== null) store.hover.value = { source: "instances", row: instanceRow(instances, row) };
    },
    onFocusOut: () => {
      store.hover.value = null;
    },
    onKeyDown: (event: KeyboardEvent) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined || rowOf(event) === null) return;
      event.preventDefault();
      moveFocus(event.currentTarget as HTMLElement, event.target as HTMLElement, step);
    },
    onClick: (event: MouseEvent) => {
      const row = rowOf(event);
      if (row !== null) store.togglePin(row);
    },
  };
}

/** Moves from square to square, across the groups. */
function moveFocus(container: HTMLElement, from: HTMLElement, step: number): void {
  const squares = [...container.querySelectorAll<HTMLElement>("[data-testid=instance-square]")];
  squares[squares.indexOf(from) + step]?.focus();
}

/** Marks squares by what is lit, hovered and pinned, without drawing a thousand components again. */
function useDimming(container: { current: HTMLDivElement | null }, store: Store): void {
  const lit = store.lit.value;
  const hovered = store.instance.value;
  const pinned = new Set(store.rows.value.filter((row) => row.kind === "instance").map((row) => row.sampled));
  useLayoutEffect(() => {
    for (const square of container.current?.querySelectorAll<HTMLElement>("[data-testid=instance-square]") ?? []) {
      const row = Number(square.dataset.row);
      square.classList.toggle("dim", lit !== null && lit[row] !== 1);
      square.classList.toggle("hovered", row === hovered);
      square.classList.toggle("pinned", pinned.has(row));
    }
  });
}
