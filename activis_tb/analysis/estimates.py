"""Estimates of a stratified sample for any subset of all instances: values, counts, and 95 % intervals.

Limits of counts and shares are like those of Clopper and Pearson (1934): one more draw, of a member for the upper
limit and of another instance for the lower one. The draw is of the class in which an instance weighs most, and the sum
over classes is one beta distribution of its mean and variance, as Fay and Feuer (1997) do it for rates.

An average is a ratio of two totals, the variance of which is that of the residuals `(activation - average)` of the
members (Cochran, Sampling Techniques, 1977, chapters 5 and 5A). Of few members the residuals are too small by what the
average owes to each of them, so each is divided by that (HC2; MacKinnon and White 1985), and the quantile is Student's
t with the degrees of freedom that the classes' parts of the variance leave (Satterthwaite 1946). What was recorded of
all instances bounds what it can.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.strata import CANNOT, MUST, OPEN, Strata
from activis_tb.analysis.threads import IMPORTING
from activis_tb.model import Statistics

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2


def undrawn_limit(
    found: NDArray[np.int64], sizes: NDArray[np.int64], totals: NDArray[np.int64], *, upper: bool
) -> float:
    """Returns the least or the largest number of members that there can be among the instances that were not drawn.

    Args:
        found: Drawn members of every stratum, (strata,).
        sizes: Drawn instances.
        totals: Instances.
        upper: Which of the limits.
    """
    unknown = float(totals[sizes == 0].sum()) if upper else 0.0
    partly = (sizes > 0) & (sizes < totals)
    found, sizes, totals = found[partly], sizes[partly], totals[partly]
    undrawn = totals - sizes
    everybody = float(undrawn.sum())
    room = (found < sizes) if upper else (found > 0)
    if not room.any():
        return unknown + (everybody if upper else 0.0)
    heaviest = np.arange(len(sizes)) == np.argmax(np.where(room, totals / sizes, -1))
    draws = sizes + heaviest
    share = (found + heaviest * upper) / draws
    mean = (undrawn * share).sum() / everybody
    variance = (undrawn * share * (1 - share) * (undrawn + draws) / (draws + 1)).sum() / everybody**2
    # Where none was found there is no lower limit to miss: all doubt is the upper one's; and the other way round.
    one_sided = not found.any() if upper else bool((found == sizes).all())
    tail = _TAIL * (2 if one_sided else 1)
    concentration = mean * (1 - mean) / variance - 1 if variance > 0 else 0.0
    if concentration <= 0:
        return unknown + (everybody if upper else 0.0)
    with IMPORTING:
        from scipy.special import betaincinv
    limit = everybody * float(betaincinv(mean * concentration, (1 - mean) * concentration, 1 - tail if upper else tail))
    return unknown + float(np.ceil(limit) if upper else np.floor(limit))


def share_limits(share: NDArray[np.float64], members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the limits of a share of `members`, a real number (Korn and Graubard 1998); both (neurons,).

    Returns:
        (2, neurons): Clopper and Pearson's, 0 and 1 where there is no member.
    """
    with IMPORTING:
        from scipy.special import betaincinv
    members = np.minimum(members, 1e12)
    found, rest = share * members, (1 - share) * members
    low = np.where(found > 0, betaincinv(np.maximum(found, 1e-9), rest + 1, _TAIL), 0)
    high = np.where(rest > 0, betaincinv(found + 1, np.maximum(rest, 1e-9), 1 - _TAIL), 1)
    limits = np.stack([np.minimum(low, share), np.maximum(high, share)])
    return np.asarray(np.where(members > 0, limits, [[0.0], [1.0]]))


