"""Conditions on texts of which only the beginning was kept: who is a member for certain, and who may be one.

Comparisons with a written value, and patterns that ask for how a text begins, are decided by the beginning. What else a
pattern asks of a cut text is open, unless its beginning has shown it already.
"""

import re
from collections.abc import Collection, Iterator

from activis_tb.conditions.condition import Condition
from activis_tb.conditions.expression import (
    Between,
    Column,
    Comparison,
    Cut,
    Expression,
    Junction,
    Match,
    Not,
    parts_of,
)
from activis_tb.conditions.patterns import wildcards_of

_OF_THE_END = ("$", r"\z", r"\b", r"\B")
_OF_THE_BEGINNING = re.compile(r"\^[^\\.+*?()|\[\]{}^$]*")


def judge_kept_texts(condition: Condition, cut: Collection[str]) -> tuple[Condition, Condition] | None:
    """Returns the conditions that hold whatever was cut off, and for something that it may be.

    Args:
        condition: What is asked.
        cut: Names of the columns with texts of which only the beginning was kept.

    Returns:
        None where the beginnings decide the condition.
    """
    if not any(True for _ in _open_parts(condition.expression, cut)):
        return None
    certain, possible = _judge(condition.expression, cut)
    return Condition(condition.text, certain), Condition(condition.text, possible)


def _judge(expression: Expression, cut: Collection[str]) -> tuple[Expression, Expression]:
    match expression:
        case Not(operand):
            certain, possible = _judge(operand, cut)
            return Not(possible), Not(certain)
        case Junction(operator, operands):
            both = [_judge(operand, cut) for operand in operands]
            return Junction(operator, tuple(one for one, _ in both)), Junction(operator, tuple(one for _, one in both))
    undecided = tuple(_open_parts(expression, cut))
    if not undecided:
        return expression, expression
    is_open = Junction("OR", undecided) if len(undecided) > 1 else undecided[0]
    return Junction("AND", (expression, Not(is_open))), Junction("OR", (expression, is_open))


def _open_parts(expression: Expression, cut: Collection[str]) -> Iterator[Expression]:
    """Conditions, of which one holds for an instance whose texts' beginnings do not decide `expression`."""
    for part in parts_of(expression):
        match part:
            case Match(operand=Column(name)) if name in cut:
                left_open = _open_match(part, Cut(name))
                if left_open is not None:
                    yield left_open
            case Comparison() | Between():
                columns = [
                    one for one in parts_of(part) if isinstance(one, Column) and one.type in {"text", "category"}
                ]
                yield from (Cut(one.name) for one in columns if len(columns) > 1 and one.name in cut)


def _open_match(match: Match, is_cut: Cut) -> Expression | None:
    if match.operator == "~":
        if _OF_THE_BEGINNING.fullmatch(match.pattern):
            return None
        asks_for_end = any(one in match.pattern for one in _OF_THE_END)
        return is_cut if asks_for_end else Junction("AND", (is_cut, Not(match)))
    any_text = wildcards_of(match.pattern, match.escape)
    if not any_text or any_text == list(range(any_text[0], len(match.pattern))):
        return None
    begins = Match(match.operator, match.operand, match.pattern[: any_text[0] + 1], match.escape)
    is_shown = any_text[-1] == len(match.pattern) - 1
    return Junction("AND", (is_cut, begins, Not(match)) if is_shown else (is_cut, begins))
