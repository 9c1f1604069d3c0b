"""Projections of activations to two dimensions: PCA, t-SNE, and t-SNE over the steps of a run in one frame.

Both give the same coordinates for the same activations, always, and neither raises for degenerate ones: rows that are
all alike, fewer rows than a method needs, constant neurons.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.threads import IMPORTING, one_thread
from activis_tb.analysis.tsne import Affinities, Layout, Phase, align

TSNE_VERSION = 3
"""Goes up whenever the same activations would give other t-SNE coordinates than before."""

EARLY_ITERATIONS = 150
ITERATIONS = 650

Report = Callable[[int, NDArray[np.float32]], None]
"""Is told the iterations done and the coordinates, float32 (rows, 2). What it raises ends the computation."""

PERPLEXITY = 30
"""What t-SNE aims at where nobody says otherwise: roughly how many neighbours an instance attends to."""

FEWEST_ROWS = 5
"""Fewer are placed by PCA."""

_EXACT_SIDE = 400
_OVERSAMPLING = 10
_POWER_ITERATIONS = 4
_SEED = 0
_TIE = 1e-9
_LARGEST = 1e37
"""Coordinate of PCA: what is laid onto another picture stays within float32."""


class Placed(NamedTuple):
    """What of a layer's activations takes part in a projection.

    Attributes:
        rows: Those with a place, bool (rows,).
        neurons: Those that decide it, bool (neurons,).
    """

    rows: NDArray[np.bool_]
    neurons: NDArray[np.bool_]


def perplexity_of(rows: int, wanted: float = PERPLEXITY) -> float:
    """Returns the perplexity t-SNE uses for `rows` rows that have a place: the wanted one, at most (rows - 1) / 3."""
    return min(float(wanted), max(rows - 1, 0) / 3)


def placed(activations: NDArray[np.float32]) -> Placed:
    """Returns which of `activations` (rows, neurons) can be projected.

    A neuron that is NaN or infinite in more than half of the rows is left out, so that a broken neuron does not take
    every instance's place away; a row in which another neuron is NaN or infinite has no place.
    """
    finite = np.isfinite(activations)
    neurons = 2 * np.count_nonzero(finite, axis=0) >= len(finite)
    return Placed(np.asarray(finite[:, neurons].all(axis=1)), neurons)


def placed_activations(activations: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns a copy of the rows and neurons that are `placed`, float64."""
    rows, neurons = placed(activations)
    if rows.all() and neurons.all():
        return activations.astype(np.float64)
    return activations[np.ix_(rows, neurons)].astype(np.float64)


