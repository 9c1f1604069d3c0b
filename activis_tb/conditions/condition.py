"""A condition: what the user wrote, checked once, evaluated as often as needed."""

from dataclasses import dataclass
from functools import cached_property

from activis_tb.conditions.checking import Checker
from activis_tb.conditions.expression import Column, Computed, Expression, Neuron, ScoreOf, parts_of
from activis_tb.conditions.parsing import parse
from activis_tb.conditions.schema import Schema
from activis_tb.conditions.words import read_words


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


def check_syntax(text: str) -> None:
    """Checks a condition as far as that is possible without knowing what columns there are.

    Raises:
        ConditionError: It is not one, whatever the columns are.
    """
    parse(read_words(text))


def parse_condition(text: str, schema: Schema) -> Condition:
    """Returns the condition that `text` is, checked against `schema`.

    Raises:
        ConditionError: It is not one that can be evaluated; with the position and, where there is one, a suggestion.
    """
    words = read_words(text)
    return Condition(text, Checker(schema, words).condition(parse(words)).expression)
