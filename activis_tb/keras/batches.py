"""Batches of inputs, labels, attributes and ids, in order, from the forms of data that `model.evaluate` takes."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arguments import ClassArgument


class Columns:
    """Attributes and ids that go with the data by position.

    Args:
        attributes: By name, (instances,): a mapping, or a data frame of pandas or polars; None for none.
        ids: (instances,), or None.
        tokens: Texts by instance, (instances,), or None.
        argument: Name of one of them in messages, with a place for its own name.
        per: What has one value each, in messages.

    Raises:
        ArgumentError: A column cannot be looked up by position.
    """

    def __init__(
        self, attributes: Any, ids: Any, tokens: Any = None, *, argument: str = "{}", per: str = "instance of x"
    ) -> None:
        self._attributes = _named(attributes)
        self._ids, self._tokens = ids, tokens
        self._per = per
        self._given = {argument.format(f'attributes["{name}"]'): values for name, values in self._attributes.items()}
        self._given |= {
            argument.format(name): values for name, values in (("ids", ids), ("tokens", tokens)) if values is not None
        }
        for name, values in self._given.items():
            if isinstance(values, str | bytes) or not (hasattr(values, "__len__") and hasattr(values, "__getitem__")):
                raise ArgumentError(name, type(values).__name__, f"an array or a list, one value per {per}")

    def __bool__(self) -> bool:
        return bool(self._given)

    def __str__(self) -> str:
        parts = {"attributes": self._attributes or None, "ids": self._ids, "tokens": self._tokens}
        return " and ".join(name for name, part in parts.items() if part is not None)

    def rows(self, rows: slice) -> dict[str, Any]:
        """Returns `ids` and `tokens`, where there are some, and `attributes` at `rows`, for `process`."""
        given = {"ids": self._ids, "tokens": self._tokens}
        some = {name: _at(values, rows) for name, values in given.items() if values is not None}
        return some | {"attributes": {name: _at(values, rows) for name, values in self._attributes.items()}}

    def check_length(self, instances: int, *, more: bool = False) -> None:
        """Raises ArgumentError where a column does not have one value for each of so many instances.

        Args:
            instances: How many there are.
            more: Whether more of them may follow.
        """
        for argument, values in self._given.items():
            if len(values) < instances or (len(values) > instances and not more):
                expected = f"{'at least ' if more else ''}{instances:,}, one per {self._per}"
                raise ArgumentError(argument, f"{len(values):,} values", expected)


def _named(attributes: Any) -> dict[str, Any]:
    if attributes is None or isinstance(attributes, Mapping):
        return dict(attributes or {})
    names = getattr(attributes, "column_names", None) or getattr(attributes, "columns", None)
    if names is None or not hasattr(attributes, "__getitem__"):
        expected = "a mapping from names to columns, or a data frame"
        raise ArgumentError("attributes", type(attributes).__name__, expected)
    names = list(names)
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ArgumentError("attributes", f"{repeated[0]!r} more than once", "columns of different names")
    return {name: attributes[name] for name in names}


def _at(values: Any, rows: slice) -> Any:
    """Returns values by position, also of a column of pandas with an index of its own."""
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


_SUM_ROUNDING = 1e-2
_WITHOUT_LABELS = "Data without labels: labels=None."
_INFINITE = -1
"""What tf.data calls the number of batches where there is no end of them."""


class Batch(NamedTuple):
    """Batch of instances as the data yields them.

    Attributes:
        inputs: What the model is fed with, (instances, ...).
        labels: See `class_labels`; where the model has several outputs, perhaps those of every output. None for data
            without labels.
        columns: `attributes` and `ids` that the data yields, for `process`; None where it yields none.
    """

    inputs: Any
    labels: Any
    columns: dict[str, Any] | None = None

    @property
    def instances(self) -> int:
        """Number of instances, by the first of the inputs."""
        return len(keras.tree.flatten(self.inputs)[0])


class Batches:
    """Batches of some data, which may be iterated over several times.

    Args:
        x: An array, or a list or dict of arrays, (instances, ...); or, of batches (x, y), a tf.data.Dataset, a
            PyDataset or any iterable, such as a PyTorch DataLoader. A batch may also be (x, y, sample_weight), (x, y,
            attributes) or (x, y, attributes, ids), attributes being a mapping.
        y: Labels (instances,), or one-hot (instances, classes), or those of every output; None where `x` brings them,
            or is a tuple (x, y) or (x, y, sample_weight).
        batch_size: Instances in a batch of arrays.
        classes: As of `activis_tb.preprocess`.
        labelled: Whether there are labels. If not, batches may be `x` alone, and anything in the place of labels is
            ignored.

    Attributes:
        source: What the batches come from: `x`, arrays in Keras' precision.
        instances: How many there are; None where only a pass over them tells.
        labels: All labels, (instances,); None where only a pass over the instances or the model tells.

    Raises:
        ArgumentError: The arrays are of different lengths, or x and y do not go together.
    """

    def __init__(self, x: Any, y: Any, batch_size: int, classes: ClassArgument, *, labelled: bool = True) -> None:
        self._batch_size = batch_size
        self.labelled = labelled
        self._example: Any = None
        self.instances: int | None = None
        self.labels: NDArray[Any] | None = None
        if y is None and isinstance(x, tuple) and len(x) in {2, 3} and not _is_of_batches(x):
            x, y = x[:2] if labelled else (x[0], None)
        if y is not None and not labelled:
            raise ArgumentError("y", type(y).__name__, "None, as labels=None says that there are no labels")
        self.is_of_batches = _is_dataset(x) or (y is None and _is_of_batches(x))
        if self.is_of_batches:
            _check_dataset(x, y, labelled=labelled)
            self.source = x
            self.instances, self._size = _count(x) or (None, 0)
            return
        if y is None and labelled:
            way_out = f"Only a dataset brings its own labels. {_WITHOUT_LABELS}"
            raise ArgumentError("y", "None", "labels, as x is not a dataset", way_out)
        self.source = keras.tree.map_structure(_as_array, x)
        if labelled:
            self._take_labels(y, classes)
        else:
            self.instances = Batch(self.source, None).instances
        self._check_lengths()

    @property
    def is_spent_after_one_pass(self) -> bool:
        """Whether the instances come only once, as from a generator."""
        return isinstance(self.source, Iterator)

    def example(self) -> Any:
        """Returns the inputs of one instance, (1, ...)."""
        if self._example is None:
            self.first()
        return self._example

    def first(self) -> Batch:
        """Returns the first batch, which a later pass still yields.

        Raises:
            ArgumentError: There is none.
        """
        if not self.is_of_batches:
            batch = next(iter(self._slices()))
        else:
            elements = self._elements()
            element = next(elements, None)
            if element is None:
                raise ArgumentError("x", "no batches", "at least one batch (x, y)", "Is it used up already?")
            if self.is_spent_after_one_pass:
                self.source = chain([element], self.source)
            batch = self._batch_of(element)
            if self.instances is not None and batch.instances != self._size:
                self.instances = None  # a later step has dropped some
        self._example = keras.tree.map_structure(lambda values: _as_array(values)[:1], batch.inputs)
        return batch

    def __iter__(self) -> Iterator[Batch]:
        if self.is_of_batches:
            return map(self._batch_of, self._elements())
        return self._slices()

    def inputs_of(self, element: Any) -> Any:
        """Returns the inputs of what a dataset yields, or its specification of them."""
        return element[0] if self.labelled or isinstance(element, list | tuple) else element

    def _batch_of(self, element: Any) -> Batch:
        """Returns the parts of (x, y), (x, y, sample_weight), (x, y, attributes) or (x, y, attributes, ids)."""
        is_of_parts = isinstance(element, list | tuple)
        if not (2 if self.labelled else 1) <= (len(element) if is_of_parts else 1) <= 4:
            got = f"a batch of {len(element)} parts" if is_of_parts else type(element).__name__
            expected = "batches (x, y), (x, y, sample_weight) or (x, y, attributes, ids)"
            raise ArgumentError("x", got, expected, _WITHOUT_LABELS if self.labelled else "")
        inputs = keras.tree.map_structure(_as_input, self.inputs_of(element))
        labels, *others = [*element[1:], None][:4] if is_of_parts else [None]
        columns = None
        if len(others) == 3 or (len(others) == 2 and _are_attributes(others[0], labels)):
            attributes = {} if others[0] is None else others[0]
            columns = {"attributes": attributes, "ids": others[1] if len(others) == 3 else None}
        return Batch(inputs, labels if self.labelled else None, columns)

    def _elements(self) -> Iterator[Any]:
        if isinstance(self.source, keras.utils.PyDataset):
            return (self.source[at] for at in range(len(self.source)))
        return iter(self.source)

    def _slices(self) -> Iterator[Batch]:
        assert self.instances is not None
        for start in range(0, self.instances, self._batch_size):
            rows = slice(start, start + self._batch_size)
            inputs = keras.tree.map_structure(lambda values, rows=rows: values[rows], self.source)
            if not self.labelled:
                yield Batch(inputs, None)
            elif self.labels is not None:
                yield Batch(inputs, self.labels[rows])
            elif isinstance(self._y, Mapping):
                yield Batch(inputs, {name: values[rows] for name, values in self._y.items()})
            else:
                yield Batch(inputs, tuple(values[rows] for values in self._y))

    def _take_labels(self, y: Any, classes: ClassArgument) -> None:
        """Notes the labels, or those of every output until the model tells which one decides."""
        flat = keras.tree.flatten(self.source)
        count = len(flat[0]) if flat else 0
        self._y = y
        if isinstance(y, Mapping) or _is_by_output(y, count):
            labels = {f"y[{name!r}]": part for name, part in (y.items() if isinstance(y, Mapping) else enumerate(y))}
            lengths = {name: len(part) for name, part in labels.items()}
            self.instances = next(iter(lengths.values()), 0)
            for name, length in lengths.items():
                if length != count:
                    raise ArgumentError(name, f"{length} labels", f"{count}, one per instance of x")
        else:
            self.labels = class_labels(y, classes, "y")
            self.instances = len(self.labels)

    def _check_lengths(self) -> None:
        for path, values in keras.tree.flatten_with_path(self.source):
            if len(values) != self.instances:
                argument = "x" + "".join(f"[{part!r}]" for part in path)
                others = "y" if self.labelled else "the other inputs"
                raise ArgumentError(argument, f"{len(values)} instances", f"{self.instances} instances, as in {others}")
        if self.instances == 0:
            raise ArgumentError("y" if self.labelled else "x", "no instances", "at least one instance")


def class_labels(labels: Any, classes: ClassArgument, argument: str) -> NDArray[Any]:
    """Returns labels for `process`, (instances,), from the same, (instances, 1), or one-hot (instances, classes).

    Raises:
        ArgumentError: Another shape, fractions, or rows that are no distribution over the classes.
    """
    values = as_numpy(labels)
    if values.ndim == 2 and values.shape[1] == len(classes) > 1:
        positions = _from_one_hot(values, argument)
        # Integers that are classes are labels as well.
        given = np.asarray([] if isinstance(classes, Mapping) else classes)
        return given[positions] if given.dtype.kind in "iub" and given.size else positions
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        expected = f"(instances,), or one-hot (instances, {len(classes)})"
        raise ArgumentError(argument, f"shape {values.shape}", expected, "A dataset must be batched.")
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (values == np.round(values))).all():
            wrong = values[~(values == np.round(values))][0]
            raise ArgumentError(argument, wrong, "whole numbers: positions in classes")
        return values.astype(np.int64)
    return values


def check_rows(inputs: Any, rows: int, alike: str = "as there are labels") -> None:
    """Raises ArgumentError where a batch has another number of inputs than of labels."""
    for path, values in keras.tree.flatten_with_path(inputs):
        shape = getattr(values, "shape", None)
        if shape is None or (len(shape) and shape[0] in {None, rows}):
            continue
        argument = "x" + "".join(f"[{part!r}]" for part in path)
        expected = f"{rows} instances on the first axis, {alike}"
        raise ArgumentError(argument, f"a batch of shape {tuple(shape)}", expected, "A dataset must be batched.")


def as_numpy(values: Any) -> NDArray[Any]:
    """Returns a tensor of the back end, or what NumPy reads, as an array."""
    return np.asarray(keras.ops.convert_to_numpy(values) if keras.ops.is_tensor(values) else values)


def _from_one_hot(values: NDArray[Any], argument: str) -> NDArray[Any]:
    sums = values.sum(axis=1, dtype=np.float64)
    wrong = np.flatnonzero(~(np.abs(sums - 1) <= _SUM_ROUNDING))
    if wrong.size:
        got = f"a row {values[wrong[0]].tolist()} (row {wrong[0]})"
        raise ArgumentError(argument, got, "one class per instance", "Several labels per instance cannot be recorded.")
    positions: NDArray[np.int64] = np.argmax(values, axis=1)
    return positions


def _are_attributes(part: Any, labels: Any) -> bool:
    """Whether the third part of a batch is attributes, not the weights of every output."""
    return isinstance(part, Mapping) and not (isinstance(labels, Mapping) and set(part) <= set(labels))


def _is_by_output(y: Any, count: int) -> bool:
    """Whether `y` has the labels of every output, each of them of `count` instances."""
    if not isinstance(y, list | tuple) or len(y) == count or not len(y) > 1:
        return False
    return all(hasattr(part, "__len__") and not isinstance(part, str | bytes) and len(part) == count for part in y)


def _is_tf_dataset(x: Any) -> bool:
    """Whether `x` is a tf.data.Dataset, without loading TensorFlow for it."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def _is_dataset(x: Any) -> bool:
    return isinstance(x, keras.utils.PyDataset) or _is_tf_dataset(x)


