/** How many instances meet the condition, how exact that is, and how many would with the offered completion. */

import type { SubsetDescription } from "../../contract/activis";
import { accuracyOfRow } from "../../state/facts";
import {
  countErrorText,
  isExact,
  isOfSample,
  isRounded,
  populationText,
  shortCountText,
  wholeText,
} from "../widgets/exactness";
import { countText } from "../widgets/numbers";
import { useStore } from "../widgets/store";

export function Count() {
  const { draft } = useStore();
  const status = draft.verdict.value.status;
  const answer = draft.latest.value;
  const offered = draft.offered.value === "" ? null : draft.offeredCount.value;
  return (
    <span class={status === "asking" ? "subset-count waiting-count" : "subset-count"}>
      <span role="status" data-testid="subset-count" data-status={status}>
        {answer && <Counted answer={answer} />}
      </span>
      {offered !== null && (
        <span class="offered-count" data-testid="subset-offered-count">
          Tab → {countText(offered)}
        </span>
      )}
    </span>
  );
}

function Counted({ answer }: { answer: SubsetDescription }) {
  const exact = isExact(answer);
  const error = countErrorText(answer);
  return (
    <span title={titleOf(answer)}>
      {!exact && "≈ "}
      <b>{exact ? countText(answer.count) : shortCountText(answer.count)}</b>
      {` ${wholeText(answer)} `}
      {error !== "" && `${error} `}
      <span class={exact ? "badge exact" : "badge estimate"}>{badgeOf(answer)}</span>
    </span>
  );
}

function badgeOf(answer: SubsetDescription): string {
  if (isOfSample(answer)) return "sample";
  if (isRounded(answer)) return "rounded";
  return isExact(answer) ? "exact" : "estimate";
}

function titleOf(answer: SubsetDescription): string {
  const accuracy = accuracyOfRow(answer);
  const share = accuracy === null ? "" : `, ${Math.round(100 * accuracy)} % of them correct`;
  const margin = answer.count_error > 0 ? "; ± is twice the standard error" : "";
  return `${populationText(answer)}${share}${margin}`;
}
