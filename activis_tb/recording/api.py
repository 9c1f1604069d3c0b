"""Public calls of a recording, as in the paper: preprocess, process, postprocess; one recording writes one snapshot."""

import os
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote, unquote, urlsplit

from activis_tb.errors import ArgumentError, RecordingClosedError
from activis_tb.model import AttributeType, ForwardGraph, LayerSpec, Manifest, Snapshot
from activis_tb.recording.arguments import (
    ClassArgument,
    SelectionArgument,
    Settings,
    SubsetArgument,
    read_settings,
    whole_number,
)
from activis_tb.recording.dataset import DatasetRecorder
from activis_tb.recording.heads import HeadArgument
from activis_tb.recording.progress import ProgressFunction, ProgressReporter
from activis_tb.recording.recorder import Recorder, new_session
from activis_tb.storage.encoding import LARGE, encode_snapshot
from activis_tb.storage.events import graph_event, is_labelled, snapshot_event, write_event_file
from activis_tb.storage.folders import Location, child, open_folder, read_location
from activis_tb.storage.metadata import SUBRUN, UNSERVED_CHARACTERS, SnapshotTag, is_served
from activis_tb.storage.parquet import check_duckdb
from activis_tb.storage.side_files import DatasetWriter, event_label, remove_abandoned

_announced: set[Location] = set()
_LINKED_FOLDERS = 2
"""Of the log directory, as many as a run's name in a link has: TensorBoard may serve any of the folders around it."""


def warn_of_unserved(logdir: Location) -> None:
    """Warns where TensorBoard's default loader cannot serve the run from a folder around its own."""
    folders = _folders(logdir)
    if not all(map(is_served, folders)):
        message = (
            f"logdir: got {str(logdir)!r}; TensorBoard's data server gives no data of runs whose folders' names have "
            f"{UNSERVED_CHARACTERS}. Choose other names, start TensorBoard on this very folder, or with "
            "--load_fast=false."
        )
        warnings.warn(message, stacklevel=4)


def encode(snapshot: Snapshot) -> list[bytes]:
    """Returns the blobs of `snapshot`, with a warning where they are large; see `storage.encoding.encode_snapshot`."""
    blobs = encode_snapshot(snapshot)
    size = sum(map(len, blobs))
    if size > LARGE:
        manifest = snapshot.manifest
        message = (
            f"ActiVis: the snapshot {manifest.name}, step {manifest.step}, has {size / 2**20:,.0f} MB, and TensorBoard "
            f"keeps every snapshot in memory. Lower sample= (now {manifest.rows:,} instances), record fewer layers, or "
            "smaller pictures."
        )
        warnings.warn(message, stacklevel=4)
    return blobs


def write_graph(directory: Location, graph: ForwardGraph) -> None:
    """Writes `graph` to `directory` unless it is there already."""
    label = f"graph-{graph.digest}"
    if not is_labelled(directory, label):
        write_event_file(directory, graph_event(graph.graph_def, time.time()), label)


def check_writable(logdir: str | os.PathLike[str]) -> None:
    """Raises ArgumentError where nothing can be written to a run's directory; leaves nothing there."""
    location = child(read_location(os.fspath(logdir)), SUBRUN)
    try:
        open_folder(location).try_writing()
    except OSError as error:
        got = f"{os.fspath(logdir)!r}, to which nothing can be written ({error.strerror or error})"
        raise ArgumentError("logdir", got, "a directory that can be written", "Mind its permissions.") from error


def announce(logdir: Location, manifest: Manifest) -> None:
    """Prints a link to a snapshot, once per process and directory, not at every epoch."""
    directory = logdir.resolve() if isinstance(logdir, Path) else logdir
    if directory in _announced:
        return
    _announced.add(directory)
    layers = f"{len(manifest.layers)} layer" + ("s" if len(manifest.layers) > 1 else "")
    what = f"{manifest.name} at step {manifest.step} ({manifest.instances:,} instances, {layers})"
    run = quote("/".join([*_folders(directory)[-_LINKED_FOLDERS:], SUBRUN]), errors="surrogateescape")
    text = (
        f"ActiVis: recorded {what}. See it:\n"
        f"  tensorboard --logdir {_shell_quoted(str(logdir))}\n"
        f"  http://localhost:6006/#activis&p.activis.run={run}"
    )
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    printable = text.encode(encoding, "backslashreplace").decode(encoding)
    print(printable, flush=True)  # noqa: T201 (the user's terminal is where the link belongs)