def _is_of_batches(x: Any) -> bool:
    """Whether `x` is something to iterate over, not arrays."""
    if hasattr(x, "shape") or isinstance(x, str | bytes | Mapping) or not isinstance(x, Iterable):
        return False
    return not isinstance(x, Sequence) or all(isinstance(batch, tuple) for batch in islice(x, 2))


def _check_dataset(x: Any, y: Any, *, labelled: bool) -> None:
    if y is not None:
        way_out = "Pass y=None."
        raise ArgumentError("y", type(y).__name__, "None, as x is a dataset that brings its own labels", way_out)
    if not _is_tf_dataset(x):
        return
    if int(x.cardinality()) == _INFINITE:
        raise ArgumentError("x", "a dataset without an end", "a finite dataset", "Use x.take(n).")
    if not labelled:
        return
    if not isinstance(x.element_spec, Sequence) or len(x.element_spec) < 2:
        way_out = f"Zip it with its labels. {_WITHOUT_LABELS}"
        raise ArgumentError("x", f"a dataset of {x.element_spec}", "a dataset of (x, y)", way_out)
    labels = keras.tree.flatten(x.element_spec[1])
    if any(getattr(spec.shape, "rank", None) == 0 for spec in labels):
        raise ArgumentError("x", "a dataset of single instances", "a dataset of batches", "Use x.batch(256).")


