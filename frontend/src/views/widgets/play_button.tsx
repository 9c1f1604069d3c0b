/** Shows one step after another, or stops there. */

import { Icon } from "./glyphs";
import { useStore } from "./store";

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