def _folders(location: Location) -> list[str]:
    """The names of the folders on the path to a run."""
    if isinstance(location, Path):
        return [part for part in location.parts if part != location.anchor]
    return [part for part in unquote(urlsplit(location).path).split("/") if part]


def _shell_quoted(text: str) -> str:
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)


def preprocess(
    logdir: str | os.PathLike[str],
    *,
    name: str = "validation",
    step: int,
    layers: Sequence[str | LayerSpec],
    classes: ClassArgument,
    subsets: SubsetArgument | None = None,
    sample: int = 1000,
    always: SelectionArgument = (),
    keep: Literal["sample", "all"] = "sample",
    attribute_types: Mapping[str, AttributeType] | None = None,
    graph: ForwardGraph | None = None,
    heads: HeadArgument | None = None,
    total: int | None = None,
    progress: ProgressFunction | None = None,
    quiet: bool = False,
) -> "SnapshotRecorder":
    """Begins to record one snapshot; `process` every batch, then `postprocess`, or use it as a context manager.

    Time grows with the number of instances; memory only by 8 bytes each, to notice ids that come twice. Nothing is
    written before `postprocess`, except the side files of `keep="all"`, which are removed again unless the snapshot is
    completed.

    Args:
        logdir: The run's directory, as TensorBoard knows it, or its URL (`gs://bucket/run`), which fsspec writes to;
            the snapshot goes to a folder of its own below it.
        name: Of what is recorded, e.g. `validation`; snapshots of one name are steps of one series.
        step: The training step or epoch, from 0 on; the same numbers as for scalars, so that they line up.
        layers: Names of the layers, the keys of `activations` in `process`; a `LayerSpec` says how to pool one.
        classes: Names of the classes, by position, at least two; integers stand for themselves, as labels too. Or names
            by position, as a model's `id2label` has them.
        subsets: Sets of instances to summarise besides the classes, by name: a condition over the attributes and the
            outcomes, such as `text ILIKE 'what is%' AND label <> predicted`; a function of the batch; or ids. A
            function gets a read-only mapping of NumPy arrays, one value per instance (every attribute, and `id`,
            `index`, `label`, `predicted`, `score`, `correct`, `scores`; labels are class names) and returns one boolean
            per instance.
        sample: How many instances to keep individually: all where there are no more, else about as many, at least
            one of every class. Every class has the same share, and what small ones leave of theirs goes to the
            others. A hash of the id chooses them, so they are the same ones in every step and run.
        always: Instances that are always kept, besides the sample: a condition, a function or ids, as in `subsets`.
        keep: What to keep individually. `"all"` writes every instance besides the sample: its outcomes and attributes
            (except pictures and sounds), and its activations in one byte each, so that subsets that are defined later
            have exact counts, and averages within a stated bound. In a directory only, not at a URL.
        attribute_types: The type of some attributes, where the values do not show it.
        graph: The model's forward graph; written once per run.
        heads: Weights of the linear layer between a recorded layer and the scores, for the card of a neuron: by layer
            name, a pair of `weights` (neurons, classes) and `bias` (classes,) or None, with one column for a sigmoid of
            two classes; or a list of such pairs, of which those are taken that fit a layer. They are checked against
            the scores of the first batch.
        total: How many instances there will be, where that is known, for the time left.
        progress: Called with a `Progress` every few seconds, and when the snapshot is written. Without it, a recording
            that takes longer prints lines on stderr.
        quiet: Print neither these lines nor a link to the snapshot.

    Raises:
        ArgumentError: An argument cannot be used; the message says what can.
    """
    if keep not in {"sample", "all"}:
        raise ArgumentError("keep", repr(keep), '"sample" or "all"', "Raise sample= to keep a larger sample.")
    if keep == "all":
        check_duckdb("keep", '"all"')
    settings = read_settings(
        name=name,
        layers=layers,
        classes=classes,
        subsets=subsets,
        sample=sample,
        always=always,
        attribute_types=attribute_types,
        graph=graph,
        heads=heads,
    )
    step = whole_number(step, "step")
    reporter = _reporter(settings.name, step, total, progress, quiet=quiet)
    return SnapshotRecorder(_location(logdir), step, settings, reporter, keep_all=keep == "all", quiet=quiet)


