"""Join of two snapshots' stored predictions by the ids of the instances, counted by DuckDB."""

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from activis_tb.errors import StoredDataError

if TYPE_CHECKING:
    import duckdb

MOST_SECONDS = 60.0
"""A join that takes longer is stopped."""

_INTERRUPT_SECONDS = 0.05
_MEMORY_LIMIT_MB = 4096
_THREADS = 2


class OutcomeCounts(NamedTuple):
    """Instances of both snapshots whose true class has the same name, by which model is right.

    Without labels all instances of both take part, and nobody is right or wrong: `both_wrong` is 0 as well.
    """

    common: int
    over: int
    both_right: int
    only_base: int
    only_other: int
    both_wrong: int
    same_prediction: int


_QUERY = """
WITH base AS (SELECT id, label, predicted FROM read_parquet($base, union_by_name = true)),
other AS (SELECT id, list_extract($classes, label + 1) AS label, list_extract($classes, predicted + 1) AS predicted,
    label = predicted AND label >= 0 AS correct FROM read_parquet($other, union_by_name = true)),
joined AS (SELECT base.label = other.label OR NOT $labelled AS takes_part,
    base.label = base.predicted AND base.label >= 0 AS base_right,
    other.correct AS other_right, base.predicted = other.predicted AND base.predicted >= 0 AS same
    FROM base JOIN other USING (id))
SELECT count(*), count(*) FILTER (takes_part),
    count(*) FILTER (takes_part AND base_right AND other_right),
    count(*) FILTER (takes_part AND base_right AND NOT other_right),
    count(*) FILTER (takes_part AND NOT base_right AND other_right),
    count(*) FILTER (takes_part AND NOT base_right AND NOT other_right),
    count(*) FILTER (takes_part AND same)
FROM joined
"""


def count_outcomes(
    base: Sequence[Path],
    other: Sequence[Path],
    classes: Sequence[int],
    most_seconds: float = MOST_SECONDS,
    *,
    labelled: bool = True,
) -> OutcomeCounts:
    """Counts the instances that both, one, or none of the models predict correctly.

    Args:
        base: Parquet files of one snapshot's instances, with the columns id, label and predicted.
        other: Those of another one.
        classes: By class of `other`, its position among the classes of `base`; -1 for one that `base` lacks.
        most_seconds: A join that takes longer is stopped.
        labelled: Whether both have true classes.

    Raises:
        StoredDataError: A file is missing or damaged, an id occurs twice, or it took too long or too much memory.
    """
    import duckdb

    files = {"base": [str(path) for path in base], "other": [str(path) for path in other]}
    connection = duckdb.connect(
        ":memory:", config={"threads": _THREADS, "async_threads": 1, "memory_limit": f"{_MEMORY_LIMIT_MB}MB"}
    )
    ended = threading.Event()
    deadline = time.monotonic() + most_seconds
    threading.Thread(target=_interrupt, args=(connection, ended, most_seconds), daemon=True).start()
    try:
        connection.execute("SET temp_directory = ''")
        for name, paths in files.items():
            _check_ids(connection, name, paths)
            if time.monotonic() >= deadline:
                raise duckdb.InterruptException
        given = {**files, "classes": list(classes), "labelled": labelled}
        found = OutcomeCounts(*connection.execute(_QUERY, given).fetchall()[0])
    except duckdb.Error as error:
        late = isinstance(error, duckdb.InterruptException)
        why = f"it took longer than {most_seconds:g} s" if late else str(error)
        message = f"The predictions in {base[0].parent.parent} and {other[0].parent.parent} cannot be joined: {why}"
        raise StoredDataError(message) from error
    finally:
        ended.set()
        connection.close()
    return found if labelled else found._replace(both_right=0, only_base=0, only_other=0, both_wrong=0)


def _interrupt(connection: "duckdb.DuckDBPyConnection", ended: threading.Event, seconds: float) -> None:
    """Interrupts repeatedly, for an interruption between two queries has no effect."""
    import duckdb

    if not ended.wait(seconds):
        while not ended.wait(_INTERRUPT_SECONDS):
            with contextlib.suppress(duckdb.Error):
                connection.interrupt()


def _check_ids(connection: "duckdb.DuckDBPyConnection", name: str, paths: list[str]) -> None:
    query = "SELECT count(*), count(DISTINCT id) FROM read_parquet(?, union_by_name = true)"
    instances, different = connection.execute(query, [paths]).fetchall()[0]
    if instances != different:
        message = (
            f"The {name} has {instances:,} stored instances with {different:,} different ids; expected one each. "
            "Record the step again, with ids=."
        )
        raise StoredDataError(message)
