import { describe, expect, test } from "vitest";
import { applyCompletion, canBeWhole, completeCondition, ghostOf, type Vocabulary } from "../src/language/completion";
import { readWords, type Word } from "../src/language/tokens";
import grammar from "./completion_grammar.json";

const vocabulary: Vocabulary = {
  classes: ["cat", "dog's"],
  layers: [{ name: "hidden", neurons: 18 }],
  labelled: true,
  misclassified: 7,
  columns: [
    {
      name: "text",
      type: "text",
      meaning: "text",
      values: [],
      beginnings: [
        { text: "What ", count: 9, either_case: 11 },
        { text: "Who's ", count: 3, either_case: 3 },
        { text: "what ", count: 2, either_case: 11 },
      ],
    },
    {
      name: "coat colour",
      type: "category",
      meaning: "category",
      values: [
        { value: "black", count: 4 },
        { value: "brown", count: 2 },
      ],
    },
    {
      name: "label",
      type: "class",
      meaning: "true class",
      values: [
        { value: "cat", count: 5 },
        { value: "dog's", count: 3 },
      ],
    },
    { name: "predicted", type: "class", meaning: "predicted class", values: [] },
    { name: "score", type: "number", meaning: "score", values: [{ value: 0.5, count: null }] },
    { name: "correct", type: "boolean", meaning: "predicted as its label", values: [{ value: true, count: 6 }] },
  ],
};

/** What is offered at the end of `text`. */
const offered = (text: string) => completeCondition(text, text.length, vocabulary).map(({ insert }) => insert);
const first = (text: string) => completeCondition(text, text.length, vocabulary)[0];

/** Terminals of the grammar that a word may be. */
function terminalsOf({ kind, text }: Word): string[] {
  if (kind === "text" || kind === "number") return [kind.toUpperCase()];
  if (kind === "name") return ["NAME", "QUOTED", text.toUpperCase()];
  const signs = { "(": "LPAR", ")": "RPAR", ",": "COMMA", "~": "MATCHES" }[text];
  return kind === "keyword" ? [text] : signs ? [signs] : ["EQUALITY", "RELATION"];
}

describe("completion", () => {
  test.each(Object.entries(grammar))("offers after %o what the grammar goes on with", (text, following) => {
    const words = offered(text).map((insert) => readWords(insert)[0]);
    expect(words.filter((word) => !word || !terminalsOf(word).some((name) => following.includes(name)))).toEqual([]);
  });

  test("begins with the columns, quoted where they must be, and the functions of the model", () => {
    expect(offered("")).toEqual([
      ...["text", '"coat colour"', "label", "predicted", "score", "correct"],
      ...["label <> predicted", "score_of('cat')", "neuron('hidden', 0)", "NOT"],
    ]);
  });

  test("offers what begins as typed, then what holds it in its name or meaning", () => {
    expect(offered("sco")).toEqual(["score", "score_of('cat')"]);
    expect(offered("label = 'cat' AND misc")).toEqual(["label <> predicted"]);
    expect(first("misc")?.count).toBe(7);
  });

  test("offers what plain words mean, in the place of all of them", () => {
    expect(completeCondition("what is", 7, vocabulary)).toEqual([
      { insert: "text ILIKE '%what is%'", start: 0, end: 7, detail: "texts with these words", count: null },
    ]);
    expect(offered("diameter")).toEqual(["text ILIKE '%diameter%'"]);
    expect(offered("it's a  golf-ball ?")).toEqual(["text ILIKE '%it''s a golf-ball ?%'"]);
    expect(offered("Cat ")).toEqual(["label = 'cat'"]);
    for (const condition of ["score ", "text LI", "NOT corr", "sco", "label = 'cat' AND misc"])
      expect(offered(condition).join()).not.toContain("%");
    expect(completeCondition("what is", 7, { ...vocabulary, columns: [] })).toEqual([]);
  });

  test("offers the operators of the column's type", () => {
    expect(offered("text ").slice(0, 3)).toEqual(["ILIKE", "LIKE", "~"]);
    expect(offered("score ")).toContain("BETWEEN");
    expect(offered("label ")).not.toContain("<");
    expect(offered("correct ")).toEqual(["=", "IS", "AND", "OR", "AND NOT correct"]);
  });

  test("offers values with their counts, quoted, and columns of the same type", () => {
    expect(completeCondition("label = ", 8, vocabulary).map(({ insert, count }) => [insert, count])).toEqual([
      ["'cat'", 5],
      ["'dog''s'", 3],
      ["predicted", null],
    ]);
    expect(offered('"coat colour" = \'br')).toEqual(["'brown'"]);
    expect(offered("score > ")).toEqual(["0.5"]);
  });

  test("offers patterns of how texts begin, with what they would find", () => {
    const counted = (text: string) =>
      completeCondition(text, text.length, vocabulary).map(({ insert, count }) => [insert, count]);
    expect(counted("text LIKE ")).toEqual([
      ["'What %'", 9],
      ["'Who''s %'", 3],
      ["'what %'", 2],
    ]);
    expect(counted("text ILIKE ")).toEqual([
      ["'what %'", 11],
      ["'who''s %'", 3],
    ]);
    expect(counted("text LIKE 'Wh")).toEqual([
      ["'What %'", 9],
      ["'Who''s %'", 3],
      ["'what %'", 2],
    ]);
    expect(counted("text ~ ")).toEqual([]);
  });

  test("follows lists, ranges, missing values, parentheses and arguments", () => {
    expect(offered("label IN ")).toEqual(["("]);
    expect(offered("label IN (")).toEqual(["'cat'", "'dog''s'"]);
    expect(offered("label IN ('cat' ")).toEqual([",", ")"]);
    expect(offered("score BETWEEN 0.1 ")).toEqual(["AND"]);
    expect(offered("text IS ")).toEqual(["NULL", "NOT NULL"]);
    expect(offered("(score > 0.5) ")).toContain("OR");
    expect(offered("score_of('")).toEqual(["'cat'", "'dog''s'"]);
    expect(offered("neuron('h")).toEqual(["'hidden'"]);
  });

  test("offers to take the meaning from the characters of a pattern", () => {
    expect(offered("text LIKE 'a!%' ")).toEqual(["AND", "OR", "AND NOT correct", "ESCAPE"]);
    expect(offered("text LIKE 'a!%' esc")).toEqual(["ESCAPE"]);
    expect(offered("text ILIKE 'a!%' ESCAPE ")).toEqual(["'!'", "'\\'"]);
    expect(offered("text ILIKE 'a!%' ESCAPE '!' ")).toEqual(["AND", "OR", "AND NOT correct"]);
    expect(offered("text = 'a' ")).not.toContain("ESCAPE");
  });

  test("finds letters with marks, in one piece or two", () => {
    const columns = ["caf\u00e9", "cafe\u0301s"].map((name) => ({
      name,
      type: "text" as const,
      meaning: "",
      values: [],
    }));
    const inserts = (text: string) =>
      completeCondition(text, text.length, { ...vocabulary, columns }).map(({ insert }) => insert);
    for (const typed of ["caf\u00e9", "cafe\u0301"]) expect(inserts(typed).length).toBeGreaterThan(0);
    expect(inserts("caf\u00e9 ").slice(0, 3)).toEqual(["ILIKE", "LIKE", "~"]);
    expect(inserts("cafe\u0301 ").slice(0, 3)).toEqual(["ILIKE", "LIKE", "~"]);
  });

  test("reads numbers that begin or end with a point", () => {
    expect(readWords("score > .5 AND a.5 < 1.").map(({ kind, text }) => [kind, text])).toEqual([
      ["name", "score"],
      ["operator", ">"],
      ["number", ".5"],
      ["keyword", "AND"],
      ["name", "a"],
      ["operator", "."],
      ["number", "5"],
      ["operator", "<"],
      ["number", "1."],
    ]);
    expect(offered("score > .5 ")).toContain("AND");
  });

  test("offers nothing more where the condition may end, until a space asks for it", () => {
    expect(offered("label = 'cat'")).toEqual([]);
    expect(offered("label = 'cat' ")).toEqual(["AND", "OR", "AND NOT correct"]);
  });
});

