"""The attributes of one batch as checked columns: what kind of values, and which are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import isnan
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, shorten
from activis_tb.model import AttributeType
from activis_tb.recording.arrays import as_array, check_encodable, check_rows, is_numeric
from activis_tb.recording.pictures import read_pictures
from activis_tb.recording.sounds import Audio, check_size, read_sounds
from activis_tb.storage.media import AUDIO_FORMATS, IMAGE_FORMATS, media_type

Kind = Literal["number", "boolean", "text", "image", "audio", ""]
"""What a column holds; empty as long as every value was missing."""
MEDIA_KINDS: frozenset[Kind] = frozenset({"image", "audio"})

_EMPTY: dict[Kind, Any] = {"number": 0.0, "boolean": False, "text": "", "image": b"", "audio": b"", "": None}
_PLAIN = {str, bytes, bool, int, float, type(None)}
_FORMATS: Mapping[Kind, str] = {"image": IMAGE_FORMATS, "audio": AUDIO_FORMATS}


@dataclass(frozen=True, eq=False)
class Column:
    """One attribute of some instances.

    Attributes:
        kind: What `values` holds.
        values: (instances,): float64, bool, or objects (str; bytes, Picture or Sound); where a value is missing 0,
            False or empty.
        present: bool (instances,).
    """

    kind: Kind
    values: NDArray[Any]
    present: NDArray[np.bool_]

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return self.present is _all_present(len(self.present)) or bool(self.present.all())

    def take(self, rows: NDArray[Any] | slice) -> "Column":
        """Returns the values at `rows`."""
        return Column(self.kind, self.values[rows], self.present[rows])

    def as_kind(self, kind: Kind) -> "Column":
        """Returns a column whose values are all missing as one of `kind`; another one as it is."""
        if self.kind or not kind:
            return self
        return Column(kind, *_filled([None] * len(self.values), kind))


def join_columns(columns: Sequence[Column]) -> Column:
    """Returns `columns`, of one kind where any value is present, one after the other."""
    kinds = [column.kind for column in columns if column.kind]
    kind = kinds[0] if kinds else ""
    alike = [column.as_kind(kind) for column in columns]
    values = np.concatenate([column.values for column in alike])
    return Column(kind, values, np.concatenate([column.present for column in alike]))


def missing_column(rows: int) -> Column:
    """Returns a column of `rows` missing values."""
    return Column("", *_filled([None] * rows, ""))


def read_column(name: str, value: object, rows: int, declared: AttributeType | None) -> Column:
    """Returns one attribute of a batch.

    Args:
        name: What the user calls it.
        value: (instances,) of numbers, booleans, text, or bytes: encoded pictures or sounds, or UTF-8; arrays of
            pictures, see `read_pictures`; or `Audio`. None, NaN and what is masked is missing.
        rows: Instances of the batch.
        declared: The user's word on its type; otherwise the values decide.

    Raises:
        ArgumentError: Another shape, values of different kinds, or values that do not fit `declared`.
    """
    argument = f'attributes["{name}"]'
    if type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in "iuf" and declared in {None, "number"}:
        check_rows(value, rows, argument)
        return _numbers(value)
    media = _media(value, rows, argument, declared)
    if media is not None:
        return media
    items = _items(value, rows, argument)
    if isinstance(items, list):
        if set(map(type, items)) == {str} and declared in {None, "text", "category"}:
            check_encodable(items, argument)
            return Column("text", *_filled(items, "text"))
        kind = _kind(items, argument, declared)
        items = _converted(items, kind, argument, declared)
        return Column(kind, *_filled(items, kind))
    if declared in {"text", "category"}:
        return Column("text", *_filled([number_text(item) for item in items.tolist()], "text"))
    if items.dtype.kind == "b" and declared in {None, "boolean"}:
        return Column("boolean", items.astype(np.bool_), np.ones(rows, np.bool_))
    if declared not in {None, "number"}:
        raise _misfit(argument, f"dtype {items.dtype}", declared)
    return _numbers(items)


def _numbers(items: NDArray[Any]) -> Column:
    numbers = items.astype(np.float64)
    if len(items) and (items.dtype.kind in "iu" or not np.count_nonzero(missing := np.isnan(numbers))):
        return Column("number", numbers, _all_present(len(items)))
    if not len(items) or missing.all():
        return Column("", *_filled([None] * len(items), ""))
    numbers[missing] = 0
    return Column("number", numbers, ~missing)


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
        return Column("audio", *_filled(read_sounds(value, rows, argument), "audio"))
    pictures = read_pictures(value, rows, argument) if declared in {None, "image"} else None
    return None if pictures is None else Column("image", *_filled(pictures, "image"))


def _items(value: object, rows: int, argument: str) -> list[Any] | NDArray[Any]:
    """The values as a numeric array, else as a list of objects; NumPy's byte strings would lose trailing zeros."""
    if isinstance(value, Mapping | str | bytes):
        raise ArgumentError(argument, type(value).__name__, f"{rows} values, one per instance")
    if isinstance(value, np.ma.MaskedArray):
        value = value.tolist()
    if isinstance(value, list | tuple) and not (kinds := set(map(type, value))) <= {bool, int, float}:
        check_rows(np.empty(len(value)), rows, argument)
        return list(value) if kinds <= _PLAIN else [_scalar(item) for item in value]
    array = as_array(value, argument)
    check_rows(array, rows, argument)
    if array.ndim != 1:
        raise ArgumentError(
            argument,
            f"shape {array.shape}",
            f"({rows},), one value per instance",
            "Pictures are (instances, height, width), sounds activis_tb.Audio(samples, sample_rate); spread other "
            "arrays over several attributes.",
        )
    return array if is_numeric(array) else array.tolist()


