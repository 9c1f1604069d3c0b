"""Counts of a subset: its instances, those predicted right, and those predicted as each class, between limits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.estimates import EstimatedCount, estimate_count, share_limits, worth
from activis_tb.analysis.strata import CANNOT, MUST, OPEN, Strata, divided
from activis_tb.conditions import Condition, possible_members
from activis_tb.plugin.populations import Population
from activis_tb.plugin.wire import MOST_COUNTED_CLASSES


@dataclass(frozen=True)
class SubsetCounts:
    """How many instances there are.

    Attributes:
        count: All of them.
        correct: Those predicted right.
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
        population: Whose they are.
        members: Who is one.
        doubt: Who is one whatever the rounded activations were, and who may be one.
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
    """Members by predicted class, the last of which is none, and whether that is right, (classes + 1, 2)."""
    classes = 1 + len(population.schema.classes)
    # Not to pick the members first is faster: which of them are does not have to be guessed.
    counts = np.bincount(population.outcomes * members, minlength=1 + 2 * classes)
    return counts[1:].reshape(classes, 2)


def _quotient(right: float, wrong: float, otherwise: float) -> float:
    return right / (right + wrong) if right + wrong else otherwise


def states_of(population: Population, condition: Condition) -> NDArray[np.int8] | None:
    """Returns by stratum and prediction whether instances are members; None where the condition leaves all open."""
    found = possible_members(condition, population.schema.classes)
    if found is None:
        return None
    states = np.where(found[0], MUST, np.where(found[1], OPEN, CANNOT)).astype(np.int8)
    # Without labels there is one stratum, and conditions are the same for every label.
    return states[: len(population.strata.totals)]


def strata_of(population: Population, condition: Condition) -> Strata:
    """Returns how sampled rows stand for all instances, as far as a condition leaves them open."""
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
        condition: What it is.
        rows: Who of the sample is a member, bool (rows,).
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
    """Returns the counts of a subset that holds the members of one and is held by those of another."""

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
    """The limits of the share that is right; where one of the two counts is known, they follow from the other's."""
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
