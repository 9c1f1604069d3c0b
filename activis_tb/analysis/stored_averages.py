"""Averages over any subset of the stored instances, read from their codes.

The cost is that of the selected rows, at most half of all: a zone that is mostly selected is its tally less the rows
that are not. Counts are exact, sums of codes too, so what is uncertain is half a step per activation and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.coded_rows import groups_of_parts, tally_selected
from activis_tb.analysis.parallel import work_on_each
from activis_tb.analysis.quantization import half_step
from activis_tb.model import TALLY_NAMES, CodedActivations

_ROWS_AT_ONCE = 2**18
"""Looked at by one call: the fewer and the longer the calls of NumPy, the less threads wait for the interpreter."""
_WORTH_A_THREAD = 2**25
"""Bytes; below, the threads would mostly wait for one another."""


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
    parts: Sequence[CodedActivations],
    selected: NDArray[np.bool_],
    *,
    std: bool = False,
    most_seconds: float = inf,
) -> StoredAverages:
    """Summarises one layer over the `selected` instances, bool (instances,); `parts` hold them in their order.

    The bound of the standard deviation holds because it is a norm of the deviations: it cannot differ by more than
    theirs do.

    Raises:
        ValueError: `selected` is not as long as the parts together.
        TimeoutError: It took longer than `most_seconds`.
    """
    groups = list(groups_of_parts(parts, selected, _ROWS_AT_ONCE))
    neurons = parts[0].codes.shape[1] if parts else 0
    counts = work_on_each(
        lambda group: tally_selected(*group, squares=std),
        groups,
        at_once=1 if np.count_nonzero(selected) * neurons < _WORTH_A_THREAD else len(groups),
        most_seconds=most_seconds,
    )
    return _summarise(
        parts,
        np.concatenate([np.empty((0, len(TALLY_NAMES), neurons), np.int64), *counts]),
        np.array([np.count_nonzero(chosen) for _, chosen in groups_of_parts(parts, selected)], np.int64),
        std=std,
    )


def _summarise(
    parts: Sequence[CodedActivations], counts: NDArray[np.int64], rows: NDArray[np.int64], *, std: bool
) -> StoredAverages:
    """The average of parts of which `rows` (parts,) instances have the tallies `counts` (parts, tallies, neurons)."""
    total, squares, zeros, positive, nonfinite = counts.swapaxes(0, 1)
    origin, scale, step = (
        np.array(values).reshape(total.shape)
        for values in ([p.origin for p in parts], [p.scale for p in parts], [half_step(p) for p in parts])
    )
    coded = rows[:, None] - zeros - nonfinite
    at_least_one = np.maximum(coded, 1)
    means = origin + scale * (total / at_least_one - 0.5)
    deviations = scale**2 * ((coded * squares - total**2) / at_least_one) if std else np.zeros_like(means)
    count = (coded + zeros).sum(axis=0)
    mean, spread = _joined(np.concatenate([coded, zeros]), np.concatenate([means, np.zeros_like(means)]))
    known, divisor = count > 0, np.maximum(count, 1)

    def where(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(mask, values, np.nan)

    return StoredAverages(
        count=count,
        nonfinite=nonfinite.sum(axis=0),
        mean=where(known, mean),
        mean_bound=where(known, (coded * step).sum(axis=0) / divisor),
        active=where(known, positive.sum(axis=0) / divisor),
        std=where(known & std, np.sqrt((deviations.sum(axis=0) + spread) / divisor)),
        std_bound=where(known & std, np.sqrt((coded * step**2).sum(axis=0) / divisor)),
    )


def _joined(counts: NDArray[np.int64], means: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of groups with `counts` and `means` (groups, neurons), and the squares of their distances from it.

    Both (neurons,). Sums are of distances from one of the groups, so equal groups have that mean exactly.
    """
    if not len(counts):
        return np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    first = np.take_along_axis(means, np.argmax(counts > 0, axis=0)[None], axis=0)
    mean = first[0] + (counts * (means - first)).sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    return mean, (counts * (means - mean) ** 2).sum(axis=0)
