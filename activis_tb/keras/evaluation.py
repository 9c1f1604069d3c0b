"""What the callback and `record` have in common: the same instances through a model into one snapshot."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

import activis_tb
from activis_tb.errors import ArgumentError, check_choice
from activis_tb.keras.batches import Batches, class_labels
from activis_tb.keras.examples import ExampleData, Examples
from activis_tb.keras.forward import ForwardPass
from activis_tb.keras.graphs import forward_graph
from activis_tb.keras.layers import find_layers
from activis_tb.keras.outputs import DecidingOutput
from activis_tb.model import POOLINGS, ForwardGraph, LayerSpec, Pooling

if TYPE_CHECKING:
    from activis_tb.recording.snapshot import SnapshotRecorder

BatchFunction = Callable[[Mapping[str, NDArray[Any]]], Any]
Selection = str | BatchFunction | Iterable[Any]


class Evaluation:
    """Records snapshots of a model on the same instances.

    Args:
        logdir: The run's directory.
        x: See `Batches`, as for `y`.
        y: Labels.
        layers: By name, or as `LayerSpec` where the name does not say all.
        classes: Names, by position.
        attributes: By name, (instances,).
        ids: (instances,), or None.
        pooling: For layers of rank > 2 that are given by name.
        output: Of several outputs, the one that decides.
        batch_size: Instances per forward pass where `x` is arrays.
        examples: Test cases, see `Examples`, or None.
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
        classes: Sequence[str],
        attributes: Mapping[str, Any] | None,
        ids: Sequence[Any] | None,
        pooling: Pooling,
        output: str | int | None,
        batch_size: int,
        examples: ExampleData | None,
        **options: Any,
    ) -> None:
        check_count(batch_size, "batch_size")
        check_choice("pooling", pooling, POOLINGS)
        self._logdir = logdir
        self._options = options | {
            "classes": reusable(classes),
            "subsets": {key: reusable(value) for key, value in (options.get("subsets") or {}).items()},
            "always": reusable(options.get("always", ())),
        }
        layers = reusable(layers)
        rehearsal = self._begin(0, layers, quiet=True, keep="sample", progress=None, **self._without_neurons())
        self._layers = [layer if isinstance(layer, LayerSpec) else LayerSpec(layer, pooling) for layer in layers]
        self._classes = len(self._options["classes"])
        self._output = output
        self._ids = ids
        self._attributes = dict(attributes or {})
        labels = y[output] if isinstance(y, Mapping) and output in y else y
        self.batches = Batches(x, labels, batch_size, self._classes)
        self._examples = Examples(examples, batch_size, self._classes)
        self._rehearse(rehearsal, batch_size)
        self._prepared: tuple[keras.Model, ForwardPass, DecidingOutput, ForwardGraph | None] | None = None

    def find_layers(self, model: keras.Model) -> None:
        """Raises ArgumentError where `model` has not got one of the layers; it need not be built."""
        find_layers(model, [layer.name for layer in self._layers])

    def prepare(self, model: keras.Model) -> tuple[ForwardPass, DecidingOutput, ForwardGraph | None]:
        """Traces the model once; the traces see later changes of the weights.

        Raises:
            ArgumentError: A layer or an output cannot be recorded.
        """
        if self._prepared is None or self._prepared[0] is not model:
            output = DecidingOutput(model, self._output, self._classes)
            forward = ForwardPass(model, self._layers, self.batches, output)
            self._prepared = (model, forward, output, self._graph(model))
        return self._prepared[1:]

    def record(self, model: keras.Model, step: int, *, quiet: bool) -> Path | str:
        """Records one snapshot and returns its event file.

        Raises:
            ArgumentError: The data does not fit together; nothing is written then.
            OSError: The log directory cannot be written.
        """
        forward, output, graph = self.prepare(model)
        with self._begin(step, self._layers, graph=graph, total=self.batches.instances, quiet=quiet) as snapshot:
            instances = 0
            for inputs, given in self.batches:
                labels = class_labels(output.labels(given), self._classes, "the labels of x")
                activations, scores = forward(inputs)
                rows = slice(instances, instances + len(labels))
                finite = _finite(scores, rows)
                snapshot.process(labels=labels, scores=finite, activations=activations, **self._columns(rows))
                instances = rows.stop
            self._check_lengths(instances)
            for inputs, columns in self._examples:
                activations, scores = forward(inputs)
                finite = _finite(scores, slice(len(scores)))
                snapshot.examples(scores=finite, activations=activations, **columns)
            return snapshot.postprocess()

    def _graph(self, model: keras.Model) -> ForwardGraph | None:
        """The picture of the model is no reason not to record it."""
        try:
            return forward_graph(model, [layer.name for layer in self._layers], self.batches.example())
        except Exception as error:
            message = f"ActiVis: no graph of the model {model.name!r}: {type(error).__name__}: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            return None

    def _begin(self, step: int, layers: Sequence[str | LayerSpec], **options: Any) -> "SnapshotRecorder":
        return activis_tb.preprocess(self._logdir, step=step, layers=layers, **(self._options | options))

    def _without_neurons(self) -> dict[str, Any]:
        """Subsets and test cases but those that ask for neurons, which only the model tells."""

        def is_known(selection: Any) -> bool:
            return not (isinstance(selection, str) and "neuron" in selection.casefold())

        subsets, always = self._options["subsets"], self._options["always"]
        known = {name: selection for name, selection in subsets.items() if is_known(selection)}
        return {"subsets": known, "always": always if is_known(always) else ()}

    def _rehearse(self, recording: "SnapshotRecorder", batch_size: int) -> None:
        """Goes through a recording that is never written, without the model: better refused now than after an epoch."""
        for _, columns in self._examples:
            recording.examples(**columns, **self._nothing(len(columns["labels"])))
        labels = self.batches.labels
        if labels is None:
            return
        self._check_lengths(len(labels))
        for start in range(0, len(labels), batch_size):
            rows = slice(start, min(start + batch_size, len(labels)))
            recording.process(labels=labels[rows], **self._nothing(rows.stop - start), **self._columns(rows))

    def _nothing(self, count: int) -> dict[str, Any]:
        """What a model could have made of so many instances."""
        scores = np.full((count, self._classes), 1 / self._classes, np.float32)
        return {
            "scores": scores,
            "activations": {layer.name: np.zeros((count, 1), np.float32) for layer in self._layers},
        }

    def _columns(self, rows: slice) -> dict[str, Any]:
        columns: dict[str, Any] = {} if self._ids is None else {"ids": self._ids[rows]}
        return columns | {"attributes": {name: values[rows] for name, values in self._attributes.items()}}

    def _check_lengths(self, instances: int) -> None:
        given = {f'attributes["{name}"]': values for name, values in self._attributes.items()}
        for argument, values in {**given, **({} if self._ids is None else {"ids": self._ids})}.items():
            if not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
                raise ArgumentError(argument, type(values).__name__, "an array or a list, one value per instance")
            if len(values) != instances:
                raise ArgumentError(argument, f"{len(values)} values", f"{instances}, one per instance of x")


def reusable(value: Any) -> Any:
    """Returns what an iterator yields as a tuple, and anything else as it is."""
    return tuple(value) if isinstance(value, Iterator) else value


def check_count(value: Any, argument: str) -> None:
    """Raises ArgumentError unless `value` is a whole number from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(argument, repr(value), "a whole number from 1 on")


def _finite(scores: NDArray[np.float32], rows: slice) -> NDArray[np.float32]:
    """Returns scores that can be recorded: a model that has diverged is worth a look, not the end of the training."""
    broken = ~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1)
    if broken.any():
        message = (
            f"The model's scores are not finite for {np.count_nonzero(broken)} of the instances {rows.start} to "
            f"{rows.stop - 1}; recorded as 0. Has the training diverged?"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return np.where(np.isfinite(scores), scores, np.float32(0))
