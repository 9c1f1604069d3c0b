"""Positions of sampled instances while recording: those of smallest hash, as many as have room, one byte each at last.

Which ones they are depends on the instances alone, so neither batches, order nor workers show. What is held meanwhile
is bounded: an instance is let go as soon as no stream that begins like this one could still keep it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import quantise
from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec
from activis_tb.positions import SamplePositions
from activis_tb.recording.blocks import Block
from activis_tb.recording.identity import hash_texts
from activis_tb.recording.sample import first_of_class, share_of_classes
from activis_tb.recording.tokens import Unpooled
from activis_tb.storage.encoding import LONGEST_TOKEN, cut_token

LAYER_BYTES = 2**20
"""Of one layer, in a snapshot: positions of sampled instances, tokens and strongest positions together."""
_POSSIBLE = 2 * LAYER_BYTES
"""Where those of smaller hash surely take so much, an instance is not kept, whatever becomes of the sample."""
_HELD = 4 * LAYER_BYTES
"""So much is held before what cannot be kept is let go."""
_ROW_BYTES, _TOKEN_BYTES = 24, 12
"""Of an instance, and of a token: most come several times, and are stored once."""


class Held(NamedTuple):
    """Positions of one instance.

    Attributes:
        values: float32 (positions, neurons); NaN where one is padding.
        texts: Tokens, empty where one is padding; None for a layer without tokens.
        cost: Bytes that they take when they are stored, about.
    """

    values: NDArray[np.float32]
    texts: Sequence[str] | None
    cost: int


def cost_of(found: Unpooled, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Returns how many bytes the positions of some instances of a batch take, about, int64 (rows,)."""
    if found.tokens is None:
        return np.full(len(rows), found.positions * found.neurons + _ROW_BYTES, np.int64)
    return np.asarray(
        found.neurons * found.tokens.ends[rows] + _TOKEN_BYTES * found.tokens.text_ends[rows] + _ROW_BYTES
    )


