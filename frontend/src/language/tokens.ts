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

/** The parts between a keyword that stands in no parentheses. */
function split(words: readonly Word[], keyword: "AND" | "OR"): Word[][] {
  const parts: Word[][] = [[]];
  let depth = 0;
  for (const word of words) {
    if (word.text === "(") depth++;
    if (word.text === ")") depth--;
    if (depth === 0 && word.kind === "keyword" && word.text.toUpperCase() === keyword) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}

function unwrapped(words: readonly Word[]): readonly Word[] {
  const isWhole = split(words, "AND").length === 1 && split(words, "OR").length === 1;
  return isWhole && words[0]?.text === "(" ? unwrapped(words.slice(1, -1)) : words;
}

/** The parts that all have to hold, without those of which one is enough. */
function conjuncts(words: readonly Word[]): Word[][] {
  const inner = unwrapped(words);
  if (split(inner, "OR").length > 1) return [];
  const parts = split(inner, "AND");
  return parts.length > 1 ? parts.flatMap(conjuncts) : parts;
}

const plain = (word: Word): string =>
  word.kind === "name" ? wordValue(word) : word.kind === "keyword" ? word.text.toUpperCase() : word.text;

const RIGHT = /^(correct( = TRUE)?|label = predicted|predicted = label)$/;
const WRONG = /^(NOT correct|correct = FALSE|label (<>|!=) predicted|predicted (<>|!=) label|predicted IS NULL)$/;

function outcomeOf(words: readonly Word[]): boolean | null {
  const parts = conjuncts(words).map((part) => part.map(plain).join(" "));
  if (parts.some((part) => RIGHT.test(part))) return true;
  if (parts.some((part) => WRONG.test(part))) return false;
  const after = (start: string) => parts.find((part) => part.startsWith(start))?.slice(start.length);
  const [label, predicted] = [after("label = '"), after("predicted = '")];
  if (label === undefined) return null;
  if (parts.some((part) => part === `predicted <> '${label}` || part === `predicted != '${label}`)) return false;
  return predicted === undefined ? null : label === predicted;
}

/** Whether all that meet a condition are predicted right, or wrong, because it asks for that; null where it does not. */
export function askedOutcome(condition: string): boolean | null {
  const outcomes = split(unwrapped(readWords(condition)), "OR").map(outcomeOf);
  const [first = null] = outcomes;
  return outcomes.every((outcome) => outcome === first) ? first : null;
}
