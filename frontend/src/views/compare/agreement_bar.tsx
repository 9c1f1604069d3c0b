/** Who is right where: a bar, counts that become rows, and the squares of those whose prediction changed. */

import type { Agreement } from "../../contract/activis";
import { OUTCOMES, type Outcome, outcomeKey, outcomeName } from "../../state/outcomes";
import type { Side } from "../../state/side";
import { countText } from "../widgets/numbers";
import { useStore } from "../widgets/store";
import { Squares } from "./squares";

interface AgreementBarProperties {
  side: Side;
  /** Whether no other is compared, so that it has the whole width. */
  alone: boolean;
}

export function AgreementBar({ side, alone }: AgreementBarProperties) {
  const state = side.agreement.state.value;
  const agreement = state.value;
  if (!agreement || agreement.over === 0) return <p class="no-agreement">{agreement?.note}</p>;
  return (
    <div class="agreement" data-testid="agreement" data-side={side.letter}>
      <div class="agreement-bar" aria-hidden="true">
        {OUTCOMES.map((outcome) => (
          <i key={outcome} class={outcome} data-letter={side.letter} style={{ flexGrow: agreement[outcome].length }} />
        ))}
      </div>
      <div class="agreement-legend">
        {OUTCOMES.map((outcome) => (
          <OutcomeButton key={outcome} {...{ side, outcome, agreement }} />
        ))}
        <span class="same" title={overText(agreement)}>
          {alone ? "same prediction on " : "same "}
          {countText(agreement.same_prediction)} of {countText(agreement.over)}
          {agreement.exactness !== "exact" && " sampled"}
        </span>
      </div>
      <div class="changed">
        <Squares side={side} title="broken" rows={agreement.only_base} />
        <Squares side={side} title="fixed" rows={agreement.only_other} />
        <Squares side={side} title="still wrong" rows={agreement.both_wrong} />
      </div>
    </div>
  );
}

const overText = ({ over, exactness }: Agreement): string =>
  exactness === "exact"
    ? `Over all ${countText(over)} instances`
    : `Over the ${countText(over)} instances that both keep one by one`;

interface OutcomeButtonProperties {
  side: Side;
  outcome: Outcome;
  agreement: Agreement;
}

/** Adds the row of these instances to every matrix, or takes it away. */
function OutcomeButton({ side, outcome, agreement }: OutcomeButtonProperties) {
  const { comparing, durable } = useStore();
  const row = { outcome, other: side.position };
  const shown = durable.comparing.outcomes.value.includes(outcomeKey(row));
  const count = agreement[outcome].length;
  return (
    <button
      type="button"
      class="outcome"
      data-testid="outcome"
      data-outcome={outcome}
      aria-pressed={shown}
      disabled={count === 0 && !shown}
      title={`${shown ? "Remove the row" : "Add a row"} of these instances: averages over ${countText(count)} of the ${countText(agreement.over)} sampled in both`}
      onClick={() => comparing.toggleOutcome(outcome, side.position)}
    >
      <i class={outcome} data-letter={side.letter} />
      <span>{outcomeName(row, 1)}</span> <b>{countText(count)}</b>
      <small>{shown ? "row shown" : "+ row"}</small>
    </button>
  );
}
