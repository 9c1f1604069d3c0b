"""Names and values of a condition looked up in the schema."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Literal as Choice
from typing import NoReturn, cast

from activis_tb.conditions.errors import ConditionError
from activis_tb.conditions.expression import Column, Expression, Literal, Neuron, ScoreOf
from activis_tb.conditions.schema import (
    OF_LABELS,
    ColumnType,
    Schema,
    closest,
    find_alike,
    normal_form,
    quote_name,
    quote_text,
)
from activis_tb.conditions.words import Operand
from activis_tb.errors import shorten

ValueType = Choice["number", "text", "boolean", "time", "file", "null"]
"""What can be compared with what; `file` is the content of an image or audio attribute."""

_VALUE_TYPES: dict[ColumnType, ValueType] = {
    "number": "number",
    "category": "text",
    "text": "text",
    "class": "text",
    "boolean": "boolean",
    "time": "time",
    "image": "file",
    "audio": "file",
}


_INFINITE = {"inf", "infinity"}
"""Names of the infinite number, where no column has them."""


@dataclass(frozen=True)
class Typed:
    """A checked part of a condition, the type of its value, and where it was written.

    `escape` is, of a pattern, the character that ESCAPE names.
    """

    expression: Expression
    type: ValueType
    position: tuple[int, int]
    escape: str = ""

    @property
    def is_class(self) -> bool:
        """Whether its value is always one of the class names."""
        return isinstance(self.expression, Column) and self.expression.type == "class"


NULL = Literal("")
"""Stands for NULL until the checker has refused it or turned it into `Missing`."""


def resolve(operand: Operand, text: str, schema: Schema) -> Typed:
    """Returns the column, the value or the function's result that an operand of the condition `text` is.

    Raises:
        ConditionError: There is no such column, class, layer or neuron.
    """
    if (
        operand.kind == "name"
        and str(operand.value).casefold() in _INFINITE
        and not schema.find_column(str(operand.value))
    ):
        return Typed(Literal(inf), "number", operand.position)
    if operand.kind == "name":
        column = _column(operand, text, schema)
        return Typed(column, _VALUE_TYPES[column.type], operand.position)
    if operand.kind == "score_of":
        return Typed(_score_of(operand, schema), "number", operand.position)
    if operand.kind == "neuron":
        return Typed(_neuron(operand, schema), "number", operand.position)
    if operand.kind == "null":
        return Typed(NULL, "null", operand.position)
    value = cast("str | float | Decimal | bool", operand.value)
    literal = Literal(normal_form(value) if isinstance(value, str) else value)
    return Typed(literal, operand.kind, operand.position, _escape(operand.escape) if operand.escape else "")


def _escape(operand: Operand) -> str:
    character = normal_form(str(operand.value))
    if len(character) == 1:
        return character
    message = f"After ESCAPE there is one character, not {len(character)}: the one that takes the meaning from % and _."
    raise ConditionError(message, operand.position, quote_text(character[:1] or "!"))


def check_class_name(name: Typed, schema: Schema) -> None:
    """Refuses a text that is compared with a class and is the name of none, or of two that are written alike."""
    if not isinstance(name.expression, Literal):
        return
    written = str(name.expression.value)
    if _one_of(written, schema.classes, name.position) is None:
        _refuse_class(written, name.position, schema)


def _column(operand: Operand, text: str, schema: Schema) -> Column:
    name = str(operand.value)
    found = schema.find_column(name)
    if len(found) == 1:
        return Column(found[0], schema.columns[found[0]])
    shown = shorten(name, 40)
    if not found and name.casefold() in OF_LABELS:
        message = f"There is no {name.casefold()}: these instances were recorded without labels."
        raise ConditionError(message, operand.position, "predicted" if name.casefold() == "label" else None)
    if found:
        names = " and ".join(quote_name(column) for column in found)
        raise ConditionError(
            f"{shown} may be {names}; write it in the right case.", operand.position, quote_name(found[0])
        )
    guess = closest(name, schema.columns)
    folded = {known.casefold(): known for known in schema.classes}
    if name.casefold() in folded or (guess is None and text[operand.position[0]] == '"'):
        message = f"There is no column {shown}. A text is written in single quotes, {quote_text(shown)}."
        raise ConditionError(message, operand.position, quote_text(folded.get(name.casefold(), name)))
    message = f"There is no column {shown}. Columns: {_listed(map(quote_name, schema.columns))}."
    raise ConditionError(message, operand.position, quote_name(guess) if guess else None)


def _score_of(operand: Operand, schema: Schema) -> ScoreOf:
    (argument,) = cast("tuple[Operand]", operand.value)
    name = str(argument.value)
    known = _one_of(name, schema.classes, argument.position)
    if known is None:
        _refuse_class(name, argument.position, schema)
    return ScoreOf(known, schema.classes.index(known))


def _one_of(name: str, names: Iterable[str], position: tuple[int, int]) -> str | None:
    """The one of `names` that is meant, or None."""
    alike = find_alike(name, names)
    if len(alike) > 1:
        message = f"{len(alike)} names are written as {quote_text(shorten(name, 40))} and cannot be told apart."
        raise ConditionError(message, position)
    return alike[0] if alike else None


def _refuse_class(name: str, position: tuple[int, int], schema: Schema) -> NoReturn:
    guess = closest(name, schema.classes)
    message = f"{quote_text(shorten(name, 40))} is not a class. Classes: {_listed(map(quote_text, schema.classes))}."
    raise ConditionError(message, position, quote_text(guess) if guess is not None else None)


def _neuron(operand: Operand, schema: Schema) -> Neuron:
    layer, number = cast("tuple[Operand, Operand]", operand.value)
    name = str(layer.value)
    known = name if name in schema.neurons else _one_of(name, schema.neurons, layer.position)
    if known is None:
        guess = closest(name, schema.neurons)
        layers = _listed(map(quote_text, schema.neurons)) or "none"
        message = f"There is no layer {quote_text(shorten(name, 40))}. Recorded layers: {layers}."
        raise ConditionError(message, layer.position, quote_text(guess) if guess is not None else None)
    position = float(cast("float | Decimal", number.value))
    if not position.is_integer() or position >= schema.neurons[known]:
        last = schema.neurons[known] - 1
        message = f"Layer {quote_text(known)} has the neurons 0 to {last:,}; {position:,g} is none of them."
        raise ConditionError(message, number.position)
    return Neuron(known, int(position))


def _listed(names: "map[str]", most: int = 12) -> str:
    items = [shorten(name, 40) for name in names]
    return ", ".join(items[:most]) + (f" and {len(items) - most:,} more" if len(items) > most else "")
