/** Says which rows are compared, or that one waits for another; Escape or its button ends it. */

import { useEffect } from "preact/hooks";
import { usePalette, useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";

export function ComparisonNote() {
  const { comparison } = useStore();
  const [secondColour, , firstColour] = usePalette().diverging;
  useEscape(comparison.end);
  const marked = comparison.marked.value;
  const [first, second] = comparison.compared.value ?? [];
  if (!marked && !first) return null;
  return (
    <span class="comparison-note" role="status" data-testid="comparison">
      <i class="comparison-colour" style={{ background: firstColour }} />
      <b>{(marked ?? first)?.name}</b>
      {marked ? (
        "with another row: its arrows, or C"
      ) : (
        <>
          {"−"}
          <i class="comparison-colour" style={{ background: secondColour }} />
          <b>{second?.name}</b>
        </>
      )}
      <button type="button" class="quiet" aria-label="End the comparison" title="End (Esc)" onClick={comparison.end}>
        <Icon name="close" />
      </button>
    </span>
  );
}

/** Does what Escape means where nothing is typed or open that it would close. */
function useEscape(end: () => boolean): void {
  useEffect(() => {
    let isTaken = false;
    const look = ({ target }: KeyboardEvent) => {
      const isTyped = target instanceof Element && target.matches("input:not([type=range]), select");
      isTaken = isTyped || document.querySelector("details[open], dialog[open]") !== null;
    };
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !isTaken) end();
    };
    document.addEventListener("keydown", look, { capture: true });
    document.addEventListener("keydown", listen);
    return () => {
      document.removeEventListener("keydown", look, { capture: true });
      document.removeEventListener("keydown", listen);
    };
  }, [end]);
}