def _scalar(item: Any) -> Any:
    """What a scalar tensor of a framework holds; anything else as it is."""
    return np.asarray(item).item() if getattr(item, "ndim", None) == 0 else item


def _missing(item: Any) -> bool:
    return item is None or (isinstance(item, float) and isnan(item)) or type(item).__name__ in {"NAType", "NaTType"}


def _kind(items: Sequence[Any], argument: str, declared: AttributeType | None) -> Kind:
    kinds: dict[Kind, Any] = {}
    for item in items:
        if not _missing(item):
            kinds.setdefault(_kind_of(item, argument, declared), item)
    if len(kinds) > 1 and declared in {"text", "category"} and not MEDIA_KINDS & kinds.keys():
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
    if isinstance(item, str | date):
        return "text"
    if isinstance(item, bool):
        return "text" if declared in {"text", "category"} else "boolean"
    if isinstance(item, int | float):
        return "text" if declared in {"text", "category"} else "number"
    raise ArgumentError(
        argument,
        type(item).__name__,
        "numbers, booleans, text, pictures, or bytes of pictures, sounds or UTF-8",
        "Convert it, e.g. with str(); sounds are given as activis_tb.Audio(samples, sample_rate).",
    )


def _kind_of_bytes(item: bytes, declared: AttributeType | None) -> Kind:
    if declared == "image" or declared == "audio":
        return declared
    named = media_type(item) if declared is None else None
    if named is None:
        return "text"
    return "image" if named.startswith("image/") else "audio"


def _converted(items: Sequence[Any], kind: Kind, argument: str, declared: AttributeType | None) -> list[Any]:
    fits: dict[AttributeType | None, tuple[Kind, ...]] = {
        None: ("number", "boolean", "text", "image", "audio"),
        "number": ("number",),
        "boolean": ("boolean",),
        "text": ("text",),
        "category": ("text",),
        "image": ("image",),
        "audio": ("audio",),
    }
    if kind and kind not in fits[declared]:
        raise _misfit(argument, kind, declared)
    present = [None if _missing(item) else item for item in items]
    if kind == "text":
        return [None if item is None else _text(item, argument) for item in present]
    if kind in MEDIA_KINDS:
        for item in present:
            _check_medium(item, kind, argument)
    return present


def _check_medium(item: Any, kind: Kind, argument: str) -> None:
    if item is None:
        return
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


def _filled(items: Sequence[Any], kind: Kind) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    present = np.array([item is not None for item in items], np.bool_)
    dtype = {"number": np.float64, "boolean": np.bool_}.get(kind, np.object_)
    values: NDArray[Any] = np.full(len(items), _EMPTY[kind], dtype)
    values[present] = [item for item in items if item is not None]
    return values, present


def _misfit(argument: str, got: str, declared: AttributeType | None) -> ArgumentError:
    return ArgumentError(
        argument, got, f"{declared}, as attribute_types says", "Convert it, or change attribute_types."
    )
