/** Substitute of d3-transition in the bundle: d3-zoom interrupts transitions, and the tab makes none. */

import { type Selection, selection } from "d3-selection";

export function interrupt(): void {}

Object.assign(selection.prototype, {
  interrupt(this: Selection<Element, unknown, null, undefined>) {
    return this;
  },
});
