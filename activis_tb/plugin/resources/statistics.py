"""Statistics of a subset: counts, averages of a layer's neurons, and distributions of attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import quantise
from activis_tb.analysis.estimates import (
    EstimatedCount,
    error_of,
    estimate_averages,
    estimate_count,
    share_limits,
    worth,
)
from activis_tb.analysis.stored import intervals_in_doubt, stored_averages, stored_extremes
from activis_tb.analysis.strata import CANNOT, MUST, OPEN, Strata, divided
from activis_tb.conditions import Condition, CostlyConditionError, Distribution, possible_members
from activis_tb.model import MOST_CHARACTERS, STATISTIC_NAMES, CodedActivations, StatisticName, Statistics
from activis_tb.plugin.entries import MOST_COUNTED_CLASSES, exact_numbers
from activis_tb.plugin.populations import Exactness, Population
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.side_files import MOST_ROWS
from activis_tb.times import times_of

Uncertainty = Literal["bound", "error"]
Interval = Literal["mean_interval", "active_interval"]
StatisticChoice = StatisticName | Uncertainty | Interval
STATISTIC_CHOICES: tuple[StatisticChoice, ...] = (*STATISTIC_NAMES, *get_args(Uncertainty), *get_args(Interval))
"""`bound`: the means are at most so far off; `error`: how far their intervals reach, divided by 1.96; an interval holds
the mean or the active share, for certain or with a confidence of 95 %."""

MOST_SECONDS = 8.0
"""Time limit for one statistic of one layer over stored instances."""

_Arrays = Mapping[str, NDArray[np.float64]]
_ABOUT: Mapping[StatisticChoice, StatisticName] = {
    "bound": "mean",
    "error": "mean",
    "mean_interval": "mean",
    "active_interval": "active",
}


@dataclass(frozen=True, eq=False)
class Averages:
    """Some statistics of one layer over one subset, by name, each (neurons,).

    Attributes:
        exactness: Exactness of the values.
        over: Instances they are based on.
        values: Float, NaN where there is no such value.
        bounds: Bounds of the error of the values; where `exactness` is `bound`.
        intervals: 95 % confidence intervals, (2, neurons), NaN where too few members are known; where it is
            `estimate`.
        note: Why it is an estimate although all instances were kept; mostly empty.
    """

    exactness: Exactness
    over: int
    values: _Arrays
    bounds: _Arrays = field(default_factory=dict)
    intervals: _Arrays = field(default_factory=dict)
    note: str = ""

    def statistic(self, name: StatisticChoice) -> NDArray[np.float64]:
        """Returns a statistic, (neurons,), a bound of the means, likewise, or an interval, (2, neurons)."""
        match name:
            case "bound":
                return self._bound("mean")
            case "error":
                return self._error("mean")
            case "mean_interval" | "active_interval":
                return self._interval(_ABOUT[name])
        return self.values[name]

    def largest(self, kind: Uncertainty, choice: StatisticChoice) -> float | None:
        """Returns the largest bound or error of a statistic over its neurons; None where it is unknown."""
        name = _ABOUT.get(choice, choice)
        known = self._bound(name) if kind == "bound" else self._error(name)
        if not np.isnan(known).all():
            return float(np.nanmax(known))
        return None if self.exactness == "estimate" else 0.0

    def _bound(self, name: str) -> NDArray[np.float64]:
        if name in self.bounds:
            return self.bounds[name]
        possible = 0.0 if self.exactness != "estimate" else np.nan
        return np.where(np.isnan(self.values[name]), np.nan, possible)

    def _error(self, name: str) -> NDArray[np.float64]:
        if name not in self.intervals:
            return self._bound(name) * 0
        return error_of(self.values[name], self.intervals[name])

    def _interval(self, name: str) -> NDArray[np.float64]:
        if name in self.intervals:
            return self.intervals[name]
        return np.stack([self.values[name] - self._bound(name), self.values[name] + self._bound(name)])


def sampled_averages(
    strata: Strata,
    members: NDArray[np.bool_],
    activations: NDArray[np.float32],
    recorded: Statistics | None = None,
    *,
    complete: Exactness = "exact",
    note: str = "",
) -> Averages:
    """Returns all statistics, estimated from a sample; exact where it holds every instance that may be a member.

    Args:
        strata: Strata of the sample.
        members: Bool (rows,).
        activations: float32 (rows, neurons).
        recorded: Of all instances, (subsets, neurons), the classes first.
        complete: Exactness of the averages where the rows represent no other instances.
        note: Why only the sample is available.
    """
    arrays = asdict(estimate_averages(strata, members, activations, recorded))
    values: _Arrays = {name: arrays[name] for name in STATISTIC_NAMES}
    over = int(strata.sizes.sum())
    if strata.complete:
        return Averages(complete, over, values, note=note)
    intervals = {"mean": arrays["mean_interval"], "active": arrays["active_interval"]}
    return Averages("estimate", over, values, intervals=intervals, note=note)


def work_of(statistic: StatisticChoice) -> str:
    """Returns the computation that yields a statistic of stored instances; one computation may yield several."""
    return {"std": "std", "min": "extremes", "max": "extremes"}.get(statistic, "mean")


def all_averages(
    parts: list[CodedActivations],
    members: NDArray[np.bool_],
    statistic: StatisticChoice,
    doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> Averages:
    """Returns one statistic, and those computed along with it, of the stored `members`, bool (instances,).

    Args:
        parts: The stored activations of a layer.
        members: Of a subset.
        statistic: Which.
        doubt: Certain and possible members where these differ; they widen the bounds.

    Raises:
        TimeoutError: It took longer than `MOST_SECONDS`.
    """
    over = len(members)
    if work_of(statistic) == "extremes":
        extremes = stored_extremes(parts, members, most_seconds=MOST_SECONDS)
        values: _Arrays = {"min": extremes.min, "max": extremes.max}
        bounds: _Arrays = dict.fromkeys(("min", "max"), extremes.bound)
    else:
        averages = stored_averages(parts, members, std=statistic == "std", most_seconds=MOST_SECONDS)
        values = {name: getattr(averages, name).astype(np.float64) for name in ("count", "nonfinite", "mean", "active")}
        bounds = {"mean": averages.mean_bound}
        if statistic == "std":
            values["std"], bounds["std"] = averages.std, averages.std_bound
    if doubt is not None:
        bounds = _bounds_in_doubt(values, parts, doubt)
    return Averages("bound", over, values, bounds)


def in_doubt(
    averages: Averages, activations: NDArray[np.float32], doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> Averages:
    """Widens exact averages to the bounds that undecided members leave, see `all_averages`.

    Args:
        averages: Averages of the certain members, over these activations.
        activations: float32 (rows, neurons).
        doubt: Bool (rows,) each.
    """
    parts = [quantise(activations[start : start + MOST_ROWS]) for start in range(0, len(activations), MOST_ROWS)]
    bounds = _bounds_in_doubt(averages.values, parts, doubt)
    exactness: Exactness = "bound" if averages.exactness == "exact" else averages.exactness
    return replace(averages, exactness=exactness, bounds=bounds)


def _bounds_in_doubt(
    values: _Arrays, parts: list[CodedActivations], doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> _Arrays:
    intervals = intervals_in_doubt(parts, *doubt, values, most_seconds=MOST_SECONDS)
    return {name: np.fmax(value - intervals[name][0], intervals[name][1] - value) for name, value in values.items()}


@dataclass(frozen=True)
class SubsetCounts:
    """Counts of instances.

    Attributes:
        count: All instances.
        correct: Those predicted correctly.
        predicted: By class, those predicted as it, and last those predicted as nothing; an estimate has that alone
            where there are more than `MOST_COUNTED_CLASSES`.
        accuracy: The share that is right lies between these; 0 and 1 where there may be no instance.
    """

    count: EstimatedCount
    correct: EstimatedCount
    predicted: tuple[EstimatedCount, ...]
    accuracy: tuple[float, float]


def counts_of_members(
    population: Population,
    members: NDArray[np.bool_],
    doubt: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> SubsetCounts:
    """Returns the counts of instances that are all known, bool (instances,).

    Args:
        population: The population.
        members: The members, bool (instances,).
        doubt: Certain and possible members, given the rounded activations.
    """
    known = _by_outcome(population, members)
    by_outcome = [known, *(_by_outcome(population, who) for who in doubt)] if doubt else [known] * 3
    total, correct = ([float(table[:, rights].sum()) for table in by_outcome] for rights in ([0, 1], [1]))
    predicted = zip(*(table.sum(axis=1).tolist() for table in by_outcome), strict=True)
    least, most = (correct[1], total[1] - correct[1]), (correct[2], total[2] - correct[2])
    accuracy = (_quotient(least[0], most[1], 0.0), _quotient(most[0], least[1], 1.0))
    return SubsetCounts(
        EstimatedCount(*total), EstimatedCount(*correct), tuple(EstimatedCount(*one) for one in predicted), accuracy
    )


def _by_outcome(population: Population, members: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Members by predicted class, the last for no prediction, and by whether that is correct, (classes + 1, 2)."""
    classes = 1 + len(population.schema.classes)
    # Faster than indexing the members first: no branch depends on the data.
    counts = np.bincount(population.outcomes * members, minlength=1 + 2 * classes)
    return counts[1:].reshape(classes, 2)


