"""Tables of instances in DuckDB, with dictionary encoding of repeated texts and paced, interruptible scans.

DuckDB looks for an interruption only between blocks of 2,048 rows, and a hostile pattern may search less than 0.1 MB
per second. So the first piece is small and its speed is measured; the rest is scanned at once if a block takes no
longer than `MOST_BLOCK_SECONDS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.duck import MEMORY_LIMIT_MB, SQL_TYPES, create_enum, create_texts, normal_form_of
from activis_tb.conditions.instances import StoredColumn, StoredInstances
from activis_tb.conditions.sql import Query
from activis_tb.conditions.tree import Column, Computed, Expression, Junction, Match, Neuron, ScoreOf, parts_of
from activis_tb.errors import StoredDataError

if TYPE_CHECKING:
    import duckdb


BLOCK_ROWS = 2048
MOST_BLOCK_SECONDS = 0.05
_FIRST_BYTES = 4096
_GROWTH = 16


class Pacing:
    """Division of a scan into pieces, by the measured speed.

    Args:
        rows: How many there are.
        block_bytes: Bytes searched in each block of `BLOCK_ROWS` rows, (blocks,).
    """

    def __init__(self, rows: int, block_bytes: NDArray[np.int64]) -> None:
        self._rows = rows
        self._edges = np.minimum(np.arange(len(block_bytes) + 1) * BLOCK_ROWS, rows)
        self._bytes = np.concatenate([[0], np.cumsum(block_bytes)])
        self._largest_block = int(block_bytes.max(initial=0))
        self._budget = float(_FIRST_BYTES)

    def stop(self, start: int) -> int:
        """Returns where the piece that begins at row `start` ends."""
        if self._largest_block <= self._budget:
            return self._rows
        reached = np.interp(self._before(start) + self._budget, self._bytes, self._edges)
        return min(max(start + 1, int(reached)), self._rows)

    def learn(self, start: int, stop: int, seconds: float) -> None:
        """Updates the measured speed by the time that a piece took."""
        searched = max(self._before(stop) - self._before(start), 1.0)
        fitting = MOST_BLOCK_SECONDS * searched / max(seconds, 1e-6)
        self._budget = min(fitting, self._budget * _GROWTH)

    def _before(self, row: int) -> float:
        return float(np.interp(row, self._edges, self._bytes))


@dataclass(frozen=True, eq=False)
class Table:
    """Rows that conditions are evaluated over.

    Attributes:
        name: Name in the database; or a query over `arrays`.
        rows: How many there are.
        columns: Identifiers by name of column.
        arrays: The columns, each (rows,), if they are not in the database.
        cut: Identifiers of the flags of cut texts, by name of column; the other columns have whole texts.
        units: By name of a column of whole numbers, BIGINT or UBIGINT, its unit: for times nanoseconds (since 1970),
            for whole numbers 1.
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
            go_on: Called after each piece; raises when the time is over.
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
        """Returns the members of several expressions from one scan."""
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


MOST_DISTINCT = 50_000
FEWEST_REPEATS = 8
"""On average, for which looking up is worth it."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Dictionary encoding of one column.

    Attributes:
        values: A row for every value, and a last one for NULL.
        codes: The row of every instance's value, uint16 (instances,).
    """

    values: Table
    codes: NDArray[np.uint16]


def share_out(
    expression: Expression, dictionaries: Mapping[str, Dictionary]
) -> tuple[dict[str, Expression], Expression | None]:
    """Splits a condition into parts that concern one of the `dictionaries` alone, by column, and the rest.

    The outermost AND or OR of the condition joins the parts; NULL counts as false in each.
    """
    operands = expression.operands if isinstance(expression, Junction) else (expression,)
    shares: dict[str | None, list[Expression]] = {}
    for operand in operands:
        name = _only_column(operand)
        shares.setdefault(name if name in dictionaries else None, []).append(operand)
    joined = {name: _join(expression, share) for name, share in shares.items()}
    return {name: share for name, share in joined.items() if name is not None}, joined.get(None)


def _only_column(expression: Expression) -> str | None:
    parts = list(parts_of(expression))
    names = {part.name for part in parts if isinstance(part, Column)}
    computed = any(isinstance(part, Neuron | ScoreOf) for part in parts)
    return names.pop() if len(names) == 1 and not computed else None


