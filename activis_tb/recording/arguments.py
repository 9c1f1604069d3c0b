"""Arguments of a recording, checked before anything is recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any
from unicodedata import normalize

import numpy as np

from activis_tb.errors import ArgumentError, check_choice
from activis_tb.model import ATTRIBUTE_TYPES, POOLINGS, AttributeType, ForwardGraph, LayerSpec
from activis_tb.recording.arrays import check_encodable
from activis_tb.recording.heads import HeadArgument, Heads, read_heads
from activis_tb.recording.selections import BatchFunction, Selection, read_selection
from activis_tb.storage.metadata import UNSERVED_CHARACTERS, is_served

_LONGEST_NAME = 1000
"""Characters; names go into the addresses of what is asked for."""

_LARGEST_NUMBER = 2**53

SelectionArgument = str | BatchFunction | Iterable[Any]
"""A condition, a function of the batch that returns one boolean per instance, or ids."""
SubsetArgument = Mapping[str, SelectionArgument]
"""By name."""


ClassArgument = Sequence[str] | Sequence[int] | Mapping[int, str] | Mapping[str, str]
"""Names by position; the integers that labels are; or names by position as a model's `id2label` has them."""


@dataclass(frozen=True, eq=False)
class Settings:
    """Arguments of a recording, checked.

    Attributes:
        name: The recording's name.
        layers: In the user's order.
        classes: Names, by position.
        class_values: By integer label, the position; empty where integers are positions.
        subsets: The user's, by name.
        sample: Instances to keep individually, about.
        always: Instances that are always kept, or None.
        attribute_types: Types that the user declared, by attribute.
        graph: The model's forward graph, or None.
        heads: Linear layers that may make the scores of a recorded one.
    """

    name: str
    layers: tuple[LayerSpec, ...]
    classes: tuple[str, ...]
    class_values: Mapping[int, int]
    subsets: Mapping[str, Selection]
    sample: int
    always: Selection | None
    attribute_types: Mapping[str, AttributeType]
    graph: ForwardGraph | None
    heads: Heads

    @property
    def selections(self) -> list[Selection]:
        """All selections: those always kept, then the subsets."""
        return [*([self.always] if self.always else []), *self.subsets.values()]

    @property
    def has_conditions(self) -> bool:
        return any(selection.kind == "condition" for selection in self.selections)


def read_settings(
    *,
    name: str,
    layers: Sequence[str | LayerSpec],
    classes: ClassArgument,
    subsets: SubsetArgument | None,
    sample: int,
    always: SelectionArgument,
    attribute_types: Mapping[str, AttributeType] | None,
    graph: ForwardGraph | None,
    heads: HeadArgument | None = None,
) -> Settings:
    """Returns the arguments of `activis_tb.preprocess` as settings; raises ArgumentError where one cannot be used."""
    class_names, class_values = _classes(classes)
    if graph is not None and not isinstance(graph, ForwardGraph):
        raise ArgumentError(
            "graph",
            type(graph).__name__,
            "an activis_tb.model.ForwardGraph",
            "For a Keras model: activis_tb.keras.forward_graph(model, layers).",
        )
    specs = _layers(layers)
    return Settings(
        name=_served_name(name),
        layers=specs,
        classes=class_names,
        class_values=class_values,
        subsets=_subsets(subsets or {}, class_names),
        sample=whole_number(sample, "sample"),
        always=None if _is_nothing(always) else read_selection("always", always),
        attribute_types=_attribute_types(attribute_types or {}),
        graph=graph,
        heads=read_heads(heads, [spec.name for spec in specs], len(class_names)),
    )


def whole_number(value: Any, argument: str) -> int:
    """Returns `value`, a whole number from 0 on of any integer type, as int; raises ArgumentError otherwise."""
    try:
        number = index(value)
    except TypeError as error:
        raise ArgumentError(
            argument, f"{type(value).__name__} ({value!r})", "a whole number", "Use int(...)."
        ) from error
    if number < 0:
        raise ArgumentError(argument, number, "a whole number from 0 on")
    if number > _LARGEST_NUMBER:
        raise ArgumentError(argument, number, "a whole number up to 2^53", "A browser cannot tell larger ones apart.")
    return number


def _name(value: object, argument: str) -> str:
    if not isinstance(value, str) or not value.strip() or any(ord(character) < 32 for character in value):
        raise ArgumentError(argument, repr(value), "text that is neither empty nor has control characters")
    check_encodable([value], argument)
    if len(value) > _LONGEST_NAME:
        raise ArgumentError(argument, f"{len(value):,} characters", f"at most {_LONGEST_NAME:,}")
    return value


