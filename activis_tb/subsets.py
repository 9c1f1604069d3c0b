"""Common subsets as conditions for `subsets=`: one per category, one per quantile.

subsets={**by_category("education", education), **by_quantile("age", 4, values=ages)}
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from activis_tb.conditions.schema import normal_form, quote_name, quote_text
from activis_tb.errors import ArgumentError
from activis_tb.times import canonical_times, nanoseconds_of, time_texts, times_of

MOST_SUBSETS = 250


def by_category(attribute: str, values: Iterable[Any]) -> dict[str, str]:
    """Returns one condition per different value of an attribute: `{"education: Masters": "education = 'Masters'"}`.

    Args:
        attribute: Name of the attribute.
        values: The categories, or the whole column; each value counts once, in the order of first occurrence. Texts,
            numbers or booleans, as they are recorded and compared (NFC); None and NaN are left out.

    Raises:
        ArgumentError: There is no value, more than 250 different ones, or one that cannot be compared.
    """
    distinct = dict.fromkeys(_plain(value) for value in values if value is not None)
    found = [value for value in distinct if value == value]
    if not 0 < len(found) <= MOST_SUBSETS:
        way_out = "Give those that matter, or use by_quantile for numbers." if found else ""
        raise ArgumentError("values", f"{len(found):,} different values", f"1 to {MOST_SUBSETS}", way_out)
    column = quote_name(attribute)
    return {f"{attribute}: {_shown(value)}": f"{column} = {_written(value)}" for value in found}


def by_quantile(attribute: str, quantiles: int, *, values: ArrayLike) -> dict[str, str]:
    """Returns conditions that divide the instances by a number or a time, `{"age <= 28": "age <= 28", ...}`.

    The borders are observed values (Hyndman and Fan's type 1), so the parts are as equal as ties allow; a value that
    makes up several parts leaves fewer of them.

    Args:
        attribute: Name of the attribute.
        quantiles: How many parts, from 2 on: 4 gives quartiles.
        values: The attribute's values, (instances,); NaN, NaT and infinity are left out.

    Raises:
        ArgumentError: Too few or too many parts, or no finite value.
    """
    if not 2 <= quantiles <= MOST_SUBSETS:
        raise ArgumentError("quantiles", quantiles, f"2 to {MOST_SUBSETS} parts")
    ordered, written = _ordered(values)
    if not len(ordered):
        raise ArgumentError("values", "no finite value", "numbers or times, one per instance")
    # The smallest value that at least this share of the values does not exceed.
    at = -(-np.arange(1, quantiles) * len(ordered) // quantiles) - 1
    inner = [written(border) for border in np.unique(ordered[at]) if border < ordered[-1]]
    column = quote_name(attribute)
    if not inner:
        only = written(ordered[0])
        return {f"{attribute} = {_unquoted(only)}": f"{column} = {only}"}
    parts = {f"{attribute} <= {_unquoted(inner[0])}": f"{column} <= {inner[0]}"}
    for low, high in pairwise(inner):
        parts[f"{_unquoted(low)} < {attribute} <= {_unquoted(high)}"] = f"{column} > {low} AND {column} <= {high}"
    parts[f"{attribute} > {_unquoted(inner[-1])}"] = f"{column} > {inner[-1]}"
    return parts


def _ordered(values: ArrayLike) -> tuple[NDArray[Any], Callable[[Any], str]]:
    """The known and finite values in ascending order, and how conditions write one of them."""
    array = np.asarray(values).ravel()
    if array.dtype == np.object_ and isinstance(array[0] if len(array) else None, date):
        array = times_of([nanoseconds_of(time) for time in array if time == time])
    if array.dtype.kind == "M":
        times = np.sort(canonical_times(array[~np.isnat(array)]))
        return times, lambda time: quote_text(_time_text([nanoseconds_of(time)]))
    if array.dtype.kind not in "iu":
        array = array.astype(np.float64)
        array = array[np.isfinite(array)]
    return np.sort(array), lambda number: _written(number.item())


def _time_text(nanoseconds: Sequence[int]) -> str:
    return time_texts(times_of(nanoseconds))[0]


def _unquoted(written: str) -> str:
    return written.strip("'")


def _plain(value: Any) -> Any:
    """The value as Python has it; bytes are UTF-8."""
    value = value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value
    value = value.decode() if isinstance(value, bytes) else value
    return normal_form(value) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _unquoted(_written(value))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) else _number(value)
    if isinstance(value, date | np.datetime64):
        return quote_text(_time_text([nanoseconds_of(value)]))
    if isinstance(value, str):
        return quote_text(value)
    raise ArgumentError(
        "values", f"{type(value).__name__} ({value!r})", "texts, numbers, times or booleans", "Use str(...)."
    )


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
