/**
 * The URL hash of TensorBoard's page, where durable state lives, and its history.
 *
 * TensorBoard's own call for this answers nothing on the first load, so the hash is read and written here. A page that
 * does not let us look at its parent keeps working, without the URL.
 */

import { type ReadonlySignal, signal } from "@preact/signals";
import { formatHash, type HashValues, parseHash } from "./hash";
import { keepLongValues, recallLongValues } from "./kept_states";

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
const FULL_NOTICE = "This state is too long for a link, and this browser keeps nothing: a reload will not show it.";

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
