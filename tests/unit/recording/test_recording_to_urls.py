"""Log directories that are URLs: what fsspec reaches is written like a directory of this machine."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import ForwardGraph
from tests.unit.recording.helpers import batch, read_snapshots, record

BATCH = batch([0, 1, 2], np.arange(6.0).reshape(3, 2))
ARGUMENTS = {"layers": ["hidden"], "classes": ["ant", "bee", "cat"], "quiet": True}


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """The files of `memory://`, which the process has once."""
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


def record_at(url: str, **arguments: object) -> object:
    recorder = activis_tb.preprocess(url, step=4, **ARGUMENTS, **arguments)
    recorder.process(**BATCH)
    return recorder.postprocess()


def test_a_url_gets_the_same_event_as_a_directory(tmp_path: Path, memory: MemoryFileSystem) -> None:
    url = record_at("memory://runs/cnn")
    assert url.startswith("memory://runs/cnn/activis/events.out.tfevents.")
    memory.get("/runs/cnn/activis", str(tmp_path / "copy"), recursive=True)
    (copied,), expected = read_snapshots(tmp_path / "copy"), record(tmp_path, [BATCH], step=4)
    assert (copied.manifest.step, copied.manifest.instances) == (4, 3)
    assert_array_equal(copied.statistics("hidden").mean, expected.statistics("hidden").mean)
    assert_array_equal(copied.activations("hidden"), expected.activations("hidden"))


def test_the_graph_is_written_once_to_a_url(memory: MemoryFileSystem) -> None:
    for _ in range(2):
        record_at("memory://runs", graph=ForwardGraph(b"", {}))
    labels = sorted(path.partition("activis.")[2] for path in memory.find("/runs"))
    assert labels == ["", "", f"graph-{ForwardGraph(b'', {}).digest}"]


def test_a_file_url_is_a_directory_of_this_machine(tmp_path: Path) -> None:
    path = record_at(f"{tmp_path.as_uri()}/with%20space", keep="all")
    assert path.parent == tmp_path / "with space" / "activis"
    assert read_snapshots(path.parent)[0].manifest.stored == 3


def test_everything_is_kept_in_directories_alone() -> None:
    message = r'keep: got "all" with the log directory \'memory://runs\'; expected keep="sample" with a URL.*copy it'
    with pytest.raises(ArgumentError, match=message):
        activis_tb.preprocess("memory://runs", step=0, keep="all", **ARGUMENTS)


class FullFileSystem(MemoryFileSystem):
    """Has room for the beginning of a file."""

    protocol = "full"

    def pipe_file(self, path: str, value: bytes, **options: object) -> None:
        super().pipe_file(path, value[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_store_is_said_and_nothing_is_left(memory: MemoryFileSystem) -> None:
    fsspec.register_implementation("full", FullFileSystem, clobber=True)
    message = r"Cannot write to full://runs/activis: No space left on device. Nothing .* choose another log directory"
    with pytest.raises(OSError, match=message) as caught:
        record_at("full://runs")
    assert caught.value.errno == errno.ENOSPC
    assert memory.find("/") == []


def test_a_url_that_nothing_here_reaches_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArgumentError, match=r"logdir: got 'nosuch://runs'; expected .* that fsspec can reach.*nosuch"):
        record_at("nosuch://runs")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(ArgumentError, match=r'fsspec is not installed.*"activis-tb\[remote\]"'):
        record_at("memory://runs")
