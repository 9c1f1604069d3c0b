"""Attributes become typed columns; what is missing stays missing, and text from data stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute
from tests.unit.recording.helpers import batch, record

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
OGG = b"OggS" + bytes(20)
MP3 = b"\xff\xfb" + bytes(20)


def recorded(tmp_path: Path, *parts: Any, declared: str | None = None) -> Attribute:
    """Records one attribute in one batch per part, and returns it in the order of the stream."""
    batches = [batch([0] * len(part), attributes={"it": part}) for part in parts]
    types = {"it": declared} if declared else None
    sample = record(tmp_path, batches, attribute_types=types).sample()
    order = np.argsort(sample.index)
    (attribute,) = sample.attributes
    return Attribute("it", attribute.type, attribute.values[order], attribute.present[order], attribute.categories)


def values(attribute: Attribute) -> list[Any]:
    """What each instance has, None where it is missing."""
    items = attribute.values.tolist()
    if attribute.type == "category":
        items = [attribute.categories[code] for code in items]
    return [item if present else None for item, present in zip(items, attribute.present, strict=True)]


@pytest.mark.parametrize(
    ("part", "expected_type", "expected"),
    [
        ([1, 2, 3], "number", [1.0, 2.0, 3.0]),
        (np.array([0.5, np.nan, np.inf]), "number", [0.5, None, np.inf]),
        ([1, None, 3.5], "number", [1.0, None, 3.5]),
        (tf.constant([1, 2]), "number", [1.0, 2.0]),
        ([tf.constant(1), tf.constant(2)], "number", [1.0, 2.0]),
        (np.array([True, False]), "boolean", [True, False]),
        ([True, None, False], "boolean", [True, None, False]),
        (["b", "a", "b"], "category", ["b", "a", "b"]),
        (["a", None, float("nan"), ""], "category", ["a", None, None, ""]),
        (np.array(["ü", "b"]), "category", ["ü", "b"]),
        (tf.constant(["ü", "b"]), "category", ["ü", "b"]),
        ([b"caf\xc3\xa9", "tea"], "category", ["café", "tea"]),
        ([PNG, JPEG, None], "image", [PNG, JPEG, None]),
        (tf.constant([PNG, JPEG]), "image", [PNG, JPEG]),
        ([OGG, None, MP3], "audio", [OGG, None, MP3]),
        ([b"ID3 tags", b"RIFF raff"], "category", ["ID3 tags", "RIFF raff"]),
        (np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False]), "number", [1.0, None, 3.0]),
        (np.ma.masked_array(["a", "b"], [True, False]), "category", [None, "b"]),
        (pd.array([1, None, 3], "Int64"), "number", [1.0, None, 3.0]),
        (pd.Series(["a", None, "b"], dtype="category"), "category", ["a", None, "b"]),
        (pd.Series([True, None], dtype="boolean"), "boolean", [True, None]),
        ([None, None], "text", [None, None]),
        (["<img src=x onerror=alert(1)>"], "category", ["<img src=x onerror=alert(1)>"]),
    ],
)
def test_the_values_decide_the_type(tmp_path: Path, part: Any, expected_type: str, expected: list[Any]) -> None:
    attribute = recorded(tmp_path, part)
    assert attribute.type == expected_type
    assert values(attribute) == expected


@pytest.mark.parametrize(
    ("part", "declared", "expected"),
    [
        (["a", "b"], "text", ["a", "b"]),
        ([3, 1.0, None], "category", ["3", "1", None]),
        (np.array([1.5, 2.0, np.nan]), "category", ["1.5", "2", None]),
        (np.array([True, False]), "category", ["True", "False"]),
        (np.array([True, False]), "number", [1.0, 0.0]),
        ([7, "x"], "text", ["7", "x"]),
        ([OGG, None], "audio", [OGG, None]),
        ([f"word {number}" for number in range(150)], "category", [f"word {number}" for number in range(150)]),
        ([None, None], "number", [None, None]),
    ],
)
def test_the_users_word_decides_before_the_values(
    tmp_path: Path, part: Any, declared: str, expected: list[Any]
) -> None:
    attribute = recorded(tmp_path, part, declared=declared)
    assert attribute.type == declared
    assert values(attribute) == expected


@pytest.mark.parametrize(("distinct", "expected_type"), [(100, "category"), (101, "text")])
def test_text_of_few_values_in_the_sample_is_a_category(tmp_path: Path, distinct: int, expected_type: str) -> None:
    texts = [f"word {number % distinct}" for number in range(2 * distinct)]
    attribute = recorded(tmp_path, texts[:60], texts[60:])
    assert attribute.type == expected_type
    assert values(attribute) == texts


@pytest.mark.parametrize(("characters", "expected_type"), [(100, "category"), (101, "text")])
def test_long_texts_are_no_categories(tmp_path: Path, characters: int, expected_type: str) -> None:
    texts = ["a" * characters, "b"]
    attribute = recorded(tmp_path, texts)
    assert (attribute.type, values(attribute)) == (expected_type, texts)


def test_a_long_text_is_cut_with_the_cut_shown_and_conditions_see_all_of_it(tmp_path: Path) -> None:
    texts = ["x" * 10_000, "y" * 13_214 + "end"]
    batches = [batch([0, 0], attributes={"it": texts})]
    sample = record(tmp_path, batches, subsets={"end": "it LIKE '%end'"}, attribute_types={"it": "text"}).sample()
    (attribute,) = sample.attributes
    cut = f"{'y' * 10_000} … (3,217 more characters were not kept)"
    assert sorted(attribute.values) == [texts[0], cut]
    assert sample.membership[:, -1].tolist() == [value == cut for value in attribute.values]


def test_categories_are_in_alphabetical_order(tmp_path: Path) -> None:
    assert recorded(tmp_path, ["pear", "apple"], ["fig", "apple"]).categories == ("apple", "fig", "pear")


def test_a_batch_without_any_value_takes_the_kind_of_the_others(tmp_path: Path) -> None:
    assert values(recorded(tmp_path / "numbers", [None, None], [2, 3], [np.nan])) == [None, None, 2.0, 3.0, None]
    assert values(recorded(tmp_path / "texts", [np.nan], ["a"], [None])) == [None, "a", None]
    assert values(recorded(tmp_path / "pictures", [None], [PNG])) == [None, PNG]


def test_attributes_keep_the_users_order(tmp_path: Path) -> None:
    snapshot = record(tmp_path, [batch([0, 1], attributes={"z": [1, 2], "a": ["x", "y"]})])
    assert snapshot.manifest.attributes == (("z", "number"), ("a", "category"))


def test_a_function_sees_every_column_read_only(tmp_path: Path) -> None:
    seen = {}

    def look(columns: Any) -> np.ndarray:
        seen.update(columns)
        with pytest.raises(ValueError, match="read-only"):
            columns["score"][0] = 0
        with pytest.raises(TypeError):
            columns["more"] = 1
        return columns["score"] > 0

    instances = batch(
        [0, 2], ids=[7, 8], attributes={"n": [1, None], "t": ["x", None], "b": [True, False], "i": [PNG, PNG]}
    )
    instances["scores"] = [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]]
    record(tmp_path, [instances], subsets={"look": look})
    assert {name: column.tolist() for name, column in seen.items() if name not in {"n", "score", "scores"}} == {
        "id": ["7", "8"],
        "index": [0, 1],
        "label": ["ant", "cat"],
        "predicted": ["ant", "bee"],
        "correct": [True, False],
        "t": ["x", ""],
        "b": [True, False],
        "i": [PNG, PNG],
    }
    assert_array_equal(seen["n"], [1, np.nan])
    assert_array_equal(seen["score"], np.array([0.5, 0.6], np.float32))
    assert seen["scores"].shape == (2, 3)
    assert np.char.startswith(seen["t"], "x").tolist() == [True, False]


@pytest.mark.parametrize(
    ("part", "declared", "message"),
    [
        ([1, "x"], None, r'attributes\["it"\]: got number \(1\) and text \(x\); expected values of one kind'),
        (np.ones((2, 2)), None, r"got shape \(2, 2\); expected \(2,\), one value per instance.*activis_tb\.Audio"),
        (
            [b"\xff\x00", b"a"],
            None,
            r"expected UTF-8 text, or the bytes of a picture \(PNG, JPEG.*or a sound",
        ),
        ([PNG, b"text"], "image", r"expected bytes that begin as PNG, JPEG, GIF or WebP"),
        ([OGG, PNG], None, r"got audio .* and image .*; expected values of one kind"),
        ([OGG, b"RIFF"], "audio", r"got b'RIFF'; expected bytes that begin as WAV, MP3, Ogg or FLAC"),
        (["a", "b"], "number", r"got text; expected number, as attribute_types says"),
        ([1, 2], "image", r"got dtype int64; expected image, as attribute_types says"),
        (["\ud800", "b"], None, r"expected text that UTF-8 can hold"),
        (["\ud800", None], None, r"expected UTF-8 text"),
        ([[1, 2], [3, 4]], None, r"got list; expected .*sounds are given as activis_tb\.Audio"),
        ([{"a": 1}, {}], None, r"got dict; expected numbers, booleans, text"),
        ([np.zeros(4), np.zeros(4)], None, r"got ndarray; expected .*sounds are given as activis_tb\.Audio"),
        ("ab", None, r"got str; expected 2 values, one per instance"),
        ([1, 2, 3], None, r"got shape \(3,\); expected 2 instances on the first axis"),
    ],
)
def test_values_that_fit_no_column_are_refused(tmp_path: Path, part: Any, declared: str | None, message: str) -> None:
    types = {"it": declared} if declared else None
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1], attributes={"it": part})], attribute_types=types)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"label": [0, 0]}, "attributes: got the name 'label'; expected names other than correct, id, index, label"),
        ({"scores": [0, 0]}, "got the name 'scores'"),
        ({3: [0, 0]}, "got the name 3; expected names that are text"),
        ([1, 2], "attributes: got list; expected a mapping"),
    ],
)
def test_names_that_cannot_be_are_refused(tmp_path: Path, attributes: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1], attributes=attributes)])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"n": ["x"]}, r'attributes\["n"\]: got text; expected number, as in the earlier batches'),
        ({}, r"attributes: got none; expected \['n'\], as in the earlier batches"),
        ({"n": [1], "m": [1]}, r"got \['m', 'n'\]; expected \['n'\]"),
    ],
)
def test_batches_of_different_attributes_are_refused(tmp_path: Path, second: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0], attributes={"n": [1]}), batch([0], attributes=second)])
