"""t-SNE layouts, optimised in phases by openTSNE with a fixed seed, and Procrustes alignment of two layouts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.threads import IMPORTING

REPORT_EVERY = 25

PhaseReport = Callable[[int, NDArray[np.float64]], None]
"""Is told the iterations done in all and the coordinates, float64 (rows, 2). What it raises ends the computation."""

_BARNES_HUT_ROWS = 8_000
_EXACT_NEIGHBOUR_ROWS = 20_000
_SEED = 0


class Phase(NamedTuple):
    """Iterations of one kind.

    Attributes:
        iterations: How many.
        exaggeration: Factor of the attraction; None for no exaggeration.
        momentum: Of the gradient descent.
        pull: Share of the way back to its start that an instance moves after each iteration.
    """

    iterations: int
    exaggeration: float | None = None
    momentum: float = 0.8
    pull: float = 0


class Affinities:
    """Affinities of t-SNE between rows.

    Args:
        rows: float64 (rows, neurons), not all alike.
        perplexity: Roughly the number of neighbours that count.
    """

    def __init__(self, rows: NDArray[np.float64], perplexity: float) -> None:
        with IMPORTING:
            from openTSNE.affinity import PerplexityBasedNN

        self.rows = len(rows)
        self.matrix: Any = PerplexityBasedNN(
            rows / np.abs(rows).max(),
            perplexity=perplexity,
            method="exact" if len(rows) <= _EXACT_NEIGHBOUR_ROWS else "annoy",
            n_jobs=1,
            random_state=_SEED,
        )


class Layout:
    """A layout being optimised; Barnes-Hut up to 8,000 rows, interpolation above.

    Args:
        start: float64 (rows, 2), in the units of t-SNE.
        affinities: The affinities to be shown.

    Attributes:
        iterations: Done so far.
    """

    def __init__(self, start: NDArray[np.float64], affinities: Affinities) -> None:
        with IMPORTING:
            from openTSNE import TSNEEmbedding

        self.iterations = 0
        self._start = start
        self._embedding: Any = TSNEEmbedding(
            start.copy(),
            affinities.matrix,
            negative_gradient_method="bh" if affinities.rows <= _BARNES_HUT_ROWS else "fft",
            n_jobs=1,
            random_state=_SEED,
        )

    @classmethod
    def spread(cls, start: NDArray[np.float64], affinities: Affinities) -> "Layout":
        """Starts from a tiny copy of `start`, in any unit, with a little noise, as t-SNE does from PCA."""
        noise = np.random.default_rng(_SEED).normal(0, 0.01, start.shape)
        return cls((start / start[:, 0].std() + noise) * 1e-4, affinities)

    @property
    def coordinates(self) -> NDArray[np.float64]:
        """Float64 (rows, 2)."""
        return np.asarray(self._embedding)

    @property
    def divergence(self) -> float:
        """Kullback-Leibler divergence from the affinities; known after the first phase."""
        return float(self._embedding.kl_divergence)

    def optimise(self, phase: Phase, report: PhaseReport) -> None:
        """Optimises for one phase."""
        done = self.iterations

        def after(iteration: int, _: float, coordinates: NDArray[np.float64]) -> None:
            if phase.pull:
                coordinates += phase.pull * (self._start - coordinates)
            if iteration % REPORT_EVERY == 0:
                report(done + iteration, np.asarray(coordinates))

        self._embedding = self._embedding.optimize(
            n_iter=phase.iterations,
            exaggeration=phase.exaggeration,
            momentum=phase.momentum,
            callbacks=after,
            callbacks_every_iters=1 if phase.pull else REPORT_EVERY,
        )
        self.iterations += phase.iterations


_FEWEST_INSTANCES = 2


def align(
    coordinates: NDArray[np.float32], onto: NDArray[np.float32], rows: NDArray[np.int32], resize: bool = True
) -> NDArray[np.float32]:
    """Returns `coordinates` turned, mirrored, scaled and shifted onto `onto` (orthogonal Procrustes, Schönemann 1966).

    The scale makes both equally wide, measured by the instances in both; the least-squares scale would shrink a picture
    the more, the less it resembles the other.

    Args:
        coordinates: float32 (rows, 2); NaN where a row has no place.
        onto: float32 (rows, 2) of another picture.
        rows: The instances in both, (instances, 2): the row in `coordinates`, the row in `onto`.
        resize: Whether it may be scaled.

    Returns:
        float32 (rows, 2); NaN stays NaN. With fewer than two instances that have places in both, or all on one spot,
        `coordinates` themselves.
    """
    with IMPORTING:
        from scipy.linalg import orthogonal_procrustes

    moving, fixed = coordinates[rows[:, 0]].astype(np.float64), onto[rows[:, 1]].astype(np.float64)
    placed = np.isfinite(moving).all(axis=1) & np.isfinite(fixed).all(axis=1)
    moving, fixed = moving[placed], fixed[placed]
    if len(moving) < _FEWEST_INSTANCES:
        return coordinates
    centre, target = moving.mean(axis=0), fixed.mean(axis=0)
    width, wanted = np.linalg.norm(moving - centre), np.linalg.norm(fixed - target)
    if width == 0 or wanted == 0:
        return coordinates
    turn, _ = orthogonal_procrustes(moving - centre, fixed - target)
    scale = wanted / width if resize else 1
    return np.asarray((coordinates - centre) @ turn * scale + target, np.float32)
