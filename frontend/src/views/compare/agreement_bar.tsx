/** Agreement of the compared runs: a bar of who is right, and the squares of those instances. */

import { useSignal } from "@preact/signals";
import type { Agreement } from "../../contract/activis";
import { type Judgement, judgementOf, NO_PREDICTION } from "../../store/judgement";
import { instanceName, instanceRow, OUTCOMES, type Outcome, outcomeKey, outcomeName } from "../../store/rows";
import type { Side } from "../../store/side";
import { baseOf } from "../../store/snapshot";
import { useClassColours, useSnapshot, useTab } from "../../ui/context";
import { useLater } from "../../ui/deferred";
import { InstanceGlyph } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

interface SquaresProperties {
  side: Side;
  title: string;
  /** Sampled rows of the base. */
  rows: readonly number[];
}

/** So many stand in the line until all are asked for, and so many then. */
const FEW = 24;
const MOST = 400;

export function Squares({ side, title, rows }: SquaresProperties) {
  const all = useSignal(false);
  if (rows.length === 0) return null;
  const shown = rows.slice(0, all.value ? MOST : FEW);
  return (
    <fieldset
      class="changed-squares"
      aria-label={`${title} in ${side.letter}`}
      data-testid="squares"
      data-change={title}
      onKeyDown={moveAlong}
    >
      <div class="changed-line">
        <span>{title}</span>
        {shown.map((row, at) => (
          <Square key={row} side={side} row={row} isFirst={at === 0} />
        ))}
        {rows.length > FEW && (
          <button
            type="button"
            class="quiet"
            title={all.value ? "Show fewer" : `Show all that are ${title}`}
            onClick={() => {
              all.value = !all.value;
            }}
          >
            {all.value ? "fewer" : `+ ${countText(rows.length - FEW)}`}
          </button>
        )}
      </div>
    </fieldset>
  );
}

function Square({ side, row, isFirst }: { side: Side; row: number; isFirst: boolean }) {
  const { urlState } = useTab();
  const { columns, hover, togglePin } = useSnapshot();
  const colours = useClassColours();
  const ours = columns.value;
  const id = ours?.id[row] ?? "";
  if (!ours) return null;
  const theirs = side.opened.columns.value;
  const there = side.opened.rowOf.value.get(id) ?? -1;
  const classes = side.view.snapshot.value?.classes ?? [];
  const names = baseOf(side.store).snapshot.value?.classes ?? [];
  const found = theirs?.predicted[there] ?? -1;
  // What the other predicts, among the classes of the base.
  const judgement = judgementOf(
    { label: [ours.label[row] ?? -1], predicted: [names.indexOf(classes[found] ?? "")] },
    0,
  );
  const seen: Judgement = found >= 0 && judgement.predicted < 0 ? { ...judgement, kind: "wrong" } : judgement;
  const truth = names[judgement.label];
  const facts = [
    truth === undefined ? "" : `true ${truth}`,
    found < 0 ? `${side.letter}: ${NO_PREDICTION}` : `${side.letter} predicts ${classes[found]}`,
  ];
  const point = () => {
    hover.value = { source: "instances", row: instanceRow(ours, row) };
  };
  const leave = () => {
    hover.value = null;
  };
  return (
    <button
      type="button"
      class={urlState.pinned.value.includes(id) ? "changed-square pinned" : "changed-square"}
      tabIndex={isFirst ? 0 : -1}
      data-testid="changed-square"
      data-id={id}
      aria-label={`${instanceName(ours, row)}: ${facts.filter((fact) => fact !== "").join(", ")}`}
      onPointerEnter={point}
      onPointerLeave={leave}
      onFocus={point}
      onBlur={leave}
      onClick={() => togglePin(row)}
    >
      <InstanceGlyph judgement={seen} colours={colours} />
    </button>
  );
}

