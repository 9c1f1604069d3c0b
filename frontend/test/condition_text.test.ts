import { describe, expect, test } from "vitest";
import {
  askedOutcome,
  combineConditions,
  positionInText,
  quoteName,
  quoteText,
  readWords,
} from "../src/language/tokens";

const kinds = (text: string) => readWords(text).map(({ kind, text: written }) => [kind, written]);

describe("the words of a condition", () => {
  test("are names, texts, numbers, keywords and operators, wherever spaces are", () => {
    expect(kinds("text ILIKE 'it''s %'AND score<=.6")).toEqual([
      ["name", "text"],
      ["keyword", "ILIKE"],
      ["text", "'it''s %'"],
      ["keyword", "AND"],
      ["name", "score"],
      ["operator", "<="],
      ["number", ".6"],
    ]);
  });

  test("a quote that nothing ends takes the rest, and a doubled one does not end it", () => {
    expect(readWords("label = 'NU").map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(readWords("'it''").map(({ text, closed }) => [text, closed])).toEqual([["'it''", false]]);
    expect(readWords('"a column" = 1')[0]).toMatchObject({ kind: "name", text: '"a column"', closed: true });
  });
});

describe("quoting", () => {
  test("leaves plain names alone and doubles quotes inside of others", () => {
    expect([quoteName("größe_2"), quoteName("not"), quoteName('a "b"')]).toEqual(["größe_2", '"not"', '"a ""b"""']);
    expect(quoteText("what's <b>")).toBe("'what''s <b>'");
  });
});

test("positions in characters are found behind characters of two code units", () => {
  expect(positionInText("'🙂🙂' = x", 4)).toBe(6);
});

describe("conditions put together", () => {
  const [loose, plain] = ["a = 1 OR b = 2", "c = 3"];

  test("keep their meaning by parentheses where they need them", () => {
    expect(combineConditions("and", [loose, plain])).toBe("(a = 1 OR b = 2) AND c = 3");
    expect(combineConditions("or", [plain, "d BETWEEN 1 AND 2"])).toBe("c = 3 OR (d BETWEEN 1 AND 2)");
    expect(combineConditions("minus", [loose, plain, "e"])).toBe("(a = 1 OR b = 2) AND NOT c = 3 AND NOT e");
    expect(combineConditions("not", [loose])).toBe("NOT (a = 1 OR b = 2)");
  });

  test("words inside of texts are not taken for operators", () => {
    expect(combineConditions("and", ["t = 'this AND that'", plain])).toBe("t = 'this AND that' AND c = 3");
  });
});

describe("whether all that meet a condition are right, or wrong, because it asks for that", () => {
  test.each([
    ["NOT correct", false],
    ["label = 'NUM' AND NOT correct", false],
    ["(label = 'NUM' AND NOT correct) AND text ILIKE 'what is%'", false],
    ["label = 'NUM' AND predicted = 'DESC'", false],
    ["label = 'NUM' AND predicted <> 'NUM'", false],
    ["label = 'NUM' AND predicted <> 'DESC'", null],
    ["(score > 0.5 AND label = 'NUM') AND predicted = 'NUM'", true],
    ["label <> predicted and score < 0.6", false],
    ["(label = 'NUM' AND NOT correct) OR (label = 'LOC' AND predicted IS NULL)", false],
    ["correct AND score BETWEEN 0 AND 1", true],
    ["label = 'NUM'", null],
    ["predicted = 'DESC' AND text ILIKE '% AND NOT correct'", null],
    ["NOT (label = 'NUM' AND NOT correct)", null],
    ["NOT correct AND score > 0.5 OR score < 0.1", null],
    ["correct OR NOT correct", null],
    ["score < 0.6 AND (NOT correct OR words > 5)", null],
    ["(label = 'NUM' OR words > 5) AND predicted = 'DESC'", null],
    ["(", null],
    ["", null],
  ])("%s: %s", (condition, outcome) => {
    expect(askedOutcome(condition)).toBe(outcome);
  });
});
