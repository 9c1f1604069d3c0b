"""How well a layer keeps the classes apart, measured on its activations and not on a picture of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.projection import placed

MOST_ROWS = 2_000
"""More rows are thinned to a seeded choice of so many: the silhouette needs the distance of every pair."""

NEIGHBOURS = 10
_SEED = 0
_TIE = 1e-12
"""Distances that differ by less, relatively, are equal: what is left of a sum that was rounded in another order."""


@dataclass(frozen=True, eq=False)
class Separation:
    """Per instance, how it stands among the others.

    Attributes:
        label: True class of the instances that take part, int32 (instances,).
        silhouette: -1 (nearer to another class than to its own) to 1, float64 (instances,); empty where only one class
            is present.
        purity: Share of its nearest neighbours that are of its class, float64 (instances,); empty for one instance.
            Where several are equally far and not all of them are among the nearest, each counts for an equal part.
        neighbours: How many neighbours were asked.
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
