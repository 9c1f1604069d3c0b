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


class KnownHashes:
    """Hashes that have come, ascending, 8 bytes each; the newest wait in a few sorted runs beside the others."""

    def __init__(self) -> None:
        self._newest: list[NDArray[np.uint64]] = []
        self._settled = np.empty(0, np.uint64)

    def __len__(self) -> int:
        return len(self._settled) + sum(map(len, self._newest))

    def add(self, ordered: NDArray[np.uint64]) -> None:
        """Adds hashes in ascending order."""
        if not len(ordered):
            return
        self._newest.append(ordered)
        while len(self._newest) > 1 and len(self._newest[-2]) <= _NEW * len(self._newest[-1]):
            self._newest[-2:] = [_merged(np.concatenate(self._newest[-2:]))]
        if sum(map(len, self._newest)) > max(_FEW, len(self._settled) // _NEW):
            self._settle()

    def count(self, ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Returns how often each of some hashes, in ascending order, has come, int64 (hashes,)."""
        runs = [run for run in (*self._newest, self._settled) if len(run)]
        return sum((_count(run, ordered) for run in runs), np.zeros(len(ordered), np.int64))

    def extract(self) -> NDArray[np.uint64]:
        """Returns all of them in ascending order, uint64 (hashes,); valid until the next `add`."""
        self._settle()
        return self._settled

    def _settle(self) -> None:
        """Makes room behind those that have settled, and merges in place: that takes little memory besides."""
        for run in self._newest:
            settled = len(self._settled)
            self._settled.resize(settled + len(run), refcheck=False)
            self._settled[settled:] = run
            _merged(self._settled)
        self._newest = []


_FEW, _NEW = 2**16, 8
"""So many are the newest, or one in so many; a run is at least so many times as long as the next one."""


def _merged(runs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sorts two sorted runs that stand one after the other, in place."""
    runs.sort(kind="stable")  # which merges them
    return runs


def _count(run: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
    at = np.searchsorted(run, ordered)
    counts = np.zeros(len(ordered), np.int64)
    known = run[np.minimum(at, len(run) - 1)] == ordered
    if known.any():
        counts[known] = np.searchsorted(run, ordered[known], side="right") - at[known]
    return counts


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
