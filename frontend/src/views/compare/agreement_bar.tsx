/** Who is right where: a bar, counts that become rows, and the squares of those whose prediction changed. */
import type { Agreement, OutcomeCounts } from "../../contract/activis";
import { OUTCOMES, type Outcome, outcomeKey, outcomeName } from "../../store/rows";
import type { Side } from "../../store/side";
import { useStore } from "../../ui/context";
import { useLater } from "../../ui/deferred";
import { countText } from "../../ui/numbers";
import { Squares } from "./squares";

interface AgreementBarProperties {
  side: Side;
  /** Whether no other is compared, so that it has the whole width. */
  alone: boolean;
}

export function AgreementBar({ side, alone }: AgreementBarProperties) {
  // The squares of a step follow its panels.
  const agreement = useLater(side.agreement.state.value.value, 2);
  if (!agreement || agreement.over === 0) return <p class="no-agreement">{agreement?.note}</p>;
  if (agreement.unlabelled) return <SamePredictions side={side} agreement={agreement} alone={alone} />;
  const counts = countsOf(agreement, side.outcomes.state.value.value);
  return (
    <div class="agreement" data-testid="agreement" data-side={side.letter}>
      <div class="agreement-bar" aria-hidden="true">
        {OUTCOMES.map((outcome) => (
          <i key={outcome} class={outcome} data-letter={side.letter} style={{ flexGrow: counts[outcome] }} />
        ))}
      </div>
      <div class="agreement-legend">
        {OUTCOMES.map((outcome) => (
          <OutcomeButton key={outcome} {...{ side, outcome, agreement }} count={counts[outcome]} />
        ))}
        <span class="same" data-testid="same-prediction" title={counts.title}>
          {alone ? "same prediction on " : "same "}
          {countText(counts.same_prediction)} of {countText(counts.over)}
          {!counts.isAll && " sampled"}
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

/** Without labels: who predicts the same, and the squares of the others. */
function SamePredictions({ side, agreement, alone }: AgreementBarProperties & { agreement: Agreement }) {
  const { over, same_prediction, isAll } = countsOf(agreement, side.outcomes.state.value.value);
  return (
    <div class="agreement" data-testid="agreement" data-side={side.letter}>
      <div class="agreement-bar" aria-hidden="true">
        <i class="both_right" style={{ flexGrow: same_prediction }} />
        <i class="only_other" data-letter={side.letter} style={{ flexGrow: over - same_prediction }} />
      </div>
      <div class="agreement-legend">
        <span class="same" data-testid="same-prediction" title={agreement.note}>
          {alone ? "same prediction on " : "same "}
          {countText(same_prediction)} of {countText(over)}
          {!isAll && " sampled"}
        </span>
        <span class="no-labels" title={agreement.note}>
          no labels: nobody is right or wrong
        </span>
      </div>
      <div class="changed">
        <Squares side={side} title="different" rows={agreement.different} />
      </div>
    </div>
  );
}

interface Counts extends Record<Outcome | "over" | "same_prediction", number> {
  isAll: boolean;
  title: string;
}

/** Over all instances where both store them, else over those that both keep one by one. */
function countsOf(agreement: Agreement, all: OutcomeCounts | undefined): Counts {
  const { over, same_prediction, exactness } = agreement;
  if (all) {
    const squares = `Squares and rows are of the ${countText(over)} sampled in both.`;
    return { ...all, isAll: true, title: `Over all ${countText(all.over)} stored instances. ${squares} ${all.note}` };
  }
  const isAll = exactness === "exact";
  const counts = OUTCOMES.map((outcome) => [outcome, agreement[outcome].length]);
  const title = isAll
    ? `Over all ${countText(over)} instances`
    : `Over the ${countText(over)} instances that both keep one by one`;
  return { ...(Object.fromEntries(counts) as Record<Outcome, number>), over, same_prediction, isAll, title };
}

interface OutcomeButtonProperties {
  side: Side;
  outcome: Outcome;
  agreement: Agreement;
  count: number;
}

/** Adds the row of these instances to every matrix, or takes it away. */
function OutcomeButton({ side, outcome, agreement, count }: OutcomeButtonProperties) {
  const { comparing, durable } = useStore();
  const row = { outcome, other: side.position };
  const shown = durable.comparing.outcomes.value.includes(outcomeKey(row));
  const sampled = agreement[outcome].length;
  return (
    <button
      type="button"
      class="outcome"
      data-testid="outcome"
      data-outcome={outcome}
      aria-pressed={shown}
      disabled={sampled === 0 && !shown}
      title={`${shown ? "Remove the row" : "Add a row"} of these instances: averages over ${countText(sampled)} of the ${countText(agreement.over)} sampled in both`}
      onClick={() => comparing.toggleOutcome(outcome, side.position)}
    >
      <i class={outcome} data-letter={side.letter} />
      <span>{outcomeName(row, 1)}</span> <b>{countText(count)}</b>
      <small>{shown ? "row shown" : "+ row"}</small>
    </button>
  );
}
