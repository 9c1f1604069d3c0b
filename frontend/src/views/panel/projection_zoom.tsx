/** Buttons that zoom a projection, for those without a wheel. */

import type { Signal } from "@preact/signals";
import { type View, WHOLE, zoomAround } from "../../draw/projection";
import { Icon } from "../../ui/glyphs";

interface ZoomButtonsProperties {
  view: Signal<View>;
  width: number;
  height: number;
}

const STEP = 1.6;

export function ZoomButtons({ view, width, height }: ZoomButtonsProperties) {
  const by = (factor: number) => () => {
    view.value = zoomAround(view.peek(), factor, width / 2, height / 2);
  };
  const whole = view.value.scale === 1;
  return (
    <span class="projection-zoom">
      <button type="button" aria-label="Zoom the projection in" onClick={by(STEP)}>
        <Icon name="plus" />
      </button>
      <button type="button" aria-label="Zoom the projection out" disabled={whole} onClick={by(1 / STEP)}>
        <Icon name="minus" />
      </button>
      <button
        type="button"
        aria-label="Show the whole projection"
        disabled={whole}
        onClick={() => {
          view.value = WHOLE;
        }}
      >
        <Icon name="fit" />
      </button>
    </span>
  );
}
