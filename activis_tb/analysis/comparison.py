"""Comparison of two snapshots' layers: paired instances, matched neurons, and linear CKA."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.projection import placed
from activis_tb.analysis.threads import IMPORTING, one_thread


class Pair(NamedTuple):
    """The activations of the same instances in two layers.

    Attributes:
        base: float64 (instances, base neurons), those that are finite in nearly all rows.
        other: float64 (instances, other neurons), likewise.
        base_neurons: Which of the base's neurons these are, int (base neurons,).
        other_neurons: Likewise.
    """

    base: NDArray[np.float64]
    other: NDArray[np.float64]
    base_neurons: NDArray[np.intp]
    other_neurons: NDArray[np.intp]


def common_rows(ids: NDArray[np.object_], other_ids: NDArray[np.object_]) -> NDArray[np.int32]:
    """Returns the rows of the instances in both samples, int32 (instances, 2), by ascending row of the first."""
    position = {id_: row for row, id_ in enumerate(other_ids)}
    pairs = [(row, position[id_]) for row, id_ in enumerate(ids) if id_ in position]
    return np.array(pairs, np.int32).reshape(-1, 2)


def paired(base: NDArray[np.float32], other: NDArray[np.float32], rows: NDArray[np.int32]) -> Pair:
    """Returns the activations of `rows` (instances, 2) that take part in a comparison.

    As in the projection, a neuron that is not finite in most rows is left out, and then a row in which another is.
    """
    left, right = base[rows[:, 0]], other[rows[:, 1]]
    left_places, right_places = placed(left), placed(right)
    kept = left_places.rows & right_places.rows
    return Pair(
        left[np.ix_(kept, left_places.neurons)].astype(np.float64),
        right[np.ix_(kept, right_places.neurons)].astype(np.float64),
        np.flatnonzero(left_places.neurons),
        np.flatnonzero(right_places.neurons),
    )


MOST_NEURONS = 4_096
"""The widest layer that is matched by correlation: the assignment takes seconds, for wider layers minutes."""

FEWEST_FOR_MATCHING = 3
"""Over fewer instances every correlation is 1, -1 or undefined."""

_TIED_DIGITS = 10
"""Correlations equal to so many digits are ties, so that the order of the instances decides nothing."""


class Matches(NamedTuple):
    """A partner for each neuron of the base.

    Attributes:
        partners: The other layer's neuron, int32 (base neurons,); -1 where there is none.
        correlations: Pearson's r with the partner, float64 (base neurons,); NaN where there is no partner, or where one
            of the two is constant over the instances.
        instances: How many the correlations are over.
    """

    partners: NDArray[np.int32]
    correlations: NDArray[np.float64]
    instances: int


def match_best(base: NDArray[np.float32], other: NDArray[np.float32], rows: NDArray[np.int32]) -> Matches:
    """Matches neurons so that the sum of the correlations is largest (Li et al. 2016, "Convergent learning").

    Exact, by `scipy.optimize.linear_sum_assignment`. Neurons that are constant over the instances have no partner; of
    layers of different widths, the wider one keeps neurons without.

    Args:
        base: float32 (rows, neurons).
        other: float32 (rows, neurons) of another snapshot; the widths may differ.
        rows: The instances in both, (instances, 2), as `common_rows` returns them.
    """
    with IMPORTING:
        from scipy.optimize import linear_sum_assignment

    pair = paired(base, other, rows)
    partners = np.full(base.shape[1], -1, np.int32)
    correlations = np.full(base.shape[1], np.nan)
    instances = len(pair.base)
    if instances < FEWEST_FOR_MATCHING:
        return Matches(partners, correlations, instances)
    left, right = standardised(pair.base), standardised(pair.other)
    varying, other_varying = (np.flatnonzero(side.any(axis=0)) for side in (left, right))
    with one_thread():
        table = left[:, varying].T @ right[:, other_varying]
    matched, to = linear_sum_assignment(np.round(table, _TIED_DIGITS), maximize=True)
    neurons = pair.base_neurons[varying[matched]]
    partners[neurons] = pair.other_neurons[other_varying[to]]
    correlations[neurons] = np.clip(table[matched, to], -1, 1)
    return Matches(partners, correlations, instances)


def match_by_index(base: NDArray[np.float32], other: NDArray[np.float32], rows: NDArray[np.int32]) -> Matches:
    """Matches each neuron with the other layer's of the same number, as is right for two steps of one run.

    The arguments are those of `match_best`.
    """
    width = min(base.shape[1], other.shape[1])
    partners = np.full(base.shape[1], -1, np.int32)
    partners[:width] = np.arange(width)
    correlations = np.full(base.shape[1], np.nan)
    pair = paired(base[:, :width], other[:, :width], rows)
    instances = len(pair.base)
    if instances < FEWEST_FOR_MATCHING:
        return Matches(partners, correlations, instances)
    neurons, left, right = np.intersect1d(pair.base_neurons, pair.other_neurons, return_indices=True)
    first, second = standardised(pair.base[:, left]), standardised(pair.other[:, right])
    varying = first.any(axis=0) & second.any(axis=0)
    r = np.einsum("ij,ij->j", first[:, varying], second[:, varying])
    correlations[neurons[varying]] = np.clip(r, -1, 1)
    return Matches(partners, correlations, instances)


def standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the columns centred and of length 1, float64 (instances, neurons); constant ones are 0."""
    constant = values.max(axis=0) == values.min(axis=0)
    centred = values - values.mean(axis=0)
    centred[:, constant] = 0
    scale = np.abs(centred).max(axis=0, initial=0)
    centred /= np.where(scale > 0, scale, 1)
    length = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    return np.asarray(centred / np.where(length > 0, length, 1))


