/** Parts of the state that are too long for a URL: kept in this browser, under a key that stands in the URL. */

import { formatHash, type HashValues } from "./hash";

/** Longer hashes are cut off by some mail programs and proxies. */
export const LONGEST_HASH = 8192;
/** The key in the URL under which the rest is kept. */
export const KEPT = "kept";

const PREFIX = "activis.state.";
const MOST_KEPT = 50;
/** Characters of all kept states; a browser has about five times as many for all of TensorBoard. */
export const MOST_CHARACTERS = 2 ** 20;

/** Keeps the longest values in `storage`, as many as it takes for the hash to fit. Throws where there is no room. */
export function keepLongValues(hash: string, values: HashValues, storage: Storage | null): HashValues {
  if (formatHash(hash, values).length <= LONGEST_HASH) return values;
  const short: Record<string, string> = { ...values, [KEPT]: newKey() };
  const long: Record<string, string> = {};
  const byLength = Object.keys(values).sort(
    (first, second) => (values[second]?.length ?? 0) - (values[first]?.length ?? 0),
  );
  for (const key of byLength) {
    if (formatHash(hash, short).length <= LONGEST_HASH) break;
    long[key] = values[key] ?? "";
    delete short[key];
  }
  const text = stamped(JSON.stringify(long));
  if (storage === null || text.length > MOST_CHARACTERS) throw new Error("There is no room for the state.");
  makeRoom(storage, text.length);
  storage.setItem(PREFIX + short[KEPT], text);
  return short;
}

/** Returns `values` with what was kept for them, or null where this browser does not have it. */
export function recallLongValues(values: HashValues, storage: Storage | null): HashValues | null {
  const { [KEPT]: key, ...short } = values;
  if (key === undefined) return values;
  const text = storage?.getItem(PREFIX + key) ?? null;
  if (storage === null || text === null) return null;
  const json = text.slice(text.indexOf("{"));
  const long = parsed(json);
  if (long === null) return null;
  try {
    storage.setItem(PREFIX + key, stamped(json));
  } catch {
    // It stays as it was: read, but not marked as used.
  }
  return { ...short, ...long };
}

function parsed(json: string): HashValues | null {
  try {
    const found = JSON.parse(json) as unknown;
    const isRecord = typeof found === "object" && found !== null && !Array.isArray(found);
    return isRecord && Object.values(found).every((value) => typeof value === "string") ? (found as HashValues) : null;
  } catch {
    return null;
  }
}

const newKey = (): string => `${timeText()}${Math.random().toString(36).slice(2, 8).padEnd(6, "0")}`;

const timeText = (): string => Date.now().toString(36).padStart(9, "0");

/** When a state was used last stands before it; of those of earlier versions, when it was made begins its key. */
const stamped = (json: string): string => `${timeText()} ${json}`;

/** Forgets what was used least recently until there is room for one more. */
function makeRoom(storage: Storage, needed: number): void {
  const kept = Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "")
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => {
      const text = storage.getItem(key) ?? "";
      return { key, used: text.startsWith("{") ? key.slice(PREFIX.length) : text, size: text.length };
    })
    .sort((first, second) => (first.used < second.used ? -1 : 1));
  let size = kept.reduce((sum, state) => sum + state.size, needed);
  let count = kept.length + 1;
  for (const state of kept) {
    if (count <= MOST_KEPT && size <= MOST_CHARACTERS) return;
    storage.removeItem(state.key);
    count--;
    size -= state.size;
  }
}
