"""Which neuron of one model does what a neuron of another does: two runs share no numbering of their neurons."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.pairing import paired
from activis_tb.analysis.threads import one_thread

MOST_NEURONS = 4_096
"""The widest layer whose best matches are looked for; its assignment takes seconds, that of a wider one minutes."""

FEWEST_INSTANCES = 3
"""Over fewer, every correlation is 1, -1 or none."""

_TIED_DIGITS = 10
"""Correlations that are the same to so many digits are equally good: the order of the instances decides nothing."""


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
    if instances < FEWEST_INSTANCES:
        return Matches(partners, correlations, instances)
    left, right = _standardised(pair.base), _standardised(pair.other)
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
    if instances < FEWEST_INSTANCES:
        return Matches(partners, correlations, instances)
    neurons, left, right = np.intersect1d(pair.base_neurons, pair.other_neurons, return_indices=True)
    first, second = _standardised(pair.base[:, left]), _standardised(pair.other[:, right])
    varying = first.any(axis=0) & second.any(axis=0)
    r = np.einsum("ij,ij->j", first[:, varying], second[:, varying])
    correlations[neurons[varying]] = np.clip(r, -1, 1)
    return Matches(partners, correlations, instances)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the columns centred and of length 1, float64 (instances, neurons); constant ones are 0."""
    constant = values.max(axis=0) == values.min(axis=0)
    centred = values - values.mean(axis=0)
    centred[:, constant] = 0
    scale = np.abs(centred).max(axis=0, initial=0)
    centred /= np.where(scale > 0, scale, 1)
    length = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    return np.asarray(centred / np.where(length > 0, length, 1))
