"""Attributes of a batch as checked columns, and their types once all values are known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from math import isnan
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, shorten
from activis_tb.model import Attribute, AttributeType, cut_text
from activis_tb.recording.arrays import as_array, check_encodable, check_rows, is_numeric, without_nulls
from activis_tb.recording.blocks import MEDIA_KINDS, Column, Demand, Kind, all_present, empty_values, missing_column
from activis_tb.recording.media import Audio, check_size, read_pictures, read_sounds
from activis_tb.storage.metadata import AUDIO_FORMATS, IMAGE_FORMATS, media_type
from activis_tb.times import EXAMPLE, TimeRangeError, canonical_times, nanoseconds_of, parse_time, time_texts, times_of

_PLAIN = {str, bytes, bool, int, float, type(None)}
_TEXTS: frozenset[AttributeType | None] = frozenset({"text", "category"})
_FORMATS: Mapping[Kind, str] = {"image": IMAGE_FORMATS, "audio": AUDIO_FORMATS}
WIDE = 2**53
"""Up to here float64 holds every whole number."""
_LARGEST = 308
"""Float64 holds no number with more digits."""
_NOTHING: frozenset[Demand] = frozenset()
_SIGN: frozenset[Demand] = frozenset({"negative"})


def read_column(name: str, value: object, rows: int, declared: AttributeType | None) -> Column:
    """Returns one attribute of a batch.

    Args:
        name: What the user calls it.
        value: (instances,) of numbers, booleans, text, times, or bytes: encoded pictures or sounds, or UTF-8; arrays of
            pictures, see `read_pictures`; or `Audio`. None, NaN, NaT, nulls and what is masked is missing.
        rows: Instances of the batch.
        declared: Its type as the user declared it; otherwise the values decide.

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
        return Column("boolean", items.astype(np.bool_), all_present(rows))
    if declared == "boolean":
        return _truths(_numbers(items), argument)
    if declared not in {None, "number"}:
        raise _misfit(argument, f"dtype {items.dtype}", declared)
    return _numbers(items)


def _numbers(items: NDArray[Any]) -> Column:
    numbers, needs = narrowed(items)
    if len(items) and (items.dtype.kind in "iub" or not np.count_nonzero(missing := np.isnan(numbers))):
        return Column("number", numbers, all_present(len(items)), needs)
    if not len(items) or missing.all():
        return missing_column(len(items))
    numbers[missing] = 0
    return Column("number", numbers, ~missing)


def _truths(column: Column, argument: str) -> Column:
    """Numbers that were declared to be booleans."""
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
        return _spread(Column("time" if len(times) else "", times, all_present(len(times))), present)
    coarse = times.dtype == "M8[us]" and np.datetime_data(items.dtype)[0] not in {"Y", "M", "W", "ns"}
    texts = map(str, items[present].tolist()) if coarse else time_texts(times) if len(times) else ()
    return _spread(_dense("text", list(texts)), present)


def number_text(value: object) -> str | None:
    """Returns a number as the text of a category: 3 and 3.0 are the same, NaN is missing."""
    if isinstance(value, float) and isnan(value):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _media(value: object, rows: int, argument: str, declared: AttributeType | None) -> Column | None:
    """Pictures and sounds that are given as arrays; None for anything else."""
    if isinstance(value, Audio):
        if declared not in {None, "audio"}:
            raise _misfit(argument, "Audio", declared)
        return _with_gaps("audio", read_sounds(value, rows, argument))
    pictures = read_pictures(value, rows, argument) if declared in {None, "image"} else None
    return None if pictures is None else _with_gaps("image", pictures)


def _items(value: object, rows: int, argument: str, declared: AttributeType | None) -> list[Any] | NDArray[Any]:
    """The values as an array of numbers or times, else as a list of objects.

    NumPy's byte strings would lose trailing zeros, and its arrays of whole numbers beside fractions digits.
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
    """Numbers or booleans of Python as an array; None for others, or where NumPy would change a number."""
    kinds = set(map(type, values))
    if not (kinds <= {bool} or kinds <= {int, float}):
        return None
    array = np.asarray(values)
    rounded = array.dtype.kind == "f" and int in kinds and np.logical_or.reduce(np.abs(array) >= WIDE)
    return None if rounded or array.dtype.kind == "O" else array


def _plain(item: Any, argument: str, declared: AttributeType | None) -> Any:
    """The plain value of a framework's scalar, a member of an enumeration, a decimal or a UUID; others as they are."""
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
            _truths(Column("number", numbers_of(there, argument), all_present(len(there))), argument), present
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
    """A column without missing values."""
    if kind and declared is not None and kind != ("text" if declared == "category" else declared):
        raise _misfit(argument, kind, declared)
    if kind == "number":
        return Column("number", numbers_of(items, argument), all_present(len(items)))
    if kind == "time":
        return Column("time", _times(items, argument), all_present(len(items)))
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


