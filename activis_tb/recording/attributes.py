"""Attributes of a batch as checked columns, and their types once all values are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from math import isnan
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, shorten
from activis_tb.model import Attribute, AttributeType, cut_text
from activis_tb.recording.arrays import (
    WIDE,
    Demand,
    as_array,
    check_encodable,
    check_room,
    check_rows,
    decimal_number,
    demands_of,
    is_numeric,
    joined_numbers,
    narrowed,
    numbers_of,
    without_nulls,
)
from activis_tb.recording.media import Audio, check_size, read_pictures, read_sounds
from activis_tb.storage.metadata import AUDIO_FORMATS, IMAGE_FORMATS, media_type
from activis_tb.times import EXAMPLE, TimeRangeError, canonical_times, nanoseconds_of, parse_time, time_texts, times_of

Kind = Literal["number", "boolean", "text", "time", "image", "audio", ""]
"""What a column holds; empty as long as every value was missing."""
MEDIA_KINDS: frozenset[Kind] = frozenset({"image", "audio"})

_EMPTY: dict[Kind, Any] = {"text": "", "image": b"", "audio": b"", "": None}
_DTYPES: dict[Kind, str] = {"number": "f8", "boolean": "?", "time": "M8[us]"}
_PLAIN = {str, bytes, bool, int, float, type(None)}
_TEXTS: frozenset[AttributeType | None] = frozenset({"text", "category"})
_FORMATS: Mapping[Kind, str] = {"image": IMAGE_FORMATS, "audio": AUDIO_FORMATS}
_NEAR = np.array(["1678-01-01", "2262-01-01"], "M8[us]")
"""Between these, times may have nanoseconds."""


@dataclass(frozen=True, eq=False)
class Column:
    """One attribute of some instances.

    Attributes:
        kind: What `values` holds.
        values: (instances,): float64, or int64 or uint64 where that holds more; bool; datetime64[us] or [ns]; or
            objects (str; bytes, Picture or Sound); where a value is missing 0, False or empty.
        present: bool (instances,).
        needs: What the values need of their type, where that is known already.
    """

    kind: Kind
    values: NDArray[Any]
    present: NDArray[np.bool_]
    needs: frozenset[Demand] | None = None

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return self.present is _all_present(len(self.present)) or bool(self.present.all())

    def take(self, rows: NDArray[Any] | slice) -> "Column":
        """Returns the values at `rows`."""
        return Column(self.kind, self.values[rows], self.present[rows])

    def as_kind(self, kind: Kind) -> "Column":
        """Returns a column whose values are all missing as one of `kind`; another one as it is."""
        return self if self.kind or not kind else missing_column(len(self.values), kind)

    def demands(self, known: frozenset[Demand] = frozenset()) -> frozenset[Demand]:
        """Returns what the values, and the earlier ones that `known` tells of, need of their type."""
        if self.needs is not None:
            return known if self.needs <= known else known | self.needs
        if self.kind == "number":
            return demands_of(self.values, known)
        if self.kind != "time":
            return known
        if self.values.dtype == "M8[ns]":
            return known | {"nanoseconds"}
        return known | {"far"} if ((self.values < _NEAR[0]) | (self.values > _NEAR[1])).any() else known


def join_columns(columns: Sequence[Column]) -> Column:
    """Returns `columns`, of one kind where any value is present, one after the other."""
    kinds = [column.kind for column in columns if column.kind]
    kind = kinds[0] if kinds else ""
    parts = [column.as_kind(kind).values for column in columns]
    values = joined_numbers(parts) if kind == "number" else np.concatenate(parts)
    return Column(kind, values, np.concatenate([column.present for column in columns]))


def missing_column(rows: int, kind: Kind = "") -> Column:
    """Returns a column of `rows` missing values."""
    return Column(kind, _nothing(rows, kind), np.zeros(rows, np.bool_))


def read_column(name: str, value: object, rows: int, declared: AttributeType | None) -> Column:
    """Returns one attribute of a batch.

    Args:
        name: What the user calls it.
        value: (instances,) of numbers, booleans, text, times, or bytes: encoded pictures or sounds, or UTF-8; arrays of
            pictures, see `read_pictures`; or `Audio`. None, NaN, NaT, nulls and what is masked is missing.
        rows: Instances of the batch.
        declared: The user's word on its type; otherwise the values decide.

    Raises:
        ArgumentError: Another shape, values of different kinds, or values that do not fit `declared` or cannot be kept.
    """
    argument = f'attributes["{name}"]'
    if type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in "iuf" and declared in {None, "number"}:
        check_rows(value, rows, argument)
        check_room(value, argument)
        return _numbers(value)
    media = _media(value, rows, argument, declared)
    if media is not None:
        return media
    split = without_nulls(value)
    if split is None:
        return _read(value, rows, argument, declared)
    values, present = split
    check_rows(present, rows, argument)
    return _spread(_read(values, len(values), argument, declared), present)


def _read(value: object, rows: int, argument: str, declared: AttributeType | None) -> Column:
    items = _items(value, rows, argument, declared)
    try:
        if isinstance(items, list):
            return _of_list(items, argument, declared)
        if items.dtype.kind in "Mm":
            return _of_times(items, argument, declared)
    except TimeRangeError as error:
        raise ArgumentError(argument, error.got, str(error), "Give those as text, or leave them out.") from error
    if declared in _TEXTS:
        return _of_list([number_text(item) for item in items.tolist()], argument, declared)
    if items.dtype.kind == "b" and declared in {None, "boolean"}:
        return Column("boolean", items.astype(np.bool_), _all_present(rows))
    if declared == "boolean":
        return _truths(_numbers(items), argument)
    if declared not in {None, "number"}:
        raise _misfit(argument, f"dtype {items.dtype}", declared)
    return _numbers(items)


def _numbers(items: NDArray[Any]) -> Column:
    numbers, needs = narrowed(items)
    if len(items) and (items.dtype.kind in "iub" or not np.count_nonzero(missing := np.isnan(numbers))):
        return Column("number", numbers, _all_present(len(items)), needs)
    if not len(items) or missing.all():
        return missing_column(len(items))
    numbers[missing] = 0
    return Column("number", numbers, ~missing)


def _truths(column: Column, argument: str) -> Column:
    """Numbers that were declared booleans."""
    if not np.isin(column.values, (0, 1)).all():
        raise _misfit(argument, "numbers other than 0 and 1", "boolean")
    return Column("boolean", column.values.astype(np.bool_), column.present) if column.kind else column


def _of_times(items: NDArray[Any], argument: str, declared: AttributeType | None) -> Column:
    if items.dtype.kind == "m":
        raise _durations(argument, f"dtype {items.dtype}")
    if declared not in {None, "time", *_TEXTS}:
        raise _misfit(argument, f"dtype {items.dtype}", declared)
    present = ~np.isnat(items)
    times = canonical_times(items[present]) if present.any() else np.empty(0, "M8[us]")
    if declared not in _TEXTS:
        return _spread(Column("time" if len(times) else "", times, _all_present(len(times))), present)
    coarse = times.dtype == "M8[us]" and np.datetime_data(items.dtype)[0] not in {"Y", "M", "W", "ns"}
    texts = map(str, items[present].tolist()) if coarse else time_texts(times) if len(times) else ()
    return _spread(_dense("text", list(texts)), present)


@lru_cache(maxsize=8)
def _all_present(rows: int) -> NDArray[np.bool_]:
    """As many True, read-only: most columns miss nothing."""
    present = np.ones(rows, np.bool_)
    present.flags.writeable = False
    return present


def number_text(value: object) -> str | None:
    """Returns a number as the text of a category: 3 and 3.0 are the same, NaN is missing."""
    if isinstance(value, float) and isnan(value):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _media(value: object, rows: int, argument: str, declared: AttributeType | None) -> Column | None:
    """Pictures and sounds that are given as arrays; None where the value is something else."""
    if isinstance(value, Audio):
        if declared not in {None, "audio"}:
            raise _misfit(argument, "Audio", declared)
        return _with_gaps("audio", read_sounds(value, rows, argument))
    pictures = read_pictures(value, rows, argument) if declared in {None, "image"} else None
    return None if pictures is None else _with_gaps("image", pictures)


def _items(value: object, rows: int, argument: str, declared: AttributeType | None) -> list[Any] | NDArray[Any]:
    """The values as an array of numbers or times, else as a list of objects.

    NumPy's byte strings would lose trailing zeros, and its arrays of whole and other numbers digits.
    """
    if isinstance(value, Mapping | str | bytes):
        raise ArgumentError(argument, type(value).__name__, f"{rows} values, one per instance")
    numbers = _numbers_of(value) if isinstance(value, list | tuple) else None
    if isinstance(value, list | tuple) and numbers is None:
        check_rows(np.empty(len(value)), rows, argument)
        return list(value) if set(map(type, value)) <= _PLAIN else [_plain(item, argument, declared) for item in value]
    array = as_array(value, argument) if numbers is None else numbers
    check_rows(array, rows, argument)
    if array.ndim != 1:
        raise ArgumentError(
            argument,
            f"shape {array.shape}",
            f"({rows},), one value per instance",
            "Pictures are (instances, height, width), sounds activis_tb.Audio(samples, sample_rate); spread other "
            "arrays over several attributes.",
        )
    if is_numeric(array) or array.dtype.kind in "Mm":
        return array
    return [item if type(item) in _PLAIN else _plain(item, argument, declared) for item in array.tolist()]


def _numbers_of(values: Sequence[Any]) -> NDArray[Any] | None:
    """Numbers or booleans of Python as an array; None for others, or where NumPy would make other numbers of them."""
    kinds = set(map(type, values))
    if not (kinds <= {bool} or kinds <= {int, float}):
        return None
    array = np.asarray(values)
    rounded = array.dtype.kind == "f" and int in kinds and np.logical_or.reduce(np.abs(array) >= WIDE)
    return None if rounded or array.dtype.kind == "O" else array


def _plain(item: Any, argument: str, declared: AttributeType | None) -> Any:
    """What a scalar of a framework, a member of an enumeration, a decimal or a UUID stands for; else itself."""
    if getattr(item, "ndim", None) == 0:
        item = np.asarray(item)[()]
        item = item if isinstance(item, np.datetime64 | np.timedelta64) else item.item()
    elif hasattr(item, "as_py"):  # a scalar of Arrow
        item = item.as_py()
    if isinstance(item, Enum):
        return item.value if isinstance(item, str | int | float) else item.name
    if isinstance(item, Decimal):
        return str(item) if declared == "text" and item.is_finite() else decimal_number(item, argument)
    return str(item) if isinstance(item, UUID) else item


def _missing(item: Any) -> bool:
    if isinstance(item, np.datetime64 | np.timedelta64):
        return bool(np.isnat(item))
    return item is None or (isinstance(item, float) and isnan(item)) or type(item).__name__ in {"NAType", "NaTType"}


def _of_list(items: list[Any], argument: str, declared: AttributeType | None) -> Column:
    if set(map(type, items)) == {str} and declared in {None, *_TEXTS}:
        check_encodable(items, argument)
        return _dense("text", items)
    present = np.fromiter((not _missing(item) for item in items), np.bool_, len(items))
    there = items if present.all() else [item for item in items if not _missing(item)]
    kind = _kind(there, argument, declared)
    if declared == "boolean" and kind == "number":
        return _spread(
            _truths(Column("number", numbers_of(there, argument), _all_present(len(there))), argument), present
        )
    return _spread(_converted(there, kind, argument, declared), present)


def _kind(items: Sequence[Any], argument: str, declared: AttributeType | None) -> Kind:
    kinds: dict[Kind, Any] = {}
    for item in items:
        kinds.setdefault(_kind_of(item, argument, declared), item)
    if len(kinds) > 1 and declared in _TEXTS and not MEDIA_KINDS & kinds.keys():
        return "text"
    if len(kinds) > 1:
        examples = " and ".join(f"{kind} ({shorten(item, 40)!s})" for kind, item in kinds.items())
        raise ArgumentError(
            argument, examples, "values of one kind", "Convert them, or give None where a value is missing."
        )
    return next(iter(kinds), "")


def _kind_of(item: Any, argument: str, declared: AttributeType | None) -> Kind:
    if isinstance(item, bytes):
        return _kind_of_bytes(item, declared)
    if isinstance(item, str):
        return "time" if declared == "time" else "text"
    kinds: tuple[tuple[Any, Kind], ...] = (((date, np.datetime64), "time"), (bool, "boolean"), ((int, float), "number"))
    for types, kind in kinds:
        if isinstance(item, types):
            return "text" if declared in _TEXTS else kind
    if isinstance(item, timedelta | np.timedelta64):
        raise _durations(argument, type(item).__name__)
    raise ArgumentError(
        argument,
        type(item).__name__,
        "numbers, booleans, text, times, pictures, or bytes of pictures, sounds or UTF-8",
        "Convert it, e.g. with str(); sounds are given as activis_tb.Audio(samples, sample_rate).",
    )


def _kind_of_bytes(item: bytes, declared: AttributeType | None) -> Kind:
    if declared == "image" or declared == "audio":
        return declared
    named = media_type(item) if declared is None else None
    if named is None:
        return "text"
    return "image" if named.startswith("image/") else "audio"


def _converted(items: list[Any], kind: Kind, argument: str, declared: AttributeType | None) -> Column:
    """A column of values that are all there."""
    if kind and declared is not None and kind != ("text" if declared == "category" else declared):
        raise _misfit(argument, kind, declared)
    if kind == "number":
        return Column("number", numbers_of(items, argument), _all_present(len(items)))
    if kind == "time":
        return Column("time", _times(items, argument), _all_present(len(items)))
    if kind == "text":
        items = [_text(item, argument) for item in items]
    elif kind in MEDIA_KINDS:
        for item in items:
            _check_medium(item, kind, argument)
    return _dense(kind, items)


def _times(items: list[Any], argument: str) -> NDArray[Any]:
    if len({item.tzinfo is None for item in items if isinstance(item, datetime)}) > 1:
        raise ArgumentError(argument, "times with and without a time zone", "the same of all", "Convert them to UTC.")
    nanoseconds = [parse_time(item) if isinstance(item, str) else nanoseconds_of(item) for item in items]
    if None in nanoseconds:
        wrong = items[nanoseconds.index(None)]
        raise ArgumentError(argument, f"the text {wrong!r}", f"times of ISO 8601, e.g. {EXAMPLE}", "Convert it.")
    return times_of([time for time in nanoseconds if time is not None])


def _check_medium(item: Any, kind: Kind, argument: str) -> None:
    if not (media_type(item) or "").startswith(kind):
        raise ArgumentError(argument, item[:20], f"bytes that begin as {_FORMATS[kind]}", "Encode every value.")
    if kind == "audio":
        check_size(item, argument)


def _text(item: Any, argument: str) -> str:
    try:
        text = item.decode() if isinstance(item, bytes) else number_text(item) or ""
        text.encode()
    except UnicodeError as error:
        raise ArgumentError(
            argument,
            item[:20],
            f"UTF-8 text, or the bytes of a picture ({IMAGE_FORMATS}) or a sound ({AUDIO_FORMATS})",
            "Decode it with its own encoding first.",
        ) from error
    return text


def _nothing(rows: int, kind: Kind) -> NDArray[Any]:
    return np.zeros(rows, _DTYPES[kind]) if kind in _DTYPES else np.full(rows, _EMPTY[kind], np.object_)


def _dense(kind: Kind, items: list[Any]) -> Column:
    """A column of values that are all there."""
    values = _nothing(len(items), kind)
    values[:] = items
    return Column(kind, values, _all_present(len(items)))


def _with_gaps(kind: Kind, items: Sequence[Any]) -> Column:
    """A column of objects, None where a value is missing."""
    present = np.fromiter((item is not None for item in items), np.bool_, len(items))
    return _spread(_dense(kind, [item for item in items if item is not None]), present)


def _spread(column: Column, present: NDArray[np.bool_]) -> Column:
    """A column of the values that are there as one of all instances."""
    if present.all():
        return column
    if not column.kind:
        return missing_column(len(present))
    values = _nothing(len(present), column.kind).astype(column.values.dtype)
    values[present] = column.values
    spread = np.zeros(len(present), np.bool_)
    spread[present] = column.present
    return Column(column.kind, values, spread)


def _durations(argument: str, got: str) -> ArgumentError:
    way_out = "Give numbers with the unit in the name, e.g. durations / np.timedelta64(1, 's') as seconds."
    return ArgumentError(argument, got, "numbers, texts or times, as a duration has no type of its own", way_out)


def _misfit(argument: str, got: str, declared: AttributeType | None) -> ArgumentError:
    return ArgumentError(
        argument, got, f"{declared}, as attribute_types says", "Convert it, or change attribute_types."
    )


MOST_CATEGORIES = 100
LONGEST_CATEGORY = 100
"""A text attribute with at most so many distinct values in the sample, none with more characters, is a category,
unless the user says otherwise."""

TYPE_OF_KIND: dict[Kind, AttributeType] = {
    "number": "number",
    "boolean": "boolean",
    "text": "text",
    "time": "time",
    "image": "image",
    "audio": "audio",
    "": "text",
}
KIND_OF_TYPE: dict[AttributeType, Kind] = {
    "number": "number",
    "boolean": "boolean",
    "text": "text",
    "category": "text",
    "time": "time",
    "image": "image",
    "audio": "audio",
}


def typed_attribute(name: str, column: Column, declared: AttributeType | None) -> Attribute:
    """Returns the sampled values of one attribute with their type: the declared one, else the one they show.

    Categories are in alphabetical order, so that every step of a run has the same ones as long as the values are.
    """
    kind = KIND_OF_TYPE[declared] if declared else column.kind or "text"
    filled = column.as_kind(kind)
    if kind == "text":
        filled = replace(filled, values=_cut(filled.values))
    if kind == "text" and declared != "text":
        distinct = sorted(set(filled.values[filled.present]))
        if declared == "category" or _are_categories(distinct):
            codes = {value: code for code, value in enumerate(distinct)}
            values = np.fromiter((codes.get(value, -1) for value in filled.values), np.int32, len(filled.values))
            values[~filled.present] = -1
            return Attribute(name, "category", values, filled.present, tuple(distinct))
    return Attribute(name, declared or TYPE_OF_KIND[kind], _fitted(filled), filled.present)


def _fitted(column: Column) -> NDArray[Any]:
    """Numbers and times in the type that the sampled ones need, whatever those beside them were."""
    if column.kind == "number":
        return narrowed(column.values)[0]
    return canonical_times(column.values) if column.kind == "time" else column.values


def _are_categories(distinct: Sequence[str]) -> bool:
    return 0 < len(distinct) <= MOST_CATEGORIES and max(map(len, distinct)) <= LONGEST_CATEGORY


def _cut(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    cut = texts.copy()
    cut[:] = [cut_text(text) for text in texts]
    return cut
