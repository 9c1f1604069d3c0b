"""Data without labels: all instances are one row, classes are what they are predicted as, nothing is right or wrong."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.side_files import DatasetReader
from tests.unit.recording.helpers import (
    CLASSES,
    batch,
    permute,
    probabilities,
    read_events,
    read_snapshots,
    record,
    split,
)

PREDICTED = np.array([0, 1, 1, 2, 0, 1, 0, 1, 1, 1])
HIDDEN = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
LARGE = np.arange(10) >= 6


def instances(**others: Any) -> dict[str, Any]:
    return {
        "labels": None,
        "scores": probabilities(PREDICTED),
        "activations": {"hidden": HIDDEN},
        "ids": np.arange(10),
        "attributes": {"size": np.arange(10.0)},
        **others,
    }


def batches(*sizes: int) -> list[dict[str, Any]]:
    rest = {name: value for name, value in instances().items() if name != "labels"}
    return [{**part, "labels": None} for part in split(rest, sizes)]


@pytest.mark.parametrize("sizes", [(), (1, 0, 4)])
def test_all_instances_are_one_row(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    reader = record(tmp_path, batches(*sizes), subsets={"large": "size >= 6"})
    manifest = reader.manifest
    assert (manifest.labelled, manifest.classes, manifest.strata) == (False, CLASSES, ("unlabelled",))
    assert [(one.name, one.kind, one.count, one.correct, one.predicted_counts) for one in manifest.subsets] == [
        ("unlabelled", "all", 10, 0, (3, 6, 1)),
        ("large", "condition", 4, 0, (1, 3, 0)),
    ]
    statistics, expected = reader.statistics("hidden"), [HIDDEN.astype(np.float64), HIDDEN[LARGE].astype(np.float64)]
    assert_array_equal(statistics.count, [[10] * 3, [4] * 3])
    assert_allclose(statistics.mean, [values.mean(axis=0) for values in expected], rtol=1e-6)
    assert_allclose(statistics.std, [values.std(axis=0) for values in expected], rtol=1e-6)
    sample = reader.sample()
    assert (sample.label.tolist(), sorted(sample.index)) == ([-1] * 10, list(range(10)))
    assert_array_equal(sample.predicted, PREDICTED[sample.index])
    assert_array_equal(sample.membership, np.stack([np.ones(10, bool), LARGE[sample.index]], axis=1))


def test_the_sample_is_the_smallest_hashes_of_all_in_any_order(tmp_path: Path) -> None:
    rest = {name: value for name, value in instances().items() if name != "labels"}
    shuffled = {**permute(rest, np.random.default_rng(1).permutation(10)), "labels": None}
    one = record(tmp_path / "one", [instances()], sample=4).sample().ids.tolist()
    other = record(tmp_path / "other", [shuffled], sample=4).sample().ids.tolist()
    larger = record(tmp_path / "larger", [instances()], sample=7).sample().ids.tolist()
    assert one == other == larger[:4]
    assert (len(one), len(larger)) == (4, 7)


@pytest.mark.parametrize("first", ["labels", "none"])
def test_labels_are_given_always_or_never(tmp_path: Path, first: str) -> None:
    labelled = {**instances(ids=np.arange(10, 20)), "labels": PREDICTED}
    data = [labelled, instances()] if first == "labels" else [instances(), labelled]
    expected = (
        "got None; expected labels, as in" if first == "labels" else "got labels; expected None, as in the earlier"
    )
    with pytest.raises(ArgumentError, match=f"labels: {expected}"):
        record(tmp_path, data)


@pytest.mark.parametrize("condition", ["label = 'ant'", "NOT correct", "label <> predicted", "CORRECT OR size > 1"])
def test_conditions_about_labels_are_refused_in_a_sentence(tmp_path: Path, condition: str) -> None:
    with pytest.raises(ArgumentError, match=r"There is no (label|correct): these instances were recorded without"):
        record(tmp_path, [instances()], subsets={"it": condition})
    with pytest.raises(ArgumentError, match="without labels"):
        record(tmp_path, [instances()], always=condition)


def test_functions_see_no_labels(tmp_path: Path) -> None:
    reader = record(tmp_path, [instances()], subsets={"bees": lambda one: one["predicted"] == "bee"})
    assert reader.manifest.subsets[1].count == 6
    with pytest.raises(KeyError) as caught:
        record(tmp_path, [instances()], subsets={"it": lambda one: one["label"] == "bee"})
    assert caught.value.__notes__ == [
        'Raised by subsets["it"]; its batch has the columns id, index, predicted, score, scores, size.'
    ]


def test_a_subset_is_not_called_as_the_row_of_all(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="labels: got None; expected a subset of another name than 'unlabelled'"):
        record(tmp_path, [instances()], subsets={"unlabelled": "size > 3"})
    record(tmp_path, [{**instances(), "labels": PREDICTED}], subsets={"unlabelled": "size > 3"})


def test_workers_give_what_one_process_gives(tmp_path: Path) -> None:
    begin = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True, "sample": 5}
    alone = record(tmp_path / "alone", [instances()], sample=5)
    first, second = batches(4)
    worker = activis_tb.preprocess(tmp_path, **begin)
    worker.process(**second)
    part = worker.extract()
    with activis_tb.preprocess(tmp_path / "merged", **begin) as one:
        one.process(**first)
        one.merge(part)
    (merged,) = read_snapshots(tmp_path / "merged" / "activis")
    assert merged.manifest.subsets == alone.manifest.subsets
    assert merged.sample().ids.tolist() == alone.sample().ids.tolist()
    assert_allclose(merged.statistics("hidden").mean, alone.statistics("hidden").mean, rtol=1e-6)
    labelled = activis_tb.preprocess(tmp_path, **begin)
    labelled.process(**batch([0], np.ones((1, 3)), ids=[99], attributes={"size": [1.0]}))
    with pytest.raises(ArgumentError, match="part: got no labels; expected labels, as here"):
        labelled.merge(part)


def test_test_cases_may_have_labels_or_none_beside_any_data(tmp_path: Path) -> None:
    case = {"scores": [[0.2, 0.7, 0.1]], "activations": {"hidden": np.ones((1, 3))}}
    for name, stream in (("unlabelled", instances()), ("labelled", {**instances(), "labels": PREDICTED})):
        with activis_tb.preprocess(tmp_path / name, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as recorder:
            recorder.examples(labels=None, **case)
            recorder.examples(labels=["bee"], **case)
            recorder.process(**stream)
        (reader,) = read_snapshots(tmp_path / name / "activis")
        examples = reader.examples()
        assert (examples.label.tolist(), examples.predicted.tolist()) == ([-1, 1], [1, 1])
        assert reader.manifest.labelled == (name == "labelled")


def test_everything_is_kept_without_labels(tmp_path: Path) -> None:
    reader = record(tmp_path, batches(3), keep="all", sample=4)
    stored = DatasetReader(tmp_path / "activis", reader.manifest).columns("label", "predicted")
    assert (stored["label"].tolist(), stored["predicted"].tolist()) == ([-1] * 10, PREDICTED.tolist())


def test_ids_are_derived_from_the_attributes_alone(tmp_path: Path) -> None:
    data = [{name: value for name, value in one.items() if name != "ids"} for one in (instances(), batches(3)[1])]
    data[1]["attributes"] = {"size": data[0]["attributes"]["size"][3:]}
    with pytest.raises(ArgumentError, match="labels"):
        record(tmp_path, [data[0], {**data[1], "labels": PREDICTED[3:]}])
    sample = record(tmp_path, [data[0]]).sample()
    assert len(set(sample.ids)) == 10
    assert not sample.ids_given


def test_an_older_reader_is_told(tmp_path: Path) -> None:
    record(tmp_path, [instances()])
    (event,) = read_events(tmp_path / "activis")
    manifest = pb.Snapshot.FromString(event.summary.value[0].tensor.string_val[0])
    assert (manifest.version, manifest.unlabelled) == (2, True)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_summary_op_takes_none(tmp_path: Path, compiled: bool) -> None:
    scores, hidden = tf.constant(probabilities(PREDICTED)), tf.constant(HIDDEN)

    def write() -> Any:
        examples = {"labels": None, "scores": scores[:1], "activations": {"hidden": hidden[:1]}}
        return activis_tb.summary.activations(
            "validation", {"hidden": hidden}, labels=None, scores=scores, classes=CLASSES, examples=examples
        )

    with tf.summary.create_file_writer(str(tmp_path)).as_default(step=0):
        (tf.function(write) if compiled else write)()
    (reader,) = read_snapshots(tmp_path)
    assert (reader.manifest.labelled, reader.manifest.subsets[0].count) == (False, 10)
    assert reader.examples().label.tolist() == [-1]
