/** Parts of the state that are too long for a URL: kept in this browser, under a key that stands in the URL. */

import { formatHash, type HashValues } from "./hash";

/** Longer hashes are cut off by some mail programs and proxies. */
export const LONGEST_HASH = 8192;
/** The key in the URL under which the rest is kept. */
export const KEPT = "kept";

const PREFIX = "activis.state.";
const MOST_KEPT = 20;

/** Keeps the longest values in `storage`, as many as it takes for the hash to fit. Throws where there is no room. */
export function keepLongValues(hash: string, values: HashValues, storage: Storage): HashValues {
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
  forgetOldest(storage);
  storage.setItem(PREFIX + short[KEPT], JSON.stringify(long));
  return short;
}

/** Returns `values` with what was kept for them, or null where this browser does not have it. */
export function recallLongValues(values: HashValues, storage: Storage): HashValues | null {
  const { [KEPT]: key, ...short } = values;
  if (key === undefined) return values;
  const text = storage.getItem(PREFIX + key);
  return text === null ? null : { ...short, ...(JSON.parse(text) as HashValues) };
}

/** Keys begin with the time, so their order is that of their making. */
const newKey = (): string =>
  `${Date.now().toString(36).padStart(9, "0")}${Math.random().toString(36).slice(2, 8).padEnd(6, "0")}`;

function forgetOldest(storage: Storage): void {
  const keys = Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "")
    .filter((key) => key.startsWith(PREFIX))
    .sort();
  for (const key of keys.slice(0, Math.max(0, keys.length - MOST_KEPT + 1))) storage.removeItem(key);
}