class SnapshotRecorder:
    """Recording that `preprocess` began."""

    def __init__(
        self,
        logdir: Location,
        step: int,
        settings: Settings,
        reporter: ProgressReporter | None = None,
        *,
        keep_all: bool = False,
        quiet: bool,
    ) -> None:
        self._logdir = logdir
        self._tag = SnapshotTag(settings.name, step, new_session())
        self._graph = settings.graph
        self._reporter = reporter
        self._quiet = quiet
        self._writer = _dataset_writer(logdir, self._tag) if keep_all else None
        self._dataset = DatasetRecorder(self._writer) if self._writer else None
        self._recorder: Recorder | None = Recorder(settings, self._dataset.add if self._dataset else None)

    def process(
        self,
        *,
        labels: Any,
        scores: Any,
        activations: Mapping[str, Any],
        ids: Any = None,
        attributes: Mapping[str, Any] | None = None,
        from_logits: bool = False,
        mask: Any = None,
        tokens: Any = None,
    ) -> None:
        """Adds one batch, of any size; what is refused changes nothing.

        Everything may be a list, a NumPy array, or a tensor that NumPy can read.

        Args:
            labels: True classes (instances,): integers are positions in `classes`, or classes where these are integers;
                text is a name. None for data without labels, in every batch: all instances are one row then, and
                nothing is right or wrong.
            scores: Probabilities (instances, classes), the predicted class is the largest; or, with two classes,
                (instances,), the probability of the second, which is predicted from 0.5 upwards.
            activations: By layer name: (instances, neurons), or of rank > 2, pooled over all axes but the instances and
                the channels; other axes may differ from batch to batch. Non-finite values are counted and left out.
            ids: Text or integers (instances,), each one once. Without them an instance is known by its attributes and
                label, or by its position where there are no attributes.
            attributes: By name, (instances,): numbers, booleans, text (str or UTF-8 bytes), pictures (encoded, or
                arrays (instances, height, width[, channels])), or sounds (encoded, or `activis_tb.Audio`). None, NaN
                and what is masked are missing.
            from_logits: `scores` are logits: softmax makes them probabilities, or sigmoid where there is one column.
            mask: Which steps of activations of rank > 2 are no padding, which pooling leaves out: booleans or 1 and 0
                (instances, steps) for all of these layers, or such masks by layer name. The steps are the first axis
                that is pooled away.
            tokens: The texts of the positions of layers of rank 3, words for example: a list of texts per instance, or
                a pair of offsets (instances + 1,) and a flat list of texts; for all of these layers, or by layer name.
                There are as many as positions, with None where one is padding; or, beside a mask, as many as it keeps.
                `LayerSpec` says how they stand to the positions of a layer that has fewer. In every batch or in none.

        Raises:
            ArgumentError: Something cannot be used; the message says what can.
            RecordingClosedError: The recording was written or abandoned.
            OSError: The log directory cannot be written (`keep="all"` only); the recording is abandoned then.
        """
        recorder = self._open()
        recorder.process(
            labels=labels,
            scores=scores,
            activations=activations,
            ids=ids,
            attributes=attributes,
            from_logits=from_logits,
            mask=mask,
            tokens=tokens,
        )
        if self._reporter:
            self._reporter.update(recorder.instances)

    def examples(
        self,
        *,
        labels: Any,
        scores: Any,
        activations: Mapping[str, Any],
        ids: Any = None,
        attributes: Mapping[str, Any] | None = None,
        from_logits: bool = False,
        mask: Any = None,
        tokens: Any = None,
    ) -> None:
        """Adds test cases of your own: labelled instances that are always shown, and right or wrong.

        They are in no statistic, subset, count or estimate. They are called `test case 1` and so on, or by their `ids`.

        Args:
            labels: What the model is expected to say, as in `process`.
            scores: What it says, as in `process`.
            activations: By layer name, as in `process`.
            ids: Text or integers (instances,), each one once; they may be those of the stream.
            attributes: By name, as in `process`; one that is left out is missing.
            from_logits: As in `process`.
            mask: As in `process`.
            tokens: As in `process`, or None; then the positions of test cases have no texts.

        Raises:
            ArgumentError: Something cannot be used, or there are more than 1,000 of them. Attributes and layers that
                do not fit those of the stream are refused by `process` or `postprocess`.
            RecordingClosedError: The recording was written or abandoned.
        """
        self._open().examples(
            labels=labels,
            scores=scores,
            activations=activations,
            ids=ids,
            attributes=attributes,
            from_logits=from_logits,
            mask=mask,
            tokens=tokens,
        )

    def extract(self) -> bytes:
        """Ends this worker's part of a recording and returns it, for `merge` on the worker that writes.

        Every worker calls `preprocess` with the same arguments and processes its own instances, with ids. One of them
        merges the parts of the others, in any order, and writes: the snapshot is the one that a single process would
        have written. Test cases (`examples`) are those of the worker that writes. How the bytes travel is up to you:
        files, `torch.distributed.gather_object`, what Spark or Ray return.

        Raises:
            ArgumentError: There are no ids, or `keep="all"`, which one process has to write.
            RecordingClosedError: The recording was written or abandoned.
        """
        part = self._open_to_workers().extract()
        self._close()
        return part

    def merge(self, part: bytes) -> None:
        """Adds the part of another worker, see `extract`; what is refused changes nothing.

        Args:
            part: What `extract` returned there.

        Raises:
            ArgumentError: It is no part of this recording, or has instances that are here already.
            RecordingClosedError: The recording was written or abandoned.
        """
        recorder = self._open_to_workers()
        recorder.merge(part)
        if self._reporter:
            self._reporter.update(recorder.instances)

    def postprocess(self) -> Location:
        """Writes the snapshot and returns its event file, or its URL where the log directory is one.

        Raises:
            ArgumentError: No instance was processed.
            SnapshotTooLargeError: It would not fit into an event that TensorBoard can load.
            RecordingClosedError: The recording was written or abandoned.
            OSError: The log directory cannot be written; `postprocess` may be called again, unless it was the
                instances of `keep="all"` that could not be written.
        """
        return self._write()

    def _write(self) -> Location:
        snapshot = self._open().finish(self._tag.step, self._tag.session)
        if self._dataset:
            snapshot = self._dataset.finish(snapshot)
        blobs = encode(snapshot)
        directory = child(self._logdir, SUBRUN)
        if isinstance(directory, Path):
            remove_abandoned(directory)
        label = event_label(self._tag.session) if self._writer else ""
        path = write_event_file(directory, snapshot_event(self._tag, blobs, time.time()), label)
        if self._writer:
            self._writer.commit()
        self._close()
        if self._graph:
            write_graph(directory, self._graph)
        if self._reporter:
            self._reporter.finish(snapshot.manifest.instances)
        if not self._quiet:
            announce(self._logdir, snapshot.manifest)
        return path

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error_type is None and self._recorder is not None:
                self._write()
        finally:
            self._close()
            if self._writer:
                self._writer.abandon()

    def _close(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
        self._recorder = None

    def _open_to_workers(self) -> Recorder:
        recorder = self._open()
        if self._writer:
            way_out = "Record with keep='sample', or send the batches to one process."
            raise ArgumentError("keep", "'all'", "'sample', as several workers record", way_out)
        return recorder

    def _open(self) -> Recorder:
        if self._recorder is None or (self._writer and self._writer.closed):
            message = f"The recording {self._tag} was written or abandoned; begin another one by activis_tb.preprocess."
            raise RecordingClosedError(message)
        return self._recorder


def _reporter(
    name: str, step: int, total: int | None, progress: ProgressFunction | None, *, quiet: bool
) -> ProgressReporter | None:
    if progress is not None and not callable(progress):
        raise ArgumentError("progress", repr(progress), "a function that takes a Progress, or None")
    expected = None if total is None else whole_number(total, "total")
    return None if quiet and progress is None else ProgressReporter(name, step, expected, progress)


def _location(logdir: str | os.PathLike[str]) -> Location:
    path = os.fspath(logdir) if isinstance(logdir, str | os.PathLike) else None
    if not path or not isinstance(path, str):
        raise ArgumentError("logdir", repr(logdir), "the path or the URL of a directory")
    location = read_location(path)
    warn_of_unserved(location)
    if not isinstance(location, Path):
        open_folder(location)
    elif location.exists() and not location.is_dir():
        raise ArgumentError("logdir", f"{path!r}, which is a file", "a directory")
    return location


def _dataset_writer(logdir: Location, tag: SnapshotTag) -> DatasetWriter:
    if not isinstance(logdir, Path):
        way_out = "Every instance is written to local files: record to a directory of this machine and copy it."
        raise ArgumentError("keep", f'"all" with the log directory {logdir!r}', 'keep="sample" with a URL', way_out)
    return DatasetWriter(logdir / SUBRUN, tag)
