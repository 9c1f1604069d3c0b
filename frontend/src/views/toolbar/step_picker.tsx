/** The step that is looked at: a slider, and a switch to the newest. */

import { batch } from "@preact/signals";
import { Icon } from "../widgets/glyphs";
import { StepSlider, type StepSliderProperties } from "../widgets/step_slider";
import { useStore } from "../widgets/store";

export function StepPicker({ steps, step, onPick }: StepSliderProperties) {
  const { durable } = useStore();
  const pick = (picked: number) =>
    batch(() => {
      durable.follow.value = durable.follow.peek() && picked === steps.at(-1);
      onPick(picked);
    });
  return (
    <div class="step-picker">
      <StepSlider steps={steps} step={step} onPick={pick} />
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
