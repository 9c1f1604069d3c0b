/** What is looked at and how: run, name, step, order of the neurons, size of the dots, colours; and what to take along. */
import type { SnapshotEntry } from "../../contract/activis";
import { DEFAULT_SORT, type DotSize } from "../../store/durable";
import { namesOf, type Selection, snapshotsOf } from "../../store/selection";
import { useClassColours, useStore } from "../../ui/context";
import { type Option, Picker, Segmented } from "../../ui/controls";
import { ClassDot, Icon, SideBadge } from "../../ui/glyphs";
import { DownloadMenu } from "./downloads";
import { Legend } from "./legend";
import { LinkButton } from "./link_button";
import { Notes } from "./notes";
import { StepPicker } from "./step_picker";
import { ComparisonPickers, Versus } from "./versus";

export function Toolbar({ onHelp }: { onHelp: () => void }) {
  const { catalogue, comparing } = useStore();
  const selection = catalogue.selection.value;
  const compares = comparing.active.value;
  if (!selection) return <header class="toolbar" />;
  return (
    <header class="toolbar">
      <RunPickers selection={selection} compares={compares} />
      <i class="divider" />
      {compares && <ComparisonPickers />}
      <SortPicker snapshot={selection.snapshot} />
      {!compares && <DotSizePicker />}
      <i class="divider" />
      <Legend />
      <Notes />
      <div class="actions">
        <LinkButton />
        <DownloadMenu />
        <button
          type="button"
          class="quiet"
          aria-label="Help"
          title="What the signs mean, and the keys ( ? )"
          data-testid="help-button"
          onClick={onHelp}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

/** While runs are compared, their steps are chosen above their columns. */
function RunPickers({ selection, compares }: { selection: Selection; compares: boolean }) {
  const { catalogue, durable } = useStore();
  const { run, snapshot } = selection;
  const runs = (catalogue.runs.value.value?.runs ?? []).filter((entry) => entry.snapshots.length > 0);
  const names = namesOf(run);
  /** Name and step stay where they were recorded. */
  const pick = (picked: string, name: string) => {
    const entry = runs.find((candidate) => candidate.run === picked);
    const steps = entry ? snapshotsOf(entry, name).map(({ step }) => step) : [];
    durable.wish.value = {
      run: picked,
      name: steps.length > 0 ? name : null,
      step: steps.includes(snapshot.step) ? snapshot.step : null,
    };
  };
  return (
    <>
      <Picker
        label={compares ? "Base" : "Run"}
        sign={compares && <SideBadge letter="A" />}
        testId="run-picker"
        value={run.run}
        options={runs.map((entry) => ({ value: entry.run, label: entry.label }))}
        onPick={(value) => pick(value, snapshot.name)}
      />
      {names.length > 1 && (
        <Picker
          label="Data"
          testId="name-picker"
          value={snapshot.name}
          options={names.map((name) => ({ value: name, label: name }))}
          onPick={(name) => pick(run.run, name)}
        />
      )}
      {!compares && <StepPicker steps={catalogue.steps.value} step={snapshot.step} />}
      <Versus />
    </>
  );
}

function SortPicker({ snapshot }: { snapshot: SnapshotEntry }) {
  const { durable, rows, comparison } = useStore();
  const compared = comparison.compared.value;
  const colours = useClassColours();
  const sort = durable.sort.value;
  const byRow = rows.value.map((row) => ({ value: row.key, label: row.sampled < 0 ? `${row.name} mean` : row.name }));
  const options: Option[] = [
    ...(snapshot.unlabelled
      ? [{ value: "strongest", label: "mean" }]
      : [
          { value: "strongest", label: "strongest class" },
          { value: "variance", label: "variance between classes" },
        ]),
    { value: "natural", label: "natural order" },
    ...byRow,
    ...(compared ? [{ value: sort, label: compared.map(({ name }) => name).join(" − ") }] : []),
  ];
  const known = options.some((option) => option.value === sort);
  const label = snapshot.classes.findIndex((name) => sort === `class:${name}`);
  return (
    <Picker
      label="Sort by"
      testId="sort-picker"
      value={known ? sort : DEFAULT_SORT}
      options={options}
      onPick={(value) => {
        durable.sort.value = value;
      }}
      sign={label >= 0 && <ClassDot colour={colours[label]} />}
    />
  );
}

function DotSizePicker() {
  const { durable } = useStore();
  return (
    <Segmented
      label="Dot size"
      value={durable.dotSize.value}
      options={[
        { value: "fixed", label: "fixed" },
        { value: "active", label: "% active" },
      ]}
      onPick={(value) => {
        durable.dotSize.value = value as DotSize;
      }}
    />
  );
}
