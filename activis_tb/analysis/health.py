"""Health of a layer: dead neurons, exact zeros, effective dimensions, and separation of the classes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.projection import placed
from activis_tb.analysis.threads import IMPORTING, one_thread
from activis_tb.model import Statistics

_MOST_ROWS = 1_000


class EffectiveRank(NamedTuple):
    """Effective number of directions along which activations vary.

    Attributes:
        value: 0 (all rows alike) to min(neurons, rows - 1).
        rows: Instances it was computed from.
    """

    value: float
    rows: int


def dead_neurons(statistics: Statistics) -> NDArray[np.bool_]:
    """Returns which neurons were exactly zero whenever they were finite, and finite at least once, bool (neurons,).

    So a ReLU unit that never fires is dead; a unit of a signed layer that is always negative is not, for it still
    informs the next layer.

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


def overall_moments(statistics: Statistics) -> NDArray[np.float64]:
    """Returns means and population standard deviations over all instances, float64 (2, neurons).

    Of disjoint subsets that every instance is in one of: the mean of their means, weighted by their counts, and the law
    of total variance. NaN where no activation is finite.
    """
    counts = statistics.count.astype(np.float64)
    means, deviations = (
        np.where(statistics.count > 0, values, 0).astype(np.float64) for values in (statistics.mean, statistics.std)
    )
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = (counts * means).sum(axis=0) / total
        variance = (counts * (deviations**2 + (means - mean) ** 2)).sum(axis=0) / total
    return np.stack([mean, np.sqrt(variance)])


MOST_ROWS = 2_000
"""More rows are subsampled with a fixed seed: the silhouette needs the distance of every pair."""

NEIGHBOURS = 10
_SEED = 0
_TIE = 1e-12
"""Distances that differ by less, relatively, are equal: what is left of a sum that was rounded in another order."""


@dataclass(frozen=True, eq=False)
class Separation:
    """Silhouette and neighbourhood purity of each instance.

    Attributes:
        label: True class of the instances that take part, int32 (instances,).
        silhouette: -1 (nearer to another class than to its own) to 1, float64 (instances,); empty where only one class
            is present.
        purity: Share of its nearest neighbours of its class, float64 (instances,); empty for one instance.
            Where several are equally far and not all of them are among the nearest, each counts for an equal part.
        neighbours: How many neighbours were counted.
    """

    label: NDArray[np.int32]
    silhouette: NDArray[np.float64]
    purity: NDArray[np.float64]
    neighbours: int


def separation(
    activations: NDArray[np.float32], label: NDArray[np.int32], report: Callable[[int], None] | None = None
) -> Separation:
    """Measures the silhouette (Rousseeuw 1987) and the purity of the nearest neighbours, by Euclidean distance.

    Distances are sums of squared differences, not made of products: so they are exactly 0 between instances that are
    alike, ties are ties, and the order of the instances never shows.

    Args:
        activations: float32 (rows, neurons). Rows and neurons take part as in the projection.
        label: True class, (rows,).
        report: Told 1 after the silhouette. What it raises ends the computation.
    """
    with IMPORTING:
        from scipy.spatial.distance import cdist
        from sklearn.metrics import silhouette_samples

    rows, neurons = placed(activations)
    chosen = _thinned(np.flatnonzero(rows))
    values = activations[np.ix_(chosen, neurons)].astype(np.float64)
    own = label[chosen]
    count, classes = len(own), len(np.unique(own))
    neighbours = min(NEIGHBOURS, count - 1)
    silhouette, purity = np.empty(0), np.empty(0)
    if values.shape[1] == 0 or neighbours < 1:
        return Separation(own, silhouette, purity, max(neighbours, 0))
    values /= np.abs(values).max() or 1
    distances = cdist(values, values)
    if 1 < classes < count:
        silhouette = silhouette_samples(distances, own, metric="precomputed")
    if report is not None:
        report(1)
    purity = _purity(distances, own, neighbours)
    return Separation(own, silhouette, purity, neighbours)


def _purity(distances: NDArray[np.float64], label: NDArray[np.int32], neighbours: int) -> NDArray[np.float64]:
    """Returns each instance's share of `neighbours` of its class; `distances` (instances, instances) are changed."""
    np.fill_diagonal(distances, np.inf)
    farthest = np.partition(distances, neighbours - 1, axis=1)[:, neighbours - 1, None]
    same = label[:, None] == label
    nearer, tied = distances < farthest * (1 - _TIE), np.abs(distances - farthest) <= farthest * _TIE
    places = neighbours - np.count_nonzero(nearer, axis=1)
    share = np.count_nonzero(tied & same, axis=1) / np.count_nonzero(tied, axis=1)
    return np.asarray((np.count_nonzero(nearer & same, axis=1) + places * share) / neighbours)


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(_SEED).choice(rows, MOST_ROWS, replace=False))
