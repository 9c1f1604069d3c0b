"""Instances with scores that are not finite are predicted as nothing: never right, and counted as such."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.side_files import DatasetReader
from tests.unit.recording.helpers import CLASSES, batch, probabilities, read_events, read_snapshots, record, split

LABELS = np.array([0, 0, 1, 2, 2, 1, 0, 2])
SCORES = probabilities([0, 1, 1, 2, 0, 1, 0, 2])
SCORES[0, 0] = np.nan
SCORES[2] = np.nan
SCORES[4, 2] = np.inf
SCORES[7, 1] = -np.inf
PREDICTED = [-1, 1, -1, 2, -1, 1, 0, -1]


def instances(**others: Any) -> dict[str, Any]:
    return {**batch(LABELS, np.arange(8.0)[:, None], ids=np.arange(8)), "scores": SCORES, **others}


def recorded(logdir: Path, batches: list[dict[str, Any]], **arguments: Any) -> Any:
    with pytest.warns(UserWarning, match="ActiVis: 4 of 8 instances have scores that are not finite"):
        return record(logdir, batches, **arguments)


@pytest.mark.parametrize("sizes", [[], [1, 3, 2]])
def test_it_is_predicted_as_nothing_and_never_right(tmp_path: Path, sizes: list[int]) -> None:
    reader = recorded(tmp_path, split(instances(), sizes))
    sample = reader.sample()
    order = np.argsort(sample.index)
    assert sample.predicted[order].tolist() == PREDICTED
    assert_array_equal(sample.scores[order], SCORES.astype(np.float32))
    assert_array_equal(np.isnan(sample.score[order]), np.array(PREDICTED) < 0)
    assert sample.score[order][[1, 3, 5, 6]].tolist() == pytest.approx([0.8] * 4)
    found = {subset.name: (subset.count, subset.correct, subset.predicted_counts) for subset in reader.manifest.subsets}
    assert found == {"ant": (3, 1, (1, 1, 0)), "bee": (2, 1, (0, 1, 0)), "cat": (3, 1, (0, 0, 1))}


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_two_classes_of_any_form(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    second = np.array([0.25, np.nan, 0.75, np.inf, 0.5], dtype)
    scores = np.stack([1 - second, second], axis=1) if shape[-1] == 2 else second.reshape(shape)
    data = {"labels": [0, 0, 1, 1, 1], "scores": scores, "activations": {"hidden": np.ones((5, 1))}, "ids": range(5)}
    with pytest.warns(UserWarning, match="2 of 5 instances"):
        reader = record(tmp_path, [data], classes=["no", "yes"])
    sample = reader.sample()
    expected = [0, -1, 1, -1, 0 if shape[-1] == 2 else 1]
    assert sample.predicted[np.argsort(sample.index)].tolist() == expected


def test_logits_that_are_nan_predict_nothing_and_masked_ones_their_class(tmp_path: Path) -> None:
    logits = np.array([[1.0, 2, 3], [np.nan, 2, 3], [5, -np.inf, 1], [-np.inf] * 3])
    data = {"labels": [2, 2, 0, 0], "scores": logits, "activations": {"hidden": np.ones((4, 1))}, "from_logits": True}
    with pytest.warns(UserWarning, match="2 of 4 instances"):
        sample = record(tmp_path, [data]).sample()
    assert sample.predicted[np.argsort(sample.index)].tolist() == [2, -1, 0, -1]


def test_conditions_and_functions_know_it(tmp_path: Path) -> None:
    subsets = {
        "wrong": "label <> predicted",
        "not correct": "NOT correct",
        "as ant": "predicted = 'ant'",
        "not as ant": "predicted <> 'ant'",
        "not listed": "predicted NOT IN ('ant', 'bee')",
        "nothing": "predicted IS NULL",
        "no score": "score IS NULL",
        "function": lambda one: one["predicted"] == "",
        "wrong by function": lambda one: (one["label"] != one["predicted"]) & ~one["correct"],
    }
    reader = recorded(tmp_path, split(instances(), [3]), subsets=subsets, always="predicted IS NULL", sample=3)
    predicted = np.array(PREDICTED)
    nothing, wrong = predicted < 0, predicted != LABELS
    expected = [wrong, wrong, predicted == 0, predicted != 0, ~np.isin(predicted, [0, 1]), *[nothing] * 3, wrong]
    found = reader.manifest.subsets[3:]
    assert [subset.count for subset in found] == [members.sum() for members in expected]
    assert [subset.correct for subset in found] == [(members & (predicted == LABELS)).sum() for members in expected]
    assert sorted(reader.sample().index[reader.sample().always]) == np.flatnonzero(nothing).tolist()


def test_it_is_said_once_for_the_snapshot_and_test_cases_with_it(tmp_path: Path) -> None:
    with (
        activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as recorder,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        for part in split(instances(), [2, 3]):
            recorder.process(**part)
        recorder.examples(
            labels=["ant", "bee"], scores=[[1, 0, 0], [0, np.nan, 1]], activations={"hidden": np.ones((2, 1))}
        )
        recorder.postprocess()
    assert [str(one.message) for one in caught] == [
        "ActiVis: 4 of 8 instances and 1 of 2 test cases have scores that are not finite. "
        "They are predicted as nothing, and never right. Has the model diverged?"
    ]


def test_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    alone = recorded(tmp_path / "alone", [instances()])
    begin = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True}
    first, second = split(instances(), [3])
    worker = activis_tb.preprocess(tmp_path / "merged", **begin)
    worker.process(**second)
    part = worker.extract()
    one = activis_tb.preprocess(tmp_path / "merged", **begin)
    one.process(**first)
    one.merge(part)
    with pytest.warns(UserWarning, match="4 of 8 instances"):
        one.postprocess()
    merged = read_snapshots(tmp_path / "merged" / "activis")[-1]
    assert merged.manifest.subsets == alone.manifest.subsets
    assert merged.sample().predicted.tolist() == alone.sample().predicted.tolist()


def test_everything_that_is_kept_says_so_too(tmp_path: Path) -> None:
    reader = recorded(tmp_path, [instances()], keep="all", sample=3)
    stored = DatasetReader(tmp_path / "activis", reader.manifest).columns("predicted", "label")
    assert stored["predicted"].tolist() == PREDICTED


@pytest.mark.parametrize(("broken", "version"), [(True, 2), (False, 1)])
def test_only_a_snapshot_that_needs_it_asks_for_a_newer_reader(tmp_path: Path, broken: bool, version: int) -> None:
    """Even if nothing of it is in the sample."""
    scores = SCORES if broken else np.nan_to_num(SCORES, posinf=0, neginf=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        record(tmp_path, [instances(scores=scores)], sample=0)
    (event,) = read_events(tmp_path / "activis")
    assert pb.Snapshot.FromString(event.summary.value[0].tensor.string_val[0]).version == version
