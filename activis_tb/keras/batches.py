"""Data in the forms that `model.evaluate` takes, as batches of inputs and labels, in order."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError

_SUM_ROUNDING = 1e-2
_INFINITE = -1
"""What tf.data calls the number of batches where there is no end of them."""


class Batches:
    """The same instances in the same order, however often they are walked through.

    Args:
        x: An array, or a list or dict of arrays, (instances, ...); or, of batches (x, y), a tf.data.Dataset, a
            PyDataset or any iterable, such as a PyTorch DataLoader.
        y: Labels (instances,), or one-hot (instances, classes); None where `x` brings them.
        batch_size: Instances in a batch of arrays.
        classes: Number of classes.

    Attributes:
        source: What the batches come from: `x`, arrays in Keras' precision.
        instances: How many there are; None where only walking through them tells.

    Raises:
        ArgumentError: The arrays are of different lengths, or x and y do not go together.
    """

    def __init__(self, x: Any, y: Any, batch_size: int, classes: int) -> None:
        self._batch_size = batch_size
        self._classes = classes
        self.instances: int | None = None
        self.labels: NDArray[Any] | None = None
        """All labels, (instances,); None where only walking through the instances tells."""
        self._brings_labels = _is_dataset(x) or (y is None and _is_of_batches(x))
        if self._brings_labels:
            _check_dataset(x, y)
            self.source = x
            return
        if y is None:
            raise ArgumentError("y", "None", "labels, as x is not a dataset", "Only a dataset brings its own labels.")
        self.source = keras.tree.map_structure(_as_array, x)
        self.labels = class_labels(y, classes, "y")
        self.instances = len(self.labels)
        for path, values in keras.tree.flatten_with_path(self.source):
            if len(values) != self.instances:
                argument = "x" + "".join(f"[{part!r}]" for part in path)
                raise ArgumentError(argument, f"{len(values)} instances", f"{self.instances} instances, as in y")
        if self.instances == 0:
            raise ArgumentError("y", "no instances", "at least one instance")

    @property
    def is_spent_after_one_pass(self) -> bool:
        """Whether the instances come but once, as from a generator."""
        return isinstance(self.source, Iterator)

    def example(self) -> Any:
        """Returns the inputs of one instance, (1, ...)."""
        inputs = self.source
        if self._brings_labels:
            first = next(self._elements(), None)
            if first is None:
                raise ArgumentError("x", "no batches", "at least one batch (x, y)", "Is it used up already?")
            if self.is_spent_after_one_pass:
                self.source = chain([first], self.source)
            inputs = keras.utils.unpack_x_y_sample_weight(first)[0]
        return keras.tree.map_structure(lambda values: _as_array(values)[:1], inputs)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yields (inputs, labels); labels as `x` brings them, see `class_labels`."""
        if not self._brings_labels:
            yield from self._slices()
            return
        for element in self._elements():
            inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(element)
            yield keras.tree.map_structure(_as_input, inputs), labels

    def _elements(self) -> Iterator[Any]:
        if isinstance(self.source, keras.utils.PyDataset):
            return (self.source[at] for at in range(len(self.source)))
        return iter(self.source)

    def _slices(self) -> Iterator[tuple[Any, NDArray[Any]]]:
        labels = np.asarray(self.labels)
        for start in range(0, len(labels), self._batch_size):
            rows = slice(start, start + self._batch_size)
            yield keras.tree.map_structure(lambda values, rows=rows: values[rows], self.source), labels[rows]


def class_labels(labels: Any, classes: int, argument: str) -> NDArray[Any]:
    """Returns labels as positions or names, (instances,), from these, (instances, 1), or one-hot (instances, classes).

    Raises:
        ArgumentError: Another shape, fractions, or rows that are no distribution over the classes.
    """
    values = np.asarray(labels)
    if values.ndim == 2 and values.shape[1] == classes and classes > 1:
        return _from_one_hot(values, argument)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        expected = f"(instances,), or one-hot (instances, {classes})"
        raise ArgumentError(argument, f"shape {values.shape}", expected, "A dataset must be batched.")
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (values == np.round(values))).all():
            wrong = values[~(values == np.round(values))][0]
            raise ArgumentError(argument, wrong, "whole numbers: positions in classes")
        return values.astype(np.int64)
    return values


def _from_one_hot(values: NDArray[Any], argument: str) -> NDArray[Any]:
    sums = values.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero(~(np.abs(sums - 1) <= _SUM_ROUNDING))
    if wrong.size:
        got = f"a row {values[wrong[0]].tolist()} (row {wrong[0]})"
        raise ArgumentError(argument, got, "one class per instance", "Several labels per instance cannot be recorded.")
    positions: NDArray[np.int64] = np.argmax(values, axis=1)
    return positions


def _is_tf_dataset(x: Any) -> bool:
    """Whether `x` is a tf.data.Dataset, without loading TensorFlow for it."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def _is_dataset(x: Any) -> bool:
    return isinstance(x, keras.utils.PyDataset) or _is_tf_dataset(x)


def _is_of_batches(x: Any) -> bool:
    """Whether `x` is something to iterate over, and not arrays."""
    if hasattr(x, "shape") or isinstance(x, str | bytes | Mapping) or not isinstance(x, Iterable):
        return False
    return not isinstance(x, Sequence) or all(isinstance(batch, tuple) for batch in islice(x, 2))


def _check_dataset(x: Any, y: Any) -> None:
    if y is not None:
        way_out = "Pass y=None."
        raise ArgumentError("y", type(y).__name__, "None, as x is a dataset that brings its own labels", way_out)
    if _is_tf_dataset(x):
        if int(x.cardinality()) == _INFINITE:
            raise ArgumentError("x", "a dataset without an end", "a finite dataset", "Use x.take(n).")
        if not isinstance(x.element_spec, Sequence) or len(x.element_spec) < 2:
            raise ArgumentError("x", f"a dataset of {x.element_spec}", "a dataset of (x, y)", "Zip it with its labels.")


def _as_array(values: Any) -> NDArray[Any]:
    """Returns one input as Keras' own loops would pass it on: floating point in Keras' precision."""
    array = np.asarray(values)
    if array.ndim == 0:
        expected = "arrays of shape (instances, ...)"
        raise ArgumentError("x", f"{type(values).__name__} ({values!r})", expected, "Pass np.asarray(x).")
    return array.astype(keras.config.floatx()) if array.dtype == np.float64 else array


def _as_input(values: Any) -> Any:
    """What the back end can take as it is stays where it is."""
    return values if keras.ops.is_tensor(values) else _as_array(values)
