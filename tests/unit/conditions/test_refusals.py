"""What is refused, where it is underlined, and what is offered instead."""

import pytest

from activis_tb.conditions import ConditionError, Schema, parse_condition
from activis_tb.errors import ActivisError
from tests.unit.conditions.people import SCHEMA


def refusal(text: str, schema: Schema = SCHEMA) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, schema)
    return caught.value


REFUSED = [
    # text, what is underlined, what is offered, a part of the sentence
    ("agee > 1", "agee", "age", "no column agee. Columns: id, label"),
    ("age > 1 AND tpic = 'x'", "tpic", "topic", "no column tpic"),
    ("is_vip", "is_vip", '"is vip"', "no column is_vip"),
    ("zzz > 1", "zzz", None, "no column zzz"),
    ('topic = "sports"', '"sports"', "'sports'", "single quotes"),
    ("label = dog", "dog", "'dog'", "single quotes"),
    ("label = 'Dog'", "'Dog'", "'dog'", "'Dog' is not a class. Classes: 'cat', 'dog', 'Señor ''Q'''"),
    ("'dg' <> label", "'dg'", "'dog'", "not a class"),
    ("label IN ('cat', 'doge')", "'doge'", "'dog'", "not a class"),
    ("predicted = ''", "''", None, "not a class"),
    ("score_of('dgo') > 0", "'dgo'", "'dog'", "not a class"),
    ("neuron('hiden', 0) > 0", "'hiden'", "'hidden'", "no layer 'hiden'"),
    ("neuron('hidden', 36) > 0", "36", None, "neurons 0 to 35; 36 is none"),
    ("neuron('hidden', 1.5) > 0", "1.5", None, "neurons 0 to 35; 1.5 is none"),
    ("neuron('hidden') > 0", "neuron('hidden')", None, "written as neuron('layer', 0)"),
    ("score_of(dog) > 0", "score_of(dog)", None, "written as score_of('class')"),
    ("score_of", "score_of", "score", "no column score_of"),
    ("age > '20'", "'20'", "20", "'20' is a text, age is a number"),
    ("'twenty' < age", "'twenty'", None, "'twenty' is a text, age is a number"),
    ("text = 5", "5", "'5'", "5 is a number, text is a text"),
    ("text = age", "age", None, "age is a number, text is a text"),
    ("age IN (1, '2')", "'2'", "2", "'2' is a text"),
    ("age BETWEEN 1 AND 'z'", "'z'", None, "'z' is a text"),
    ("correct = 1", "1", "TRUE", "correct is true or false"),
    ("correct = 'false'", "'false'", "FALSE", "correct is true or false"),
    ("1 < age < 3", "3", None, "1 < age is true or false"),
    ("age = NULL", "NULL", None, "IS NULL"),
    ("age IN (1, NULL)", "NULL", None, "IS NULL"),
    ("NULL", "NULL", None, "IS NULL"),
    ("NULL IS NULL", "NULL", None, "IS NULL"),
    ("age IS 3", "3", None, "After IS there can only be NULL"),
    ("correct IS TRUE", "TRUE", None, "After IS there can only be NULL"),
    ("picture = 'x'", "picture", None, "an image or a sound"),
    ("picture", "picture", None, "an image or a sound"),
    ("age", "age", "age IS NOT NULL", "age is a number, not a condition"),
    ("age + 1", "age + 1", None, "not a condition"),
    ("NOT age", "age", "age IS NOT NULL", "not a condition"),
    ("correct AND 'x'", "'x'", None, "not a condition"),
    ("age + 'x' > 1", "'x'", None, "+ takes a number"),
    ("age + '7' > 1", "'7'", "7", "+ takes a number"),
    ("-correct", "correct", None, "- takes a number"),
    ("age LIKE '1%'", "age", None, "LIKE takes a text"),
    ("text LIKE 1", "1", "'1'", "LIKE takes a text"),
    ("text LIKE topic", "topic", None, "a value that is written out"),
    ("age IN (age)", "age", None, "a value that is written out"),
    ("age IN (1 + 1)", "1 + 1", None, "a value that is written out"),
    ("text ~ '('", "'('", None, "not a regular expression (RE2): missing )"),
    ("text ~ '(?=x)'", "'(?=x)'", None, "not a regular expression"),
    ("age IN ()", "age", None, "list of values in parentheses"),
    ("age == 1", "==", "=", "== is not allowed"),
    ("correct && correct", "&&", "AND", "&& is not allowed"),
    ("correct || correct", "||", "OR", "|| is not allowed"),
    ("!correct", "!", "NOT", "elsewhere write NOT"),
    ("age > 1 -- really", "-- really", None, "Comments"),
    ("age > /* x */ 1", "/* x */", None, "Comments"),
    ("{# x #} age > 1", "{# x #}", None, "Comments"),
    ("text = 'it's'", "'", None, "not closed"),
    ('"age > 1', '"age > 1', None, "not closed"),
    ("(age > 1", "(", None, "not closed"),
    ("age > 1)", ")", None, "closes nothing"),
    ("age >", ">", None, "not complete around >"),
    ("age > 1 AND", "AND", None, "not complete around AND"),
    ("(age > 1 OR)", ")", None, "not complete"),
    ("age 1", "1", None, "1 does not fit here"),
    ("age > 1,000", ",", None, ", does not fit here"),
    ("age > 1 correct", "correct", None, "correct does not fit here"),
    ("age > 0x1F", "x1F", None, "x1F does not fit here"),
    ("age > 1e999", "1e999", None, "not a number"),
    ("age.x > 1", ".", None, ". is not allowed"),
    ("age.5 > 1", ".", None, ". is not allowed"),
    ("age > .5.5", ".5.5", None, "not a number"),
    ("age > 1..5", ".", None, ". is not allowed"),
    ("text LIKE 'a' ESCAPE 'ab'", "'ab'", "'a'", "After ESCAPE there is one character, not 2"),
    ("text LIKE 'a' ESCAPE ''", "''", "'!'", "After ESCAPE there is one character, not 0"),
    ("text LIKE 'a' ESCAPE 5", "ESCAPE", None, "After ESCAPE there is the one character"),
    ("text LIKE 'a!' ESCAPE '!'", "'a!'", "'a!!'", "The pattern ends with !"),
    ("text ~ 'a' ESCAPE '!'", "ESCAPE", None, "ESCAPE does not fit here"),
    ("IS", "IS", None, 'write "IS" for a column'),
    ("", "", None, "empty"),
    (" \n", " \n", None, "empty"),
    ("text = '\ud800'", "\ud800", None, "surrogate"),
]


