"""How the values of a column are distributed: what helps to write a condition about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
MOST_VALUES = 50
_BINS = 20
_LONGEST = 100


@dataclass(frozen=True)
class Distribution:
    """The values of one column over all instances of an engine.

    Attributes:
        present: Instances that have a value.
        distinct: Different values.
        values: Unless it is a number: the most frequent ones first, then by code points, with their counts; at most
            `MOST_VALUES`, none of more than 100 characters. A boolean is `true` or `false`.
        quantiles: Numbers: a share of `SHARES` of the values is at most so large (Hyndman and Fan's type 1).
        edges: Numbers: of a histogram with bins of one width; the last edge belongs to the last bin.
        counts: Numbers: values per bin.
    """

    present: int
    distinct: int
    values: tuple[tuple[str, int], ...] = ()
    quantiles: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


def text_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> Distribution:
    """Returns the distribution of texts, categories, classes or booleans."""
    found = cursor.execute(
        f"SELECT CAST(value AS VARCHAR), number, count(*) OVER (), CAST(sum(number) OVER () AS BIGINT) FROM "
        f"(SELECT {column} AS value, count(*) AS number FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}) "
        f"ORDER BY number DESC, CAST(value AS VARCHAR) LIMIT {MOST_VALUES}"
    ).fetchall()
    if not found:
        return Distribution(0, 0)
    _, _, distinct, present = found[0]
    values = tuple((value, number) for value, number, _, _ in found if len(value) <= _LONGEST)
    return Distribution(present, distinct, values)


def number_distribution(cursor: "duckdb.DuckDBPyConnection", table: str, column: str) -> Distribution:
    """Returns the distribution of numbers."""
    cursor.execute(f"SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL")
    values = np.sort(np.asarray(cursor.fetchnumpy()["value"], np.float64))
    if not len(values):
        return Distribution(0, 0)
    low, high = float(values[0]), float(values[-1])
    steps = np.linspace(0, 1, _BINS + 1)
    edges = np.unique(low * (1 - steps) + high * steps) if low < high else np.array([low, high])
    edges[0], edges[-1] = low, high
    inner = np.searchsorted(values, edges[1:-1])
    counts = np.diff([0, *inner.tolist(), len(values)])
    distinct = 1 + int(np.count_nonzero(values[1:] != values[:-1]))
    quantiles = np.quantile(values, SHARES, method="inverted_cdf")
    return Distribution(
        len(values), distinct, (), tuple(quantiles.tolist()), tuple(edges.tolist()), tuple(counts.tolist())
    )
