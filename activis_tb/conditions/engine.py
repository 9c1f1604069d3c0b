"""Evaluates conditions over instances: exact, in the order of the instances, within bounded time and memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Timer
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.condition import Condition
from activis_tb.conditions.database import create_table, load_table, lock, open_database
from activis_tb.conditions.distribution import Distribution, number_distribution, text_distribution
from activis_tb.conditions.errors import CostlyConditionError
from activis_tb.conditions.expression import Column, Computed, Match, parts_of
from activis_tb.conditions.instances import Instances, StoredInstances, columns_of
from activis_tb.conditions.pacing import BLOCK_ROWS, Pacing
from activis_tb.conditions.query import Query
from activis_tb.conditions.schema import Schema
from activis_tb.errors import ArgumentError

if TYPE_CHECKING:
    import duckdb

ComputedColumn = Callable[[Computed], NDArray[np.floating[Any]]]

# DuckDB takes up to 0.3 s to notice that it is to stop; no condition may hold a thread for more than 2 s.
MOST_SECONDS = 1.7
_CACHED_BYTES = 128 * 2**20


class Engine:
    """Finds the members of conditions; may be used by several threads at once.

    Args:
        schema: What the conditions were checked against.
        instances: What they are evaluated over; copied, also those in files.
        computed: Returns the activations of a neuron or the scores of a class, floats (rows,); called when a condition
            first needs them, the newest results are kept. Without it such conditions are refused.
        most_seconds: A condition that takes longer is stopped.
        threads: How many one evaluation may use; by default a few.

    Raises:
        ArgumentError: `instances` lack a column of the schema.
        StoredDataError: They are in files that cannot be read.
    """

    def __init__(
        self,
        schema: Schema,
        instances: Instances | StoredInstances,
        computed: ComputedColumn | None = None,
        *,
        most_seconds: float = MOST_SECONDS,
        threads: int | None = None,
    ) -> None:
        self._schema = schema
        self._most_seconds = most_seconds
        self._lock = Lock()
        self._generation = 0
        self._connection = open_database(threads)
        if isinstance(instances, StoredInstances):
            self._begin(instances.rows, computed)
            self._columns = load_table(self._connection, "s0", instances)
            self._check_columns()
            lock(self._connection)
        else:
            lock(self._connection)
            self._fill(instances, computed)

    def replace(self, instances: Instances, computed: ComputedColumn | None = None) -> None:
        """Goes on with other instances of the same schema: cheaper than a new engine, e.g. for the next batch.

        Nothing else may use the engine meanwhile.
        """
        self._connection.execute(f"DROP SCHEMA s{self._generation} CASCADE").fetchall()
        self._generation += 1
        self._fill(instances, computed)

    def close(self) -> None:
        """Gives the memory back; the engine cannot be used any more."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def members(self, condition: Condition) -> NDArray[np.bool_]:
        """Returns which instances the condition holds for, bool (rows,); not those for which it is NULL.

        Raises:
            CostlyConditionError: It took too long or too much memory, and was stopped.
            ArgumentError: The engine has no such column, or values of a neuron are not one per instance.
        """
        values = {part: self._values(part) for part in condition.computed}
        names = {part: f"n{number}" for number, part in enumerate(values)}
        query = Query(condition.expression, self._columns, names)
        arrays = {names[part]: array for part, array in values.items()}
        found = np.empty(self._rows, np.bool_)
        with self._bounded(condition.text) as (cursor, overdue):
            pacing = Pacing(self._rows, self._searched_bytes(cursor, condition))
            start = 0
            while start < self._rows:
                stop, began = pacing.stop(start), perf_counter()
                found[start:stop] = self._evaluate(cursor, query, arrays, start, stop)
                pacing.learn(start, stop, perf_counter() - began)
                start = stop
                if overdue.is_set():
                    raise self._too_slow(condition.text)
        return found

    def distribution(self, name: str) -> Distribution:
        """Returns how the values of one column are distributed.

        Raises:
            CostlyConditionError: That took too long or too much memory, and was stopped.
            KeyError: There is no such column.
        """
        table, column = f"s{self._generation}.instances", self._columns[name]
        with self._bounded(name) as (cursor, _):
            if self._schema.columns[name] == "number":
                return number_distribution(cursor, table, column)
            return text_distribution(cursor, table, column)

    def _fill(self, instances: Instances, computed: ComputedColumn | None) -> None:
        self._begin(instances.rows, computed)
        columns = list(columns_of(instances, self._schema))
        self._columns = create_table(self._connection, f"s{self._generation}", columns)
        self._check_columns()

    def _check_columns(self) -> None:
        if missing := set(self._schema.columns) - set(self._columns):
            raise ArgumentError("instances", f"no column {', '.join(sorted(missing))}", "all columns of the schema")

    def _begin(self, rows: int, computed: ComputedColumn | None) -> None:
        self._rows = rows
        self._computed = computed
        self._cache: OrderedDict[Computed, NDArray[np.floating[Any]]] = OrderedDict()
        self._text_bytes: dict[str, NDArray[np.int64]] = {}

    def _values(self, part: Computed) -> NDArray[np.floating[Any]]:
        with self._lock:
            if part in self._cache:
                self._cache.move_to_end(part)
                return self._cache[part]
        if self._computed is None:
            raise ArgumentError("computed", "None", f"a function that returns the values of {part}")
        values = np.ascontiguousarray(self._computed(part))
        if values.shape != (self._rows,):
            raise ArgumentError(f"the values of {part}", f"shape {values.shape}", f"({self._rows},), one per instance")
        with self._lock:
            self._cache[part] = values
            while len(self._cache) > 1 and sum(array.nbytes for array in self._cache.values()) > _CACHED_BYTES:
                self._cache.popitem(last=False)
        return values

    @contextmanager
    def _bounded(self, text: str) -> Iterator[tuple["duckdb.DuckDBPyConnection", Event]]:
        """A cursor of its own for one evaluation, interrupted when the time is over."""
        import duckdb

        overdue = Event()
        with self._lock:
            cursor = self._connection.cursor()

        def stop() -> None:
            overdue.set()
            cursor.interrupt()

        timer = Timer(self._most_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield cursor, overdue
        except duckdb.InterruptException as error:
            raise self._too_slow(text) from error
        except duckdb.OutOfMemoryException as error:
            message = "The condition needs more memory than it may take; ask for less at once."
            raise CostlyConditionError(message, (0, len(text))) from error
        finally:
            timer.cancel()
            timer.join()
            cursor.close()

    def _too_slow(self, text: str) -> CostlyConditionError:
        message = (
            f"The condition took longer than {self._most_seconds:g} s over {self._rows:,} instances and was stopped. "
            "A simpler pattern, or LIKE instead of ~, is faster."
        )
        return CostlyConditionError(message, (0, len(text)))

    def _evaluate(
        self,
        cursor: "duckdb.DuckDBPyConnection",
        query: Query,
        arrays: dict[str, NDArray[np.floating[Any]]],
        start: int,
        stop: int,
    ) -> NDArray[np.bool_]:
        source = f"s{self._generation}.instances"
        parameters: list[Any] = list(query.parameters)
        if (start, stop) != (0, self._rows):
            source = f"(SELECT * FROM {source} WHERE rowid >= ? AND rowid < ?)"
            parameters += [start, stop]
        if arrays:
            cursor.register("computed", {name: array[start:stop] for name, array in arrays.items()})
            source = f"{source} POSITIONAL JOIN computed"
        cursor.execute(f"SELECT ({query.sql}) IS TRUE AS member FROM {source}", parameters)
        return np.asarray(cursor.fetchnumpy()["member"], np.bool_)

    def _searched_bytes(self, cursor: "duckdb.DuckDBPyConnection", condition: Condition) -> NDArray[np.int64]:
        """UTF-8 bytes that the condition's patterns search in each block of rows, int64 (blocks,)."""
        matches = [part.operand for part in parts_of(condition.expression) if isinstance(part, Match)]
        names = {operand.name for operand in matches if isinstance(operand, Column)}
        return sum((self._bytes_of(cursor, name) for name in names), np.zeros(-(-self._rows // BLOCK_ROWS), np.int64))

    def _bytes_of(self, cursor: "duckdb.DuckDBPyConnection", name: str) -> NDArray[np.int64]:
        if name not in self._text_bytes:
            text = f"CAST({self._columns[name]} AS VARCHAR)"
            cursor.execute(
                f"SELECT CAST(sum(strlen({text})) AS BIGINT) AS size FROM s{self._generation}.instances "
                f"GROUP BY rowid // {BLOCK_ROWS} ORDER BY rowid // {BLOCK_ROWS}"
            )
            self._text_bytes[name] = np.ma.filled(cursor.fetchnumpy()["size"], 0)
        return self._text_bytes[name]
