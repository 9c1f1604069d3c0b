/** Sentence at the top: the strongest confusion of the open snapshot; each part lights its instances, and keeps them. */

import type { SnapshotEntry } from "../../contract/activis";
import { type Confusion, errorCount } from "../../store/confusion";
import { NO_PREDICTION } from "../../store/judgement";
import { litRow } from "../../store/lit";
import { cellOf, labelledAs } from "../../store/subset_from_click";
import type { NamedCondition } from "../../store/subset_list";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { deferred } from "../../ui/deferred";
import { ClassDot, Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import { Part } from "./part";

const CommonWords = deferred(async () => (await import("./common")).CommonWords);

export function Sentence() {
  const { urlState, pointing, reported } = useTab();
  const store = useSnapshot();
  const snapshot = store.snapshot.value;
  const run = store.selection.value?.run.run ?? "";
  const confusion = reported.value?.confusion;
  const errors = snapshot && errorCount(snapshot);
  if (!snapshot || !errors || urlState.unsaid.value === run) return null;
  const cell = confusion && cellOfConfusion(confusion, snapshot);
  return (
    <section class="card sentence" aria-label="Where the model errs most" data-testid="sentence" data-unprinted>
      <Icon name="flag" />
      <p>
        {confusion && cell ? (
          <ConfusionWords confusion={confusion} cell={cell} snapshot={snapshot} />
        ) : (
          <ErrorWords {...errors} />
        )}
        <small> counted over all {countText(errors.over)}</small>
      </p>
      {cell && (
        <button type="button" class="primary" data-testid="sentence-row" onClick={() => pointing.point(cell)}>
          Add as row
        </button>
      )}
      <button
        type="button"
        class="quiet"
        data-testid="sentence-close"
        aria-label="Put the sentence away"
        title="Put the sentence away; another run has its own"
        onClick={() => {
          urlState.unsaid.value = run;
        }}
      >
        <Icon name="close" />
      </button>
    </section>
  );
}

/** The confusion in short, beside a layer that is shown alone. */
export function ShortSentence() {
  const snapshot = useSnapshot().snapshot.value;
  const colours = useClassColours();
  const confusion = useTab().reported.value?.confusion;
  if (!snapshot || !confusion) return null;
  const { label, predicted, count, of } = confusion;
  const { classes } = snapshot;
  return (
    <span class="short-sentence" data-testid="short-sentence">
      <Icon name="flag" />
      <Part lit={litRow(cellOfConfusion(confusion, snapshot))}>
        {countText(count)} of {countText(of)} <ClassDot colour={colours[label]} /> {classes[label]} →{" "}
        {predicted === null ? (
          NO_PREDICTION
        ) : (
          <>
            <ClassDot colour={colours[predicted]} /> {classes[predicted]}
          </>
        )}
      </Part>
    </span>
  );
}

function cellOfConfusion({ label, predicted }: Confusion, { classes }: SnapshotEntry): NamedCondition {
  return cellOf(labelledAs(classes[label] ?? ""), predicted === null ? null : (classes[predicted] ?? ""));
}

interface ConfusionWordsProperties {
  confusion: Confusion;
  cell: NamedCondition;
  snapshot: SnapshotEntry;
}

function ConfusionWords({ confusion, cell, snapshot }: ConfusionWordsProperties) {
  const { label, predicted, count, of, isOfErrors } = confusion;
  const errors = of === 1 ? "error" : "errors";
  return (
    <>
      <Part lit={litRow(cell)}>
        {countText(count)} of {countText(of)}
        {isOfErrors ? ` ${errors}` : ""}
      </Part>
      {isOfErrors ? " of " : " "}
      <ClassPart label={label} snapshot={snapshot} />
      {predicted === null ? (
        ` have ${NO_PREDICTION}`
      ) : (
        <>
          {" are taken for "}
          <ClassPart label={predicted} snapshot={snapshot} />
        </>
      )}
      <CommonWords confusion={confusion} snapshot={snapshot} />
    </>
  );
}

function ErrorWords({ errors, over }: { errors: number; over: number }) {
  if (errors === 0) return <>All {countText(over)} are predicted as their class</>;
  return (
    <>
      <Part lit={litRow({ name: "errors", condition: "NOT correct" })}>
        {countText(errors)} of {countText(over)}
      </Part>{" "}
      {errors === 1 ? "is" : "are"} not predicted as {errors === 1 ? "its" : "their"} class
    </>
  );
}

function ClassPart({ label, snapshot }: { label: number; snapshot: SnapshotEntry }) {
  const { rows } = useSnapshot();
  const colours = useClassColours();
  const row = rows.value.find((one) => one.kind === "class" && one.subset === label);
  return (
    <>
      <ClassDot colour={colours[label]} /> {row ? <Part lit={row}>{row.name}</Part> : snapshot.classes[label]}
    </>
  );
}
