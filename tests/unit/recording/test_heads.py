"""The linear layer between a recorded layer and the scores is kept where it does give the scores."""

import re
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import expit, softmax

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording.heads import MOST_BYTES
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, read_snapshots, record

GENERATOR = np.random.default_rng(5)
HIDDEN = GENERATOR.normal(size=(40, 6)).astype(np.float32)
WEIGHTS = GENERATOR.normal(size=(6, 3)).astype(np.float32)
BIAS = GENERATOR.normal(size=3).astype(np.float32)
LABELS = GENERATOR.integers(0, 3, 40)


def one(hidden: Any = HIDDEN, scores: Any = None, **others: Any) -> dict[str, Any]:
    made = softmax(np.nan_to_num(HIDDEN) @ WEIGHTS + BIAS, axis=1) if scores is None else scores
    return {"labels": LABELS, "scores": made, "activations": {"hidden": hidden}, **others}


def check(reader: SnapshotReader, weights: Any = WEIGHTS, bias: Any = BIAS) -> None:
    head = reader.head("hidden")
    assert head is not None
    assert_array_equal(head.weights, weights)
    assert_array_equal(head.bias, bias)


def test_a_head_by_the_name_of_its_layer_is_kept(tmp_path):
    check(record(tmp_path, [one()], heads={"hidden": (WEIGHTS, BIAS)}))


def test_without_one_there_is_none(tmp_path):
    assert record(tmp_path, [one()]).head("hidden") is None


def test_of_several_layers_those_are_taken_that_give_the_scores(tmp_path):
    others = [(WEIGHTS[:, ::-1], BIAS), (GENERATOR.normal(size=(4, 3)), None), (np.ones((9, 200)), None)]
    check(record(tmp_path, [one()], heads=[*others, (WEIGHTS, BIAS)]))
    assert record(tmp_path / "other", [one()], heads=others).head("hidden") is None


def test_logits_say_the_same(tmp_path):
    logits = HIDDEN @ WEIGHTS + BIAS
    check(record(tmp_path, [one(scores=logits, from_logits=True)], heads=[(WEIGHTS, BIAS)]))


def test_independent_scores_come_from_a_sigmoid(tmp_path):
    check(record(tmp_path, [one(scores=expit(HIDDEN @ WEIGHTS + BIAS))], heads=[(WEIGHTS, BIAS)]))


def test_a_single_output_is_the_second_of_two_classes(tmp_path):
    weights, labels = WEIGHTS[:, :1], LABELS % 2
    scores = expit(HIDDEN @ weights + BIAS[:1])
    for run, heads in {"named": {"hidden": (weights, BIAS[:1])}, "listed": [(weights, BIAS[:1])]}.items():
        given = one(scores=scores) | {"labels": labels}
        check(record(tmp_path / run, [given], heads=heads, classes=["no", "yes"]), weights, BIAS[:1])


def test_no_bias_is_one_of_zeros(tmp_path):
    scores = softmax(HIDDEN @ WEIGHTS, axis=1)
    check(record(tmp_path, [one(scores=scores)], heads={"hidden": (WEIGHTS, None)}), WEIGHTS, np.zeros(3))


def test_half_precision_is_forgiven_its_rounding(tmp_path):
    half = HIDDEN.astype(np.float16)
    made = softmax((half @ WEIGHTS.astype(np.float16)).astype(np.float32) + BIAS, axis=1)
    check(record(tmp_path, [one(half, made)], heads=[(WEIGHTS, BIAS)]))


@pytest.mark.parametrize("size", [5e-3, 1.0])
def test_weights_of_another_step_are_refused_and_nothing_is_written(tmp_path, size):
    stale = WEIGHTS + size * GENERATOR.normal(size=WEIGHTS.shape).astype(np.float32)
    with pytest.raises(ArgumentError, match=r'heads\["hidden"\]: got weights by which a logit of this batch is off by'):
        record(tmp_path, [one()], heads={"hidden": (stale, BIAS)})
    assert not (tmp_path / "activis").exists()
    assert record(tmp_path, [one()], heads=[(stale, BIAS)]).head("hidden") is None


def test_a_batch_that_is_not_finite_leaves_it_open(tmp_path):
    nothing = one(np.full_like(HIDDEN, np.nan), ids=[f"a{row}" for row in range(40)])
    finite = one(ids=[f"b{row}" for row in range(40)])
    check(record(tmp_path, [nothing, finite], heads={"hidden": (WEIGHTS, BIAS)}))


def test_the_merged_snapshot_of_several_workers_has_it(tmp_path):
    arguments = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "heads": [(WEIGHTS, BIAS)], "quiet": True}
    with activis_tb.preprocess(tmp_path, **arguments) as other:
        other.process(**one(ids=[f"b{row}" for row in range(40)]))
        part = other.extract()
    with activis_tb.preprocess(tmp_path, **arguments) as writer:
        writer.merge(part)
    (reader,) = read_snapshots(tmp_path / "activis")
    check(reader)


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"output": (WEIGHTS, BIAS)}, "heads: got the layer 'output'; expected layers that are recorded: hidden"),
        ({"hidden": WEIGHTS}, 'heads["hidden"]: got ndarray; expected a pair of weights (neurons, classes) and a bias'),
        ([WEIGHTS], "heads[0]: got ndarray; expected a pair"),
        ({"hidden": (WEIGHTS.T, BIAS)}, 'heads["hidden"]: got float32 (3, 6) and float32 (3,); expected numbers'),
        ({"hidden": (WEIGHTS[:, :2], BIAS[:2])}, "weights of shape (6, 2); expected (neurons, 3), as classes has 3"),
        ({"hidden": (np.ones((MOST_BYTES // 12 + 1, 3)), None)}, "Of at most 8 MiB"),
        ({"hidden": (WEIGHTS[:4], BIAS)}, "got weights of 4 neurons; expected those of 6 neurons"),
    ],
)
def test_what_can_be_no_head_is_refused(tmp_path, heads, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        record(tmp_path, [one()], heads=heads)
