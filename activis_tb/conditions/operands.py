"""Operands of a condition: names and literals, resolved in the schema, and patterns within bounds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, NoReturn
from typing import Literal as Choice

from lark import Token, Tree

from activis_tb.conditions.grammar import Node, position_of, value_of
from activis_tb.conditions.schema import (
    OF_LABELS,
    ColumnType,
    ConditionError,
    Schema,
    closest,
    find_alike,
    normal_form,
    quote_name,
    quote_text,
)
from activis_tb.conditions.tree import Column, Expression, Literal, Neuron, ScoreOf
from activis_tb.errors import shorten

if TYPE_CHECKING:
    import duckdb


MOST_CHARACTERS = 256
MOST_REGULAR = 8
"""Regular expressions in one condition: each may hold some MB of automaton per thread."""

ESCAPE = "\\"
"""Escape character of a `LikePattern`."""

_lock = Lock()


@dataclass(frozen=True)
class LikePattern:
    """A pattern of LIKE and ILIKE.

    Attributes:
        text: Where `is_escaped`, with `ESCAPE` before every `%`, `_` and `ESCAPE` that stands for itself.
        is_escaped: Whether there is any.
    """

    text: str
    is_escaped: bool


def read_pattern(pattern: str, escape: str, position: tuple[int, int]) -> LikePattern:
    """Returns a pattern in which `escape`, unless it is empty, takes the meaning from the character after it.

    Raises:
        ConditionError: There is no character after it.
    """
    letters: list[str] = []
    wildcards: list[bool] = []
    rest = iter(pattern)
    for letter in rest:
        is_escaped = bool(escape) and letter == escape
        following = next(rest, None) if is_escaped else letter
        if following is None:
            message = f"The pattern ends with {escape}, which takes the meaning from the character after it; add one."
            raise ConditionError(message, position, quote_text(f"{pattern}{escape}"))
        letters.append(following)
        wildcards.append(not is_escaped and following in "%_")
    if all(wildcard or letter not in "%_" for letter, wildcard in zip(letters, wildcards, strict=True)):
        return LikePattern("".join(letters), is_escaped=False)
    kept = (
        f"{ESCAPE}{letter}" if letter in {"%", "_", ESCAPE} and not wildcard else letter
        for letter, wildcard in zip(letters, wildcards, strict=True)
    )
    return LikePattern("".join(kept), is_escaped=True)


def wildcards_of(pattern: str, escape: str) -> list[int]:
    """Returns where the `%` are that stand for any text; `escape` is that of the pattern, or empty."""
    found, position = [], 0
    while position < len(pattern):
        if escape and pattern[position] == escape:
            position += 1
        elif pattern[position] == "%":
            found.append(position)
        position += 1
    return found


def check_pattern(pattern: str, position: tuple[int, int], *, regular: bool) -> None:
    """Refuses a pattern that is too long, or one of `~` that is no regular expression.

    Raises:
        ConditionError: With RE2's reason.
    """
    if len(pattern) > MOST_CHARACTERS:
        message = (
            f"The pattern has {len(pattern):,} characters; at most {MOST_CHARACTERS} are searched for. Shorten it."
        )
        raise ConditionError(message, position)
    if regular and (reason := _fault(pattern)):
        message = f"This is not a regular expression (RE2): {reason}. For plain texts there is LIKE '%part%'."
        raise ConditionError(message, position)


def _fault(pattern: str) -> str:
    """RE2's reason to refuse a pattern; empty if it accepts it."""
    import duckdb

    with _lock:
        try:
            _connection().execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).split("Error: ", 1)[-1].splitlines()[0].rstrip(".")
    return ""


@cache
def _connection() -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={"threads": 1, "async_threads": 1, "enable_external_access": False, "lock_configuration": True},
    )


ValueType = Choice["number", "text", "boolean", "time", "file", "null"]
"""Types of values, for comparisons; `file` is the content of an image or audio attribute."""

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


def resolve(operand: Node, schema: Schema) -> Typed:
    """Returns the column, the value or the function's result that an operand of a condition is.

    Raises:
        ConditionError: There is no such column, class, layer or neuron.
    """
    position = position_of(operand)
    match operand:
        case Tree("call", [Token("SCORE_OF"), Token() as name]):
            return Typed(_score_of(name, schema), "number", position)
        case Tree("call", [Token("NEURON"), Token() as layer, Token() as number]):
            return Typed(_neuron(layer, number, schema), "number", position)
        case Tree("escaped", [Token() as pattern, Token() as character]):
            return replace(resolve(pattern, schema), escape=_escape(character))
        case Token("NULL"):
            return Typed(NULL, "null", position)
        case Token("TEXT"):
            return Typed(Literal(_text(operand)), "text", position)
        case Token("NUMBER"):
            return Typed(Literal(value_of(operand)), "number", position)
        case Token("TRUE" | "FALSE"):
            return Typed(Literal(value_of(operand)), "boolean", position)
        case Token():
            return _name(operand, schema)
    raise AssertionError(operand)


