"""How the values of a column are distributed: what helps to write a condition about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
        values: Unless it is a number: the most frequent ones first, then by code points, with their counts; at most
            `MOST_VALUES`, none of more than 100 characters. A boolean is `true` or `false`.
        beginnings: Of texts, the most frequent ones first; at most `MOST_BEGINNINGS`.
        quantiles: Numbers: a share of `SHARES` of the values is at most so large (Hyndman and Fan's type 1).
        edges: Numbers: of a histogram with bins of one width; the last edge belongs to the last bin.
        counts: Numbers: values per bin.
    """

    present: float
    distinct: int
    values: tuple[tuple[str, float], ...] = ()
    beginnings: tuple[Beginning, ...] = ()
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()


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
    """Returns how texts begin that are not the only ones to; arguments as of `text_distribution`."""
    rows = cursor.execute(_BEGINNINGS.format(table=table, column=column)).fetchall()
    return tuple(Beginning(*row) for row in rows)


def number_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> Distribution:
    """Returns the distribution of numbers; arguments as of `text_distribution`."""
    cursor.execute(f"SELECT {column} AS value, weight FROM {table} WHERE {column} IS NOT NULL AND weight > 0")
    found = cursor.fetchnumpy()
    order = np.argsort(found["value"], kind="stable")
    values, weights = (np.asarray(found[name], np.float64)[order] for name in ("value", "weight"))
    if not len(values):
        return Distribution(0, 0)
    low, high = float(values[0]), float(values[-1])
    steps = np.linspace(0, 1, _BINS + 1)
    edges = np.unique(low * (1 - steps) + high * steps) if low < high else np.array([low, high])
    edges[0], edges[-1] = low, high
    until = np.concatenate([[0], np.cumsum(weights)])
    inner = np.searchsorted(values, edges[1:-1])
    counts = np.diff(until[[0, *inner.tolist(), len(values)]])
    at = np.searchsorted(until[1:], np.multiply(SHARES, until[-1]) * (1 - 1e-12))
    return Distribution(
        present=float(until[-1]),
        distinct=1 + int(np.count_nonzero(values[1:] != values[:-1])),
        quantiles=tuple(values[np.minimum(at, len(values) - 1)].tolist()),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )
