/** Menu of comparisons: add a run or a step, swap, remove. */
import type { Side } from "../../store/side";
import { MOST_OTHERS } from "../../store/url_state";
import { useTab } from "../../ui/context";
import { Popup } from "../../ui/controls";
import { deferred } from "../../ui/deferred";
import { Icon, SideBadge } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";

const Candidates = deferred(async () => (await import("./comparison_choices")).Candidates);

export function Versus() {
  const { comparing } = useTab();
  const sides = comparing.sides.value;
  return (
    <div class="versus">
      {sides.length > 0 && (
        <button
          type="button"
          class="quiet"
          aria-label="Swap A and B"
          title="Swap A and B"
          data-testid="swap"
          onClick={() => comparing.swap()}
        >
          <Icon name="swap" />
        </button>
      )}
      {sides.map((side) => (
        <Chip key={side.letter} side={side} />
      ))}
      {sides.length < MOST_OTHERS && <AddMenu first={sides.length === 0} />}
    </div>
  );
}

function Chip({ side }: { side: Side }) {
  const { catalogue, comparing } = useTab();
  const run = side.run.value?.label ?? side.wish.value?.run ?? "";
  const isStep = side.wish.value?.run === catalogue.reference.value?.run;
  const label = isStep ? `step ${countText(side.view.snapshot.value?.step ?? 0)}` : run;
  return (
    <span class="side-chip" data-testid="side-chip" data-side={side.letter}>
      <SideBadge letter={side.letter} />
      <span title={label}>{label}</span>
      <button
        type="button"
        class="quiet"
        aria-label={`Stop comparing with ${side.letter}, ${label}`}
        onClick={() => comparing.remove(side.position)}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

function AddMenu({ first }: { first: boolean }) {
  return (
    <Popup
      class="menu add-side"
      testId="compare-add"
      label="Compare with another run or step"
      summary={
        <>
          <Icon name="plus" />
          {first && <span>Compare</span>}
        </>
      }
    >
      <div class="menu-body">
        <Candidates />
      </div>
    </Popup>
  );
}
