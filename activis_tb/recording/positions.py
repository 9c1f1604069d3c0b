"""Recorder of the positions of all instances, in blocks beside the training: sums by token and strongest positions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import LayerSpec
from activis_tb.positions import AROUND, TokenTable, TopPositions
from activis_tb.recording.strongest_positions import Places, StrongestPositions, keys_of
from activis_tb.recording.token_sums import TokenSums
from activis_tb.recording.tokens import Texts, TokenPositions

_MOST_POSITIONS = 8_192
"""That are collected before they are summed."""
_MOST_WAITING = 16 * 2**20
"""Bytes of their activations, of one layer; fewer positions where it is wide."""
MOST_STORED = 20_000
LEAST, ENOUGH = 3, 10
"""A token that is stored came so often, if all of these have room, else so often."""


class _Part(NamedTuple):
    """Positions of one batch in a buffer, as in `TokenPositions`; ids and places in the stream of its instances."""

    instance: NDArray[np.int64]
    token: NDArray[np.int64]
    texts: Texts
    ids: NDArray[np.object_]
    stream: NDArray[np.int64]


class _Layer:
    """Positions of one layer: two buffers, one of which is filled while the other is summed.

    Args:
        neurons: Of the layer.
        with_max: Whether the largest activation at every token is kept too.
    """

    def __init__(self, neurons: int, *, with_max: bool) -> None:
        self.sums = TokenSums(neurons, with_max=with_max)
        self.strongest = StrongestPositions(neurons)
        self._capacity = max(64, min(_MOST_POSITIONS, _MOST_WAITING // max(4 * neurons, 1)))
        self._neurons = neurons
        self._buffers: list[NDArray[np.float32]] = []
        self._parts: list[_Part] = []
        self._filled = 0

    def fill(
        self, found: TokenPositions, ids: NDArray[np.object_], index: NDArray[np.int64]
    ) -> Iterator[Callable[[], None]]:
        """Copies the positions of a batch; yields what sums a buffer, which has to be done before the next is full."""
        rows = found.array.reshape(-1, self._neurons)
        if not self._buffers:
            self._buffers = [np.empty((self._capacity, self._neurons), np.float32) for _ in range(2)]
        start = 0
        while start < len(found.place):
            taken = slice(start, start + self._capacity - self._filled)
            place = found.place[taken]
            target = self._buffers[0][self._filled : self._filled + len(place)]
            if rows.dtype == np.float32:
                # All rows exist; "clip" lets NumPy write without another copy.
                rows.take(place, axis=0, out=target, mode="clip")
            else:
                with np.errstate(over="ignore"):
                    target[:] = rows[place]
            self._parts.append(_Part(found.instance[taken], found.token[taken], found.texts, ids, index))
            self._filled += len(place)
            start = taken.stop
            if self._filled == self._capacity:
                yield self._drained()

    def drain(self) -> Iterator[Callable[[], None]]:
        """Yields what sums the rest."""
        if self._filled:
            yield self._drained()

    def _drained(self) -> Callable[[], None]:
        work = partial(self._add, self._buffers[0][: self._filled], self._parts)
        self._buffers.reverse()
        self._parts, self._filled = [], 0
        return work

    def _add(self, values: NDArray[np.float32], parts: Sequence[_Part]) -> None:
        joined = _Joined(parts)
        self.sums.add(values, joined.texts)
        self.strongest.add(values, joined.keys, joined.places)


class _Joined:
    """Positions of the parts of a buffer, one after the other."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._ids = np.concatenate([part.ids for part in parts])
        self._index = np.concatenate([part.stream for part in parts])
        self._flat = list(chain.from_iterable(part.texts.flat for part in parts))
        lengths = np.concatenate([np.diff(part.texts.starts) for part in parts])
        self._ends = np.cumsum(lengths)
        rows = np.cumsum([0, *(len(part.ids) for part in parts)])
        firsts = np.cumsum([0, *(len(part.texts.flat) for part in parts)])
        self._instance = np.concatenate([part.instance + row for part, row in zip(parts, rows, strict=False)])
        self._token = np.concatenate([part.token + first for part, first in zip(parts, firsts, strict=False)])
        self._start = (self._ends - lengths)[self._instance]
        self.texts = list(map(self._flat.__getitem__, self._token.tolist()))
        self.keys = keys_of(self._ids, self._instance, self._token - self._start)

    def places(self, rows: NDArray[np.int64]) -> Places:
        """What to keep of some positions."""
        instance, token, start = self._instance[rows], self._token[rows], self._start[rows]
        around = token[:, None] + np.arange(-AROUND, AROUND + 1)
        inside = (around >= start[:, None]) & (around < self._ends[instance][:, None])
        texts = np.empty(around.shape, np.object_)
        texts[inside] = list(map(self._flat.__getitem__, around[inside].tolist()))
        texts[~inside] = ""
        return Places(self._ids[instance], self._index[instance], token - start, texts)


