"""Streaming statistics per subset and neuron: membership, moments, extremes, and the accumulator that merges them.

Sums and sums of squares are S^T A and S^T A² with a sparse S. Summaries of disjoint sets of instances merge to that of
their union (Chan, Golub and LeVeque 1979), so batches, workers and machines may split the instances as they like. Where
a sum of squares would lose the variance to cancellation, the deviations are taken from the mean instead. BLAS is not
used: its threads would compete with the training's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse

from activis_tb.model import Statistics, is_right
from activis_tb.recording.blocks import Block


class Scratch:
    """Scratch arrays for intermediate results, one per dtype and purpose; each is valid until the next of its kind."""

    def __init__(self) -> None:
        self._memory: dict[tuple[np.dtype[Any], str], NDArray[Any]] = {}

    def array(self, shape: tuple[int, ...], dtype: DTypeLike, purpose: str = "") -> NDArray[Any]:
        """Returns an array of any content, contiguous.

        Args:
            shape: Of any size; the memory grows to the largest.
            dtype: Of its values.
            purpose: Keeps arrays of one dtype apart that are used at the same time.
        """
        size, key = prod(shape), (np.dtype(dtype), purpose)
        memory = self._memory.get(key)
        if memory is None or len(memory) < size:
            memory = self._memory[key] = np.empty(size, dtype)
        return memory[:size].reshape(shape)


@dataclass(frozen=True, eq=False)
class Membership:
    """Membership of the instances of one block in every subset, the mapping S as a sparse matrix.

    S^T is kept by columns (CSC): a product with it reads every instance once, in order, with the sums in the cache.

    Attributes:
        shape: Numbers of subsets and of instances.
        subsets: The subsets of the first instance, its stratum first, then those of the second, and so on; int32.
        starts: Where in `subsets` those of each instance begin, and its end; int32 (instances + 1,).
    """

    shape: tuple[int, int]
    subsets: NDArray[np.int32]
    starts: NDArray[np.int32]

    @cached_property
    def instances(self) -> NDArray[np.int32]:
        """By entry of `subsets`, the instance, int32."""
        return np.repeat(np.arange(self.shape[1], dtype=np.int32), np.diff(self.starts))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """By subset, the number of its members, int64 (subsets,)."""
        return np.bincount(self.subsets, minlength=self.shape[0])

    @cached_property
    def transposed(self) -> sparse.csc_array:
        """S^T, float64 (subsets, instances), for sums."""
        return self._transposed(np.dtype(np.float64))

    @cached_property
    def counting(self) -> sparse.csc_array:
        """S^T of the smallest integers that can count the instances: faster, for counts."""
        return self._transposed(np.min_scalar_type(-self.shape[1] - 1))

    @cached_property
    def rows(self) -> list[NDArray[np.int32]]:
        """By subset, the positions of its members in the block."""
        by_subset = self.counting.tocsr()
        return [by_subset.indices[start:end] for start, end in pairwise(by_subset.indptr.tolist())]

    def _transposed(self, dtype: np.dtype[Any]) -> sparse.csc_array:
        return sparse.csc_array((np.ones(len(self.subsets), dtype), self.subsets, self.starts), self.shape)


def membership_of(block: Block, strata: int) -> Membership:
    """Returns the membership in the strata, of which each instance is in one, and in the user's subsets."""
    own = block.membership.shape[1]
    chosen = np.flatnonzero(block.membership)
    rows = chosen // max(own, 1)
    starts = np.zeros(len(block) + 1, np.int32)
    np.cumsum(1 + np.bincount(rows, minlength=len(block)), out=starts[1:])
    subsets = np.empty(starts[-1], np.int32)
    of_stratum = np.zeros(len(subsets), np.bool_)
    of_stratum[starts[:-1]] = True
    subsets[of_stratum] = block.stratum
    subsets[~of_stratum] = chosen - rows * own + strata
    return Membership((strata + own, len(block)), subsets, starts)


_ROWS_AT_ONCE = 1024
_SIDE_BY_SIDE = 2048
"""Values that are compared in one go: few long rows are faster than many short ones."""


class Extremes(NamedTuple):
    """Extremes, float32 (neurons,) or (subsets, neurons); of nothing, `low` is infinite and `high` minus infinite."""

    low: NDArray[np.float32]
    high: NDArray[np.float32]


def extremes_of(table: NDArray[np.float32]) -> Extremes:
    """Returns the extremes of a table (instances, neurons) of at least one instance; NaN where it has any."""
    return Extremes(_reduced(np.minimum, table), _reduced(np.maximum, table))


