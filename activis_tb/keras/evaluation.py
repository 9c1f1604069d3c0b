"""Evaluation pass of the callback and of `record`: instances and test cases through a model to a recorder."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

import activis_tb
from activis_tb.errors import ArgumentError, check_choice
from activis_tb.keras.batches import Batch, Batches, Columns, as_numpy, check_rows, class_labels
from activis_tb.keras.forward import ForwardPass, explained, is_built
from activis_tb.keras.graph import forward_graph
from activis_tb.keras.layers import find_layers, linear_layers
from activis_tb.keras.order import (
    ContentIds,
    ReorderedError,
    Walk,
    content_hashes,
    is_permuted,
    is_shuffled_once,
    keeps_order,
    what_reorders,
)
from activis_tb.keras.outputs import DecidingOutput
from activis_tb.keras.randomness import unchanged_randomness
from activis_tb.keras.tokens import read_token_function
from activis_tb.model import POOLINGS, ForwardGraph, LayerSpec, Pooling
from activis_tb.recording.api import check_writable, encode
from activis_tb.recording.arguments import ClassArgument, read_settings
from activis_tb.recording.arrays import check_from_logits
from activis_tb.recording.recorder import Recorder

if TYPE_CHECKING:
    from activis_tb.recording.api import SnapshotRecorder


ExampleData = (
    tuple[Any, Any] | tuple[Any, Any, Mapping[str, Any]] | tuple[Any, Any, Mapping[str, Any], Sequence[str | int]]
)
"""Inputs and expected labels as for the data, and perhaps attributes by name, and ids."""


class TestCases:
    """Test cases beside the data, which may be iterated over several times.

    Args:
        data: `(x, y)`, `(x, y, attributes)` or `(x, y, attributes, ids)`; None for no test cases.
        batch_size: Instances per forward pass.
        classes: As of `activis_tb.preprocess`.

    Raises:
        ArgumentError: It is something else, or its parts differ in length.
    """

    def __init__(self, data: ExampleData | None, batch_size: int, classes: ClassArgument) -> None:
        self._batches: Batches | None = None
        self._columns = Columns(None, None)
        if data is None:
            return
        if not isinstance(data, tuple) or not 2 <= len(data) <= 4 or data[1] is None:
            expected = "a tuple (x, y), (x, y, attributes) or (x, y, attributes, ids)"
            raise ArgumentError("examples", type(data).__name__, expected)
        self._batches = Batches(data[0], data[1], batch_size, classes)
        if self._batches.labels is None or self._batches.instances is None:
            raise ArgumentError("examples", "labels of several outputs", "those of the one that decides")
        attributes, ids = [*data[2:], None, None][:2]
        self._columns = Columns(attributes, ids, argument="{} of examples", per="test case")
        self._columns.check_length(self._batches.instances)

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yields the inputs, and `labels`, `attributes` and `ids`, in order."""
        start = 0
        for batch in self._batches or ():
            rows = slice(start, start + len(batch.labels))
            yield batch.inputs, {"labels": batch.labels, **self._columns.rows(rows)}
            start = rows.stop


BatchFunction = Callable[[Mapping[str, NDArray[Any]]], Any]
Selection = str | BatchFunction | Iterable[Any]
_SETTINGS = ("name", "classes", "subsets", "sample", "always", "attribute_types")


