/** Order of the layers in the graph, and the node of each. */
import type { Graph, GraphNode, SnapshotEntry } from "../contract/activis";
import { outputEntry } from "./layer";

/** What kind of source the graph was made from; empty where that is not listed. */
export const sourceKind = (graph: Graph): string => graph.sources.find(({ id }) => id === graph.source)?.kind ?? "";

/** Layer names in the order in which data flows through them; layers that the graph lacks come last, as listed. */
export function layersInFlowOrder(graph: Graph | null, layers: readonly string[]): string[] {
  const depth = graph ? layerDepths(graph) : new Map<string, number>();
  const place = (layer: string) => depth.get(layer) ?? Number.POSITIVE_INFINITY;
  return layers
    .map((layer, position) => ({ layer, position }))
    .sort((first, second) => {
      const [a, b] = [place(first.layer), place(second.layer)];
      return a === b ? first.position - second.position : a - b;
    })
    .map(({ layer }) => layer);
}

/** The last hidden layer and the output, which say most of a model at first sight; the last layer where it has no output. */
export function firstLayers(graph: Graph | null, snapshot: SnapshotEntry): string[] {
  const order = layersInFlowOrder(
    graph,
    snapshot.layers.map(({ name }) => name),
  );
  const decides = (name: string) => {
    const neurons = snapshot.layers.find((layer) => layer.name === name)?.neurons;
    // One neuron decides between two classes.
    return neurons === snapshot.classes.length || (neurons === 1 && snapshot.classes.length === 2);
  };
  const output = outputEntry(snapshot)?.name ?? order.findLast(decides);
  if (output === undefined) return order.slice(-1);
  const at = order.indexOf(output);
  // Those before the output come last.
  const others = [...order.slice(at + 1), ...order.slice(0, at)];
  // Logits say what the output says.
  const hidden = others.findLast((name) => !decides(name)) ?? others.at(-1);
  return order.filter((name) => name === hidden || name === output);
}

/** Operators that make a layer's tensor, the tensor, and operators that use it. */
export function neighbours(graph: Graph, layer: string): GraphNode[] {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const tensor = graph.nodes.find((node) => node.layer === layer);
  if (!tensor) return [];
  const dataEdges = graph.edges.filter((edge) => !edge.control);
  const before = dataEdges.filter((edge) => edge.target === tensor.id).map((edge) => edge.source);
  const after = dataEdges.filter((edge) => edge.source === tensor.id).map((edge) => edge.target);
  return [...before, tensor.id, ...after].flatMap((id) => nodes.get(id) ?? []);
}

function layerDepths(graph: Graph): Map<string, number> {
  const targets = new Map<string, string[]>();
  const waiting = new Map<string, number>(graph.nodes.map((node) => [node.id, 0]));
  for (const edge of graph.edges) {
    targets.set(edge.source, [...(targets.get(edge.source) ?? []), edge.target]);
    waiting.set(edge.target, (waiting.get(edge.target) ?? 0) + 1);
  }
  const depth = new Map<string, number>();
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  for (let id = ready.shift(); id !== undefined; id = ready.shift()) {
    for (const target of targets.get(id) ?? []) {
      depth.set(target, Math.max(depth.get(target) ?? 0, (depth.get(id) ?? 0) + 1));
      const left = (waiting.get(target) ?? 1) - 1;
      waiting.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return new Map(graph.nodes.filter((node) => node.layer !== "").map((node) => [node.layer, depth.get(node.id) ?? 0]));
}
