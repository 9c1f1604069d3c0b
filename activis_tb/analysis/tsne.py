"""t-SNE layouts, optimised in phases by openTSNE with a fixed seed, and Procrustes alignment of two layouts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.threads import IMPORTING, one_thread

REPORT_EVERY = 25

PhaseReport = Callable[[int, NDArray[np.float64]], None]
"""Is told the iterations done in all and the coordinates, float64 (rows, 2). What it raises ends the computation."""

_ALL_PAIRS_ROWS = 6_000
_PAIRS_AT_ONCE = 1 << 17
"""Their 512 KiB stay in the cache of the processor from one operation to the next."""
_LEAST = 1e-12
_PRECISE = 1e5
"""Up to this square of a distance to the centre, a kernel in float32 is right to 2 %, and mostly much better."""
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


class _AllPairs:
    """Gradient over all pairs, as openTSNE asks for it: its repulsion exactly, by products of matrices.

    Each pair is computed once for both of its instances: the rows of a block meet those from the block on. Up to some
    thousand rows this is faster than trees or grids, which take many times as long for what they do not leave out. The
    order of all sums is fixed, so that the result is the same every time.
    """

    def __init__(self, rows: int) -> None:
        with IMPORTING:
            from openTSNE import _tsne

        self._attraction = _tsne.estimate_positive_gradient_nn
        self._height = max(8, _PAIRS_AT_ONCE // rows)
        self._kernels = np.empty(self._height * rows)

    def __call__(self, embedding: Any, affinities: Any, dof: float, **_: Any) -> tuple[float, NDArray[np.float64]]:
        """Returns 0, since nobody looks at the divergence on the way, and the gradient."""
        return 0.0, self._evaluate(np.asarray(embedding), affinities, dof, divergence=False)[1]

    def divergence(self, places: NDArray[np.float64], affinities: Any) -> float:
        """Returns the Kullback-Leibler divergence of `places` from the affinities, a sparse matrix."""
        return self._evaluate(places, affinities, 1, divergence=True)[0]

    def _evaluate(
        self, places: NDArray[np.float64], affinities: Any, dof: float, *, divergence: bool
    ) -> tuple[float, NDArray[np.float64]]:
        gradient, total = self._repulsion(places)
        weight, error = self._attraction(
            *(affinities.indices, affinities.indptr, affinities.data, places, places, gradient, dof),
            num_threads=1,
            should_eval_error=divergence,
        )
        return (float(error + weight * np.log(total)) if divergence else 0.0), gradient

    def _repulsion(self, places: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Returns its part of the gradient, float64 (rows, 2), and the sum of the kernels of all pairs."""
        rows, squares = len(places), np.sum(places * places, axis=1)
        dtype: Any = np.float32 if squares.max() < _PRECISE else np.float64
        points, squares, ones = places.astype(dtype), squares.astype(dtype), np.ones(rows, dtype)
        # 1 + |a - b|² = (1 + |a|²) · 1 + 1 · |b|² - 2 a · b, and the kernel is one over it.
        left = np.column_stack([-2 * points, 1 + squares, ones])
        right = np.ascontiguousarray(np.column_stack([points, ones, squares]).T)
        moments = np.column_stack([points, ones])
        sums, total = np.zeros((rows, 3)), _LEAST
        for begin in range(0, rows, self._height):
            end = min(begin + self._height, rows)
            height, width = end - begin, rows - begin
            flat = self._kernels.view(dtype)[: height * width]
            kernels = flat.reshape(height, width)
            np.matmul(left[begin:end], right[:, begin:], out=kernels)
            np.reciprocal(kernels, out=kernels)
            flat[:: width + 1] = 0  # of an instance and itself
            total += 2 * float(np.sum(kernels @ ones[begin:])) - float(kernels[:, :height].sum())
            np.multiply(kernels, kernels, out=kernels)
            sums[begin:end] += kernels @ moments[begin:]
            sums[end:] += kernels[:, height:].T @ moments[begin:end]
        return (sums[:, :2] - sums[:, 2:] * places) / total, total


class Layout:
    """A layout being optimised: over all pairs up to 6,000 rows, by interpolation above.

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
        self._pairs = _AllPairs(affinities.rows) if affinities.rows <= _ALL_PAIRS_ROWS else None
        self._affinities = affinities
        self._embedding: Any = TSNEEmbedding(
            start.copy(),
            affinities.matrix,
            negative_gradient_method=self._pairs or "fft",
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
        if self._pairs is None:
            return float(self._embedding.kl_divergence)
        return self._pairs.divergence(self.coordinates, self._affinities.matrix.P)

    def optimise(self, phase: Phase, report: PhaseReport) -> None:
        """Optimises for one phase."""
        done = self.iterations

        def after(iteration: int, _: float, coordinates: NDArray[np.float64]) -> None:
            if phase.pull:
                coordinates += phase.pull * (self._start - coordinates)
            if iteration % REPORT_EVERY == 0:
                report(done + iteration, np.asarray(coordinates))

        with one_thread():
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
