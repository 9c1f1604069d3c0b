"""Test cases of the user's own: labelled instances beside the stream that enter no statistic."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arguments import Settings
from activis_tb.recording.batch import BatchReader
from activis_tb.recording.blocks import Block, clash, encode_media, join, missing_column, with_maxima
from activis_tb.recording.identity import repeated_id

MOST_TEST_CASES = 1_000
"""Test cases of one snapshot: every one of them is shown."""


class TestCases:
    """The test cases of one recording, in the order given.

    Args:
        settings: What is recorded of the stream.
    """

    def __init__(self, settings: Settings) -> None:
        layers = tuple(replace(layer, tokens=None) for layer in settings.layers)
        self._settings = replace(settings, layers=layers, subsets={}, always=None)
        self._blocks: list[Block] = []
        self._ids: set[str] = set()

    def add(self, *, ids: Any = None, attributes: Any = None, **others: Any) -> None:
        """Adds test cases, see `activis_tb.recording.api.SnapshotRecorder.examples`."""
        given = attributes if isinstance(attributes, Mapping) else {}
        types = {name: declared for name, declared in self._settings.attribute_types.items() if name in given}
        reader = BatchReader(replace(self._settings, attribute_types=types))
        block = reader.read((), ids=ids, attributes=attributes, **others)
        index = len(self._ids) + np.arange(len(block))
        block = encode_media(block, np.ones(len(block), np.bool_))
        if block.unpooled:
            block = with_maxima(block, np.ones(len(block), np.bool_))
        block = replace(block, ids=_names(block.ids if ids is not None else index + 1), index=index)
        if repeated := self._ids.intersection(block.ids):
            raise repeated_id(min(repeated))
        if len(self._ids) + len(block) > MOST_TEST_CASES:
            got = f"{len(self._ids) + len(block):,} test cases"
            raise ArgumentError("examples", got, f"at most {MOST_TEST_CASES:,}", "Record the others with process().")
        self._blocks.append(block)
        self._ids.update(block.ids)

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
