/** Which groups of a graph are open: at first, on the way to a node, and when a node is searched for. */

import type { GraphNode } from "../contract/activis";
import { type GraphIndex, groupsAround, isRecorded, nodeOf } from "./graph_index";

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
