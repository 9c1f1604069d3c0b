/** Says which instances are shown while a condition filters them, and lets all be shown again. */
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

export function FilterLine({ sampled }: { sampled: number }) {
  const { draft, durable, subsets } = useStore();
  const condition = durable.filter.value;
  if (condition === "") return null;
  const state = subsets.answers.value.get(condition);
  const shown = draft.filtered.value?.reduce((sum, flag) => sum + flag, 0);
  return (
    <p class="filter-line" data-testid="filter-line">
      <Icon name="filter" />
      <code title={condition}>{condition}</code>
      {state?.status === "error" ? (
        <span class="wrong" title={state.message}>
          not here
        </span>
      ) : (
        <span title="Counts and accuracies below are of the instances shown">
          {shown === undefined ? "…" : `${countText(shown)} of ${countText(sampled)}`}
        </span>
      )}
      <button
        type="button"
        class="quiet"
        aria-label="Show all instances again"
        title="Show all instances again"
        onClick={() => {
          durable.filter.value = "";
        }}
      >
        <Icon name="close" />
      </button>
    </p>
  );
}
