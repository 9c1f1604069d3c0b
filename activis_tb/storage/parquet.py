"""Columns of instances as Parquet files and back, by DuckDB, which is loaded when it is needed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, StoredDataError

if TYPE_CHECKING:
    import duckdb


def check_duckdb(argument: str, got: str) -> None:
    """Raises ArgumentError where `got` needs DuckDB, and that cannot be imported: now, not when everything is done."""
    try:
        import duckdb  # noqa: F401
    except ImportError as error:
        expected = "what needs no DuckDB, as that cannot be imported"
        raise ArgumentError(argument, got, expected, f"{error}. Reinstall it: pip install duckdb.") from error


class ParquetWriter:
    """Writes tables on one thread: the others belong to the training."""

    def __init__(self) -> None:
        self._connection = _connect()

    def write(self, path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
        """Writes one table.

        Args:
            path: The new file.
            columns: By name (instances,): numbers, booleans, or objects (str). None, NaN and what is masked is NULL.

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


def read_parquet(paths: Sequence[Path], columns: Sequence[str]) -> dict[str, np.ma.MaskedArray[Any, Any]]:
    """Returns `columns` of the tables in `paths`, one after the other, masked where they are NULL.

    A table may lack a column; it is NULL there.

    Raises:
        StoredDataError: A file is not there, damaged, or none of them has such a column.
    """
    import duckdb

    quoted = ", ".join(f'"{column}"' for column in columns)
    connection = _connect()
    try:
        query = f"SELECT {quoted} FROM read_parquet(?, union_by_name = true)"
        table = connection.execute(query, [[str(path) for path in paths]]).fetchnumpy()
    except duckdb.Error as error:
        message = f"Cannot read {', '.join(columns)} from {paths[0].name} in {paths[0].parent.parent}: {error}"
        raise StoredDataError(message) from error
    finally:
        connection.close()
    return {column: np.ma.asanyarray(table[column]) for column in columns}


def _connect() -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})
