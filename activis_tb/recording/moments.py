"""One layer's activations summarised per subset and neuron, block by block.

Sums and sums of squares are S^T A and S^T A² with a sparse S. Summaries of disjoint sets of instances merge to that of
their union (Chan, Golub and LeVeque 1979), so batches, workers and machines may split the instances as they like. Where
a sum of squares would lose the variance to cancellation, the deviations are taken from the mean instead. No BLAS: its
threads would fight with the training's.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Statistics
from activis_tb.recording.extremes import Extremes, extremes_of, subset_extremes
from activis_tb.recording.members import Members
from activis_tb.recording.workspace import Workspace

_NEURONS_AT_ONCE = 1024
_LEAST_SHARE = 1e-8
"""A variance below this share of the mean square has lost too many digits: float64 has 16."""


class Moments:
    """The summary of one layer; a new one is the neutral element of `merge`.

    All arrays are (subsets, neurons).

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

    def add(self, activations: NDArray[np.float32], members: Members, workspace: Workspace) -> None:
        """Adds a block of instances, `activations` (instances, neurons)."""
        self.merge(_summarise(activations, members, Extremes(self.min, self.max), workspace))

    def merge(self, other: "Moments") -> None:
        """Adds the instances that `other` has seen."""
        total = self.count + other.count
        share = other.count / np.maximum(total, 1)
        distance = other.mean - self.mean
        self.deviations += other.deviations + distance**2 * self.count * share
        self.mean += distance * share
        self.count = total
        np.minimum(self.min, other.min, out=self.min)
        np.maximum(self.max, other.max, out=self.max)
        self.active += other.active
        self.nonfinite += other.nonfinite

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


def as_floats(activations: NDArray[np.float32], workspace: Workspace) -> NDArray[np.float64]:
    """Returns a copy, contiguous and wide enough to be added up, (instances, neurons)."""
    values: NDArray[np.float64] = workspace.array(activations.shape, np.float64)
    np.copyto(values, activations)
    return values


def _summarise(activations: NDArray[np.float32], members: Members, known: Extremes, workspace: Workspace) -> Moments:
    """The summary of one block, without those extremes that are `known`."""
    part = Moments(members.shape[0], activations.shape[1])
    block = extremes_of(activations)
    finite = None if np.isfinite(block).all() else np.isfinite(activations)
    if finite is None:
        part.count += members.sizes[:, None]
        tables = Extremes(activations, activations)
    else:
        part.count += members.counting @ finite.astype(members.counting.dtype)
        part.nonfinite += members.sizes[:, None] - part.count
        lowest, highest = np.float32(-np.inf), np.float32(np.inf)
        tables = Extremes(np.where(finite, activations, highest), np.where(finite, activations, lowest))
        block = Extremes(extremes_of(tables.low).low, extremes_of(tables.high).high)
        activations = np.where(finite, activations, np.float32(0))
    part.min, part.max = subset_extremes(tables, block, known, members, workspace)
    varies = block.low != block.high
    for start in range(0, activations.shape[1], _NEURONS_AT_ONCE):
        neurons = slice(start, start + _NEURONS_AT_ONCE)
        lost = varies[neurons] & _sum(part, activations, members, neurons, workspace)
        if lost.any():
            _rescue(part, start, lost, activations, finite, members)
    part.deviations[:, ~varies] = 0
    return part


def _sum(
    part: Moments, activations: NDArray[np.float32], members: Members, neurons: slice, workspace: Workspace
) -> NDArray[np.bool_]:
    """Fills in what sums give, and returns where the variance was lost, bool (subsets, neurons)."""
    some = activations[:, neurons]
    active = workspace.array(some.shape, members.counting.dtype)
    np.copyto(active, some > 0)
    part.active[:, neurons] = members.counting @ active
    values = as_floats(some, workspace)
    count = np.maximum(part.count[:, neurons], 1)
    mean = (members.transposed @ values) / count
    part.mean[:, neurons] = mean
    squares = members.transposed @ np.square(values, out=values)
    deviations = np.maximum(squares - count * mean**2, 0)
    part.deviations[:, neurons] = deviations
    lost: NDArray[np.bool_] = deviations < _LEAST_SHARE * squares
    return lost


def _rescue(
    part: Moments,
    start: int,
    lost: NDArray[np.bool_],
    activations: NDArray[np.float32],
    finite: NDArray[np.bool_] | None,
    members: Members,
) -> None:
    """Sums the squared deviations one by one where the variance was lost; `lost` begins at neuron `start`."""
    for subset in np.flatnonzero(lost.any(axis=1)):
        neurons = start + np.flatnonzero(lost[subset])
        cells = np.ix_(members.rows[subset], neurons)
        deviations = activations[cells] - part.mean[subset, neurons]
        part.deviations[subset, neurons] = np.square(deviations).sum(
            axis=0, where=True if finite is None else finite[cells]
        )