PASTED = [
    # text, what is underlined, what is offered
    ("text = ‘a’", "‘a’", "'a'"),
    ("text = ‘it’s’", "‘it’s’", "'it’s'"),
    ("text = “a”", "“a”", "'a'"),
    ("text = „a“", "„a“", "'a'"),
    ("text = ‚a‘", "‚a‘", "'a'"),
    ("text = «\u00a0a\u00a0»", "«\u00a0a\u00a0»", "'a'"),
    ("text = ‹a›", "‹a›", "'a'"),
    ("text = ″a″", "″a″", "'a'"),
    ("text = ′a′", "′a′", "'a'"),
    ("text = `a`", "`a`", "'a'"),
    ("text = ´a´", "´a´", "'a'"),
    ("text = 「a」", "「a」", "'a'"),
    ("text = ＇a＇", "＇a＇", "'a'"),
    ("text = 'a’", "'a’", "'a'"),
    ("text = ‘a'", "‘a'", "'a'"),
    ('text = "a”', '"a”', "'a'"),
    ("text = ‘it's’", "‘it's’", "'it''s'"),
    ("“is vip”", "“is vip”", '"is vip"'),
    (" “age > 1” ", "“age > 1”", "age > 1"),
    ("`topic = 'sports' AND age > 1`", "`topic = 'sports' AND age > 1`", "topic = 'sports' AND age > 1"),
    ("age > 0,5", "0,5", "0.5"),
    ("age BETWEEN 0,125 AND 12", "0,125", "0.125"),
    ("“age” > 1", "“age”", "age"),
    ("`is vip`", "`is vip`", '"is vip"'),
    ("“topic” = “sports”", "“topic” = “sports”", "topic = 'sports'"),
    ("topic IN (“a”, ‘b’) AND age > 1", "“a”, ‘b’", "'a', 'b'"),
    ("text LIKE “%a” ESCAPE ‘!’", "“%a” ESCAPE ‘!’", "'%a' ESCAPE '!'"),
    ("score_of(“dog”) > .5", "“dog”", "'dog'"),
    ("age ≤ 1", "≤", "<="),
    ("age ≥ 1 AND age ≠ −3", "≥ 1 AND age ≠ −", ">= 1 AND age <> -"),
    ("age – 1 > 0", "–", "-"),
    ("age × 2 ÷ 4 > 1", "× 2 ÷", "* 2 /"),
    ("age = 1 ∧ correct ∨ ¬correct", "∧ correct ∨ ¬", "AND correct OR NOT "),
    ("age∈(1, 2)", "∈", " IN "),
    ("（age ＞ １２）", "（age ＞ １２）", "(age > 12)"),
    ("age > ٣", "٣", "3"),
    ("age > 1 ＡＮＤ correct", "ＡＮＤ", "AND"),
    ("age => 1", "=>", ">="),
    ("age =< 1", "=<", "<="),
    ("age === 1", "===", "="),
    ("age &gt; 1 &amp;&amp; correct", "&gt; 1 &amp;&amp;", "> 1 AND"),
    ("age\u200b > 1", "age\u200b", "age"),
    ("\ufeffage > 1", "\ufeffage", "age"),
    ("correct AND age\u2060> 1", "age\u2060>", "age>"),
]


