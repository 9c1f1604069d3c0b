/** The squares of all classes: hovered, focused, pinned and found ones marked without drawing the others again. */

import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { NO_PREDICTION } from "../../store/judgement";
import { useStore } from "../../ui/context";
import { useSize } from "../../ui/surface";
import { type GroupCounts, InstanceGroup } from "./group";
import type { Group } from "./grouping";
import { listenToInstances } from "./marked";
import { findSquare, rowAfter } from "./motion";
import { isInSight, type PlacedGroup, placeGroups, sightOf, squarePlace } from "./windowing";

interface GroupsProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
  groups: readonly Group[];
  /** Takes the function that brings a row's square into sight and focuses it. */
  focus: { current: (row: number) => void };
}

const PADDING = 12;

export function Groups({ snapshot, instances, groups, focus }: GroupsProperties) {
  const store = useStore();
  const [container, size] = useSize<HTMLDivElement>();
  const scrollTop = useSignal(0);
  const tabRow = useSignal(-1);
  const { unlabelled } = snapshot;
  const placed = useMemo(() => placeGroups(groups, size.width - PADDING, unlabelled), [groups, size.width, unlabelled]);
  const isFiltered = store.draft.filtered.value !== null;
  const sight = sightOf(groups, scrollTop.value, size.height);
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
                subset={isFiltered ? countsOf(groups[group.label]) : recordedCounts(snapshot, group.label)}
                sightTop={sight.top}
                sightBottom={sight.bottom}
                tabRow={reachableLabel === group.label ? reachable : -1}
              />
            ) : null,
          )}
      </div>
    </div>
  );
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
