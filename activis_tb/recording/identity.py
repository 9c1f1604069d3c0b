"""Identity of instances: ids from the user or from contents, their seeded 64-bit hashes, and repeated ids.

Python's own hash differs from process to process, and a sample has to be the same instances everywhere.
"""

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arrays import as_array, check_encodable, check_rows
from activis_tb.recording.attributes import is_wide
from activis_tb.recording.blocks import MEDIA_KINDS, Column

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
    """Returns a hash per value, uint64 (values,), that depends on this value alone.

    The 8-byte words of the value, or of its BLAKE2b digest where it has more than 64 bytes, are mixed in one by one.
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
    """Sorted multiset of the hashes so far, 8 bytes each: a few short sorted runs of new ones beside one long run."""

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
        """Returns how often each of some hashes, in ascending order, is there, int64 (hashes,)."""
        runs = [run for run in (*self._newest, self._settled) if len(run)]
        return sum((_count(run, ordered) for run in runs), np.zeros(len(ordered), np.int64))

    def extract(self) -> NDArray[np.uint64]:
        """Returns all of them in ascending order, uint64 (hashes,); valid until the next `add`."""
        self._settle()
        return self._settled

    def _settle(self) -> None:
        """Merges the short runs into the long one, in place: that takes little memory besides."""
        for run in self._newest:
            settled = len(self._settled)
            self._settled.resize(settled + len(run), refcheck=False)
            self._settled[settled:] = run
            _merged(self._settled)
        self._newest = []


_FEW, _NEW = 2**16, 8
"""Most hashes in short runs, or one in so many of all; and how many times as long as the next a short run is."""


def _merged(runs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Merges two sorted runs, one after the other, in place."""
    runs.sort(kind="stable")  # merges sorted runs
    return runs


