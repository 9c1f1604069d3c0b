/** The line to add to record a tensor, in the words of the framework that the model is written in. */

import type { Graph, GraphNode } from "../contract/activis";

export type Framework = "keras" | "torch" | "tensorflow";

export interface Advice {
  /** The framework that the graph's names look like. */
  likely: Framework;
  lines: Record<Framework, string>;
}

const LISTED = 6;

/** `recorded` are the layers that are recorded already; the line keeps them. */
export function recordingAdvice(graph: Graph, tensor: GraphNode, recorded: readonly string[]): Advice {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const maker = nodes.get(graph.edges.find((edge) => edge.target === tensor.id && !edge.control)?.source ?? "");
  const groups = groupsAround(nodes, maker ?? tensor);
  const module = modulePath(groups);
  const layer = groups.findLast((group) => group.operator !== "") ?? groups.at(-1);
  const name = layer?.name ?? maker?.name ?? tensor.name;
  return {
    likely: module === "" ? "keras" : "torch",
    lines: {
      keras: `layers=${listOf([...recorded, name])},`,
      torch: `with activis_tb.torch.capture(model, ${listOf([...recorded, module || dotted(groups, name)])}) as captured:`,
      tensorflow: `{${[...recorded, name]
        .slice(-LISTED)
        .map((one) => `${quoted(one)}: ${identifier(one)}`)
        .join(", ")}},`,
    },
  };
}

function groupsAround(nodes: ReadonlyMap<string, GraphNode>, node: GraphNode): GraphNode[] {
  const groups: GraphNode[] = [];
  for (let at = nodes.get(node.parent); at; at = nodes.get(at.parent)) groups.unshift(at);
  return groups.filter((group) => group.repeats === 0);
}

/** PyTorch names a scope `Linear[fc1]`: the type, and the name in the module around it. */
const modulePath = (groups: readonly GraphNode[]): string =>
  groups.flatMap((group) => /\[([^\]]+)\]$/.exec(group.name)?.[1] ?? []).join(".");

const dotted = (groups: readonly GraphNode[], name: string): string =>
  groups.length > 0 ? groups.map((group) => group.name).join(".") : name;

function listOf(names: readonly string[]): string {
  const shown = names.slice(-LISTED).map(quoted);
  return `[${[...(names.length > LISTED ? ["..."] : []), ...shown].join(", ")}]`;
}

const quoted = (name: string): string => JSON.stringify(name);

const identifier = (name: string): string => name.replace(/\W+/g, "_").replace(/^(?=\d)/, "_");