class Evaluation:
    """Evaluation of one model on the same instances, which records snapshots.

    Args:
        logdir: The run's directory.
        x: See `Batches`, as for `y`.
        y: Labels.
        labels: `data`, or None where there are none.
        layers: By name, or as `LayerSpec`.
        classes: Names, by position.
        attributes: By name, (instances,), beside the data.
        ids: (instances,), beside the data, or None.
        tokens: See `activis_tb.keras.tokens.read_token_function`; texts are (instances,), beside the data.
        pooling: For layers of rank > 2 that are given by name.
        output: Of several outputs, the one that decides, see `DecidingOutput`.
        batch_size: Instances per forward pass where `x` is arrays.
        examples: Test cases, see `TestCases`, or None.
        from_logits: Whether the model returns logits; None where its loss or its last activation tells.
        options: For `activis_tb.preprocess`.

    Raises:
        ArgumentError: An argument cannot be used.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        x: Any,
        y: Any,
        *,
        layers: Sequence[str | LayerSpec],
        classes: ClassArgument,
        attributes: Any,
        ids: Any,
        tokens: Any,
        pooling: Pooling,
        output: Any,
        batch_size: int,
        examples: ExampleData | None,
        from_logits: bool | None,
        labels: Literal["data"] | None,
        **options: Any,
    ) -> None:
        check_count(batch_size, "batch_size")
        check_choice("pooling", pooling, POOLINGS)
        if labels is not None and not (isinstance(labels, str) and labels == "data"):
            expected = '"data", or None where there are no labels'
            raise ArgumentError("labels", type(labels).__name__, expected, "Labels are passed as y, or with x.")
        self._logdir = logdir
        self._options = options | {
            "classes": reusable(classes),
            "subsets": {key: reusable(value) for key, value in (options.get("subsets") or {}).items()},
            "always": reusable(options.get("always", ())),
        }
        layers = reusable(layers)
        self._begin(0, layers, quiet=True)
        self._layers = [layer if isinstance(layer, LayerSpec) else LayerSpec(layer, pooling) for layer in layers]
        self._classes = len(self._options["classes"])
        self._output = output
        self._from_logits = None if from_logits is None else check_from_logits(from_logits)
        self._tokens = read_token_function(tokens)
        self._has_tokens = tokens is not None
        self._columns = Columns(attributes, ids, None if self._tokens else tokens)
        of_output = y[output] if isinstance(y, Mapping) and isinstance(output, str) and output in y else y
        classes = self._options["classes"]
        self.batches = Batches(x, of_output, batch_size, classes, labelled=labels is not None)
        self._test_cases = TestCases(examples, batch_size, self._options["classes"])
        self._rehearse(batch_size)
        self._content_ids = self._is_reordered()
        self._walk: Walk | None = None
        self._prepared: tuple[keras.Model, ForwardPass, DecidingOutput, ForwardGraph | None] | None = None

    def find_layers(self, model: keras.Model) -> None:
        """Raises ArgumentError where `model` lacks one of the layers; it need not be built."""
        find_layers(model, [layer.name for layer in self._layers])

    def try_out(self, model: keras.Model) -> None:
        """Runs one batch through everything and writes nothing, to refuse before training what cannot be recorded.

        No random state and no state of the model changes.

        Raises:
            ArgumentError: Something cannot be recorded.
        """
        self.find_layers(model)
        with unchanged_randomness(model, self.batches.source):
            batch = self.batches.first()
            self._check_order(batch)
        if not self.batches.labelled:
            check_rows(batch.inputs, batch.instances, "as in the other inputs")
        for part in keras.tree.flatten(batch.labels):
            if len(getattr(part, "shape", ())):
                check_rows(batch.inputs, len(part))
        check_writable(self._logdir)
        if not is_built(model, batch.inputs):
            return
        with unchanged_randomness(model, self.batches.source):
            with explained(model, batch.inputs):
                forward, output, graph = self.prepare(model)
                activations, scores = forward(batch.inputs)
            recorder = Recorder(self._settings(self._options, graph))
            labels = self._labels(batch, output)
            is_logits = output.are_logits(scores)
            recorder.process(
                labels=labels,
                scores=scores,
                from_logits=is_logits,
                activations=activations,
                **self._tokens_of(batch.inputs),
                **self._columns_of(batch, slice(0, batch.instances), labels, ContentIds()),
            )
            for inputs, columns in self._test_cases:
                with explained(model, inputs, "examples"):
                    activations, scores = forward(inputs)
                columns |= self._tokens_of(inputs)
                recorder.examples(scores=scores, from_logits=is_logits, activations=activations, **columns)
            self._check_all(output)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # one batch says nothing about, for instance, ids that never came
                encode(recorder.finish(0, 0))

    def prepare(self, model: keras.Model) -> tuple[ForwardPass, DecidingOutput, ForwardGraph | None]:
        """Traces the model once; the traces use the weights as they are when they run.

        Raises:
            ArgumentError: A layer or an output cannot be recorded.
        """
        if self._prepared is None or self._prepared[0] is not model:
            output = DecidingOutput(model, self._output, self._classes, self._from_logits)
            forward = ForwardPass(model, self._layers, self.batches, output, with_tokens=self._has_tokens)
            self._prepared = (model, forward, output, self._graph(model))
        return self._prepared[1:]

    def record(self, model: keras.Model, step: int, *, quiet: bool) -> Path | str:
        """Records one snapshot and returns its event file.

        Raises:
            ArgumentError: The data does not fit together, or comes in another order than before; nothing is written.
            OSError: The log directory cannot be written.
        """
        with unchanged_randomness(model, self.batches.source):
            try:
                return self._record(model, step, quiet=quiet)
            except ReorderedError:
                if self._columns:
                    raise
                self._content_ids = True
                return self._record(model, step, quiet=quiet)

    def _record(self, model: keras.Model, step: int, *, quiet: bool) -> Path | str:
        forward, output, graph = self.prepare(model)
        options = {
            "graph": graph,
            "heads": linear_layers(model, self._classes),
            "total": self.batches.instances,
            "quiet": quiet,
        }
        with self._begin(step, self._layers, **options) as snapshot:
            walk = self._process(snapshot, forward, output)
            path = snapshot.postprocess()
        self._walk = self._walk or walk
        return path

    def _process(self, snapshot: "SnapshotRecorder", forward: ForwardPass, output: DecidingOutput) -> Walk | None:
        """Records all instances and test cases; returns in which order they came where that matters."""
        instances, is_logits = 0, None
        ids, walk = ContentIds(), Walk(self._walk)
        is_by_position = self.batches.is_of_batches and not self._content_ids
        for batch in self.batches:
            activations, scores = forward(batch.inputs)
            labels = self._labels(batch, output)
            rows = slice(instances, instances + batch.instances)
            is_by_position &= batch.columns is None
            if is_by_position:
                walk.see(labels, batch.inputs)
            is_logits = output.are_logits(scores) if is_logits is None else is_logits
            snapshot.process(
                labels=labels,
                scores=scores,
                from_logits=is_logits,
                activations=activations,
                **self._tokens_of(batch.inputs),
                **self._columns_of(batch, rows, labels, ids),
            )
            instances = rows.stop
        self._columns.check_length(instances)
        if is_by_position:
            walk.end()
        for inputs, columns in self._test_cases:
            activations, scores = forward(inputs)
            columns |= self._tokens_of(inputs)
            snapshot.examples(scores=scores, from_logits=bool(is_logits), activations=activations, **columns)
        return walk if is_by_position else None

    def _labels(self, batch: Batch, output: DecidingOutput) -> NDArray[Any] | None:
        """The labels of the deciding output, (instances,); None where there are none."""
        if not self.batches.labelled:
            check_rows(batch.inputs, batch.instances, "as in the other inputs")
            return None
        labels = class_labels(output.labels(batch.labels), self._options["classes"], "the labels of x")
        check_rows(batch.inputs, len(labels))
        return labels

    def _tokens_of(self, inputs: Any) -> dict[str, Any]:
        return {} if self._tokens is None else {"tokens": self._tokens(inputs)}

    def _columns_of(self, batch: Batch, rows: slice, labels: NDArray[Any] | None, ids: ContentIds) -> dict[str, Any]:
        if batch.columns is not None:
            if self._columns:
                got = f"{self._columns} beside data that brings its own"
                raise ArgumentError("attributes", got, "one or the other")
            return batch.columns
        if self._content_ids:
            return {"ids": ids.next(labels, batch.inputs)}
        self._columns.check_length(rows.stop, more=True)
        return self._columns.rows(rows)

    def _is_reordered(self) -> bool:
        """Whether the data has another order in every pass: then instances are known by their contents.

        Raises:
            ReorderedError: There are attributes or ids beside it, which would belong to other instances.
        """
        reason = what_reorders(self.batches.source) if self.batches.is_of_batches else ""
        if reason and self._columns:
            raise ReorderedError(f"{reason}, with {self._columns} beside it")
        return bool(reason)

    def _check_order(self, first: Batch) -> None:
        """Checks the first batch once more, and the number of values beside the data."""
        if self.batches.instances is not None:
            self._columns.check_length(self.batches.instances)
        source = self.batches.source
        if not self.batches.is_of_batches or self._content_ids or isinstance(source, Sequence) or first.columns:
            return
        if not self.batches.is_spent_after_one_pass and _is_unlike(first, self.batches.first()):
            if self._columns:
                raise ReorderedError(f"another order when it is walked through again, with {self._columns} beside it")
            self._content_ids = True
        if self._columns and is_shuffled_once(source):
            message = (
                f"ActiVis: x is shuffled, once for all passes: {self._columns} are taken in the order in which it "
                "yields its instances, not in the order before the shuffle."
            )
            warnings.warn(message, UserWarning, stacklevel=2)

    def _check_all(self, output: DecidingOutput) -> None:
        """Passes over the data without the model where columns go by its order, and its order or length is not known.

        Raises:
            ReorderedError: The second pass has another order.
            ArgumentError: A column has more or fewer values than there are instances.
        """
        batches = self.batches
        if not self._columns or not batches.is_of_batches or batches.is_spent_after_one_pass:
            return
        is_kept = keeps_order(batches.source)
        if is_kept and batches.instances is not None:
            return
        for _ in range(1 if is_kept else 2):
            walk = Walk(self._walk)
            for batch in batches:
                walk.see(self._labels(batch, output), batch.inputs)
            walk.end()
            self._walk = walk
        self._columns.check_length(len(walk.labels))

    def _graph(self, model: keras.Model) -> ForwardGraph | None:
        """The graph, or None with a warning: a model without one is recorded all the same."""
        try:
            return forward_graph(model, [layer.name for layer in self._layers], self.batches.example())
        except Exception as error:
            message = f"ActiVis: no graph of the model {model.name!r}: {type(error).__name__}: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return None

    def _begin(self, step: int, layers: Sequence[str | LayerSpec], **options: Any) -> "SnapshotRecorder":
        return activis_tb.preprocess(self._logdir, step=step, layers=layers, **(self._options | options))

    def _settings(
        self, options: Mapping[str, Any], graph: ForwardGraph | None = None, layers: Sequence[LayerSpec] | None = None
    ) -> Any:
        return read_settings(layers=layers or self._layers, graph=graph, **{name: options[name] for name in _SETTINGS})

    def _without_neurons(self) -> dict[str, Any]:
        """The selections without those that ask for neurons, which only the model tells."""

        def is_known(selection: Any) -> bool:
            return not (isinstance(selection, str) and "neuron" in selection.casefold())

        subsets, always = self._options["subsets"], self._options["always"]
        known = {name: selection for name, selection in subsets.items() if is_known(selection)}
        return {"subsets": known, "always": always if is_known(always) else ()}

    def _rehearse(self, batch_size: int) -> None:
        """Records without the model and without a file, to check the data and the columns."""
        # What has no positions here has no tokens.
        layers = [replace(layer, tokens=None, positions=None) for layer in self._layers]
        recording = Recorder(self._settings(self._options | self._without_neurons(), layers=layers))
        for _, columns in self._test_cases:
            recording.examples(**columns, **self._nothing(len(columns["labels"])))
        labels, count = self.batches.labels, self.batches.instances
        if self.batches.is_of_batches or count is None or (labels is None and self.batches.labelled):
            return
        self._columns.check_length(count)
        for start in range(0, count, batch_size):
            rows = slice(start, min(start + batch_size, count))
            of_rows = None if labels is None else labels[rows]
            columns = self._columns.rows(rows) | {"tokens": None}
            recording.process(labels=of_rows, **self._nothing(rows.stop - start), **columns)

    def _nothing(self, count: int) -> dict[str, Any]:
        """Scores and activations that a model could have for so many instances."""
        scores = np.full((count, self._classes), 1 / self._classes, np.float32)
        return {
            "scores": scores,
            "activations": {layer.name: np.zeros((count, 1), np.float32) for layer in self._layers},
        }


def reusable(value: Any) -> Any:
    """Returns what an iterator yields as a tuple, and anything else as it is."""
    return tuple(value) if isinstance(value, Iterator) else value


def check_count(value: Any, argument: str) -> None:
    """Raises ArgumentError unless `value` is a whole number from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(argument, repr(value), "a whole number from 1 on")


def _is_unlike(one: Batch, other: Batch) -> bool:
    """Whether two batches have other labels, or the same inputs in another order."""
    labels = [[as_numpy(part) for part in keras.tree.flatten(batch.labels)] for batch in (one, other)]
    if len(labels[0]) != len(labels[1]) or not all(map(np.array_equal, *labels)):
        return True
    before, now = (content_hashes(batch.inputs, one.instances) for batch in (one, other))
    return is_permuted(before, now)
