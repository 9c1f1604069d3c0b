"""Tokens of a batch, checked: texts by instance, aligned with the positions of layers of rank 3."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, TakeInstances
from activis_tb.positions import UNKNOWN_POSITION
from activis_tb.recording.arrays import as_array, as_float32, check_encodable

_IDS = (
    "Give what the numbers stand for: tokenizer.convert_ids_to_tokens(ids), or [vocabulary[number] for number in ids]."
)
_PADDING = "Of padded texts, give mask=, or None as the text of every position that is padding."
_SPEC = "a convolution without padding needs LayerSpec({name!r}, offset=...), a layer without words tokens=False"


_CALL = 16
"""So many comparisons take about as long as the call of a function of NumPy."""


@dataclass(frozen=True, eq=False)
class Texts:
    """Tokens of the instances of one batch, one instance after the other.

    Attributes:
        argument: What the user calls them, for messages.
        flat: The texts; an empty one is padding.
        starts: Where those of each instance begin, and the end; int64 (instances + 1,).
        filled: Which of `flat` are not empty, bool.
    """

    argument: str
    flat: list[str]
    starts: NDArray[np.int64]
    filled: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TokenPositions:
    """Those positions of one layer in one batch that have a token, instance by instance.

    Attributes:
        array: All positions, padding too, real numbers (instances, positions, neurons): the caller's own.
        place: Which of them these are, row-major, int64 (positions,).
        instance: Row in the batch, int64 (positions,).
        token: Place in `texts.flat`, int64 (positions,).
        texts: All tokens of the batch.
        offset: Position p of an instance belongs to its token p + `offset`, if `is_whole`.
        is_whole: Whether there are texts for all positions; else the positions that the mask keeps are counted.
        masked: Which positions a mask leaves out, bool (instances, positions), if `is_whole`; None where it is none.
    """

    array: NDArray[Any]
    place: NDArray[np.int64]
    instance: NDArray[np.int64]
    token: NDArray[np.int64]
    texts: Texts
    offset: int = 0
    is_whole: bool = True
    masked: NDArray[np.bool_] | None = None

    @cached_property
    def text_ends(self) -> NDArray[np.int64]:
        """One more than the number of each instance's last token that is no padding, int64 (instances,)."""
        filled = np.flatnonzero(self._filled)
        last = np.searchsorted(filled, self.texts.starts[1:]) - 1
        ends = np.append(filled, -1)[last] + 1 - self.texts.starts[:-1]
        return np.maximum(ends, 0)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """One more than the number of each instance's last position that has a token, int64 (instances,)."""
        rows = len(self.texts.starts) - 1
        after = np.searchsorted(self.instance, np.arange(rows), side="right")
        has = np.append(self.instance, -1)[after - 1] == np.arange(rows)
        numbers = np.append(self.token, 0)[after - 1] - self.texts.starts[:-1] - self.offset
        return np.where(has, numbers + 1, 0)

    @cached_property
    def begins(self) -> NDArray[np.int64]:
        """Where each instance's positions begin in `place`, and the end, int64 (instances + 1,)."""
        return np.searchsorted(self.instance, np.arange(len(self.texts.starts)))

    def texts_of(self, row: int) -> list[str]:
        """Returns the tokens of one instance up to its last, empty where one is padding."""
        start = int(self.texts.starts[row])
        end = start + int(self.text_ends[row])
        texts = self.texts.flat[start:end]
        if self.masked is None:
            return texts
        return [text if is_filled else "" for text, is_filled in zip(texts, self._filled[start:end], strict=True)]

    def numbers_of(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns of one instance's positions that have a token their numbers and places.

        Number p belongs to token p + `offset`; the places are those in the array's second axis, padding counted too.
        """
        some = slice(*self.begins[row : row + 2].tolist())
        return self.token[some] - self.texts.starts[row] - self.offset, self.place[some] - row * self.array.shape[1]

    @cached_property
    def _filled(self) -> NDArray[np.bool_]:
        """Which of all texts are no padding."""
        if self.masked is None:
            return self.texts.filled
        filled = self.texts.filled.copy()
        rows, positions = np.nonzero(self.masked)
        filled[self.texts.starts[rows] + self.offset + positions] = False
        return filled


class Unpooled(NamedTuple):
    """Activations of one layer in one batch before they are pooled.

    Attributes:
        take: Returns those of some instances, real numbers (rows, ..., neurons), from wherever they are.
        positions: Of an instance.
        neurons: Of the layer.
        mask: Which steps, on the first axis after the instances, are no padding, bool (instances, steps); or None.
        largest: float32 (instances, neurons), where the maximum is recorded; or None.
        tokens: Those that have a token, where tokens are given.
        is_kept: Whether positions of sampled instances are to be kept.
    """

    take: TakeInstances
    positions: int
    neurons: int
    mask: NDArray[np.bool_] | None
    largest: NDArray[np.float32] | None
    tokens: TokenPositions | None
    is_kept: bool

    def values(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Returns the activations of some instances, float32 (rows, positions, neurons)."""
        return as_float32(self.take(rows)).reshape(len(rows), self.positions, self.neurons)

    def places(self, rows: NDArray[np.intp], values: NDArray[np.float32]) -> NDArray[np.uint16]:
        """Returns at which position some instances' maxima are, the first one, uint16 (rows, neurons).

        Positions are numbered as they are, or where only those that a mask keeps have texts, as these are.

        Args:
            rows: Of the instances.
            values: Theirs.
        """
        assert self.largest is not None
        largest = self.largest[rows]
        kept = None if self.mask is None else self.mask[rows]
        inner = 1 if kept is None else self.positions // kept.shape[1]
        places = self._first(values[:, :UNKNOWN_POSITION], largest, kept, inner)
        if kept is not None and self.tokens is not None and not self.tokens.is_whole:
            number = np.append(np.cumsum(kept, axis=1) - 1, np.full((len(rows), 1), UNKNOWN_POSITION), axis=1)
            places = np.take_along_axis(number, np.minimum(places, self.positions), axis=1)
        return places.astype(np.uint16)

    @staticmethod
    def _first(
        values: NDArray[np.float32], largest: NDArray[np.float32], kept: NDArray[np.bool_] | None, inner: int
    ) -> NDArray[np.integer[Any]]:
        few = values.shape[1]
        if few * _CALL > largest.size:
            found = values == largest[:, None]
            if kept is not None:
                found &= np.repeat(kept, inner, axis=1)[:, :few, None]
            return np.where(found.any(axis=1), found.argmax(axis=1), UNKNOWN_POSITION)
        places = np.full(largest.shape, UNKNOWN_POSITION, np.uint16)
        for position in range(few - 1, -1, -1):
            at_it = values[:, position] == largest
            if kept is not None:
                at_it &= kept[:, position // inner, None]
            np.copyto(places, np.uint16(position), where=at_it)
        return places


def read_tokens(tokens: object, layers: Sequence[LayerSpec], rows: int) -> dict[str, Texts]:
    """Returns the tokens of a batch by layer, of those layers that may have some; empty without any.

    Args:
        tokens: For all layers, or by layer name: one list of texts per instance; or a pair of offsets (instances + 1,)
            and a flat list of texts. None for no tokens.
        layers: In the user's order.
        rows: Instances of the batch.

    Raises:
        ArgumentError: They are no texts, of another number of instances, or for an unknown layer.
    """
    if tokens is None:
        return {}
    if not isinstance(tokens, Mapping):
        texts = _read(tokens, "tokens", rows)
        return {spec.name: texts for spec in layers if spec.tokens is not False}
    named = {spec.name: spec for spec in layers}
    for name in tokens:
        if name not in named:
            raise ArgumentError("tokens", f"the layer {name!r}", f"layers of activations: {', '.join(named)}")
        if named[name].tokens is False:
            expected = f"none, as LayerSpec({name!r}, tokens=False) says"
            raise ArgumentError(f'tokens["{name}"]', "tokens", expected, "Leave out one of the two.")
    found: dict[int, Texts] = {}
    for name, value in tokens.items():
        if id(value) not in found:
            found[id(value)] = _read(value, f'tokens["{name}"]', rows)
    return {name: found[id(value)] for name, value in tokens.items()}


def _read(value: Any, argument: str, rows: int) -> Texts:
    if _is_pair(value):
        return _of_pair(value[0], value[1], argument, rows)
    instances = _listed(value, argument)
    if len(instances) != rows:
        expected = f"{rows}, one per instance, as labels (or else scores) has"
        raise ArgumentError(argument, f"{len(instances)} lists of texts", expected, "Pass whole batches.")
    lists = instances
    if not set(map(type, instances)) <= {list, tuple}:
        for row, one in enumerate(instances):
            if isinstance(one, str | bytes):
                way_out = "Split it as the model's input was split, e.g. text.split()."
                raise ArgumentError(argument, f"the text {one!r} for instance {row}", "a list of texts", way_out)
        lists = [_listed(one, argument) if one is not None else [] for one in instances]
    starts = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)), out=starts[1:])
    return _checked(list(chain.from_iterable(lists)), starts, argument)


