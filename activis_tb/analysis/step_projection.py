"""Pictures of one layer over training steps in one frame, so that what moves between them is what changed."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.alignment import align
from activis_tb.analysis.embedding import Affinities, Layout, Phase
from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.projection import (
    EARLY_ITERATIONS,
    FEWEST_ROWS,
    ITERATIONS,
    PERPLEXITY,
    perplexity_of,
    placed,
    placed_activations,
    principal_components,
    scatter,
)

STEPS_VERSION = 1
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

Report = Callable[[int, NDArray[np.float32]], None]


def tsne_step(
    activations: NDArray[np.float32],
    predecessor: NDArray[np.float32] | None,
    report: Report,
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
        that are all alike, are placed by PCA.
    """
    places, rows = placed(activations).rows, placed_activations(activations)
    start = principal_components(rows.copy(), 2)
    if len(rows) < FEWEST_ROWS or not start.any():
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
