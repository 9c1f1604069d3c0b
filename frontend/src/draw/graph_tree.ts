/** The part of a hierarchical graph that is in sight: closed groups stand for all they hold. */

import type { Graph, GraphNode } from "../contract/activis";

export interface VisibleNode {
  node: GraphNode;
  /** The open group it stands in; empty at the top. */
  parent: string;
  /** Operators inside, for a closed group. */
  operators: number;
  /** Variables and constants that an operator uses, drawn beside it. */
  parameters: readonly GraphNode[];
}

export interface VisibleGraph {
  nodes: readonly VisibleNode[];
  /** Open groups, outer before inner. */
  openGroups: readonly GraphNode[];
  edges: readonly { source: string; target: string }[];
}

/** Groups that hold a recorded tensor, at any depth: they are open at first, so that it is in sight. */
export function groupsOfRecorded(graph: Graph): Set<string> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const groups = new Set<string>();
  for (const node of graph.nodes) {
    if (node.layer === "") continue;
    for (const group of ancestors(nodes, node)) groups.add(group.id);
  }
  return groups;
}

/** Nodes whose name, layer or kind of operator holds `text`, layers first; case does not matter. */
export function findNodes(graph: Graph, text: string): GraphNode[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const named = ({ name, full_name, layer, operator }: GraphNode) =>
    [name, full_name, layer, operator].some((part) => part.toLowerCase().includes(wanted));
  const found = graph.nodes.filter(named);
  return [...found.filter((node) => node.layer !== ""), ...found.filter((node) => node.layer === "")];
}

/** Returns `open` and the groups around a node, so that it is in sight. */
export function openTowards(graph: Graph, open: ReadonlySet<string>, node: GraphNode): ReadonlySet<string> {
  const nodes = new Map(graph.nodes.map((candidate) => [candidate.id, candidate]));
  return new Set([...open, ...ancestors(nodes, node).map((group) => group.id)]);
}

/** Returns the node to look at for `node`: for a variable or constant, the operator that it is drawn beside. */
export function shownFor(graph: Graph, node: GraphNode): GraphNode {
  if (!node.parameter) return node;
  const user = graph.edges.find((edge) => edge.source === node.id)?.target;
  return graph.nodes.find((candidate) => candidate.id === user) ?? node;
}

/** Returns the nodes and edges in sight while the groups in `open` are open. */
export function visibleGraph(graph: Graph, open: ReadonlySet<string>): VisibleGraph {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const standsFor = new Map<string, GraphNode>();
  const operators = new Map<string, number>();
  for (const node of graph.nodes) {
    const closed = ancestors(nodes, node).find((group) => !open.has(group.id));
    standsFor.set(node.id, closed ?? node);
    if (closed && node.kind === "operator") operators.set(closed.id, (operators.get(closed.id) ?? 0) + 1);
  }
  const shown = graph.nodes.filter((node) => standsFor.get(node.id) === node);
  const openGroups = shown.filter((node) => node.kind === "group" && open.has(node.id));
  const parameters = parametersByUser(graph, nodes);
  return {
    openGroups,
    nodes: shown
      .filter((node) => !node.parameter && !openGroups.includes(node))
      .map((node) => ({
        node,
        parent: node.parent,
        operators: operators.get(node.id) ?? 0,
        parameters: parameters.get(node.id) ?? [],
      })),
    edges: liftedEdges(graph, standsFor),
  };
}

/** Groups around a node, the outermost first. */
function ancestors(nodes: ReadonlyMap<string, GraphNode>, node: GraphNode): GraphNode[] {
  const found: GraphNode[] = [];
  for (let parent = nodes.get(node.parent); parent; parent = nodes.get(parent.parent)) found.unshift(parent);
  return found;
}

function parametersByUser(graph: Graph, nodes: ReadonlyMap<string, GraphNode>): Map<string, GraphNode[]> {
  const parameters = new Map<string, GraphNode[]>();
  for (const edge of graph.edges) {
    const source = nodes.get(edge.source);
    if (source?.parameter) parameters.set(edge.target, [...(parameters.get(edge.target) ?? []), source]);
  }
  return parameters;
}

function liftedEdges(graph: Graph, standsFor: ReadonlyMap<string, GraphNode>): VisibleGraph["edges"] {
  const edges = new Map<string, { source: string; target: string }>();
  for (const edge of graph.edges) {
    const source = standsFor.get(edge.source);
    const target = standsFor.get(edge.target);
    if (edge.control || !source || !target || source === target || source.parameter) continue;
    edges.set(`${source.id} ${target.id}`, { source: source.id, target: target.id });
  }
  return [...edges.values()];
}
