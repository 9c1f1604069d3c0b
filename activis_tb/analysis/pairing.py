"""Which rows of two samples are the same instance: what everything that compares two snapshots begins with."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.projection import placed


class Pair(NamedTuple):
    """The activations of the same instances in two layers.

    Attributes:
        base: float64 (instances, base neurons), those that are finite in nearly all rows.
        other: float64 (instances, other neurons), likewise.
        base_neurons: Which of the base's neurons these are, int (base neurons,).
        other_neurons: Likewise.
    """

    base: NDArray[np.float64]
    other: NDArray[np.float64]
    base_neurons: NDArray[np.intp]
    other_neurons: NDArray[np.intp]


def common_rows(ids: NDArray[np.object_], other_ids: NDArray[np.object_]) -> NDArray[np.int32]:
    """Returns the rows of the instances in both samples, int32 (instances, 2), by ascending row of the first."""
    position = {id_: row for row, id_ in enumerate(other_ids)}
    pairs = [(row, position[id_]) for row, id_ in enumerate(ids) if id_ in position]
    return np.array(pairs, np.int32).reshape(-1, 2)


def paired(base: NDArray[np.float32], other: NDArray[np.float32], rows: NDArray[np.int32]) -> Pair:
    """Returns the activations of `rows` (instances, 2) that take part in a comparison.

    As in the projection, a neuron that is not finite in most rows is left out, and then a row in which another is.
    """
    left, right = base[rows[:, 0]], other[rows[:, 1]]
    left_places, right_places = placed(left), placed(right)
    kept = left_places.rows & right_places.rows
    return Pair(
        left[np.ix_(kept, left_places.neurons)].astype(np.float64),
        right[np.ix_(kept, right_places.neurons)].astype(np.float64),
        np.flatnonzero(left_places.neurons),
        np.flatnonzero(right_places.neurons),
    )
