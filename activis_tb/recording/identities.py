"""Which instance is which: the user's ids, or ids derived from what the instances are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arrays import as_array, check_encodable, check_rows
from activis_tb.recording.attributes import MEDIA_KINDS, Column
from activis_tb.recording.hashing import hash_bytes, hash_texts, mix

_LARGEST_MERGED = 2**20


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
        "Is the data repeated or padded? Leave ids= out to have instances told apart by what they are.",
    )


class IdentityDeriver:
    """Ids for instances whose user gave none: a hash of attributes and label, and the number of its occurrence.

    So the same data has the same ids in whatever order it comes. Where there are no attributes, the id is the index.
    It remembers 8 bytes per instance to tell occurrences apart.
    """

    def __init__(self) -> None:
        self._seen: list[NDArray[np.uint64]] = []

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
            self._seen.append(np.sort(_contents(attributes, label)))
            while len(self._seen) > 1 and len(self._seen[-2]) <= min(2 * len(self._seen[-1]), _LARGEST_MERGED):
                merged = np.concatenate(self._seen[-2:])
                merged.sort(kind="stable")
                self._seen[-2:] = [merged]

    def _occurrences(self, contents: NDArray[np.uint64]) -> NDArray[np.int64]:
        order = np.argsort(contents, kind="stable")
        ordered = contents[order]
        ranks = np.arange(len(contents)) - np.searchsorted(ordered, ordered)
        for seen in self._seen:
            ranks += np.searchsorted(seen, ordered, side="right") - np.searchsorted(seen, ordered)
        occurrences = np.empty(len(contents), np.int64)
        occurrences[order] = ranks
        return occurrences


def _contents(attributes: Mapping[str, Column], label: NDArray[np.int32]) -> NDArray[np.uint64]:
    state = mix(label.astype(np.uint64))
    for name in sorted(attributes):
        column = attributes[name]
        if column.kind == "number":
            words = (column.values + 0.0).view(np.uint64)
        elif column.kind in MEDIA_KINDS:
            words = hash_bytes([value if isinstance(value, bytes) else value.content for value in column.values])
        elif column.kind == "text":
            words = hash_texts(column.values.tolist())
        else:
            words = column.values.astype(np.bool_).astype(np.uint64)
        state = mix(mix(state ^ mix(words)) ^ column.present.astype(np.uint64))
    return state
