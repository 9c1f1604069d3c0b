"""Records one snapshot per epoch while Keras trains."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches
from activis_tb.keras.forward import ForwardPass, Pooling
from activis_tb.keras.layers import find_layers
from activis_tb.keras.tracing import forward_graph
from activis_tb.model import AttributeType, ForwardGraph, LayerSpec

if TYPE_CHECKING:
    from activis_tb.recording.snapshot import SnapshotRecorder

BatchFunction = Callable[[Mapping[str, NDArray[Any]]], Any]


class ActivisCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Records activations of the validation instances at the end of every epoch, for the ACTIVIS tab.

    The step of a snapshot is the number of the epoch from 0 on, as in the scalars of `keras.callbacks.TensorBoard`. The
    model runs in inference mode; one pass yields the layers and the scores. Layers of rank > 2 are pooled and low
    precision is converted where they were computed. The last output of the model is its scores: a probability per
    class, or (instances, 1) for two classes; logits where the loss says `from_logits=True`.

    Args:
        logdir: The run's directory, the same as for `keras.callbacks.TensorBoard`.
        x: What the model is fed with: an array, a list or dict of arrays, (instances, ...); or a `tf.data.Dataset` or
            `keras.utils.PyDataset` of batches (x, y), in the same order every time.
        y: Labels (instances,): positions in `classes` or names; or one-hot (instances, classes). None for a dataset.
        layers: Names of layers, the path of nested ones (`encoder/dense`), or, where the model is a class, attributes.
        classes: Names of the classes, by position.
        attributes: By name, a column (instances,) in the order of `x`: numbers, booleans, text, encoded pictures.
        subsets: By name, a condition, a function of the batch that returns a boolean per instance, or a list of ids.
        ids: One per instance, in the order of `x`.
        name: What is recorded here; two recordings of one run need two names.
        every: Record after every so many epochs.
        sample: Instances whose activations are kept one by one, about.
        always: Instances to keep besides: a condition, a function of the batch, or ids.
        batch_size: Instances per forward pass where `x` is not a dataset.
        pooling: `max` or `mean`, for layers of rank > 2.
        attribute_types: By name, the type of an attribute where its values leave that open.
        quiet: Do not print where the first snapshot is to be seen.

    Raises:
        ArgumentError: An argument cannot be used. What only the model tells (layers, scores) is refused when training
            begins, before the first step.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        x: Any,
        y: Any = None,
        *,
        layers: Sequence[str],
        classes: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        subsets: Mapping[str, str | BatchFunction | Iterable[Any]] | None = None,
        ids: Sequence[Any] | None = None,
        name: str = "validation",
        every: int = 1,
        sample: int = 1000,
        always: str | BatchFunction | Iterable[Any] = (),
        batch_size: int = 256,
        pooling: Pooling = "max",
        attribute_types: Mapping[str, AttributeType] | None = None,
        quiet: bool = False,
    ) -> None:
        super().__init__()
        _check_backend()
        _check_count(every, "every")
        _check_count(batch_size, "batch_size")
        if pooling not in {"max", "mean"}:
            raise ArgumentError("pooling", repr(pooling), "'max' or 'mean'")
        layers, classes = _reusable(layers), _reusable(classes)
        self._logdir = logdir
        self._options: dict[str, Any] = {
            "name": name,
            "classes": classes,
            "subsets": {key: _reusable(value) for key, value in subsets.items()} if subsets else None,
            "sample": sample,
            "always": _reusable(always),
            "attribute_types": attribute_types,
        }
        self._layers = layers
        self._pooling = pooling
        self._every = every
        self._ids = ids
        self._attributes = dict(attributes or {})
        rehearsal = self._begin(0, layers, None, quiet=True)
        self._batches = Batches(x, y, batch_size, len(classes))
        self._rehearse(rehearsal, len(classes), batch_size)
        self._prepared: tuple[keras.Model, ForwardPass, ForwardGraph] | None = None
        self._quiet = quiet

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (the name is Keras')
        """Refuses layers that the model has not, before the first step."""
        if self.model.built:
            self._prepare()
        else:
            find_layers(self.model, self._layers)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Records a snapshot if this epoch is one of `every`."""
        if (epoch + 1) % self._every == 0:
            self.record(epoch)

    def record(self, step: int) -> None:
        """Records one snapshot now; outside of `fit`, call `set_model` first.

        Raises:
            ArgumentError: The data does not fit together; nothing is written then.
        """
        forward, graph = self._prepare()
        with self._begin(step, forward.layers, graph, quiet=self._quiet) as snapshot:
            instances = 0
            for inputs, labels in self._batches:
                activations, scores = forward(inputs)
                rows = slice(instances, instances + len(labels))
                finite = _finite(scores, rows)
                snapshot.process(labels=labels, scores=finite, activations=activations, **self._columns(rows))
                instances = rows.stop
            self._check_lengths(instances)
        self._quiet = True

    def _prepare(self) -> tuple[ForwardPass, ForwardGraph]:
        """Traces the model once; both traces see later changes of the weights."""
        if self._prepared is None or self._prepared[0] is not self.model:
            specs = self._batches.specs()
            forward = ForwardPass(self.model, self._layers, self._pooling, specs)
            own = getattr(self.model, "inputs", None)
            graph = forward_graph(self.model, self._layers, None if own else specs)
            self._prepared = (self.model, forward, graph)
        return self._prepared[1:]

    def _begin(
        self, step: int, layers: Sequence[str | LayerSpec], graph: ForwardGraph | None, *, quiet: bool
    ) -> "SnapshotRecorder":
        return activis_tb.preprocess(self._logdir, step=step, layers=layers, graph=graph, quiet=quiet, **self._options)

    def _rehearse(self, recording: "SnapshotRecorder", classes: int, batch_size: int) -> None:
        """Goes through a recording that is never written, without the model: better refused now than after an epoch."""
        labels = self._batches.labels
        if labels is None:
            return
        self._check_lengths(len(labels))
        for start in range(0, len(labels), batch_size):
            rows = slice(start, min(start + batch_size, len(labels)))
            count = rows.stop - start
            activations = {layer: np.zeros((count, 1), np.float32) for layer in self._layers}
            scores = np.full((count, classes), 1 / classes, np.float32)
            recording.process(labels=labels[rows], scores=scores, activations=activations, **self._columns(rows))

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


def _reusable(value: Any) -> Any:
    return tuple(value) if isinstance(value, Iterator) else value


def _check_count(value: Any, argument: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ArgumentError(argument, repr(value), "a whole number from 1 on")


def _check_backend() -> None:
    if keras.backend.backend() != "tensorflow":
        way_out = "Set KERAS_BACKEND=tensorflow, or record with activis_tb.preprocess, which takes NumPy arrays."
        raise ArgumentError("KERAS_BACKEND", repr(keras.backend.backend()), "'tensorflow'", way_out)
