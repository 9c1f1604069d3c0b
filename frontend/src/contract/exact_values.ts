/** Numbers and times of the wire: what doubles cannot hold stands beside them as text. */

/** A number, infinite where its text says so; of a time, seconds since 1970. */
export function numberOf(double: number, text = ""): number {
  if (text === "inf") return Number.POSITIVE_INFINITY;
  return text === "-inf" ? Number.NEGATIVE_INFINITY : double;
}

/** All digits of a number that no double is; null for any other. */
export const wholeOf = (text = ""): bigint | null => (/^-?\d+$/.test(text) ? BigInt(text) : null);

/** A number as a condition writes it: whole ones by all their digits. */
export function writtenNumber(double: number, text = ""): string {
  if (text !== "") return text;
  if (!Number.isFinite(double)) return double > 0 ? "inf" : "-inf";
  const isPlain = Number.isSafeInteger(double) || !Number.isInteger(double) || Math.abs(double) >= 1e21;
  return isPlain ? String(double) : String(BigInt(double));
}
