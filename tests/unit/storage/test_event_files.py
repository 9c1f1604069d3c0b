"""Event files are whole or absent, in the framing of TensorBoard, and leave other writers' files alone."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from activis_tb.storage import events
from activis_tb.storage.metadata import SnapshotTag, parse_tag

TAG = SnapshotTag("validation", 3, 17)


def write(folder: Path, blobs=(b"manifest", b"", b"\x00" * 1000), **options) -> Path:
    return events.write_event_file(folder, events.snapshot_event(TAG, blobs, wall_time=12.5), **options)


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "run" / "activis")
    version, event = EventFileLoader(str(path)).Load()
    assert version.file_version == "brain.Event:2"
    (value,) = event.summary.value
    assert (event.step, event.wall_time, value.tag) == (3, 12.5, "activis/validation/3/17")
    assert list(value.tensor.string_val) == [b"manifest", b"", b"\x00" * 1000]
    assert value.metadata.plugin_data.plugin_name == "activis"


def test_nothing_but_the_event_file_is_left(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.name.startswith("events.out.tfevents.")


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_dead_writers_are_removed_and_those_of_live_ones_kept(tmp_path: Path) -> None:
    host = socket.gethostname()
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone = tmp_path / f".activis-{host}-{int(dead.stdout)}-1.tmp"
    live = tmp_path / f".activis-{host}-{os.getppid()}-2.tmp"
    elsewhere = tmp_path / ".activis-another-host-12-3.tmp"
    old = tmp_path / ".activis-another-host-13-4.tmp"
    odd = tmp_path / ".activis-odd.tmp"
    for leftover in (gone, live, elsewhere, old, odd):
        leftover.touch()
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    path = write(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([live, elsewhere, odd, path])


def test_a_labelled_file_is_found_again(tmp_path: Path) -> None:
    assert not events.is_labelled(tmp_path / "absent", "graph-abc")
    write(tmp_path, label="graph-abcd")
    assert not events.is_labelled(tmp_path, "graph-abc")
    write(tmp_path, label="graph-abc")
    assert events.is_labelled(tmp_path, "graph-abc")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("activis/validation/3/17", SnapshotTag("validation", 3, 17)),
        ("activis/a/b/-1/17", SnapshotTag("a/b", -1, 17)),
        ("activis/<b>x</b>/0/1", SnapshotTag("<b>x</b>", 0, 1)),
        ("activis/validation/three/17", None),
        ("activis/3/17", None),
        ("loss/validation/3/17", None),
    ],
)
def test_a_tag_is_taken_apart_from_its_end(tag: str, expected: SnapshotTag | None) -> None:
    assert parse_tag(tag) == expected
    if expected:
        assert str(expected) == tag