class PositionRecorder:
    """Recorder of the positions of those layers for which tokens are given.

    Args:
        layers: Of the recording.
    """

    def __init__(self, layers: Sequence[LayerSpec]) -> None:
        self._specs = {spec.name: spec for spec in layers}
        self._layers: dict[str, _Layer] = {}

    def collect(
        self, positions: Mapping[str, TokenPositions], ids: NDArray[np.object_], index: NDArray[np.int64]
    ) -> Iterator[Callable[[], None]]:
        """Copies positions of one batch; yields work for any thread, each to be done before the next is asked for.

        Args:
            positions: By layer.
            ids: Of the instances, (instances,).
            index: Their places in the stream, (instances,).
        """
        for name, found in positions.items():
            if name not in self._layers:
                self._layers[name] = _Layer(found.array.shape[2], with_max=self._specs[name].tokens == "max")
            yield from self._layers[name].fill(found, ids, index)

    def drain(self) -> Iterator[Callable[[], None]]:
        """Yields the work that is left of what was collected, as `collect` does."""
        for layer in self._layers.values():
            yield from layer.drain()

    def merge(self, arrays: Mapping[str, NDArray[Any]], layers: Iterable[str], shift: int) -> None:
        """Adds what another worker's recorder has.

        Args:
            arrays: What its `arrays` returned.
            layers: Those of which it has positions, in that order.
            shift: Added to its instances' places in the stream.
        """
        for number, name in enumerate(layers):
            sums = TokenSums.from_arrays(below(arrays, f"{number}/tokens/"))
            strongest = StrongestPositions.from_arrays(below(arrays, f"{number}/top/"), shift)
            if name not in self._layers:
                neurons = arrays[f"{number}/top/value"].shape[0]
                self._layers[name] = _Layer(neurons, with_max=self._specs[name].tokens == "max")
            self._layers[name].sums.merge(sums)
            self._layers[name].strongest.merge(strongest)

    def arrays(self, layers: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Returns its state as arrays, texts as objects, for `merge` in another process."""
        arrays: dict[str, NDArray[Any]] = {}
        for number, name in enumerate(layers):
            layer = self._layers[name]
            arrays |= {f"{number}/tokens/{key}": values for key, values in layer.sums.arrays().items()}
            arrays |= {f"{number}/top/{key}": values for key, values in layer.strongest.arrays().items()}
        return arrays

    def extract(self, name: str, surplus: int, room: int) -> tuple[TokenTable, TopPositions, int]:
        """Returns what is stored of a layer, and the bytes that it takes at most.

        Args:
            name: Of the layer.
            surplus: How many more texts than positions its instances have.
            room: Bytes that it may take; at most half of them go to the strongest positions.
        """
        layer, before = self._layers[name], self._specs[name].offset
        top, size = layer.strongest.extract(room // 2, before, surplus - before)
        table = layer.sums.extract(room - size, MOST_STORED, LEAST, ENOUGH)
        texts = sum(3 + len(text.encode()) for text in table.tokens)
        largest = 0 if table.max is None else table.max.nbytes
        return table, top, size + texts + table.count.nbytes + table.mean.nbytes + largest


def below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Returns the arrays whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def above(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Returns the arrays with `prefix` before their names."""
    return {f"{prefix}{name}": values for name, values in arrays.items()}
