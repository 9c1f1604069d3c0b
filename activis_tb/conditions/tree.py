"""Checked tree of a condition: every name in it exists, every type fits, nothing else is in it.

Trees are immutable and hashable. A value is a number, a text, a time or a boolean, or it is missing; a comparison with
a missing value is neither true nor false, as in SQL.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from typing import Literal as Choice

from activis_tb.conditions.schema import ColumnType


@dataclass(frozen=True, slots=True)
class Column:
    """An attribute or an outcome of the instance."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Cut:
    """Flag of a text that was cut to its beginning; it cannot be written in a condition and is never missing."""

    name: str


@dataclass(frozen=True, slots=True)
class Neuron:
    """The activation of one neuron, counted from 0; missing where it is not finite.

    With an `end` it is that of the interval in which a rounded activation lies.
    """

    layer: str
    neuron: int
    end: Choice["", "low", "high"] = ""


@dataclass(frozen=True, slots=True)
class ScoreOf:
    """The score of one class, by its name and its position in the classes."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that the user wrote; a whole number that is no float as int, a time as nanoseconds since 1970."""

    value: float | Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A calculation; missing where it overflows or has no result. `%` has the sign of its left side."""

    operator: Choice["+", "-", "*", "/", "%"]
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Negative:
    """A number with the other sign."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two numbers, texts, times or booleans compared; texts by code points, FALSE before TRUE."""

    operator: Choice["=", "<>", "<", "<=", ">", ">="]
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Match:
    """A text compared with a pattern: by LIKE and ILIKE the whole text, with `%` and `_`; by `~` (RE2) a part of it.

    `escape` takes the meaning from `%`, `_` and itself, unless it is empty.
    """

    operator: Choice["LIKE", "ILIKE", "~"]
    operand: "Expression"
    pattern: str
    escape: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether a value is one of several."""

    operand: "Expression"
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Whether a value lies between two others, both included."""

    operand: "Expression"
    low: "Expression"
    high: "Expression"


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether there is no value: true or false, never missing itself."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a condition."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions that all hold, or of which one holds."""

    operator: Choice["AND", "OR"]
    operands: tuple["Expression", ...]


Expression = (
    Column
    | Cut
    | Neuron
    | ScoreOf
    | Literal
    | Arithmetic
    | Negative
    | Comparison
    | Match
    | Membership
    | Between
    | Missing
    | Not
    | Junction
)
Computed = Neuron | ScoreOf
"""Values that are computed rather than stored; the caller of the engine supplies them."""


@dataclass(frozen=True)
class Condition:
    """A checked condition; immutable, hashable, and safe to be kept as a key.

    Attributes:
        text: As the user wrote it.
        expression: What it means.
    """

    text: str
    expression: Expression

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the attributes and outcomes that it needs, each once, in the order of their first mention."""
        return tuple(dict.fromkeys(part.name for part in parts_of(self.expression) if isinstance(part, Column)))

    @cached_property
    def computed(self) -> tuple[Computed, ...]:
        """The neurons and class scores that it needs, each once, in the order of their first mention."""
        return tuple(dict.fromkeys(part for part in parts_of(self.expression) if isinstance(part, Neuron | ScoreOf)))


def names_instances(expression: Expression) -> bool:
    """Tells whether a condition holds for no instances but some that it lists by id or by index."""
    match expression:
        case Membership(Column("id" | "index")) | Comparison("=", Column("id" | "index"), Literal()):
            return True
        case Junction("AND", operands):
            return any(map(names_instances, operands))
        case Junction("OR", operands):
            return all(map(names_instances, operands))
    return False


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Yields `expression` and everything in it."""
    yield expression
    for field in fields(expression):
        value = getattr(expression, field.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Expression):
                yield from parts_of(part)
