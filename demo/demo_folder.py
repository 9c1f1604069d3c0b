"""The folder that a demo trains into: made once, left alone when it is complete, never piled up."""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MARK = "demo.json"


class ForeignFolderError(Exception):
    """The folder holds something that no demo made."""


class DemoFolder:
    """`<logdir>/<demo>` with the demo's runs, and a mark that says with which settings they were made.

    Args:
        logdir: The log directory that TensorBoard will be pointed at.
        demo: Name of the demo, the first part of its runs' names.
        runs: Folders that a complete demo has.
    """

    def __init__(self, logdir: Path, demo: str, runs: tuple[str, ...]) -> None:
        self.path = logdir.expanduser() / demo
        self.runs = runs
        self._mark = self.path / MARK

    def is_complete(self, **settings: Any) -> bool:
        """Whether an earlier call trained all runs to the end, with these settings."""
        mark = self._read_mark()
        complete = mark.get("complete") is True and all((self.path / run).is_dir() for run in self.runs)
        return complete and all(mark.get(key) == value for key, value in settings.items())

    def start(self) -> None:
        """Empties the folder of what an earlier call of the demo left, and marks it as the demo's.

        Raises:
            ForeignFolderError: It holds something else.
        """
        if self.path.exists() and any(self.path.iterdir()) and not self._mark.is_file():
            message = f"{self.path} holds something that this demo did not make; choose another --logdir or remove it."
            raise ForeignFolderError(message)
        for run in self.runs:
            shutil.rmtree(self.path / run, ignore_errors=True)
        self.path.mkdir(parents=True, exist_ok=True)
        self._write_mark(complete=False)

    def finish(self, **settings: Any) -> None:
        """Marks the runs as complete."""
        self._write_mark(complete=True, **settings)

    def _read_mark(self) -> dict[str, Any]:
        try:
            mark = json.loads(self._mark.read_text())
        except (OSError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def _write_mark(self, **content: Any) -> None:
        self._mark.write_text(json.dumps(content) + "\n")


def argument_parser(description: str, epochs: int) -> argparse.ArgumentParser:
    """Returns a parser with the options that every demo has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--logdir", type=Path, required=True, help="log directory for TensorBoard")
    parser.add_argument("--epochs", type=positive, default=epochs, help=f"epochs to train ({epochs})")
    parser.add_argument("--force", action="store_true", help="train again even if the runs are there")
    return parser


def positive(text: str) -> int:
    """Returns `text` as a whole number of at least 1, for argparse."""
    number = int(text)
    if number < 1:
        message = f"got {number}; expected at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


@contextmanager
def quiet_start() -> Iterator[None]:
    """Keeps TensorFlow's start-up notes off the screen while it is imported; they are shown if the import fails.

    TensorFlow writes them to the standard error of the process before it reads any of its settings.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryFile() as notes, os.fdopen(os.dup(2), "wb") as screen:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            screen.write(notes.read())
            raise
        finally:
            os.dup2(screen.fileno(), 2)
