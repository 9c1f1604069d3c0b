/** What is compared: the runs in their columns, how right each is, at which step, and who is right where. */

import type { ComponentChildren } from "preact";
import type { Side } from "../../store/side";
import { accuracyOf } from "../../store/snapshot";
import type { Store } from "../../store/store";
import { useStore } from "../../ui/context";
import { Icon, SideBadge } from "../../ui/glyphs";
import { percentText } from "../../ui/numbers";
import { OverStepsButton, PlayButton, StepSlider } from "../../ui/steps";
import { AgreementBar } from "./agreement_bar";
import { differencesOfData } from "./data_notes";

export function ComparisonStrip() {
  const store = useStore();
  const { catalogue, comparing, stepping } = store;
  const sides = comparing.sides.value;
  const selection = catalogue.selection.value;
  return (
    <section class="card comparison-strip" data-testid="comparison" aria-label="What is compared">
      <Summary store={store} sides={sides} />
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
function Summary({ store, sides }: { store: Store; sides: readonly Side[] }) {
  const runs = new Set([store.catalogue.reference.value?.run, ...sides.map(({ wish }) => wish.value?.run)]).size;
  const what = runs === sides.length + 1 ? "runs" : runs === 1 ? "steps" : "snapshots";
  return (
    <div class="comparison-summary">
      <h2>
        {NUMBERS[sides.length + 1]} {what}
      </h2>
      {sides.map((side) => (
        <DataLines key={side.letter} store={store} side={side} alone={sides.length === 1} />
      ))}
    </div>
  );
}

function DataLines({ store, side, alone }: { store: Store; side: Side; alone: boolean }) {
  const notes = differencesOfData(store, side);
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
  const { comparing } = useStore();
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
