/** Path of the data through a graph, stop by stop: its recorded layers, and what stands between them. */
import type { Graph } from "../contract/activis";
import { type GraphIndex, groupsAround, indexGraph, type VisibleGraph, visibleGraph } from "./graph_tree";

export interface PathStop {
  /** The name of a recorded layer; empty between layers. */
  layer: string;
  /** Groups and inputs that stand side by side between layers. */
  names: readonly string[];
}

/** Between two layers so many stops are named, the first ones and the last. */
const MOST_BETWEEN = 3;

/**
 * Returns the stops in the order in which data flows: layers, and on the way to them inputs and groups, but for the group
 * that a layer is named after. Layers that the graph lacks come last, as listed.
 */
export function pathStops(graph: Graph | null, layers: readonly string[]): PathStop[] {
  const stops = graph ? stopsOf(indexGraph(graph), new Set(layers)) : [];
  const placed = new Set(stops.map(({ layer }) => layer));
  return [...shortened(stops), ...layers.filter((name) => !placed.has(name)).map((layer) => ({ layer, names: [] }))];
}

function stopsOf(index: GraphIndex, layers: ReadonlySet<string>): PathStop[] {
  const { graph, positions } = index;
  const recorded = graph.nodes.filter(({ layer }) => layers.has(layer));
  const around = recorded.flatMap(({ id }) => groupsAround(index, positions.get(id) ?? -1));
  const visible = visibleGraph(index, new Set(around.map(({ id }) => id)));
  const depths = depthsOf(visible);
  const leading = sourcesOf(
    visible,
    recorded.map(({ id }) => id),
  );
  const entered = new Set(visible.edges.map(({ target }) => target));
  const byDepth = new Map<number, string[]>();
  const stops: (PathStop & { depth: number })[] = [];
  for (const { node } of visible.nodes) {
    const depth = depths.get(node.id) ?? 0;
    if (layers.has(node.layer)) stops.push({ layer: node.layer, names: [], depth });
    const isNamed = node.kind === "group" ? !node.auxiliary : !entered.has(node.id);
    if (layers.has(node.layer) || layers.has(node.name) || !isNamed || !leading.has(node.id)) continue;
    const beside = byDepth.get(depth);
    if (beside) beside.push(node.name);
    else byDepth.set(depth, [node.name]);
  }
  for (const [depth, names] of byDepth) stops.push({ layer: "", names: names.toSorted(inOrder), depth });
  return stops.sort((first, second) => first.depth - second.depth);
}

/** `conv3` before `conv10`. */
const { compare: inOrder } = new Intl.Collator("en", { numeric: true });

/** Leaves out the middle of what stands between two layers, where that is much. */
function shortened(stops: readonly PathStop[]): PathStop[] {
  const ends = [-1, ...stops.flatMap(({ layer }, at) => (layer === "" ? [] : [at])), stops.length];
  return ends.flatMap((end, at) => {
    const between = stops.slice(end + 1, ends[at + 1] ?? stops.length);
    const [first, last] = [between[0], between.at(-1)];
    const middle = { layer: "", names: between.slice(1, -1).flatMap(({ names }) => names) };
    const named = between.length > MOST_BETWEEN && first && last ? [first, middle, last] : between;
    return [...stops.slice(Math.max(0, end), end + 1), ...named];
  });
}

/** By node, how many steps it is at most from where the data come in. */
function depthsOf({ nodes, edges, openGroups }: VisibleGraph): Map<string, number> {
  const targets = edgesBy("source", edges);
  const waiting = new Map([...nodes.map(({ node }) => node), ...openGroups].map(({ id }) => [id, 0]));
  for (const { target } of edges) waiting.set(target, (waiting.get(target) ?? 0) + 1);
  const depths = new Map<string, number>();
  const ready = [...waiting].flatMap(([id, count]) => (count === 0 ? [id] : []));
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const { target } of targets.get(id) ?? []) {
      depths.set(target, Math.max(depths.get(target) ?? 0, (depths.get(id) ?? 0) + 1));
      const left = (waiting.get(target) ?? 1) - 1;
      waiting.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return depths;
}

function edgesBy(end: "source" | "target", edges: VisibleGraph["edges"]): Map<string, VisibleGraph["edges"][number][]> {
  const byEnd = new Map<string, VisibleGraph["edges"][number][]>();
  for (const edge of edges) {
    const known = byEnd.get(edge[end]);
    if (known) known.push(edge);
    else byEnd.set(edge[end], [edge]);
  }
  return byEnd;
}

/** The nodes from which data go to any of `ids`, these included. */
function sourcesOf({ edges }: VisibleGraph, ids: readonly string[]): ReadonlySet<string> {
  const sources = edgesBy("target", edges);
  const found = new Set(ids);
  for (const id of found) for (const { source } of sources.get(id) ?? []) found.add(source);
  return found;
}
