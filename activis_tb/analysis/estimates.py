"""What a stratified sample says about any subset of all instances, and how far off that may be.

The sample has `n_h` of the `N_h` instances of every class h, drawn at random within the class, so each drawn instance
stands for `N_h / n_h`. Where every instance was drawn the answers are exact and the standard errors 0.

Counts are totals of an indicator; averages are ratios of two totals, the variance of which is that of the residuals
`(activation - average)` of the members (Cochran, Sampling Techniques, 1977, chapters 5 and 5A; Särndal, Swensson and
Wretman, Model Assisted Survey Sampling, 1992, chapters 5 and 10).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

_NEURONS_AT_ONCE = 256
_LARGEST_INDICATOR_VARIANCE = 0.25


@dataclass(frozen=True, eq=False)
class Strata:
    """How sampled instances stand for all.

    Attributes:
        stratum: The class of every row, int (rows,).
        drawn: Rows that were drawn at random, bool (rows,); the others take no part.
        totals: Instances of every class, int64 (classes,).
    """

    stratum: NDArray[np.int32]
    drawn: NDArray[np.bool_]
    totals: NDArray[np.int64]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Drawn rows of every class, int64 (classes,)."""
        return np.bincount(self.stratum[self.drawn], minlength=len(self.totals))

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Instances that every row stands for, float64 (rows,)."""
        return np.where(self.drawn, (self.totals / np.maximum(self.sizes, 1))[self.stratum], 0)

    @cached_property
    def variance_factors(self) -> NDArray[np.float64]:
        """What the variance within a class is multiplied by for that of its total, float64 (classes,)."""
        share = self.sizes / np.maximum(self.totals, 1)
        return self.totals**2 * (1 - share) / np.maximum(self.sizes, 1)


@dataclass(frozen=True)
class EstimatedCount:
    """How many instances a subset has: `value`, with its standard `error`."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class EstimatedAverages:
    """A layer's activations summarised over one subset; all arrays are float64 (neurons,).

    Non-finite activations are counted and left out. Where no drawn member is finite the others are NaN.

    Attributes:
        count: Instances with a finite activation.
        nonfinite: Instances with another one.
        mean: Their mean.
        mean_error: Its standard error; NaN where a class with a single drawn row leaves it unknown.
        std: Population standard deviation.
        min: Of the drawn members.
        max: Likewise.
        active: Share of the finite activations that are > 0.
        active_error: Its standard error.
    """

    count: NDArray[np.float64]
    nonfinite: NDArray[np.float64]
    mean: NDArray[np.float64]
    mean_error: NDArray[np.float64]
    std: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    active: NDArray[np.float64]
    active_error: NDArray[np.float64]


def estimate_count(strata: Strata, members: NDArray[np.bool_]) -> EstimatedCount:
    """Estimates how many instances are like `members`, bool (rows,): the sum of N_h p_h.

    Its variance is the sum of N_h² (1 - n_h / N_h) p_h (1 - p_h) / (n_h - 1). A class of which fewer than two are drawn
    is given the largest variance that there can be.
    """
    counted = members & strata.drawn
    found = np.bincount(strata.stratum[counted], minlength=len(strata.totals))
    size = strata.sizes
    share = found / np.maximum(size, 1)
    known = share * (1 - share) * size / np.maximum(size - 1, 1)
    variance = np.where(size > 1, known, _LARGEST_INDICATOR_VARIANCE)
    return EstimatedCount(float(strata.weights[counted].sum()), float(np.sqrt(variance @ strata.variance_factors)))


def estimate_averages(
    strata: Strata, members: NDArray[np.bool_], activations: NDArray[np.float32]
) -> EstimatedAverages:
    """Estimates what a layer does over the instances that are like `members`.

    Args:
        strata: Of the rows.
        members: bool (rows,).
        activations: float32 (rows, neurons).
    """
    rows = np.flatnonzero(members & strata.drawn)
    rows = rows[np.argsort(strata.stratum[rows], kind="stable")]
    neurons = activations.shape[1]
    starts = range(0, max(neurons, 1), _NEURONS_AT_ONCE)
    blocks = [_Block(strata, rows, activations[rows, start : start + _NEURONS_AT_ONCE]).extract() for start in starts]
    return EstimatedAverages(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


class _Block:
    """The drawn members of some neurons, rows in the order of their classes."""

    def __init__(self, strata: Strata, rows: NDArray[np.intp], activations: NDArray[np.float32]) -> None:
        self._strata = strata
        self._weights = strata.weights[rows]
        self._finite = np.isfinite(activations)
        self._values = np.where(self._finite, activations, 0).astype(np.float64)
        self._total = self._weights @ self._finite
        self._known = self._finite.any(axis=0) if len(rows) else np.zeros(activations.shape[1], np.bool_)
        self._classes, self._starts = np.unique(strata.stratum[rows], return_index=True)

    def extract(self) -> tuple[NDArray[np.float64], ...]:
        mean, mean_error = self._mean(self._values)
        active, active_error = self._mean((self._values > 0).astype(np.float64))
        deviations = np.where(self._finite, self._values - mean, 0)
        std = np.sqrt(self._share(self._weights @ deviations**2))
        low = np.where(self._finite, self._values, np.inf).min(axis=0, initial=np.inf)
        high = np.where(self._finite, self._values, -np.inf).max(axis=0, initial=-np.inf)
        nonfinite = self._weights @ ~self._finite
        bare = (mean, mean_error, std, low, high, active, active_error)
        return (self._total, nonfinite, *(np.where(self._known, values, np.nan) for values in bare))

    def _share(self, weighted: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(weighted / np.where(self._known, self._total, 1))

    def _mean(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean = self._share(self._weights @ np.where(self._finite, values, 0))
        residuals = np.where(self._finite, values - mean, 0)
        return mean, self._share(np.sqrt(self._variance(residuals)))

    def _variance(self, residuals: NDArray[np.float64]) -> NDArray[np.float64]:
        """The variance of the total of `residuals`, which are 0 for every drawn row that is no member."""
        if not len(self._classes):
            return np.zeros(residuals.shape[1])
        size = self._strata.sizes[self._classes][:, None]
        factor = self._strata.variance_factors[self._classes][:, None]
        total = np.add.reduceat(residuals, self._starts, axis=0)
        squares = np.add.reduceat(residuals**2, self._starts, axis=0)
        within = np.maximum(squares - total**2 / size, 0) / np.maximum(size - 1, 1)
        unknown = (size == 1) & (factor > 0)
        return np.asarray(np.where(unknown, np.nan, factor * within).sum(axis=0))
