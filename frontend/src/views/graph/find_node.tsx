/** Finds a node of the graph by name: Enter steps through the matches. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { GraphNode } from "../../contract/activis";
import { findNodes, type GraphIndex } from "../../draw/graph_tree";

interface FindNodeProperties {
  index: GraphIndex;
  /** Called with the match to show, null for none. */
  onFind: (node: GraphNode | null) => void;
}

export function FindNode({ index, onFind }: FindNodeProperties) {
  const input = useRef<HTMLInputElement>(null);
  const text = useSignal("");
  const step = useSignal(0);
  const matches = findNodes(index, text.value);
  useSlashKey(input);

  const show = (position: number, among: readonly GraphNode[]) => {
    step.value = among.length > 0 ? (position + among.length) % among.length : 0;
    onFind(among[step.value] ?? null);
  };
  return (
    <span class="find-node">
      <input
        ref={input}
        type="search"
        data-testid="find-node"
        placeholder="Find node"
        aria-label="Find a node of the graph"
        aria-keyshortcuts="/"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          show(0, findNodes(index, text.value));
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") show(step.value + (event.shiftKey ? -1 : 1), matches);
          if (event.key !== "Escape") return;
          text.value = "";
          show(0, []);
          event.currentTarget.blur();
        }}
      />
      <small aria-live="polite">{text.value === "" ? <kbd>/</kbd> : countOf(matches.length, step.value)}</small>
    </span>
  );
}

const countOf = (matches: number, step: number): string => (matches === 0 ? "none" : `${step + 1} of ${matches}`);

/** A slash leads to the field, unless something is being typed elsewhere. */
function useSlashKey(input: { current: HTMLInputElement | null }): void {
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing = (event.target as Element).closest?.(
        "input:not([type=range]), select, textarea, [contenteditable]",
      );
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, [input]);
}
