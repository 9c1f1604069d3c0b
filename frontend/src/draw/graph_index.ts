/** A graph by position: made once, so that whatever is opened later is worked out on integers alone. */

import type { Graph, GraphNode } from "../contract/activis";

export interface GraphIndex {
  graph: Graph;
  /** By id, the node's position in `graph.nodes`. */
  positions: ReadonlyMap<string, number>;
  /** By node, the position of the group that it stands in; -1 at the top. */
  parents: Int32Array;
  /** Positions of all nodes, every group before what it holds. */
  order: Int32Array;
  /** By edge, the positions of its ends; -1 where there is no such node. */
  sources: Int32Array;
  targets: Int32Array;
  /** By operator, positions of the variables and constants that it uses. */
  parameters: ReadonlyMap<number, readonly number[]>;
  /** By node, how many operators and recorded tensors it holds, at any depth. */
  operators: Int32Array;
  recorded: Int32Array;
}

const indexes = new WeakMap<Graph, GraphIndex>();

export function indexGraph(graph: Graph): GraphIndex {
  const known = indexes.get(graph) ?? makeIndex(graph);
  indexes.set(graph, known);
  return known;
}

/** Returns the groups around the node at `position`, the outermost first. */
export function groupsAround({ graph, parents }: GraphIndex, position: number): GraphNode[] {
  const groups: GraphNode[] = [];
  for (let at = parents[position] ?? -1; at >= 0; at = parents[at] ?? -1) groups.unshift(graph.nodes[at] as GraphNode);
  return groups;
}

export const nodeOf = ({ graph, positions }: GraphIndex, id: string): GraphNode | null =>
  graph.nodes[positions.get(id) ?? -1] ?? null;

export const isRecorded = (node: GraphNode): boolean => node.layer !== "" || node.layer_candidates.length > 0;

function makeIndex(graph: Graph): GraphIndex {
  const positions = new Map(graph.nodes.map((node, position) => [node.id, position]));
  const positionOf = (id: string) => positions.get(id) ?? -1;
  const parents = Int32Array.from(graph.nodes, ({ parent }) => positionOf(parent));
  const order = outerFirst(parents);
  const sources = Int32Array.from(graph.edges, ({ source }) => positionOf(source));
  const targets = Int32Array.from(graph.edges, ({ target }) => positionOf(target));
  const countInside = (counts: (node: GraphNode) => boolean) => {
    const inside = Int32Array.from(graph.nodes, (node) => (counts(node) ? 1 : 0));
    for (const position of [...order].reverse()) {
      const parent = parents[position] as number;
      if (parent >= 0) inside[parent] = (inside[parent] as number) + (inside[position] as number);
    }
    return inside;
  };
  return {
    graph,
    positions,
    parents,
    order,
    sources,
    targets,
    parameters: parametersByUser(graph, sources, targets),
    operators: countInside((node) => node.kind === "operator"),
    recorded: countInside(isRecorded),
  };
}

function outerFirst(parents: Int32Array): Int32Array {
  const depths = new Int32Array(parents.length);
  parents.forEach((parent, position) => {
    for (let at = parent; at >= 0; at = parents[at] as number) depths[position] = (depths[position] as number) + 1;
  });
  return Int32Array.from(parents.keys()).sort(
    (first, second) => (depths[first] as number) - (depths[second] as number),
  );
}

function parametersByUser(graph: Graph, sources: Int32Array, targets: Int32Array): Map<number, number[]> {
  const parameters = new Map<number, number[]>();
  graph.edges.forEach(({ control }, edge) => {
    const [source, target] = [sources[edge] as number, targets[edge] as number];
    if (control || target < 0 || !graph.nodes[source]?.parameter) return;
    const known = parameters.get(target);
    if (!known) parameters.set(target, [source]);
    else if (!known.includes(source)) known.push(source);
  });
  return parameters;
}
