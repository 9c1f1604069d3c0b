/** Completion of a condition that is being typed: names, operators and values that may come next. */
import { writtenNumber } from "../contract/exact_values";
import { KEYWORDS } from "../contract/language";
import { comparable, quoteName, quoteText, readWords, type Word, wordValue } from "./tokens";

type Expectation =
  | { what: "operand" }
  /** After a column, by its name, or after a number. */
  | { what: "operator"; column: string | null; afterNot?: boolean }
  | { what: "value"; column: string | null; operator: string; listed: boolean }
  /** The parenthesis of IN. */
  | { what: "open"; column: string | null }
  | { what: "null"; afterNot?: boolean }
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
/** Operators that may have a NOT before them. */
const NEGATABLE = ["IN", "BETWEEN", "LIKE", "ILIKE", "~"];
const ARITHMETIC = ["+", "-", "*", "/", "%"];

/** Follows `words`, all of them complete, and returns what may come after them. */
function expectAfter(words: readonly Word[]): Expectation {
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
      return written === "NULL" ? { what: "junction" } : { what: "null", afterNot: written === "NOT" };
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
  if (written === "NOT") return { what: "operator", column, afterNot: true };
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

export type ColumnType = "number" | "category" | "text" | "class" | "boolean" | "time" | "image" | "audio";

export interface Column {
  name: string;
  type: ColumnType;
  /** What it is, in words. */
  meaning: string;
  /** Values to compare with, and how many instances have each; null where that is not known. */
  values: readonly { value: string | number | bigint | boolean; count: number | null }[];
  /** How texts begin, with the space after it, and how many do: as it is written, and in either case. */
  beginnings?: readonly { text: string; count: number; either_case: number }[];
}

/** Everything that a condition can speak of. */
export interface Vocabulary {
  columns: readonly Column[];
  classes: readonly string[];
  layers: readonly { name: string; neurons: number }[];
  /** Whether instances have a true class. */
  labelled: boolean;
  /** Instances that are misclassified, where that is known. */
  misclassified: number | null;
}

export interface Completion {
  /** What stands in the text instead of that from `start` to `end`. */
  insert: string;
  start: number;
  end: number;
  detail: string;
  /** Instances that have this value or meet this condition; null where that is not known. */
  count: number | null;
}

type Candidate = Pick<Completion, "insert" | "detail" | "count">;

const MOST_COMPLETIONS = 50;

/** Returns completions of what stands before `caret`, those that begin as it does before those that only hold it. */
export function completeCondition(text: string, caret: number, vocabulary: Vocabulary): Completion[] {
  const words = readWords(text.slice(0, caret));
  const last = words.at(-1);
  const partial = last && isPartial(last, caret) ? last : null;
  const expected = expectAfter(partial ? words.slice(0, -1) : words);
  if (!partial && mayEnd(expected) && !/\s$/.test(text.slice(0, caret))) return [];
  const start = partial?.start ?? caret;
  const typed = partial?.text ?? "";
  const end = endOfWord(text, caret, partial);
  const matches = matching(candidates(expected, vocabulary), typed)
    .slice(0, MOST_COMPLETIONS)
    .map((candidate) => ({ ...candidate, start, end }));
  const isAlone = partial !== null && words.length === 1 && matches.length > 0;
  const meant = caret === text.length && !isAlone && meantByWords(text, vocabulary);
  return meant ? [meant] : matches;
}

/** What plain words stand for: a class's name, or a part of the first column of texts; see `check.py` of the server. */
function meantByWords(text: string, { columns, classes, labelled }: Vocabulary): Completion | null {
  const [, first = ""] =
    /^\s*([\p{L}_][\p{L}\p{N}\p{M}_]*)(?:[\s,.?!’'-]+[\p{L}\p{N}\p{M}_]+)*[\s.?!]*$/u.exec(text) ?? [];
  const isKnown = [...KEYWORDS, ...columns.map(({ name }) => name)].some(
    (one) => comparable(one) === comparable(first),
  );
  if (first === "" || isKnown) return null;
  const words = text.trim().split(/\s+/).join(" ");
  const place = { start: 0, end: text.length, count: null };
  const named = classes.find((name) => comparable(name) === comparable(words));
  const subject = labelled ? "label" : "predicted";
  if (named !== undefined)
    return { ...place, insert: `${subject} = ${quoteText(named)}`, detail: "instances of the class" };
  const column = columns.find(({ type }) => type === "text");
  if (!column) return null;
  return {
    ...place,
    insert: `${quoteName(column.name)} ILIKE ${quoteText(`%${words}%`)}`,
    detail: "texts with these words",
  };
}

/** Returns the text with a completion in it, what was put in, and where the caret then is. */
export function applyCompletion(
  text: string,
  { insert, start, end }: Completion,
): { text: string; inserted: string; caret: number } {
  const before = text.slice(0, start);
  const space = /[\p{L}\p{N}_'")]$/u.test(before) && /^[^),]/.test(insert) ? " " : "";
  const inserted = `${space}${insert}`;
  return { text: `${before}${inserted}${text.slice(end)}`, inserted, caret: before.length + inserted.length };
}

/** Whether a text can be a whole condition, of which the server can say more than that something is missing. */
export function canBeWhole(text: string, vocabulary: Vocabulary): boolean {
  const words = readWords(text);
  const depth = words.reduce((open, word) => open + Number(word.text === "(") - Number(word.text === ")"), 0);
  const expected = expectAfter(words);
  const isBoolean = ({ name, type }: Column) => type === "boolean" && comparable(name) === comparable(named);
  const named = expected.what === "operator" ? (expected.column ?? "") : "";
  return depth === 0 && (expected.what === "junction" || (named !== "" && vocabulary.columns.some(isBoolean)));
}

/** Whether nothing has to come: then nothing is offered before a space asks for it. */
const mayEnd = ({ what }: Expectation): boolean => what === "junction" || what === "operator";

/** Whether a word at the caret is still being typed. */
function isPartial(word: Word, caret: number): boolean {
  if (!word.closed) return true;
  return word.end === caret && (word.kind === "name" || word.kind === "keyword" || word.kind === "number");
}

/** The rest of a word in which the caret stands is replaced too. */
function endOfWord(text: string, caret: number, partial: Word | null): number {
  if (!partial?.closed) return caret;
  return caret + (/^[\p{L}\p{N}_]*/u.exec(text.slice(caret))?.[0].length ?? 0);
}

function matching(all: readonly Candidate[], typed: string): Candidate[] {
  const wanted = comparable(typed);
  const bare = wanted.replace(/^['"]/, "");
  const others = all.filter(({ insert }) => comparable(insert) !== wanted);
  const begins = others.filter(({ insert }) => comparable(insert).startsWith(wanted));
  if (bare === "") return begins;
  const holds = others.filter(
    (one) => !begins.includes(one) && comparable(`${one.insert} ${one.detail}`).includes(bare),
  );
  return [...begins, ...holds];
}

function candidates(expected: Expectation, vocabulary: Vocabulary): Candidate[] {
  const columnNamed = (name: string | null) =>
    vocabulary.columns.find((column) => name !== null && comparable(column.name) === comparable(name));
  switch (expected.what) {
    case "operand":
      return operands(vocabulary);
    case "operator": {
      const type = columnNamed(expected.column)?.type ?? "number";
      if (expected.afterNot) return operators(type).filter(({ insert }) => NEGATABLE.includes(insert));
      return [...operators(type), ...(type === "boolean" ? junctionsOf(vocabulary) : [])];
    }
    case "value":
    case "listed":
      return expected.what === "listed"
        ? plain([",", "another value"], [")", "end of the list"])
        : values(columnNamed(expected.column), expected, vocabulary);
    case "open":
      return plain(["(", "a list of values"]);
    case "null":
      return expected.afterNot
        ? plain(["NULL", "has a value"])
        : plain(["NULL", "has no value"], ["NOT NULL", "has a value"]);
    case "between":
      return plain(["AND", "the upper limit"]);
    case "junction":
      return expected.pattern
        ? [...junctionsOf(vocabulary), ...plain(["ESCAPE", "the character before a % or _ that stands for itself"])]
        : junctionsOf(vocabulary);
    case "escape":
      return plain(["'!'", "!% stands for a %"], ["'\\'", "\\% stands for a %"]);
    case "argument":
      return argumentsOf(expected.of, vocabulary);
  }
}

function operands({ columns, classes, layers, labelled, misclassified }: Vocabulary): Candidate[] {
  const [layer] = layers;
  return [
    ...columns.map(({ name, meaning }) => ({ insert: quoteName(name), detail: meaning, count: null })),
    ...(labelled ? [{ insert: "label <> predicted", detail: "misclassified", count: misclassified }] : []),
    { insert: `score_of(${quoteText(classes[0] ?? "")})`, detail: "score of a class", count: null },
    ...(layer ? plain([`neuron(${quoteText(layer.name)}, 0)`, "activation of a neuron"]) : []),
    ...plain(["NOT", "the opposite"]),
  ];
}

const COMPARISON_HINTS: [string, string][] = [
  ["=", "equal"],
  ["<>", "different"],
  ["<", "less"],
  ["<=", "at most"],
  [">", "more"],
  [">=", "at least"],
];
const PATTERN_HINTS: [string, string][] = [
  ["ILIKE", "pattern, either case: % any text, _ one character"],
  ["LIKE", "pattern: % any text, _ one character"],
  ["~", "regular expression"],
];

function operators(type: ColumnType): Candidate[] {
  const missing: [string, string][] = [["IS", "with or without a value"]];
  if (type === "image" || type === "audio") return plain(...missing);
  if (type === "number" || type === "time")
    return plain(...COMPARISON_HINTS, ["BETWEEN", "from, to"], ["IN", "one of"], ...missing);
  if (type === "boolean") return plain(["=", "equal"], ...missing);
  const same: [string, string][] = [
    ["=", "equal"],
    ["<>", "different"],
    ["IN", "one of"],
  ];
  return plain(...(type === "text" ? [...PATTERN_HINTS, ...same] : [...same, ...PATTERN_HINTS]), ...missing);
}

const plain = (...pairs: [string, string][]): Candidate[] =>
  pairs.map(([insert, detail]) => ({ insert, detail, count: null }));

const ofLabels: [string, string] = ["AND NOT correct", "misclassified among them"];

const junctionsOf = ({ labelled }: Vocabulary): Candidate[] =>
  plain(["AND", "both"], ["OR", "one of both"], ...(labelled ? [ofLabels] : []));

function values(
  column: Column | undefined,
  { operator, listed }: Extract<Expectation, { what: "value" }>,
  { columns }: Vocabulary,
): Candidate[] {
  if (!column) return [];
  const isPattern = PATTERN_HINTS.some(([name]) => name === operator);
  const written =
    isPattern && column.type === "text"
      ? patterns(column, operator)
      : column.values.map(({ value, count }) => ({ insert: literal(value), detail: "", count }));
  const alike = columns.filter((other) => other !== column && other.type === column.type);
  const names = listed || isPattern ? [] : alike.map(({ name, meaning }) => ({ name, meaning }));
  return [...written, ...names.map(({ name, meaning }) => ({ insert: quoteName(name), detail: meaning, count: null }))];
}

/** What LIKE and ILIKE find by the first words of the texts. */
function patterns({ beginnings = [] }: Column, operator: string): Candidate[] {
  const detail = "beginning";
  if (operator === "LIKE")
    return beginnings.map(({ text, count }) => ({ insert: quoteText(`${text}%`), detail, count }));
  if (operator !== "ILIKE") return [];
  const either = new Map(beginnings.map(({ text, either_case }) => [text.toLowerCase(), either_case]));
  const inOrder = [...either].sort(([, one], [, other]) => other - one);
  return inOrder.map(([text, count]) => ({ insert: quoteText(`${text}%`), detail, count }));
}

function literal(value: string | number | bigint | boolean): string {
  if (typeof value === "string") return quoteText(value);
  return typeof value === "number" ? writtenNumber(value) : String(value).toUpperCase();
}

function argumentsOf(name: string, { classes, layers }: Vocabulary): Candidate[] {
  if (name === "score_of") return plain(...classes.map((one): [string, string] => [quoteText(one), "class"]));
  if (name !== "neuron") return [];
  return plain(...layers.map((one): [string, string] => [quoteText(one.name), `${one.neurons} neurons`]));
}

/** What a completion adds after the caret, where it continues what was typed. */
export function ghostOf(text: string, caret: number, completion: Completion | undefined): string {
  if (!completion || caret !== text.length) return "";
  const typed = text.slice(completion.start);
  if (typed === "" && !/\s$/.test(text)) return "";
  return completion.insert.toLowerCase().startsWith(typed.toLowerCase()) ? completion.insert.slice(typed.length) : "";
}
