"""Test cases of the user's own, put through the model as the data is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches
from activis_tb.keras.columns import Columns
from activis_tb.recording.settings import ClassArgument

ExampleData = (
    tuple[Any, Any] | tuple[Any, Any, Mapping[str, Any]] | tuple[Any, Any, Mapping[str, Any], Sequence[str | int]]
)
"""Inputs and expected labels as for the data, and perhaps attributes by name, and ids."""


class Examples:
    """The same test cases, however often they are walked through.

    Args:
        data: `(x, y)`, `(x, y, attributes)` or `(x, y, attributes, ids)`; None for no test cases.
        batch_size: Instances per forward pass.
        classes: As of `activis_tb.preprocess`.

    Raises:
        ArgumentError: It is something else, or its parts are of different lengths.
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
