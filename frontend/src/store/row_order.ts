/** Order of the rows in every panel: by their numbers within groups of one attribute, the classes first. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { columnOf, comparable } from "../language/tokens";
import { accuracyOfRow } from "./judgement";
import { blockOf, type GroupRow, type MatrixRow } from "./rows";
import type { Grouping, RowOrder, UrlState } from "./url_state";

/** What rows are ordered by; null of a row of which it is not known. */
export interface RowNumbers {
  facts: (row: MatrixRow) => { count: number; correct?: number | undefined } | null;
  values: (row: MatrixRow) => Float32Array | null;
}

/** Returns positions of rows, (neurons,) each, so that alike ones are neighbours. */
export type LikenessOrder = (rows: readonly Float32Array[]) => number[];

/** Returns rows in an order; those whose number is not known come last, and equal ones as they were recorded. */
export function orderRows(
  rows: readonly MatrixRow[],
  order: RowOrder,
  numbers: RowNumbers,
  likenessOrder: LikenessOrder | null,
): readonly MatrixRow[] {
  if (order === "recorded" || rows.length < 2) return rows;
  if (order === "likeness") return likenessOrder ? byLikeness(rows, numbers, likenessOrder) : rows;
  const numberOf = (row: MatrixRow): number => {
    const facts = numbers.facts(row);
    if (!facts) return Number.POSITIVE_INFINITY;
    return order === "size" ? -facts.count : (accuracyOfRow(facts) ?? Number.POSITIVE_INFINITY);
  };
  const keyed = rows.map((row) => ({ row, number: numberOf(row) }));
  return keyed.sort((first, second) => compare(first.number, second.number)).map(({ row }) => row);
}

const compare = (first: number, second: number): number => (first === second ? 0 : first - second);

function byLikeness(rows: readonly MatrixRow[], numbers: RowNumbers, likenessOrder: LikenessOrder): MatrixRow[] {
  const known = rows.flatMap((row) => {
    const values = numbers.values(row);
    return values ? [{ row, values }] : [];
  });
  const ordered = likenessOrder(known.map(({ values }) => values)).flatMap((at) => known[at]?.row ?? []);
  const isOrdered = new Set(ordered);
  return [...ordered, ...rows.filter((row) => !isOrdered.has(row))];
}

/** Rows that stand together. */
export interface RowGroup {
  /** `class`, `other`, or `attribute:` and its name; empty of rows without a heading. */
  id: string;
  /** Of the heading; empty where there is none. */
  name: string;
  rows: readonly MatrixRow[];
}

/** So many subsets are grouped where the user does not say whether to. */
const GROUPED_FROM = 12;

/**
 * Returns the rows in groups: the classes, the subsets of one attribute each, the others, and last the instances.
 *
 * @param conditionOf Of a row; empty where it has none.
 */
export function groupRows(
  rows: readonly MatrixRow[],
  grouping: Grouping,
  conditionOf: (row: MatrixRow) => string,
): RowGroup[] {
  const blocks = { class: [] as MatrixRow[], subset: [] as MatrixRow[], instance: [] as MatrixRow[] };
  for (const row of rows) blocks[blockOf(row) as keyof typeof blocks].push(row);
  const plain = (members: MatrixRow[]): RowGroup[] => (members.length > 0 ? [{ id: "", name: "", rows: members }] : []);
  const isMeant = grouping === "attribute" || (grouping === "" && blocks.subset.length >= GROUPED_FROM);
  const groups = isMeant ? attributeGroups(blocks.subset, conditionOf) : [];
  if (groups.length === 0) return [blocks.class, blocks.subset, blocks.instance].flatMap(plain);
  const classes = blocks.class.length > 0 ? [{ id: "class", name: "class", rows: blocks.class }] : [];
  return [...classes, ...groups, ...plain(blocks.instance)];
}

/** Groups of the attributes that tell at least two rows apart, and of all other rows; none where there is no such attribute. */
function attributeGroups(rows: readonly MatrixRow[], conditionOf: (row: MatrixRow) => string): RowGroup[] {
  const byAttribute = new Map<string | null, MatrixRow[]>();
  for (const row of rows) {
    const attribute = columnOf(conditionOf(row));
    byAttribute.set(attribute, [...(byAttribute.get(attribute) ?? []), row]);
  }
  const groups = [...byAttribute].flatMap(([attribute, members]) =>
    attribute !== null && members.length > 1 ? [{ id: `attribute:${attribute}`, name: attribute, rows: members }] : [],
  );
  const isGrouped = new Set(groups.flatMap((group) => group.rows));
  const others = rows.filter((row) => !isGrouped.has(row));
  if (groups.length === 0 || others.length === 0) return groups;
  return [...groups, { id: "other", name: "other subsets", rows: others }];
}

