"""A recording is written whole, once, or leaves no trace."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError, RecordingClosedError, SnapshotTooLargeError
from activis_tb.model import ForwardGraph
from activis_tb.recording import api
from activis_tb.recording.api import SnapshotRecorder
from activis_tb.storage import encoding
from activis_tb.storage.metadata import parse_tag
from tests.unit.recording.helpers import CLASSES, batch, read_events, read_snapshots, record

BATCH = batch([0, 1, 2], ids=["a", "b", "c"])


def begin(logdir: Path, **arguments) -> SnapshotRecorder:
    return activis_tb.preprocess(
        logdir, **{"step": 4, "layers": ["hidden"], "classes": CLASSES, "quiet": True, **arguments}
    )


def test_the_three_calls_write_one_event_of_its_own_tag(tmp_path: Path) -> None:
    recorder = begin(tmp_path, name="a/b")
    recorder.process(**BATCH)
    assert list(tmp_path.iterdir()) == []
    path = recorder.postprocess()
    assert list((tmp_path / "activis").iterdir()) == [path]
    (event,) = read_events(tmp_path / "activis")
    tag = parse_tag(event.summary.value[0].tag)
    (snapshot,) = read_snapshots(tmp_path / "activis")
    assert (tag.name, tag.step, event.step) == ("a/b", 4, 4)
    assert (snapshot.manifest.name, snapshot.manifest.step, snapshot.manifest.session) == tag
    assert snapshot.manifest.classes == CLASSES


def test_repeated_steps_are_all_kept_under_tags_of_their_own(tmp_path: Path) -> None:
    for step in (3, 1, 3, 3):
        record(tmp_path, [BATCH], step=step)
    snapshots = read_snapshots(tmp_path / "activis")
    assert [snapshot.manifest.step for snapshot in snapshots] == [3, 1, 3, 3]
    sessions = [snapshot.manifest.session for snapshot in snapshots]
    assert sessions == sorted(set(sessions))


def test_recordings_may_run_at_the_same_time(tmp_path: Path) -> None:
    with begin(tmp_path, name="train") as first, begin(tmp_path, name="validation") as second:
        first.process(**BATCH)
        second.process(**batch([0]))
    counts = {snapshot.manifest.name: snapshot.manifest.instances for snapshot in read_snapshots(tmp_path / "activis")}
    assert counts == {"train": 3, "validation": 1}


def test_an_exception_in_the_block_writes_nothing(tmp_path: Path) -> None:
    def fail(columns):
        raise ZeroDivisionError

    recorder = begin(tmp_path, subsets={"broken": fail})
    with pytest.raises(ZeroDivisionError), recorder:
        recorder.process(**BATCH)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RecordingClosedError):
        recorder.postprocess()


def test_an_empty_recording_is_an_error_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"process: got no instance; expected at least one before postprocess\(\)"):
        begin(tmp_path).postprocess()
    with pytest.raises(ArgumentError, match="no instance"), begin(tmp_path) as recorder:
        recorder.process(**batch([], np.ones((0, 1))))
    assert list(tmp_path.iterdir()) == []


def test_a_written_recording_is_closed(tmp_path: Path) -> None:
    with begin(tmp_path) as recorder:
        recorder.process(**BATCH)
        recorder.postprocess()
    message = (
        r"The recording activis/validation/4/\d+ was written or abandoned; begin another one by activis_tb.preproc"
    )
    with pytest.raises(RecordingClosedError, match=message):
        recorder.process(**BATCH)
    with pytest.raises(RecordingClosedError, match=message):
        recorder.postprocess()
    assert len(read_snapshots(tmp_path / "activis")) == 1


def test_a_recording_that_could_not_be_written_may_be_written_again(tmp_path: Path) -> None:
    recorder = begin(tmp_path)
    recorder.process(**BATCH)
    (tmp_path / "activis").write_text("in the way")
    with pytest.raises(OSError, match="activis"):
        recorder.postprocess()
    (tmp_path / "activis").unlink()
    recorder.postprocess()
    assert read_snapshots(tmp_path / "activis")[0].manifest.instances == 3


def test_a_snapshot_that_is_too_large_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LIMIT", 1000)
    with pytest.raises(SnapshotTooLargeError, match="Record fewer layers"):
        record(tmp_path, [batch([0], np.ones((1, 500)))])
    assert list(tmp_path.iterdir()) == []


def test_a_large_snapshot_is_written_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LARGE", 2**20)
    with pytest.warns(UserWarning, match=r"snapshot validation, step 0, has 1 MB.*Lower sample= \(now 100 instances\)"):
        snapshot = record(tmp_path, [batch([0] * 100, np.ones((100, 3000)))])
    assert snapshot.activations("hidden").sum() == 300_000


def test_the_graph_is_written_once_per_digest(tmp_path: Path) -> None:
    graphs = [ForwardGraph(b"", {}), ForwardGraph(b"", {}), ForwardGraph(b"\x0a\x03\x0a\x01x", {})]
    for step, graph in enumerate(graphs):
        record(tmp_path, [BATCH], step=step, graph=graph)
    labels = [path.name.partition("activis.")[2] for path in (tmp_path / "activis").iterdir()]
    assert sorted(labels)[-2:] == sorted(f"graph-{graph.digest}" for graph in graphs[1:])
    assert len(labels) == 5
    assert len(read_snapshots(tmp_path / "activis")) == 3


def test_the_way_to_the_tab_is_printed_once_per_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in range(3):
        record(tmp_path / "a", [BATCH], step=step, quiet=False)
    record(tmp_path / "b", [BATCH], step=7, quiet=True)
    assert capsys.readouterr().out == (
        "ActiVis: recorded validation at step 0 (3 instances, 1 layer). See it:\n"
        f"  tensorboard --logdir {tmp_path / 'a'}\n"
        f"  http://localhost:6006/#activis&p.activis.run={tmp_path.name}/a/activis\n"
    )


@pytest.mark.parametrize("name", ["a b", "it's", "$(touch x) & y", "lr=0.1#2?", "😀", "-dash", "caf\udce9"])
def test_the_printed_command_and_link_lead_to_any_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with begin(tmp_path / name, quiet=False) as recorder:
        recorder.process(**BATCH)
    command, link = capsys.readouterr().out.splitlines()[1:]
    shown = name.encode("utf-8", "backslashreplace").decode()
    assert shlex.split(command) == ["tensorboard", "--logdir", str(tmp_path / shown)]
    fragment = urlsplit(link.strip()).fragment
    assert fragment.count("&") == 1
    run = unquote(fragment.removeprefix("activis&p.activis.run="), errors="surrogateescape")
    assert run == f"{tmp_path.name}/{name}/activis"


@pytest.mark.parametrize("name", ['lr={"a": 0.1}', "a\\b", "two\nlines"])
def test_a_folder_that_the_data_server_cannot_serve_is_told_beforehand(tmp_path: Path, name: str) -> None:
    with pytest.warns(UserWarning, match="gives no data of runs whose folders' names have double quotes, backslashes"):
        record(tmp_path / name / "inner", [BATCH])
    assert len(read_snapshots(tmp_path / name / "inner" / "activis")) == 1


KILLED = """
import sys, numpy as np, activis_tb
recorder = activis_tb.preprocess(sys.argv[1], step=0, layers=["hidden"], classes=["ant", "bee"])
for position in range(1000000):
    recorder.process(labels=[0, 1], scores=[[1, 0], [0, 1]], activations={"hidden": np.ones((2, 3))})
    if position == 3:
        print("recording", flush=True)
