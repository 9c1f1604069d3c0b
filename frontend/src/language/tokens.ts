/** Tokens of a condition, quoted names and texts. */
import { KEYWORDS, NAME, NUMBER, OPERATOR, QUOTED, TEXT } from "../contract/language";

type WordKind = "name" | "text" | "number" | "keyword" | "operator";

export interface Word {
  kind: WordKind;
  /** As written, quotes included. */
  text: string;
  start: number;
  end: number;
  /** False for a quote that nothing ends. */
  closed: boolean;
}

const WORD = new RegExp(
  `(?<text>${TEXT}|'[^]*)|(?<quoted>${QUOTED}|"[^]*)|(?<number>${NUMBER})|(?<name>${NAME})|(?<operator>${OPERATOR}|\\S)`,
  "giu",
);

/** Reads what can be read, whether or not the condition is complete. */
export function readWords(text: string): Word[] {
  return [...text.matchAll(WORD)].map((match) => {
    const [written] = match;
    const place = { text: written, start: match.index, end: match.index + written.length };
    const { text: literal, quoted, number, name } = match.groups ?? {};
    if (literal !== undefined) return { kind: "text", ...place, closed: isClosed(literal, "'") };
    if (quoted !== undefined) return { kind: "name", ...place, closed: isClosed(quoted, '"') };
    if (number !== undefined) return { kind: "number", ...place, closed: true };
    const kind = name === undefined ? "operator" : KEYWORDS.includes(name.toUpperCase()) ? "keyword" : "name";
    return { kind, ...place, closed: true };
  });
}

const isClosed = (quoted: string, quote: string): boolean =>
  quoted.length > 1 && (quoted.length - quoted.replaceAll(quote, "").length) % 2 === 0;

/** What a quoted or plain word stands for. */
export function wordValue({ text, closed }: Word): string {
  const [quote] = text;
  if (quote !== "'" && quote !== '"') return text;
  return text.slice(1, closed ? -1 : undefined).replaceAll(quote + quote, quote);
}

/** The column that a condition is about; null where it is about several, or none. */
export function columnOf(condition: string): string | null {
  const names = new Set(
    readWords(condition)
      .filter(({ kind }) => kind === "name")
      .map(wordValue),
  );
  const [name] = names;
  return names.size === 1 && name !== undefined ? name : null;
}

/** A column's name as a condition has it: in double quotes where it is not a plain word. */
export function quoteName(name: string): string {
  const plain = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !KEYWORDS.includes(name.toUpperCase());
  return plain ? name : `"${name.replaceAll('"', '""')}"`;
}

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A text as one is looked for: in lower case, letters with marks in one piece as conditions compare them. */
export const comparable = (text: string): string => text.normalize("NFC").toLowerCase();

/** Where a position in characters, as the server counts them, is in a JavaScript text. */
export const positionInText = (text: string, characters: number): number =>
  [...text].slice(0, characters).join("").length;

export type Combination = "and" | "or" | "not" | "minus";

/** One condition made of several: all, any, none of them, or the first without the others. */
export function combineConditions(combination: Combination, conditions: readonly string[]): string {
  const [first = "", ...others] = conditions.map(enclose);
  if (combination === "and") return [first, ...others].join(" AND ");
  if (combination === "or") return [first, ...others].join(" OR ");
  if (combination === "minus") return [first, ...others.map((other) => `NOT ${other}`)].join(" AND ");
  return [first, ...others].map((condition) => `NOT ${condition}`).join(" AND ");
}

/** In parentheses, unless nothing in it could bind to what is beside it. */
function enclose(condition: string): string {
  const written = condition.trim();
  const isLoose = readWords(written).some(
    ({ kind, text }) => kind === "keyword" && ["AND", "OR", "NOT", "BETWEEN"].includes(text.toUpperCase()),
  );
  return isLoose ? `(${written})` : written;
}