def _dense(kind: Kind, items: list[Any]) -> Column:
    """A column without missing values."""
    values = empty_values(len(items), kind)
    values[:] = items
    return Column(kind, values, all_present(len(items)))


def _with_gaps(kind: Kind, items: Sequence[Any]) -> Column:
    """A column of objects, None where a value is missing."""
    present = np.fromiter((item is not None for item in items), np.bool_, len(items))
    return _spread(_dense(kind, [item for item in items if item is not None]), present)


def _spread(column: Column, present: NDArray[np.bool_]) -> Column:
    """A column of the present values as one of all instances."""
    if present.all():
        return column
    if not column.kind:
        return missing_column(len(present))
    values = empty_values(len(present), column.kind).astype(column.values.dtype)
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


def narrowed(values: NDArray[Any]) -> tuple[NDArray[Any], frozenset[Demand] | None]:
    """Returns real numbers as float64, unless that would change a whole one: then as int64, or uint64 beyond that.

    With them what integers demand of their type, see `demands_of`; None where that takes a look at the values.
    """
    if values.dtype.kind not in "iu" or not len(values):
        return values.astype(np.float64), None
    low, high = np.minimum.reduce(values), np.maximum.reduce(values)
    demands = _SIGN if low < 0 else _NOTHING
    if values.dtype.itemsize < 8 or (high <= WIDE and low >= -WIDE):
        return values.astype(np.float64), demands
    if not is_wide(values).any():
        return values.astype(np.float64), None
    return values.astype(np.uint64 if high >= 2**63 else np.int64), None


def is_wide(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which 64-bit integers float64 cannot hold: those of more than 53 bits without their trailing zeros."""
    magnitudes = values.view(np.uint64)
    if values.dtype.kind == "i":
        magnitudes = np.where(values < 0, ~magnitudes + np.uint64(1), magnitudes)
    lowest = magnitudes & (~magnitudes + np.uint64(1))
    return magnitudes // np.maximum(lowest, 1) >= np.uint64(WIDE)


def numbers_of(items: Sequence[int | float], argument: str) -> NDArray[Any]:
    """Returns numbers of Python as `narrowed` does.

    Raises:
        ArgumentError: A whole number that float64 cannot hold is beyond 64 bits, or beside fractions.
    """
    wide = [item for item in items if isinstance(item, int) and abs(item) > WIDE and not _is_float(item)]
    if not wide:
        return np.array(items, np.float64)
    if max(item.bit_length() for item in wide) > 1024:
        raise unlike_numbers(argument, f"a whole number of more than {_LARGEST} digits")
    if any(isinstance(item, float) and not item.is_integer() for item in items):
        raise unlike_numbers(argument, f"{wide[0]} beside fractions or infinity")
    whole = list(map(int, items))
    if min(whole) >= -(2**63) and max(whole) < 2**63:
        return np.array(whole, np.int64)
    if min(whole) >= 0 and max(whole) < 2**64:
        return np.array(whole, np.uint64)
    raise unlike_numbers(argument, f"the whole numbers {min(whole)} to {max(whole)}")


def check_room(values: NDArray[Any], argument: str) -> None:
    """Raises ArgumentError where a long double is a whole number, or of a size, that float64 cannot hold."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 8:
        return
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float64)
    changed = (numbers != values) & np.isfinite(values) & ((np.rint(values) == values) | np.isinf(numbers))
    if changed.any():
        raise unlike_numbers(argument, f"the long double {values[changed][0]}")


def _is_float(number: int) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False


def unlike_numbers(argument: str, got: str) -> ArgumentError:
    """Returns the error for numbers that no single type holds."""
    name = argument.partition('"')[2].partition('"')[0] or argument
    return ArgumentError(
        argument,
        got,
        "numbers that float64 holds, or whole numbers of 64 bits alone (whole numbers beyond 2^53 are kept exactly)",
        f'To keep every digit, record them as text: attribute_types={{"{name}": "text"}}.',
    )


def decimal_number(value: Decimal, argument: str) -> int | float:
    """Returns a decimal as the number it is written as; raises ArgumentError where digits would be lost."""
    if not value.is_finite():
        return np.nan if value.is_nan() else float(value)
    if value.adjusted() > _LARGEST:
        raise unlike_numbers(argument, f"the decimal {value:.3e}")
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise unlike_numbers(argument, f"the decimal {value}")
    return number


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
    """Returns the sampled values of one attribute with their type: the declared one, else the one that they have.

    Categories are in alphabetical order, so that every step of a run with the same values has the same ones.
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
    """Numbers and times in the type that the sampled ones demand, whatever the others were."""
    if column.kind == "number":
        return narrowed(column.values)[0]
    return canonical_times(column.values) if column.kind == "time" else column.values


def _are_categories(distinct: Sequence[str]) -> bool:
    return 0 < len(distinct) <= MOST_CATEGORIES and max(map(len, distinct)) <= LONGEST_CATEGORY


def _cut(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    cut = texts.copy()
    cut[:] = [cut_text(text) for text in texts]
    return cut
