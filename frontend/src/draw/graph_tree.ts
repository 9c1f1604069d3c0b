/** The part of a hierarchical graph that is in sight: closed groups stand for all they hold. */

import type { GraphNode } from "../contract/activis";
import type { GraphIndex } from "./graph_index";

export interface VisibleNode {
  node: GraphNode;
  /** Operators and recorded tensors inside, for a closed group. */
  operators: number;
  recorded: number;
  /** Variables and constants that an operator uses, drawn beside it. */
  parameters: readonly GraphNode[];
}

export interface VisibleEdge {
  source: string;
  target: string;
}

export interface VisibleGraph {
  nodes: readonly VisibleNode[];
  /** Open groups, outer before inner. */
  openGroups: readonly GraphNode[];
  /** The flow of data through the model. */
  edges: readonly VisibleEdge[];
  /** Who waits for whom, and what goes into and out of auxiliary groups: these have no say in the layout. */
  asides: readonly (VisibleEdge & { control: boolean })[];
}

/** Returns the nodes and edges in sight while the groups in `open` are open. */
export function visibleGraph(index: GraphIndex, open: ReadonlySet<string>): VisibleGraph {
  const { graph } = index;
  const standsFor = representatives(index, open);
  const shown = [...index.order].filter((position) => standsFor[position] === position).sort((a, b) => a - b);
  const nodeAt = (position: number) => graph.nodes[position] as GraphNode;
  const isOpen = (position: number) => nodeAt(position).kind === "group" && open.has(nodeAt(position).id);
  return {
    openGroups: [...index.order].filter((position) => standsFor[position] === position && isOpen(position)).map(nodeAt),
    nodes: shown
      .filter((position) => !nodeAt(position).parameter && !isOpen(position))
      .map((position) => ({
        node: nodeAt(position),
        operators: nodeAt(position).kind === "group" ? (index.operators[position] as number) : 0,
        recorded: nodeAt(position).kind === "group" ? (index.recorded[position] as number) : 0,
        parameters: (index.parameters.get(position) ?? []).map(nodeAt),
      })),
    ...liftedEdges(index, standsFor),
  };
}

/** By node, the position of the outermost closed group around it; its own where none is closed. */
function representatives({ graph, parents, order }: GraphIndex, open: ReadonlySet<string>): Int32Array {
  const standsFor = new Int32Array(parents.length);
  for (const position of order) {
    const parent = parents[position] as number;
    const above = parent < 0 ? -1 : (standsFor[parent] as number);
    const hidden = parent >= 0 && !(above === parent && open.has((graph.nodes[parent] as GraphNode).id));
    standsFor[position] = hidden ? above : position;
  }
  return standsFor;
}

function liftedEdges(index: GraphIndex, standsFor: Int32Array): Pick<VisibleGraph, "edges" | "asides"> {
  const { graph, sources, targets } = index;
  const apart = auxiliary(index);
  const edges = new Map<number, VisibleEdge>();
  const asides = new Map<number, VisibleEdge & { control: boolean }>();
  graph.edges.forEach(({ control }, edge) => {
    const [from, to] = [sources[edge] as number, targets[edge] as number];
    if (from < 0 || to < 0 || graph.nodes[from]?.parameter || graph.nodes[to]?.parameter) return;
    const [source, target] = [standsFor[from] as number, standsFor[to] as number];
    if (source === target) return;
    const key = source * graph.nodes.length + target;
    const ends = { source: (graph.nodes[source] as GraphNode).id, target: (graph.nodes[target] as GraphNode).id };
    if (control || apart[from] !== apart[to]) asides.set(key, { ...ends, control });
    else if (!edges.has(key)) edges.set(key, ends);
  });
  return { edges: [...edges.values()], asides: [...asides.values()] };
}

/** By node, the position of the auxiliary group it stands in, at any depth; -1 where it is part of the model. */
function auxiliary({ graph, parents, order }: GraphIndex): Int32Array {
  const apart = new Int32Array(parents.length).fill(-1);
  for (const position of order) {
    const parent = parents[position] as number;
    apart[position] = graph.nodes[position]?.auxiliary ? position : parent < 0 ? -1 : (apart[parent] as number);
  }
  return apart;
}
