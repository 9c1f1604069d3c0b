"""The TREC questions of Li and Roth (2002), "Learning Question Classifiers": read, or fetched from their public home.

A file has one question a line, `COARSE:fine text`, in Latin-1. The demo learns the six coarse classes.
"""

import hashlib
import queue
import threading
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
HOME = "https://cogcomp.seas.upenn.edu/Data/QA/QC/"
TRAINING_FILE = "train_5500.label"
TEST_FILE = "TREC_10.label"
DIGESTS = {
    TRAINING_FILE: "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3",
    TEST_FILE: "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e",
}


class Question(NamedTuple):
    label: str
    text: str


class Questions(NamedTuple):
    """Questions to learn from and questions to be tested on, and a word for where they come from."""

    training: list[Question]
    test: list[Question]
    source: str


class UnreachableError(Exception):
    """The public home of the files did not answer."""


class ChecksumError(Exception):
    """A file was fetched, but it is not the one that was published."""


def parse(content: bytes, file_name: str) -> list[Question]:
    """Returns the questions of one file.

    Raises:
        ValueError: A line is not `COARSE:fine text` with one of the six classes.
    """
    questions = []
    for number, line in enumerate(content.decode("latin-1").splitlines(), start=1):
        kind, _, text = line.strip().partition(" ")
        label, colon, _ = kind.partition(":")
        if label not in CLASSES or not colon or not text:
            message = f"{file_name}, line {number}: got {line[:60]!r}; expected CLASS:fine text, with CLASS one of "
            raise ValueError(message + ", ".join(CLASSES))
        questions.append(Question(label, text))
    return questions


def read(directory: Path) -> Questions:
    """Returns the questions of the two files in `directory`.

    Raises:
        FileNotFoundError: One of them is not there.
        ValueError: One of them is something else.
    """
    missing = [name for name in DIGESTS if not (directory / name).is_file()]
    if missing:
        message = f"{directory} has no {' and no '.join(missing)}; expected the folder with both, or no --data at all."
        raise FileNotFoundError(message)
    training, test = (parse((directory / name).read_bytes(), name) for name in (TRAINING_FILE, TEST_FILE))
    return Questions(training, test, "TREC")


def download(home: str = HOME, patience: float = 5.0) -> Questions:
    """Returns the questions fetched from their public home; nothing is kept on disk.

    Args:
        home: Address of the folder that holds both files, ending in a slash.
        patience: Seconds until a home that does not answer counts as unreachable.

    Raises:
        UnreachableError: There is no network, or no such home.
        ChecksumError: What came is not what was published.
    """
    training, test = (parse(_fetch(home, name, patience), name) for name in (TRAINING_FILE, TEST_FILE))
    return Questions(training, test, "TREC")


def _fetch(home: str, name: str, patience: float) -> bytes:
    content = _within(patience, home + name)
    digest = hashlib.sha256(content).hexdigest()
    if digest != DIGESTS[name]:
        message = f"{home}{name}: got SHA-256 {digest[:16]}…; expected {DIGESTS[name][:16]}…. "
        message += "Fetch both files yourself and name their folder by --data."
        raise ChecksumError(message)
    return content


def _within(patience: float, address: str) -> bytes:
    """Fetches in a thread of its own: looking up a name without a network may block longer than any socket timeout."""
    answers: queue.Queue[bytes | Exception] = queue.Queue()

    def fetch() -> None:
        try:
            with urlopen(address, timeout=patience) as response:
                answers.put(b"")
                answers.put(response.read())
        except (OSError, HTTPException) as error:
            answers.put(error)

    threading.Thread(target=fetch, daemon=True).start()
    try:
        answer = answers.get(timeout=patience)
    except queue.Empty:
        message = f"{address} did not answer within {patience:g} s"
        raise UnreachableError(message) from None
    if answer == b"":
        answer = answers.get()
    if isinstance(answer, Exception):
        message = f"{address} cannot be reached ({getattr(answer, 'reason', answer)})"
        raise UnreachableError(message) from answer
    return answer
