"""Strongest positions of every neuron of a layer, over all instances.

They are a monoid: neither batches, order nor workers change what they are. Equally strong ones are told apart by a hash
of their instance and place.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from activis_tb.positions import AROUND, TopPositions
from activis_tb.recording.identity import hash_texts, mix
from activis_tb.recording.strongest import Strongest

TOP = 20
_AT_ONCE = 16_384
"""Positions that are compared with the strongest in one go."""


class Places(NamedTuple):
    """Where some positions are.

    Attributes:
        ids: Of their instances, str, object array (places,).
        stream: Places of these in the stream, int64 (places,).
        position: Numbers of their tokens in the instance, int64 (places,).
        texts: Tokens around, str, object array (places, 2 * AROUND + 1).
    """

    ids: NDArray[np.object_]
    stream: NDArray[np.int64]
    position: NDArray[np.int64]
    texts: NDArray[np.object_]

    def take(self, rows: NDArray[np.int64]) -> "Places":
        """Returns some of them."""
        return Places(self.ids[rows], self.stream[rows], self.position[rows], self.texts[rows])

    def join(self, other: "Places") -> "Places":
        """Returns these and then the others."""
        ids, stream, position, texts = (np.concatenate(columns) for columns in zip(self, other, strict=True))
        return Places(ids, stream, position, texts)


def _no_places() -> Places:
    texts = np.empty((0, 2 * AROUND + 1), np.object_)
    return Places(texts[:, 0], np.empty(0, np.int64), np.empty(0, np.int64), texts)


class StrongestPositions:
    """The strongest positions of every neuron of one layer, in descending order.

    Args:
        neurons: Of the layer.
        top: How many of each.
    """

    def __init__(self, neurons: int, top: int = TOP) -> None:
        self._best = Strongest(neurons, top)
        self._places = _no_places()
        self._seen = 0

    def add(
        self,
        values: NDArray[np.float32],
        keys: NDArray[np.uint64],
        places_of: Callable[[NDArray[np.int64]], Places],
    ) -> None:
        """Offers positions.

        Args:
            values: (positions, neurons).
            keys: (positions,): of equally strong ones, that of smaller key comes first.
            places_of: Returns what to keep of some of them, given their numbers here.
        """
        first, start = len(self._places.ids), 0
        while start < len(values):
            # At first most are among the strongest so far, and few at a time are worth sorting.
            piece = slice(start, start + max(64, min(3 * self._seen, _AT_ONCE)))
            self._best.offer(values[piece], keys[piece], first + start)
            self._seen += len(values[piece])
            start = piece.stop
        taken, where = np.unique(self._best.place[self._best.place >= first], return_inverse=True)
        self._best.place[self._best.place >= first] = first + where
        if len(taken):
            self._places = self._places.join(places_of(taken - first))
        if len(self._places.ids) > 2 * self._best.place.size:
            self._forget()

    def merge(self, other: Self) -> None:
        """Offers the strongest positions of `other`."""
        self._best.merge(other._best, len(self._places.ids))
        self._places = self._places.join(other._places)
        self._seen += other._seen
        self._forget()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns its state as arrays, texts as objects, for `from_arrays` in another process."""
        self._forget()
        ids, stream, position, texts = self._places
        best: dict[str, NDArray[Any]] = {name: getattr(self._best, name) for name in ("value", "key", "place")}
        return best | {"id": ids, "stream": stream, "position": position, "texts": texts.reshape(-1)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], shift: int) -> Self:
        """Returns the strongest positions with this state; `shift` is added to the instances' place in the stream."""
        found = cls(*arrays["value"].shape)
        found._best.value, found._best.key, found._best.place = arrays["value"], arrays["key"], arrays["place"]
        texts = arrays["texts"].reshape(-1, 2 * AROUND + 1)
        found._places = Places(arrays["id"], arrays["stream"] + shift, arrays["position"], texts)
        return found

    def extract(self, room: int, before: int, after: int) -> tuple[TopPositions, int]:
        """Returns as many of the strongest of every neuron as have room, and the bytes that they take.

        Args:
            room: Bytes that they may take.
            before: Tokens before its own that a position sees.
            after: Tokens after it.
        """
        fewest, most = 0, self._best.value.shape[1]
        middle, size = most, 0
        while fewest < most:
            needed = self._size(middle)
            fewest, most, size = (middle, most, needed) if needed <= room else (fewest, middle - 1, size)
            middle = (fewest + most + 1) // 2
        place, value = self._best.place[:, :fewest], self._best.value[:, :fewest]
        taken, where = np.unique(place[place >= 0], return_inverse=True)
        shown = np.full(place.shape, -1, np.int32)
        shown[place >= 0] = where
        places = self._places.take(taken)
        stream = dict(zip(places.ids.tolist(), places.stream.tolist(), strict=True))
        rows = {identity: row for row, identity in enumerate(stream)}
        top = TopPositions(
            value=np.where(place >= 0, value, np.float32(np.nan)),
            place=shown,
            position=places.position.astype(np.int32),
            texts=places.texts,
            instance=np.fromiter(map(rows.__getitem__, places.ids.tolist()), np.int32, len(taken)),
            ids=np.fromiter(stream, np.object_, len(stream)),
            index=np.fromiter(stream.values(), np.int64, len(stream)),
            before=before,
            after=after,
        )
        return top, size

    def _size(self, top: int) -> int:
        """Bytes that so many of every neuron take when they are stored."""
        place = self._best.place[:, :top]
        places = self._places.take(np.unique(place[place >= 0]))
        words, ids = set(places.texts.ravel().tolist()), set(places.ids.tolist())
        texts = len("".join(chain(words, ids)).encode()) + 3 * (len(words) + len(ids))
        return 8 * place.size + (8 + 4 * (2 * AROUND + 1)) * len(places.ids) + 8 * len(ids) + texts

    def _forget(self) -> None:
        """Drops places that are no longer among the strongest."""
        taken, where = np.unique(self._best.place[self._best.place >= 0], return_inverse=True)
        self._best.place[self._best.place >= 0] = where
        self._places = self._places.take(taken)


def keys_of(ids: NDArray[np.object_], instance: NDArray[np.int64], position: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Returns a hash of each position's instance and number, uint64 (positions,).

    Args:
        ids: Of the instances, str, (instances,).
        instance: Row in `ids`, (positions,).
        position: Number of the token in its instance, (positions,).
    """
    return mix(hash_texts(ids.tolist())[instance] ^ mix(position.astype(np.uint64)))
