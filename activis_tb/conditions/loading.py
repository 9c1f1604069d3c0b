"""Stored instances as a table: read from Parquet files once, before the database is locked."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from activis_tb.conditions.database import MEMORY_LIMIT_MB, SQL_TYPES, create_enum, create_texts, normal_form_of
from activis_tb.conditions.dictionaries import FEWEST_REPEATS, MOST_DISTINCT, Dictionary
from activis_tb.conditions.instances import StoredColumn, StoredInstances
from activis_tb.conditions.table import Table
from activis_tb.errors import StoredDataError

if TYPE_CHECKING:
    import duckdb

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
    """Makes the like of `create_table` from Parquet files; texts that repeat get a dictionary, by name of column.

    Raises:
        StoredDataError: A file is not there or damaged, or the instances are not those that there should be.
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
    """Returns the megabytes that the table and questions about it may take: a small file can unpack to any size."""
    size = sum(path.stat().st_size for path in stored.paths if path.exists())
    needed = _BYTES_PER_VALUE * stored.rows * len(stored.columns) + _UNPACKED * size
    return min(MEMORY_LIMIT_MB, _LEAST_MB + needed // 2**20)


class _Whole(NamedTuple):
    """A column of times or whole numbers as BIGINT or UBIGINT; see `units` of `Table`."""

    sql: str
    unit: int


def _whole_numbers(connection: "duckdb.DuckDBPyConnection", stored: StoredInstances) -> dict[str, _Whole]:
    """The columns that are no DOUBLE, by name; a file in which one has no such values has it as DOUBLE all the same."""
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
    """The different values of the columns that repeat them often enough, by name."""
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
    """The value of one column as `create_table` would have it, a class or a repeating text as one of an ENUM."""
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
