/** How many instances meet the condition, how exact that is, and how many would with the offered completion. */
import type { SubsetDescription } from "../../contract/activis";
import { useStore } from "../../ui/context";
import {
  accuracyText,
  isExact,
  isInDoubt,
  isOfSample,
  limitsText,
  populationText,
  roughCountText,
  shortCountText,
  wholeText,
} from "../../ui/exactness";
import { countText } from "../../ui/numbers";

export function Count() {
  const { draft } = useStore();
  const status = draft.verdict.value.status;
  const answer = draft.latest.value;
  const offered = draft.offered.value === "" ? null : draft.offeredAnswer.value;
  return (
    <span class={status === "asking" ? "subset-count waiting-count" : "subset-count"}>
      <span role="status" data-testid="subset-count" data-status={status}>
        {answer && <Counted answer={answer} />}
      </span>
      {offered !== null && (
        <span class="offered-count" data-testid="subset-offered-count">
          Tab → {roughCountText(offered)}
        </span>
      )}
    </span>
  );
}

function Counted({ answer }: { answer: SubsetDescription }) {
  const exact = isExact(answer);
  const limits = limitsText(answer);
  return (
    <span title={titleOf(answer)}>
      {!exact && "≈ "}
      <b>{exact ? countText(answer.count) : shortCountText(answer.count)}</b>
      {` ${wholeText(answer)} `}
      {limits !== "" && `(${limits}) `}
      <span class={exact ? "badge exact" : "badge estimate"}>{badgeOf(answer)}</span>
    </span>
  );
}

function badgeOf(answer: SubsetDescription): string {
  if (isOfSample(answer)) return "sample";
  if (isInDoubt(answer)) return answer.note.startsWith("Of long texts") ? "cut" : "rounded";
  return isExact(answer) ? "exact" : "estimate";
}

function titleOf(answer: SubsetDescription): string {
  return [populationText(answer), accuracyText(answer)].filter((text) => text !== "").join(", ");
}