def _listed(value: Any, argument: str) -> list[Any]:
    """The items of a list, or of an array or tensor of texts."""
    if isinstance(value, list | tuple):
        return list(value)
    array = as_array(value, argument)
    if array.dtype.kind in "iufb" and array.size:
        raise ArgumentError(argument, f"{array.dtype} of shape {array.shape}", "texts", _IDS)
    if array.ndim == 0:
        raise ArgumentError(argument, type(value).__name__, "one list of texts per instance")
    items: list[Any] = array.tolist()
    return items


def _is_pair(value: Any) -> bool:
    """Tells whether these are offsets and a flat list of texts, not the texts of two instances."""
    if not isinstance(value, tuple) or len(value) != 2 or isinstance(value[0], str):
        return False
    first = value[0]
    if isinstance(first, list | tuple):
        return bool(first) and all(isinstance(item, int | np.integer) for item in first)
    return bool(np.asarray(first).dtype.kind in "iu")


def _of_pair(offsets: Any, flat: Any, argument: str, rows: int) -> Texts:
    starts = as_array(offsets, argument).astype(np.int64)
    texts = _listed(flat, argument)
    if starts.shape != (rows + 1,):
        expected = f"({rows + 1},), where the texts of each of {rows} instances begin and the last ones end"
        raise ArgumentError(argument, f"offsets of shape {starts.shape}", expected)
    if starts[0] != 0 or starts[-1] != len(texts) or (np.diff(starts) < 0).any():
        got = f"offsets from {starts[0]} to {starts[-1]}" + (", not ascending" if (np.diff(starts) < 0).any() else "")
        raise ArgumentError(argument, got, f"ascending ones from 0 to {len(texts)}, the number of texts")
    return _checked(texts, starts, argument)


