/** Bar of the subsets: the condition, its count, compared rows, and what a click made. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { SubsetDescription } from "../../contract/activis";
import { askedOutcome } from "../../language/tokens";
import { pinnedOf } from "../../store/rows";
import { listedInstances } from "../../store/subset_from_click";
import { useSnapshot, useTab } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
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
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

const ConditionField = deferred(async () => (await import("./condition_field")).ConditionField);
const FieldSheet = deferred(async () => (await import("./fields")).FieldSheet);
const SubsetSheet = deferred(async () => (await import("./manager")).SubsetSheet);

function PointedNote() {
  const said = useTab().pointing.said.value;
  return (
    <span
      role="status"
      class={said?.refused ? "pointed-note wrong" : "pointed-note"}
      data-testid="pointed-note"
      title={said?.sentence}
    >
      {said?.sentence}
    </span>
  );
}

/** Makes one subset of all pinned instances. */
function PinnedButton() {
  const { pointing } = useTab();
  const { instances, rows } = useSnapshot();
  const pinned = pinnedOf(rows.value);
  const columns = instances.state.value.value;
  if (!columns || pinned.length === 0) return null;
  const count = `${countText(pinned.length)} pinned`;
  return (
    <button
      type="button"
      class="pinned-button"
      data-testid="subset-pinned"
      title="Make a subset of the pinned instances"
      onClick={() => pointing.point(listedInstances(count, columns, pinned))}
    >
      {count}
    </button>
  );
}

function ComparisonNote() {
  const { comparison } = useTab();
  useEscape(comparison.end);
  const marked = comparison.marked.value;
  const [first, second] = comparison.compared.value ?? [];
  if (!marked && !first) return null;
  return (
    <span class="comparison-note" role="status" data-testid="comparison">
      <span class="comparison-sign">1</span>
      <b>{(marked ?? first)?.name}</b>
      {marked ? (
        "with another row: its arrows, or C"
      ) : (
        <>
          {"−"}
          <span class="comparison-sign">2</span>
          <b>{second?.name}</b>
        </>
      )}
      <button type="button" class="quiet" aria-label="End the comparison" title="End (Esc)" onClick={comparison.end}>
        <Icon name="close" />
      </button>
    </span>
  );
}

/** Does what Escape means where nothing is typed or open that it would close. */
function useEscape(end: () => boolean): void {
  useEffect(() => {
    let isTaken = false;
    const look = ({ target }: KeyboardEvent) => {
      const isTyped = target instanceof Element && target.matches("input:not([type=range]), select");
      isTaken = isTyped || document.querySelector(":popover-open, dialog[open]") !== null;
    };
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !isTaken) end();
    };
    document.addEventListener("keydown", look, { capture: true });
    document.addEventListener("keydown", listen);
    return () => {
      document.removeEventListener("keydown", look, { capture: true });
      document.removeEventListener("keydown", listen);
    };
  }, [end]);
}

function Count() {
  const { draft } = useTab();
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
  // Of what is chosen by its outcome, an accuracy says nothing.
  const isAsked = askedOutcome(useTab().draft.condition.value) !== null;
  const title = [populationText(answer), isAsked ? "" : accuracyText(answer)].filter((text) => text !== "").join(", ");
  return (
    <span title={title}>
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

interface SubsetBarProperties {
  /** What else stands in the line. */
  before?: ComponentChildren;
  after?: ComponentChildren;
}

export function SubsetBar({ before, after }: SubsetBarProperties) {
  const { draft, subsets } = useTab();
  const count = subsets.list.value.length;
  const isRight = draft.verdict.value.status === "counted";
  return (
    <section class="card subset-bar" aria-label="Subsets" data-testid="subset-bar" data-unprinted>
      {before}
      <span class="subset-bar-title" aria-hidden="true">
        <Icon name="plus" />
        <b>Subset</b>
      </span>
      <div class="condition-place">
        <ConditionField />
      </div>
      <Count />
      <button type="button" class="primary" data-testid="subset-add" disabled={!isRight} onClick={draft.commit}>
        Add row
      </button>
      <FilterToggle />
      <ComparisonNote />
      <PointedNote />
      <PinnedButton />
      <Popup class="fields" summary="Fields" label="Fields: distributions of attributes and outcomes" testId="fields">
        <FieldSheet />
      </Popup>
      <Popup class="subset-manager" summary={count > 0 ? `Subsets · ${count}` : "Subsets"} testId="subset-manager">
        <SubsetSheet />
      </Popup>
      {after}
    </section>
  );
}

/** Shows only the instances that meet the condition, or all again. */
function FilterToggle() {
  const { draft, urlState } = useTab();
  const isOn = urlState.filter.value !== "";
  const isRight = draft.verdict.value.status === "counted";
  const title = isOn
    ? "Only instances that meet the condition are shown; click to show all"
    : "Show only the instances that meet the condition";
  return (
    <button
      type="button"
      class={isOn ? "filter-toggle on" : "filter-toggle"}
      data-testid="subset-filter"
      aria-pressed={isOn}
      aria-label="Filter the instances by the condition"
      title={title}
      disabled={!isOn && !isRight}
      onClick={() => {
        urlState.filter.value = isOn ? "" : draft.text.peek().trim();
      }}
    >
      <Icon name="filter" />
    </button>
  );
}
