"""Subsets that people reach for, as conditions for `subsets=`: one per category, one per quantile.

subsets={**by_category("education", education), **by_quantile("age", 4, values=ages)}
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from activis_tb.conditions.schema import normal_form, quote_name, quote_text
from activis_tb.errors import ArgumentError

MOST_SUBSETS = 250


def by_category(attribute: str, values: Iterable[Any]) -> dict[str, str]:
    """Returns one condition per different value of an attribute: `{"education: Masters": "education = 'Masters'"}`.

    Args:
        attribute: Name of the attribute.
        values: The categories, or the whole column; each value counts once, in the order of its first coming. Texts,
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
    """Returns conditions that share out the instances by a number, `{"age <= 28": "age <= 28", ...}`.

    The borders are values that occur (Hyndman and Fan's type 1), so the parts are as equal as ties allow; a value that
    makes up several parts leaves fewer of them.

    Args:
        attribute: Name of the attribute.
        quantiles: How many parts, from 2 on: 4 gives quartiles.
        values: The attribute's values, (instances,); NaN and infinity are left out.

    Raises:
        ArgumentError: Too few or too many parts, or no finite value.
    """
    if not 2 <= quantiles <= MOST_SUBSETS:
        raise ArgumentError("quantiles", quantiles, f"2 to {MOST_SUBSETS} parts")
    numbers = np.asarray(values, np.float64).ravel()
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        raise ArgumentError("values", "no finite value", "numbers, one per instance")
    borders = np.quantile(numbers, np.arange(1, quantiles) / quantiles, method="inverted_cdf")
    inner = [_number(border) for border in np.unique(borders).tolist() if border < numbers.max()]
    column = quote_name(attribute)
    if not inner:
        return {f"{attribute} = {_number(numbers[0])}": f"{column} = {_number(numbers[0])}"}
    parts = {f"{attribute} <= {inner[0]}": f"{column} <= {inner[0]}"}
    for low, high in pairwise(inner):
        parts[f"{low} < {attribute} <= {high}"] = f"{column} > {low} AND {column} <= {high}"
    parts[f"{attribute} > {inner[-1]}"] = f"{column} > {inner[-1]}"
    return parts


def _plain(value: Any) -> Any:
    """The value as Python has it; bytes are UTF-8."""
    value = value.item() if isinstance(value, np.generic) else value
    value = value.decode() if isinstance(value, bytes) else value
    return normal_form(value) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return quote_text(value)
    raise ArgumentError("values", f"{type(value).__name__} ({value!r})", "texts, numbers or booleans", "Use str(...).")


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
