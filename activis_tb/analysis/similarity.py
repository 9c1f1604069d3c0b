"""How alike two layers see the same instances, whatever their neurons are: one number per pair of layers."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.projection import placed
from activis_tb.analysis.threads import one_thread

FEWEST_INSTANCES = 4
"""The unbiased estimate needs more than three."""

Report = Callable[[int], None]
"""Is told how many pairs are done. What it raises ends the computation."""


def linear_cka(
    base: Sequence[NDArray[np.float32]],
    other: Sequence[NDArray[np.float32]],
    rows: NDArray[np.int32],
    report: Report | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Compares every layer of `base` with every one of `other` by linear CKA (Kornblith et al. 2019), debiased.

    1 for layers that are alike but for a rotation, a uniform scale and a shift; about 0 for independent ones. HSIC is
    estimated without bias (Song et al. 2012): the biased estimate calls independent layers similar when they have about
    as many neurons as there are instances. It is computed from products of features; a layer with more neurons than
    instances is first rotated into as many dimensions as there are instances, which leaves it the same.

    Args:
        base: One float32 (rows, neurons) per layer.
        other: Likewise, of another snapshot.
        rows: The instances in both, (instances, 2), as `common_rows` returns them.
        report: Called after each pair.

    Returns:
        CKA, float32 (base layers, other layers), NaN where a layer has no variation or there are fewer than 4
        instances; and the instances that each is over, int64 (base layers, other layers): those that are finite in
        both layers, neurons that mostly are not being left out. So a pair's number does not depend on which others are
        asked for.
    """
    left, right = _Side(base, rows[:, 0]), _Side(other, rows[:, 1])
    cka = np.full((len(base), len(other)), np.nan, np.float32)
    instances = np.zeros(cka.shape, np.int64)
    with one_thread():
        for row, column in np.ndindex(cka.shape):
            kept = left.finite[row] & right.finite[column]
            instances[row, column] = np.count_nonzero(kept)
            if instances[row, column] >= FEWEST_INSTANCES:
                cka[row, column] = left.features(row, kept).cka(right.features(column, kept))
            if report is not None:
                report(row * len(other) + column + 1)
    return cka, instances


class _Side:
    """The layers of one snapshot, whose features are made once for the same instances.

    Attributes:
        finite: By layer, which of the instances take part, bool (instances,).
    """

    def __init__(self, layers: Sequence[NDArray[np.float32]], rows: NDArray[np.int32]) -> None:
        self._layers = [layer[rows] for layer in layers]
        self.finite = [placed(layer).rows for layer in self._layers]
        self._made: dict[tuple[int, bytes], _Features] = {}

    def features(self, layer: int, kept: NDArray[np.bool_]) -> "_Features":
        key = (layer, np.packbits(kept).tobytes())
        if key not in self._made:
            while len(self._made) >= len(self._layers):
                del self._made[next(iter(self._made))]
            self._made[key] = _Features(self._layers[layer][kept])
        return self._made[key]


class _Features:
    """One layer, centred and of moderate size.

    Attributes:
        values: float64 (instances, dimensions).
        squares: Squared length of each instance, float64 (instances,).
        spread: `hsic` with itself.
    """

    def __init__(self, activations: NDArray[np.float32]) -> None:
        values = activations[:, placed(activations).neurons].astype(np.float64)
        values = values[:, values.max(axis=0) > values.min(axis=0)]
        values -= values.mean(axis=0)
        values /= np.abs(values).max(initial=0) or 1
        if values.shape[1] > len(values):
            with IMPORTING:
                from scipy.linalg import qr

            values = np.ascontiguousarray(qr(values.T, mode="r")[0][: len(values)].T)
        self.values = values
        self.squares = np.einsum("ij,ij->i", values, values)
        self.spread = self.hsic(self)

    def cka(self, other: "_Features") -> float:
        scale = self.spread * other.spread
        return self.hsic(other) / np.sqrt(scale) if self.spread > 0 and other.spread > 0 else np.nan

    def hsic(self, other: "_Features") -> float:
        """Returns the unbiased estimate of HSIC of linear kernels, but for a factor that CKA divides out."""
        instances = len(self.values)
        cross = self.values.T @ other.values
        diagonal = self.squares @ other.squares * instances / (instances - 2)
        means = self.squares.sum() * other.squares.sum() / ((instances - 1) * (instances - 2))
        return float(np.einsum("ij,ij->", cross, cross) - diagonal + means)