def subset_extremes(
    tables: Extremes, block: Extremes, known: Extremes, members: Membership, scratch: Scratch
) -> Extremes:
    """Returns the extremes (subsets, neurons) of those subsets for which they may be wider than `known`.

    Most layers do not go below zero, and most subsets reach zero early on: they need no second look.

    Args:
        tables: Where to look for the smallest and for the largest, (instances, neurons), of finite values or of
            infinite ones that are no extreme; mostly the same table.
        block: Of all instances, (neurons,).
        known: (subsets, neurons).
        members: Of the subsets.
        scratch: For copies of the members' activations.
    """
    found = Extremes(np.full_like(known.low, np.inf), np.full_like(known.high, -np.inf))
    copies = scratch.array((min(_ROWS_AT_ONCE, members.shape[1]), tables.low.shape[1]), np.float32)
    lower, higher = _which(block.low < known.low), _which(block.high > known.high)
    for subset in sorted(lower | higher):
        rows = members.rows[subset]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            chosen = rows[start : start + _ROWS_AT_ONCE]
            # All rows exist; "clip" lets NumPy write without another copy.
            taken = None
            if subset in lower:
                taken = tables.low.take(chosen, axis=0, out=copies[: len(chosen)], mode="clip")
                np.minimum(found.low[subset], np.minimum.reduce(taken), out=found.low[subset])
            if subset in higher:
                if taken is None or tables.high is not tables.low:
                    taken = tables.high.take(chosen, axis=0, out=copies[: len(chosen)], mode="clip")
                np.maximum(found.high[subset], np.maximum.reduce(taken), out=found.high[subset])
    return found


def _which(cells: NDArray[np.bool_]) -> set[int]:
    """The subsets for which any of `cells` (subsets, neurons) is true."""
    return set(np.flatnonzero(cells.any(axis=1)).tolist())


def _reduced(operation: np.ufunc, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The `operation` over all instances of a table (instances, neurons), (neurons,)."""
    side = max(1, _SIDE_BY_SIDE // table.shape[1])
    whole = len(table) // side * side
    if whole == 0 or side == 1 or not table.flags.c_contiguous:
        reduced: NDArray[np.float32] = operation.reduce(table, axis=0)
        return reduced
    reduced = operation.reduce(operation.reduce(table[:whole].reshape(whole // side, -1), axis=0).reshape(side, -1))
    return reduced if whole == len(table) else operation(reduced, operation.reduce(table[whole:], axis=0))


_NEURONS_AT_ONCE = 1024
_LEAST_SHARE = 1e-8
"""A variance below this share of the mean square has lost too many digits: float64 has 16."""


class Moments:
    """Moments and extremes of one layer; a new object is the neutral element of `merge`.

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

    def add(self, activations: NDArray[np.float32], members: Membership, scratch: Scratch) -> None:
        """Adds a block of instances, `activations` (instances, neurons)."""
        self.merge(_summarise(activations, members, Extremes(self.min, self.max), scratch))

    def merge(self, other: "Moments") -> None:
        """Adds the instances of `other`."""
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


def as_floats(activations: NDArray[np.float32], scratch: Scratch) -> NDArray[np.float64]:
    """Returns a contiguous copy as float64, for sums, (instances, neurons)."""
    values: NDArray[np.float64] = scratch.array(activations.shape, np.float64)
    np.copyto(values, activations)
    return values


def _summarise(activations: NDArray[np.float32], members: Membership, known: Extremes, scratch: Scratch) -> Moments:
    """The moments of one block, without the extremes that are `known`."""
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
    part.min, part.max = subset_extremes(tables, block, known, members, scratch)
    varies = block.low != block.high
    for start in range(0, activations.shape[1], _NEURONS_AT_ONCE):
        neurons = slice(start, start + _NEURONS_AT_ONCE)
        lost = varies[neurons] & _sum(part, activations, members, neurons, scratch)
        if lost.any():
            _rescue(part, start, lost, activations, finite, members)
    part.deviations[:, ~varies] = 0
    return part


def _sum(
    part: Moments, activations: NDArray[np.float32], members: Membership, neurons: slice, scratch: Scratch
) -> NDArray[np.bool_]:
    """Fills in counts, means and deviations; returns where cancellation lost the variance, bool (subsets, neurons)."""
    some = activations[:, neurons]
    active = scratch.array(some.shape, members.counting.dtype)
    np.copyto(active, some > 0)
    part.active[:, neurons] = members.counting @ active
    values = as_floats(some, scratch)
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
    members: Membership,
) -> None:
    """Sums the squared deviations from the mean where the variance was lost; `lost` begins at neuron `start`."""
    for subset in np.flatnonzero(lost.any(axis=1)):
        neurons = start + np.flatnonzero(lost[subset])
        cells = np.ix_(members.rows[subset], neurons)
        deviations = activations[cells] - part.mean[subset, neurons]
        part.deviations[subset, neurons] = np.square(deviations).sum(
            axis=0, where=True if finite is None else finite[cells]
        )


