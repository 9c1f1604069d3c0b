/** List of the user's subsets: a name and a condition each, in an order of their own. */
import { type Combination, combineConditions } from "../language/tokens";

export interface NamedCondition {
  /** Different from the others'. */
  name: string;
  condition: string;
}

export type SubsetList = readonly NamedCondition[];

/** Puts a subset at the end. Its name is the condition where none is given; one that is taken gets a number. */
export function addSubset(list: SubsetList, condition: string, name = ""): SubsetList {
  const written = wellFormed(condition.trim());
  return [...list, { name: freeName(wellFormed(name.trim()) || written, namesOf(list)), condition: written }];
}

/** Gives a subset another name; an empty one means its condition. */
export function renameSubset(list: SubsetList, from: string, to: string): SubsetList {
  const others = list.filter(({ name }) => name !== from);
  return list.map((subset) =>
    subset.name === from
      ? { ...subset, name: freeName(wellFormed(to.trim()) || subset.condition, namesOf(others)) }
      : subset,
  );
}

export const removeSubset = (list: SubsetList, removed: string): SubsetList =>
  list.filter(({ name }) => name !== removed);

/** Puts a copy behind the original. */
export function duplicateSubset(list: SubsetList, original: string): SubsetList {
  return list.flatMap((subset) =>
    subset.name === original ? [subset, { ...subset, name: freeName(subset.name, namesOf(list)) }] : [subset],
  );
}

/** Puts a subset at a position, counted without it. */
export function moveSubset(list: SubsetList, moved: string, position: number): SubsetList {
  const subset = list.find(({ name }) => name === moved);
  if (!subset) return list;
  const others = removeSubset(list, moved);
  const at = Math.max(0, Math.min(others.length, position));
  return [...others.slice(0, at), subset, ...others.slice(at)];
}

const SIGNS: Record<Combination, string> = { and: " and ", or: " or ", minus: " minus ", not: " or " };

/** Returns one subset made of several, named after them. */
export function combineSubsets(combination: Combination, parts: SubsetList): NamedCondition {
  const names = parts.map(({ name }) => name).join(SIGNS[combination]);
  const name = combination !== "not" ? names : parts.length > 1 ? `not (${names})` : `not ${names}`;
  return {
    name,
    condition: combineConditions(
      combination,
      parts.map(({ condition }) => condition),
    ),
  };
}

/** The JSON that `preprocess(subsets=...)` takes: names and conditions. */
export function exportSubsets(list: SubsetList): string {
  return `${JSON.stringify(Object.fromEntries(list.map(({ name, condition }) => [name, condition])), null, 2)}\n`;
}

/**
 * Returns `list` with what such a JSON holds after it; a subset that is there already is not added twice.
 *
 * @throws Error with a sentence to show, where the text is not such a JSON
 */
export function importSubsets(list: SubsetList, text: string): SubsetList {
  return parseSubsets(text).reduce<SubsetList>((all, { name, condition }) => {
    const isThere = all.some((subset) => subset.name === name && subset.condition === condition);
    return isThere ? all : addSubset(all, condition, name);
  }, list);
}

function parseSubsets(text: string): NamedCondition[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('The file is not JSON; expected names and conditions, e.g. {"hard": "score < 0.6"}.');
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error('The file holds no names and conditions; expected an object, e.g. {"hard": "score < 0.6"}.');
  }
  return Object.entries(parsed).map(([name, condition]) => {
    if (typeof condition === "string") return { name, condition };
    throw new Error(`“${name}” has no condition as text; expected e.g. {"hard": "score < 0.6"}.`);
  });
}

/** The list as one of texts, for the URL: name and condition in turn, no name where it is the condition. */
export const flattenSubsets = (list: SubsetList): string[] =>
  list.flatMap(({ name, condition }) => [name === condition ? "" : name, condition]);

export function unflattenSubsets(items: readonly string[]): SubsetList {
  const conditions = items.filter((_, at) => at % 2 === 1);
  return conditions.reduce<SubsetList>(
    (list, condition, at) => (condition.trim() === "" ? list : addSubset(list, condition, items[2 * at])),
    [],
  );
}

/** Halves of characters cannot be in a URL. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Cs}/gu, "\uFFFD");

const namesOf = (list: SubsetList): Set<string> => new Set(list.map(({ name }) => name));

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 2, name = wanted; ; number++) {
    if (!taken.has(name)) return name;
    name = `${wanted} (${number})`;
  }
}
