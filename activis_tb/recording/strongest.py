"""Largest activations of every neuron in a stream, and by what each is known.

They are a monoid: neither batches, order nor workers change what they are. Equally large ones are told apart by a hash.
"""

import numpy as np
from numpy.typing import NDArray

_RARE = np.uint64(2**60)
"""Below it is the hash of one in 16."""


class Strongest:
    """The largest finite activations of every neuron, in descending order.

    Args:
        neurons: Of the layer.
        top: How many of each.
        above: Only larger ones are kept; None for any.

    Attributes:
        value: float32 (neurons, top); minus infinite, or `above`, behind the last.
        key: Their hashes, uint64 (neurons, top).
        place: What the caller calls them, int64 (neurons, top); -1 behind the last.
    """

    def __init__(self, neurons: int, top: int, above: float | None = None) -> None:
        self.value = np.full((neurons, top), -np.inf if above is None else above, np.float32)
        self.key = np.full((neurons, top), np.iinfo(np.uint64).max if above is None else 0, np.uint64)
        self.place = np.full((neurons, top), -1, np.int64)

    def offer(self, values: NDArray[np.float32], keys: NDArray[np.uint64], first: int = 0) -> NDArray[np.intp]:
        """Offers activations; returns the rows of which some may be kept, perhaps one several times.

        Args:
            values: (instances, neurons).
            keys: Hashes, (instances,): of equally large ones, that of smaller hash comes first.
            first: Place of the first one; the others follow it.
        """
        floor, last = self.value[:, -1], self.key[:, -1]
        # Neurons that are zero at most places have many equal ones, of which few have a hash that is small enough.
        tied = last < _RARE
        hits = np.flatnonzero(values >= np.where(tied, np.nextafter(floor, np.float32(np.inf)), floor))
        rows, neurons = np.divmod(hits, values.shape[1])
        if tied.any():
            near = np.flatnonzero(keys < last[tied].max())
            which = np.flatnonzero(tied)
            of_near, of_which = np.nonzero(values[np.ix_(near, which)] == floor[which])
            rows = np.concatenate([rows, near[of_near]])
            neurons = np.concatenate([neurons, which[of_which]])
        found, key = values[rows, neurons], keys[rows]
        better = ((found > floor[neurons]) | (key < last[neurons])) & np.isfinite(found)
        rows, neurons = rows[better], neurons[better]
        if len(neurons):
            self.take(np.unique(neurons), neurons, found[better], key[better], first + rows)
        return rows

    def merge(self, other: "Strongest", first: int) -> None:
        """Offers those of `other`, whose places begin at `first`."""
        neurons, top = other.value.shape
        places = np.where(other.place < 0, -1, other.place + first)
        self.take(np.arange(neurons), np.repeat(np.arange(neurons), top), other.value, other.key, places)

    def take(
        self,
        touched: NDArray[np.intp],
        neurons: NDArray[np.intp],
        values: NDArray[np.float32],
        keys: NDArray[np.uint64],
        places: NDArray[np.int64],
    ) -> None:
        """Keeps the largest of those that are there and those that come; `touched` are the different `neurons`."""
        top = self.value.shape[1]
        neuron = np.concatenate([np.repeat(touched, top), neurons])
        value = np.concatenate([self.value[touched].ravel(), values.ravel()])
        key = np.concatenate([self.key[touched].ravel(), keys.ravel()])
        place = np.concatenate([self.place[touched].ravel(), places.ravel()])
        order = _order(neuron, value, key)
        ends = np.cumsum(np.bincount(neuron)[touched])
        rank = np.arange(len(order)) - np.repeat(np.append(0, ends[:-1]), np.diff(ends, prepend=0))
        kept = order[rank < top]
        for target, source in ((self.value, value), (self.key, key), (self.place, place)):
            target[touched] = source[kept].reshape(len(touched), top)


def _order(neuron: NDArray[np.intp], value: NDArray[np.float32], key: NDArray[np.uint64]) -> NDArray[np.intp]:
    """The order by neuron, then from the largest to the smallest value, then by key: `lexsort`, in a third of its time.

    The bits of floats are in their order but for the sign, so one number holds a neuron and a value.
    """
    bits = (value + np.float32(0)).view(np.uint32)  # there is one zero
    descending = np.where(bits >> 31, bits, ~bits & 0x7FFFFFFF)
    both = (neuron.astype(np.uint64) << np.uint64(32)) | descending
    order: NDArray[np.intp] = np.argsort(both)
    ordered = both[order]
    equal = ordered[1:] == ordered[:-1]
    if equal.any():
        tied = np.flatnonzero(np.append(equal, False) | np.append(False, equal))
        order[tied] = order[tied][np.lexsort((key[order[tied]], ordered[tied]))]
    return order
