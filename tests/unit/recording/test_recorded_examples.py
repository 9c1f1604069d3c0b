"""Test cases of the user's own stand beside the recording and change nothing in it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError, RecordingClosedError
from activis_tb.model import STATISTIC_NAMES
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, batch, probabilities, read_snapshots

CABS = {
    "labels": ["bee", "cat"],
    "scores": [[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]],
    "activations": {"hidden": [[100.0], [-200.0]]},
    "attributes": {"text": ["Let's take a cab", "Taxi!"]},
}
STREAM = batch(
    [0, 1, 2, 1], [[1.0], [2.0], [3.0], [4.0]], attributes={"text": ["a", "b", "a", "c"], "length": [1, 2, 3, 4]}
)


def record(
    logdir: Path, *examples: dict[str, Any], last: bool = False, stream: Any = STREAM, **arguments: Any
) -> SnapshotReader:
    """Records `stream` and the test cases, those after the others where `last`."""
    settings = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True, **arguments}
    with activis_tb.preprocess(logdir, **settings) as recorder:
        if last:
            recorder.process(**stream)
        for cases in examples:
            recorder.examples(**cases)
        if not last:
            recorder.process(**stream)
    return read_snapshots(logdir / "activis")[-1]


def begin(logdir: Path, cases: dict[str, Any]) -> None:
    """Begins a recording with test cases, which never ends."""
    recorder = activis_tb.preprocess(logdir, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
    recorder.examples(**cases)
    recorder.process(**STREAM)


@pytest.mark.parametrize("last", [False, True])
def test_test_cases_are_kept_in_the_order_given(tmp_path: Path, last: bool) -> None:
    snapshot = record(tmp_path, CABS, last=last)
    examples = snapshot.examples()
    assert snapshot.manifest.examples == 2
    assert examples.ids.tolist() == ["test case 1", "test case 2"]
    assert examples.label.tolist() == [1, 2]
    assert examples.predicted.tolist() == [1, 0]
    assert_array_equal(examples.score, np.float32([0.8, 0.7]))
    assert_array_equal(snapshot.example_activations("hidden"), [[100.0], [-200.0]])
    text, length = examples.attributes
    assert [text.categories[code] for code in text.values] == ["Let's take a cab", "Taxi!"]
    assert length.present.tolist() == [False, False]


@pytest.mark.parametrize("keep", ["sample", "all"])
def test_test_cases_change_no_number_of_the_recording(tmp_path: Path, keep: str) -> None:
    subsets = {"long": "length > 1 OR length IS NULL", "all": lambda columns: columns["score"] > 0}
    arguments: dict[str, Any] = {"subsets": subsets, "always": "text = 'Taxi!' OR text = 'b'", "keep": keep}
    without = record(tmp_path / "without", **arguments)
    beside = record(tmp_path / "beside", CABS, **arguments)
    assert beside.manifest.subsets == without.manifest.subsets
    assert beside.manifest.instances == without.manifest.instances == 4
    assert beside.manifest.rows == without.manifest.rows == 4
    assert beside.manifest.stored == without.manifest.stored
    assert not beside.manifest.layers[0].signed
    for name in STATISTIC_NAMES:
        assert_array_equal(beside.statistic("hidden", name), without.statistic("hidden", name))
    assert_array_equal(beside.activations("hidden"), without.activations("hidden"))
    assert_array_equal(beside.membership(), without.membership())
    assert_array_equal(beside.ids(), without.ids())
    assert_array_equal(beside.sample().always, without.sample().always)
    assert not beside.examples().membership.any()


def test_sample_and_test_cases_have_the_same_categories(tmp_path: Path) -> None:
    snapshot = record(tmp_path, CABS)
    sampled, examples = snapshot.attribute("text"), snapshot.example_attribute("text")
    assert sampled.type == examples.type == "category"
    assert sampled.categories == examples.categories == ("Let's take a cab", "Taxi!", "a", "b", "c")


def test_their_ids_may_be_those_of_the_stream(tmp_path: Path) -> None:
    stream = {**STREAM, "ids": [0, 1, 2, 3]}
    snapshot = record(tmp_path, {**CABS, "ids": [0, "cab"]}, stream=stream)
    assert snapshot.examples().ids.tolist() == ["test case 0", "test case cab"]
    assert sorted(snapshot.ids()) == ["0", "1", "2", "3"]


def test_several_calls_add_up(tmp_path: Path) -> None:
    only_one = {name: values[:1] for name, values in CABS.items() if name not in {"activations", "attributes"}}
    snapshot = record(tmp_path, CABS, {**only_one, "activations": {"hidden": [[7.0]]}})
    examples = snapshot.examples()
    assert examples.ids.tolist() == ["test case 1", "test case 2", "test case 3"]
    assert examples.index.tolist() == [0, 1, 2]
    assert snapshot.example_attribute("text").present.tolist() == [True, True, False]
    assert_array_equal(snapshot.example_activations("hidden"), [[100.0], [-200.0], [7.0]])


def test_without_test_cases_there_are_none(tmp_path: Path) -> None:
    snapshot = record(tmp_path)
    assert snapshot.manifest.examples == 0
    assert snapshot.examples() is None
    assert snapshot.example_activations("hidden").shape == (0, 1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": [0, 5]}, "labels: got 5 at row 1; expected positions from 0 to 2"),
        ({"attributes": {"colour": ["red", "blue"]}}, r'attributes\["colour"\] of the test cases.*text, length'),
        (
            {"attributes": {"length": ["x", "y"]}},
            r'attributes\["length"\] of the test cases: got text; expected number',
        ),
        ({"activations": {"hidden": np.ones((2, 3))}}, r'activations\["hidden"\] of the test cases: got 3 neurons'),
        (
            {"activations": {"output": np.ones((2, 3))}},
            "activations: got the layers output; expected the layers hidden",
        ),
        ({"ids": ["a", "a"]}, "ids: got the id 'a' twice"),
    ],
)
def test_test_cases_that_do_not_fit_are_refused_before_the_stream_is_over(
    tmp_path: Path, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        begin(tmp_path, {**CABS, **wrong})


def test_an_id_of_an_earlier_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="got the id 'test case cab' twice"):
        record(tmp_path, {**CABS, "ids": ["cab", 1]}, {**CABS, "ids": ["cab", 2]})


def test_there_are_at_most_a_thousand(tmp_path: Path) -> None:
    many = {"labels": [0] * 1001, "scores": probabilities([0] * 1001), "activations": {"hidden": np.ones((1001, 1))}}
    with pytest.raises(ArgumentError, match=r"got 1,001 test cases; expected at most 1,000"):
        record(tmp_path, many)


def test_a_written_recording_takes_no_more(tmp_path: Path) -> None:
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
    recorder.process(**STREAM)
    recorder.postprocess()
    with pytest.raises(RecordingClosedError):
        recorder.examples(**CABS)
