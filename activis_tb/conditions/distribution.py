"""Distribution of a column's values, as the completion and the Fields panel show it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.grammar import WIDE
from activis_tb.times import calendar_edges

if TYPE_CHECKING:
    import duckdb

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
MOST_VALUES = 50
MOST_BEGINNINGS = 40
_BINS = 20
_LONGEST = 100

_BEGINNINGS = f"""
WITH longest AS (
    SELECT start, fsum(weight) AS number FROM (
        SELECT regexp_extract(CAST({{column}} AS VARCHAR), '^[^ %_]+ ([^ %_]+ )?') AS start, weight FROM {{table}}
    ) WHERE start <> '' AND weight > 0 GROUP BY start
), shorter_too AS (
    SELECT unnest(list_distinct([start, regexp_extract(start, '^[^ ]+ ')])) AS start, number FROM longest
), counted AS (
    SELECT start, round(fsum(number), 6) AS number FROM shorter_too GROUP BY start
), in_either_case AS (
    SELECT start, number, sum(number) OVER (PARTITION BY lower(start)) AS either_case FROM counted
)
SELECT start, number, either_case FROM in_either_case
WHERE either_case > 1 AND strlen(start) <= {_LONGEST} ORDER BY number DESC, start LIMIT {MOST_BEGINNINGS}
"""


@dataclass(frozen=True)
class Beginning:
    """The first one or two words of texts, with the space after them.

    Attributes:
        text: `What is `; never with a character that has a meaning in patterns.
        count: Texts that begin so.
        either_case: Texts that begin so or in another case.
    """

    text: str
    count: float
    either_case: float


@dataclass(frozen=True)
class Distribution:
    """The values of one column over all instances of an engine; counts are sums of their weights.

    Attributes:
        present: Instances that have a value.
        distinct: Different values.
        values: Unless it is a number or a time: the most frequent ones first, then by code points, with their counts;
            at most `MOST_VALUES`, none of more than 100 characters. A boolean is `true` or `false`. Of numbers, the
            infinite ones, `inf` and `-inf`.
        beginnings: Of texts, the most frequent ones first; at most `MOST_BEGINNINGS`.
        quantiles: Of numbers and times (nanoseconds since 1970), the quantiles at `SHARES`
            (Hyndman and Fan's type 1).
        edges: Of a histogram of the finite values; the last edge belongs to the last bin. Bins of numbers have equal
            width, those of times follow the calendar.
        counts: Values per bin.
        whole: Whether the finite values are whole numbers that doubles tell apart, and so are the edges; of several
            values, the last edge is above all.
    """

    present: float
    distinct: int
    values: tuple[tuple[str, float], ...] = ()
    beginnings: tuple[Beginning, ...] = ()
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()
    whole: bool = False


def text_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> Distribution:
    """Returns the distribution of texts, categories, classes or booleans.

    Args:
        cursor: Of the calling thread alone.
        table: What stands after FROM; it has a column `weight`.
        column: Identifier.
    """
    found = cursor.execute(
        f"SELECT CAST(value AS VARCHAR), number, count(*) OVER (), sum(number) OVER () FROM "
        f"(SELECT {column} AS value, round(fsum(weight), 6) AS number FROM {table} "
        f"WHERE {column} IS NOT NULL AND weight > 0 GROUP BY {column}) "
        f"ORDER BY number DESC, CAST(value AS VARCHAR) LIMIT {MOST_VALUES}"
    ).fetchall()
    if not found:
        return Distribution(0, 0)
    _, _, distinct, present = found[0]
    values = tuple((value, number) for value, number, _, _ in found if len(value) <= _LONGEST)
    return Distribution(present, distinct, values)


def beginnings(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> tuple[Beginning, ...]:
    """Returns the beginnings that several texts share; arguments as of `text_distribution`."""
    rows = cursor.execute(_BEGINNINGS.format(table=table, column=column)).fetchall()
    return tuple(Beginning(*row) for row in rows)


def number_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> Distribution:
    """Returns the distribution of numbers; arguments as of `text_distribution`."""
    values, until = _ordered(cursor, table, column)
    finite = values[np.isfinite(values)]
    if not _are_whole(finite):
        return _distribution(values, until, _even_edges(finite))
    edges = _whole_edges(int(finite[0]), int(finite[-1]))
    return replace(_distribution(values.astype(np.float64), until, edges), whole=True)


def time_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str, *, unit: int) -> Distribution:
    """Returns the distribution of times, in nanoseconds since 1970, of which one in the column is `unit`."""
    values, until = _ordered(cursor, table, column)
    if not len(values):
        return Distribution(0, 0)
    edges = calendar_edges(int(values[0]) * unit, int(values[-1]) * unit, _BINS, unit)
    found = _distribution(values, until, [edge // unit for edge in edges])
    return replace(found, quantiles=tuple(int(value) * unit for value in found.quantiles), edges=tuple(edges))


def _ordered(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The values in ascending order, and the cumulative weights."""
    cursor.execute(f"SELECT {column} AS value, weight FROM {table} WHERE {column} IS NOT NULL AND weight > 0")
    found = cursor.fetchnumpy()
    values = np.asarray(found["value"])
    order = np.argsort(values, kind="stable")
    return values[order], np.cumsum(np.asarray(found["weight"], np.float64)[order])


def _are_whole(values: NDArray[Any]) -> bool:
    """Whether these finite values in ascending order are whole numbers that doubles tell apart."""
    if not len(values) or max(abs(values[0].item()), abs(values[-1].item())) >= WIDE:
        return False
    return values.dtype.kind != "f" or bool(np.all(values == np.rint(values)))


def _whole_edges(low: int, high: int) -> list[float]:
    """Edges of bins that each hold as many whole numbers, so that no bin is fuller by its width."""
    if low == high:
        return [low, high]
    width = -(-(high - low + 1) // _BINS)
    bins = (high - low) // width + 1
    return [low + width * position for position in range(bins + 1)]


def _even_edges(values: NDArray[Any]) -> list[float]:
    """Edges of bins of equal width over finite values in ascending order."""
    if not len(values):
        return []
    low, high = values[0].item(), values[-1].item()
    if low == high:
        return [low, high]
    if values.dtype.kind != "f":
        return sorted({low + (high - low) * step // _BINS for step in range(_BINS + 1)})
    steps = np.linspace(0, 1, _BINS + 1)
    edges = np.unique(low * (1 - steps) + high * steps).tolist()
    return [low, *edges[1:-1], high]


def _distribution(values: NDArray[Any], until: NDArray[np.float64], edges: Sequence[float]) -> Distribution:
    if not len(values):
        return Distribution(0, 0)
    bounds = np.searchsorted(values, np.array(edges, values.dtype))
    if len(bounds):
        bounds[-1] = np.searchsorted(values, values.dtype.type(edges[-1]), side="right")
    before = np.concatenate([[0], until])
    at = np.searchsorted(until, np.multiply(SHARES, until[-1]) * (1 - 1e-12))
    ends = (("-inf", before[bounds[0]]), ("inf", until[-1] - before[bounds[-1]])) if len(bounds) else ()
    return Distribution(
        present=float(until[-1]),
        distinct=1 + int(np.count_nonzero(values[1:] != values[:-1])),
        values=tuple((name, float(count)) for name, count in ends if count > 0),
        quantiles=tuple(values[np.minimum(at, len(values) - 1)].tolist()),
        edges=tuple(edges),
        counts=tuple(np.diff(before[bounds]).tolist()),
    )
