/** View C: the sampled instances by true label, right ones left, misclassified ones right; or by predicted class. */

import { useMemo, useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { accuracyOf } from "../../store/snapshot";
import { useStore } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { useLater } from "../../ui/deferred";
import { countText, percentText } from "../../ui/numbers";
import { InstanceCard } from "./card";
import { FilterLine } from "./filter_line";
import { FindField } from "./find";
import { groupInstances } from "./grouping";
import { Groups } from "./groups";
import { TestCases } from "./test_cases";

export function InstanceColumn() {
  const { catalogue, instances } = useStore();
  const snapshot = catalogue.snapshot.value;
  const state = instances.state.value;
  if (!snapshot) return null;
  return (
    <aside class="card instances" aria-label="Instances" data-testid="instances">
      <Header snapshot={snapshot} />
      {state.status === "error" && <Problem sentence={state.message} />}
      {state.status === "loading" && <Waiting />}
      {state.value && <LoadedInstances snapshot={snapshot} instances={state.value} />}
      <InstanceCard />
    </aside>
  );
}

/** Keeps the place of the squares while they are fetched. */
const Waiting = () => (
  <div class="instance-groups" role="status" aria-label="Loading the instances">
    {["90%", "70%", "80%"].map((width) => (
      <i key={width} class="skeleton" style={{ width }} />
    ))}
  </div>
);

function Header({ snapshot }: { snapshot: SnapshotEntry }) {
  const all = snapshot.sampled >= snapshot.instances;
  const isFiltered = useStore().durable.filter.value !== "";
  return (
    <header>
      <h2>Instances</h2>
      <p>
        {countText(snapshot.instances)} {snapshot.name} ·{" "}
        {snapshot.unlabelled ? (
          <span title="Recorded without labels: nothing is right or wrong">no labels</span>
        ) : (
          <>
            <b>{percentText(accuracyOf(snapshot).share, 1)}</b> correct
          </>
        )}
      </p>
      {!all && (
        <p
          class="sampled"
          title={
            isFiltered
              ? "A square is an instance that was sampled and meets the condition; counts by class are of the squares"
              : "Counts, accuracies and averages are over all instances; a square is one that was sampled"
          }
        >
          {isFiltered
            ? `${countText(snapshot.sampled)} of ${countText(snapshot.instances)} sampled, counts are of those shown`
            : `${countText(snapshot.sampled)} of ${countText(snapshot.instances)} shown, counts are over all`}
        </p>
      )}
    </header>
  );
}

interface LoadedInstancesProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

/** Several hundred elements: they follow the panels and their pictures. */
function LoadedInstances(current: LoadedInstancesProperties) {
  const { found, draft } = useStore();
  const { snapshot, instances } = useLater(
    useMemo(() => current, [current.snapshot, current.instances]),
    1,
  );
  const filtered = draft.filtered.value;
  const groups = useMemo(() => groupInstances(instances, snapshot, filtered), [instances, snapshot, filtered]);
  const focus = useRef<(row: number) => void>(() => undefined);
  const focusFirst = () => {
    const order = groups.flatMap((group) => [...group.correct, ...group.misclassified]);
    const first = order.find((row) => found.value?.[row] === 1);
    if (first !== undefined) focus.current(first);
  };
  return (
    <>
      <FilterLine sampled={snapshot.sampled} />
      <FindField sampled={instances.id.length} onEnter={focusFirst} />
      {snapshot.examples > 0 && <TestCases snapshot={snapshot} instances={instances} />}
      <p class="columns">
        <span>{snapshot.unlabelled ? "predicted as · by score ↓" : "correct · by score ↓"}</span>
        {!snapshot.unlabelled && <span>misclassified</span>}
      </p>
      <Groups snapshot={snapshot} instances={instances} groups={groups} focus={focus} />
    </>
  );
}
