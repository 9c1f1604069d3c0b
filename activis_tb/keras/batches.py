"""Validation data in the forms that `model.evaluate` takes, as batches of inputs and labels, in order."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.tracing import input_spec

_SUM_ROUNDING = 1e-2


class Batches:
    """The same instances in the same order, however often they are walked through.

    Args:
        x: An array, or a list or dict of arrays, (instances, ...); a batched tf.data.Dataset; or a PyDataset.
        y: Labels (instances,), or one-hot (instances, classes); None for a dataset, which yields (x, y).
        batch_size: Instances in a batch of arrays.
        classes: Number of classes.

    Raises:
        ArgumentError: The arrays are of different lengths, or x and y do not go together.
    """

    def __init__(self, x: Any, y: Any, batch_size: int, classes: int) -> None:
        self._batch_size = batch_size
        self._classes = classes
        self._is_dataset = isinstance(x, tf.data.Dataset | keras.utils.PyDataset)
        if self._is_dataset:
            _check_dataset(x, y)
            self._x, self._y, self.instances = x, None, None
            return
        if y is None:
            raise ArgumentError("y", "None", "labels, as x is not a dataset", "Only a dataset brings its own labels.")
        self._x = keras.tree.map_structure(_as_array, x)
        self._y = class_labels(y, classes, "y")
        self.instances = len(self._y)
        for path, values in keras.tree.flatten_with_path(self._x):
            if len(values) != self.instances:
                argument = "x" + "".join(f"[{part!r}]" for part in path)
                raise ArgumentError(argument, f"{len(values)} instances", f"{self.instances} instances, as in y")
        if self.instances == 0:
            raise ArgumentError("y", "no instances", "at least one instance")

    instances: int | None
    """How many there are; None where only walking through them tells."""

    @property
    def labels(self) -> NDArray[Any] | None:
        """All labels, (instances,); None where only walking through the instances tells."""
        return self._y

    def specs(self) -> Any:
        """Returns TensorSpecs in the structure of the inputs, for any number of instances."""
        if isinstance(self._x, tf.data.Dataset):
            return keras.tree.map_structure(input_spec, self._x.element_spec[0])
        inputs = keras.utils.unpack_x_y_sample_weight(self._x[0])[0] if self._is_dataset else self._x
        return keras.tree.map_structure(lambda value: input_spec(tf.convert_to_tensor(_as_array(value[:1]))), inputs)

    def __iter__(self) -> Iterator[tuple[Any, NDArray[Any]]]:
        """Yields (inputs, labels)."""
        if not self._is_dataset:
            yield from self._slices()
            return
        elements = self._x if isinstance(self._x, tf.data.Dataset) else (self._x[at] for at in range(len(self._x)))
        for element in elements:
            inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(element)
            tensors = keras.tree.map_structure(_as_tensor, inputs)
            yield tensors, class_labels(labels, self._classes, "the labels of x")

    def _slices(self) -> Iterator[tuple[Any, NDArray[Any]]]:
        labels = np.asarray(self._y)
        for start in range(0, len(labels), self._batch_size):
            rows = slice(start, start + self._batch_size)
            yield keras.tree.map_structure(partial(_tensor_of, rows=rows), self._x), labels[rows]


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


def _check_dataset(x: Any, y: Any) -> None:
    if y is not None:
        way_out = "Pass y=None."
        raise ArgumentError("y", type(y).__name__, "None, as x is a dataset that brings its own labels", way_out)
    if isinstance(x, tf.data.Dataset):
        if x.cardinality() == tf.data.INFINITE_CARDINALITY:
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


def _tensor_of(values: NDArray[Any], rows: slice) -> tf.Tensor:
    return tf.convert_to_tensor(values[rows])


def _as_tensor(values: Any) -> Any:
    return values if isinstance(values, tf.Tensor) else tf.convert_to_tensor(_as_array(values))