def _join(whole: Expression, share: list[Expression]) -> Expression:
    return Junction(whole.operator, tuple(share)) if isinstance(whole, Junction) and len(share) > 1 else share[0]


_EPOCHS = {"TIMESTAMP": ("epoch_us", 1000), "TIMESTAMP_NS": ("epoch_ns", 1)}
"""What makes a whole number of a time, and how many nanoseconds 1 of it is."""
_FILES = "read_parquet(?, union_by_name = true)"
_LEAST_MB = 512
_BYTES_PER_VALUE = 64
_UNPACKED = 4
"""By how much a file's size may grow, beyond what every value takes."""


def load_table(
    connection: "duckdb.DuckDBPyConnection", schema: str, stored: StoredInstances
) -> tuple[Table, dict[str, Dictionary]]:
    """Creates a table from Parquet files; texts that repeat get a dictionary, by name of column.

    Raises:
        StoredDataError: A file is missing or damaged, or has other instances than expected.
    """
    import duckdb

    try:
        return _load(connection, schema, stored)
    except duckdb.Error as error:
        message = f"Cannot read the stored instances in {stored.paths[0].parent.parent}: {error}"
        raise StoredDataError(message) from error


def _load(
    connection: "duckdb.DuckDBPyConnection", schema: str, stored: StoredInstances
) -> tuple[Table, dict[str, Dictionary]]:
    connection.execute(f"SET GLOBAL memory_limit = '{_memory_limit(stored)}MB'").fetchall()
    connection.execute(f"CREATE SCHEMA {schema}").fetchall()
    classes = create_enum(connection, f"{schema}.k", "label", stored.classes)
    distinct = _repeating_values(connection, stored)
    identifiers = {column.name: f"c{number}" for number, column in enumerate(stored.columns)}
    types = {
        name: create_enum(connection, f"{schema}.k{identifiers[name]}", name, values)
        for name, values in distinct.items()
    }
    exact = _whole_numbers(connection, stored)
    selected = [
        f"{value.sql if (value := exact.get(column.name)) else _stored_value(column, classes, types.get(column.name))} "
        f"AS {identifiers[column.name]}"
        for column in stored.columns
    ]
    select = f"SELECT {', '.join(selected)} FROM {_FILES}"
    units = {name: value.unit for name, value in exact.items()}
    table = Table(f"{schema}.instances", stored.rows, identifiers, units=units)
    connection.execute(f"CREATE TABLE {table.name} AS {select}", [_paths(stored)]).fetchall()
    _check_order(connection, table, stored)
    return table, {name: _dictionary(connection, table, name, values) for name, values in distinct.items()}


