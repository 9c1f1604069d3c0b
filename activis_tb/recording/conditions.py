"""Conditions that select instances while recording: checked with every batch, evaluated over every block."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions import (
    Computed,
    Condition,
    ConditionError,
    Engine,
    Instances,
    Neuron,
    Schema,
    parse_condition,
)
from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute, AttributeType
from activis_tb.recording.arguments import Settings
from activis_tb.recording.attributes import KIND_OF_TYPE, TYPE_OF_KIND
from activis_tb.recording.blocks import Block, Column
from activis_tb.recording.selections import Selection, refused_condition

_MOST_SECONDS = 600.0
_UNKNOWN: tuple[AttributeType, ...] = ("number", "text", "boolean", "image")
_MOST_UNKNOWN = 4


class Conditions:
    """All conditions of one recording, parsed once as long as the columns stay the same.

    Args:
        settings: With at least one condition.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selections = [selection for selection in settings.selections if selection.condition]
        self._schema: Schema | None = None
        self._parsed: list[Condition] = []
        self._engine: Engine | None = None
        self._engine_columns: tuple[Schema, set[str]] | None = None

    def check(
        self, columns: Mapping[str, Column], activations: Mapping[str, NDArray[np.float32]], *, labelled: bool
    ) -> None:
        """Checks the conditions against the columns and the layers of a batch.

        A column without any value so far has no type yet; it takes one that suits the conditions.

        Raises:
            ArgumentError: A condition names something that is not there, or compares what cannot be compared.
        """
        schema = replace(self._settled(columns, activations), labelled=labelled)
        if schema == self._schema:
            return
        unknown = [name for name, column in columns.items() if not _type_of(column, self._declared(name))]
        self._schema, self._parsed = self._parse(schema, unknown)

    def prepare(self) -> Callable[[Block], Block]:
        """Returns a function that evaluates the conditions over a block of the batches checked so far.

        It returns the block with their members in `always` and `membership`. It may run on another thread while the
        next batches are checked, one call at a time.
        """
        assert self._schema is not None
        return partial(self._evaluate, self._schema, self._parsed)

    def _evaluate(self, schema: Schema, parsed: Sequence[Condition], block: Block) -> Block:
        engine = self._filled_engine(block, schema, parsed)
        always, membership = block.always, block.membership.copy()
        subsets = list(self._settings.subsets.values())
        for selection, members in zip(self._selections, engine.members_of_each(parsed), strict=True):
            if selection is self._settings.always:
                always = members
            else:
                membership[:, subsets.index(selection)] = members
        return replace(block, always=always, membership=membership)

    def _declared(self, name: str) -> AttributeType | None:
        return self._settings.attribute_types.get(name)

    def _settled(self, columns: Mapping[str, Column], activations: Mapping[str, NDArray[np.float32]]) -> Schema:
        """The schema; columns of an unknown type have the one that was found for them before, else text."""
        before = dict(self._schema.attributes) if self._schema else {}
        attributes = tuple(
            (name, _type_of(column, self._declared(name)) or before.get(name, "text"))
            for name, column in columns.items()
        )
        layers = tuple((name, values.shape[1]) for name, values in activations.items())
        return Schema(self._settings.classes, attributes, layers)

    def _parse(self, schema: Schema, unknown: Sequence[str]) -> tuple[Schema, list[Condition]]:
        texts = " ".join(selection.condition.casefold() for selection in self._selections)
        mentioned = [name for name in unknown if name.casefold() in texts][:_MOST_UNKNOWN]
        failure: ArgumentError | None = None
        for types in product(_UNKNOWN, repeat=len(mentioned)):
            attributes = tuple({**dict(schema.attributes), **dict(zip(mentioned, types, strict=True))}.items())
            candidate = replace(schema, attributes=attributes)
            try:
                return candidate, [_parse(selection, candidate) for selection in self._selections]
            except ArgumentError as error:
                failure = failure or error
        assert failure is not None
        raise failure

    def _filled_engine(self, block: Block, schema: Schema, parsed: Sequence[Condition]) -> Engine:
        """The engine over the instances of `block`, with the columns that the conditions need."""
        needed = {name for condition in parsed for name in condition.columns}
        types = [(name, type_) for name, type_ in schema.attributes if name in needed]
        schema = replace(schema, attributes=tuple(types))
        instances = Instances(
            block.ids, block.index, block.label, block.predicted, block.score, tuple(_attributes(block, types))
        )
        computed = partial(_computed, block)
        if self._engine is None or self._engine_columns != (schema, needed):
            self._engine = Engine(schema, instances, computed, most_seconds=_MOST_SECONDS, threads=1, needed=needed)
            self._engine_columns = (schema, needed)
        else:
            self._engine.replace(instances, computed)
        return self._engine


def _parse(selection: Selection, schema: Schema) -> Condition:
    try:
        return parse_condition(selection.condition, schema)
    except ConditionError as error:
        raise refused_condition(selection.argument, selection.condition, error) from error


def _type_of(column: Column, declared: AttributeType | None) -> AttributeType | None:
    return declared or (TYPE_OF_KIND[column.kind] if column.kind else None)


def _attributes(block: Block, types: Sequence[tuple[str, AttributeType]]) -> Iterator[Attribute]:
    """Yields the columns; categories as plain texts, since not all of them are known before the end."""
    for name, type_ in types:
        column = block.attributes[name].as_kind(KIND_OF_TYPE[type_])
        yield Attribute(name, "text" if type_ == "category" else type_, column.values, column.present)


def _computed(block: Block, part: Computed) -> NDArray[np.float32]:
    if isinstance(part, Neuron):
        return block.activations[part.layer][:, part.neuron]
    return block.scores[:, part.position]
