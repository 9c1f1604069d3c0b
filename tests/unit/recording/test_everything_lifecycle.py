"""A recording that keeps everything is there as a whole or not at all, however it ends."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import activis_tb
from activis_tb.errors import RecordingClosedError
from activis_tb.recording import dataset
from activis_tb.storage import events, side_files
from activis_tb.storage.side_files import DatasetReader, DatasetWriter
from tests.unit.recording.helpers import batch, codes_of, read_snapshots, record

BATCH = batch([0, 1, 2, 0, 1], np.arange(5.0)[:, None])


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", 2)


def check_whole(logdir: Path, steps: list[int]) -> None:
    """There are exactly the snapshots of `steps`, and the side files of each can be read."""
    snapshots = read_snapshots(logdir / "activis")
    assert [snapshot.manifest.step for snapshot in snapshots] == steps
    for snapshot in snapshots:
        reader = DatasetReader(logdir / "activis", snapshot.manifest)
        codes = [codes_of(part) for part in reader.layer("hidden")]
        assert len(np.concatenate(codes)) == 5
        assert reader.columns("index")["index"].tolist() == [0, 1, 2, 3, 4]


def stores(logdir: Path) -> int:
    return len(list((logdir / "activis" / "plugins" / "activis").glob("*/*/*")))


def fail_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Lets the disk be full at the `call`-th time that something is to be on it."""
    calls = iter(range(1, 1000))

    def fsync(_: int) -> None:
        if next(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("call", [1, 3, 6, 11, 15])
def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    record(tmp_path, [BATCH], keep="all", step=1)
    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patch:
        fail_at(patch, call)
        with pytest.raises(OSError, match=r'No space left on device.*record with keep="sample"') as caught:
            record(tmp_path, [BATCH], keep="all", step=2)
    assert caught.value.errno == errno.ENOSPC
    assert sorted(tmp_path.rglob("*")) == before
    check_whole(tmp_path, [1])


def test_a_disk_that_is_full_for_the_event_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, 16)
    with pytest.raises(OSError, match="No space left on device"):
        record(tmp_path, [BATCH], keep="all")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_postprocess_may_be_called_again_when_only_the_event_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = activis_tb.preprocess(
        tmp_path, step=3, layers=["hidden"], classes=["ant", "bee", "cat"], keep="all", quiet=True
    )
    recorder.process(**BATCH)
    with monkeypatch.context() as patch:
        fail_at(patch, 16)
        with pytest.raises(OSError, match="No space left"):
            recorder.postprocess()
    recorder.postprocess()
    check_whole(tmp_path, [3])
    assert list(tmp_path.rglob("*.claim")) == []


def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "activis").mkdir()
    (tmp_path / "activis" / "plugins").write_text("a file where a folder belongs")
    with pytest.raises(OSError, match=r"Cannot store every instance in .*choose another log directory"):
        record(tmp_path, [BATCH], keep="all")
    assert [path.name for path in (tmp_path / "activis").iterdir()] == ["plugins"]


def test_a_recording_is_closed_once_its_instances_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activis_tb.recording.blocks.MOST_ROWS", 2)
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=["ant", "bee", "cat"], keep="all")
    with monkeypatch.context() as patch:
        fail_at(patch, 1)
        with pytest.raises(OSError, match="No space left"):
            recorder.process(**BATCH)
    with pytest.raises(RecordingClosedError, match="written or abandoned"):
        recorder.process(**BATCH)
    with pytest.raises(RecordingClosedError, match="written or abandoned"):
        recorder.postprocess()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_error_of_the_users_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluate() -> None:
        with activis_tb.preprocess(
            tmp_path, step=0, layers=["hidden"], classes=["ant", "bee", "cat"], keep="all"
        ) as recorder:
            recorder.process(**BATCH)
            assert stores(tmp_path) == 1
            raise ZeroDivisionError

    monkeypatch.setattr("activis_tb.recording.blocks.MOST_ROWS", 2)
    with pytest.raises(ZeroDivisionError):
        evaluate()
    assert list(tmp_path.rglob("*")) == []


def test_a_recording_that_is_forgotten_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activis_tb.recording.blocks.MOST_ROWS", 2)
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=["ant", "bee", "cat"], keep="all")
    recorder.process(**BATCH)
    assert stores(tmp_path) == 1
    del recorder
    assert list(tmp_path.rglob("*")) == []


def test_two_recordings_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    arguments = {"layers": ["hidden"], "classes": ["ant", "bee", "cat"], "keep": "all", "quiet": True}
    with activis_tb.preprocess(tmp_path, step=0, **arguments) as first:
        first.process(**BATCH)
        with activis_tb.preprocess(tmp_path, step=1, **arguments) as second:
            second.process(**BATCH)
        check_whole(tmp_path, [1])
    assert sorted(snapshot.manifest.step for snapshot in read_snapshots(tmp_path / "activis")) == [0, 1]
    assert stores(tmp_path) == 2


KILLED = """
import os, signal, sys, numpy as np, activis_tb
from activis_tb.recording import dataset
from activis_tb.storage import side_files
dataset.PART_ROWS = 2
moment, calls = int(sys.argv[2]), iter(range(1, 1000))
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if moment == 0:
    side_files.DatasetWriter.commit = die
os.fsync = lambda _: die() if next(calls) == moment else None
with activis_tb.preprocess(sys.argv[1], step=7, layers=["hidden"], classes=["ant", "bee"], keep="all") as recorder:
    for index in range(5):
        recorder.process(labels=[0], scores=[[1, 0]], activations={"hidden": [[float(index)]]})
"""


@pytest.mark.parametrize("moment", [1, 5, 6, 10, 11, 15, 16])
def test_a_kill_before_the_event_leaves_only_what_the_next_recording_removes(tmp_path: Path, moment: int) -> None:
    record(tmp_path, [BATCH], keep="all", step=1)
    process = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(moment)], check=False)
    assert process.returncode == -signal.SIGKILL
    check_whole(tmp_path, [1])
    assert stores(tmp_path) == 2
    record(tmp_path, [BATCH], keep="all", step=2)
    check_whole(tmp_path, [1, 2])
    assert stores(tmp_path) == 2
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".tmp" or path.suffix == ".claim"] == []


def test_a_kill_just_after_the_event_loses_nothing(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED, tmp_path, "0"], check=False, stdout=subprocess.DEVNULL)
    assert process.returncode == -signal.SIGKILL
    check_whole(tmp_path, [7])
    assert len(list(tmp_path.rglob("*.claim"))) == 1
    record(tmp_path, [BATCH], step=8)
    assert list(tmp_path.rglob("*.claim")) == []
    (snapshot, _) = read_snapshots(tmp_path / "activis")
    assert DatasetReader(tmp_path / "activis", snapshot.manifest).instances == 5


def test_a_recording_with_a_sample_alone_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path, "10"], check=False)
    assert stores(tmp_path) == 1
    record(tmp_path, [BATCH])
    assert stores(tmp_path) == 0


def test_a_forked_child_removes_nothing_of_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = DatasetWriter(tmp_path / "activis", events.SnapshotTag("validation", 0, 1))
    writer.write_part({"id": np.array(["a"], object)}, [])
    with monkeypatch.context() as patch:
        patch.setattr(side_files.os, "getpid", lambda: -1)
        writer.abandon()
    assert (tmp_path / "activis" / writer.store / "part-00000").is_dir()
