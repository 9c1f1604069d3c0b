/** Moves through the recorded steps: a slider whose stops are the snapshots there are, and a switch to the newest. */

import { batch } from "@preact/signals";
import { Icon } from "../widgets/glyphs";
import { countText } from "../widgets/numbers";
import { useStore } from "../widgets/store";

interface StepPickerProperties {
  steps: readonly number[];
  step: number;
  onPick: (step: number) => void;
}

const MOST_TICKS = 30;

export function StepPicker({ steps, step, onPick }: StepPickerProperties) {
  const { durable } = useStore();
  const position = steps.indexOf(step);
  const last = steps.length - 1;
  const go = (to: number) => {
    const picked = steps[to];
    if (picked === undefined) return;
    batch(() => {
      durable.follow.value = durable.follow.peek() && to === last;
      onPick(picked);
    });
  };
  return (
    <div class="step-picker">
      {last > 0 && (
        <>
          <button
            type="button"
            class="quiet"
            aria-label="Previous step"
            disabled={position <= 0}
            onClick={() => go(position - 1)}
          >
            <Icon name="previous" />
          </button>
          <span class="slider" style={{ "--share": `${(100 * position) / last}%` }}>
            {last < MOST_TICKS && steps.map((tick, at) => <i key={tick} style={{ left: `${(100 * at) / last}%` }} />)}
            <input
              type="range"
              data-testid="step-picker"
              aria-label="Step"
              aria-valuetext={`step ${step}`}
              min={0}
              max={last}
              value={position}
              onInput={(event) => go(Number(event.currentTarget.value))}
            />
          </span>
          <button
            type="button"
            class="quiet"
            aria-label="Next step"
            disabled={position >= last}
            onClick={() => go(position + 1)}
          >
            <Icon name="next" />
          </button>
        </>
      )}
      <span class={last > 0 ? "step-text several" : "step-text"}>
        <b>step {countText(step)}</b>
        {last > 0 && ` · ${position + 1} of ${steps.length}`}
      </span>
      <FollowSwitch />
    </div>
  );
}

/** While training runs: whether new steps are shown as they come, else how many came. */
function FollowSwitch() {
  const { catalogue, durable } = useStore();
  const on = durable.follow.value;
  const count = catalogue.newSteps.value.length;
  const news = count > 0 ? `${count} new ${count === 1 ? "step" : "steps"}` : "";
  const explanation = on ? "New steps are shown as they come; press to stay" : "Show the newest step, and each new one";
  return (
    <button
      type="button"
      class="quiet follow"
      data-testid="follow-latest"
      aria-pressed={on}
      aria-label={`Follow latest${news && `, ${news}`}`}
      title={news ? `${news}. ${explanation}` : explanation}
      onClick={() => {
        durable.follow.value = !on;
      }}
    >
      <Icon name="newest" />
      <span>Follow</span>
      {news && (
        <i class="news" data-testid="new-steps">
          +{count}
        </i>
      )}
    </button>
  );
}
