/** Drawing around dots makes a subset of them: by a button of the projection's header, or by dragging with Shift. */

import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { enclosedRows, extendLasso, type Lasso, lassoPath } from "../../draw/projection";
import { listedInstances } from "../../store/subset_from_click";
import { useStore } from "../../ui/context";
import { Icon } from "../../ui/glyphs";
import { countText } from "../../ui/numbers";
import type { PointerInputs, usePointer } from "./projection_pointer";

type Pointer = ReturnType<typeof usePointer>;

/** The toggle; `armed` is whether the next drag draws. */
export function LassoButton({ armed }: { armed: Signal<boolean> }) {
  return (
    <button
      type="button"
      class={armed.value ? "lasso-toggle on" : "lasso-toggle"}
      data-testid="lasso"
      aria-pressed={armed.value}
      aria-label="Draw around instances"
      title="Draw around instances to make a subset of them; or drag with Shift held. Esc cancels."
      onClick={() => {
        armed.value = !armed.value;
      }}
    >
      <Icon name="lasso" />
    </button>
  );
}

/** Puts the lasso before what the pointer does otherwise. */
export function useLasso(armed: Signal<boolean>, { layer, placed, view }: PointerInputs, pointer: Pointer) {
  const { instances, hover, pointing } = useStore();
  const drawn = useSignal<Lasso | null>(null);
  useEscape(() => {
    if (!armed.peek() && drawn.peek() === null) return false;
    drawn.value = null;
    armed.value = false;
    return true;
  });

  const finish = () => {
    const rows = enclosedRows(placed.positions, view.peek(), drawn.peek() ?? []);
    const columns = instances.state.peek().value;
    drawn.value = null;
    armed.value = false;
    const name = `${countText(rows.length)} of the sample · ${layer}`;
    if (columns) pointing.point(rows.length > 0 ? listedInstances(name, columns, rows) : NOTHING);
  };
  const handlers: Pointer = {
    ...pointer,
    onPointerDown: (event) => {
      if (event.button !== 0 || !(armed.peek() || event.shiftKey)) return pointer.onPointerDown(event);
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      hover.value = null;
      drawn.value = extendLasso([], event.offsetX, event.offsetY);
    },
    onPointerMove: (event) => {
      if (drawn.peek() === null) return pointer.onPointerMove(event);
      drawn.value = extendLasso(drawn.peek() ?? [], event.offsetX, event.offsetY);
    },
    onPointerUp: (event) => (drawn.peek() === null ? pointer.onPointerUp(event) : finish()),
    onPointerCancel: () => {
      drawn.value = null;
      pointer.onPointerCancel();
    },
  };
  return { handlers, drawn };
}

const NOTHING = "No instance stands inside of the line; draw around some.";

export function LassoLine({ drawn }: { drawn: ReadonlySignal<Lasso | null> }) {
  const lasso = drawn.value;
  if (!lasso) return null;
  return (
    <svg class="lasso-line" aria-hidden="true">
      <path d={lassoPath(lasso)} />
    </svg>
  );
}

/** The lasso is what Escape ends first; `cancel` says whether there was one. */
function useEscape(cancel: () => boolean): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Escape" && cancel()) event.stopPropagation();
    };
    document.addEventListener("keydown", listen, { capture: true });
    return () => document.removeEventListener("keydown", listen, { capture: true });
  });
}
