/** Says which rows are compared, or that one waits for another; Escape or its button ends it. */

import { useEffect } from "preact/hooks";
import { Icon } from "../widgets/glyphs";
import { usePalette, useStore } from "../widgets/store";

export function ComparisonNote() {
  const { comparison } = useStore();
  const [secondColour, , firstColour] = usePalette().diverging;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isTyped = event.target instanceof Element && event.target.matches("input:not([type=range]), select");
      const isOpen = document.querySelector("details[open], dialog[open]") !== null;
      if (event.key === "Escape" && !isTyped && !isOpen && comparison.end()) event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [comparison]);
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