def _quotient(right: float, wrong: float, otherwise: float) -> float:
    return right / (right + wrong) if right + wrong else otherwise


def states_of(population: Population, condition: Condition) -> NDArray[np.int8] | None:
    """Returns by stratum and prediction whether instances are members; None where all are undecided."""
    found = possible_members(condition, population.schema.classes)
    if found is None:
        return None
    states = np.where(found[0], MUST, np.where(found[1], OPEN, CANNOT)).astype(np.int8)
    # Without labels there is one stratum, and conditions are the same for every label.
    return states[: len(population.strata.totals)]


def strata_of(population: Population, condition: Condition) -> Strata:
    """Returns the strata of the sample, refined by what a condition decides by the outcome alone."""
    states = None if population.exactness == "sample" else states_of(population, condition)
    if states is None:
        return population.strata
    return divided(population.strata, population.predicted, population.outcome_totals, states)


def estimated_counts(
    population: Population, condition: Condition, rows: NDArray[np.bool_], strata: Strata
) -> SubsetCounts:
    """Estimates the counts of the instances that a condition holds for.

    Args:
        population: A sample.
        condition: The condition.
        rows: The members among the sample, bool (rows,).
        strata: See `strata_of`.
    """
    totals, states = population.outcome_totals, states_of(population, condition)
    if states is None:
        states = np.full(totals.shape, OPEN, np.int8)
    certain, open_ = (np.where(states == state, totals, 0) for state in (MUST, OPEN))
    count = estimate_count(strata, rows)
    right = rows & (population.outcomes % 2 == 0)
    correct = estimate_count(strata, right, certain=float(np.trace(certain)), most=float(np.trace(open_)))
    sure, most = certain.sum(axis=0), open_.sum(axis=0)
    classes = len(sure) - 1
    predicted = tuple(
        estimate_count(strata, rows & (population.predicted == one), certain=float(sure[one]), most=float(most[one]))
        for one in range(0 if classes <= MOST_COUNTED_CLASSES else classes, classes + 1)
    )
    return SubsetCounts(count, correct, predicted, _accuracy(strata, rows, count, correct))


