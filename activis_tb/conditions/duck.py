"""Door to DuckDB: an in-memory database without access to files or network, and its tables."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from os import cpu_count
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.schema import ColumnType, normal_form
from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute

if TYPE_CHECKING:
    import duckdb


MEMORY_LIMIT_MB = 4096
MOST_THREADS = 4

_LOCKED: Mapping[str, str] = {
    "temp_directory": "''",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "true",
    "lock_configuration": "true",
}
"""What `lock` sets, in this order, after `_DIVISION`."""

_DIVISION = ("ieee_floating_point_ops", "error_on_division_by_zero")
"""A divisor of 0 gives NULL where these are false. Which of them there is depends on DuckDB; not all are listed."""

SQL_TYPES: Mapping[ColumnType, str] = {
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "time": "BIGINT",
    "text": "VARCHAR",
    "category": "VARCHAR",
    "class": "VARCHAR",
    "image": "BOOLEAN",
    "audio": "BOOLEAN",
}


def open_database(threads: int | None = None) -> "duckdb.DuckDBPyConnection":
    """Returns a new in-memory database of bounded size; call `lock` before it sees anything a user wrote.

    Args:
        threads: How many it may use; by default a few.
    """
    import duckdb

    threads = threads or min(MOST_THREADS, cpu_count() or 1)
    # By default every database keeps 8 more threads for asynchronous I/O as long as it lives.
    return duckdb.connect(
        ":memory:", config={"threads": threads, "async_threads": 1, "memory_limit": f"{MEMORY_LIMIT_MB}MB"}
    )


def lock(connection: "duckdb.DuckDBPyConnection") -> None:
    """Takes files, network, extensions and configuration away from a database and all its cursors, for good."""
    import duckdb

    for name in _DIVISION:
        with suppress(duckdb.CatalogException):
            connection.execute(f"SET GLOBAL {name} = false").fetchall()
    for name, value in _LOCKED.items():
        connection.execute(f"SET GLOBAL {name} = {value}").fetchall()


class Columns(NamedTuple):
    """Columns in memory that DuckDB reads in place, without a copy.

    Attributes:
        arrays: What to register as `arrays`.
        query: The query that then yields the columns.
        identifiers: Of the columns in it, by name.
        cut: Identifiers of the flags that say whether a text was cut, by name of column.
        units: See `activis_tb.conditions.table.Table`.
    """

    arrays: Mapping[str, NDArray[Any]]
    query: str
    identifiers: Mapping[str, str]
    cut: Mapping[str, str]
    units: Mapping[str, int]


def as_columns(
    connection: "duckdb.DuckDBPyConnection",
    enums: dict[tuple[str, ...], str],
    columns: Iterable[Attribute],
    cut: Mapping[str, NDArray[np.bool_]],
) -> Columns:
    """Returns `columns`, by row, as a query.

    Categories become an ENUM, equal categories the same one, so that `label = predicted` compares numbers; pictures and
    sounds become booleans, whether they are present.

    Args:
        connection: Gets the new ENUMs.
        enums: Those that it has, by their categories; the new ones are added.
        columns: At least one.
        cut: See `activis_tb.conditions.instances.Instances`.
    """
    arrays: dict[str, NDArray[Any]] = {}
    selected: list[str] = []
    identifiers: dict[str, str] = {}
    units: dict[str, int] = {}
    for number, column in enumerate(columns):
        identifiers[column.name] = f"c{number}"
        value, present = f"v{number}", f"p{number}"
        complete = bool(column.present.all())
        if not complete:
            arrays[present] = np.ascontiguousarray(column.present)
        if len(set(map(normal_form, column.categories))) < len(set(column.categories)):
            column = _as_texts(column)
        if column.type == "category":
            if column.categories not in enums:
                enum = create_enum(connection, f"k{len(enums)}", column.name, column.categories)
                enums[column.categories] = enum
            kind = enums[column.categories]
            arrays[value] = np.ascontiguousarray(column.values)
            value = f"CAST(enum_range(NULL::{kind})[{value} + 1] AS {kind})"
        elif column.type in {"image", "audio"}:
            value = "TRUE"
        elif column.type == "time" or (column.type == "number" and column.values.dtype.kind in "iu"):
            units[column.name] = 1000 if column.values.dtype == "M8[us]" else 1
            whole = column.values.view(np.int64) if column.type == "time" else column.values
            arrays[value] = np.ascontiguousarray(whole)
        else:
            arrays[value] = np.ascontiguousarray(column.values)
            value = _text(value, column.values) if column.type == "text" else value
        filled = value if complete else f"CASE WHEN {present} THEN {value} END"
        selected.append(f"{filled} AS c{number}")
    flags = {name: f"u{number}" for number, name in enumerate(cut) if name in identifiers}
    arrays |= {flag: np.ascontiguousarray(cut[name]) for name, flag in flags.items()}
    query = f"SELECT {', '.join([*selected, *flags.values()])} FROM arrays"
    return Columns(arrays, query, identifiers, flags, units)


def _text(identifier: str, values: NDArray[np.object_]) -> str:
    text = f"CAST({identifier} AS VARCHAR)"
    return text if "".join(values.tolist()).isascii() else normal_form_of(text)


def _as_texts(column: Attribute) -> Attribute:
    """Texts instead of an ENUM, for categories some of which are equal in normal form."""
    texts = np.array(["", *column.categories], np.object_)[np.where(column.present, column.values + 1, 0)]
    return Attribute(column.name, "text", texts, column.present)


def normal_form_of(text: str) -> str:
    """Returns the SQL of `activis_tb.conditions.schema.normal_form`, which leaves ASCII texts alone."""
    certain = f"strlen({text}) = length({text}) OR NOT regexp_matches({text}, '[^\\x00-\\x{{2FF}}]')"
    return f"CASE WHEN {certain} THEN {text} ELSE nfc_normalize({text}) END"


def create_table(connection: "duckdb.DuckDBPyConnection", name: str, columns: Columns) -> None:
    """Copies `columns` into the new table `name`."""
    connection.register("arrays", columns.arrays)
    connection.execute(f"CREATE TABLE {name} AS {columns.query}").fetchall()
    connection.unregister("arrays")


def create_texts(
    connection: "duckdb.DuckDBPyConnection", name: str, identifier: str, values: Sequence[str | None]
) -> None:
    """Makes the table `name` of one column, with `values` in their order."""
    connection.register("texts", {"position": np.arange(len(values)), "value": np.array(values, np.object_)})
    connection.execute(
        f"CREATE TABLE {name} AS SELECT CAST(value AS VARCHAR) AS {identifier} FROM texts ORDER BY position"
    ).fetchall()
    connection.unregister("texts")


def create_enum(connection: "duckdb.DuckDBPyConnection", name: str, column: str, values: tuple[str, ...]) -> str:
    """Makes the type `name` of the values of a column, as they are compared, and returns its name.

    Raises:
        ArgumentError: A value occurs twice.
    """
    compared = tuple(map(normal_form, values))
    if len(set(compared)) == len(values):
        values = compared
    if len(set(values)) < len(values):
        raise ArgumentError(f'the categories of "{column}"', values, "each of them once")
    connection.register("names", {"position": np.arange(len(values)), "name": np.array(values, np.object_)})
    connection.execute(
        f"CREATE TYPE {name} AS ENUM (SELECT CAST(name AS VARCHAR) FROM names ORDER BY position)"
    ).fetchall()
    connection.unregister("names")
    return name
