"""Logits are recorded as the probabilities that they stand for, where the caller says that they are logits."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

import activis_tb
from activis_tb.errors import ArgumentError
from tests.unit.recording.helpers import batch, probabilities, read_snapshots, record

LOGITS = np.array([[2.0, -1.0, 0.5], [1000.0, 999.0, -1000.0], [-3.0, -2.0, -np.inf], [0.0, 0.0, 1e-3]])
PREDICTED = [0, 0, 1, 2]


def scores_of(reader) -> np.ndarray:
    return reader.sample().scores[np.argsort(reader.sample().index)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_softmax_makes_probabilities_of_logits(tmp_path: Path, dtype: type) -> None:
    logits = LOGITS.astype(dtype)
    reader = record(tmp_path, [batch([0, 1, 1, 2]) | {"scores": logits, "from_logits": True}])
    assert_allclose(scores_of(reader), softmax(logits.astype(np.float64), axis=1), rtol=1e-6)
    assert reader.sample().predicted[np.argsort(reader.sample().index)].tolist() == PREDICTED


def test_whole_numbers_are_logits_too(tmp_path: Path) -> None:
    logits = [[3, -2, 0], [9, 10, 8]]
    reader = record(tmp_path, [batch([0, 1]) | {"scores": logits, "from_logits": True}])
    assert_allclose(scores_of(reader), softmax(np.array(logits, np.float64), axis=1), rtol=1e-6)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_sigmoid_makes_probabilities_of_one_column(tmp_path: Path, shape: tuple[int, ...]) -> None:
    logits = np.array([-800.0, -1.0, 0.0, 2.0, 800.0], np.float32)
    instances = {"labels": [0, 1, 1, 1, 1], "scores": logits.reshape(shape), "activations": {"hidden": np.ones((5, 1))}}
    reader = record(tmp_path, [instances | {"from_logits": True}], classes=["no", "yes"])
    second = expit(logits.astype(np.float64))
    assert_allclose(scores_of(reader), np.stack([1 - second, second], axis=1), rtol=1e-6)
    assert reader.sample().predicted[np.argsort(reader.sample().index)].tolist() == [0, 0, 1, 1, 1]


def test_the_logits_of_test_cases_too(tmp_path: Path) -> None:
    with activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=["ant", "bee", "cat"], quiet=True
    ) as snapshot:
        snapshot.examples(**batch([0, 0, 1, 2]) | {"scores": LOGITS, "from_logits": True})
        snapshot.process(**batch([1]))
    (reader,) = read_snapshots(tmp_path / "activis")
    assert_allclose(reader.examples().scores, softmax(LOGITS, axis=1), rtol=1e-6)
    assert reader.examples().predicted.tolist() == PREDICTED


@pytest.mark.parametrize("is_traced", [False, True])
def test_the_summary_op_takes_logits(tmp_path: Path, is_traced: bool) -> None:
    def write(logits: tf.Tensor) -> tf.Tensor:
        return activis_tb.summary.activations(
            "validation",
            {"hidden": tf.ones((4, 1))},
            labels=[0, 0, 1, 2],
            scores=logits,
            classes=["ant", "bee", "cat"],
            examples={"labels": [1], "scores": logits[2:3], "activations": {"hidden": tf.ones((1, 1))}},
            from_logits=True,
        )

    with tf.summary.create_file_writer(str(tmp_path)).as_default(step=0):
        (tf.function(write) if is_traced else write)(tf.constant(LOGITS, tf.float32))
    (reader,) = read_snapshots(tmp_path)
    assert_allclose(scores_of(reader), softmax(LOGITS, axis=1), rtol=1e-6)
    assert_allclose(reader.examples().scores, softmax(LOGITS[2:3], axis=1), rtol=1e-6)


def test_probabilities_are_no_logits(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"from_logits: got True for scores whose rows sum to 1; expected logits\."):
        record(tmp_path, [batch([0, 1]) | {"scores": probabilities([0, 1]), "from_logits": True}])


def test_from_logits_is_true_or_false(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="from_logits: got 'yes'; expected True or False"):
        record(tmp_path, [batch([0, 1]) | {"from_logits": "yes"}])
