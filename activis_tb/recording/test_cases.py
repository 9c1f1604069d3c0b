"""Test cases of the user's own: labelled instances beside the stream that enter no statistic."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arguments import Settings
from activis_tb.recording.batch import BatchReader
from activis_tb.recording.blocks import Block, clash, encode_media, join, missing_column, with_maxima
from activis_tb.recording.identity import repeated_id
from activis_tb.recording.sampled_positions import LAYER_BYTES, Held, cost_of, hold
from activis_tb.recording.tokens import Unpooled

MOST_TEST_CASES = 1_000
"""Test cases of one snapshot: every one of them is shown."""


class TestCases:
    """The test cases of one recording, in the order given.

    Args:
        settings: What is recorded of the stream.
    """

    def __init__(self, settings: Settings) -> None:
        layers = tuple(replace(layer, tokens=None if layer.tokens else layer.tokens) for layer in settings.layers)
        self._settings = replace(settings, layers=layers, subsets={}, always=None)
        self._blocks: list[Block] = []
        self._held: dict[str, list[Held | None]] = {layer.name: [] for layer in layers}
        self._tokens: set[str] = set()
        self._ids: set[str] = set()

    def add(self, *, ids: Any = None, attributes: Any = None, **others: Any) -> None:
        """Adds test cases, see `activis_tb.recording.api.SnapshotRecorder.examples`."""
        given = attributes if isinstance(attributes, Mapping) else {}
        types = {name: declared for name, declared in self._settings.attribute_types.items() if name in given}
        reader = BatchReader(replace(self._settings, attribute_types=types))
        block = reader.read((), ids=ids, attributes=attributes, **others)
        index = len(self._ids) + np.arange(len(block))
        block = encode_media(block, np.ones(len(block), np.bool_))
        if len(self._ids) + len(block) > MOST_TEST_CASES:
            got = f"{len(self._ids) + len(block):,} test cases"
            raise ArgumentError("examples", got, f"at most {MOST_TEST_CASES:,}", "Record the others with process().")
        tokens = set(block.positions)
        held: dict[str, list[Held | None]] = {name: [None] * len(block) for name in self._held}
        if block.unpooled:
            block = with_maxima(replace(block, positions={}), np.arange(len(block)), partial(self._hold, held))
        block = replace(block, ids=_names(block.ids if ids is not None else index + 1), index=index)
        if repeated := self._ids.intersection(block.ids):
            raise repeated_id(min(repeated))
        self._blocks.append(block)
        self._ids.update(block.ids)
        self._tokens |= tokens
        for name, some in held.items():
            self._held[name] += some

    def check_tokens(self, layers: Collection[str]) -> None:
        """Raises ArgumentError where test cases have tokens of a layer for which the stream, of `layers`, has none."""
        for name in sorted(self._tokens.difference(layers)):
            raise ArgumentError("tokens of the test cases", f"some for {name}", "none, as process() brings none")

    def positions(self, name: str, *, with_tokens: bool) -> list[Held | None]:
        """Returns the positions of the test cases, in order; None where there is no room for them, or are no tokens."""
        return [one if one is None or (one.texts is not None) == with_tokens else None for one in self._held[name]]

    def check(self, stream: Block) -> None:
        """Refuses test cases that do not fit the instances of the stream.

        Raises:
            ArgumentError: An attribute that the stream lacks, or of another kind, or a layer of another width.
        """
        for block in self._blocks:
            _check_attributes(stream, block)
            _check_neurons(stream, block)

    def extract(self, stream: Block) -> Block:
        """Returns the test cases with the columns of `stream`, missing where they lack one; raises as `check`."""
        self.check(stream)
        return join([stream.take(slice(0)), *(_as_in(stream, block) for block in self._blocks)])

    def _hold(
        self,
        held: Mapping[str, list[Held | None]],
        found: Unpooled,
        name: str,
        rows: NDArray[np.intp],
        values: NDArray[np.float32],
    ) -> None:
        """Takes the positions of the first test cases, as many as a layer has room for."""
        if not found.is_kept:
            return
        room = LAYER_BYTES - sum(one.cost for one in (*self._held[name], *held[name]) if one is not None)
        for row, own, cost in zip(rows.tolist(), values, cost_of(found, rows).tolist(), strict=True):
            if cost <= room:
                held[name][row] = hold(found, row, own, cost)
                room -= cost


def _names(ids: NDArray[Any]) -> NDArray[np.object_]:
    """Ids that tell test cases from the instances of the stream, which may have the same ones."""
    return np.array([f"test case {identity}" for identity in ids], np.object_)


def _check_attributes(stream: Block, block: Block) -> None:
    for name, column in block.attributes.items():
        argument = f'attributes["{name}"] of the test cases'
        if name not in stream.attributes:
            expected = f"attributes that process() brings: {', '.join(stream.attributes) or 'none'}"
            raise ArgumentError(argument, "values", expected, "Leave it out.")
        kind = stream.attributes[name].kind
        if column.kind and kind and column.kind != kind:
            raise ArgumentError(argument, column.kind, f"{kind}, as process() brings", "Convert it.")
        if got := clash(column.demands(stream.attributes[name].demands())):
            raise ArgumentError(argument, f"{got} of process()", "values of one type", "Convert them.")


def _check_neurons(stream: Block, block: Block) -> None:
    for name, values in stream.activations.items():
        got, expected = block.activations[name].shape[1], values.shape[1]
        if got != expected:
            argument = f'activations["{name}"] of the test cases'
            raise ArgumentError(argument, f"{got:,} neurons", f"{expected:,}, as process() brings")


def _as_in(stream: Block, block: Block) -> Block:
    missing = missing_column(len(block))
    return replace(
        block,
        membership=np.zeros((len(block), stream.membership.shape[1]), np.bool_),
        attributes={name: block.attributes.get(name, missing) for name in stream.attributes},
    )
