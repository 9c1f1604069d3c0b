/** Beside the slider of the steps: play them, and see them together. */

import { Icon } from "./glyphs";
import { useStore } from "./store";

/** Shows one step after another, or stops there. */
export function PlayButton() {
  const { stepping } = useStore();
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
  const { catalogue, durable, layers } = useStore();
  const open = durable.overSteps.value !== "";
  const first = layers.value[0]?.name ?? catalogue.snapshot.value?.layers.at(-1)?.name ?? "";
  return (
    <button
      type="button"
      class="quiet"
      data-testid="over-steps-button"
      aria-pressed={open}
      aria-label="Over steps"
      title="Accuracy, separation and projections over the steps"
      onClick={() => {
        durable.overSteps.value = open ? "" : first;
        // It is below the panels, where it would open unseen.
        requestAnimationFrame(() => document.querySelector(".over-steps")?.scrollIntoView({ block: "nearest" }));
      }}
    >
      <Icon name="steps" />
    </button>
  );
}