/** The rows as a matrix has them. */
export interface ShownRows {
  /** With the headings of their groups, without those that are folded away, hidden, or not looked for. */
  rows: readonly MatrixRow[];
  /** By key, what rows are called below a heading that says the rest. */
  names: ReadonlyMap<string, string>;
}

export interface Folding {
  /** Ids of the groups that are closed. */
  closed: readonly string[];
  /** Keys of the rows that are hidden. */
  hidden: readonly string[];
  /** A part of their names that is looked for; empty where all are shown. */
  wanted: string;
}

/** Returns the rows of groups with headings. A group is open while something is looked for. */
export function foldRows(groups: readonly RowGroup[], { closed, hidden, wanted }: Folding): ShownRows {
  const names = new Map<string, string>();
  const [isClosed, isHidden] = [new Set(closed), new Set(hidden)];
  const part = comparable(wanted.trim());
  const rows = groups.flatMap(({ id, name, rows: members }): readonly MatrixRow[] => {
    const whole = comparable(name).includes(part);
    const kept = members.filter(
      (row) =>
        !isHidden.has(row.key) && (part === "" || whole || !isSought(row) || comparable(row.name).includes(part)),
    );
    if (id === "" || kept.length === 0) return kept;
    const attribute = id.startsWith("attribute:") ? name : "";
    if (attribute !== "") for (const row of kept) names.set(row.key, nameInGroup(row.name, attribute));
    const isOpen = part !== "" || !isClosed.has(id);
    const block = id === "class" ? "class" : "subset";
    const heading: GroupRow = { kind: "group", key: `group:${id}`, id, name, block, members: kept, isOpen };
    return isOpen ? [heading, ...kept] : [heading];
  });
  return { rows, names };
}

/** Instances were chosen one by one: what is looked for leaves them. */
const isSought = (row: MatrixRow): boolean => blockOf(row) !== "instance";

/** Rows without headings, those that are folded away included. */
export const unfolded = (rows: readonly MatrixRow[]): MatrixRow[] =>
  rows.flatMap((row) => {
    if (row.kind !== "group") return [row];
    return row.isOpen ? [] : row.members;
  });

interface ShownInputs {
  rows: ReadonlySignal<readonly MatrixRow[]>;
  urlState: Pick<UrlState, "rowOrder" | "grouping" | "closed" | "hidden">;
  wanted: ReadonlySignal<string>;
  /** Empty where a row has none. */
  conditionOf: (row: MatrixRow) => string;
  numbers: RowNumbers;
}

/** Follows how the rows stand in a matrix. */
export function followShown({ rows, urlState, wanted, conditionOf, numbers }: ShownInputs): ReadonlySignal<ShownRows> {
  const { rowOrder, grouping, closed, hidden } = urlState;
  const groups = computed(() => groupRows(rows.value, grouping.value, conditionOf));
  const ordered = computed(() => {
    if (rowOrder.value === "likeness") loadLikeness();
    return groups.value.map((group) => {
      const [first] = group.rows;
      const isFixed = !first || blockOf(first) === "instance";
      const order = likeness.value?.order ?? null;
      return isFixed ? group : { ...group, rows: orderRows(group.rows, rowOrder.value, numbers, order) };
    });
  });
  return computed(() => foldRows(ordered.value, { closed: closed.value, hidden: hidden.value, wanted: wanted.value }));
}

/** Null until it is loaded: few ask for it. Another object whenever it has found an order. */
const likeness = signal<{ order: LikenessOrder } | null>(null);
let isAsked = false;

function loadLikeness(): void {
  if (isAsked) return;
  isAsked = true;
  void import("./likeness_order").then(
    ({ startLikeness }) => {
      const order = startLikeness(() => {
        likeness.value = { order };
      });
      likeness.value = { order };
    },
    () => {
      isAsked = false;
    },
  );
}

const SIGNS: Readonly<Record<string, string>> = { "<=": "≤ ", ">=": "≥ ", "<": "< ", ">": "> ", "=": "" };

/**
 * What a row's name says beside its group's, for names as `by_category` and `by_quantile` give them: `Masters` of
 * `education: Masters`, `≤ 28` of `age <= 28`, `28 – 37` of `28 < age <= 37`. Other names stay whole.
 */
export function nameInGroup(name: string, attribute: string): string {
  if (name.startsWith(`${attribute}: `)) return name.slice(attribute.length + 2).trim() || name;
  const at = name.indexOf(attribute);
  if (at < 0) return name;
  const low = name.slice(0, at).trim();
  const [, sign = "", bound = ""] =
    /^(<=|>=|<|>|=) (\S+(?: \S+)?)$/.exec(name.slice(at + attribute.length).trim()) ?? [];
  if (bound === "") return name;
  if (low === "") return `${SIGNS[sign] ?? ""}${bound}`;
  const [, from = ""] = /^(\S+(?: \S+)?) <$/.exec(low) ?? [];
  return from !== "" && sign === "<=" ? `${from} – ${bound}` : name;
}
