/** The levels of a graph: what stands in the same group is placed together, and edges pass through ports into others. */

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

export interface LayoutGroup {
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