class Accumulator:
    """Statistics of every layer and outcomes of every subset over the instances added so far.

    Subsets are the strata (the classes in order, or all instances without labels), then the user's. A new accumulator
    is the neutral element of `merge`.

    Args:
        classes: Number of classes.
        subsets: Number of the user's subsets.
        neurons: By layer name.
        strata: Number of disjoint subsets that every instance is in one of; by default the classes.

    Attributes:
        instances: Number of instances added.
    """

    def __init__(self, classes: int, subsets: int, neurons: Mapping[str, int], strata: int | None = None) -> None:
        self.instances = 0
        self._classes = classes
        self._strata = strata = classes if strata is None else strata
        self._scratch = Scratch()
        self._counts = np.zeros(strata + subsets, np.int64)
        self._correct = np.zeros(strata + subsets, np.int64)
        self._predicted_counts = np.zeros((strata + subsets, classes), np.int64)
        self._layers = {name: Moments(strata + subsets, count) for name, count in neurons.items()}

    def add(self, block: Block) -> None:
        """Adds the instances of `block`."""
        members = membership_of(block, self._strata)
        right = is_right(block.label, block.predicted)[members.instances]
        self._counts += members.sizes
        self._correct += np.bincount(members.subsets[right], minlength=len(self._correct))
        predicted = block.predicted[members.instances]
        cells = members.subsets.astype(np.intp) * self._classes + predicted
        # With one axis it is several times as fast.
        np.add.at(self._predicted_counts.reshape(-1), cells[predicted >= 0], 1)
        for name, layer in self._layers.items():
            layer.add(block.activations[name], members, self._scratch)
        self.instances += len(block)

    def merge(self, other: Self) -> None:
        """Adds the instances of `other`, which has the same classes, subsets and layers."""
        self.instances += other.instances
        self._counts += other._counts
        self._correct += other._correct
        self._predicted_counts += other._predicted_counts
        for name, layer in self._layers.items():
            layer.merge(other._layers[name])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns its state as arrays, for `from_arrays` in another process."""
        arrays = {"counts": self._counts, "correct": self._correct, "predicted_counts": self._predicted_counts}
        for position, layer in enumerate(self._layers.values()):
            arrays |= {f"{position}/{name}": values for name, values in vars(layer).items()}
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], layers: Sequence[str], instances: int, strata: int
    ) -> Self:
        """Returns the accumulator with this state.

        Args:
            arrays: State, as `arrays` returned it.
            layers: Names, in order.
            instances: Added to it.
            strata: As of the constructor.
        """
        classes = arrays["predicted_counts"].shape[1]
        neurons = {name: arrays[f"{position}/mean"].shape[1] for position, name in enumerate(layers)}
        accumulator = cls(classes, len(arrays["correct"]) - strata, neurons, strata)
        accumulator.instances = instances
        accumulator._counts += arrays["counts"]
        accumulator._correct += arrays["correct"]
        accumulator._predicted_counts += arrays["predicted_counts"]
        for position, layer in enumerate(accumulator._layers.values()):
            for name in vars(layer):
                setattr(layer, name, arrays[f"{position}/{name}"])
        return accumulator

    def extract(self) -> dict[str, Statistics]:
        """Returns the statistics by layer name."""
        return {name: layer.extract() for name, layer in self._layers.items()}

    @property
    def stratum_counts(self) -> NDArray[np.int64]:
        """Instances of every stratum, int64 (strata,)."""
        return self._counts[: self._strata]

    @property
    def without_prediction(self) -> int:
        """Instances that are predicted as nothing."""
        return int(self.stratum_counts.sum() - self._predicted_counts[: self._strata].sum())

    def signed(self, layer: str) -> bool:
        """Tells whether any finite activation of `layer` is negative."""
        return bool((self._layers[layer].min < 0).any())

    def outcomes(self) -> list[tuple[int, int, tuple[int, ...]]]:
        """Returns by subset its instances, how many are predicted right, and how many as each class."""
        return [
            (int(count), int(correct), tuple(predicted.tolist()))
            for count, correct, predicted in zip(self._counts, self._correct, self._predicted_counts, strict=True)
        ]
