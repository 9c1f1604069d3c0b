"""Instances in two dimensions, so that those with similar activations lie close: PCA at once, t-SNE for a closer look.

Both give the same coordinates for the same activations, always, and neither raises for degenerate ones: rows that are
all alike, fewer rows than a method needs, constant neurons.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

TSNE_VERSION = 1
"""Goes up whenever the same activations would give other t-SNE coordinates than before."""

EARLY_ITERATIONS = 250
ITERATIONS = 750
REPORT_EVERY = 25

Report = Callable[[int, NDArray[np.float32]], None]
"""Is told the iterations done and the coordinates, float32 (rows, 2). What it raises ends the computation."""

_FEWEST_ROWS = 5
_BARNES_HUT_ROWS = 8_000
_EXACT_NEIGHBOUR_ROWS = 20_000
_EXACT_SIDE = 2_000
_SEED = 0


def perplexity_of(rows: int) -> float:
    """Returns the perplexity t-SNE uses for `rows` finite rows: 30, at most (rows - 1) / 3."""
    return min(30.0, max(rows - 1, 0) / 3)


def finite_rows(activations: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which rows of `activations` (rows, neurons) have a place in a projection, bool (rows,)."""
    return np.asarray(np.isfinite(activations).all(axis=1))


def pca(activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Projects on the first two principal components.

    Args:
        activations: float32 (rows, neurons).

    Returns:
        float32 (rows, 2), centred. The sign of each component is such that its largest coordinate by magnitude is
        positive. A component without variance is 0; rows that are not all finite are NaN; with fewer than 3 finite rows
        all are 0.
    """
    return _place(activations, lambda rows: _principal_components(rows, 2))


def tsne(activations: NDArray[np.float32], report: Report | None = None) -> NDArray[np.float32]:
    """Embeds by t-SNE (van der Maaten and Hinton 2008), as openTSNE implements it.

    Barnes-Hut up to 8,000 rows, interpolation (FIt-SNE, Linderman et al. 2019) above, where it becomes the faster one;
    PCA initialisation; 250 iterations of early exaggeration and 500 more. All neurons take part in the search for
    neighbours: reducing wide layers to 50 principal components first took longer than it saved. One thread: a second
    one only waits for the first when the machine is busy, and the coordinates are the same.

    Args:
        activations: float32 (rows, neurons).
        report: Called every 25 iterations.

    Returns:
        float32 (rows, 2), centred, the largest coordinate by magnitude being 1. Rows that are not all finite are NaN.
        Fewer than 5 finite rows, or rows that are all alike, are placed by PCA.
    """
    places = finite_rows(activations)

    def report_all(iteration: int, coordinates: NDArray[np.float64]) -> None:
        if report is not None:
            report(iteration, _scatter(_unit(coordinates), places))

    return _place(activations, lambda rows: _unit(_tsne(rows, report_all)))


def tsne_start(activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns where t-SNE starts, in the scale of `tsne`: a picture to show until its first report."""
    return _place(activations, lambda rows: _unit(_principal_components(rows, 2)))


def _place(
    activations: NDArray[np.float32], project: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float32]:
    places = finite_rows(activations)
    rows = activations[places].astype(np.float64)
    return _scatter(project(rows) if len(rows) > 2 else np.zeros((len(rows), 2)), places)


def _scatter(coordinates: NDArray[np.float64], places: NDArray[np.bool_]) -> NDArray[np.float32]:
    result = np.full((len(places), 2), np.nan, np.float32)
    result[places] = coordinates
    return result


def _unit(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = coordinates - coordinates.mean(axis=0)
    extent = np.abs(centred).max()
    return np.asarray(centred / extent) if extent > 0 else centred


def _principal_components(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Returns the scores of the first components, float64 (rows, count)."""
    centred = rows - rows.mean(axis=0)
    scale = np.abs(centred).max(initial=0)
    if scale > 0:
        centred /= scale
    scores, values = _leading_scores(centred, min(count, *centred.shape))
    scores[:, values <= values.max(initial=0) * 1e-12] = 0
    largest = np.abs(scores).argmax(axis=0)
    scores *= np.where(scores[largest, np.arange(scores.shape[1])] < 0, -1, 1) * scale
    padding = np.zeros((len(rows), count - scores.shape[1]))
    return np.concatenate([scores, padding], axis=1)


def _leading_scores(centred: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the scores (rows, count) and the variances (count,), the largest first."""
    rows, neurons = centred.shape
    if min(rows, neurons) > _EXACT_SIDE:
        from sklearn.utils.extmath import randomized_svd

        left, singular, _ = randomized_svd(centred, count, random_state=_SEED)
        return left * singular, singular**2
    from scipy.linalg import eigh

    smaller = neurons <= rows
    gram = centred.T @ centred if smaller else centred @ centred.T
    values, vectors = eigh(gram, subset_by_index=(len(gram) - count, len(gram) - 1))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    return (centred @ vectors if smaller else vectors * np.sqrt(values)), values


def _tsne(rows: NDArray[np.float64], report: Callable[[int, NDArray[np.float64]], None]) -> NDArray[np.float64]:
    start = _principal_components(rows, 2)
    if len(rows) < _FEWEST_ROWS or not start.any():
        return start
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN

    affinities = PerplexityBasedNN(
        rows / np.abs(rows).max(),
        perplexity=perplexity_of(len(rows)),
        method="exact" if len(rows) <= _EXACT_NEIGHBOUR_ROWS else "annoy",
        n_jobs=1,
        random_state=_SEED,
    )
    spread = np.random.default_rng(_SEED).normal(0, 0.01, start.shape)
    embedding: Any = TSNEEmbedding(
        (start / start[:, 0].std() + spread) * 1e-4,
        affinities,
        negative_gradient_method="bh" if len(rows) <= _BARNES_HUT_ROWS else "fft",
        n_jobs=1,
        random_state=_SEED,
    )
    phases = ((0, EARLY_ITERATIONS, 12, 0.5), (EARLY_ITERATIONS, ITERATIONS, None, 0.8))
    for begin, end, exaggeration, momentum in phases:
        embedding = embedding.optimize(
            n_iter=end - begin,
            exaggeration=exaggeration,
            momentum=momentum,
            callbacks=lambda done, _, coordinates, begin=begin: report(begin + done, np.asarray(coordinates)),
            callbacks_every_iters=REPORT_EVERY,
        )
    return np.asarray(embedding)
