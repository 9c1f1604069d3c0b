/** Facts of a node, as names and values to read. */
import type { GraphNode } from "../../contract/activis";
import { shapeText } from "../../draw/graph_layout";
import { type GraphIndex, nodeOf } from "../../draw/graph_tree";
import { countText } from "../../ui/numbers";

export interface Fact {
  name: string;
  value: string;
}

const LISTED = 12;

export function factsOf(index: GraphIndex, node: GraphNode): Fact[] {
  const name = { name: "name", value: node.full_name || node.name };
  return [name, ...ownFacts(index, node), ...flowFacts(index, node)].filter(({ value }) => value !== "");
}

function ownFacts(index: GraphIndex, node: GraphNode): Fact[] {
  return [
    { name: node.kind === "group" ? "layer" : "operator", value: node.operator },
    { name: "shape", value: node.kind === "tensor" ? shapeText(node.shape, node.has_shape) : "" },
    { name: "dtype", value: node.dtype },
    { name: "device", value: node.device },
    ...Object.entries(node.attributes).map(([name, value]) => ({ name, value })),
    { name: "parameters", value: listed(parametersOf(index, node).map(parameterText)) },
    ...contentFacts(index, node),
  ].filter(({ value }) => value !== "");
}

/** In one line, without the name. */
export function summaryOf(index: GraphIndex, node: GraphNode): string {
  const role = node.parameter ? [{ name: "", value: "parameter" }] : [];
  const facts = [...role, ...ownFacts(index, node)];
  const plain = new Set(["", "operator", "layer", "shape", "dtype", "holds"]);
  return facts.map(({ name, value }) => (plain.has(name) ? value : `${name} ${value}`)).join(" · ");
}

function contentFacts(index: GraphIndex, node: GraphNode): Fact[] {
  if (node.kind !== "group") return [];
  const at = index.positions.get(node.id) ?? -1;
  const [operators, recorded] = [index.operators[at] ?? 0, index.recorded[at] ?? 0];
  const blocks = node.repeats > 0 ? `${node.repeats} blocks of one form, ` : "";
  return [
    {
      name: "holds",
      value: `${blocks}${countText(operators)} operators${recorded > 0 ? `, ${recorded} recorded` : ""}`,
    },
    { name: "apart", value: node.auxiliary ? "machinery of training or reporting, no part of the model" : "" },
  ];
}

/** What an operator takes and gives, and whom it waits for. */
function flowFacts(index: GraphIndex, node: GraphNode): Fact[] {
  if (node.kind === "group") return [];
  const { edges } = index.graph;
  const names = (ids: readonly string[]) =>
    listed([...new Set(ids)].flatMap((id) => nodeOf(index, id)?.full_name || nodeOf(index, id)?.name || []));
  const from = (control: boolean) =>
    edges.filter((edge) => edge.target === node.id && edge.control === control).map((edge) => edge.source);
  const to = edges.filter((edge) => edge.source === node.id && !edge.control).map((edge) => edge.target);
  return [
    { name: "from", value: names(from(false).filter((id) => !nodeOf(index, id)?.parameter)) },
    { name: node.parameter ? "used by" : "to", value: names(to) },
    { name: "waits for", value: names(from(true)) },
  ];
}

function parametersOf(index: GraphIndex, node: GraphNode): GraphNode[] {
  const found = index.parameters.get(index.positions.get(node.id) ?? -1) ?? [];
  return found.map((position) => index.graph.nodes[position] as GraphNode);
}

const parameterText = ({ name, shape, has_shape, dtype }: GraphNode): string =>
  [name, has_shape ? shapeText(shape, true) : "", dtype].filter(Boolean).join(" ");

const listed = (texts: readonly string[]): string =>
  texts.length > LISTED ? `${texts.slice(0, LISTED).join(", ")} and ${texts.length - LISTED} more` : texts.join(", ");
