"""Averages over any subset of the stored instances, read from their codes.

The cost is that of the selected rows, at most half of all: a zone that is mostly selected is its tally less the rows
that are not. Counts are exact, sums of codes too, so what is uncertain is half a step per activation and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.coded_rows import split_by_part, tally_selected
from activis_tb.analysis.quantization import half_step
from activis_tb.model import CodedActivations


@dataclass(frozen=True, eq=False)
class StoredAverages:
    """A layer's activations summarised over one subset of the stored instances; all arrays are (neurons,).

    Non-finite activations are counted and left out. Where `count` is 0 the others are NaN (`nonfinite` excepted).

    Attributes:
        count: Finite activations, int64; exact.
        nonfinite: NaN and infinite activations, int64; exact.
        mean: float64.
        mean_bound: The mean of the activations themselves is at most so far away, float64.
        active: Share of the finite activations that are > 0, float64; exact.
        std: Population standard deviation (ddof 0), float64; NaN unless asked for.
        std_bound: The like of `mean_bound`, float64.
    """

    count: NDArray[np.int64]
    nonfinite: NDArray[np.int64]
    mean: NDArray[np.float64]
    mean_bound: NDArray[np.float64]
    active: NDArray[np.float64]
    std: NDArray[np.float64]
    std_bound: NDArray[np.float64]


def stored_averages(
    parts: Sequence[CodedActivations], selected: NDArray[np.bool_], *, std: bool = False
) -> StoredAverages:
    """Summarises one layer over the `selected` instances, bool (instances,); `parts` hold them in their order.

    Sums of squared deviations are exact in steps and merge pairwise (Chan, Golub and LeVeque 1979). The bound of the
    standard deviation holds because it is a norm of the deviations: it cannot differ by more than theirs do.

    Raises:
        ValueError: `selected` is not as long as the parts together.
    """
    summary = _Summary(parts[0].codes.shape[1] if parts else 0)
    for part, chosen in split_by_part(parts, selected):
        if chosen.any():
            summary.add(part, tally_selected(part, chosen, squares=std), int(np.count_nonzero(chosen)))
    return summary.extract(std)


class _Summary:
    """Collects parts: `mean` and `deviations` of the finite activations as the codes have them, float64 (neurons,)."""

    def __init__(self, neurons: int) -> None:
        self._count = np.zeros(neurons, np.int64)
        self._nonfinite = np.zeros(neurons, np.int64)
        self._positive = np.zeros(neurons, np.int64)
        self._mean = np.zeros(neurons)
        self._deviations = np.zeros(neurons)
        self._error = np.zeros(neurons)
        self._squared_error = np.zeros(neurons)

    def add(self, part: CodedActivations, counts: NDArray[np.int64], rows: int) -> None:
        total, squares, zeros, positive, nonfinite = counts
        coded = rows - zeros - nonfinite
        at_least_one = np.maximum(coded, 1)
        mean = part.origin + part.scale * (total / at_least_one - 0.5)
        deviations = part.scale**2 * ((coded * squares - total**2) / at_least_one)
        self._merge(coded, mean, deviations)
        self._merge(zeros, np.zeros_like(mean), np.zeros_like(mean))
        self._positive += positive
        self._nonfinite += nonfinite
        self._error += coded * half_step(part)
        self._squared_error += coded * half_step(part) ** 2

    def _merge(self, count: NDArray[np.int64], mean: NDArray[np.float64], deviations: NDArray[np.float64]) -> None:
        together = self._count + count
        share = count / np.maximum(together, 1)
        distance = mean - self._mean
        self._deviations += np.where(count > 0, deviations + distance**2 * self._count * share, 0)
        self._mean += distance * share
        self._count = together

    def extract(self, std: bool) -> StoredAverages:
        known = self._count > 0
        count = np.maximum(self._count, 1)

        def where(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.where(mask, values, np.nan)

        return StoredAverages(
            count=self._count,
            nonfinite=self._nonfinite,
            mean=where(known, self._mean),
            mean_bound=where(known, self._error / count),
            active=where(known, self._positive / count),
            std=where(known, np.sqrt(self._deviations / count)) if std else np.full(len(count), np.nan),
            std_bound=where(known & std, np.sqrt(self._squared_error / count)),
        )
