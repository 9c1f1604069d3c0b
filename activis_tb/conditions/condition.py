"""Parser of conditions, by sqlglot: a text, checked once, is evaluated as often as needed."""

import re
from dataclasses import dataclass
from functools import cached_property

from sqlglot import TokenType, exp
from sqlglot.errors import ParseError
from sqlglot.parser import Parser

from activis_tb.conditions.check import Checker
from activis_tb.conditions.schema import ConditionError, Schema
from activis_tb.conditions.tokens import MOST_CHARACTERS, Words, read_words, too_deep
from activis_tb.conditions.tree import Column, Computed, Expression, Neuron, ScoreOf, parts_of
from activis_tb.errors import shorten

_WITH_COMMA = re.compile(r"(?<![\w.,'\"])(?:0,[0-9]+|[0-9]+,(?![0-9]{3}\b)[0-9]+)(?![\w.,'\"])", re.ASCII)
"""A decimal fraction of other languages; not what may be thousands."""


def parse(words: Words) -> exp.Expression:
    """Returns the syntax tree; its columns are the numbers of `words.operands`.

    Raises:
        ConditionError: It is not one expression.
    """
    parser = Parser(error_message_context=MOST_CHARACTERS)
    try:
        trees = parser.parse_into(exp.Condition, words.tokens, words.text)
    except ParseError as error:
        raise _misplaced(words, error) from error
    except RecursionError as error:
        raise too_deep((0, len(words.text))) from error
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Expression):
        raise _incomplete(words)
    return tree


def _misplaced(words: Words, error: ParseError) -> ConditionError:
    """The refusal at the token where the parser stopped: the last one means that something is missing after it."""
    where = error.errors[0]
    start = len(where.get("start_context") or "")
    end = start + len(where.get("highlight") or "")
    if not start < end or _lacks_an_operand(words):
        return _incomplete(words)
    if decimal := next((one for one in _WITH_COMMA.finditer(words.text) if one.start() < start < one.end()), None):
        message = f"{decimal.group()} is no number of conditions; they have a point."
        raise ConditionError(message, decimal.span(), decimal.group().replace(",", "."))
    message = (
        f"{shorten(words.text[start:end], 40)} does not fit here. "
        "A condition compares values and joins the comparisons by AND and OR, e.g. score < 0.6 AND label = predicted."
    )
    return ConditionError(message, (start, end))


def _lacks_an_operand(words: Words) -> bool:
    """Whether it ends with an operator, closing parentheses aside."""
    closed = [token for token in words.tokens if token.token_type != TokenType.R_PAREN]
    return not closed or closed[-1].token_type != TokenType.IDENTIFIER


def _incomplete(words: Words) -> ConditionError:
    last = words.tokens[-1]
    written = words.text[last.start : last.end + 1]
    message = (
        f"The condition is not complete around {shorten(written, 40)}: a value, a column or an operator is missing."
    )
    return ConditionError(message, (last.start, last.end + 1))


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