def counts_between(certain: SubsetCounts, possible: SubsetCounts) -> SubsetCounts:
    """Returns the counts of a subset between two others, one included in it and one including it."""

    def between(least: EstimatedCount, most: EstimatedCount) -> EstimatedCount:
        return EstimatedCount(least.value, min(least.low, most.low), max(least.high, most.high))

    count, correct = between(certain.count, possible.count), between(certain.correct, possible.correct)
    accuracy = certain.accuracy
    if certain != possible:
        most = correct.high / certain.count.low if certain.count.low else 1.0
        accuracy = (certain.correct.low / count.high if count.high else 0.0, min(most, 1.0))
    predicted = tuple(map(between, certain.predicted, possible.predicted))
    return SubsetCounts(count, correct, predicted, accuracy)


def _accuracy(
    strata: Strata, rows: NDArray[np.bool_], count: EstimatedCount, correct: EstimatedCount
) -> tuple[float, float]:
    """The limits of the accuracy; where one of the two counts is known, they follow from the other's."""
    if not count.high:
        return 0.0, 1.0
    if count.low == count.high or correct.low == correct.high:
        most = correct.high / count.low if count.low else float(correct.high > 0)
        return correct.low / count.high, min(most, 1.0)
    drawn = np.flatnonzero(rows & strata.drawn)
    members = worth(strata, strata.weights[drawn][:, None], strata.stratum[drawn])
    share = np.array([correct.value / count.value if count.value else 0.0])
    low, high = share_limits(share, members)[:, 0]
    return float(low), float(high)


_LEFT_OUT = frozenset({"id", "index"})


def summarise(population: Population) -> pb.ColumnSummaries:
    """Returns the distribution of every column but the ids; empty where that takes too long.

    Sampled instances are weighted.
    """
    everything = population.exactness != "estimate"
    return pb.ColumnSummaries(
        columns=[
            _column(population, name, type_)
            for name, type_ in population.schema.columns.items()
            if name not in _LEFT_OUT
        ],
        source="all" if everything else "sample",
        over=population.over,
        total=population.snapshot.manifest.instances,
        note=" ".join(
            [*([population.note] if population.note else []), *map(_cut_note, population.engine.cut.items())]
        ),
    )


def _cut_note(column: tuple[str, int]) -> str:
    name, count = column
    texts = "text" if count == 1 else "texts"
    kept = f"only the first {MOST_CHARACTERS:,} characters were kept"
    return f"Of {count:,} long {texts} in {name} {kept}; different ones may count as one."


def _column(population: Population, name: str, type_: str) -> pb.ColumnSummary:
    try:
        weights = population.strata.weights if population.exactness == "estimate" else None
        found = population.engine.distribution(name, weights)
    except CostlyConditionError:
        found = Distribution(0, 0)
    quantiles, quantile_texts = _exact(found.quantiles, type_)
    edges, edge_texts = _exact(found.edges, type_)
    encoded = type_ in {"image", "audio"}
    return pb.ColumnSummary(
        name=name,
        type="category" if type_ == "class" else type_,
        present=found.present,
        distinct=0 if encoded else found.distinct,
        values=[] if encoded else [pb.ValueCount(value=value, count=count) for value, count in found.values],
        beginnings=[
            pb.Beginning(text=one.text, count=one.count, either_case=one.either_case) for one in found.beginnings
        ],
        quantiles=quantiles,
        quantile_texts=quantile_texts,
        edges=edges,
        edge_texts=edge_texts,
        counts=found.counts,
        whole=found.whole,
    )


def _exact(values: Sequence[float], type_: str) -> tuple[list[float], list[str]]:
    if not values:
        return [], []
    return exact_numbers(times_of([int(value) for value in values]) if type_ == "time" else np.array(values))