def _text(token: Token) -> str:
    return normal_form(str(value_of(token)))


def _name(token: Token, schema: Schema) -> Typed:
    name = str(value_of(token))
    if name.casefold() in _INFINITE and not schema.find_column(name):
        return Typed(Literal(inf), "number", position_of(token))
    column = _column(token, name, schema)
    return Typed(column, _VALUE_TYPES[column.type], position_of(token))


def _escape(token: Token) -> str:
    character = _text(token)
    if len(character) == 1:
        return character
    message = f"After ESCAPE there is one character, not {len(character)}: the one that takes the meaning from % and _."
    raise ConditionError(message, position_of(token), quote_text(character[:1] or "!"))


def check_class_name(name: Typed, schema: Schema) -> None:
    """Refuses a text that is compared with a class and is the name of none, or of two that are written alike."""
    if not isinstance(name.expression, Literal):
        return
    written = str(name.expression.value)
    if _one_of(written, schema.classes, name.position) is None:
        _refuse_class(written, name.position, schema)


def _column(token: Token, name: str, schema: Schema) -> Column:
    position = position_of(token)
    found = schema.find_column(name)
    if len(found) == 1:
        return Column(found[0], schema.columns[found[0]])
    shown = shorten(name, 40)
    if not found and name.casefold() in OF_LABELS:
        message = f"There is no {name.casefold()}: these instances were recorded without labels."
        raise ConditionError(message, position, "predicted" if name.casefold() == "label" else None)
    if found:
        names = " and ".join(quote_name(column) for column in found)
        raise ConditionError(f"{shown} may be {names}; write it in the right case.", position, quote_name(found[0]))
    guess = closest(name, schema.columns)
    folded = {known.casefold(): known for known in schema.classes}
    if name.casefold() in folded or (guess is None and token.type == "QUOTED"):
        message = f"There is no column {shown}. A text is written in single quotes, {quote_text(shown)}."
        raise ConditionError(message, position, quote_text(folded.get(name.casefold(), name)))
    message = f"There is no column {shown}. Columns: {_listed(map(quote_name, schema.columns))}."
    raise ConditionError(message, position, quote_name(guess) if guess else None)


def _score_of(argument: Token, schema: Schema) -> ScoreOf:
    name = str(value_of(argument))
    known = _one_of(name, schema.classes, position_of(argument))
    if known is None:
        _refuse_class(name, position_of(argument), schema)
    return ScoreOf(known, schema.classes.index(known))


def _one_of(name: str, names: Iterable[str], position: tuple[int, int]) -> str | None:
    """The one of `names` that equals `name` in normal form, or None."""
    alike = find_alike(name, names)
    if len(alike) > 1:
        message = f"{len(alike)} names are written as {quote_text(shorten(name, 40))} and cannot be told apart."
        raise ConditionError(message, position)
    return alike[0] if alike else None


def _refuse_class(name: str, position: tuple[int, int], schema: Schema) -> NoReturn:
    guess = closest(name, schema.classes)
    message = f"{quote_text(shorten(name, 40))} is not a class. Classes: {_listed(map(quote_text, schema.classes))}."
    raise ConditionError(message, position, quote_text(guess) if guess is not None else None)


def _neuron(layer: Token, number: Token, schema: Schema) -> Neuron:
    name = str(value_of(layer))
    known = name if name in schema.neurons else _one_of(name, schema.neurons, position_of(layer))
    if known is None:
        guess = closest(name, schema.neurons)
        layers = _listed(map(quote_text, schema.neurons)) or "none"
        message = f"There is no layer {quote_text(shorten(name, 40))}. Recorded layers: {layers}."
        raise ConditionError(message, position_of(layer), quote_text(guess) if guess is not None else None)
    position = float(number)
    if not position.is_integer() or position >= schema.neurons[known]:
        last = schema.neurons[known] - 1
        message = f"Layer {quote_text(known)} has the neurons 0 to {last:,}; {position:,g} is none of them."
        raise ConditionError(message, position_of(number))
    return Neuron(known, int(position))


def _listed(names: "map[str]", most: int = 12) -> str:
    items = [shorten(name, 40) for name in names]
    return ", ".join(items[:most]) + (f" and {len(items) - most:,} more" if len(items) > most else "")
