/** Choices of a comparison: other runs and steps, values or differences, how columns are matched. */
import type { RunEntry } from "../../contract/activis";
import { snapshotsOf } from "../../store/selection";
import type { Alignment, Showing } from "../../store/url_state";
import { useTab } from "../../ui/context";
import { closePopup, Picker, Segmented } from "../../ui/controls";
import { countText } from "../../ui/numbers";

/** Other runs that were recorded, then the other steps of this one. */
export function Candidates() {
  const { catalogue, comparing } = useTab();
  const selection = catalogue.selection.value;
  const runs = catalogue.runs.value.value?.runs ?? [];
  if (!selection) return null;
  const { run, snapshot } = selection;
  const letters = new Map(comparing.sides.value.map((side) => [side.wish.value?.run, side.letter]));
  const others = runs.filter((entry) => entry.run !== run.run && entry.snapshots.length > 0);
  const steps = snapshotsOf(run, snapshot.name)
    .map(({ step }) => step)
    .filter((step) => step !== snapshot.step)
    .reverse();
  const nameIn = (entry: RunEntry) =>
    entry.snapshots.some(({ name }) => name === snapshot.name) ? snapshot.name : (entry.snapshots[0]?.name ?? "");
  return (
    <>
      {others.length > 0 && <p>Another run</p>}
      {others.map((entry) => (
        <Candidate
          key={entry.run}
          label={entry.label}
          letter={letters.get(entry.run)}
          press={() => comparing.add({ run: entry.run, name: nameIn(entry), step: null })}
        />
      ))}
      {steps.length > 0 && <p>Another step of this run</p>}
      {steps.map((step) => (
        <Candidate
          key={step}
          label={`step ${countText(step)}`}
          press={() => comparing.add({ run: run.run, name: snapshot.name, step })}
        />
      ))}
      {others.length + steps.length === 0 && <p>There is no other run and no other step with a recording.</p>}
    </>
  );
}

interface CandidateProperties {
  label: string;
  /** Where it is compared already. */
  letter?: string | undefined;
  press: () => void;
}

function Candidate({ label, letter, press }: CandidateProperties) {
  return (
    <button
      type="button"
      class="candidate"
      data-testid="candidate"
      data-label={label}
      onClick={(event) => {
        closePopup(event.currentTarget);
        press();
      }}
    >
      {label}
      {letter && <span class="hint"> · is {letter}</span>}
    </button>
  );
}

/** How the others are shown, and how their columns are found. */
export function ComparisonPickers() {
  const { comparing, urlState } = useTab();
  const { alignment, showing } = urlState.comparing;
  const [first, ...rest] = comparing.sides.value;
  const letter = first?.letter ?? "B";
  const alone = rest.length === 0;
  return (
    <>
      <Segmented
        label={alone ? `Show ${letter} as` : "Show others as"}
        value={showing.value}
        options={[
          { value: "values", label: "values" },
          { value: "difference", label: alone ? `Δ ${letter} − A` : "Δ to A" },
          { value: "layer", label: "per layer" },
        ]}
        onPick={(value) => {
          showing.value = value as Showing;
        }}
      />
      <Picker
        label="Align by"
        testId="align-picker"
        value={alignment.value}
        options={[
          { value: "auto", label: "automatic" },
          { value: "best", label: "best match" },
          { value: "index", label: "index" },
        ]}
        onPick={(value) => {
          alignment.value = value as Alignment;
        }}
      />
    </>
  );
}
