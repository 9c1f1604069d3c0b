"""Selections of instances, for subsets and to be always kept: by a condition, a function of the batch, or ids."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import SubsetKind
from activis_tb.recording.blocks import MEDIA_KINDS, Column
from activis_tb.recording.identity import id_text
from activis_tb.recording.media import Picture, Sound
from activis_tb.storage.parquet import check_duckdb

BatchFunction = Callable[[Mapping[str, NDArray[Any]]], Any]
_WIDEST_TEXTS = 2**26


@dataclass(frozen=True, eq=False)
class Selection:
    """A set of instances: the members of a subset, or those that are always kept.

    Attributes:
        argument: Where the user wrote it, for messages.
        kind: `condition`, `function` or `ids`.
        condition: Text that `activis_tb.recording.conditions` evaluates.
        function: Of a batch; returns which instances are members.
        ids: Those asked for.
        found: Those of them that have come.
    """

    argument: str
    kind: SubsetKind
    condition: str = ""
    function: BatchFunction | None = None
    ids: frozenset[str] = frozenset()
    found: set[str] = field(default_factory=set)

    @property
    def unseen(self) -> list[str]:
        """The ids that were asked for and have not come, in alphabetical order."""
        return sorted(self.ids - self.found)

    def members(self, ids: NDArray[np.object_], view: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Returns which instances of a batch are members by the function or the ids, bool (instances,).

        Raises:
            ArgumentError: The function's result is not one boolean per instance. What it raises itself passes through,
                with a note that lists the columns.
        """
        if self.function is None:
            return np.fromiter((identity in self.ids for identity in ids), np.bool_, len(ids))
        try:
            result = self.function(view)
            result = result if type(result) is np.ndarray else np.ma.filled(result, False)
        except Exception as error:
            error.add_note(f"Raised by {self.argument}; its batch has the columns {', '.join(sorted(view))}.")
            raise
        if result.shape != ids.shape or result.dtype != np.bool_:
            raise ArgumentError(
                f"the result of {self.argument}",
                f"{result.dtype} of shape {result.shape}",
                f"one boolean per instance, shape {ids.shape}",
                'Return a comparison of a column, e.g. batch["score"] < 0.6; combine several by & and |.',
            )
        return result


def read_selection(argument: str, value: object) -> Selection:
    """Returns the selection that a user wrote as `argument`: a condition, a function of the batch, or ids.

    Raises:
        ArgumentError: It is none of them, or a text that is no condition, whatever the attributes are.
    """
    if isinstance(value, str):
        from activis_tb.conditions import ConditionError, check_syntax

        try:
            check_syntax(value)
        except ConditionError as error:
            raise refused_condition(argument, value, error) from error
        check_duckdb(argument, f"the condition {value!r}")
        return Selection(argument, "condition", condition=value)
    if callable(value):
        return Selection(argument, "function", function=value)
    if isinstance(value, Mapping | bytes) or not isinstance(value, Iterable):
        expected = "a condition, a function of the batch, or a list of ids"
        raise ArgumentError(argument, type(value).__name__, expected)
    return Selection(argument, "ids", ids=frozenset(id_text(item, argument) for item in value))


def refused_condition(argument: str, text: str, error: Exception) -> ArgumentError:
    """Returns the error for `text`, given as `argument`, that is no condition; `error` says why."""
    expected = "a condition over the attributes and outcomes (for ids, write a list of them)"
    return ArgumentError(argument, f"the text {text!r}", expected, str(error))


class BatchView(Mapping[str, NDArray[Any]]):
    """View of a batch for a selection's function: read-only arrays of one value per instance, made when accessed.

    Numbers are float64 with NaN where the value is missing, whole ones beyond 2^53 integers, masked there; times are
    datetime64 with NaT; texts are NumPy strings, empty where missing (objects where the longest is too long for that);
    pictures and sounds are objects as they were given, arrays or bytes.

    Args:
        outcomes: By name, a function that makes the column; it is called at most once.
        attributes: By name.
    """

    def __init__(self, outcomes: Mapping[str, Callable[[], NDArray[Any]]], attributes: Mapping[str, Column]) -> None:
        attribute_columns = {name: partial(_seen_values, column) for name, column in attributes.items()}
        self._makers: dict[str, Callable[[], NDArray[Any]]] = {**outcomes, **attribute_columns}
        self._made: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._made:
            values = self._makers[name]().view()
            values.flags.writeable = False
            self._made[name] = values
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _seen_values(column: Column) -> NDArray[Any]:
    values = column.values
    if column.kind in {"number", "time"} and not column.complete:
        if values.dtype.kind in "iu":
            return np.ma.masked_array(values, ~column.present)
        return np.where(column.present, values, np.array("NaT" if column.kind == "time" else "NaN", values.dtype))
    if column.kind == "text" and 4 * len(values) * max(map(len, values), default=0) <= _WIDEST_TEXTS:
        return values.astype(np.str_)
    if column.kind in MEDIA_KINDS:
        return np.fromiter(map(_as_given, values), np.object_, len(values))
    return values


def _as_given(value: bytes | Picture | Sound) -> Any:
    if isinstance(value, bytes):
        return value
    return value.pixels if isinstance(value, Picture) else value.samples