/** Arrow keys lead from square to square. */
function moveAlong(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const next = event.key === "ArrowRight" ? target.nextElementSibling : target.previousElementSibling;
  if (!["ArrowRight", "ArrowLeft"].includes(event.key) || !(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

interface AgreementBarProperties {
  side: Side;
  /** Whether no other is compared, so that it has the whole width. */
  alone: boolean;
}

export function AgreementBar({ side, alone }: AgreementBarProperties) {
  // The squares of a step follow its panels.
  const agreement = useLater(side.agreement.state.value.value, 2);
  if (!agreement || agreement.sampled === 0) return <p class="no-agreement">{agreement?.sampled_note}</p>;
  if (agreement.unlabelled) return <SamePredictions side={side} agreement={agreement} alone={alone} />;
  const isAll = agreement.exactness === "exact";
  return (
    <div class="agreement" data-testid="agreement" data-side={side.letter}>
      <div class="agreement-bar" aria-hidden="true">
        {OUTCOMES.map((outcome) => (
          <i key={outcome} class={outcome} data-letter={side.letter} style={{ flexGrow: agreement[outcome] }} />
        ))}
      </div>
      <div class="agreement-legend">
        {OUTCOMES.map((outcome) => (
          <OutcomeButton key={outcome} {...{ side, outcome, agreement }} />
        ))}
        <span class="same" data-testid="same-prediction" title={populationOf(agreement)}>
          {alone ? "same prediction on " : "same "}
          {countText(agreement.same_prediction)} of {countText(agreement.over)}
          {!isAll && " sampled"}
        </span>
      </div>
      <div class="changed">
        <Squares side={side} title="broken" rows={agreement.only_base_rows} />
        <Squares side={side} title="fixed" rows={agreement.only_other_rows} />
        <Squares side={side} title="still wrong" rows={agreement.both_wrong_rows} />
      </div>
    </div>
  );
}

/** Without labels: who predicts the same, and the squares of the others. */
function SamePredictions({ side, agreement, alone }: AgreementBarProperties & { agreement: Agreement }) {
  const { over, same_prediction, exactness, sampled_note: note } = agreement;
  return (
    <div class="agreement" data-testid="agreement" data-side={side.letter}>
      <div class="agreement-bar" aria-hidden="true">
        <i class="both_right" style={{ flexGrow: same_prediction }} />
        <i class="only_other" data-letter={side.letter} style={{ flexGrow: over - same_prediction }} />
      </div>
      <div class="agreement-legend">
        <span class="same" data-testid="same-prediction" title={note}>
          {alone ? "same prediction on " : "same "}
          {countText(same_prediction)} of {countText(over)}
          {exactness !== "exact" && " sampled"}
        </span>
        <span class="no-labels" title={note}>
          no labels: nobody is right or wrong
        </span>
      </div>
      <div class="changed">
        <Squares side={side} title="different" rows={agreement.different_rows} />
      </div>
    </div>
  );
}

/** Says which instances are counted. */
function populationOf({ over, sampled, exactness, note }: Agreement): string {
  if (exactness === "exact" && sampled === over) return `Over all ${countText(over)} instances`;
  if (exactness !== "exact") return `Over the ${countText(over)} instances that are in both samples`;
  const squares = `Squares and rows are of the ${countText(sampled)} sampled in both.`;
  return `Over all ${countText(over)} stored instances. ${squares} ${note}`;
}

interface OutcomeButtonProperties {
  side: Side;
  outcome: Outcome;
  agreement: Agreement;
}

/** Adds the row of these instances to every matrix, or takes it away. */
function OutcomeButton({ side, outcome, agreement }: OutcomeButtonProperties) {
  const { comparing, urlState } = useTab();
  const row = { outcome, other: side.position };
  const shown = urlState.comparing.outcomes.value.includes(outcomeKey(row));
  const sampled = agreement[`${outcome}_rows`].length;
  return (
    <button
      type="button"
      class="outcome"
      data-testid="outcome"
      data-outcome={outcome}
      aria-pressed={shown}
      disabled={sampled === 0 && !shown}
      title={`${shown ? "Remove the row" : "Add a row"} of these instances: averages over ${countText(sampled)} of the ${countText(agreement.sampled)} sampled in both`}
      onClick={() => comparing.toggleOutcome(outcome, side.position)}
    >
      <i class={outcome} data-letter={side.letter} />
      <span>{outcomeName(row, 1)}</span> <b>{countText(agreement[outcome])}</b>
      <small>{shown ? "row shown" : "+ row"}</small>
    </button>
  );
}