FEWEST_FOR_CKA = 4
"""The unbiased estimate needs more than three."""

PairReport = Callable[[int], None]
"""Is told how many pairs are done. What it raises ends the computation."""


def linear_cka(
    base: Sequence[NDArray[np.float32]],
    other: Sequence[NDArray[np.float32]],
    rows: NDArray[np.int32],
    report: PairReport | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Compares every layer of `base` with every one of `other` by linear CKA (Kornblith et al. 2019), debiased.

    1 for layers that are alike but for a rotation, a uniform scale and a shift; about 0 for independent ones. HSIC is
    estimated without bias (Song et al. 2012): the biased estimate calls independent layers similar when they have about
    as many neurons as there are instances. It is computed from products of features; a layer with more neurons than
    instances is first rotated into as many dimensions as there are instances, which leaves it the same.

    Args:
        base: One float32 (rows, neurons) per layer.
        other: Likewise, of another snapshot.
        rows: The instances in both, (instances, 2), as `common_rows` returns them.
        report: Called after each pair.

    Returns:
        CKA, float32 (base layers, other layers), NaN where a layer has no variation or there are fewer than 4
        instances; and the instances that each is over, int64 (base layers, other layers): those that are finite in
        both layers, neurons that mostly are not being left out. So a pair's number does not depend on which others are
        asked for.
    """
    left, right = _Side(base, rows[:, 0]), _Side(other, rows[:, 1])
    cka = np.full((len(base), len(other)), np.nan, np.float32)
    instances = np.zeros(cka.shape, np.int64)
    with one_thread():
        for row, column in np.ndindex(cka.shape):
            kept = left.finite[row] & right.finite[column]
            instances[row, column] = np.count_nonzero(kept)
            if instances[row, column] >= FEWEST_FOR_CKA:
                cka[row, column] = left.features(row, kept).cka(right.features(column, kept))
            if report is not None:
                report(row * len(other) + column + 1)
    return cka, instances


class _Side:
    """The layers of one snapshot, whose features are made once for the same instances.

    Attributes:
        finite: By layer, which of the instances take part, bool (instances,).
    """

    def __init__(self, layers: Sequence[NDArray[np.float32]], rows: NDArray[np.int32]) -> None:
        self._layers = [layer[rows] for layer in layers]
        self.finite = [placed(layer).rows for layer in self._layers]
        self._made: dict[tuple[int, bytes], _Features] = {}

    def features(self, layer: int, kept: NDArray[np.bool_]) -> "_Features":
        key = (layer, np.packbits(kept).tobytes())
        if key not in self._made:
            while len(self._made) >= len(self._layers):
                del self._made[next(iter(self._made))]
            self._made[key] = _Features(self._layers[layer][kept])
        return self._made[key]


class _Features:
    """One layer, centred and of moderate size.

    Attributes:
        values: float64 (instances, dimensions).
        squares: Squared length of each instance, float64 (instances,).
        spread: `hsic` with itself.
    """

    def __init__(self, activations: NDArray[np.float32]) -> None:
        values = activations[:, placed(activations).neurons].astype(np.float64)
        values = values[:, values.max(axis=0) > values.min(axis=0)]
        values -= values.mean(axis=0)
        values /= np.abs(values).max(initial=0) or 1
        if values.shape[1] > len(values):
            with IMPORTING:
                from scipy.linalg import qr

            values = np.ascontiguousarray(qr(values.T, mode="r")[0][: len(values)].T)
        self.values = values
        self.squares = np.einsum("ij,ij->i", values, values)
        self.spread = self.hsic(self)

    def cka(self, other: "_Features") -> float:
        scale = self.spread * other.spread
        return self.hsic(other) / np.sqrt(scale) if self.spread > 0 and other.spread > 0 else np.nan

    def hsic(self, other: "_Features") -> float:
        """Returns the unbiased estimate of HSIC of linear kernels, but for a factor that CKA divides out."""
        instances = len(self.values)
        cross = self.values.T @ other.values
        diagonal = self.squares @ other.squares * instances / (instances - 2)
        means = self.squares.sum() * other.squares.sum() / ((instances - 1) * (instances - 2))
        return float(np.einsum("ij,ij->", cross, cross) - diagonal + means)