def _checked(flat: list[Any], starts: NDArray[np.int64], argument: str) -> Texts:
    try:
        joined = "\0".join(flat).encode()
    except TypeError:  # not all are str
        if set(map(type, flat)) <= {str, NoneType}:
            texts = [item or "" for item in flat]
        else:
            texts = [_text(item, position, starts, argument) for position, item in enumerate(flat)]
        return _checked(texts, starts, argument)
    except UnicodeEncodeError:
        check_encodable(flat, argument)
        raise
    ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == 0) if flat else np.empty(0, np.intp)
    if len(ends) + 1 == len(flat):
        filled = np.diff(ends, prepend=-1, append=len(joined)) > 1
    else:  # a text has such a character itself
        filled = np.fromiter(map(len, flat), np.int64, len(flat)) > 0
    return Texts(argument, flat, starts, filled)


def _text(item: Any, position: int, starts: NDArray[np.int64], argument: str) -> str:
    if isinstance(item, str):
        return str(item)
    if isinstance(item, bytes):
        return item.decode(errors="replace")
    if item is None:
        return ""
    row = int(np.searchsorted(starts, position, side="right")) - 1
    got = f"{type(item).__name__} ({item!r}) at position {position - int(starts[row])} of instance {row}"
    raise ArgumentError(argument, got, "texts", _IDS if isinstance(item, int | np.integer) else "")


def align(
    array: NDArray[Any], spec: LayerSpec, texts: Texts, mask: NDArray[np.bool_] | None, known: int | None
) -> tuple[TokenPositions, int | None]:
    """Returns the positions of a layer that have a token, and how many tokens its texts have more than positions.

    Position p of the layer belongs to token p + `spec.offset`; where a mask is given and there are only texts for what
    it keeps, the positions that it keeps are counted.

    Args:
        array: (instances, positions, neurons), real numbers.
        spec: The layer.
        texts: Of the batch.
        mask: (instances, positions), False where a position is padding, or None.
        known: How many more tokens than positions the earlier batches had; None before the first.

    Raises:
        ArgumentError: The numbers of texts and positions do not go together, or the mask keeps a position without one.
    """
    rows, steps, _ = array.shape
    if not rows:
        nothing = np.empty(0, np.int64)
        return TokenPositions(array, nothing, nothing, nothing, texts, spec.offset), known
    lengths = np.diff(texts.starts)
    kept = np.full(rows, steps, np.int64) if mask is None else mask.sum(axis=1, dtype=np.int64)
    surplus, is_of_all = _surplus(lengths, kept, steps, spec, mask is not None, known, texts.argument)
    if is_of_all:
        token = texts.starts[:-1, None] + (spec.offset + np.arange(steps))
        filled = texts.filled[token]
        keep = filled if mask is None else mask
        _check_filled(filled, keep, spec, texts.argument)
        place = np.flatnonzero(keep)
        instance = place // steps
        token = token.reshape(-1)[place]
    else:
        assert mask is not None
        place = np.flatnonzero(mask)
        instance = place // steps
        before = np.cumsum(kept) - kept
        rank = np.arange(len(instance)) - before[instance]
        token = texts.starts[instance] + spec.offset + rank
        filled = np.zeros_like(mask)
        filled.reshape(-1)[place] = texts.filled[token]
        _check_filled(filled, mask, spec, texts.argument)
    masked = ~mask if is_of_all and mask is not None else None
    return TokenPositions(array, place, instance, token, texts, spec.offset, is_of_all, masked), surplus