def hold(found: Unpooled, row: int, values: NDArray[np.float32], cost: int) -> Held:
    """Returns the positions of one instance of a batch, copied from its `values` (positions, neurons)."""
    if found.tokens is None:
        copy = values.copy()
        if found.mask is not None:
            copy[np.repeat(~found.mask[row], len(values) // found.mask.shape[1])] = np.nan
        return Held(copy, None, cost)
    texts, count = found.tokens.texts_of(row), int(found.tokens.ends[row])
    if max(map(len, texts), default=0) > LONGEST_TOKEN:
        texts = [cut_token(text) for text in texts]
    numbers, places = found.tokens.numbers_of(row)
    if len(numbers) == count:  # none of them is padding
        return Held(values[places], texts, cost)
    copy = np.full((count, values.shape[1]), np.nan, np.float32)
    copy[numbers] = values[places]
    return Held(copy, texts, cost)


class SampledPositions:
    """Positions of the sampled instances of a stream.

    Args:
        layers: Of the recording.
        classes: Number of classes.
        sample: As of `activis_tb.recording.sample.Sampler`, whose choice this one foresees batch by batch.
    """

    def __init__(self, layers: Sequence[LayerSpec], classes: int, sample: int) -> None:
        self._required = {spec.name for spec in layers if spec.positions}
        self._sample = sample
        self._counts = np.zeros(classes, np.int64)
        self._limits = np.full(classes, np.iinfo(np.uint64).max, np.uint64)
        self._ids = np.empty(0, np.object_)
        self._hashes = np.empty(0, np.uint64)
        self._stratum = np.empty(0, np.int32)
        self._always = np.empty(0, np.bool_)
        self._drawn = np.empty(0, np.bool_)
        self._costs: dict[str, NDArray[np.int64]] = {}
        self._held: dict[str, NDArray[np.object_]] = {}
        self._fresh: dict[int, int] = {}

    @property
    def layers(self) -> list[str]:
        """Names of the layers of which positions are kept."""
        return list(self._costs)

    def offer(self, block: Block) -> NDArray[np.intp]:
        """Returns the rows of a batch that may be in the sample at the end: `keep` their positions.

        Raises:
            ArgumentError: Positions that are required have no room.
        """
        self._fresh = {}
        self._counts += np.bincount(block.stratum, minlength=len(self._counts))
        if not self._costs:
            self._begin([name for name, found in block.unpooled.items() if found.is_kept])
        hashes = hash_texts(block.ids.tolist())
        near = block.always.copy()
        if self._sample:
            near |= hashes <= self._limits[block.stratum]
        rows = np.flatnonzero(near)
        if not len(rows):
            return rows
        before = len(self._ids)
        self._ids = np.append(self._ids, block.ids[rows])
        self._hashes = np.append(self._hashes, hashes[rows])
        self._stratum = np.append(self._stratum, block.stratum[rows])
        self._always = np.append(self._always, block.always[rows])
        for name, costs in self._costs.items():
            self._costs[name] = np.append(costs, cost_of(block.unpooled[name], rows))
            self._held[name] = np.append(self._held[name], np.full(len(rows), None, np.object_))
        kept = self._settle()
        self._check_required()
        new = np.flatnonzero(kept >= before)
        rows = rows[kept[new] - before]
        self._fresh = dict(zip(rows.tolist(), new.tolist(), strict=True))
        return np.sort(rows)

    def keep(self, found: Unpooled, name: str, rows: NDArray[np.intp], values: NDArray[np.float32]) -> None:
        """Takes the positions of the batch that was offered last.

        Args:
            found: Of the layer in that batch.
            name: Of the layer.
            rows: Some of its instances; only those that were asked for are taken.
            values: float32 (rows, positions, neurons).
        """
        if name not in self._costs or not self._fresh:
            return
        costs, held = self._costs[name], self._held[name]
        has = held != None  # noqa: E711 (of each)
        has[list(self._fresh.values())] = True
        possible = costs <= LAYER_BYTES
        if costs[has & possible].sum() > _HELD:
            possible = self._possible(costs)
            held[~possible] = None
        for row, own in zip(rows.tolist(), values, strict=True):
            at = self._fresh.get(row)
            if at is not None and possible[at]:
                held[at] = hold(found, row, own, int(costs[at]))

    def merge(self, arrays: Mapping[str, NDArray[Any]], layers: Sequence[str]) -> None:
        """Adds what another worker has; see `arrays`."""
        if not self._costs:
            self._begin(layers)
        self._counts += arrays["counts"]
        if "ids" not in arrays:
            return
        self._ids = np.append(self._ids, arrays["ids"])
        self._hashes = np.append(self._hashes, hash_texts(arrays["ids"].tolist()))
        self._stratum = np.append(self._stratum, arrays["stratum"])
        self._always = np.append(self._always, arrays["always"])
        for name in self._costs:
            number = list(layers).index(name)
            self._costs[name] = np.append(self._costs[name], arrays[f"{number}/cost"])
            self._held[name] = np.append(self._held[name], _unpacked(arrays, number))
        self._settle()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns its state as arrays, texts as objects, for `merge` in another process."""
        self._settle()
        arrays: dict[str, NDArray[Any]] = {"counts": self._counts}
        if not self._costs:
            return arrays
        arrays |= {"ids": self._ids, "stratum": self._stratum, "always": self._always}
        for number, (name, costs) in enumerate(self._costs.items()):
            possible = self._possible(costs)
            held = [one if possible[row] else None for row, one in enumerate(self._held[name])]
            arrays[f"{number}/cost"] = costs
            arrays |= {f"{number}/{key}": values for key, values in _packed(held).items()}
        return arrays

    def extract(
        self, name: str, ids: Iterable[str], cases: Sequence[Held | None], room: int, around: tuple[int, int] | None
    ) -> tuple[SamplePositions, SamplePositions]:
        """Returns the positions of a layer that are stored: of the sample, and of the test cases, which come first.

        Args:
            name: Of the layer.
            ids: Of the sampled instances, in ascending (hash, id) order.
            cases: Positions of the test cases, in order.
            room: Bytes that all of them may take, unless they are required.
            around: Tokens before and after its own that a position sees; None for a layer without tokens.

        Raises:
            ArgumentError: They are required, and there is no room for all.
        """
        self._settle()
        rows = {identity: row for row, identity in enumerate(self._ids.tolist())}
        possible, held = self._possible(self._costs[name]), self._held[name]
        at = (rows.get(identity) for identity in ids)
        ours = [None if row is None or not possible[row] else held[row] for row in at]
        if name in self._required:
            room = LAYER_BYTES
        words: set[str] = set()
        kept_cases, left = _fitting(cases, room, words)
        kept, _ = _fitting(ours, left, words)
        if name in self._required and len(kept) < len(self._ids):
            needed = int(self._costs[name].sum()) + sum(one.cost for one in cases if one is not None)
            raise _refused(name, len(self._ids), needed, room)
        everything = [*kept, *kept_cases]
        neurons = next((one.values.shape[1] for _, one in everything), 0)
        parts = [one.values for _, one in everything]
        coded = quantise(np.concatenate(parts) if parts else np.empty((0, neurons), np.float32))
        codes = np.asarray(coded.codes)
        found = []
        for some, own in ((kept, codes[: (end := sum(len(one.values) for _, one in kept))]), (kept_cases, codes[end:])):
            found.append(_positions(some, own, coded.origin, coded.scale, around))
        return found[0], found[1]

    def _begin(self, layers: Iterable[str]) -> None:
        self._costs = {name: np.empty(0, np.int64) for name in layers}
        self._held = {name: np.empty(0, np.object_) for name in layers}

    def _settle(self) -> NDArray[np.intp]:
        """Drops instances that are not in the sample; returns which of those before are left, in order of hash."""
        order = np.argsort(self._hashes, kind="stable")
        share = share_of_classes(self._counts, self._sample)
        drawn = first_of_class(self._stratum[order], share)
        stays = drawn | self._always[order]
        kept = order[stays]
        self._drawn = drawn[stays]
        for name in ("_ids", "_hashes", "_stratum", "_always"):
            setattr(self, name, getattr(self, name)[kept])
        self._costs = {name: costs[kept] for name, costs in self._costs.items()}
        self._held = {name: held[kept] for name, held in self._held.items()}
        if self._counts.sum() >= self._sample:
            ends = np.bincount(self._stratum[self._drawn], minlength=len(self._limits)) == share
            largest = np.zeros_like(self._limits)
            np.maximum.at(largest, self._stratum[self._drawn], self._hashes[self._drawn])
            self._limits[ends] = largest[ends]
        return kept

    def _possible(self, costs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns which of the sampled instances may be kept, bool (rows,): never again one that once may not.

        An instance is not kept where those before it would take too much even if its class were as large a part of the
        sample as it may become: of every class, as many bytes as its own class has up to it, if there are so many.
        Both the bytes of a class up to some hash and whether the class is full there only grow with the stream.
        """
        share = share_of_classes(self._counts, self._sample)
        fits = costs <= LAYER_BYTES
        cost = np.where(fits, costs, 0)
        always = len(self._counts)
        pool = np.where(self._always, always, self._stratum)
        pools = np.unique(pool).tolist()
        own = np.zeros(len(cost), np.int64)
        for one in pools:
            own[pool == one] = np.cumsum(cost[pool == one])
        total = np.zeros(len(cost), np.int64)
        for one in pools:
            up_to = np.minimum(own, np.cumsum(np.where(pool == one, cost, 0)))
            is_full = (one != always) & (np.cumsum(self._drawn & (self._stratum == one)) >= share)
            total += np.where(is_full, own, up_to)
        return fits & (total <= _POSSIBLE)

    def _check_required(self) -> None:
        for name in self._required & self._costs.keys():
            if (needed := int(self._costs[name].sum())) > LAYER_BYTES:
                raise _refused(name, len(self._ids), needed, LAYER_BYTES)


def _refused(name: str, instances: int, needed: int, room: int) -> ArgumentError:
    return ArgumentError(
        f'positions of layer "{name}"',
        f"{needed:,} bytes of {instances:,} sampled instances",
        f"at most {room:,}",
        "Lower sample=; or leave out positions=True: those of smallest hash are kept, as many as have room.",
    )


def _fitting(held: Sequence[Held | None], room: int, words: set[str]) -> tuple[list[tuple[int, Held]], int]:
    """Returns those that have room, each with its row, and the bytes that are left; `words` are stored once."""
    kept = []
    for row, one in enumerate(held):
        if one is None:
            continue
        texts = one.texts or ()
        new = set(texts) - words
        cost = one.values.size + _ROW_BYTES + 4 * len(texts) + sum(3 + len(text.encode()) for text in new)
        if cost <= room:
            kept.append((row, one))
            words |= new
            room -= cost
    return kept, room


def _positions(
    kept: Sequence[tuple[int, Held]],
    codes: NDArray[np.uint8],
    origin: NDArray[np.float64],
    scale: NDArray[np.float64],
    around: tuple[int, int] | None,
) -> SamplePositions:
    texts = [text for _, one in kept for text in one.texts or ()]
    return SamplePositions(
        rows=np.array([row for row, _ in kept], np.int32),
        starts=_starts([one.values for _, one in kept]),
        codes=codes,
        origin=origin,
        scale=scale,
        text_starts=_starts([one.texts or () for _, one in kept]) if around else None,
        texts=np.fromiter(texts, np.object_, len(texts)),
        before=around[0] if around else 0,
        after=around[1] if around else 0,
    )


def _starts(parts: Sequence[Sequence[Any] | NDArray[Any]]) -> NDArray[np.int64]:
    """Where each of some parts begins when they stand one after the other, and the end."""
    return np.cumsum([0, *map(len, parts)], dtype=np.int64)


def _packed(held: Sequence[Held | None]) -> dict[str, NDArray[Any]]:
    """Returns positions as arrays, for `_unpacked` in another process."""
    there = [one for one in held if one is not None]
    texts = [text for one in there for text in one.texts or ()]
    return {
        "known": np.array([one is not None for one in held], np.bool_),
        "starts": _starts([one.values for one in there]),
        "values": np.concatenate([one.values for one in there]) if there else np.empty((0, 0), np.float32),
        "text_starts": _starts([one.texts or () for one in there]),
        "texts": np.fromiter(texts, np.object_, len(texts)),
    }


def _unpacked(arrays: Mapping[str, NDArray[Any]], number: int) -> NDArray[np.object_]:
    def column(name: str) -> NDArray[Any]:
        return arrays[f"{number}/{name}"]

    found = np.full(len(column("known")), None, np.object_)
    values = np.split(column("values"), column("starts")[1:-1])
    texts = np.split(column("texts"), column("text_starts")[1:-1])
    rows = np.flatnonzero(column("known"))
    for row, own, words in zip(rows.tolist(), values, texts, strict=False):
        found[row] = Held(own, words.tolist(), int(column("cost")[row]))
    return found
