"""Evaluator of conditions over instances, within bounds of time and memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, reduce
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.distribution import (
    Distribution,
    beginnings,
    number_distribution,
    text_distribution,
    time_distribution,
)
from activis_tb.conditions.duck import Columns, as_columns, create_table, lock, open_database
from activis_tb.conditions.instances import Instances, StoredInstances, columns_of
from activis_tb.conditions.schema import CostlyConditionError, Schema
from activis_tb.conditions.table import Dictionary, Table, load_table, share_out
from activis_tb.conditions.tree import Computed, Condition, Expression, Junction
from activis_tb.errors import ArgumentError

if TYPE_CHECKING:
    import duckdb


Counted = TypeVar("Counted")
ComputedColumn = Callable[[Computed], NDArray[np.floating[Any]]]

# DuckDB takes up to 0.3 s to notice an interruption; no condition may hold a thread for more than 2 s.
MOST_SECONDS = 1.7
_CACHED_BYTES = 128 * 2**20
_TABLE = "instances"
_ALWAYS_COPIED = "index"
"""A table has to have a column, also where conditions ask for neurons alone."""


class Engine:
    """Finds the members of conditions; thread-safe.

    Args:
        schema: What the conditions were checked against.
        instances: The instances; copied into the database, those in files too.
        computed: Returns the activations of a neuron or the scores of a class, floats (rows,); called when a condition
            first needs them, with an LRU cache of the results. Without it such conditions are refused.
        most_seconds: A condition that takes longer is stopped.
        threads: How many one evaluation may use; by default a few.
        needed: Columns of the schema that are asked for, which saves copying the others of `Instances`; by default all.

    Raises:
        ArgumentError: `instances` lack a column of the schema.
        StoredDataError: Their files cannot be read.
    """

    def __init__(
        self,
        schema: Schema,
        instances: Instances | StoredInstances,
        computed: ComputedColumn | None = None,
        *,
        most_seconds: float = MOST_SECONDS,
        threads: int | None = None,
        needed: Iterable[str] | None = None,
    ) -> None:
        self._schema = schema
        self._needed = set(schema.columns) if needed is None else {_ALWAYS_COPIED, *needed}
        self._most_seconds = most_seconds
        self._lock = Lock()
        self._enums: dict[tuple[str, ...], str] = {}
        self._cut: dict[str, int] = {}
        self._connection = open_database(threads)
        if isinstance(instances, StoredInstances):
            self._begin(computed, *load_table(self._connection, "s0", instances))
            lock(self._connection)
        else:
            lock(self._connection)
            columns = self._columns_of(instances)
            create_table(self._connection, _TABLE, columns)
            table = Table(_TABLE, instances.rows, columns.identifiers, cut=columns.cut, units=columns.units)
            self._begin(computed, table, {})

    def replace(self, instances: Instances, computed: ComputedColumn | None = None) -> None:
        """Replaces the instances by others of the same schema.

        They are read in place, not copied: cheaper for a batch that is queried once by `members_of_each`. Nothing else
        may use the engine meanwhile.
        """
        if not self._table.arrays:
            self._connection.execute(f"DROP TABLE IF EXISTS {_TABLE}").fetchall()
        columns = self._columns_of(instances)
        table = Table(columns.query, instances.rows, columns.identifiers, columns.arrays, columns.cut, columns.units)
        self._begin(computed, table, {})

    def close(self) -> None:
        """Frees the memory; the engine cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def members(self, condition: Condition) -> NDArray[np.bool_]:
        """Returns which instances the condition holds for, bool (rows,); not those for which it is NULL.

        Args:
            condition: Checked against the engine's schema.

        Raises:
            CostlyConditionError: It took too long or too much memory, and was stopped.
            ArgumentError: The engine has no such column, or values of a neuron are not one per instance.
        """
        values = {part: self._values(part) for part in condition.computed}
        looked_up, rest = share_out(condition.expression, self._dictionaries)
        with self._bounded(condition.text) as (cursor, go_on):
            found = [self._looked_up(cursor, name, share, go_on) for name, share in looked_up.items()]
            if rest is not None:
                found.append(self._table.members(cursor, rest, values, go_on))
        is_any = isinstance(condition.expression, Junction) and condition.expression.operator == "OR"
        return reduce(np.logical_or if is_any else np.logical_and, found)

    def members_of_each(self, conditions: Sequence[Condition]) -> list[NDArray[np.bool_]]:
        """Returns the members of several conditions at once, which is cheaper; they share the time limit.

        Raises:
            CostlyConditionError: They took too long or too much memory, and were stopped.
            ArgumentError: See `members`.
        """
        values = {part: self._values(part) for condition in conditions for part in condition.computed}
        with self._bounded("; ".join(condition.text for condition in conditions)) as (cursor, _):
            return self._table.members_of_each(cursor, [condition.expression for condition in conditions], values)

    @property
    def cut(self) -> Mapping[str, int]:
        """Number of texts that were cut, by name of column; columns without any are left out."""
        return self._cut

    def distribution(self, name: str, weights: NDArray[np.float64] | None = None) -> Distribution:
        """Returns how the values of one column are distributed.

        Args:
            name: Of the column.
            weights: How many instances each row stands for, float64 (rows,), by default itself; 0 for none.

        Raises:
            CostlyConditionError: That took too long or too much memory, and was stopped.
            KeyError: There is no such column.
        """
        type_ = self._schema.columns[name]
        if type_ == "number":
            return self._counted(number_distribution, name, weights)
        if type_ == "time":
            unit = self._table.units.get(name, 1)
            return self._counted(partial(time_distribution, unit=unit), name, weights)
        found = self._counted(text_distribution, name, weights)
        if type_ != "text":
            return found
        try:
            return replace(found, beginnings=self._counted(beginnings, name, weights))
        except CostlyConditionError:
            return found

    def _counted(
        self,
        count: Callable[["duckdb.DuckDBPyConnection", str, str], Counted],
        name: str,
        weights: NDArray[np.float64] | None,
    ) -> Counted:
        table = self._table
        if (dictionary := self._dictionaries.get(name)) is not None:
            table = dictionary.values
            weights = np.bincount(dictionary.codes, weights, minlength=table.rows).astype(np.float64)
        column = table.columns[name]
        with self._bounded(name) as (cursor, _):
            rows = table.source(cursor)
            source = f"(SELECT {column}, 1.0::DOUBLE AS weight FROM {rows})"
            if weights is not None:
                cursor.register("weights", {"weight": weights})
                source = f"(SELECT {column}, weight FROM {rows} POSITIONAL JOIN weights)"
            return count(cursor, source, column)

    def _columns_of(self, instances: Instances) -> Columns:
        self._cut = {name: int(np.count_nonzero(flags)) for name, flags in instances.cut.items()}
        needed = (column for column in columns_of(instances, self._schema) if column.name in self._needed)
        return as_columns(self._connection, self._enums, needed, instances.cut)

    def _begin(self, computed: ComputedColumn | None, table: Table, dictionaries: Mapping[str, Dictionary]) -> None:
        if missing := self._needed - set(table.columns):
            raise ArgumentError("instances", f"no column {', '.join(sorted(missing))}", "all columns of the schema")
        self._table = table
        self._dictionaries = dictionaries
        self._computed = computed
        self._cache: OrderedDict[Computed, NDArray[np.floating[Any]]] = OrderedDict()

    def _looked_up(
        self, cursor: "duckdb.DuckDBPyConnection", name: str, share: Expression, go_on: Callable[[], None]
    ) -> NDArray[np.bool_]:
        dictionary = self._dictionaries[name]
        return dictionary.values.members(cursor, share, {}, go_on).take(dictionary.codes)

    def _values(self, part: Computed) -> NDArray[np.floating[Any]]:
        with self._lock:
            if part in self._cache:
                self._cache.move_to_end(part)
                return self._cache[part]
        if self._computed is None:
            raise ArgumentError("computed", "None", f"a function that returns the values of {part}")
        values = np.ascontiguousarray(self._computed(part))
        rows = self._table.rows
        if values.shape != (rows,):
            raise ArgumentError(f"the values of {part}", f"shape {values.shape}", f"({rows},), one per instance")
        with self._lock:
            self._cache[part] = values
            while len(self._cache) > 1 and sum(array.nbytes for array in self._cache.values()) > _CACHED_BYTES:
                self._cache.popitem(last=False)
        return values

    @contextmanager
    def _bounded(self, text: str) -> Iterator[tuple["duckdb.DuckDBPyConnection", Callable[[], None]]]:
        """A cursor for one evaluation, interrupted when the time is over, and a function that raises then."""
        import duckdb

        overdue = Event()
        with self._lock:
            cursor = self._connection.cursor()

        def stop() -> None:
            overdue.set()
            cursor.interrupt()

        def go_on() -> None:
            if overdue.is_set():
                raise self._too_slow(text)

        timer = Timer(self._most_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield cursor, go_on
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
            f"The condition took longer than {self._most_seconds:g} s over {self._table.rows:,} instances and was "
            "stopped. A simpler pattern, or LIKE instead of ~, is faster."
        )
        return CostlyConditionError(message, (0, len(text)))
