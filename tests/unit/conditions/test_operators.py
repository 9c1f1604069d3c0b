"""What each part of the language means, on values that can be checked by eye."""

import pytest

from activis_tb.conditions import Engine, Neuron, ScoreOf, parse_condition
from tests.unit.conditions.people import SCHEMA, rows

MEANINGS = {
    "age = 20": [1],
    "age != 20": [0, 2, 4, 5, 6, 7],
    "age <> 20": [0, 2, 4, 5, 6, 7],
    "age < 1": [4, 5],
    "age <= 1": [0, 4, 5],
    "age > 20": [2, 6, 7],
    "age >= 20.0": [1, 2, 6, 7],
    "20 <= age": [1, 2, 6, 7],
    "age > 1 AND age < 21": [1, 2],
    "age = 1 OR age = 0": [0, 5],
    "age = 1 OR age = 0 AND FALSE": [0],
    "(age = 1 OR age = 0) AND FALSE": [],
    "NOT age = 1": [1, 2, 4, 5, 6, 7],
    "NOT age = 1 AND age < 20": [4, 5],
    "TRUE": [0, 1, 2, 3, 4, 5, 6, 7],
    "FALSE OR NOT TRUE": [],
    "1 < 2": [0, 1, 2, 3, 4, 5, 6, 7],
    "'10' < '9'": [0, 1, 2, 3, 4, 5, 6, 7],
    "10 < 9": [],
    "age IN (1, 20.5, -3)": [0, 2, 4],
    "age NOT IN (1, 20.5, -3)": [1, 5, 6, 7],
    "topic IN ('sports', 'a \"b\"', 'unheard of')": [0, 3, 7],
    "label IN ('dog', 'Señor ''Q''')": [1, 2, 4, 5],
    "age BETWEEN 1 AND 20": [0, 1],
    "age NOT BETWEEN 1 AND 20": [2, 4, 5, 6, 7],
    "age BETWEEN 20 AND 1": [],
    "text BETWEEN 'a' AND 'm'": [2, 7],
    "text LIKE 'what is%'": [1],
    "text ILIKE 'what is%'": [0, 1],
    "text ILIKE 'WHAT __'": [1],
    "text LIKE '%''%'": [2],
    "text LIKE '%_x'": [5],
    "text LIKE '%line%break%'": [7],
    "text NOT LIKE '%i%'": [3, 5, 6],
    "text NOT ILIKE '%I%'": [3, 5, 6],
    "text ILIKE 'äö%'": [5],
    "text LIKE ''": [3],
    "text LIKE '!%%' ESCAPE '!'": [],
    "text LIKE '%!!%' ESCAPE '!'": [],
    "text LIKE '%!n%' ESCAPE '!'": [7],
    "text LIKE '%!%' ESCAPE '!'": [2],
    "text LIKE '%!_%' ESCAPE '!'": [5],
    "text NOT LIKE '%$i%' ESCAPE '$'": [3, 5, 6],
    "text ILIKE 'what is%' ESCAPE '\\'": [0, 1],
    "text LIKE '_2' escape 'ä'": [6],
    "(text LIKE 'what is%' ESCAPE '!') = TRUE": [1],
    "age > 0 AND text LIKE '%!__' ESCAPE '!' OR age = 20": [1],
    "text ~ '[0-9]{2}'": [2, 6],
    "text ~ '^[Ww]hat'": [0, 1],
    "text !~ '[a-z]'": [3, 6],
    "NOT text ~ '[a-z]'": [3, 6],
    "text ~ ''": [0, 1, 2, 3, 5, 6, 7],
    "text = '12'": [6],
    "text = ''": [3],
    "topic = ''": [4],
    "topic = 'topic 9995'": [5],
    "topic LIKE 'topic %'": [5, 6],
    "topic > 'sports'": [5, 6],
    "age IS NULL": [3],
    "age IS NOT NULL": [0, 1, 2, 4, 5, 6, 7],
    "age = inf": [6],
    "age > 1e308": [6],
    "age >= 1e308 AND age < Infinity": [7],
    "age = -inf": [],
    "- age = -INF": [6],
    "age - 5 > 1e308": [6],
    "age - age IS NULL": [3, 6],
    "text IS NULL": [4],
    "topic IS NULL": [2],
    '"is vip" IS NULL': [2, 7],
    "picture IS NULL": [1, 6],
    "picture IS NOT NULL": [0, 2, 3, 4, 5, 7],
    "label IS NULL": [6],
    "score IS NULL": [5],
    "correct IS NULL": [6],
    "(age > 1) IS NULL": [3],
    '"is vip"': [0, 3, 4],
    'NOT "is vip"': [1, 5, 6],
    '"is vip" = FALSE': [1, 5, 6],
    '"is vip" = correct': [0, 4],
    "correct": [0, 1, 4, 5],
    "NOT correct": [2, 3, 7],
    "label = predicted": [0, 1, 4, 5],
    "label <> predicted": [2, 3, 7],
    "label < predicted": [2],
    "predicted IS NULL": [3],
    "(predicted) IS NOT NULL AND NOT correct": [2, 7],
    "predicted <> label": [2, 3, 7],
    "predicted = predicted": [0, 1, 2, 3, 4, 5, 6, 7],
    "predicted <> 'dog'": [0, 2, 3, 5, 6, 7],
    "NOT (predicted = 'dog')": [0, 2, 3, 5, 6, 7],
    "predicted IN ('cat', 'dog')": [0, 1, 2, 4, 6],
    "predicted NOT IN ('cat', 'dog')": [3, 5, 7],
    "predicted LIKE '%o%'": [1, 4, 5, 7],
    "label = 'cat'": [0, 3, 7],
    "'dog' = predicted": [1, 4],
    "label <> 'cat'": [1, 2, 4, 5],
    "label LIKE '%o%'": [1, 2, 4, 5],
    "label = topic": [],
    "id = 'ü'''": [7],
    "id > 'f'": [6, 7],
    "index % 3 = 1": [1, 4, 7],
    "index >= 6": [6, 7],
    "score = 0.5": [0, 4],
    "score < 0.5": [2, 6],
    "age + 1 = 21": [1],
    "age - 1 - 1 = -1": [0],
    "2 + 3 * 2 = 8": [0, 1, 2, 3, 4, 5, 6, 7],
    "(2 + 3) * 2 = 10": [0, 1, 2, 3, 4, 5, 6, 7],
    "7 / 2 = 3.5": [0, 1, 2, 3, 4, 5, 6, 7],
    "-age = 3": [4],
    "- -age = 20": [1],
    "age % 2 = -1": [4],
    "1 / age > 0.9": [0],
    "1 / age IS NULL": [3, 5],
    "age / (age / index) IS NULL": [0, 3, 5, 6],
    "1 / (1 / index) = 0": [],
    "age % 0 IS NULL": [0, 1, 2, 3, 4, 5, 6, 7],
    "age * 10 IS NULL": [3, 7],
    "age * 10 > 0": [0, 1, 2, 6],
    "age * 10 - age * 10 = 0": [0, 1, 2, 4, 5],
    "neuron('hidden', 0) > 0": [1, 5, 7],
    "neuron('hidden', 35) >= 36": [1, 5],
    "neuron('hidden', 0) IS NULL": [2, 3, 4],
    "1 / neuron('hidden', 0) = 0": [],
    "NEURON('it''s', 1) = 0": [6],
    "score_of('dog') = 0.5 AND score = 0.5": [0, 4],
    "score_of('dog') + neuron('hidden', 1) > 3": [5],
    "AGE = 20": [1],
    '"AGE" = 20': [1],
    "select = 3": [3],
    "Select Between 3 And 4": [3, 4],
    " age\n=\t20 ": [1],
    "age=20OR age=1": [0, 1],
    "age > 1e1 AND age < 1.5E+2": [1, 2],
    "score > .5": [1, 3, 7],
    "score>=.5AND age=20.": [1],
    "-.5 < age AND age < 1.e0": [5],
    "age BETWEEN .5 AND 2.e1": [0, 1],
    "age + .5e1 = 25": [1],
    "age\u00a0=\u202f20": [1],
}
"""Missing: age of rows 3 and 6 (infinite), text of 4, topic of 2, vip of 2 and 7, label of 6, score of 5.

Row 3 is predicted as nothing.
"""


