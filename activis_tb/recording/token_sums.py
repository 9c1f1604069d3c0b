"""Sums of a layer's activations by token, over the positions of all instances.

They are a monoid: neither batches, order nor workers change what they hold, up to the rounding of float64 sums. Of
more different tokens than fit, those of smallest hash are counted (bottom-k sampling, Cohen and Kaplan 2007): every
token that is kept to the end was counted from the beginning.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from activis_tb.positions import TokenTable
from activis_tb.recording.identity import hash_texts
from activis_tb.recording.statistics import Scratch, as_floats

MOST_TOKENS = 100_000
"""Different tokens of one layer that are counted."""
_MOST_BYTES = 2**28
"""Of their sums, in memory: layers of more than 335 neurons count fewer tokens."""
_FEWEST_TOKENS = 1_000
_SLACK = 1.25
"""So many times as many tokens are counted before those of largest hash are forgotten."""
_AT_ONCE = 16_384
"""Positions that are summed in one go."""


class TokenSums:
    """Sums of one layer's activations by token.

    Args:
        neurons: Of the layer.
        with_max: Whether to keep the largest activations too.
        most: Different tokens to count, where not as many as memory allows.
    """

    def __init__(self, neurons: int, *, with_max: bool = False, most: int | None = None) -> None:
        self._most = most or max(_FEWEST_TOKENS, min(MOST_TOKENS, _MOST_BYTES // (8 * max(neurons, 1))))
        self._neurons = neurons
        self._rows: dict[str, int] = {}
        self._hashes = np.empty(0, np.uint64)
        self._limit: np.uint64 | None = None
        self._scratch = Scratch()
        self.positions = 0
        self._count = np.zeros(0, np.int64)
        self._sums = np.zeros((0, neurons))
        self._lacking: NDArray[np.int64] | None = None
        self._max = np.zeros((0, neurons), np.float32) if with_max else None

    def add(self, values: NDArray[np.float32], texts: Sequence[str]) -> None:
        """Adds positions: `values` (positions, neurons) and the token of each."""
        self.positions += len(texts)
        codes = self._codes(texts)
        if self._limit is not None and len(codes) and codes.min() < 0:
            counted = codes >= 0
            values, codes = values[counted], codes[counted]
        for start in range(0, len(codes), _AT_ONCE):
            piece = slice(start, start + _AT_ONCE)
            self._add(values[piece], codes[piece])
        if len(self._rows) > _SLACK * self._most:
            self._prune()

    def merge(self, other: Self) -> None:
        """Adds the positions of `other`, of the same layer."""
        self.positions += other.positions
        if other._limit is not None:
            self._lower(other._limit)
        codes = self._codes(list(other._rows))
        theirs = np.flatnonzero(codes >= 0)
        ours = codes[theirs]
        self._count[ours] += other._count[theirs]
        self._sums[ours] += other._sums[theirs]
        if other._lacking is not None:
            self._of_lacking()[ours] += other._lacking[theirs]
        if self._max is not None and other._max is not None:
            self._max[ours] = np.maximum(self._max[ours], other._max[theirs])
        self._prune()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns its state as arrays, texts as objects, for `from_arrays` in another process."""
        self._prune()
        tokens = len(self._rows)
        limit = [] if self._limit is None else [self._limit]
        arrays: dict[str, NDArray[Any]] = {
            "texts": np.fromiter(self._rows, np.object_, tokens),
            "count": self._count[:tokens],
            "sums": self._sums[:tokens],
            "limit": np.array(limit, np.uint64),
            "positions": np.array([self.positions], np.int64),
        }
        if self._lacking is not None:
            arrays["lacking"] = self._lacking[:tokens]
        if self._max is not None:
            arrays["max"] = self._max[:tokens]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Returns the sums with this state."""
        sums = cls(arrays["sums"].shape[1], with_max="max" in arrays)
        sums._codes(arrays["texts"].tolist())
        tokens = len(sums._rows)
        sums.positions = int(arrays["positions"][0])
        sums._limit = arrays["limit"][0] if len(arrays["limit"]) else None
        sums._count[:tokens] = arrays["count"]
        sums._sums[:tokens] = arrays["sums"]
        if "lacking" in arrays:
            sums._of_lacking()[:tokens] = arrays["lacking"]
        if sums._max is not None:
            sums._max[:tokens] = arrays["max"]
        return sums

    @property
    def distinct(self) -> int:
        """Different tokens that came: estimated by the largest hash that is kept where not all are."""
        tokens = len(self._rows)
        if self._limit is None:
            return tokens
        return round((tokens - 1) / ((float(self._hashes.max()) + 1) / 2.0**64))

    def extract(self, room: int, most: int, least: int, enough: int) -> TokenTable:
        """Returns the most frequent of the counted tokens.

        Args:
            room: Bytes that they may take.
            most: Tokens that it may have.
            least: A token has to come so often, if all of these have room.
            enough: Else so often.
        """
        self._prune()
        tokens = len(self._rows)
        count, texts = self._count[:tokens], list(self._rows)
        own = 8 + 4 * self._neurons * (1 if self._max is None else 2)
        frequent = np.flatnonzero(count >= least)
        order = frequent[np.lexsort((self._hashes[frequent], -count[frequent]))]
        sizes = np.fromiter((own + len(texts[row].encode()) + 3 for row in order.tolist()), np.int64, len(order))
        fitting = min(most, int(np.searchsorted(np.cumsum(sizes), room, side="right")))
        wanted = len(order)
        if wanted > fitting:
            least = enough
            wanted = int(np.count_nonzero(count >= enough))
        rows = order[: min(wanted, fitting)]
        if wanted > fitting:
            least = int(count[order[fitting]]) + 1
        finite = count[rows, None] - (0 if self._lacking is None else self._lacking[rows])
        mean = np.divide(self._sums[rows], finite, out=np.full((len(rows), self._neurons), np.nan), where=finite > 0)
        largest = None if self._max is None else np.where(finite > 0, self._max[rows], np.float32(np.nan))
        return TokenTable(
            tokens=np.fromiter((texts[row] for row in rows), np.object_, len(rows)),
            count=count[rows],
            mean=mean.astype(np.float32),
            max=largest,
            positions=self.positions,
            distinct=max(self.distinct, tokens),
            least=least,
            exact=self._limit is None,
        )

    def _codes(self, texts: Sequence[str]) -> NDArray[np.intp]:
        """The row of each token, -1 where its hash is too large; new ones get rows."""
        codes = np.fromiter(map(self._rows.get, texts, repeat(-1)), np.intp, len(texts))
        missing = np.flatnonzero(codes < 0)
        if len(missing):
            unknown = [texts[position] for position in missing.tolist()]
            self._enter(list(dict.fromkeys(unknown)))
            codes[missing] = np.fromiter(map(self._rows.get, unknown, repeat(-1)), np.intp, len(unknown))
        return codes

    def _enter(self, texts: list[str]) -> None:
        hashes = hash_texts(texts)
        if self._limit is not None:
            near = hashes <= self._limit
            texts, hashes = [text for text, is_near in zip(texts, near.tolist(), strict=True) if is_near], hashes[near]
        self._rows.update(zip(texts, range(len(self._rows), len(self._rows) + len(texts)), strict=True))
        self._hashes = np.concatenate([self._hashes, hashes])
        if len(self._rows) > len(self._count):
            self._resize(max(2 * len(self._count), len(self._rows), 1024))

    def _resize(self, rows: int) -> None:
        def longer(values: NDArray[Any], empty: float = 0) -> NDArray[Any]:
            grown = np.full((rows, *values.shape[1:]), empty, values.dtype)
            grown[: len(values)] = values
            return grown

        self._count, self._sums = longer(self._count), longer(self._sums)
        self._lacking = None if self._lacking is None else longer(self._lacking)
        self._max = None if self._max is None else longer(self._max, -np.inf)

    def _of_lacking(self) -> NDArray[np.int64]:
        """Activations that are not finite by token and neuron: mostly none, and then not kept."""
        if self._lacking is None:
            self._lacking = np.zeros(self._sums.shape, np.int64)
        return self._lacking

    def _add(self, values: NDArray[np.float32], codes: NDArray[np.intp]) -> None:
        counts = np.bincount(codes, minlength=len(self._rows))
        present = np.flatnonzero(counts)
        place = self._scratch.array((len(counts),), np.int32)
        place[present] = np.arange(len(present), dtype=np.int32)
        local = place[codes]
        starts = np.arange(len(codes) + 1, dtype=np.int32)
        shape = (len(present), len(codes))
        members = sparse.csc_array((np.ones(len(codes)), local, starts), shape)
        sums = members @ as_floats(values, self._scratch)
        finite = None
        if not np.isfinite(sums).all():
            finite = np.isfinite(values)
            sums = members @ np.where(finite, values, 0).astype(np.float64)
            self._of_lacking()[present] += (members @ (~finite).astype(np.float64)).astype(np.int64)
        self._count[present] += counts[present]
        self._sums[present] += sums
        if self._max is not None:
            known = values if finite is None else np.where(finite, values, np.float32(-np.inf))
            by_token = known[np.argsort(local, kind="stable")]
            first = np.cumsum(counts[present]) - counts[present]
            self._max[present] = np.maximum(self._max[present], np.maximum.reduceat(by_token, first, axis=0))

    def _prune(self) -> None:
        """Forgets tokens of large hash where there are more than are counted."""
        if len(self._rows) > self._most:
            self._lower(np.partition(self._hashes, self._most - 1)[self._most - 1])

    def _lower(self, limit: np.uint64) -> None:
        self._limit = limit if self._limit is None else min(limit, self._limit)
        kept = np.flatnonzero(self._hashes <= self._limit)
        if len(kept) == len(self._hashes):
            return
        texts = list(self._rows)
        self._rows = {texts[row]: place for place, row in enumerate(kept.tolist())}
        self._hashes, self._count, self._sums = self._hashes[kept], self._count[kept], self._sums[kept]
        self._lacking = None if self._lacking is None else self._lacking[kept]
        self._max = None if self._max is None else self._max[kept]
