"""Kills recordings at random moments, and reads everything back after every kill.

A program of its own: every recording is a fork of a process that has loaded what it needs, so one costs milliseconds.

    python -m tests.plugin.killing LOGDIR KEEP COUNT

prints the steps of the snapshots that are there in the end, and how many recordings were killed, as JSON.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.testing import assert_array_equal
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

import activis_tb
from activis_tb.recording import blocks, dataset
from activis_tb.storage.side_files import DatasetReader
from tests.unit.recording.helpers import codes_of, probabilities, read_snapshots

BATCHES, ROWS = 4, 20
LABELS = np.arange(ROWS) % 3


def values(step: int) -> np.ndarray:
    """The activations of one snapshot, (instances, neurons); no two snapshots have the same."""
    return 1000.0 * step + np.arange(3.0 * BATCHES * ROWS).reshape(-1, 3)


def record(logdir: Path, step: int, keep: str, began_to_write: int) -> None:
    everything = np.split(values(step), BATCHES)
    recorder = activis_tb.preprocess(
        logdir, step=step, layers=["hidden"], classes=["ant", "bee", "cat"], keep=keep, quiet=True
    )
    for number, activations in enumerate(everything):
        texts = [f"instance {number * ROWS + row}" for row in range(ROWS)]
        recorder.process(
            labels=LABELS,
            scores=probabilities(LABELS),
            activations={"hidden": activations},
            attributes={"text": texts},
        )
    os.write(began_to_write, b"!")
    recorder.postprocess()


class Killer:
    """Forks recordings into `logdir` and kills them: every other one while it writes the event, the rest anywhere."""

    def __init__(self, logdir: Path, keep: str) -> None:
        self._logdir = logdir
        self._keep = keep
        self._random = random.Random(f"{keep} 2017")
        self._whole, self._writing = np.median([self.time_one(step) for step in range(5)], axis=0)

    def time_one(self, step: int) -> tuple[float, float]:
        """Seconds of a whole recording, and of writing the event."""
        began = time.monotonic()
        pid, pipe = self._fork(step)
        os.read(pipe, 1)
        writing = time.monotonic()
        assert os.waitpid(pid, 0)[1] == 0
        os.close(pipe)
        return time.monotonic() - began, time.monotonic() - writing

    def kill_one(self, step: int) -> bool:
        """Returns whether the recording was killed; else it was faster."""
        pid, pipe = self._fork(step)
        if step % 2:
            os.read(pipe, 1)
            time.sleep(self._random.uniform(0, self._writing))
        else:
            time.sleep(self._random.uniform(0, self._whole))
        os.kill(pid, signal.SIGKILL)
        os.close(pipe)
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

    def _fork(self, step: int) -> tuple[int, int]:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            record(self._logdir, step, self._keep, writing)
            os._exit(0)
        os.close(writing)
        return pid, reading


class Checker:
    """Reads new event files and their side files, and sees to it that the earlier ones stay as they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self.steps: list[int] = []

    def check(self) -> None:
        files = {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in self._folder.glob("*tfevents*")}
        assert {path: files.get(path) for path in self._seen} == self._seen
        new = sorted(set(files) - set(self._seen))
        self._seen = files
        for path in new:
            self.read(path.name)

    def read(self, name: str) -> None:
        """Reads the one event in a file, which must be a whole snapshot."""
        (snapshot,) = read_snapshots(self._folder, name)
        manifest = snapshot.manifest
        expected = values(manifest.step)
        for label in range(3):
            mean = expected[np.tile(LABELS, BATCHES) == label].mean(axis=0)
            assert_array_equal(snapshot.statistics("hidden").mean[label], mean.astype(np.float32))
        assert_array_equal(snapshot.activations("hidden"), expected[snapshot.sample().index])
        if manifest.stored:
            reader = DatasetReader(self._folder, manifest)
            assert reader.columns("index")["index"].tolist() == list(range(len(expected)))
            assert sum(len(codes_of(part)) for part in reader.layer("hidden")) == len(expected)
        self.steps.append(manifest.step)


def main(logdir: Path, keep: str, count: int) -> None:
    # TensorBoard's own way to do without TensorFlow, which would make every fork expensive.
    sys.modules["tensorboard.compat.notf"] = ModuleType("notf")
    blocks.MOST_ROWS, dataset.PART_ROWS = 24, 32
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), 0, keep, os.open(os.devnull, os.O_WRONLY))  # loads what every fork needs
    logdir.mkdir(parents=True)
    with (logdir / "events.out.tfevents.1.user").open("wb") as file:
        scalars = RecordWriter(file)
        scalars.write(Event(wall_time=1, file_version="brain.Event:2").SerializeToString())
        killer, checker = Killer(logdir, keep), Checker(logdir / "activis")
        killed, step = 0, 4
        while killed < count:
            step += 1
            loss = Summary(value=[Summary.Value(tag="loss", simple_value=step)])
            scalars.write(Event(wall_time=step, step=step, summary=loss).SerializeToString())
            scalars.flush()
            killed += killer.kill_one(step)
            checker.check()
        scalars.close()
    json.dump({"steps": checker.steps, "killed": killed}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
