/** A text of an instance; of a long one the beginning, the rest on request. */

import { useSignal } from "@preact/signals";
import { countText } from "../widgets/numbers";

const SHOWN = 400;

export function CardText({ name, text }: { name: string; text: string | null }) {
  const whole = useSignal(false);
  if (text === null) return <p class="hint">no {name}</p>;
  const rest = text.length - SHOWN;
  const isCut = rest > 0 && !whole.value;
  return (
    <p class="card-text" title={name} data-testid="card-text">
      “{isCut ? text.slice(0, SHOWN) : text}
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
