"""Strongest and weakest instances of every neuron, over all instances, with what is known of them.

They are a monoid: neither batches, order nor workers change which they are. Equally strong ones are told apart by the
hash of their id.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Attribute, TopInstances
from activis_tb.positions import TopRows
from activis_tb.recording.attributes import typed_attribute
from activis_tb.recording.blocks import MEDIA_KINDS, Block, Column, Kind, join
from activis_tb.recording.identity import hash_texts
from activis_tb.recording.strongest import Strongest

TOP = 20
TOP_BYTES = 2**20
"""Of a snapshot: all strongest and weakest instances together."""
LONGEST_TEXT = 400
"""Characters of their texts."""
_MOST_SLOTS = 2**15
"""Strongest instances of all neurons together: of more than 1,638 neurons, fewer than `TOP` are kept each."""
_AT_ONCE = 4_096
_NUMBERS = 8 + 4 + 4
"""Bytes of an instance's index, label and prediction."""


class _Layer(NamedTuple):
    top: Strongest
    bottom: Strongest


class StrongestInstances:
    """Strongest instances of every neuron of all layers, and of layers with negative activations the weakest."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}
        self._signed: set[str] = set()
        self._pool: Block | None = None
        self._hashes = np.empty(0, np.uint64)
        self._waiting: list[tuple[Block, NDArray[np.uint64]]] = []
        self._left = 0
        self._seen = 0

    def add(self, block: Block, hashes: NDArray[np.uint64], is_signed: Callable[[str], bool]) -> None:
        """Offers instances.

        Args:
            block: With activations.
            hashes: Of their ids, (instances,).
            is_signed: Whether any activation of a layer is negative, of the block or before.
        """
        if not self._layers:
            self._begin({name: values.shape[1] for name, values in block.activations.items()})
        self._signed |= {name for name in self._layers if is_signed(name)}
        start, is_kept = 0, np.zeros(len(block), np.bool_)
        while start < len(block):
            # At first most are among the strongest so far, and few at a time are worth sorting.
            piece = slice(start, start + max(64, min(3 * self._seen, _AT_ONCE)))
            for name, layer in self._layers.items():
                values = block.activations[name][piece]
                is_kept[start + layer.top.offer(values, hashes[piece])] = True
                if name in self._signed:
                    is_kept[start + layer.bottom.offer(-values, hashes[piece])] = True
            self._seen += len(hashes[piece])
            start = piece.stop
        if is_kept.any():
            rows = np.flatnonzero(is_kept)
            self._waiting.append((_light(block.take(rows)), hashes[rows]))
            if sum(len(waiting) for waiting, _ in self._waiting) > self._left:
                self._forget()

    def merge(self, arrays: Mapping[str, NDArray[Any]], layers: Sequence[str], pool: Block | None) -> None:
        """Offers what another worker has; see `arrays`. The `pool` has its places in the stream here."""
        if pool is None:
            return
        widths = {name: arrays[f"{number}/top/value"].shape for number, name in enumerate(layers)}
        if not self._layers:
            self._begin({name: neurons for name, (neurons, _) in widths.items()})
        for number, name in enumerate(layers):
            for own, which in zip(self._layers[name], ("top", "bottom"), strict=True):
                other = Strongest(*widths[name])
                other.value, other.key = arrays[f"{number}/{which}/value"], arrays[f"{number}/{which}/key"]
                own.merge(other, 0)
            if arrays[f"{number}/signed"].any():
                self._signed.add(name)
        self._seen += int(arrays["seen"][0])
        self._waiting.append((pool, hash_texts(pool.ids.tolist())))
        self._forget()

    def arrays(self, layers: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Returns its state but for the pool as arrays, for `merge` in another process."""
        arrays: dict[str, NDArray[Any]] = {"seen": np.array([self._seen])}
        for number, name in enumerate(layers if self._layers else ()):
            for own, which in zip(self._layers[name], ("top", "bottom"), strict=True):
                arrays |= {f"{number}/{which}/value": own.value, f"{number}/{which}/key": own.key}
            arrays[f"{number}/signed"] = np.array([name in self._signed])
        return arrays

    def pool(self) -> Block | None:
        """Returns what is known of the instances."""
        self._forget()
        return self._pool

    def extract(
        self, columns: Mapping[str, Kind], types: Sequence[Attribute]
    ) -> tuple[TopInstances, dict[str, TopRows]] | None:
        """Returns as many of the strongest and weakest of every neuron as have room; None where nothing was offered.

        Args:
            columns: Kinds of the attributes, where all were missing here.
            types: The attributes of the sample, whose types these have.
        """
        pool = self.pool()
        if pool is None:
            return None
        order = np.argsort(self._hashes)
        pool, hashes = pool.take(order), self._hashes[order]
        sizes = _sizes(pool)
        tables = [own for name, layer in self._layers.items() for own in layer[: 1 + (name in self._signed)]]
        fewest, most = 0, tables[0].value.shape[1] if tables else 0
        while fewest < most:
            middle = (fewest + most + 1) // 2
            used = np.isin(hashes, np.concatenate([_known(own, middle)[0] for own in tables]))
            needed = int(sizes[used].sum()) + sum(8 * middle * len(own.value) for own in tables)
            fewest, most = (middle, most) if needed <= TOP_BYTES else (fewest, middle - 1)
        used = np.isin(hashes, np.concatenate([_known(own, fewest)[0] for own in tables])) if tables else hashes > 0
        pool, hashes = pool.take(np.flatnonzero(used)), hashes[used]
        rows = {}
        for name, (top, bottom) in self._layers.items():
            strongest, value = _rows(top, fewest, hashes)
            weakest, low = _rows(bottom, fewest if name in self._signed else 0, hashes)
            rows[name] = TopRows(strongest, value, weakest, -low)
        return _described(pool, columns, types), rows

    def _begin(self, neurons: Mapping[str, int]) -> None:
        top = max(1, min(TOP, _MOST_SLOTS // max(1, sum(neurons.values()))))
        self._layers = {name: _Layer(Strongest(own, top), Strongest(own, top, 0)) for name, own in neurons.items()}

    def _keys(self) -> NDArray[np.uint64]:
        """Hashes of all instances that are among the strongest or weakest of any neuron."""
        kept = [_known(own, own.key.shape[1])[0] for layer in self._layers.values() for own in layer]
        return np.unique(np.concatenate(kept)) if kept else np.empty(0, np.uint64)

    def _forget(self) -> None:
        """Joins what waits, and drops instances that are no longer among the strongest or weakest."""
        parts = [*([(self._pool, self._hashes)] if self._pool is not None else []), *self._waiting]
        self._waiting = []
        if not parts:
            return
        hashes, keys = np.concatenate([own for _, own in parts]), self._keys()
        kept = [np.append(keys, 0)[np.searchsorted(keys, own)] == own for _, own in parts]
        self._pool = join([block.take(rows) for (block, _), rows in zip(parts, kept, strict=True)])
        self._hashes = hashes[np.concatenate(kept)]
        self._left = len(self._hashes)


def _known(own: Strongest, top: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The hashes of so many of every neuron that there are, and where they stand, bool (neurons, top)."""
    key = own.key[:, :top]
    known = np.isfinite(own.value[:, :top]) & (key > 0)
    return key[known], known


def _rows(own: Strongest, top: int, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows of the strongest among instances in order of `hashes`, -1 behind the last, and their activations or NaN."""
    keys, known = _known(own, top)
    rows = np.full(known.shape, -1, np.int32)
    rows[known] = np.searchsorted(hashes, keys)
    return rows, np.where(known, own.value[:, :top], np.float32(np.nan))


def _light(block: Block) -> Block:
    """What is kept of instances: attributes but pictures and sounds, the beginnings of texts."""
    rows = len(block)
    return replace(
        block,
        scores=np.empty((rows, 0), np.float32),
        membership=np.empty((rows, 0), np.bool_),
        attributes={name: _short(one) for name, one in block.attributes.items() if one.kind not in MEDIA_KINDS},
        activations={},
        owned=frozenset(),
        maxima=None,
    )


def _short(column: Column) -> Column:
    if column.kind != "text":
        return column
    if max(map(len, column.values), default=0) <= LONGEST_TEXT:
        return column
    values = column.values.copy()
    values[:] = [text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…" for text in column.values]
    return replace(column, values=values)


def _sizes(pool: Block) -> NDArray[np.int64]:
    """Bytes that each instance takes at most when it is stored, int64 (instances,)."""
    sizes = np.array([_NUMBERS + 3 + len(identity.encode()) for identity in pool.ids], np.int64)
    for column in pool.attributes.values():
        if column.values.dtype == np.object_:
            sizes += np.array([5 + len((text or "").encode()) for text in column.values], np.int64)
        else:
            sizes += column.values.itemsize + 1
    return sizes


def _described(pool: Block, columns: Mapping[str, Kind], types: Sequence[Attribute]) -> TopInstances:
    declared = {attribute.name: attribute.type for attribute in types}
    return TopInstances(
        ids=pool.ids,
        index=pool.index,
        label=pool.label,
        predicted=pool.predicted,
        attributes=tuple(
            typed_attribute(name, column.as_kind(columns[name]), declared[name])
            for name, column in pool.attributes.items()
            if declared[name] not in MEDIA_KINDS
        ),
    )