describe("a completion", () => {
  test("takes the place of the word that the caret is in", () => {
    const [completion] = completeCondition("sco < 0.6", 2, vocabulary);
    expect(completion && applyCompletion("sco < 0.6", completion)).toEqual({
      text: "score < 0.6",
      inserted: "score",
      caret: 5,
    });
  });

  test("is shown behind the caret as far as it continues what was typed", () => {
    const ghost = (text: string, caret = text.length) => ghostOf(text, caret, first(text));
    expect(ghost("sco")).toBe("re");
    expect(ghost("label = 'c")).toBe("at'");
    expect(ghost("misc")).toBe("");
    expect(ghost("sco", 1)).toBe("");
    expect(ghost("")).toBe("");
  });
});

describe("values that are more than doubles", () => {
  const columns: Vocabulary["columns"] = [
    {
      name: "tweet",
      type: "number",
      meaning: "number",
      values: [
        { value: 1267890123456789012n, count: null },
        { value: Number.POSITIVE_INFINITY, count: null },
      ],
    },
    { name: "when", type: "time", meaning: "time (UTC)", values: [{ value: "2024-01-02", count: null }] },
  ];
  const offered = (text: string) =>
    completeCondition(text, text.length, { ...vocabulary, columns }).map(({ insert }) => insert);

  test("are completed as conditions write them", () => {
    expect(offered("tweet = ")).toEqual(expect.arrayContaining(["1267890123456789012", "inf"]));
    expect(offered("when >= ")).toContain("'2024-01-02'");
    expect(offered("when ")).toEqual(expect.arrayContaining([">=", "BETWEEN", "IN", "IS"]));
    expect(offered("when ")).not.toContain("LIKE");
  });
});

test.each([
  ["score > 0.5", true],
  ["score > 0.5 ", true],
  ["label = 'cat' AND NOT correct", true],
  ["score BETWEEN 0 AND 1 OR correct", true],
  ["label IN ('cat')", true],
  ["score > 0.5 AND", false],
  ["score >", false],
  ["label", false],
  ["label IN ('cat'", false],
  ["(score > 0.5", false],
  ["score BETWEEN 0 AND", false],
  ["text IS", false],
  ["", false],
])("only what can be a whole condition is counted beforehand: %s", (text, whole) => {
  expect(canBeWhole(text, vocabulary)).toBe(whole);
});
