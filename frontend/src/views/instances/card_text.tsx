/** A text of an instance; of a long one the beginning, the rest on request. Beside media it begins shorter, so that they stay in sight. */

import { useSignal } from "@preact/signals";
import { countText } from "../../ui/numbers";

const SHOWN = 400;
const SHOWN_BESIDE_MEDIA = 120;

interface CardTextProperties {
  name: string;
  text: string | null;
  besideMedia: boolean;
}

export function CardText({ name, text, besideMedia }: CardTextProperties) {
  const whole = useSignal(false);
  if (text === null) return <p class="hint">no {name}</p>;
  const shown = besideMedia ? SHOWN_BESIDE_MEDIA : SHOWN;
  const rest = text.length - shown;
  const isCut = rest > 0 && !whole.value;
  return (
    <p class="card-text" title={name} data-testid="card-text">
      “{isCut ? text.slice(0, shown) : text}
      {isCut ? "… " : "”"}
      {isCut && (
        <button
          type="button"
          class="quiet"
          data-testid="whole-text"
          onClick={() => {
            whole.value = true;
          }}
        >
          {countText(rest)} more characters
        </button>
      )}
    </p>
  );
}
