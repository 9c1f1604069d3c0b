"""Parquet files of instances' columns, by DuckDB, which is imported lazily."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, StoredDataError

if TYPE_CHECKING:
    import duckdb

Kind = Literal["integer", "number", "text"]
"""What a column is asked to be."""

_INTEGERS = frozenset(f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"))
_TYPES: Mapping[Kind, frozenset[str]] = {
    "integer": _INTEGERS,
    "number": _INTEGERS | {"FLOAT", "DOUBLE"},
    "text": frozenset({"VARCHAR"}),
}
_NOTHING = '"NULL"'
_MEMORY_LIMIT_MB = 1024


def check_duckdb(argument: str, got: str) -> None:
    """Raises ArgumentError where `got` needs DuckDB, and that cannot be imported: now, not when everything is done."""
    try:
        import duckdb  # noqa: F401
    except ImportError as error:
        expected = "what needs no DuckDB, as that cannot be imported"
        raise ArgumentError(argument, got, expected, f"{error}. Reinstall it: pip install duckdb.") from error


class ParquetWriter:
    """Writer of tables that uses one thread, and leaves the others to the training."""

    def __init__(self) -> None:
        self._connection = _connect()

    def write(self, path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
        """Writes one table.

        Args:
            path: The new file.
            columns: By name (instances,): numbers, booleans, or objects (str). None, NaN and masked values become NULL.

        Raises:
            OSError: The file cannot be written.
        """
        import duckdb

        self._connection.register("instances", dict(columns))
        try:
            self._connection.execute("COPY (SELECT * FROM instances) TO ? (FORMAT parquet)", [str(path)])
        except duckdb.IOException as error:
            raise OSError(str(error)) from error
        finally:
            self._connection.unregister("instances")

    def close(self) -> None:
        """Frees what DuckDB holds."""
        self._connection.close()


def read_parquet(paths: Sequence[Path], columns: Mapping[str, Kind]) -> dict[str, np.ma.MaskedArray[Any, Any]]:
    """Returns columns of the tables in `paths`, one after the other, masked where they are NULL.

    A table may lack a column; it is NULL there.

    Args:
        paths: The files.
        columns: Expected columns by name.

    Raises:
        StoredDataError: A file is missing or damaged, no file has such a column, or it has another type.
    """
    what = f"{', '.join(columns)} from {paths[0].name} in {paths[0].parent.parent}"
    quoted = ", ".join(f'"{column}"' for column in columns)
    query = f"SELECT {quoted} FROM read_parquet(?, union_by_name = true)"
    with _reading(what) as connection:
        files = [[str(path) for path in paths]]
        for name, type_, *_ in connection.execute(f"DESCRIBE {query}", files).fetchall():
            if type_ not in _TYPES[columns[name]] | {_NOTHING}:
                message = f"Cannot read {what}: {name} is {type_}; expected {columns[name]}s. Record the step again."
                raise StoredDataError(message)
        table = connection.execute(query, files).fetchnumpy()
    return {column: np.ma.asanyarray(table[column]) for column in columns}


def read_texts(path: Path, columns: Sequence[str], rows: Sequence[int], longest: int) -> list[tuple[str, ...]]:
    """Returns the beginnings of texts in some rows of the table in `path`, empty where they are NULL.

    Args:
        path: The file.
        columns: Names.
        rows: From 0 on, ascending.
        longest: Characters of a text that are read at most.

    Raises:
        StoredDataError: The file is missing or damaged, or lacks a column or a row.
    """
    what = f"{', '.join(columns)} from {path}"
    texts = ", ".join(f"""coalesce(left(CAST("{column}" AS VARCHAR), {longest}), '')""" for column in columns)
    query = f"""SELECT {texts} FROM read_parquet(?, file_row_number = true)
        WHERE file_row_number IN (SELECT unnest(?)) ORDER BY file_row_number"""
    with _reading(what) as connection:
        found = connection.execute(query, [str(path), list(rows)]).fetchall()
    if len(found) != len(rows):
        message = f"Cannot read {what}: it has {len(found)} of {len(rows)} rows. Record the step again."
        raise StoredDataError(message)
    return found


def check_rows(paths: Sequence[Path], rows: Sequence[int]) -> None:
    """Checks the number of rows in every file's footer, before any of them is read.

    Raises:
        StoredDataError: A file is missing, damaged, or has another number of rows.
    """
    with _reading(f"{paths[0].name} in {paths[0].parent.parent}") as connection:
        query = "SELECT file_name, num_rows FROM parquet_file_metadata(?)"
        found = dict(connection.execute(query, [[str(path) for path in paths]]).fetchall())
    for path, expected in zip(paths, rows, strict=True):
        if found.get(str(path)) != expected:
            message = f"{path} has {found.get(str(path), 'no')} rows; expected {expected:,}. Record the step again."
            raise StoredDataError(message)


@contextmanager
def _reading(what: str) -> Iterator["duckdb.DuckDBPyConnection"]:
    import duckdb

    connection = _connect()
    try:
        yield connection
    except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
        message = f"Cannot read {what}: {error}"
        raise StoredDataError(message) from error
    finally:
        connection.close()


def _connect() -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        ":memory:", config={"threads": 1, "async_threads": 1, "memory_limit": f"{_MEMORY_LIMIT_MB}MB"}
    )
