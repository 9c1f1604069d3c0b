/** Durable state as text: `p.activis.<key>` pairs in the hash of TensorBoard's page. */

const PREFIX = "p.activis.";

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
    .map(([key, value]) => `${PREFIX}${key}=${encode(value)}`);
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
