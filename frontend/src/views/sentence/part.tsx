/** Part of a sentence that stands for some instances. */

import type { ComponentChildren } from "preact";
import type { MatrixRow } from "../../store/rows";
import { useTab } from "../../ui/context";
import { useLighting } from "../../ui/lighting";

/** Lights its instances, and keeps them lit after a click, until another. */
export function Part({ lit, children }: { lit: MatrixRow; children: ComponentChildren }) {
  const { urlState, toggleLock } = useTab();
  const lighting = useLighting();
  return (
    <button
      type="button"
      class="sentence-part"
      aria-pressed={urlState.locked.value === lit.key}
      title={urlState.locked.value === lit.key ? "Stay lit; click to let go" : "Click to keep them lit"}
      {...lighting(lit)}
      onClick={() => toggleLock(lit)}
    >
      {children}
    </button>
  );
}
