"""Texts that were cut when they were stored: what a condition says of them is true, or said to be open."""

import numpy as np
import pytest

from activis_tb.conditions import Engine, Instances, Schema, judge_kept_texts, parse_condition
from activis_tb.model import MOST_CHARACTERS, cut_text, is_cut, kept_text
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import batch, record

MARK = " … (7 more characters were not kept)"
TEXTS = [
    "x" * 12_000 + "needle",
    "needle" + "y" * 12_000,
    "x" * (MOST_CHARACTERS - 3) + "needle",
    "e" * MOST_CHARACTERS + "\u0301",
    "What is " + "long? " * 3_000 + MARK,
    "short needle",
    "short" + MARK,
    "x" * (MOST_CHARACTERS - len(MARK)) + MARK,
    "",
    None,
]
AGES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None, None, 10.0]
DECIDED = [
    "t = 'short needle'",
    "t <> 'x'",
    "t > 'x'",
    "t <= 'needle'",
    "t IN ('short needle', '')",
    "t BETWEEN 'n' AND 'y'",
    "t IS NULL",
    "t IS NOT NULL",
    "t LIKE 'What is %'",
    "t NOT LIKE 'x%'",
    "t ILIKE 'WHAT IS%%'",
    "t LIKE 'short needle'",
    "t LIKE ''",
    "t LIKE 'x!%' ESCAPE '!'",
    "t ~ '^What is'",
    "t !~ '^x'",
    "c = 'short needle' OR c LIKE 'What%'",
    "age > 3",
]
OPEN = [
    "t LIKE '%needle'",
    "t NOT LIKE '%needle'",
    "t LIKE '%needle%'",
    "NOT t LIKE '%needle%'",
    "t LIKE '%more characters%'",
    "t LIKE '%(% more characters were not kept)'",
    "t NOT LIKE '%kept)'",
    "t LIKE 'x%needle'",
    "t ILIKE 'X%NEEDLE%' AND age < 3",
    "t LIKE '%é'",
    "t LIKE '%e'",
    "t ~ 'needle$'",
    "t ~ '^x+needle$'",
    "t ~ 'x+n'",
    "t !~ 'kept'",
    "t ~ 'characters\\b'",
    "t = c",
    "t <> u",
    "(t LIKE '%needle%') = TRUE",
    "(t LIKE '%needle%' OR age > 100) IS NULL",
    "t LIKE '%needle' OR age >= 1",
    "t LIKE '%needle' AND age > 100",
    "c LIKE '%needle'",
    "t BETWEEN c AND u",
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> SnapshotReader:
    attributes = {"t": TEXTS, "c": TEXTS, "u": TEXTS[::-1], "age": AGES}
    stream = batch([0] * len(TEXTS), ids=range(len(TEXTS)), attributes=attributes)
    subsets = {condition: condition for condition in DECIDED + OPEN}
    types = {"t": "text", "c": "category", "u": "text"}
    return record(tmp_path_factory.mktemp("run"), [stream], subsets=subsets, attribute_types=types)


@pytest.fixture(scope="module")
def judged(recorded: SnapshotReader) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """By condition, who is a member for certain, who may be one, and who was one while recording."""
    schema, truth = Schema.of(recorded.manifest), recorded.membership()[:, len(recorded.manifest.classes) :]
    found = {}
    with Engine(schema, Instances.of_sample(recorded.sample())) as engine:
        assert engine.cut == {"t": 5, "c": 5, "u": 5}
        for position, text in enumerate(DECIDED + OPEN):
            condition = parse_condition(text, schema)
            both = judge_kept_texts(condition, engine.cut) or (condition, condition)
            assert (text in DECIDED) == (both[0] == condition)
            found[text] = (*(engine.members(one) for one in both), truth[:, position])
    return found


@pytest.mark.parametrize("text", DECIDED)
def test_what_beginnings_decide_is_as_it_was_recorded(judged, text: str) -> None:
    certain, possible, truth = judged[text]
    assert np.array_equal(certain, truth)
    assert np.array_equal(possible, truth)


@pytest.mark.parametrize("text", OPEN)
def test_the_truth_is_between_what_is_certain_and_what_is_possible(judged, text: str) -> None:
    certain, possible, truth = judged[text]
    assert not (certain & ~truth).any()
    assert not (truth & ~possible).any()


def test_only_what_is_open_is_left_open(judged, recorded: SnapshotReader) -> None:
    rows = [str(TEXTS[index]) for index in recorded.sample().index]
    left_open = {text: {rows[row][:4] for row in np.flatnonzero(judged[text][0] != judged[text][1])} for text in OPEN}
    cut = {"xxxx", "need", "eeee", "What"}
    assert left_open["t LIKE '%needle'"] == cut
    assert left_open["t LIKE '%needle%'"] == cut - {"need"}
    assert left_open["t LIKE 'x%needle'"] == {"xxxx"}
    assert left_open["t LIKE '%needle' AND age > 100"] == set()
    assert left_open["t LIKE '%needle' OR age >= 1"] == set()
    assert left_open["t ~ 'x+n'"] == cut
    assert left_open["t LIKE '%e'"] == cut


def test_values_are_counted_without_the_mark(recorded: SnapshotReader) -> None:
    schema = Schema.of(recorded.manifest)
    with Engine(schema, Instances.of_sample(recorded.sample())) as engine:
        beginnings = [one.text for one in engine.distribution("t").beginnings]
        assert engine.distribution("t").present == len(TEXTS) - 1
    assert not [text for text in beginnings if "…" in text and not text.startswith("short")]


@pytest.mark.parametrize("length", [0, 1, MOST_CHARACTERS - 1, MOST_CHARACTERS, MOST_CHARACTERS + 1, 1_234_567])
def test_a_text_is_cut_where_it_is_too_long_and_only_then_said_to_be(length: int) -> None:
    for text in ("x" * length, ("x" * length + MARK)[-length:] if length else ""):
        stored = cut_text(text)
        assert is_cut(stored) == (length > MOST_CHARACTERS)
        assert kept_text(stored) == text[:MOST_CHARACTERS]
        assert (stored == text) == (length <= MOST_CHARACTERS)
    assert not is_cut("x" * (MOST_CHARACTERS + 40))


def test_the_card_still_shows_that_a_text_was_cut(recorded: SnapshotReader) -> None:
    values = recorded.attribute("t").values
    assert sum(value.endswith("more characters were not kept)") for value in values) == 7