def _count(run: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
    at = np.searchsorted(run, ordered)
    counts = np.zeros(len(ordered), np.int64)
    known = run[np.minimum(at, len(run) - 1)] == ordered
    if known.any():
        counts[known] = np.searchsorted(run, ordered[known], side="right") - at[known]
    return counts


def _hash(content: bytes, sizes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The hashes of the values that `content` concatenates, of at most `_LONGEST` bytes each.

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


MOST_CHECKED = 50_000_000
"""Instances up to which repeated ids are found; for more, they are not looked for."""

_NO_REPEATS = (
    "Padding that a sampler adds, so that every worker has as many, is left out by its position before process(): "
    "activis_tb.torch.positions(loader) says which it is. "
)
_ALL_REPEATED = (
    "Merge every part once, and give every worker its own share of the data, e.g. by a "
    "torch.utils.data.DistributedSampler."
)
_PIECE = 2**20
"""Hashes that are looked up at a time."""


def read_ids(value: object, rows: int) -> NDArray[np.object_]:
    """Returns the user's ids as str, object array (instances,); integers become their decimal text.

    Raises:
        ArgumentError: They are neither text nor integers, or not one per instance.
    """
    if isinstance(value, list | tuple):
        items = list(value)
        check_rows(np.empty(len(items)), rows, "ids")
    else:
        array = as_array(value, "ids")
        check_rows(array, rows, "ids")
        items = array.tolist()
    texts = _texts(items)
    ids = np.empty(rows, np.object_)
    ids[:] = texts
    return ids


def _texts(items: list[Any]) -> list[str]:
    kinds = set(map(type, items))
    if kinds == {int}:
        return list(map(str, items))
    texts = items if kinds == {str} else [id_text(item, "ids") for item in items]
    check_encodable(texts, "ids")
    return texts


def id_text(item: object, argument: str) -> str:
    """Returns one id as text; raises ArgumentError where it is neither text nor an integer."""
    if isinstance(item, str):
        return str(item)
    if isinstance(item, bytes):
        return item.decode(errors="replace")
    if isinstance(item, int | np.integer) and not isinstance(item, bool):
        return str(int(item))
    raise ArgumentError(argument, f"{type(item).__name__} ({item!r})", "text or integers, one per instance")


def check_distinct(ids: NDArray[np.object_], recent: Iterable[set[str]]) -> None:
    """Raises ArgumentError where one of `ids`, str (instances,), comes twice or is among the `recent` ones."""
    texts = ids.tolist()
    distinct = set(texts)
    if len(distinct) < len(texts):
        raise repeated_id(Counter(texts).most_common(1)[0][0])
    for known in recent:
        if not known.isdisjoint(distinct):
            raise repeated_id(min(known & distinct))


def repeated_id(identity: str) -> ArgumentError:
    """Returns the error for an id that came twice."""
    return ArgumentError(
        "ids",
        f"the id {identity!r} twice in this recording",
        "every instance once",
        f"{_NO_REPEATS}Data that is repeated on purpose needs an id for every time it comes, or no ids=: then its "
        "instances are told apart by what they are.",
    )


class KnownIds:
    """The ids of all instances so far, to find an id that comes again, however much later, or on another worker.

    Of each a 64-bit hash is kept, 8 bytes per instance. The probability that two of n different ids collide, so that a
    correct recording is refused, is at most n**2 / 2**65: 3e-8 for a million, 7e-5 for `MOST_CHECKED`. For more
    instances nothing is kept, and `complete` says so.

    Attributes:
        complete: Whether repeats would have been found.
    """

    def __init__(self) -> None:
        self.complete = True
        self._hashes = KnownHashes()

    def add(self, ids: NDArray[np.object_], hashes: NDArray[np.uint64]) -> None:
        """Adds the ids of some instances with their hashes, (instances,).

        Raises:
            ArgumentError: One of them came before, or comes twice; nothing is added.
        """
        ordered = np.sort(hashes)
        repeated = self._hashes.count(ordered) > 0
        repeated[1:] |= ordered[1:] == ordered[:-1]
        if repeated.any():
            raise repeated_id(ids[np.argsort(hashes, kind="stable")[repeated].min()])
        self._extend(ordered)

    def check(self, hashes: NDArray[np.uint64] | None, sampled: NDArray[np.object_]) -> None:
        """Checks that another worker's instances are not here already.

        Args:
            hashes: What its `extract` returned.
            sampled: Some of its ids, for the message.

        Raises:
            ArgumentError: Some of them are.
        """
        if hashes is None:
            return
        pieces = (hashes[start : start + _PIECE] for start in range(0, len(hashes), _PIECE))
        repeated = np.concatenate([hashes[:0], *(piece[self._hashes.count(piece) > 0] for piece in pieces)])
        if not len(repeated):
            return
        known = sampled[np.isin(hash_texts(sampled.tolist()), repeated)]
        example = f", such as the id {min(known)!r}" if len(known) else ""
        raise ArgumentError(
            "part",
            f"{len(repeated):,} instances that are here already{example}",
            "instances that no other worker has processed",
            _ALL_REPEATED if len(repeated) == len(hashes) else _NO_REPEATS.rstrip(),
        )

    def merge(self, hashes: NDArray[np.uint64] | None) -> None:
        """Adds what another worker's `extract` returned, after `check`."""
        self.complete &= hashes is not None
        self._extend(np.empty(0, np.uint64) if hashes is None else hashes)

    def extract(self) -> NDArray[np.uint64] | None:
        """Returns the hashes of all ids, ascending; None where they are not `complete`."""
        return self._hashes.extract() if self.complete else None

    def warn(self, stacklevel: int) -> None:
        """Warns where repeats were not looked for."""
        if not self.complete:
            message = f"ActiVis: of more than {MOST_CHECKED:,} instances, ids that come twice are not looked for."
            warnings.warn(message, stacklevel=stacklevel + 1)

    def _extend(self, hashes: NDArray[np.uint64]) -> None:
        if self.complete:
            self._hashes.add(hashes)
            self.complete = len(self._hashes) <= MOST_CHECKED
        if not self.complete:
            self._hashes = KnownHashes()


class IdentityDeriver:
    """Ids from contents, where the user gives none: a hash of attributes and label, and the number of its occurrence.

    So the same data has the same ids in any order. Without attributes, the id is the index. Telling occurrences apart
    takes 8 bytes per instance.
    """

    def __init__(self) -> None:
        self._seen = KnownHashes()

    def derive(
        self, attributes: Mapping[str, Column], label: NDArray[np.int32], index: NDArray[np.int64]
    ) -> NDArray[np.object_]:
        """Returns the ids of one batch, object array (instances,)."""
        ids = np.empty(len(index), np.object_)
        if not attributes:
            ids[:] = [str(position) for position in index.tolist()]
            return ids
        contents = _contents(attributes, label)
        occurrences = self._occurrences(contents)
        ids[:] = [
            f"{content:016x}-{occurrence}" if occurrence else f"{content:016x}"
            for content, occurrence in zip(contents.tolist(), occurrences.tolist(), strict=True)
        ]
        return ids

    def remember(self, attributes: Mapping[str, Column], label: NDArray[np.int32]) -> None:
        """Counts a batch that `derive` was asked about, once it is accepted."""
        if attributes:
            self._seen.add(np.sort(_contents(attributes, label)))

    def _occurrences(self, contents: NDArray[np.uint64]) -> NDArray[np.int64]:
        order = np.argsort(contents, kind="stable")
        ordered = contents[order]
        ranks = np.arange(len(contents)) - np.searchsorted(ordered, ordered) + self._seen.count(ordered)
        occurrences = np.empty(len(contents), np.int64)
        occurrences[order] = ranks
        return occurrences


def _contents(attributes: Mapping[str, Column], label: NDArray[np.int32]) -> NDArray[np.uint64]:
    state = mix(label.astype(np.uint64))
    for name in sorted(attributes):
        column = attributes[name]
        if column.kind == "number":
            words = _number_words(column.values)
        elif column.kind == "time":
            words = _time_words(column.values)
        elif column.kind in MEDIA_KINDS:
            words = hash_bytes([value if isinstance(value, bytes) else value.content for value in column.values])
        elif column.kind == "text":
            words = hash_texts(column.values.tolist())
        else:
            words = column.values.astype(np.bool_).astype(np.uint64)
        state = mix(mix(state ^ mix(words)) ^ column.present.astype(np.uint64))
    return state


def _number_words(values: NDArray[Any]) -> NDArray[np.uint64]:
    """A number that float64 holds by the bits of that, whatever its type; other whole numbers by their own."""
    words = (values + 0.0).view(np.uint64)
    if values.dtype.kind == "f":
        return words
    digits = mix(values.view(np.uint64)) ^ (values < 0).astype(np.uint64)
    return np.where(is_wide(values), digits, words)


def _time_words(values: NDArray[np.datetime64]) -> NDArray[np.uint64]:
    """The same words for a time in microseconds and in nanoseconds."""
    microseconds = values.astype("M8[us]")
    finer = (values - microseconds).astype(np.int64).view(np.uint64)
    return mix(microseconds.view(np.uint64)) + np.asarray(finer, np.uint64)