def _count(x: Any) -> tuple[int, int] | None:
    """Returns how many instances there are, and how many in the first batch, where that is known without a pass."""
    if _is_tf_dataset(x):
        return _count_in_tensorflow(x)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.utils.data.DataLoader):
        if x.batch_size is None or isinstance(x.dataset, torch.utils.data.IterableDataset):
            return None
        return _whole(len(x.sampler), x.batch_size, drops_rest=x.drop_last)
    if isinstance(x, list | tuple):
        sizes = [len(keras.tree.flatten(batch[0])[0]) for batch in x]
        return sum(sizes), sizes[0] if sizes else 0
    return None


def _count_in_tensorflow(dataset: Any) -> tuple[int, int] | None:
    """Follows steps that keep the number of elements, down to the step that made batches of instances."""
    while not hasattr(dataset, "_batch_size"):
        inputs = dataset._inputs() if hasattr(dataset, "_input_dataset") else []  # noqa: SLF001
        if len(inputs) != 1 or int(inputs[0].cardinality()) != int(dataset.cardinality()):
            return None
        dataset = inputs[0]
    count, size = int(dataset._input_dataset.cardinality()), int(dataset._batch_size)  # noqa: SLF001
    return None if count < 0 else _whole(count, size, drops_rest=bool(dataset._drop_remainder))  # noqa: SLF001


def _whole(count: int, size: int, *, drops_rest: bool) -> tuple[int, int]:
    return (count // size * size if drops_rest else count), min(count, size)


def _as_array(values: Any) -> NDArray[Any]:
    """Returns one input as Keras' own loops would pass it on: floating point in Keras' precision."""
    array = as_numpy(values)
    if array.ndim == 0:
        expected = "arrays of shape (instances, ...)"
        raise ArgumentError("x", f"{type(values).__name__} ({values!r})", expected, "Pass np.asarray(x).")
    return array.astype(keras.config.floatx()) if array.dtype == np.float64 else array


def _as_input(values: Any) -> Any:
    """One input as it is where the back end takes that, without a copy between devices."""
    return values if keras.ops.is_tensor(values) else _as_array(values)