def worth(strata: Strata, weights: NDArray[np.float64], stratum: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns how many members of equal weight some drawn members are worth, (neurons,); infinite where all are known.

    Not more than they are in units of the heaviest that a member may be, drawn or not: one that weighs a hundred times
    as much as those that were found may be missing.

    Args:
        strata: Of the sample.
        weights: Of every member, (members, neurons); 0 for none.
        stratum: Of every member, (members,).
    """
    total = weights.sum(axis=0)
    if strata.complete:
        return np.full(len(total), np.inf)
    heaviest = (strata.totals / np.maximum(strata.sizes, 1))[strata.uncertain].max()
    doubtful = strata.undrawn_shares[stratum] @ weights**2
    evenly = np.divide(total**2, doubtful, out=np.full(len(total), np.inf), where=doubtful > 0)
    return np.asarray(np.minimum(evenly, total / heaviest))


FEWEST_MEMBERS = 3
"""Of fewer drawn members, in units of the heaviest that there may be, no average has an interval. Of fewer that differ
from a value that others share, mostly zero, the interval is what the recorded extremes leave."""
NORMAL_QUANTILE = 1.959963984540054

_NEURONS_AT_ONCE = 256
_ROUNDING = 1e-9


@dataclass(frozen=True)
class EstimatedCount:
    """How many instances a subset has.

    Attributes:
        value: The estimate.
        low: Not fewer, with a confidence of 95 %.
        high: Not more.
    """

    value: float
    low: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> "EstimatedCount":
        """Returns a count that is known."""
        return cls(float(value), float(value), float(value))

    @property
    def error(self) -> float:
        """The distance of the farther end, divided by 1.96: value ± 1.96 errors holds the interval."""
        return max(self.high - self.value, self.value - self.low) / NORMAL_QUANTILE


@dataclass(frozen=True, eq=False)
class EstimatedAverages:
    """A layer's activations summarised over one subset; all arrays are float64 (neurons,), intervals (2, neurons).

    Non-finite activations are counted and left out. Where no drawn member is finite the others are NaN.

    Attributes:
        count: Instances with a finite activation.
        nonfinite: Instances with another one.
        mean: Their mean.
        mean_interval: Holds it with a confidence of 95 %; NaN where the drawn members are too few to know.
        std: Population standard deviation; NaN where they are too few.
        min: Of the drawn members.
        max: Likewise.
        active: Share of the finite activations that are > 0.
        active_interval: As that of the mean, but of any number of drawn members.
    """

    count: NDArray[np.float64]
    nonfinite: NDArray[np.float64]
    mean: NDArray[np.float64]
    mean_interval: NDArray[np.float64]
    std: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    active: NDArray[np.float64]
    active_interval: NDArray[np.float64]

    @property
    def mean_error(self) -> NDArray[np.float64]:
        """See `error_of`."""
        return error_of(self.mean, self.mean_interval)

    @property
    def active_error(self) -> NDArray[np.float64]:
        """See `error_of`."""
        return error_of(self.active, self.active_interval)


def error_of(values: NDArray[np.float64], interval: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the distance of an interval's farther end from a value, divided by 1.96, so that ± 1.96 of it holds it.

    Args:
        values: (neurons,).
        interval: (2, neurons).
    """
    return np.asarray(np.maximum(interval[1] - values, values - interval[0]) / NORMAL_QUANTILE)


def estimate_count(
    strata: Strata, members: NDArray[np.bool_], *, certain: float | None = None, most: float = np.inf
) -> EstimatedCount:
    """Estimates how many instances are like `members`, bool (rows,).

    There are at least as many as there are rows among them, and as few others.

    Args:
        strata: How rows stand for all instances.
        members: Bool (rows,).
        certain: Of the instances that must be members, how many are counted; by default all.
        most: Of the others, no more than these can be.
    """
    found = np.bincount(strata.stratum[members & strata.drawn], minlength=len(strata.totals))
    is_open = (strata.states == OPEN) & (strata.totals > 0)
    found, sizes, totals = found[is_open], strata.sizes[is_open], strata.totals[is_open]
    value = float((totals * (found / np.maximum(sizes, 1))).sum())
    low, high = (float(found.sum()) + undrawn_limit(found, sizes, totals, upper=upper) for upper in (False, True))
    seen = (strata.states == OPEN)[strata.stratum]
    high = min(high, most, float(totals.sum() - np.count_nonzero(~members & seen)))
    low = min(max(low, float(np.count_nonzero(members & seen))), high)
    value = min(max(value, low), high)
    known = float(strata.totals[strata.states == MUST].sum()) if certain is None else certain
    return EstimatedCount(known + value, known + low, known + high)


def estimate_averages(
    strata: Strata,
    members: NDArray[np.bool_],
    activations: NDArray[np.float32],
    recorded: Statistics | None = None,
) -> EstimatedAverages:
    """Estimates what a layer does over the instances that are like `members`.

    Args:
        strata: Of the rows.
        members: bool (rows,).
        activations: float32 (rows, neurons).
        recorded: Of all instances, (subsets, neurons), the classes first; intervals are within these extremes, and a
            class of which no member was drawn is taken for what it is as a whole.
    """
    rows = np.flatnonzero(members & strata.drawn & (strata.states != CANNOT)[strata.stratum])
    rows = rows[np.argsort(strata.stratum[rows], kind="stable")]
    neurons = activations.shape[1]
    blocks = []
    for start in range(0, max(neurons, 1), _NEURONS_AT_ONCE):
        some = slice(start, start + _NEURONS_AT_ONCE)
        limits = _Recorded(strata, recorded, some) if recorded else None
        blocks.append(_Block(strata, rows, activations[rows, some], limits).extract())
    return EstimatedAverages(*(np.concatenate(arrays, axis=-1) for arrays in zip(*blocks, strict=True)))


class _Recorded:
    """What is known of some neurons over all instances of the classes that a subset may have members of.

    Attributes:
        low: Smallest activation, (neurons,); NaN where none is finite.
        high: Largest.
        active: The smallest and the largest share of a class that is active, (2, neurons).
    """

    def __init__(self, strata: Strata, statistics: Statistics, neurons: slice) -> None:
        classes = np.unique(strata.classes[(strata.states != CANNOT) & (strata.totals > 0)])
        active = statistics.active[classes, neurons].astype(np.float64)
        self.low = np.fmin.reduce(statistics.min[classes, neurons].astype(np.float64), axis=0, initial=np.nan)
        self.high = np.fmax.reduce(statistics.max[classes, neurons].astype(np.float64), axis=0, initial=np.nan)
        self.active = np.stack([reduce(active, axis=0, initial=np.nan) for reduce in (np.fmin.reduce, np.fmax.reduce)])
        self._mean = statistics.mean[:, neurons]
        self._std = statistics.std[:, neurons]

    def distances(self, classes: NDArray[np.integer], mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the mean square of the distance of each class's activations from `mean`, (classes, neurons)."""
        apart, std = self._mean[classes].astype(np.float64) - mean, self._std[classes].astype(np.float64)
        return np.asarray(np.nan_to_num(apart**2 + std**2))


class _Block:
    """The drawn members of some neurons, rows in the order of their strata."""

    def __init__(
        self, strata: Strata, rows: NDArray[np.intp], activations: NDArray[np.float32], recorded: _Recorded | None
    ) -> None:
        self._strata = strata
        self._recorded = recorded
        self._stratum = strata.stratum[rows]
        self._present, self._starts = np.unique(self._stratum, return_index=True)
        self._finite = np.isfinite(activations)
        self._values = np.where(self._finite, activations, 0).astype(np.float64)
        self._weights = strata.weights[rows][:, None] * self._finite
        self._nonfinite = strata.weights[rows] @ ~self._finite
        self._total = self._weights.sum(axis=0)
        self._known = self._total > 0
        self._parts = self._weights / np.where(self._known, self._total, 1)
        self._worth = worth(strata, self._weights, self._stratum)
        self._low = np.where(self._finite, self._values, np.inf).min(axis=0, initial=np.inf)
        self._high = np.where(self._finite, self._values, -np.inf).max(axis=0, initial=-np.inf)

    def extract(self) -> tuple[NDArray[np.float64], ...]:
        # Distances from the smallest are added, so a neuron that is constant has that mean exactly.
        origin = np.where(self._known, self._low, 0)
        mean = origin + (self._parts * (self._values - origin)).sum(axis=0)
        residuals = np.where(self._finite, self._values - mean, 0)
        active = (self._parts * (self._values > 0)).sum(axis=0)
        bare = (
            mean,
            self._mean_interval(mean, residuals),
            self._std(residuals),
            self._low,
            self._high,
            active,
            self._active_interval(active),
        )
        return (self._total, self._nonfinite, *(np.where(self._known, values, np.nan) for values in bare))

    @property
    def _is_few(self) -> NDArray[np.bool_]:
        return self._worth < FEWEST_MEMBERS - _ROUNDING

    @property
    def _is_constant(self) -> NDArray[np.bool_]:
        """Whether all instances of the classes have one and the same activation, bool (neurons,)."""
        if self._recorded is None:
            return np.zeros(len(self._total), np.bool_)
        return np.asarray(self._recorded.low == self._recorded.high)

    def _std(self, residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of few members, deviations from their own mean are too small by a share that is made up for."""
        doubtful = self._strata.undrawn_shares[self._stratum] @ self._parts**2
        variance = (self._parts * residuals**2).sum(axis=0) / np.maximum(1 - doubtful, 1e-9)
        std = np.where(self._low == self._high, 0, np.sqrt(variance))
        return np.where(self._is_few & ~self._is_constant, np.nan, std)

    def _mean_interval(self, mean: NDArray[np.float64], residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._strata.complete:
            return np.stack([mean, mean])
        half = self._half_width(mean, residuals)
        interval = np.stack([mean - half, mean + half])
        alone, rest = self._apart_from_others()
        if self._recorded is not None:
            extremes = np.stack([self._recorded.low, self._recorded.high])
            most = share_limits(rest, self._worth)[1]
            few = np.asarray(alone + most * (extremes - alone))
            interval = np.where(np.isnan(alone), interval, few)
            interval = np.stack([np.fmax(interval[0], extremes[0]), np.fmin(interval[1], extremes[1])])
            interval = np.stack([np.fmin(interval[0], mean), np.fmax(interval[1], mean)])
        else:
            interval = np.where(np.isnan(alone), interval, np.nan)
        interval = np.where(self._is_few, np.nan, interval)
        return np.where(self._is_constant, mean, interval)

    def _apart_from_others(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The value that all but a few members share, mostly 0, and the share of those few; NaN where there is none.

        Looked for are 0 and the extremes: where activations are cut off there are many of them.
        """
        neurons = len(self._total)
        alone, rest = np.full(neurons, np.nan), np.ones(neurons)
        for value in (np.zeros(neurons), self._low, self._high):
            others = (self._parts * (self._values != value)).sum(axis=0)
            few = others * self._worth < FEWEST_MEMBERS - _ROUNDING
            better = (others < rest) & few & ((1 - others) * self._worth > 1 + _ROUNDING)
            alone, rest = np.where(better, value, alone), np.where(better, others, rest)
        return alone, rest

    def _half_width(self, mean: NDArray[np.float64], residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half the width of the mean's interval: a quantile of t by the root of the variance, (neurons,)."""
        with IMPORTING:
            from scipy.special import stdtrit
        strata = self._strata
        if not len(self._present):
            return np.full(len(mean), np.nan)
        variances = self._variances(residuals)
        members = np.add.reduceat(self._finite, self._starts, axis=0, dtype=np.int64)
        everybody = members.sum(axis=0)
        freedom = members * (everybody - 1) / np.maximum(everybody, 1)
        variance = variances.sum(axis=0)
        lost = np.divide(variances**2, freedom, out=np.zeros_like(variances), where=freedom > 0).sum(axis=0)
        degrees = np.divide(variance**2, lost, out=np.ones_like(variance), where=lost > 0)
        unseen = strata.uncertain.copy()
        unseen[self._present] = False
        if self._recorded is not None and unseen.any():
            variance = variance + self._unseen_variance(unseen, mean)
        degrees = np.clip(degrees, 1, np.maximum(self._worth - 1, 1))
        return np.asarray(stdtrit(degrees, (1 + CONFIDENCE) / 2) * np.sqrt(variance))

    def _variances(self, residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        """What every stratum with members adds to the variance of the mean, (strata, neurons)."""
        size, total = (array[self._present][:, None] for array in (self._strata.sizes, self._strata.totals))
        owed = 1 - 2 * self._parts + (self._parts**2).sum(axis=0)
        squares = np.add.reduceat(residuals**2 / np.maximum(owed, 1e-9), self._starts, axis=0)
        # Of a stratum of which one row was drawn, the square of its residual is all that is known.
        sums = np.where(size > 1, np.add.reduceat(residuals, self._starts, axis=0), 0)
        within = np.maximum(squares - sums**2 / size, 0) / np.maximum(size - 1, 1)
        factor = total**2 * (1 - size / total) / size
        return np.asarray(factor * within / np.where(self._known, self._total, 1) ** 2)

    def _unseen_variance(self, unseen: NDArray[np.bool_], mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance that one more draw would add, of any class of which no member was drawn, (neurons,)."""
        if self._recorded is None:
            return np.zeros(len(mean))
        strata = self._strata
        sizes = np.maximum(strata.sizes[unseen], 1)
        weights = strata.totals[unseen] / sizes
        chances = sizes / sizes.sum()
        distances = self._recorded.distances(strata.classes[unseen], mean)
        return np.asarray((chances * weights**2) @ distances / np.where(self._known, self._total, 1) ** 2)

    def _active_interval(self, active: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._strata.complete:
            return np.stack([active, active])
        interval = share_limits(active, self._worth)
        if self._recorded is None:
            return interval
        known = self._recorded.active
        is_same = (known[0] == known[1]) & ((known[0] == 0) | (known[0] == 1))
        return np.where(is_same, active, interval)