@pytest.mark.parametrize("text", MEANINGS)
def test_a_condition_holds_for_exactly_these_rows(engine: Engine, text: str) -> None:
    assert rows(engine, text) == MEANINGS[text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age > 0 AND text LIKE '%'", [0, 1, 2, 6, 7]),
        ("age > 0 OR text LIKE '%i%'", [0, 1, 2, 6, 7]),
        ("NOT (age > 0 AND text = 'what is')", [0, 2, 3, 4, 5, 6, 7]),
        ("NOT (age > 0 OR age <= 0)", []),
        ("age > 0 OR age IS NULL", [0, 1, 2, 3, 6, 7]),
    ],
)
def test_null_is_neither_true_nor_false(engine: Engine, text: str, expected: list[int]) -> None:
    assert rows(engine, text) == expected


def test_a_condition_is_a_key_and_knows_what_it_needs() -> None:
    text = "AGE > 1 AND age < 9 AND label = 'cat' AND neuron('hidden', 3) > score_of('dog')"
    condition = parse_condition(text, SCHEMA)
    assert condition.text == text
    assert condition.columns == ("age", "label")
    assert condition.computed == (Neuron("hidden", 3), ScoreOf("dog", 1))
    assert {condition: 1}[parse_condition(text, SCHEMA)] == 1
    assert condition != parse_condition(text.replace("9", "8"), SCHEMA)


def test_chains_of_one_operator_may_be_long(engine: Engine) -> None:
    assert rows(engine, " OR ".join(["age=1"] * 450)) == [0]
    assert rows(engine, " AND ".join(f"index<>{number % 8}" for number in range(1, 250, 8))) == [0, 2, 3, 4, 5, 6, 7]


def test_thirty_two_levels_are_read_and_one_more_is_not(engine: Engine) -> None:
    assert rows(engine, "(" * 31 + "correct" + ")" * 31) == [0, 1, 4, 5]
    assert rows(engine, "NOT " * 30 + "correct") == [0, 1, 4, 5]
