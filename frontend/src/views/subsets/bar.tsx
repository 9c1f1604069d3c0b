/** Where a subset is made: a condition, how many instances meet it, and the row that it becomes. */
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { ComparisonNote } from "./comparison";
import { ConditionField } from "./condition_field";
import { Count } from "./count";
import { Fields } from "./fields";
import { SubsetManager } from "./manager";
import { PinnedButton, PointedNote } from "./pointed";

export function SubsetBar() {
  const { draft } = useStore();
  const isRight = draft.verdict.value.status === "counted";
  return (
    <section class="card subset-bar" aria-label="Subsets" data-testid="subset-bar" data-unprinted>
      <span class="subset-bar-title" aria-hidden="true">
        <Icon name="plus" />
        <b>Subset</b>
      </span>
      <ConditionField />
      <Count />
      <button type="button" class="primary" data-testid="subset-add" disabled={!isRight} onClick={draft.commit}>
        Add row
      </button>
      <FilterToggle />
      <ComparisonNote />
      <PointedNote />
      <PinnedButton />
      <Fields />
      <SubsetManager />
    </section>
  );
}

/** Shows only the instances that meet the condition, or all again. */
function FilterToggle() {
  const { draft, durable } = useStore();
  const isOn = durable.filter.value !== "";
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
        durable.filter.value = isOn ? "" : draft.text.peek().trim();
      }}
    >
      <Icon name="filter" />
    </button>
  );
}
