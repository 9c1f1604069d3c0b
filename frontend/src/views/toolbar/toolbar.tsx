/** Toolbar: run, name, step, order of the neurons, size, links and notes. */

import { batch, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SnapshotEntry } from "../../contract/activis";
import { namesOf, type Selection, snapshotsOf } from "../../store/selection";
import { sortOptions } from "../../store/sort_options";
import { DEFAULT_SORT, type DotSize } from "../../store/url_state";
import { copyText } from "../../ui/clipboard";
import { isColumn, useClassColours, useSnapshot, useTab } from "../../ui/context";
import { Picker, Popup, Segmented } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { ClassDot, Icon, SideBadge } from "../../ui/glyphs";
import { OverStepsButton, PlayButton, StepSlider, type StepSliderProperties } from "../../ui/steps";
import { Versus } from "./compare_menu";
import { Legend } from "./legend";

const ComparisonPickers = deferred(async () => (await import("./comparison_choices")).ComparisonPickers);
const Downloads = deferred(async () => (await import("./downloads")).Downloads);

const SHOWN_MILLISECONDS = 2_500;

function LinkButton() {
  const { address } = useTab();
  const feedback = useSignal("");
  useEffect(() => {
    if (feedback.value === "") return undefined;
    const timer = setTimeout(() => {
      feedback.value = "";
    }, SHOWN_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [feedback.value]);
  const copy = async () => {
    const copied = await copyText(address.link());
    feedback.value = copied
      ? address.notice.value || "Link copied"
      : "The browser does not allow copying; the link is in the address bar";
  };
  return (
    <span class="link-button">
      <button
        type="button"
        class="quiet"
        aria-label="Copy link"
        title="Copy a link to what is shown"
        data-testid="copy-link"
        onClick={() => void copy()}
      >
        <Icon name="link" />
      </button>
      <span class={feedback.value ? "feedback shown" : "feedback"} role="status" data-testid="copy-feedback">
        {feedback.value}
      </span>
    </span>
  );
}

function Notes() {
  const { catalogue, address } = useTab();
  const silence = catalogue.silence.value;
  const warnings = catalogue.runs.value.value?.warnings ?? [];
  const notes = [silence, address.notice.value, ...warnings].filter((note) => note !== "");
  if (notes.length === 0) return null;
  const count = `${notes.length} ${notes.length === 1 ? "note" : "notes"}`;
  return (
    <Popup
      class="menu notes"
      testId="notes"
      summary={<span class={silence && "wrong"}>{silence ? "no answer" : count}</span>}
    >
      <ul class="menu-body">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </Popup>
  );
}

function StepPicker({ steps, step }: Pick<StepSliderProperties, "steps" | "step">) {
  const { stepping } = useTab();
  return (
    <div class="step-picker">
      {steps.length > 1 && <PlayButton />}
      <StepSlider
        steps={steps}
        step={stepping.playing.value ? step : (stepping.pending.value ?? step)}
        onPick={stepping.goTo}
        awaited={stepping.late.value ? stepping.pending.value : null}
      />
      {steps.length > 1 && <OverStepsButton />}
      <FollowSwitch />
    </div>
  );
}

/** While training runs: whether new steps are shown as they come, else how many came. */
function FollowSwitch() {
  const { catalogue, urlState } = useTab();
  const on = urlState.follow.value;
  const count = catalogue.newSteps.value.length;
  const news = count > 0 ? `${count} new ${count === 1 ? "step" : "steps"}` : "";
  const explanation = on
    ? "New steps are shown as they arrive; press to stay at this one"
    : "Show the newest step, and each new one";
  return (
    <button
      type="button"
      class="quiet follow"
      data-testid="follow-latest"
      aria-pressed={on}
      aria-label={`Follow latest${news && `, ${news}`}`}
      title={news ? `${news}. ${explanation}` : explanation}
      onClick={() => {
        urlState.follow.value = !on;
      }}
    >
      <Icon name="newest" />
      <span>Follow</span>
      {news && (
        <i class="news" data-testid="new-steps">
          +{count}
        </i>
      )}
    </button>
  );
}

export function Toolbar({ onHelp }: { onHelp: () => void }) {
  const { catalogue, comparing } = useTab();
  const selection = catalogue.selection.value;
  const compares = comparing.active.value;
  const isOpen = useSignal(false);
  if (!selection) return <header class="toolbar" />;
  return (
    <header class={isOpen.value ? "toolbar open" : "toolbar"}>
      <RunPickers selection={selection} compares={compares} />
      {isColumn.value && (
        <button
          type="button"
          class="plain"
          data-testid="view-button"
          aria-expanded={isOpen.value}
          onClick={() => {
            isOpen.value = !isOpen.value;
          }}
        >
          View {isOpen.value ? "▴" : "▾"}
        </button>
      )}
      <i class="divider" />
      {compares && <ComparisonPickers />}
      <SortPicker snapshot={selection.snapshot} />
      <SortByPicker />
      {!compares && <DotSizePicker />}
      <i class="divider" />
      <Legend />
      <Notes />
      <div class="actions">
        <LinkButton />
        <Popup class="menu downloads" label="Download" testId="download-menu" summary={<Icon name="download" />}>
          <Downloads />
        </Popup>
        <button
          type="button"
          class="quiet"
          aria-label="Help"
          title="Symbols and keyboard shortcuts ( ? )"
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
  const { catalogue, urlState } = useTab();
  const { run, snapshot } = selection;
  const runs = (catalogue.runs.value.value?.runs ?? []).filter((entry) => entry.snapshots.length > 0);
  const names = namesOf(run);
  /** Name and step stay where they were recorded. */
  const pick = (picked: string, name: string) => {
    const entry = runs.find((candidate) => candidate.run === picked);
    const steps = entry ? snapshotsOf(entry, name).map(({ step }) => step) : [];
    batch(() => {
      urlState.undecided.value = true;
      urlState.wish.value = {
        run: picked,
        name: steps.length > 0 ? name : null,
        step: steps.includes(snapshot.step) ? snapshot.step : null,
      };
    });
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
  const { urlState, comparison } = useTab();
  const { rows } = useSnapshot();
  const compared = comparison.compared.value;
  const colours = useClassColours();
  const sort = urlState.sort.value;
  const options = sortOptions(snapshot, rows.value, sort, compared);
  const known = options.some((option) => option.value === sort);
  const label = snapshot.classes.findIndex((name) => sort === `class:${name}`);
  return (
    <Picker
      label="Sort by"
      testId="sort-picker"
      value={known ? sort : DEFAULT_SORT}
      options={options}
      onPick={(value) => {
        urlState.sort.value = value;
      }}
      sign={label >= 0 && <ClassDot colour={colours[label]} />}
    />
  );
}

/** How the row that sorts does so. */
function SortByPicker() {
  const { urlState } = useTab();
  const { rows } = useSnapshot();
  const row = rows.value.find(({ key }) => key === urlState.sort.value);
  if (!row) return null;
  return (
    <Segmented
      label={`Neurons of ${row.name} first`}
      quiet
      value={urlState.sortBy.value}
      options={[
        { value: "", label: "highest" },
        { value: "apart", label: "singled out" },
      ]}
      onPick={(value) => {
        urlState.sortBy.value = value as "" | "apart";
      }}
    />
  );
}

function DotSizePicker() {
  const { urlState } = useTab();
  return (
    <Segmented
      label="Dot size"
      value={urlState.dotSize.value}
      options={[
        { value: "fixed", label: "fixed" },
        { value: "active", label: "% active" },
      ]}
      onPick={(value) => {
        urlState.dotSize.value = value as DotSize;
      }}
    />
  );
}
