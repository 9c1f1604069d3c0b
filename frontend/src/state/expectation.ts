/** What may come next in a condition that is being typed. */

import { type Word, wordValue } from "./condition_text";

export type Expectation =
  | { what: "operand" }
  /** After a column, by its name, or after a number. */
  | { what: "operator"; column: string | null }
  | { what: "value"; column: string | null; operator: string; listed: boolean }
  /** The parenthesis of IN. */
  | { what: "open"; column: string | null }
  | { what: "null" }
  /** The AND of BETWEEN. */
  | { what: "between"; column: string | null }
  /** Of a list, after a value. */
  | { what: "listed"; column: string | null }
  /** The condition may end here; after a pattern, it may also say how its characters are escaped. */
  | { what: "junction"; pattern?: boolean }
  /** The character of ESCAPE. */
  | { what: "escape" }
  | { what: "argument"; of: string };

const COMPARISONS = ["=", "<>", "!=", "<", "<=", ">", ">=", "~", "!~", "LIKE", "ILIKE"];
const PATTERNS = ["LIKE", "ILIKE"];
const ARITHMETIC = ["+", "-", "*", "/", "%"];

/** Follows `words`, all of them complete, and returns what may come after them. */
export function expectAfter(words: readonly Word[]): Expectation {
  return words.reduce<Expectation>((expected, word, at) => step(expected, word, words[at + 1]), { what: "operand" });
}

function step(expected: Expectation, word: Word, next: Word | undefined): Expectation {
  const written = word.text.toUpperCase();
  switch (expected.what) {
    case "operand":
      return afterOperand(word, written, next);
    case "operator":
      return afterOperator(expected.column, written);
    case "value":
      return afterValue(expected, written);
    case "open":
      return written === "(" ? { what: "value", column: expected.column, operator: "IN", listed: true } : expected;
    case "null":
      return written === "NULL" ? { what: "junction" } : expected;
    case "between":
      return written === "AND" ? { what: "value", column: expected.column, operator: "AND", listed: false } : expected;
    case "listed":
      if (written === ",") return { what: "value", column: expected.column, operator: "IN", listed: true };
      return written === ")" ? { what: "junction" } : expected;
    case "junction":
      return expected.pattern && written === "ESCAPE" ? { what: "escape" } : afterJunction(written);
    case "escape":
      return { what: "junction" };
    case "argument":
      return written === ")" ? { what: "operator", column: null } : expected;
  }
}

function afterOperand(word: Word, written: string, next: Word | undefined): Expectation {
  if (written === "NOT" || written === "(" || ARITHMETIC.includes(written)) return { what: "operand" };
  if (word.kind === "name" && next?.text === "(") return { what: "argument", of: word.text.toLowerCase() };
  return { what: "operator", column: word.kind === "name" ? wordValue(word) : null };
}

function afterOperator(column: string | null, written: string): Expectation {
  if (COMPARISONS.includes(written)) return { what: "value", column, operator: written, listed: false };
  if (written === "BETWEEN") return { what: "value", column, operator: written, listed: false };
  if (written === "IN") return { what: "open", column };
  if (written === "IS") return { what: "null" };
  if (written === "NOT") return { what: "operator", column };
  if (ARITHMETIC.includes(written)) return { what: "operand" };
  return afterJunction(written);
}

function afterValue(expected: Extract<Expectation, { what: "value" }>, written: string): Expectation {
  if (written === "(" || ARITHMETIC.includes(written)) return expected;
  if (written === ")") return { what: "junction" };
  if (expected.listed) return { what: "listed", column: expected.column };
  if (expected.operator === "BETWEEN") return { what: "between", column: expected.column };
  return PATTERNS.includes(expected.operator) ? { what: "junction", pattern: true } : { what: "junction" };
}

function afterJunction(written: string): Expectation {
  return written === "AND" || written === "OR" || ARITHMETIC.includes(written)
    ? { what: "operand" }
    : { what: "junction" };
}
