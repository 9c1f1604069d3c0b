/**
 * Address of the tab: `p.activis.<key>` pairs in the URL hash of TensorBoard's page, which hold what the user chose, its
 * history, and long values kept in this browser.
 *
 * TensorBoard's own call for this answers nothing on the first load, so the hash is read and written here. A page that
 * does not let us look at its parent keeps working, without the URL.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

const HASH_PREFIX = "p.activis.";

export type HashValues = Readonly<Record<string, string>>;

/** Returns the pairs of ours in a hash such as `#activis&p.activis.run=cnn-a`. */
export function parseHash(hash: string): HashValues {
  const values: Record<string, string> = {};
  for (const pair of hash.replace(/^#/, "").split("&")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || !pair.startsWith(HASH_PREFIX)) continue;
    values[pair.slice(HASH_PREFIX.length, equals)] = decode(pair.slice(equals + 1));
  }
  return values;
}

/** Returns `hash` with our pairs replaced by `values`; other plugins' pairs stay as they are, empty values are left out. */
export function formatHash(hash: string, values: HashValues): string {
  const others = hash
    .replace(/^#/, "")
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith(HASH_PREFIX));
  const ours = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${HASH_PREFIX}${key}=${encode(value)}`);
  return `#${[...others, ...ours].join("&")}`;
}

/** A list as one value: items are escaped, then joined by commas. */
export const joinList = (items: readonly string[]): string => items.map(encode).join(",");

export const splitList = (value: string | undefined): string[] => (value ? value.split(",").map(decode) : []);

/** Halves of characters cannot be in a URL. */
const encode = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Cs}/gu, "\uFFFD"));

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Longer hashes are cut off by some mail programs and proxies. */
export const LONGEST_HASH = 8192;
/** The key in the URL under which the rest is kept. */
export const KEPT = "kept";

const STORAGE_PREFIX = "activis.state.";
const MOST_KEPT = 50;
/** Characters of all kept states; a browser has about five times as many for all of TensorBoard. */
export const MOST_CHARACTERS = 2 ** 20;

/** Keeps the longest values in `storage`, as many as it takes for the hash to fit. Throws where there is no room. */
function keepLongValues(hash: string, values: HashValues, storage: Storage | null): HashValues {
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
  storage.setItem(STORAGE_PREFIX + short[KEPT], text);
  return short;
}

/** Returns `values` with what was kept for them, or null where this browser does not have it. */
function recallLongValues(values: HashValues, storage: Storage | null): HashValues | null {
  const { [KEPT]: key, ...short } = values;
  if (key === undefined) return values;
  const text = storage?.getItem(STORAGE_PREFIX + key) ?? null;
  if (storage === null || text === null) return null;
  const json = text.slice(text.indexOf("{"));
  const long = parsed(json);
  if (long === null) return null;
  try {
    storage.setItem(STORAGE_PREFIX + key, stamped(json));
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
    .filter((key) => key.startsWith(STORAGE_PREFIX))
    .map((key) => {
      const text = storage.getItem(key) ?? "";
      return { key, used: text.startsWith("{") ? key.slice(STORAGE_PREFIX.length) : text, size: text.length };
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

/** Why the state changed: a user's choice is a step of the history, a consequence is not. */
export type Cause = "choice" | "consequence";

export interface HashStore {
  read(): HashValues;
  write(values: HashValues, cause: Cause): void;
  /** Calls `listener` when somebody else changes the hash (back, forward, a pasted link); returns how to stop. */
  listen(listener: () => void): () => void;
  /** The address that shows what is shown now. */
  link(): string;
  /** What a person should know about the address; empty where it holds everything. */
  notice: ReadonlySignal<string>;
}

/** Changes of the same values within this time are one step of the history. */
const FOLD_MILLISECONDS = 1_000;

const KEPT_NOTICE =
  "This state is too long for a link, so a part of it is kept in this browser: the link shows all of it only here.";
const LOST_NOTICE =
  "The link names a part of its state that is kept in the browser that made it, not in this one. The rest is shown.";
const FULL_NOTICE = "This state is too long for a link, and this browser stores nothing: a reload will lose it.";

export function openParentHash(self: Window): HashStore {
  const page = accessibleParent(self);
  const storage = page && storageOf(page);
  const notice = signal("");
  const folding = createFolding();
  let written: HashValues = {};
  let shortened: HashValues = {};
  let writing = false;

  const isOurs = () => page !== null && /^#activis(&|$)/.test(page.location.hash);
  const read = (): HashValues => {
    if (!page) return {};
    const values = parseHash(page.location.hash);
    const whole = recallLongValues(values, storage);
    notice.value = whole === null ? LOST_NOTICE : whole === values ? "" : KEPT_NOTICE;
    written = whole ?? values;
    shortened = values;
    return written;
  };
  const write = (values: HashValues, cause: Cause) => {
    if (!page || !isOurs()) return;
    const changed = changedKeys(written, values);
    if (changed === "" && formatHash(page.location.hash, shortened) === page.location.hash) return;
    try {
      shortened = keepLongValues(page.location.hash, values, storage);
      notice.value = shortened === values ? "" : KEPT_NOTICE;
    } catch {
      notice.value = FULL_NOTICE;
      return;
    }
    written = values;
    const hash = formatHash(page.location.hash, shortened);
    if (hash === page.location.hash) return;
    writing = true;
    const step = folding.isStep(changed, cause) ? "pushState" : "replaceState";
    page.history[step](page.history.state, "", hash);
    // TensorBoard reads the hash on this event alone and would otherwise write its older copy back.
    page.dispatchEvent(new HashChangeEvent("hashchange"));
    writing = false;
  };
  const listen = (listener: () => void) => {
    const heard = () => {
      // TensorBoard tells of what was written here once more.
      if (writing || !isOurs() || formatHash(page?.location.hash ?? "", shortened) === page?.location.hash) return;
      folding.forget();
      listener();
    };
    page?.addEventListener("hashchange", heard);
    return () => page?.removeEventListener("hashchange", heard);
  };
  return { read, write, listen, notice, link: () => (page ?? self).location.href };
}

/** Decides which changes are steps of the history. */
function createFolding() {
  let lastKeys = "";
  let lastTime = Number.NEGATIVE_INFINITY;
  return {
    isStep: (keys: string, cause: Cause): boolean => {
      if (cause === "consequence") return false;
      const now = performance.now();
      const folded = keys === lastKeys && now - lastTime < FOLD_MILLISECONDS;
      lastKeys = keys;
      lastTime = now;
      return !folded;
    },
    forget: () => {
      lastKeys = "";
    },
  };
}

/** Names the values that differ, `""` and an absent one being alike. */
function changedKeys(before: HashValues, after: HashValues): string {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => (before[key] ?? "") !== (after[key] ?? ""))
    .sort()
    .join();
}

/** Returns where the page keeps things, or null where the browser lets it keep none. */
function storageOf(page: Window): Storage | null {
  try {
    return page.localStorage;
  } catch {
    return null;
  }
}

/** Returns the page around the tab, or null where the browser keeps it from us. */
export function accessibleParent(self: Window): Window | null {
  try {
    return self.parent.location.hash === undefined ? null : self.parent;
  } catch {
    return null;
  }
}
