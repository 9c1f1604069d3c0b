/** View C: the instances by true label, right ones left, misclassified right, under the test cases. */

import { useMemo, useRef } from "preact/hooks";
import type { InstanceColumns, SnapshotEntry } from "../../contract/activis";
import { accuracyOf } from "../../store/judgement";
import { sliceColumn } from "../../store/numbers";
import type { MatrixRow } from "../../store/rows";
import type { SnapshotStore } from "../../store/snapshot";
import { colouringNeuron, type UrlState } from "../../store/url_state";
import { useSnapshot, useTab } from "../../ui/context";
import { Problem } from "../../ui/controls";
import { deferred, useLater } from "../../ui/deferred";
import { Icon } from "../../ui/glyphs";
import { countText, percentText } from "../../ui/numbers";
import { groupInstances, tonesOf } from "./grouping";
import { Groups } from "./groups";
import { TestCases } from "./test_cases";

const InstanceCard = deferred(async () => (await import("./instance_card")).InstanceCard);
const LitInstances = deferred(async () => (await import("./lit")).LitInstances);

function FindField({ sampled, onEnter }: { sampled: number; onEnter: () => void }) {
  const { find, found, foundCount } = useTab();
  const count = foundCount.value;
  const clear = () => {
    find.value = "";
  };
  return (
    <search class="find" data-unprinted>
      <Icon name="search" />
      <input
        type="text"
        class="find-field"
        placeholder="Find: text or #id"
        aria-label="Find instances by text or #id"
        data-testid="find-instances"
        value={find.value}
        onInput={(event) => {
          find.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") onEnter();
          if (event.key !== "Escape" || find.peek() === "") return;
          event.stopPropagation();
          clear();
        }}
      />
      {found.value && (
        <>
          <span class={count === 0 ? "find-count wrong" : "find-count"} role="status" data-testid="find-count">
            {countText(count)} of {countText(sampled)}
          </span>
          <button type="button" class="quiet" aria-label="Show all instances" onClick={clear}>
            <Icon name="close" />
          </button>
        </>
      )}
    </search>
  );
}

function FilterLine({ sampled }: { sampled: number }) {
  const { urlState } = useTab();
  const { answers, filtered } = useSnapshot();
  const condition = urlState.filter.value;
  if (condition === "") return null;
  const state = answers.value.get(condition);
  const shown = filtered.value?.reduce((sum, flag) => sum + flag, 0);
  return (
    <p class="filter-line" data-testid="filter-line">
      <Icon name="filter" />
      <code title={condition}>{condition}</code>
      {state?.status === "error" ? (
        <span class="wrong" title={state.message}>
          not here
        </span>
      ) : (
        <span title="Counts and accuracies below are of the instances shown">
          {shown === undefined ? "…" : `${countText(shown)} of ${countText(sampled)}`}
        </span>
      )}
      <button
        type="button"
        class="quiet"
        aria-label="Show all instances again"
        title="Show all instances again"
        onClick={() => {
          urlState.filter.value = "";
        }}
      >
        <Icon name="close" />
      </button>
    </p>
  );
}

/** The lit row that has no place in the matrices, while no instance is looked at. */
const litAlone = ({ temporary, instance }: SnapshotStore): MatrixRow | null =>
  instance.value < 0 ? temporary.value : null;

const InstanceRail = deferred(async () => (await import("./rail")).InstanceRail);

/** Whether the column is a rail: where the user put it aside or, until one says otherwise, beside a layer that is shown alone. */
function isAside({ instances, maximised }: UrlState): boolean {
  return instances.value === "" ? maximised.value !== "" : instances.value === "aside";
}

function AsideButton({ aside }: { aside: boolean }) {
  const { urlState } = useTab();
  const label = aside ? "Show the instances" : "Put the instances aside";
  return (
    <button
      type="button"
      class="quiet aside-button"
      data-testid="put-aside"
      aria-expanded={!aside}
      aria-label={label}
      title={label}
      onClick={() => {
        const usual = urlState.maximised.peek() !== "";
        urlState.instances.value = aside !== usual ? "" : aside ? "open" : "aside";
      }}
    >
      <Icon name="aside" />
    </button>
  );
}

export function InstanceColumn() {
  const { urlState } = useTab();
  const store = useSnapshot();
  const snapshot = store.snapshot.value;
  const state = store.instances.state.value;
  if (!snapshot) return null;
  if (isAside(urlState)) {
    return (
      <aside class="card instances aside" aria-label="Instances" data-testid="instances">
        <AsideButton aside />
        <InstanceRail snapshot={snapshot} />
      </aside>
    );
  }
  return (
    <aside class="card instances" aria-label="Instances" data-testid="instances">
      <Header snapshot={snapshot} />
      {state.status === "error" && <Problem sentence={state.message} />}
      {state.status === "loading" && <Waiting />}
      {state.value && <LoadedInstances snapshot={snapshot} instances={state.value} />}
      <Looked snapshot={snapshot} instances={state.value} />
    </aside>
  );
}

/** What is looked at: by itself, so that a hover draws nothing else of the column again. */
function Looked({ snapshot, instances }: { snapshot: SnapshotEntry; instances: InstanceColumns | undefined }) {
  const lit = litAlone(useSnapshot());
  return lit && instances ? <LitInstances row={lit} snapshot={snapshot} instances={instances} /> : <InstanceCard />;
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
  const isFiltered = useTab().urlState.filter.value !== "";
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
      <AsideButton aside={false} />
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

/** The neuron that colours the dots, and its activations by row; null where none does, or its layer is not open. */
function useColouringNeuron() {
  const { layers } = useSnapshot();
  const wanted = colouringNeuron(useTab().urlState.colour.value);
  const layer = wanted && layers.value.find(({ name }) => name === wanted.layer);
  const activations = layer?.activations.state.value.value;
  const at = wanted?.neuron ?? -1;
  const values = useMemo(() => (activations ? sliceColumn(activations, at) : null), [activations, at]);
  return wanted && values && { ...wanted, values };
}

interface LoadedInstancesProperties {
  snapshot: SnapshotEntry;
  instances: InstanceColumns;
}

/** Several hundred elements: they follow the panels and their pictures. */
function LoadedInstances(current: LoadedInstancesProperties) {
  const { found } = useTab();
  const store = useSnapshot();
  const { snapshot, instances } = useLater(
    useMemo(() => current, [current.snapshot, current.instances]),
    1,
  );
  const filtered = store.filtered.value;
  const neuron = useColouringNeuron();
  const values = neuron && neuron.values.length === instances.id.length ? neuron.values : null;
  const groups = useMemo(
    () => groupInstances(instances, snapshot, filtered, values),
    [instances, snapshot, filtered, values],
  );
  const tones = useMemo(() => values && tonesOf(values), [values]);
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
        <span title={values ? `Sorted and coloured by neuron ${neuron?.neuron} of ${neuron?.layer}` : undefined}>
          {snapshot.unlabelled ? "predicted as" : "correct"} · by {values ? `neuron ${neuron?.neuron}` : "score"} ↓
        </span>
        {!snapshot.unlabelled && <span>misclassified</span>}
      </p>
      <Groups snapshot={snapshot} instances={instances} groups={groups} tones={tones} focus={focus} />
    </>
  );
}