def _memory_limit(stored: StoredInstances) -> int:
    """Returns the memory limit of the table and its queries in megabytes: a small file can unpack to any size."""
    size = sum(path.stat().st_size for path in stored.paths if path.exists())
    needed = _BYTES_PER_VALUE * stored.rows * len(stored.columns) + _UNPACKED * size
    return min(MEMORY_LIMIT_MB, _LEAST_MB + needed // 2**20)


class _Whole(NamedTuple):
    """A column of times or whole numbers as BIGINT or UBIGINT; see `units` of `Table`."""

    sql: str
    unit: int


def _whole_numbers(connection: "duckdb.DuckDBPyConnection", stored: StoredInstances) -> dict[str, _Whole]:
    """The columns that are not DOUBLE, by name; in a file whose values all fit they are DOUBLE nevertheless."""
    described = connection.execute(f"DESCRIBE SELECT * FROM {_FILES}", [_paths(stored)]).fetchall()
    types = {name: kind for name, kind, *_ in described}
    found: dict[str, _Whole] = {}
    for column in stored.columns:
        if column.type == "time" and column.source:
            function, unit = _EPOCHS.get(types.get(column.source, ""), ("", 0))
            if not unit:
                message = (
                    f"Column {column.source} has {types.get(column.source)}; expected times. Record the step again."
                )
                raise StoredDataError(message)
            found[column.name] = _Whole(f'{function}("{column.source}")', unit)
        elif column.whole:
            found[column.name] = _Whole(_as_whole(connection, column, stored), 1)
    return found


def _as_whole(connection: "duckdb.DuckDBPyConnection", column: StoredColumn, stored: StoredInstances) -> str:
    parts = [f'CAST("{name}" AS HUGEINT)' for name in (column.whole, column.source) if name]
    value = f"coalesce({', '.join(parts)})"
    bounds = f"SELECT coalesce(min({value}), 0) < 0 FROM {_FILES}"
    ((signed,),) = connection.execute(bounds, [_paths(stored)]).fetchall()
    return f"CAST({value} AS {'BIGINT' if signed else 'UBIGINT'})"


def _check_order(connection: "duckdb.DuckDBPyConnection", table: Table, stored: StoredInstances) -> None:
    index = table.columns["index"]
    found = connection.execute(f"SELECT count(*), count(*) FILTER ({index} = rowid) FROM {table.name}").fetchall()
    if found != [(stored.rows, stored.rows)]:
        message = (
            f"{stored.paths[0].parent.parent} has {found[0][0]:,} instances, {found[0][1]:,} of them in their place; "
            f"expected {stored.rows:,}. It is damaged; record the step again."
        )
        raise StoredDataError(message)


def _repeating_values(connection: "duckdb.DuckDBPyConnection", stored: StoredInstances) -> dict[str, tuple[str, ...]]:
    """The distinct values of the columns that are worth a dictionary, by name."""
    texts = [column for column in stored.columns if column.type in {"text", "category"} and column.source]
    if not texts:
        return {}
    counted = ", ".join(f'approx_count_distinct("{column.source}")' for column in texts)
    counts = connection.execute(f"SELECT {counted} FROM {_FILES}", [_paths(stored)]).fetchall()[0]
    most = min(MOST_DISTINCT, stored.rows // FEWEST_REPEATS)
    return {
        column.name: _distinct(connection, column, stored)
        for column, count in zip(texts, counts, strict=True)
        if 0 < count <= most
    }


def _distinct(
    connection: "duckdb.DuckDBPyConnection", column: StoredColumn, stored: StoredInstances
) -> tuple[str, ...]:
    value = normal_form_of(f'CAST("{column.source}" AS VARCHAR)')
    found = connection.execute(
        f"SELECT DISTINCT {value} AS value FROM {_FILES} WHERE value IS NOT NULL ORDER BY value",
        [_paths(stored)],
    ).fetchall()
    return tuple(value for (value,) in found)


def _dictionary(
    connection: "duckdb.DuckDBPyConnection", table: Table, name: str, values: tuple[str, ...]
) -> Dictionary:
    identifier = table.columns[name]
    schema = table.name.partition(".")[0]
    found = connection.execute(
        f"SELECT CAST(coalesce(enum_code({identifier}), {len(values)}) AS USMALLINT) AS code FROM {table.name}"
    ).fetchnumpy()
    different = Table(f"{schema}.d{identifier}", len(values) + 1, {name: identifier})
    create_texts(connection, different.name, identifier, (*values, None))
    return Dictionary(different, np.asarray(found["code"], np.uint16))


def _stored_value(column: StoredColumn, classes: str, repeating: str | None) -> str:
    """The SQL of one stored column in the form of `create_table`: classes and repeating texts as ENUMs."""
    source = f'"{column.source}"'
    match column:
        case StoredColumn("correct"):
            return '("label" = "predicted" AND "label" >= 0)'
        case StoredColumn(source=None):
            return f"CAST(NULL AS {SQL_TYPES[column.type]})"
        case StoredColumn(type="class"):
            return f"CAST(enum_range(NULL::{classes})[{source} + 1] AS {classes})"
        case StoredColumn(type="number"):
            number = f"CAST({source} AS DOUBLE)"
            known = f"isfinite({number})" if column.name == "score" else f"NOT isnan({number})"
            return f"CASE WHEN {known} THEN {number} END"
        case _:
            value = f"CAST({source} AS {SQL_TYPES[column.type]})"
            value = normal_form_of(value) if column.type in {"text", "category"} else value
            return f"CAST({value} AS {repeating})" if repeating else value


def _paths(stored: StoredInstances) -> list[str]:
    return [str(path) for path in stored.paths]
