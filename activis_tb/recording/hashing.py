"""A seeded 64-bit hash of ids and contents: the same on every machine, in every run, for every batch.

Python's own hash differs from process to process, and a sample has to be the same instances everywhere.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SEED = np.uint64(0x41637469566973)
_LONGEST = 64
_WORD = 8


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Returns `words` scrambled by the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = words + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def hash_bytes(values: Sequence[bytes]) -> NDArray[np.uint64]:
    """Returns a hash per value, uint64 (values,); it depends on the value alone, not on those beside it.

    The value's 8-byte words are mixed in one after the other; those of its BLAKE2b digest if it has more than 64 bytes.
    """
    sizes = np.fromiter(map(len, values), np.uint64, len(values))
    short = values
    if sizes.max(initial=0) > _LONGEST:
        short = [value if len(value) <= _LONGEST else blake2b(value).digest() for value in values]
    return _hash(b"".join(short), sizes)


def hash_texts(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Returns the hash of each text's UTF-8, uint64 (texts,)."""
    joined, sizes = "".join(texts), np.fromiter(map(len, texts), np.uint64, len(texts))
    if joined.isascii() and sizes.max(initial=0) <= _LONGEST:
        return _hash(joined.encode(), sizes)
    return hash_bytes([text.encode() for text in texts])


class HashRuns:
    """Hashes that have come, in a few sorted runs: 8 bytes each, and as much again while two runs become one."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def __len__(self) -> int:
        return sum(map(len, self._runs))

    def add(self, ordered: NDArray[np.uint64]) -> None:
        """Adds hashes in ascending order."""
        self._runs.append(ordered)
        while len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1]):
            self._merge_last()

    def count(self, ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Returns how often each of some hashes, in ascending order, has come, int64 (hashes,)."""
        counts = np.zeros(len(ordered), np.int64)
        for run in self._runs:
            counts += np.searchsorted(run, ordered, side="right") - np.searchsorted(run, ordered)
        return counts

    def extract(self) -> NDArray[np.uint64]:
        """Returns all of them in ascending order, uint64 (hashes,)."""
        while len(self._runs) > 1:
            self._merge_last()
        return self._runs[0] if self._runs else np.empty(0, np.uint64)

    def _merge_last(self) -> None:
        merged = np.concatenate([self._runs.pop(), self._runs.pop()])
        merged.sort(kind="stable")  # of two sorted runs, a merge
        self._runs.append(merged)


def _hash(content: bytes, sizes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes of values that stand in `content` one after the other, of at most `_LONGEST` bytes each.

    `sizes` (values,) are those of the values themselves, of which longer ones are replaced by `_LONGEST` bytes.
    """
    lengths = np.minimum(sizes, _LONGEST).astype(np.intp)
    width = max(_WORD, -(-int(lengths.max(initial=1)) // _WORD) * _WORD)
    padded = np.zeros((len(sizes), width), np.uint8)
    padded[np.arange(width) < lengths[:, None]] = np.frombuffer(content, np.uint8)
    words = padded.view("<u8").astype(np.uint64, copy=False)
    state = mix(sizes ^ SEED)
    for position in range(words.shape[1]):
        state = np.where(lengths > position * _WORD, mix(state ^ words[:, position]), state)
    return state