def pca(activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Projects on the first two principal components.

    Args:
        activations: float32 (rows, neurons).

    Returns:
        float32 (rows, 2), centred. The sign of each component is such that its largest coordinate by magnitude is
        positive; where two of opposite signs are equally large, that the first of the neurons that weigh most in it
        does. A component without variance is 0; rows without a place (see `placed`) are NaN; with fewer than 3 rows
        that have one all are 0. Coordinates that float32 cannot hold, of huge activations, are scaled down together.
    """
    return _place(activations, lambda rows: _within_float32(principal_components(rows, 2)))


def _within_float32(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns `coordinates`, all divided by one number where one of them is too large to be drawn and turned."""
    extent = np.abs(coordinates).max(initial=0)
    return coordinates / (extent / _LARGEST) if extent > _LARGEST else coordinates


def tsne(
    activations: NDArray[np.float32], report: Report | None = None, perplexity: float = PERPLEXITY
) -> NDArray[np.float32]:
    """Embeds by t-SNE (van der Maaten and Hinton 2008), as openTSNE implements it.

    Repulsion over all pairs up to 6,000 rows, by interpolation (FIt-SNE, Linderman et al. 2019) above, where it becomes
    the faster one; PCA initialisation; 150 iterations of early exaggeration and 500 more, after which not more
    neighbours are kept. All neurons take part in the search for neighbours: reducing wide layers to 50 principal
    components first took longer than it saved. One thread: a second one only waits for the first when the machine is
    busy.

    Args:
        activations: float32 (rows, neurons).
        report: Called every 25 iterations.
        perplexity: At most a third of the other rows is used, see `perplexity_of`.

    Returns:
        float32 (rows, 2), centred, the largest coordinate by magnitude being 1. Rows without a place (see `placed`) are
        NaN. Fewer than 5 rows, or rows on a line, as those of one neuron are, are placed by PCA.
    """
    places = placed(activations).rows

    def report_all(iteration: int, coordinates: NDArray[np.float64]) -> None:
        if report is not None:
            report(iteration, scatter(unit(coordinates), places))

    return _place(activations, lambda rows: unit(_tsne(rows, perplexity, report_all)))


def tsne_start(principal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the coordinates of `pca` in the scale of `tsne`: the picture to show until its first report."""
    places = np.asarray(np.isfinite(principal).all(axis=1))
    return scatter(unit(principal[places].astype(np.float64)), places)


def _place(
    activations: NDArray[np.float32], project: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float32]:
    places, rows = placed(activations).rows, placed_activations(activations)
    return scatter(project(rows) if len(rows) > 2 else np.zeros((len(rows), 2)), places)


def scatter(coordinates: NDArray[np.float64], places: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns `coordinates` of the rows in `places` among all rows, float32 (rows, 2); NaN for the others."""
    result = np.full((len(places), 2), np.nan, np.float32)
    result[places] = coordinates
    return result


def unit(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(coordinates) == 0:
        return coordinates
    centred = coordinates - coordinates.mean(axis=0)
    extent = np.abs(centred).max()
    return np.asarray(centred / extent) if extent > 0 else centred


def principal_components(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Returns the scores of the first components, float64 (rows, count); centres `rows` in place."""
    centred = rows
    centred -= centred.mean(axis=0)
    scale = max(centred.max(initial=0), -centred.min(initial=0))
    if scale > 0:
        centred /= scale
    with one_thread():
        scores, values = _leading_scores(centred, min(count, *centred.shape))
    scores[:, values <= values.max(initial=0) * 1e-12] = 0
    scores *= _signs(centred, scores) * scale
    padding = np.zeros((len(rows), count - scores.shape[1]))
    return np.concatenate([scores, padding], axis=1)


def _signs(centred: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 or -1 per component, (components,): the same whatever the order of the rows, see `pca`."""
    highest, lowest = scores.max(axis=0, initial=0), -scores.min(axis=0, initial=0)
    signs = np.where(lowest > highest, -1.0, 1.0)
    for component in np.flatnonzero(np.abs(highest - lowest) <= _TIE * highest):
        loadings = centred.T @ scores[:, component]
        weighty = np.flatnonzero(np.abs(loadings) >= (1 - _TIE) * np.abs(loadings).max(initial=0))
        signs[component] = -1.0 if len(weighty) and loadings[weighty[0]] < 0 else 1.0
    return signs


def _leading_scores(centred: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the scores (rows, count) and the variances (count,), the largest first."""
    rows, neurons = centred.shape
    if min(rows, neurons) > _EXACT_SIDE:
        return _approximate_scores(centred, count)
    smaller = neurons <= rows
    values, vectors = np.linalg.eigh(centred.T @ centred if smaller else centred @ centred.T)
    values, vectors = np.maximum(values[::-1][:count], 0), vectors[:, ::-1][:, :count]
    return (centred @ vectors if smaller else vectors * np.sqrt(values)), values


def _approximate_scores(centred: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Finds the leading scores by randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4)."""
    directions = np.random.default_rng(_SEED).normal(size=(centred.shape[1], count + _OVERSAMPLING))
    for _ in range(_POWER_ITERATIONS):
        basis, _ = np.linalg.qr(centred @ directions)
        directions, _ = np.linalg.qr(centred.T @ basis)
    left, singular, _ = np.linalg.svd(centred @ directions, full_matrices=False)
    return left[:, :count] * singular[:count], singular[:count] ** 2


def _tsne(
    rows: NDArray[np.float64], perplexity: float, report: Callable[[int, NDArray[np.float64]], None]
) -> NDArray[np.float64]:
    start = principal_components(rows.copy(), 2)
    if len(rows) < FEWEST_ROWS or not start[:, 1].any():
        return start
    layout = Layout.spread(start, Affinities(rows, perplexity_of(len(rows), perplexity)))
    layout.optimise(Phase(EARLY_ITERATIONS, exaggeration=12, momentum=0.5), report)
    layout.optimise(Phase(ITERATIONS - EARLY_ITERATIONS), report)
    return layout.coordinates


STEPS_VERSION = 2
"""Goes up whenever the same activations would give other coordinates than before."""

_PULL = 0.02
_HELD = (
    Phase(200, exaggeration=6, pull=_PULL),
    Phase(200, exaggeration=2, pull=_PULL),
    Phase(150, exaggeration=1.3, pull=_PULL),
    Phase(200, pull=_PULL),
)
_FREE = (Phase(EARLY_ITERATIONS, exaggeration=12, momentum=0.5), Phase(ITERATIONS - EARLY_ITERATIONS))
STEP_ITERATIONS = sum(phase.iterations for phase in (*_HELD, *_FREE))

_WORSE = 1.02
_WIDTH = 0.5
_JITTER = 1e-3

StepReport = Callable[[int, NDArray[np.float32]], None]


def tsne_step(
    activations: NDArray[np.float32],
    predecessor: NDArray[np.float32] | None,
    report: StepReport,
    perplexity: float = PERPLEXITY,
) -> NDArray[np.float32]:
    """Embeds by t-SNE from where the instances were in the step before.

    Twice: held, by a pull towards the predecessor in every iteration (as Rauber et al. 2016 do by a penalty) and an
    exaggeration that is let go gradually; and free, by the whole schedule of t-SNE. The held layout is returned unless
    its Kullback-Leibler divergence is more than 2 % above the free one's, so that a layer that was reorganised is not
    shown as if it were not. It is turned onto the predecessor without a change of size.

    Args:
        activations: float32 (rows, neurons).
        predecessor: float32 (rows, 2), what this function returned for the step before, by the rows of this one; NaN
            for instances that were not there, which start at their nearest neighbour's. None for the first step.
        report: Called every 25 of `STEP_ITERATIONS` with the unfinished layout.
        perplexity: At most a third of the other rows is used, see `perplexity_of`.

    Returns:
        float32 (rows, 2) in the units of t-SNE. Rows without a place (see `placed`) are NaN. Fewer than 5 rows, or rows
        on a line, are placed by PCA.
    """
    places, rows = placed(activations).rows, placed_activations(activations)
    start = principal_components(rows.copy(), 2)
    if len(rows) < FEWEST_ROWS or not start[:, 1].any():
        return scatter(start, places)
    affinities = Affinities(rows, perplexity_of(len(rows), perplexity))
    before = None if predecessor is None else predecessor[places].astype(np.float64)

    def tell(iteration: int, coordinates: NDArray[np.float64]) -> None:
        report(iteration, scatter(coordinates, places))

    if before is None or not np.isfinite(before).any():
        return scatter(_run(Layout.spread(start, affinities), _FREE, tell).coordinates, places)
    onto = before.astype(np.float32)
    before = _completed(before, rows)
    free = _run(Layout(before, affinities), _FREE, tell)
    held = _run(Layout(before, affinities), _HELD, lambda done, found: tell(free.iterations + done, found))
    chosen = held if held.divergence <= _WORSE * free.divergence else free
    everyone = np.repeat(np.arange(len(rows), dtype=np.int32)[:, None], 2, axis=1)
    turned = align(chosen.coordinates.astype(np.float32), onto, everyone, resize=False)
    return scatter(turned.astype(np.float64), places)


def in_frame(coordinates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a step's coordinates as they are shown: centred, at a root mean square distance of 0.5 to the centre."""
    if not np.isfinite(coordinates).any():
        return coordinates
    centred = coordinates - np.nanmean(coordinates, axis=0, dtype=np.float64)
    width = np.sqrt(np.nanmean(np.sum(centred**2, axis=1)))
    return np.asarray(centred * (_WIDTH / width if width > 0 else 1), np.float32)


def _run(layout: Layout, phases: tuple[Phase, ...], report: Callable[[int, NDArray[np.float64]], None]) -> Layout:
    for phase in phases:
        layout.optimise(phase, report)
    return layout


def _completed(before: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns places for all rows: those that had none begin beside the most similar one that had."""
    with IMPORTING:
        from sklearn.neighbors import NearestNeighbors

    had = np.isfinite(before).all(axis=1)
    if had.all():
        return before
    search = NearestNeighbors(n_neighbors=1).fit(rows[had])
    nearest = search.kneighbors(rows[~had], return_distance=False)[:, 0]
    noise = np.random.default_rng(0).normal(0, _JITTER, (len(nearest), 2)) * np.abs(before[had]).max()
    result = before.copy()
    result[~had] = before[had][nearest] + noise
    return result
