"""How well a layer keeps the classes apart, measured on its activations and not on a picture of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.projection import placed
from activis_tb.analysis.threads import one_thread

MOST_ROWS = 2_000
"""More rows are thinned to a seeded choice of so many: the silhouette needs the distance of every pair."""

NEIGHBOURS = 10
_SEED = 0


@dataclass(frozen=True, eq=False)
class Separation:
    """Per instance, how it stands among the others.

    Attributes:
        label: True class of the instances that take part, int32 (instances,).
        silhouette: -1 (nearer to another class than to its own) to 1, float64 (instances,); empty where only one class
            is present.
        purity: Share of its nearest neighbours that are of its class, float64 (instances,); empty for one instance.
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

    Args:
        activations: float32 (rows, neurons). Rows and neurons take part as in the projection.
        label: True class, (rows,).
        report: Told 1 after the silhouette. What it raises ends the computation.
    """
    with IMPORTING:
        from sklearn.metrics import silhouette_samples
        from sklearn.neighbors import NearestNeighbors

    rows, neurons = placed(activations)
    chosen = _thinned(np.flatnonzero(rows))
    values = activations[np.ix_(chosen, neurons)].astype(np.float64)
    own = label[chosen]
    count, classes = len(own), len(np.unique(own))
    neighbours = min(NEIGHBOURS, count - 1)
    silhouette, purity = np.empty(0), np.empty(0)
    usable = values.shape[1] > 0
    with one_thread():
        if usable and 1 < classes < count:
            silhouette = silhouette_samples(values, own)
        if report is not None:
            report(1)
        if usable and neighbours > 0:
            search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(values)
            purity = (own[search.kneighbors(return_distance=False)] == own[:, None]).mean(axis=1)
    return Separation(own, silhouette, purity, max(neighbours, 0))


def _thinned(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(_SEED).choice(rows, MOST_ROWS, replace=False))
