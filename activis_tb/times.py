"""Times as microseconds, or nanoseconds, since 1970 in UTC, and their ISO 8601 text."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXAMPLE = "'2024-01-31' or '2024-01-31 10:00:00'"

_Times = NDArray[np.datetime64]
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59.999999", "us")
_MOST_NANOSECONDS = 2**63 - 1
_PER_UNIT = {
    "W": 604_800_000_000,
    "D": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_PER_NANOSECOND = {"ns": 1, "ps": 10**3, "fs": 10**6, "as": 10**9}
_SECOND = 10**9
_WEEK = 7 * 86_400 * _SECOND
_MONDAY = 4 * 86_400 * _SECOND
_CLOCK = (
    *(factor * 10**power for power in range(9) for factor in (1, 2, 5)),
    *(seconds * _SECOND for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600)),
    *(days * 43_200 * _SECOND for days in (1, 2, 4, 14)),
)
_MONTHS = (1, 3, 6, *(12 * factor * 10**power for power in range(4) for factor in (1, 2, 5)))
_SHOWN = (("D", 86_400 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3), ("ns", 1))


class TimeRangeError(ValueError):
    """A time cannot be kept; the message says which times can."""

    def __init__(self, got: str) -> None:
        self.got = got
        super().__init__("times of the years 1 to 9999, or with nanoseconds of 1678 to 2262, none finer")


def canonical_times(values: _Times) -> _Times:
    """Returns times of any resolution, none of them missing, as datetime64[us], or as [ns] where one has nanoseconds.

    So equal times are equal, whatever their resolution was.

    Raises:
        TimeRangeError: One is too far away, or finer than nanoseconds.
    """
    unit, steps = np.datetime_data(values.dtype)
    if unit in _PER_NANOSECOND:
        per = _PER_NANOSECOND[unit]
        counts = _counts(values, _MOST_NANOSECONDS // steps) * steps
        if (counts % per).any():
            raise TimeRangeError(f"{unit}, finer than nanoseconds")
        nanoseconds = counts // per
        return nanoseconds.view("M8[ns]") if (nanoseconds % 1000).any() else (nanoseconds // 1000).view("M8[us]")
    if unit in {"Y", "M"}:
        _counts(values, 10_000 * (12 if unit == "M" else 1) // steps)
        values, unit, steps = values.astype("M8[D]"), "D", 1
    per = _PER_UNIT[unit] * steps
    times = (_counts(values, _MOST_NANOSECONDS // per) * per).view("M8[us]")
    outside = (times < _FIRST) | (times > _LAST)
    if outside.any():
        raise TimeRangeError(f"the time {times[outside][0]}")
    return times


def _counts(values: _Times, most: int) -> NDArray[np.int64]:
    """The numbers of units since 1970; raises TimeRangeError where one is larger than `most`."""
    counts = values.astype(np.int64)
    if len(outside := counts[(counts > most) | (counts < -most)]):
        raise TimeRangeError(f"the time {outside[0]} {np.datetime_data(values.dtype)[0]} after 1970")
    return counts


def times_of(nanoseconds: Sequence[int]) -> _Times:
    """Returns exact nanoseconds since 1970 as `canonical_times` does.

    Raises:
        TimeRangeError: One has nanoseconds and another is too far away for them.
    """
    if all(count % 1000 == 0 for count in nanoseconds):
        return canonical_times(np.array([count // 1000 for count in nanoseconds], np.int64).view("M8[us]"))
    if far := [count for count in nanoseconds if abs(count) > _MOST_NANOSECONDS]:
        raise TimeRangeError(f"the time {np.datetime64(far[0] // 1000, 'us')} beside nanoseconds")
    return np.array(nanoseconds, np.int64).view("M8[ns]")


def nanoseconds_of(value: date | np.datetime64) -> int:
    """Returns nanoseconds since 1970: with a time zone converted to UTC, without one as it is."""
    if isinstance(value, np.datetime64):
        (time,) = canonical_times(np.array([value]))
        return int(time.astype(np.int64)) * (1000 if np.datetime_data(time.dtype)[0] == "us" else 1)
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    finer = int(getattr(value, "nanosecond", 0))
    plain = datetime(*value.timetuple()[:6], value.microsecond)
    offset = value.utcoffset() or timedelta()
    return ((plain - _EPOCH - offset) // _MICROSECOND) * 1000 + finer


def range_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Returns the first and the last time that is kept as datetime64[us] or [ns], as numbers."""
    if dtype == np.dtype("M8[ns]"):
        return -_MOST_NANOSECONDS, _MOST_NANOSECONDS
    return int(_FIRST.astype(np.int64)), int(_LAST.astype(np.int64))


def parse_time(text: str) -> int | None:
    """Returns the nanoseconds since 1970 of an ISO 8601 date or time, without an offset in UTC; else None.

    `2024`, `2024-01`, `2024-01-31`, `2024-01-31 10:00`, `2024-01-31T10:00:00.123456789+02:00`.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    *parts, fraction, offset = match.groups()
    year, month, day, hour, minute, second = (int(part or first) for part, first in zip(parts, "011000", strict=True))
    try:
        time = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    nanoseconds = (time - _EPOCH) // _MICROSECOND * 1000 + int((fraction or "0").ljust(9, "0"))
    if offset in {None, "Z"}:
        return nanoseconds
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return nanoseconds - int(f"{offset[0]}1") * minutes * 60 * 10**9


def time_texts(values: NDArray[Any]) -> list[str]:
    """Returns times, datetime64[us] or [ns], as `parse_time` reads them, all to the finest unit that one needs."""
    counts = values.astype(np.int64)
    per = 1000 if np.datetime_data(values.dtype)[0] == "us" else 1
    shown: Any = next(name for name, nanoseconds in _SHOWN if not (counts % max(1, nanoseconds // per)).any())
    return [text.replace("T", " ") for text in np.datetime_as_string(values, unit=shown, casting="unsafe").tolist()]


def calendar_edges(low: int, high: int, most: int, finest: int = 1) -> list[int]:
    """Returns at most `most` + 1 edges of bins around times from `low` to `high`, all in nanoseconds since 1970.

    They are where calendar and clock have them: full hours, days, Mondays, months, years. The outermost are `low` or
    `high` where they would be in no year of the calendar. None is finer than `finest`.
    """
    if low == high:
        return [low, high]
    for width in _CLOCK:
        if width < finest:
            continue
        start = _MONDAY if width % _WEEK == 0 else 0
        first, last = (low - start) // width, (high - start) // width + 1
        if last - first <= most:
            return _clamped([start + step * width for step in range(first, last + 1)], low, high)
    months = [_month_of(bound) for bound in (low, high)]
    width = next(width for width in _MONTHS if months[1] // width + 1 - months[0] // width <= most)
    edges = [_start_of(step * width) for step in range(months[0] // width, months[1] // width + 2)]
    return _clamped(edges, low, high)


def _clamped(edges: list[int], low: int, high: int) -> list[int]:
    first, last = (int(bound.astype(np.int64)) * 1000 for bound in (_FIRST, _LAST))
    return [low if edges[0] < first else edges[0], *edges[1:-1], high if edges[-1] > last else edges[-1]]


def _month_of(nanoseconds: int) -> int:
    """Months since the year 0."""
    return int(np.datetime64(nanoseconds // 1000, "us").astype("M8[M]").astype(np.int64)) + 1970 * 12


def _start_of(month: int) -> int:
    return int(np.datetime64(month - 1970 * 12, "M").astype("M8[us]").astype(np.int64)) * 1000
