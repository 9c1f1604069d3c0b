"""Blocks are accumulated on a background thread: neither what is served nor what is said changes."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording import blocks, sample
from activis_tb.recording.arrays import is_owned
from activis_tb.recording.statistics import Accumulator
from tests.unit.recording.helpers import CLASSES, batch, probabilities, read_snapshots, record, split


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 16)


def test_arrays_may_be_overwritten_as_soon_as_process_returns(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    whole = generator.normal(size=(320, 3)).astype(np.float32)
    numbers, labels = generator.random(320), generator.integers(0, 3, 320)
    values, scores, number = (np.empty((8, 3), np.float32), np.empty((8, 3), np.float32), np.empty(8))
    with activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=CLASSES, subsets={"low": "number < 0.5"}, sample=320, quiet=True
    ) as recorder:
        for start in range(0, 320, 8):
            rows = slice(start, start + 8)
            values[:], number[:], scores[:] = whole[rows], numbers[rows], probabilities(labels[rows])
            label = labels[rows].copy()
            recorder.process(
                labels=label,
                scores=scores,
                ids=np.arange(start, start + 8),
                attributes={"number": number},
                activations={"hidden": values},
            )
            for array in (values, scores, number, label):
                array[:] = 0
    snapshot = read_snapshots(tmp_path / "activis")[-1]
    statistics, sample = snapshot.statistics("hidden"), snapshot.sample()
    for row, members in enumerate([labels == 0, labels == 1, labels == 2, numbers < 0.5]):
        assert statistics.count[row, 0] == members.sum()
        assert_allclose(statistics.mean[row], whole[members].mean(axis=0, dtype=float), rtol=1e-6)
    assert_array_equal(snapshot.activations("hidden"), whole[sample.index])
    assert_array_equal(sample.label, labels[sample.index])
    assert_array_equal(sample.attributes[0].values, numbers[sample.index])


def test_a_read_only_view_may_be_overwritten_too(tmp_path: Path) -> None:
    values = np.zeros((8, 3), np.float32)
    view = values.view()
    view.flags.writeable = False
    with activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as recorder:
        for number in range(5):
            values[:] = number
            labels = np.zeros(8, int)
            recorder.process(labels=labels, scores=probabilities(labels), activations={"hidden": view})
        values[:] = 100
    statistics = read_snapshots(tmp_path / "activis")[-1].statistics("hidden")
    assert_array_equal(statistics.mean[0], 2)
    assert_array_equal(statistics.max[0], 4)


@pytest.mark.parametrize("framework", ["tensorflow", "jax"])
def test_tensors_are_recorded_as_they_are(tmp_path: Path, framework: str) -> None:
    numpy = pytest.importorskip({"tensorflow": "tensorflow", "jax": "jax.numpy"}[framework])
    as_tensor = numpy.constant if framework == "tensorflow" else numpy.asarray
    whole = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    tensor = as_tensor(whole)
    assert is_owned(tensor, np.asarray(tensor))
    labels = np.arange(100) % 3
    with activis_tb.preprocess(
        tmp_path, step=0, layers=["hidden"], classes=CLASSES, sample=100, quiet=True
    ) as recorder:
        for rows in np.array_split(np.arange(100), 9):
            tensor = as_tensor(whole[rows])
            recorder.process(
                labels=labels[rows], scores=probabilities(labels[rows]), ids=rows, activations={"hidden": tensor}
            )
    snapshot = read_snapshots(tmp_path / "activis")[-1]
    assert_array_equal(snapshot.activations("hidden"), whole[snapshot.sample().index])
    assert_allclose(snapshot.statistics("hidden").mean[1], whole[labels == 1].mean(axis=0, dtype=float), rtol=1e-6)


def test_a_condition_finds_its_members_while_the_type_of_its_column_is_not_known_yet(tmp_path: Path) -> None:
    numbers = [None] * 40 + list(range(60))
    stream = batch([0] * 100, np.arange(100.0)[:, None], attributes={"number": numbers}, ids=range(100))
    snapshot = record(tmp_path, split(stream, [10] * 9), subsets={"high": "number >= 50", "none": "number IS NULL"})
    assert [subset.count for subset in snapshot.manifest.subsets[len(CLASSES) :]] == [10, 40]
    assert_allclose(snapshot.statistics("hidden").mean[-2:, 0], [np.arange(90, 100).mean(), np.arange(40).mean()])


def test_what_fails_in_the_background_is_said_by_a_later_call_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "MOST_ALWAYS", 20)
    stream = batch([0] * 64, ids=range(64))
    with pytest.raises(ArgumentError, match=r"always: got \d+ instances so far; expected at most 20"):
        record(tmp_path, split(stream, [16] * 3), always="index >= 0")
    assert not list(tmp_path.rglob("*tfevents*"))


def test_blocks_are_accumulated_on_one_thread_at_a_time_that_is_not_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, under_way, accumulate = set(), threading.Lock(), Accumulator.add

    def add(accumulator: Accumulator, block: object) -> None:
        assert under_way.acquire(blocking=False)
        threads.add(threading.current_thread())
        accumulate(accumulator, block)
        under_way.release()

    monkeypatch.setattr(Accumulator, "add", add)
    record(tmp_path, split(batch([0] * 64), [16] * 3))
    assert len(threads) == 1
    assert threading.current_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)


def test_a_failure_in_the_background_is_said_by_every_later_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "out of memory"
        raise MemoryError(message)

    monkeypatch.setattr(Accumulator, "add", fail)
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
    recorder.process(**batch([0] * 16, ids=range(16)))
    for start in (16, 32):
        with pytest.raises(MemoryError, match="out of memory"):
            recorder.process(**batch([0] * 16, ids=range(start, start + 16)))
        with pytest.raises(MemoryError, match="out of memory"):
            recorder.postprocess()
    assert not list(tmp_path.rglob("*tfevents*"))


@pytest.mark.parametrize("keep", ["sample", "all"])
def test_no_thread_is_left_of_a_recording_that_is_given_up(tmp_path: Path, keep: str) -> None:
    before = set(threading.enumerate())

    def give_up() -> None:
        arguments = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "keep": keep, "quiet": True}
        with activis_tb.preprocess(tmp_path, **arguments) as recorder:
            recorder.process(**batch([0] * 64))
            assert bool(set(threading.enumerate()) - before) == (keep == "sample")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert set(threading.enumerate()) <= before


def test_a_recording_may_go_on_and_end_while_the_interpreter_exits(tmp_path: Path) -> None:
    code = f"""
import atexit
import activis_tb
from activis_tb.recording import blocks
from tests.unit.recording.helpers import CLASSES, batch

blocks.MOST_ROWS = 16
recorder = activis_tb.preprocess({str(tmp_path)!r}, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
recorder.process(**batch([0] * 40, ids=range(40)))
atexit.register(recorder.postprocess)
atexit.register(lambda: recorder.process(**batch([1] * 60, ids=range(40, 100))))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert [subset.count for subset in read_snapshots(tmp_path / "activis")[-1].manifest.subsets] == [40, 60, 0]
