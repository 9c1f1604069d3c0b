"""Records small batches and reads them back as TensorBoard would: by its own event file loader."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto import event_pb2

import activis_tb
from activis_tb.model import CodedActivations
from activis_tb.recording.blocks import Block
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.metadata import parse_tag

CLASSES = ("ant", "bee", "cat")


def probabilities(predicted: Iterable[int], classes: int = 3, score: float = 0.8) -> NDArray[np.float64]:
    """Scores (instances, classes) whose largest, `score`, is at the predicted class."""
    positions = np.asarray(list(predicted), np.intp)
    scores = np.full((len(positions), classes), (1 - score) / (classes - 1))
    scores[np.arange(len(positions)), positions] = score
    return scores


def record(
    logdir: Path, batches: Sequence[Mapping[str, Any]], layers: Sequence[Any] = ("hidden",), **arguments: Any
) -> SnapshotReader:
    """Records `batches` with the three calls and returns what is in the event file."""
    arguments = {"step": 0, "classes": CLASSES, "quiet": True, **arguments}
    with activis_tb.preprocess(logdir, layers=layers, **arguments) as recorder:
        for batch in batches:
            recorder.process(**batch)
    return read_snapshots(logdir / "activis")[-1]


def batch(labels: Sequence[int], activations: Any = None, **others: Any) -> dict[str, Any]:
    """A batch that is predicted right, of one layer; by default its one neuron is always 1."""
    values = np.ones((len(labels), 1)) if activations is None else activations
    return {"labels": labels, "scores": probabilities(labels), "activations": {"hidden": values}, **others}


def split(batch: Mapping[str, Any], sizes: Iterable[int]) -> list[dict[str, Any]]:
    """The same instances in batches of `sizes`, then the rest."""
    ends = np.cumsum(list(sizes))
    starts = [0, *ends]
    return [_rows(batch, slice(start, end)) for start, end in zip(starts, [*ends, None], strict=True)]


def _rows(value: Any, rows: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rows(part, rows) for name, part in value.items()}
    return value[rows]


def permute(batch: Mapping[str, Any], order: NDArray[np.intp]) -> dict[str, Any]:
    """The same instances in another order."""
    return _rows(batch, order)


def read_events(directory: Path, pattern: str = "*tfevents*") -> list[event_pb2.Event]:
    """The events that TensorBoard finds in `directory`, files in order of their names."""
    paths = sorted(path for path in directory.glob(pattern))
    events = [event for path in paths for event in EventFileLoader(str(path)).Load()]
    return [event for event in events if event.WhichOneof("what") != "file_version"]


def read_snapshots(directory: Path, pattern: str = "*tfevents*") -> list[SnapshotReader]:
    """The snapshots among them."""
    return [reader(event) for event in read_events(directory, pattern) if event.summary.value and is_snapshot(event)]


def is_snapshot(event: event_pb2.Event) -> bool:
    return parse_tag(event.summary.value[0].tag) is not None


def reader(event: event_pb2.Event) -> SnapshotReader:
    blobs = list(event.summary.value[0].tensor.string_val)
    return SnapshotReader(blobs[0], blobs.__getitem__)


def block(instances: Mapping[str, Any], membership: NDArray[np.bool_]) -> Block:
    """The checked form of a batch with ids."""
    rows = len(instances["labels"])
    return Block(
        ids=np.array([str(number) for number in instances["ids"]], object),
        index=np.arange(rows),
        label=instances["labels"].astype(np.int32),
        predicted=instances["scores"].argmax(1).astype(np.int32),
        score=np.ones(rows, np.float32),
        scores=instances["scores"].astype(np.float32),
        always=np.zeros(rows, np.bool_),
        membership=membership,
        attributes={},
        activations=instances["activations"],
    )


def codes_of(part: CodedActivations) -> NDArray[np.uint8]:
    """All codes of a stored part, uint8 (instances, neurons)."""
    assert not isinstance(part.codes, np.ndarray)
    codes = part.codes.in_memory(load=True)
    assert codes is not None
    return codes
