"""Subsets and test cases by condition: the same members as a function of the batch finds, whatever the batches are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording import blocks
from tests.unit.recording.helpers import CLASSES, batch, probabilities, record, split

ROWS = 40
HIDDEN = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
AGE = [None if row % 7 == 3 else float(row) for row in range(ROWS)]
TOPIC = [None if row % 11 == 5 else ("sports", "it's", "Ärzte")[row % 3] for row in range(ROWS)]
LABEL = np.arange(ROWS) % 3
PREDICTED = np.where(np.arange(ROWS) % 4 == 0, (LABEL + 1) % 3, LABEL)
AGES = np.array([np.nan if age is None else age for age in AGE])
SCORES = probabilities(PREDICTED)
INSTANCES = {
    "labels": LABEL,
    "scores": SCORES,
    "ids": np.arange(ROWS),
    "attributes": {"age": AGE, "topic": TOPIC},
    "activations": {"hidden": HIDDEN},
}
EXPECTED = {
    "age > 20": AGES > 20,
    "NOT age > 20": AGES <= 20,
    "age IS NULL": np.isnan(AGES),
    "topic = 'it''s' OR topic ILIKE 'är%'": np.array([topic in {"it's", "Ärzte"} for topic in TOPIC]),
    "label <> predicted": LABEL != PREDICTED,
    "predicted = 'bee' AND index < 30": (PREDICTED == 1) & (np.arange(ROWS) < 30),
    "neuron('hidden', 2) > 0.5": HIDDEN[:, 2] > 0.5,
    "score_of('cat') >= 0.5": SCORES[:, 2] >= 0.5,
    "id IN ('3', '5', 'x')": np.isin(np.arange(ROWS), [3, 5]),
}


@pytest.mark.parametrize("sizes", [[], [1] * (ROWS - 1), [17]], ids=["one batch", "single instances", "two batches"])
def test_members_are_those_that_numpy_finds(tmp_path: Path, sizes: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 16)
    snapshot = record(tmp_path, split(INSTANCES, sizes), subsets={text: text for text in EXPECTED})
    index = snapshot.sample().index
    means = snapshot.statistic("hidden", "mean")
    for position, (text, members) in enumerate(EXPECTED.items(), start=3):
        subset = snapshot.manifest.subsets[position]
        assert (subset.name, subset.kind, subset.condition) == (text, "condition", text)
        assert (subset.count, subset.correct) == (members.sum(), (members & (LABEL == PREDICTED)).sum())
        assert subset.predicted_counts == tuple(np.bincount(PREDICTED[members], minlength=3))
        assert_array_equal(snapshot.membership()[:, position], members[index])
        assert_allclose(means[position], HIDDEN[members].astype(np.float64).mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("text", EXPECTED)
def test_a_condition_alone_finds_the_same_from_its_own_columns(tmp_path: Path, text: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 16)
    snapshot = record(tmp_path, split(INSTANCES, [17]), subsets={"alone": text})
    assert_array_equal(snapshot.membership()[:, 3], EXPECTED[text][snapshot.sample().index])
    assert snapshot.manifest.subsets[3].count == EXPECTED[text].sum()


def test_conditions_stand_beside_functions_and_ids(tmp_path: Path) -> None:
    subsets = {"f": lambda view: view["age"] > 20, "c": "age > 20", "i": [1, 2]}
    manifest = record(tmp_path, [INSTANCES], subsets=subsets).manifest
    kinds = [(subset.kind, subset.count) for subset in manifest.subsets[3:]]
    assert kinds == [("function", (AGES > 20).sum()), ("condition", (AGES > 20).sum()), ("ids", 2)]


def test_always_keeps_what_a_condition_describes(tmp_path: Path) -> None:
    sample = record(tmp_path, [INSTANCES], sample=3, always="age > 35").sample()
    assert sorted(sample.index[sample.always]) == np.flatnonzero(AGES > 35).tolist()
    assert sample.drawn.sum() == 3


def test_a_column_without_values_yet_may_be_of_any_type(tmp_path: Path) -> None:
    subsets = {"old": "age > 20 AND name = 'x'", "young": "NOT age > 20"}
    batches = [
        batch([0, 1], ids=["a", "b"], attributes={"age": [None, None], "name": [None, None]}),
        batch([0, 1], ids=["c", "d"], attributes={"age": [30, 3], "name": ["x", None]}),
    ]
    manifest = record(tmp_path, batches, subsets=subsets).manifest
    assert [subset.count for subset in manifest.subsets[3:]] == [1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lenght > 3", r'subsets\["x"\]: got the text .* There is no column lenght.* Did you mean length\?'),
        ("length > 'a'", r'subsets\["x"\]: got the text "length > \'a\'"'),
        ("label = 'dog'", r"'dog' is not a class\. Classes: 'ant', 'bee', 'cat'"),
        ("neuron('hidden', 9) > 0", r"Layer 'hidden' has the neurons 0 to 0; 9 is none of them"),
        ("neuron('conv', 0) > 0", r"There is no layer 'conv'. Recorded layers: 'hidden'"),
    ],
)
def test_what_a_batch_shows_to_be_wrong_is_refused_with_it(tmp_path: Path, text: str, message: str) -> None:
    with activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=CLASSES, subsets={"x": text}, quiet=True
    ) as recorder:
        with pytest.raises(ArgumentError, match=message):
            recorder.process(**batch([0], attributes={"length": [4]}))
        with pytest.raises(ArgumentError, match=r"no instance"):
            recorder.postprocess()
        recorder.__exit__(ArgumentError, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_of_another_type_is_refused_when_it_comes(tmp_path: Path) -> None:
    recorder = activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=CLASSES, subsets={"x": "age > 3"}, quiet=True
    )
    recorder.process(**batch([0], ids=["a"], attributes={"age": [None]}))
    with pytest.raises(ArgumentError, match=r"age"):
        recorder.process(**batch([0], ids=["b"], attributes={"age": ["old"]}))
    recorder.process(**batch([0], ids=["b"], attributes={"age": [4]}))
    recorder.postprocess()


def test_categories_declared_as_such_are_texts(tmp_path: Path) -> None:
    instances = batch([0, 1, 2], attributes={"grade": [3, 3.0, np.nan]})
    manifest = record(
        tmp_path, [instances], attribute_types={"grade": "category"}, subsets={"three": "grade = '3'"}
    ).manifest
    assert manifest.subsets[3].count == 2
