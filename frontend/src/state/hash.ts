/**
 * Durable state in the URL of TensorBoard's page, as `p.activis.<key>` pairs of its hash.
 *
 * TensorBoard's own call for this answers nothing on the first load, so the hash is read and written here. A page that
 * does not let us look at its parent keeps working, without the URL.
 */

const PREFIX = "p.activis.";
const LONGEST = 8192;

export type HashValues = Readonly<Record<string, string>>;

/** Returns the pairs of ours in a hash such as `#activis&p.activis.run=cnn-a`. */
export function parseHash(hash: string): HashValues {
  const values: Record<string, string> = {};
  for (const pair of hash.replace(/^#/, "").split("&")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || !pair.startsWith(PREFIX)) continue;
    values[pair.slice(PREFIX.length, equals)] = decode(pair.slice(equals + 1));
  }
  return values;
}

/** Returns `hash` with our pairs replaced by `values`; other plugins' pairs stay as they are, empty values are left out. */
export function formatHash(hash: string, values: HashValues): string {
  const others = hash
    .replace(/^#/, "")
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith(PREFIX));
  const ours = Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${PREFIX}${key}=${encodeURIComponent(value)}`);
  return `#${[...others, ...ours].join("&")}`;
}

/** A list as one value: items are escaped, then joined by commas. */
export const joinList = (items: readonly string[]): string => items.map(encodeURIComponent).join(",");

export const splitList = (value: string | undefined): string[] => (value ? value.split(",").map(decode) : []);

/** The hash of the page that holds the tab. */
export interface HashStore {
  read(): HashValues;
  write(values: HashValues): void;
  /** Calls `listener` when somebody else changes the hash (back, forward, a pasted link); returns how to stop. */
  listen(listener: () => void): () => void;
}

/** Opens the parent page's hash; history is not lengthened by what we write. */
export function openParentHash(self: Window): HashStore {
  const page = accessibleParent(self);
  let writing = false;
  return {
    read: () => (page ? parseHash(page.location.hash) : {}),
    write: (values) => {
      if (!page || !/^#activis(&|$)/.test(page.location.hash)) return;
      const hash = formatHash(page.location.hash, values);
      if (hash === page.location.hash || hash.length > LONGEST) return;
      writing = true;
      page.history.replaceState(page.history.state, "", hash);
      // TensorBoard reads the hash on this event alone and would otherwise write its older copy back.
      page.dispatchEvent(new HashChangeEvent("hashchange"));
      writing = false;
    },
    listen: (listener) => {
      const heard = () => {
        if (!writing && page && /^#activis(&|$)/.test(page.location.hash)) listener();
      };
      page?.addEventListener("hashchange", heard);
      return () => page?.removeEventListener("hashchange", heard);
    },
  };
}

/** Returns the page around the tab, or null where the browser keeps it from us. */
export function accessibleParent(self: Window): Window | null {
  try {
    return self.parent.location.hash === undefined ? null : self.parent;
  } catch {
    return null;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
