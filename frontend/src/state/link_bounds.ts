/** What a link may ask for: more than anybody looks at would keep the browser and the server busy for nothing. */

import { MOST_OTHERS } from "./comparing_choices";
import type { HashValues } from "./hash";

/** Characters of one name or condition; the plugin takes no longer ones. */
const LONGEST = 4096;

interface Bound {
  most: number;
  /** Items that make one of them. */
  items: number;
  what: string;
}

const MOST_LAYERS = 24;

const BOUNDS: Readonly<Record<string, Bound>> = {
  layers: { most: MOST_LAYERS, items: 1, what: "open layers" },
  vs: { most: MOST_OTHERS, items: 3, what: "runs or steps to compare with" },
  subsets: { most: 100, items: 2, what: "subsets" },
  pinned: { most: 5_000, items: 1, what: "pinned instances" },
  colours: { most: 100, items: 1, what: "coloured classes" },
  differing: { most: MOST_LAYERS, items: 1, what: "layers shown as differences" },
  pairs: { most: MOST_OTHERS * MOST_LAYERS, items: 3, what: "pairs of layers" },
  outcomes: { most: 100, items: 1, what: "rows of outcomes" },
};

export interface Bounded {
  values: HashValues;
  /** What was left out, as sentences. */
  notes: string[];
}

/** Returns what a link says as far as it may ask for it. */
export function boundLink(values: HashValues): Bounded {
  const notes: string[] = [];
  const bounded = Object.entries(values).flatMap(([key, value]): [string, string][] => {
    const bound = BOUNDS[key];
    if (bound) return [[key, boundList(value, bound, notes)]];
    if (value.length <= LONGEST) return [[key, value]];
    notes.push(`The link says ${value.length.toLocaleString("en")} characters for “${key}”, which is left out.`);
    return [];
  });
  return { values: Object.fromEntries(bounded), notes };
}

/** @param value Escaped items, joined by commas. */
function boundList(value: string, { most, items, what }: Bound, notes: string[]): string {
  const all = value === "" ? [] : value.split(",");
  const groups = Array.from({ length: Math.ceil(all.length / items) }, (_, at) =>
    all.slice(at * items, (at + 1) * items),
  );
  const legible = groups.filter((group) => group.every((item) => decodedLength(item) <= LONGEST));
  const kept = legible.slice(0, most);
  if (kept.length === groups.length) return value;
  const left = (groups.length - kept.length).toLocaleString("en");
  notes.push(`The link asks for ${groups.length.toLocaleString("en")} ${what}; ${left} of them are left out.`);
  return kept.flat().join(",");
}

/** In bytes, about. */
const decodedLength = (item: string): number => item.replaceAll(/%[0-9A-Fa-f]{2}/g, "x").length;