@pytest.mark.parametrize(("text", "underlined", "offered"), PASTED)
def test_what_is_pasted_from_elsewhere_is_offered_as_conditions_have_it(
    text: str, underlined: str, offered: str
) -> None:
    error = refusal(text)
    start, end = error.position
    assert text[start:end] == underlined
    assert error.suggestion == offered
    repaired = text[:start] + offered + text[end:]
    assert parse_condition(repaired, SCHEMA).text == repaired


def test_texts_and_quoted_names_may_hold_what_is_pasted() -> None:
    schema = Schema(("“a” ≤ ’",), (("x – y’s", "number"),))
    assert parse_condition("label = '“a” ≤ ’' AND \"x – y’s\" > 1", schema).columns == ("label", "x – y’s")


def test_what_is_pasted_at_length_is_mended_piece_by_piece() -> None:
    text = "text = ‘a’ AND (" + " OR ".join(["age = 1"] * 200) + ") AND topic = ‘b’"
    assert refusal(text).suggestion == "'a'"


@pytest.mark.parametrize(
    ("text", "underlined", "offered", "sentence"), REFUSED, ids=[repr(case[0]) for case in REFUSED]
)
def test_a_refusal_says_where_and_what_instead(text: str, underlined: str, offered: str | None, sentence: str) -> None:
    error = refusal(text)
    start, end = error.position
    assert text[start:end] == underlined
    assert error.suggestion == offered
    assert sentence in error.message
    assert (f"Did you mean {offered}?" in str(error)) == (offered is not None)


def test_the_suggestion_in_its_place_makes_the_condition_right() -> None:
    for text in ("agee > 1", "is_vip", 'topic = "sports"', "label = 'Dog'", "age > '20'", "text = 5", "age == 1"):
        error = refusal(text)
        start, end = error.position
        repaired = text[:start] + str(error.suggestion) + text[end:]
        assert parse_condition(repaired, SCHEMA).text == repaired


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("what is", "text ILIKE '%what is%'"),
        ("  What is\na golf-ball ? ", "text ILIKE '%What is a golf-ball ?%'"),
        ("diameter", "text ILIKE '%diameter%'"),
        ("it's here", "text ILIKE '%it''s here%'"),
        ("Dog", "label = 'dog'"),
    ],
)
def test_plain_words_offer_the_condition_that_means_them(text: str, offered: str) -> None:
    error = refusal(text)
    assert (error.position, error.suggestion) == ((0, len(text)), offered)
    assert parse_condition(offered, SCHEMA).text == offered


@pytest.mark.parametrize("text", ["age 1", "agee", "topc sports", "NOT sports", "what = is", "(what is)"])
def test_what_begins_as_a_condition_offers_no_search(text: str) -> None:
    assert "ILIKE" not in str(refusal(text).suggestion)


def test_without_texts_and_labels_words_offer_what_there_is() -> None:
    schema = Schema(("dog", "cat"), (("size", "number"),), labelled=False)
    assert refusal("dog", schema).suggestion == "predicted = 'dog'"
    assert refusal("what is", schema).suggestion is None


def test_a_name_that_may_be_two_columns_is_asked_for() -> None:
    schema = Schema(("a",), (("Size", "number"), ("SIZE", "number")))
    error = refusal("size > 1", schema)
    assert error.message == "size may be Size and SIZE; write it in the right case."
    assert error.suggestion == "Size"
    assert parse_condition("SIZE > 1", schema).columns == ("SIZE",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("age > 1 OR " * 400, "The condition has 4,400 characters; at most 4,096 are read."),
        ("age IN (" + "1," * 1000 + "1)", "more than 1,000 names and values; at most 1,000"),
        ("(" * 33 + "correct" + ")" * 33, "more than 32 levels deep"),
        ("NOT " * 33 + "correct", "more than 32 levels deep"),
        ("NOT (" * 17 + "correct" + ")" * 17, "more than 32 levels deep"),
        ("- " * 40 + "age > 1", "more than 32 levels deep"),
        ("+".join(["age"] * 40) + " > 1", "more than 32 levels deep"),
        ("correct" + " IS NULL" * 40, "more than 32 levels deep"),
        ("text LIKE '" + "a" * 257 + "'", "The pattern has 257 characters; at most 256"),
        (" OR ".join(["text ~ 'a'"] * 9), "more than 8 regular expressions; at most 8"),
        ("text ~ '" + "a" * 257 + "'", "The pattern has 257 characters; at most 256"),
    ],
    ids=lambda value: value[:30],
)
def test_a_limit_is_refused_with_the_limit(text: str, sentence: str) -> None:
    assert sentence in refusal(text).message


def test_a_refusal_is_an_error_of_ours() -> None:
    assert isinstance(refusal("age >"), ActivisError)
    assert isinstance(refusal("age >"), ValueError)
