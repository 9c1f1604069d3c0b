/** Controls of the steps: the slider, the buttons that play them and show them together. */
import { useSnapshot, useTab } from "./context";
import { loadDeferred } from "./deferred";
import { Icon } from "./glyphs";
import { countText } from "./numbers";

export interface StepSliderProperties {
  /** Ascending. */
  steps: readonly number[];
  step: number;
  onPick: (step: number) => void;
  /** The step that is not ready although its time has come. */
  awaited?: number | null;
  /** What it moves, for those who cannot see where it stands. */
  label?: string;
  testId?: string;
}

const MOST_TICKS = 30;

export function StepSlider({
  steps,
  step,
  onPick,
  awaited = null,
  label = "Step",
  testId = "step-picker",
}: StepSliderProperties) {
  const position = steps.indexOf(step);
  const last = steps.length - 1;
  const go = (to: number) => {
    const picked = steps[to];
    if (picked !== undefined) onPick(picked);
  };
  return (
    <>
      {last > 0 && (
        <>
          <button
            type="button"
            class="quiet"
            aria-label={`Previous ${label.toLowerCase()}`}
            disabled={position <= 0}
            onClick={() => go(position - 1)}
          >
            <Icon name="previous" />
          </button>
          <span class="slider" style={{ "--share": `${(100 * position) / last}%` }}>
            {last < MOST_TICKS && steps.map((tick, at) => <i key={tick} style={{ left: `${(100 * at) / last}%` }} />)}
            <input
              type="range"
              data-testid={testId}
              aria-label={label}
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
            aria-label={`Next ${label.toLowerCase()}`}
            disabled={position >= last}
            onClick={() => go(position + 1)}
          >
            <Icon name="next" />
          </button>
        </>
      )}
      <span class={last > 0 ? "step-text several" : "step-text"}>
        <b>step {countText(step)}</b>
        {last > 0 && awaited === null && ` · ${position + 1} of ${steps.length}`}
        {awaited !== null && (
          <span data-testid="awaited-step" title={`The numbers of step ${countText(awaited)} are not there yet`}>
            {` · waits for ${countText(awaited)}`}
          </span>
        )}
      </span>
    </>
  );
}

/** Shows one step after another, or stops there. */
export function PlayButton() {
  const { stepping } = useTab();
  const playing = stepping.playing.value;
  return (
    <button
      type="button"
      class="quiet"
      data-testid="play"
      aria-pressed={playing}
      aria-label="Play the steps"
      title={playing ? "Stop here" : "Show one step after another; projections keep their frame"}
      onClick={stepping.togglePlay}
    >
      <Icon name={playing ? "pause" : "play"} />
    </button>
  );
}

/** Opens the steps of a layer side by side, of the first open one where none was chosen. */
export function OverStepsButton() {
  const { catalogue, urlState } = useTab();
  const { layers } = useSnapshot();
  const open = urlState.overSteps.value !== "";
  const first = layers.value[0]?.name ?? catalogue.snapshot.value?.layers.at(-1)?.name ?? "";
  const toggle = async () => {
    await loadDeferred();
    urlState.overSteps.value = open ? "" : first;
    // It is below the panels, where it would open unseen.
    requestAnimationFrame(() => document.querySelector(".over-steps")?.scrollIntoView({ block: "nearest" }));
  };
  return (
    <button
      type="button"
      class="quiet"
      data-testid="over-steps-button"
      aria-pressed={open}
      aria-label="Over steps"
      title="Accuracy, separation and projections over the steps"
      onClick={() => void toggle()}
    >
      <Icon name="steps" />
    </button>
  );
}
