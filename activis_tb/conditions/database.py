"""The door to DuckDB: one connection in memory that can reach nothing, and the tables in it."""

from collections.abc import Iterable, Mapping
from os import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

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
    "ieee_floating_point_ops": "false",
    "error_on_division_by_zero": "false",
    "preserve_insertion_order": "true",
    "lock_configuration": "true",
}
"""In this order. A divisor of 0 gives NULL: one setting says so in DuckDB 1, another one in DuckDB 2."""


def open_database() -> "duckdb.DuckDBPyConnection":
    """Returns a new database in memory: no files, no network, no extensions, no configuration, bounded memory."""
    import duckdb

    threads = min(MOST_THREADS, cpu_count() or 1)
    connection = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": f"{MEMORY_LIMIT_MB}MB"})
    known = {name for (name,) in connection.execute("SELECT name FROM duckdb_settings()").fetchall()}
    for name, value in _LOCKED.items():
        if name in known:
            connection.execute(f"SET {name} = {value}").fetchall()
    return connection


def create_table(connection: "duckdb.DuckDBPyConnection", schema: str, columns: Iterable[Attribute]) -> dict[str, str]:
    """Makes the table `<schema>.instances` of `columns`, by row, and returns their identifiers by name.

    Categories become an ENUM, equal categories the same one, so that `label = predicted` compares numbers; of pictures
    and sounds there is only whether they are present.
    """
    connection.execute(f"CREATE SCHEMA {schema}").fetchall()
    arrays: dict[str, Any] = {}
    types: dict[tuple[str, ...], str] = {}
    selected: list[str] = []
    identifiers: dict[str, str] = {}
    for number, column in enumerate(columns):
        identifiers[column.name] = f"c{number}"
        value, present = f"v{number}", f"p{number}"
        arrays[present] = np.ascontiguousarray(column.present)
        if column.type == "category":
            if column.categories not in types:
                types[column.categories] = _create_enum(connection, f"{schema}.k{number}", column)
            kind = types[column.categories]
            arrays[value] = np.ascontiguousarray(column.values)
            value = f"CAST(enum_range(NULL::{kind})[{value} + 1] AS {kind})"
        elif column.type in {"image", "audio"}:
            value = "TRUE"
        else:
            arrays[value] = np.ascontiguousarray(column.values)
            value = f"CAST({value} AS VARCHAR)" if column.type == "text" else value
        selected.append(f"CASE WHEN {present} THEN {value} END AS c{number}")
    connection.register("arrays", arrays)
    connection.execute(f"CREATE TABLE {schema}.instances AS SELECT {', '.join(selected)} FROM arrays").fetchall()
    connection.unregister("arrays")
    return identifiers


def _create_enum(connection: "duckdb.DuckDBPyConnection", name: str, column: Attribute) -> str:
    if len(set(column.categories)) < len(column.categories):
        raise ArgumentError(f'the categories of "{column.name}"', column.categories, "each of them once")
    connection.register(
        "names", {"position": np.arange(len(column.categories)), "name": np.array(column.categories, np.object_)}
    )
    connection.execute(
        f"CREATE TYPE {name} AS ENUM (SELECT CAST(name AS VARCHAR) FROM names ORDER BY position)"
    ).fetchall()
    connection.unregister("names")
    return name
