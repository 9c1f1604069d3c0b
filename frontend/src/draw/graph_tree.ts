/** Tree of a hierarchical graph: its index, its levels, which groups are open, and the part that is in sight. */
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

/** A node of the graph, or an open group. */
export interface LayoutItem {
  id: string;
  /** The open group it stands in; empty at the top. */
  parent: string;
  width: number;
  height: number;
  /** From its centre, with what is written beside it. */
  half: number;
  above: number;
  below: number;
  /** Whether it stands apart from the model, below it. */
  apart: boolean;
}

interface LayoutGroup {
  id: string;
  parent: string;
  /** Room for its title. */
  title: number;
  apart: boolean;
}

export interface LayoutRequest {
  items: readonly LayoutItem[];
  /** Open groups, outer before inner. */
  groups: readonly LayoutGroup[];
  edges: readonly { source: string; target: string }[];
}

/** An edge within one level. */
export interface Step {
  /** The group whose level it is in; empty at the top. */
  group: string;
  source: string;
  target: string;
  /** Which end is a port in the group's border, if one is. */
  port: "entry" | "exit" | null;
}

/** All items of a level, open groups with them, of no size yet. */
export interface Level {
  items: LayoutItem[];
  edges: Map<string, Step>;
}

/** Sorts a graph into its levels, by group; and every edge of the request into its steps, from source to target. */
export function sortIntoLevels(request: LayoutRequest): { levels: Map<string, Level>; passages: Step[][] } {
  const levels = new Map<string, Level>([["", { items: [], edges: new Map() }]]);
  for (const { id } of request.groups) levels.set(id, { items: [], edges: new Map() });
  const boxes = request.groups.map((group) => ({ ...group, width: 0, height: 0, half: 0, above: 0, below: 0 }));
  const parents = new Map<string, string>();
  for (const item of [...boxes, ...request.items]) {
    parents.set(item.id, item.parent);
    levels.get(item.parent)?.items.push(item);
  }
  const passages = request.edges.map(({ source, target }) => stepsOf(source, target, parents));
  for (const step of passages.flat()) levels.get(step.group)?.edges.set(edgeKey(step), step);
  return { levels, passages };
}

export const edgeKey = ({ source, target }: Step): string => `${source}\n${target}`;

/** A tensor enters and leaves a group by one port, whoever uses it inside. */
function stepsOf(source: string, target: string, parents: ReadonlyMap<string, string>): Step[] {
  const [left, entered] = [outwards(source, parents), outwards(target, parents)];
  while (left.length > 0 && left.at(-1) === entered.at(-1)) {
    left.pop();
    entered.pop();
  }
  entered.reverse();
  const [exit, entry] = [`\0exit ${source}`, `\0entry ${source}`];
  const level = parents.get(left.at(-1) ?? source) ?? "";
  return [
    ...left.map((group, at) => ({ group, source: left[at - 1] ?? source, target: exit, port: "exit" as const })),
    { group: level, source: left.at(-1) ?? source, target: entered[0] ?? target, port: null },
    ...entered.map((group, at) => {
      return { group, source: entry, target: entered[at + 1] ?? target, port: "entry" as const };
    }),
  ];
}

/** Groups around an item, the innermost first. */
function outwards(id: string, parents: ReadonlyMap<string, string>): string[] {
  const groups: string[] = [];
  for (let at = parents.get(id) ?? ""; at !== ""; at = parents.get(at) ?? "") groups.push(at);
  return groups;
}

export interface VisibleNode {
  node: GraphNode;
  /** Operators and recorded tensors inside, for a closed group. */
  operators: number;
  recorded: number;
  /** Variables and constants that an operator uses, drawn beside it. */
  parameters: readonly GraphNode[];
}

interface VisibleEdge {
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

/** As many nodes can be read at once; with fewer there is room for more. */
const MOST = 80;
const FEW = 12;

/**
 * Returns the groups that are open at first: those around recorded tensors, outer before inner, and where little is in
 * sight then, the largest ones, as long as no more than 80 nodes are in sight.
 */
export function openAtFirst(index: GraphIndex): Set<string> {
  const children = childCounts(index);
  const open = new Set<string>();
  let shown = children.get("") ?? 0;
  const tryToOpen = (group: GraphNode): boolean => {
    const next = shown - 1 + (children.get(group.id) ?? 0);
    if (open.has(group.id) || next > MOST || (group.parent !== "" && !open.has(group.parent))) return false;
    open.add(group.id);
    shown = next;
    return true;
  };
  index.graph.nodes.forEach((node, position) => {
    if (isRecorded(node)) for (const group of groupsAround(index, position)) tryToOpen(group);
  });
  const groups = index.graph.nodes.filter((node) => node.kind === "group" && !node.auxiliary);
  const size = (group: GraphNode) => index.operators[index.positions.get(group.id) ?? -1] ?? 0;
  const largestFirst = groups.sort((first, second) => size(second) - size(first));
  while (shown < FEW && largestFirst.some(tryToOpen));
  return open;
}

/** Returns `open` and the groups around a node, so that it is in sight. */
export function openTowards(index: GraphIndex, open: ReadonlySet<string>, node: GraphNode): ReadonlySet<string> {
  const around = groupsAround(index, index.positions.get(node.id) ?? -1).filter((group) => !open.has(group.id));
  return around.length === 0 ? open : new Set([...open, ...around.map((group) => group.id)]);
}

/** Returns `open` without a group and all groups inside of it. */
export function closeGroup(index: GraphIndex, open: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const inside = (group: string) =>
    groupsAround(index, index.positions.get(group) ?? -1).some((outer) => outer.id === id);
  return new Set([...open].filter((group) => group !== id && !inside(group)));
}

/** Returns the node to look at for `node`: for a variable or constant, the operator that it is drawn beside. */
export function shownFor(index: GraphIndex, node: GraphNode): GraphNode {
  if (!node.parameter) return node;
  const user = index.graph.edges.find((edge) => edge.source === node.id && !edge.control)?.target;
  return (user !== undefined && nodeOf(index, user)) || node;
}

/** Nodes whose name, layer or kind of operator holds `text`, layers first; case does not matter. */
export function findNodes(index: GraphIndex, text: string): GraphNode[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return [];
  const named = ({ name, full_name, layer, operator }: GraphNode) =>
    [name, full_name, layer, operator].some((part) => part.toLowerCase().includes(wanted));
  const found = index.graph.nodes.filter(named);
  return [...found.filter((node) => node.layer !== ""), ...found.filter((node) => node.layer === "")];
}

/** By group, how many nodes it shows when it is open; variables and constants stand beside their operators. */
function childCounts({ graph }: GraphIndex): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of graph.nodes) if (!node.parameter) counts.set(node.parent, (counts.get(node.parent) ?? 0) + 1);
  return counts;
}
