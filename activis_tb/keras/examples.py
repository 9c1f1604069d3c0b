"""Test cases of the user's own, put through the model as the data is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches

ExampleData = (
    tuple[Any, Any] | tuple[Any, Any, Mapping[str, Any]] | tuple[Any, Any, Mapping[str, Any], Sequence[str | int]]
)
"""Inputs and expected labels as for the data, and perhaps attributes by name, and ids."""


class Examples:
    """The same test cases, however often they are walked through.

    Args:
        data: `(x, y)`, `(x, y, attributes)` or `(x, y, attributes, ids)`; None for no test cases.
        batch_size: Instances per forward pass.
        classes: Number of classes.

    Raises:
        ArgumentError: It is something else, or its parts are of different lengths.
    """

    def __init__(self, data: ExampleData | None, batch_size: int, classes: int) -> None:
        self._batches: Batches | None = None
        self._columns: dict[str, Any] = {}
        self._ids: Sequence[str | int] | None = None
        if data is None:
            return
        if not isinstance(data, tuple) or not 2 <= len(data) <= 4 or data[1] is None:
            expected = "a tuple (x, y), (x, y, attributes) or (x, y, attributes, ids)"
            raise ArgumentError("examples", type(data).__name__, expected)
        self._batches = Batches(data[0], data[1], batch_size, classes)
        self._columns = dict(data[2] if len(data) > 2 else {})
        self._ids = data[3] if len(data) > 3 else None
        given = {f'attributes["{name}"]': values for name, values in self._columns.items()}
        for name, values in {**given, **({} if self._ids is None else {"ids": self._ids})}.items():
            if len(values) != self._batches.instances:
                expected = f"{self._batches.instances}, one per test case"
                raise ArgumentError(f"{name} of examples", f"{len(values)} values", expected)

    def __iter__(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yields the inputs, and `labels`, `attributes` and `ids`, in order."""
        start = 0
        for inputs, labels in self._batches or ():
            rows = slice(start, start + len(labels))
            attributes = {name: values[rows] for name, values in self._columns.items()}
            ids = None if self._ids is None else self._ids[rows]
            yield inputs, {"labels": labels, "attributes": attributes, "ids": ids}
            start = rows.stop