def _surplus(
    lengths: NDArray[np.int64],
    kept: NDArray[np.int64],
    steps: int,
    spec: LayerSpec,
    is_masked: bool,
    known: int | None,
    argument: str,
) -> tuple[int, bool]:
    """Returns how many more texts than positions instances have, and whether there are texts for masked positions."""
    possible = range(spec.offset, 2 * spec.offset + 2 if spec.offset else 1)
    fitting = 2 * spec.offset if known is None else known
    found: list[tuple[int, bool]] = []
    if (lengths == lengths[0]).all():
        found.append((int(lengths[0]) - steps, True))
    if is_masked:
        some = kept > 0
        more = lengths - kept
        surplus = int(more[some][0]) if some.any() else fitting
        if (more[some] == surplus).all() and (lengths[~some] <= surplus).all():
            found.append((surplus, False))
    found = [one for one in found if one[0] in possible and (known is None or one[0] == known)]
    if not found:
        raise _misaligned(lengths, kept, steps, spec, is_masked, fitting, argument)
    return min(found, key=lambda one: abs(one[0] - fitting))


def _misaligned(
    lengths: NDArray[np.int64],
    kept: NDArray[np.int64],
    steps: int,
    spec: LayerSpec,
    is_masked: bool,
    fitting: int,
    argument: str,
) -> ArgumentError:
    wrong = (lengths != steps + fitting) & (~np.array(is_masked) | (lengths != kept + fitting))
    row = int(np.argmax(wrong)) if wrong.any() else 0
    more = f" and offset={spec.offset}" if spec.offset else ""
    expected = f"{steps + fitting}, as layer {spec.name!r} has {steps} positions{more}"
    if is_masked:
        expected += f"; or {int(kept[row]) + fitting}, as its mask keeps {int(kept[row])} of this instance"
    way_out = f"{'' if is_masked else _PADDING + ' '}Where the lengths differ by a few, "
    return ArgumentError(
        argument,
        f"{int(lengths[row])} texts for instance {row}",
        expected,
        way_out + _SPEC.format(name=spec.name) + ".",
    )


def _check_filled(filled: NDArray[np.bool_], keep: NDArray[np.bool_], spec: LayerSpec, argument: str) -> None:
    lacking = keep & ~filled
    if lacking.any():
        row, position = np.argwhere(lacking)[0]
        got = f"no text at position {position} of instance {row}, which the mask of layer {spec.name!r} keeps"
        raise ArgumentError(argument, got, "a text wherever the mask is True", "Mask padding; name an empty token.")


Surplus = Mapping[str, int | None]
"""By name of a layer with tokens, how many more tokens than positions its instances have; None where none has told."""


def same_surplus(argument: str, earlier: Surplus | None, later: Surplus | None) -> Surplus | None:
    """Returns what both say, None for nothing yet; raises ArgumentError where they say different things."""
    if earlier is None or later is None:
        return later if earlier is None else earlier
    if set(earlier) != set(later):
        got, expected = (f"tokens for {', '.join(one)}" if one else "none" for one in (later, earlier))
        raise ArgumentError(argument, got, f"{expected}, as in the earlier batches", "Give them always or never.")
    for name, surplus in later.items():
        if surplus is not None and earlier[name] is not None and surplus != earlier[name]:
            got = f"{surplus} more texts than positions of layer {name!r}"
            raise ArgumentError(argument, got, f"{earlier[name]} more, as in the earlier batches")
    return {name: earlier[name] if surplus is None else surplus for name, surplus in later.items()}


def check_taken(
    tokens: object, texts: Mapping[str, Texts], taken: Collection[str], layers: Sequence[LayerSpec]
) -> None:
    """Raises ArgumentError where tokens were given for a layer without positions, or lack for one that needs them.

    Args:
        tokens: As they were given.
        texts: By layer, see `read_tokens`.
        taken: Layers that took them.
        layers: All of them.
    """
    expected = "activations (instances, positions, neurons) that are yet to be pooled"
    for spec in layers:
        if spec.tokens and spec.name not in texts:
            required = f"tokens for layer {spec.name!r}, as its LayerSpec says"
            raise ArgumentError("tokens", "none", required, "Pass tokens= to process().")
        if spec.name not in taken and (spec.tokens or isinstance(tokens, Mapping)) and spec.name in texts:
            raise ArgumentError(f'tokens["{spec.name}"]', "tokens for a layer without positions", expected)
    if tokens is not None and not taken and not isinstance(tokens, Mapping):
        raise ArgumentError("tokens", "tokens, but no layer with positions", expected)
