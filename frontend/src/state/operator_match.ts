/** How much of two models' graphs is the same, operator by operator. */
import type { Graph, GraphNode } from "../contract/activis";
import { sourceKind } from "../store/graph_order";

export interface OperatorMatch {
  matched: number;
  /** Operators of the base. */
  total: number;
  /** Those of the base that the other has not, and the other way round; by their names without numbers. */
  lacked: readonly string[];
  added: readonly string[];
}

/**
 * Pairs operators of the same type and name, each with one; null where a graph has none. The numbers that tracing puts
 * after names do not count, nor does a scope that is around the whole model, nor what trains or reports.
 */
export function matchOperators(base: Graph, other: Graph): OperatorMatch | null {
  const [ours, theirs] = [operatorNames(base), operatorNames(other)];
  if (ours.length === 0 || theirs.length === 0) return null;
  const lacked = without(ours, theirs);
  return { matched: ours.length - lacked.length, total: ours.length, lacked, added: without(theirs, ours) };
}

function operatorNames(graph: Graph): string[] {
  if (sourceKind(graph) === "layers") return [];
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const isMachinery = (node: GraphNode | undefined): boolean =>
    node !== undefined && (node.auxiliary || isMachinery(nodes.get(node.parent)));
  const paths = graph.nodes
    .filter((node) => node.kind === "operator" && !isMachinery(node))
    .map(({ full_name, operator }) => ({ operator, path: full_name.split("/").map(withoutNumber) }));
  const [first] = paths;
  const isAround = first !== undefined && paths.every(({ path }) => path.length > 1 && path[0] === first.path[0]);
  return paths.map(({ operator, path }) => `${path.slice(isAround ? 1 : 0).join("/")} (${operator})`);
}

const withoutNumber = (name: string): string => name.replace(/_\d+$/, "");

/** The items that are left when each of `others` has taken one like it. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of others) counts.set(name, (counts.get(name) ?? 0) + 1);
  return items.filter((name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count - 1);
    return count <= 0;
  });
}
