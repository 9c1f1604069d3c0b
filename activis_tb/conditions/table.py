"""A table of a database, and which of its rows a checked tree holds for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.expression import Column, Computed, Expression, Match, parts_of
from activis_tb.conditions.pacing import BLOCK_ROWS, Pacing
from activis_tb.conditions.query import Query

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, eq=False)
class Table:
    """Rows that conditions are evaluated over.

    Attributes:
        name: In the database; or a query over `arrays`.
        rows: How many there are.
        columns: Identifiers by name of column.
        arrays: Where the columns are read from if not from the database, each (rows,).
        cut: Identifiers of whether only the beginning of a text was kept, by name of column; of the others all was.
        units: By name of a column of whole numbers, BIGINT or UBIGINT, how much 1 is: of times, in nanoseconds (since
            1970); of numbers that are no floats, 1.
    """

    name: str
    rows: int
    columns: Mapping[str, str]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    cut: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
    _text_bytes: dict[str, NDArray[np.int64]] = field(default_factory=dict, init=False)

    def members(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        expression: Expression,
        values: Mapping[Computed, NDArray[np.floating[Any]]],
        go_on: Callable[[], None],
    ) -> NDArray[np.bool_]:
        """Returns which rows `expression` holds for, bool (rows,); not those for which it is NULL.

        Args:
            cursor: Of the calling thread alone.
            expression: A condition.
            values: Of neurons and class scores, each (rows,).
            go_on: Called after each piece; raises where there is no more time.
        """
        queries, arrays = self._queries([expression], values)
        pacing = Pacing(self.rows, self._searched_bytes(cursor, expression))
        found = np.empty(self.rows, np.bool_)
        start = 0
        while start < self.rows:
            stop, began = pacing.stop(start), perf_counter()
            (found[start:stop],) = self._evaluate(cursor, queries, arrays, start, stop)
            pacing.learn(start, stop, perf_counter() - began)
            start = stop
            go_on()
        return found

    def source(self, cursor: "duckdb.DuckDBPyConnection", start: int = 0, stop: int | None = None) -> str:
        """Returns what stands after FROM in a query of `cursor` about the rows from `start` to `stop`."""
        if self.arrays:
            cursor.register("arrays", {name: array[start:stop] for name, array in self.arrays.items()})
            return f"({self.name})"
        if stop is None or (start, stop) == (0, self.rows):
            return self.name
        return f"(SELECT * FROM {self.name} WHERE rowid >= {start:d} AND rowid < {stop:d})"

    def members_of_each(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        expressions: Sequence[Expression],
        values: Mapping[Computed, NDArray[np.floating[Any]]],
    ) -> list[NDArray[np.bool_]]:
        """Returns the like of `members` for several expressions, in one go."""
        return self._evaluate(cursor, *self._queries(expressions, values), 0, self.rows)

    def _queries(
        self, expressions: Sequence[Expression], values: Mapping[Computed, NDArray[np.floating[Any]]]
    ) -> tuple[list[Query], dict[str, NDArray[np.floating[Any]]]]:
        names = {part: f"n{number}" for number, part in enumerate(values)}
        queries = [Query(expression, self.columns, names, self.cut, self.units) for expression in expressions]
        return queries, {names[part]: array for part, array in values.items()}

    def _evaluate(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        queries: Sequence[Query],
        arrays: Mapping[str, NDArray[np.floating[Any]]],
        start: int,
        stop: int,
    ) -> list[NDArray[np.bool_]]:
        source = self.source(cursor, start, stop)
        parameters = [parameter for query in queries for parameter in query.parameters]
        if arrays:
            cursor.register("computed", {name: array[start:stop] for name, array in arrays.items()})
            source = f"{source} POSITIONAL JOIN computed"
        members = ", ".join(f"({query.sql}) IS TRUE AS m{number}" for number, query in enumerate(queries))
        cursor.execute(f"SELECT {members} FROM {source}", parameters)
        found = cursor.fetchnumpy()
        return [np.asarray(found[f"m{number}"], np.bool_) for number in range(len(queries))]

    def _searched_bytes(self, cursor: "duckdb.DuckDBPyConnection", expression: Expression) -> NDArray[np.int64]:
        """UTF-8 bytes that the patterns search in each block of rows, int64 (blocks,)."""
        matches = [part.operand for part in parts_of(expression) if isinstance(part, Match)]
        names = {operand.name for operand in matches if isinstance(operand, Column) and not self.arrays}
        return sum((self._bytes_of(cursor, name) for name in names), np.zeros(-(-self.rows // BLOCK_ROWS), np.int64))

    def _bytes_of(self, cursor: "duckdb.DuckDBPyConnection", name: str) -> NDArray[np.int64]:
        if name not in self._text_bytes:
            text = f"CAST({self.columns[name]} AS VARCHAR)"
            cursor.execute(
                f"SELECT CAST(sum(strlen({text})) AS BIGINT) AS size FROM {self.name} "
                f"GROUP BY rowid // {BLOCK_ROWS} ORDER BY rowid // {BLOCK_ROWS}"
            )
            self._text_bytes[name] = np.ma.filled(cursor.fetchnumpy()["size"], 0)
        return self._text_bytes[name]