"""


def test_a_recording_killed_between_two_batches_leaves_no_trace(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "recording\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("*")) == []


INTERRUPTED = """
import os, signal, sys, numpy as np, activis_tb
from activis_tb.storage import folders
folders.os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
with activis_tb.preprocess(sys.argv[1], step=0, layers=["hidden"], classes=["ant", "bee"]) as recorder:
    recorder.process(labels=[0, 1], scores=[[1, 0], [0, 1]], activations={"hidden": np.ones((2, 3))})
"""


def test_a_recording_killed_while_it_writes_leaves_nothing_that_tensorboard_reads(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", INTERRUPTED, tmp_path], check=False)
    assert process.returncode == -signal.SIGKILL
    (leftover,) = (tmp_path / "activis").iterdir()
    assert "tfevents" not in leftover.name
    record(tmp_path, [BATCH])
    assert [snapshot.manifest.instances for snapshot in read_snapshots(tmp_path / "activis")] == [3]
    assert not leftover.exists()


def test_recording_loads_neither_tensorflow_nor_torch(tmp_path: Path) -> None:
    program = (
        "import sys, activis_tb; activis_tb.preprocess(sys.argv[1], step=0, layers=['a'], classes=['b', 'c']);"
        "sys.exit(' '.join({'tensorflow', 'torch', 'keras', 'sklearn'} & set(sys.modules)) or 0)"
    )
    process = subprocess.run([sys.executable, "-c", program, tmp_path], check=False, capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")
