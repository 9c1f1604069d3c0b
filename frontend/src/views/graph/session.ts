/** Session of one graph: what is open, where everything stands, what has the attention. Never stored. */

import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Graph, GraphNode } from "../../contract/activis";
import type { Place } from "../../draw/graph_engine";
import { layoutGraph, type PlacedGraph } from "../../draw/graph_layout";
import {
  closeGroup,
  type GraphIndex,
  indexGraph,
  nodeOf,
  openAtFirst,
  openTowards,
  shownFor,
  visibleGraph,
} from "../../draw/graph_tree";

/** What is to be seen when a layout is there. */
type Aim =
  | { kind: "fit" }
  /** A group that was opened or closed stays where it is on screen. */
  | { kind: "keep"; id: string }
  | { kind: "show"; id: string }
  /** As `show`, until what was in sight before returns. */
  | { kind: "glance"; id: string }
  | { kind: "return" };

export interface Shown {
  placed: PlacedGraph;
  aim: Aim;
}

export interface GraphSession {
  graph: Graph;
  index: GraphIndex;
  /** The newest finished layout; the one before stays until then. */
  shown: ReadonlySignal<Shown | null>;
  /** Whether a layout takes so long that it should be said. */
  busy: ReadonlySignal<boolean>;
  hovered: ReadonlySignal<GraphNode | null>;
  /** Attends to a node; null forgets it a moment later, so that the pointer can reach what is told about it. */
  point: (node: GraphNode | null) => void;
  /** Attends on to what was pointed at. */
  hold: () => void;
  /** What was clicked or reached by keys; its card is open. */
  chosen: Signal<GraphNode | null>;
  /** Id of the node that was searched for, or whose name is pointed at in a panel. */
  located: ReadonlySignal<string | null>;
  /** Whether every control edge is drawn, not only those of the node under the pointer. */
  controls: Signal<boolean>;
  /** Groups that the user sees open. */
  open: () => ReadonlySet<string>;
  toggle: (id: string) => void;
  /** Opens the groups on the way to a node and brings it into sight; null forgets what was located. */
  show: (node: GraphNode | null) => void;
  /** As `show`, until it is called with null: then everything is as before. */
  glance: (id: string | null) => void;
}

const PATIENCE = 120;
const FORGETTING = 300;

/** `open` are groups that are open at first; without it, those that show what is recorded. */
export function createSession(graph: Graph, place: Place, open?: ReadonlySet<string>): GraphSession {
  const index = indexGraph(graph);
  const shown = signal<Shown | null>(null);
  const busy = signal(false);
  const located = signal<string | null>(null);
  let chosenOpen: ReadonlySet<string> = open ?? openAtFirst(index);
  let laidOut: ReadonlySet<string> | null = null;
  let latest = 0;

  const arrange = async (next: ReadonlySet<string>, aim: Aim) => {
    const number = ++latest;
    if (laidOut === next && shown.peek()) {
      shown.value = { placed: (shown.peek() as Shown).placed, aim };
      return;
    }
    const waiting = setTimeout(() => {
      busy.value = number === latest;
    }, PATIENCE);
    const placed = await layoutGraph(visibleGraph(index, next), place);
    clearTimeout(waiting);
    if (number !== latest) return;
    laidOut = next;
    batch(() => {
      busy.value = false;
      shown.value = { placed, aim };
    });
  };
  void arrange(chosenOpen, { kind: "fit" });

  return {
    graph,
    index,
    shown,
    busy,
    ...openPointer(),
    chosen: signal(null),
    located,
    controls: signal(false),
    open: () => chosenOpen,
    toggle: (id) => {
      chosenOpen = chosenOpen.has(id) ? closeGroup(index, chosenOpen, id) : new Set([...chosenOpen, id]);
      void arrange(chosenOpen, { kind: "keep", id });
    },
    show: (node) => {
      const target = node && shownFor(index, node);
      located.value = target?.id ?? null;
      if (!target) return;
      chosenOpen = openTowards(index, chosenOpen, target);
      void arrange(chosenOpen, { kind: "show", id: target.id });
    },
    glance: (id) => {
      const node = id === null ? null : nodeOf(index, id);
      if (!node && located.peek() === null) return;
      const target = node && shownFor(index, node);
      located.value = target?.id ?? null;
      if (target) void arrange(openTowards(index, chosenOpen, target), { kind: "glance", id: target.id });
      else void arrange(chosenOpen, { kind: "return" });
    },
  };
}

function openPointer(): Pick<GraphSession, "hovered" | "point" | "hold"> {
  const hovered = signal<GraphNode | null>(null);
  let forgetting: ReturnType<typeof setTimeout> | undefined;
  return {
    hovered,
    hold: () => clearTimeout(forgetting),
    point: (node) => {
      clearTimeout(forgetting);
      if (node) hovered.value = node;
      else
        forgetting = setTimeout(() => {
          hovered.value = null;
        }, FORGETTING);
    },
  };
}
