"""Test cases of the user's own, put through the model as the data is."""

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches

ExampleData = tuple[Any, Any] | tuple[Any, Any, Mapping[str, Any]]
"""Inputs and expected labels as for the data, and perhaps attributes by name."""


class Examples:
    """The same test cases, however often they are walked through.

    Args:
        data: `(x, y)` or `(x, y, attributes)`; None for no test cases.
        batch_size: Instances per forward pass.
        classes: Number of classes.

    Raises:
        ArgumentError: It is something else, or its parts are of different lengths.
    """

    def __init__(self, data: ExampleData | None, batch_size: int, classes: int) -> None:
        self._batches: Batches | None = None
        self._attributes: Mapping[str, Any] = {}
        if data is None:
            return
        if not isinstance(data, tuple) or len(data) not in {2, 3} or data[1] is None:
            raise ArgumentError("examples", type(data).__name__, "a tuple (x, y) or (x, y, attributes)")
        self._attributes = data[2] if len(data) == 3 else {}
        self._batches = Batches(data[0], data[1], batch_size, classes)
        for name, values in self._attributes.items():
            if len(values) != self._batches.instances:
                got, expected = f"{len(values)} values", f"{self._batches.instances}, one per test case"
                raise ArgumentError(f'attributes["{name}"] of examples', got, expected)

    def __iter__(self) -> Iterator[tuple[Any, NDArray[Any], dict[str, Any]]]:
        """Yields (inputs, labels, attributes), in order."""
        start = 0
        for inputs, labels in self._batches or ():
            rows = slice(start, start + len(labels))
            yield inputs, labels, {name: values[rows] for name, values in self._attributes.items()}
            start = rows.stop
