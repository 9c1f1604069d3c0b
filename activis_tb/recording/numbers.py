"""Numbers as float64, or as 64-bit integers where some whole number is none of float64's."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError

Demand = str
"""What the values of a column need: `exact` integers, or room for a `fraction`, for a `negative` one, for one `beyond`
int64; `nanoseconds`, or years too `far` for them."""

WIDE = 2**53
"""Up to here every whole number is one of float64's."""
_ROOM = 2.0**64


def narrowed(values: NDArray[Any]) -> NDArray[Any]:
    """Returns real numbers as float64, unless that would change a whole one: then as int64, or uint64 beyond that."""
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8 or not _has_wide(values):
        return values.astype(np.float64)
    fits = values.dtype.kind == "i" or values.max() < 2**63
    return values.astype(np.int64 if fits else np.uint64)


def _has_wide(values: NDArray[Any]) -> bool:
    if not len(values) or (np.maximum.reduce(values) <= WIDE and np.minimum.reduce(values) >= -WIDE):
        return False
    return bool(is_wide(values).any())


def is_wide(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which 64-bit integers are no float64: those with more than 53 digits in base 2, trailing zeros aside."""
    magnitudes = values.view(np.uint64)
    if values.dtype.kind == "i":
        magnitudes = np.where(values < 0, ~magnitudes + np.uint64(1), magnitudes)
    lowest = magnitudes & (~magnitudes + np.uint64(1))
    return magnitudes // np.maximum(lowest, 1) >= np.uint64(WIDE)


def numbers_of(items: Sequence[int | float], argument: str) -> NDArray[Any]:
    """Returns numbers of Python as `narrowed` does.

    Raises:
        ArgumentError: A whole number that is none of float64's is beyond 64 bits, or beside fractions.
    """
    wide = [item for item in items if isinstance(item, int) and abs(item) > WIDE and not _is_float(item)]
    if not wide:
        return np.array(items, np.float64)
    if any(isinstance(item, float) and not item.is_integer() for item in items):
        raise unlike_numbers(argument, f"{wide[0]} beside fractions or infinity")
    whole = list(map(int, items))
    if min(whole) >= -(2**63) and max(whole) < 2**63:
        return np.array(whole, np.int64)
    if min(whole) >= 0 and max(whole) < 2**64:
        return np.array(whole, np.uint64)
    raise unlike_numbers(argument, f"the whole numbers {min(whole)} to {max(whole)}")


def _is_float(number: int) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False


def unlike_numbers(argument: str, got: str) -> ArgumentError:
    """Returns the error for numbers that no one type keeps."""
    name = argument.partition('"')[2].partition('"')[0] or argument
    return ArgumentError(
        argument,
        got,
        "numbers that float64 holds, or whole numbers of 64 bits alone (whole numbers beyond 2^53 are kept exactly)",
        f'To keep every digit, record them as text: attribute_types={{"{name}": "text"}}.',
    )


def decimal_number(value: Decimal, argument: str) -> int | float:
    """Returns a decimal as the number it is written as; raises ArgumentError where that has more digits than kept."""
    if not value.is_finite():
        return float(value)
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise unlike_numbers(argument, f"the decimal {value}")
    return number


def joined_numbers(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Returns numbers one after the other; whole floats become integers beside integers (see `demands_of`)."""
    types = {part.dtype for part in parts}
    if len(types) > 1:
        target = np.uint64 if np.dtype(np.uint64) in types else np.int64
        parts = [part.astype(target) for part in parts]
    return np.concatenate(parts)


def demands_of(values: NDArray[Any], known: frozenset[Demand]) -> frozenset[Demand]:
    """Returns what numbers need of their type, `known` of earlier ones included."""
    if not len(values) or (values.dtype.kind == "f" and "fraction" in known):
        return known
    low, high = np.minimum.reduce(values), np.maximum.reduce(values)
    found = {"negative"} if low < 0 else set()
    if values.dtype.kind != "f":
        found |= {"exact"} | ({"beyond"} if high >= 2**63 else set())
    elif low < -(2.0**63) or high >= _ROOM or np.logical_or.reduce(np.rint(values) != values):
        found |= {"fraction"}
    elif high >= 2.0**63:
        found |= {"beyond"}
    return known | found


def clash(demands: Iterable[Demand]) -> str:
    """Returns what no one type keeps, in words; empty where there is nothing of the kind."""
    needed = set(demands)
    if {"exact", "fraction"} <= needed:
        return "whole numbers beyond 2^53 beside fractions or infinity"
    if {"exact", "negative", "beyond"} <= needed:
        return "whole numbers from 2^63 on beside negative ones"
    return "times with nanoseconds beside years before 1678 or after 2262" if {"nanoseconds", "far"} <= needed else ""