def _served_name(name: object) -> str:
    """Returns the recording's name, which is a part of its tag."""
    text = _name(name, "name")
    if not is_served(text):
        way_out = "TensorBoard's data server cannot serve them in the name of a recording."
        raise ArgumentError("name", repr(name), f"text without {UNSERVED_CHARACTERS}", way_out)
    return text


def _names(values: Iterable[object], argument: str, fewest: int) -> tuple[str, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ArgumentError(argument, repr(values), "a list of names")
    names = tuple(str(_name(value, f"{argument}[{position}]")) for position, value in enumerate(values))
    if len(names) < fewest:
        raise ArgumentError(argument, f"{len(names)} names", f"at least {fewest}")
    alike = [normalize("NFC", name) for name in names]
    repeated = sorted({name for name in alike if alike.count(name) > 1}) if len(set(alike)) < len(alike) else []
    if repeated:
        raise ArgumentError(argument, f"{repeated[0]!r} more than once", "different names")
    return names


def _classes(classes: ClassArgument) -> tuple[tuple[str, ...], dict[int, int]]:
    """The names, and the positions of integer labels where these are no positions themselves."""
    if isinstance(classes, Mapping):
        return _names(_by_position(classes), "classes", fewest=2), {}
    if isinstance(classes, str | bytes) or not isinstance(classes, Iterable):
        raise ArgumentError("classes", repr(classes), "a list of names")
    values = list(classes)
    integers = [int(value) if isinstance(value, int | np.integer | np.bool_) else None for value in values]
    names = [value if number is None else str(value) for value, number in zip(values, integers, strict=True)]
    checked = _names(names, "classes", fewest=2)
    known = [number for number in integers if number is not None]
    if not known or integers == list(range(len(integers))):
        return checked, {}
    if len(known) < len(integers):
        raise ArgumentError("classes", f"{values[:3]!r}", "names alone, or integers alone", "Write the names as text.")
    return checked, {number: position for position, number in enumerate(known)}


def _by_position(names: Mapping[Any, str]) -> list[str]:
    """The names of an `id2label`, whose keys are positions, as integers or their text."""
    try:
        positions = {int(key): name for key, name in names.items()}
    except (TypeError, ValueError):
        positions = {}
    if sorted(positions) != list(range(len(names))):
        got = f"a mapping with the keys {', '.join(map(repr, list(names)[:5]))}"
        expected = f"the positions 0 to {max(len(names) - 1, 1)} as keys, as the model's id2label has"
        raise ArgumentError("classes", got, expected, "Or give the names as a list, in the order of the scores.")
    return [positions[position] for position in range(len(names))]


def _layers(layers: Sequence[str | LayerSpec]) -> tuple[LayerSpec, ...]:
    if isinstance(layers, str | LayerSpec):
        raise ArgumentError("layers", repr(layers), "a list of layer names", f"Write layers=[{layers!r}].")
    specs = tuple(layer if isinstance(layer, LayerSpec) else LayerSpec(layer) for layer in layers)
    _names([spec.name for spec in specs], "layers", fewest=1)
    for spec in specs:
        check_choice(f'pooling of layer "{spec.name}"', spec.pooling, POOLINGS)
        if not (spec.tokens is None or isinstance(spec.tokens, bool) or spec.tokens == "max"):
            raise ArgumentError(f'tokens of layer "{spec.name}"', repr(spec.tokens), 'True, False, "max" or None')
        whole_number(spec.offset, f'offset of layer "{spec.name}"')
        if not (spec.positions is None or isinstance(spec.positions, bool)):
            raise ArgumentError(f'positions of layer "{spec.name}"', repr(spec.positions), "True, False or None")
    return specs


def _subsets(subsets: SubsetArgument, classes: Sequence[str]) -> dict[str, Selection]:
    if not isinstance(subsets, Mapping):
        raise ArgumentError(
            "subsets", type(subsets).__name__, "a mapping from names to conditions, functions or lists of ids"
        )
    for name in subsets:
        if _name(name, "a name in subsets") in classes:
            raise ArgumentError(
                "subsets", repr(name), "names other than the classes'", "Every class is a subset anyway."
            )
    return {name: read_selection(f'subsets["{name}"]', value) for name, value in subsets.items()}


def _is_nothing(always: object) -> bool:
    return always is None or (isinstance(always, Sequence) and not isinstance(always, str | bytes) and not always)


def _attribute_types(types: Mapping[str, AttributeType]) -> dict[str, AttributeType]:
    if not isinstance(types, Mapping):
        raise ArgumentError("attribute_types", type(types).__name__, "a mapping from attribute names to types")
    for name, declared in types.items():
        if declared not in ATTRIBUTE_TYPES:
            raise ArgumentError(f'attribute_types["{name}"]', repr(declared), f"one of {', '.join(ATTRIBUTE_TYPES)}")
    return dict(types)
