"""One layer's activations summarised per subset and neuron, part by part.

Summaries of disjoint sets of instances merge to the summary of their union (Chan, Golub and LeVeque 1979), so batches,
workers and machines may split the instances as they like. Each part's deviations are taken from its own mean, which
keeps the variance right where the mean is a million times the standard deviation. No BLAS: its threads would fight
with the training's.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Statistics

_NEURONS_AT_ONCE = 1024


class Moments:
    """Count, mean, sum of squared deviations, extremes, active and non-finite counts, each (subsets, neurons).

    Attributes:
        count: Finite activations, int64.
        mean: float64; 0 where `count` is 0.
        deviations: Sum of squared deviations from the mean, float64.
        min: float32; infinite where `count` is 0.
        max: float32; minus infinite where `count` is 0.
        active: Finite activations > 0, int64.
        nonfinite: int64.
    """

    def __init__(self, subsets: int, neurons: int) -> None:
        shape = (subsets, neurons)
        self.count = np.zeros(shape, np.int64)
        self.mean = np.zeros(shape)
        self.deviations = np.zeros(shape)
        self.min = np.full(shape, np.inf, np.float32)
        self.max = np.full(shape, -np.inf, np.float32)
        self.active = np.zeros(shape, np.int64)
        self.nonfinite = np.zeros(shape, np.int64)

    def add(self, activations: NDArray[np.float32], members: Sequence[NDArray[np.intp]]) -> None:
        """Adds instances: `activations` (instances, neurons), and by subset the positions of its members."""
        present = [subset for subset, rows in enumerate(members) if len(rows)]
        for start in range(0, activations.shape[1], _NEURONS_AT_ONCE):
            neurons = slice(start, start + _NEURONS_AT_ONCE)
            part = Moments(len(present), activations[:, neurons].shape[1])
            for position, subset in enumerate(present):
                part._summarise(position, activations[members[subset], neurons])
            self._merge(part, (present, neurons))

    def merge(self, other: Self) -> None:
        """Adds the instances that `other` has seen."""
        self._merge(other, ...)

    def extract(self) -> Statistics:
        """Returns the statistics over all instances seen."""
        known = self.count > 0
        count = np.maximum(self.count, 1)

        def where_known(values: NDArray[Any]) -> NDArray[np.float32]:
            return np.where(known, values, np.nan).astype(np.float32)

        return Statistics(
            count=self.count.copy(),
            mean=where_known(self.mean),
            std=where_known(np.sqrt(self.deviations / count)),
            min=where_known(self.min),
            max=where_known(self.max),
            active=where_known(self.active / count),
            nonfinite=self.nonfinite.copy(),
        )

    def _summarise(self, subset: int, values: NDArray[np.float32]) -> None:
        self.min[subset] = values.min(axis=0)
        self.max[subset] = values.max(axis=0)
        if not (np.isfinite(self.min[subset]).all() and np.isfinite(self.max[subset]).all()):
            self._summarise_finite(subset, values)
            return
        deviations = values.astype(np.float64)
        self.count[subset] = len(values)
        self.mean[subset] = deviations.sum(axis=0) / len(values)
        deviations -= self.mean[subset]
        self.deviations[subset] = np.einsum("ij,ij->j", deviations, deviations)
        self.active[subset] = (values > 0).sum(axis=0)

    def _summarise_finite(self, subset: int, values: NDArray[np.float32]) -> None:
        finite = np.isfinite(values)
        count = finite.sum(axis=0)
        self.count[subset] = count
        self.nonfinite[subset] = len(values) - count
        self.min[subset] = values.min(axis=0, where=finite, initial=np.inf)
        self.max[subset] = values.max(axis=0, where=finite, initial=-np.inf)
        self.mean[subset] = values.sum(axis=0, where=finite, dtype=np.float64) / np.maximum(count, 1)
        deviations = np.where(finite, values, self.mean[subset]) - self.mean[subset]
        self.deviations[subset] = np.einsum("ij,ij->j", deviations, deviations)
        self.active[subset] = (finite & (values > 0)).sum(axis=0)

    def _merge(self, part: "Moments", where: Any) -> None:
        if isinstance(where, tuple):
            rows, neurons = where
            where = (np.asarray(rows, np.intp), neurons)
        ours, theirs = self.count[where], part.count
        total = ours + theirs
        share = theirs / np.maximum(total, 1)
        distance = part.mean - self.mean[where]
        self.deviations[where] += part.deviations + distance**2 * ours * share
        self.mean[where] += distance * share
        self.count[where] = total
        self.min[where] = np.minimum(self.min[where], part.min)
        self.max[where] = np.maximum(self.max[where], part.max)
        self.active[where] += part.active
        self.nonfinite[where] += part.nonfinite
