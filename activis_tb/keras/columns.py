"""Attributes and ids beside the data: columns of one value per instance, in its order."""

from collections.abc import Mapping
from typing import Any

from activis_tb.errors import ArgumentError


class Columns:
    """Columns that go with the data by position.

    Args:
        attributes: By name, (instances,): a mapping, or a data frame of pandas or polars; None for none.
        ids: (instances,), or None.
        argument: How a message calls one of them, around its name.
        per: What there is one value per.

    Raises:
        ArgumentError: A column cannot be looked up by position.
    """

    def __init__(self, attributes: Any, ids: Any, argument: str = "{}", per: str = "instance of x") -> None:
        self._attributes = _named(attributes)
        self._ids = ids
        self._per = per
        self._given = {
            argument.format(f'attributes["{name}"]'): values for name, values in self._attributes.items()
        } | ({} if ids is None else {argument.format("ids"): ids})
        for name, values in self._given.items():
            if isinstance(values, str | bytes) or not (hasattr(values, "__len__") and hasattr(values, "__getitem__")):
                raise ArgumentError(name, type(values).__name__, f"an array or a list, one value per {per}")

    def __bool__(self) -> bool:
        return bool(self._given)

    def __str__(self) -> str:
        return " and ".join(([] if not self._attributes else ["attributes"]) + ([] if self._ids is None else ["ids"]))

    def rows(self, rows: slice) -> dict[str, Any]:
        """Returns `ids`, where there are some, and `attributes` of the instances at `rows`, for `process`."""
        ids = {} if self._ids is None else {"ids": _at(self._ids, rows)}
        return ids | {"attributes": {name: _at(values, rows) for name, values in self._attributes.items()}}

    def check_length(self, instances: int, *, more: bool = False) -> None:
        """Raises ArgumentError where a column has not one value for each of so many instances.

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
    """Returns values by position, whatever index a column of pandas has."""
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]
