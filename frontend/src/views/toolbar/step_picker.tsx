/** The step that is looked at: a slider, and a switch to the newest. */
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { OverStepsButton, PlayButton, StepSlider, type StepSliderProperties } from "../../ui/steps";

export function StepPicker({ steps, step }: Pick<StepSliderProperties, "steps" | "step">) {
  const { stepping } = useStore();
  return (
    <div class="step-picker">
      {steps.length > 1 && <PlayButton />}
      <StepSlider
        steps={steps}
        step={stepping.playing.value ? step : (stepping.pending.value ?? step)}
        onPick={stepping.goTo}
        awaited={stepping.late.value ? stepping.pending.value : null}
      />
      {steps.length > 1 && <OverStepsButton />}
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
