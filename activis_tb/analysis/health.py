"""How a layer fares: neurons that never fire, exact zeros, directions of variation, numbers that are none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.projection import placed
from activis_tb.analysis.threads import one_thread
from activis_tb.model import Statistics

_MOST_ROWS = 1_000


class EffectiveRank(NamedTuple):
    """Along how many directions activations vary.

    Attributes:
        value: 0 (all rows alike) to min(neurons, rows - 1).
        rows: Instances it was computed from.
    """

    value: float
    rows: int


def dead_neurons(statistics: Statistics) -> NDArray[np.bool_]:
    """Returns which neurons were exactly zero whenever they were finite, and finite at least once, bool (neurons,).

    So a ReLU unit that never fires is dead, and a unit of a signed layer is not dead for being negative throughout: it
    still tells the next layer something.

    Args:
        statistics: Of subsets that together are all instances, (subsets, neurons).
    """
    seen = statistics.count > 0
    zero = (statistics.min == 0) & (statistics.max == 0)
    return np.asarray((zero | ~seen).all(axis=0) & seen.any(axis=0))


def nonfinite_neurons(statistics: Statistics) -> NDArray[np.bool_]:
    """Returns which neurons were NaN or infinite at least once, bool (neurons,), from such statistics."""
    return np.asarray((statistics.nonfinite > 0).any(axis=0))


def zero_share(statistics: Statistics) -> float:
    """Returns the share of the finite activations that are exactly zero, of a layer without negative ones.

    Args:
        statistics: Of disjoint subsets that together are all instances, (subsets, neurons).

    Returns:
        0 to 1; NaN where nothing is finite.
    """
    finite = statistics.count.sum()
    active = np.where(statistics.count > 0, statistics.active, 0).astype(np.float64) * statistics.count
    return float(1 - np.rint(active).sum() / finite) if finite else np.nan


def estimated_zero_share(activations: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """Estimates the share of the finite activations that are exactly zero from a sample.

    Args:
        activations: float32 (rows, neurons).
        weights: Instances that each row stands for, (rows,).

    Returns:
        0 to 1; NaN where nothing is finite.
    """
    finite = np.count_nonzero(np.isfinite(activations), axis=1) @ weights
    zeros = np.count_nonzero(activations == 0, axis=1) @ weights
    return float(zeros / finite) if finite > 0 else np.nan


def effective_rank(activations: NDArray[np.float32]) -> EffectiveRank:
    """Measures along how many directions activations vary: the effective rank of Roy and Vetterli (2007).

    It is exp(H), H being the entropy (natural logarithm) of the singular values of the centred activations, divided by
    their sum: k for activations that vary equally along k directions. The rows and neurons are those that a projection
    places, and of more than 1,000 such rows the first 1,000, which in a sample ordered by hash are a sample themselves.

    Args:
        activations: float32 (rows, neurons).
    """
    rows, neurons = placed(activations)
    centred = activations[np.ix_(np.flatnonzero(rows)[:_MOST_ROWS], neurons)].astype(np.float64)
    scale = np.abs(centred).max(initial=0)
    if len(centred) < 2 or scale == 0:
        return EffectiveRank(0.0, len(centred))
    centred /= scale
    centred -= centred.mean(axis=0)
    return EffectiveRank(_spread(_singular_values(centred)), len(centred))


def _singular_values(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the singular values that stand out of rounding, from the smaller of the two Gram matrices."""
    rows, neurons = centred.shape
    with one_thread():
        squares = np.linalg.eigvalsh(centred.T @ centred if neurons <= rows else centred @ centred.T)
    noise = squares[-1] * len(squares) * np.finfo(np.float64).eps
    return np.asarray(np.sqrt(squares[squares > max(noise, 0)]))


def _spread(values: NDArray[np.float64]) -> float:
    if len(values) == 0:
        return 0.0
    shares = values / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
