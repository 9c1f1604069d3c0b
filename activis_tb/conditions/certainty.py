"""Three-valued evaluation of conditions: certain and possible members where texts were cut or activations rounded.

Comparisons with a literal, and patterns that are anchored to the beginning of a text, are decided by the beginning. Any
other pattern is undecided on a cut text, unless the beginning already matches.

Activations are intervals (interval arithmetic on the checked tree): a comparison is certain if it holds for the end of
the interval that is less favourable, possible if it holds for the other.
"""

import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.operands import wildcards_of
from activis_tb.conditions.tree import (
    Arithmetic,
    Between,
    Column,
    Comparison,
    Condition,
    Cut,
    Expression,
    Junction,
    Literal,
    Match,
    Membership,
    Missing,
    Negative,
    Neuron,
    Not,
    parts_of,
)

_OF_THE_END = ("$", r"\z", r"\b", r"\B")
_OF_THE_BEGINNING = re.compile(r"\^[^\\.+*?()|\[\]{}^$]*")


def judge_kept_texts(condition: Condition, cut: Collection[str]) -> tuple[Condition, Condition] | None:
    """Returns the conditions that hold whatever was cut off, and that may hold, depending on it.

    Args:
        condition: What is asked.
        cut: Names of the columns with texts that were cut to their beginning.

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
    """Conditions one of which holds wherever the beginnings of the texts leave `expression` undecided."""
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


_OUTCOMES = frozenset({"label", "predicted", "correct"})
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Possible truth values of a condition, as a set of bits. NULL is neither true nor false.
_TRUE, _FALSE, _NULL = 1, 2, 4
_ANYTHING = _TRUE | _FALSE | _NULL
_NOT = {_TRUE: _FALSE, _FALSE: _TRUE, _NULL: _NULL}

_NOTHING = ""

_Bits = NDArray[np.uint8]


def possible_members(
    condition: Condition, classes: tuple[str, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Returns by label and predicted class, the last for no prediction, whether all and whether any can be members.

    Both are bool (classes, classes + 1). None where the condition does not mention the outcome.
    """
    if not _OUTCOMES.intersection(condition.columns):
        return None
    found = np.broadcast_to(_Outcomes(classes).of(condition.expression), (len(classes), len(classes) + 1))
    return found == _TRUE, (found & _TRUE) > 0


class _Outcomes:
    """Evaluation of a condition for every label and prediction: sets of possible truth values, broadcastable."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self._classes = classes
        numbers = np.arange(len(classes))
        same = numbers[:, None] == np.append(numbers, -1)
        self._same = np.where(same, _TRUE, _FALSE).astype(np.uint8)

    def of(self, expression: Expression) -> _Bits:
        match expression:
            case Column("correct"):
                return self._same
            case Comparison("=", Column("correct"), Literal(value)) | Comparison(
                "=", Literal(value), Column("correct")
            ):
                return self._same if value else _negated(self._same)
            case Comparison("=" | "<>" as name, Column("label"), Column("predicted")):
                return self._same if name == "=" else _negated(self._same)
            case Comparison("=" | "<>" as name, Column("predicted"), Column("label")):
                return self._same if name == "=" else _negated(self._same)
            case Comparison(name, Column("label" | "predicted" as column), Literal(text)):
                return self._each(column, lambda one: _COMPARED[name](one, text))
            case Comparison(name, Literal(text), Column("label" | "predicted" as column)):
                return self._each(column, lambda one: _COMPARED[name](text, one))
            case Membership(Column("label" | "predicted" as column), values):
                texts = {literal.value for literal in values}
                return self._each(column, lambda one: one in texts)
            case Missing(Column("label" | "correct")):
                return np.full((1, 1), _FALSE, np.uint8)
            case Missing(Column("predicted")):
                return self._each("predicted", lambda one: one == _NOTHING)
            case Not(operand):
                return _negated(self.of(operand))
            case Junction(name, operands):
                found = self.of(operands[0])
                for operand in operands[1:]:
                    found = _JOINED[name][found, self.of(operand)]
                return found
        return np.full((1, 1), _ANYTHING, np.uint8)

    def _each(self, column: str, holds: Callable[[str], bool]) -> _Bits:
        """A prediction of nothing is the empty text to everything but IS NULL, as in `Query`."""
        names = self._classes if column == "label" else (*self._classes, _NOTHING)
        found = np.array([_TRUE if holds(name) else _FALSE for name in names], np.uint8)
        return found[:, None] if column == "label" else found[None, :]


def _negated(bits: _Bits) -> _Bits:
    return _NEGATED[bits]


def _joined(first: int, second: int, absorbing: int, neutral: int) -> int:
    """Possible truth values of two joined conditions, from those of each."""
    found = 0
    for one, other in product((_TRUE, _FALSE, _NULL), repeat=2):
        if first & one and second & other:
            found |= absorbing if absorbing in (one, other) else neutral if one == other == neutral else _NULL
    return found


def _table(absorbing: int, neutral: int) -> _Bits:
    sets = range(_ANYTHING + 1)
    return np.array([[_joined(one, other, absorbing, neutral) for other in sets] for one in sets], np.uint8)


_NEGATED = np.array([sum(_NOT[bit] for bit in _NOT if bit & one) for one in range(_ANYTHING + 1)], np.uint8)
_JOINED = {"AND": _table(_FALSE, _TRUE), "OR": _table(_TRUE, _FALSE)}


_NEVER = Comparison("=", Literal(0.0), Literal(1.0))
_ALWAYS = Not(_NEVER)
_Two = tuple[Expression, Expression]


def certain_and_possible(condition: Condition) -> tuple[Condition, Condition] | None:
    """Returns the conditions that hold for all, and for some, activations in their intervals; None without neurons.

    Where an interval is multiplied or divided by another, nothing is certain and everything is possible.
    """
    if not _has_neuron(condition.expression):
        return None
    certain, possible = _truth(condition.expression)
    return Condition(condition.text, certain), Condition(condition.text, possible)


def _has_neuron(expression: Expression) -> bool:
    return any(isinstance(part, Neuron) for part in parts_of(expression))


def _truth(expression: Expression) -> _Two:
    """The conditions under which a condition certainly and possibly holds."""
    if not _has_neuron(expression):
        return expression, expression
    match expression:
        case Not(operand):
            certain, possible = _truth(operand)
            return Not(possible), Not(certain)
        case Junction(operator, operands):
            both = [_truth(operand) for operand in operands]
            return (
                Junction(operator, tuple(certain for certain, _ in both)),
                Junction(operator, tuple(possible for _, possible in both)),
            )
        case Comparison(operator, left, right):
            return _comparison(operator, left, right)
        case Between(operand, low, high):
            return _truth(Junction("AND", (Comparison(">=", operand, low), Comparison("<=", operand, high))))
        case Membership(operand, values):
            return _truth(Junction("OR", tuple(Comparison("=", operand, value) for value in values)))
        case Missing():
            # Non-finite values and zero have codes of their own.
            return expression, expression
    return _NEVER, _ALWAYS


def _comparison(operator: str, left: Expression, right: Expression) -> _Two:
    first, second = _ends(left), _ends(right)
    if first is None or second is None:
        return _NEVER, _ALWAYS
    match operator:
        case ">" | ">=":
            return Comparison(operator, first[0], second[1]), Comparison(operator, first[1], second[0])
        case "<" | "<=":
            return Comparison(operator, first[1], second[0]), Comparison(operator, first[0], second[1])
    same = Junction("AND", (Comparison(">=", first[0], second[1]), Comparison("<=", first[1], second[0])))
    touching = Junction("AND", (Comparison("<=", first[0], second[1]), Comparison(">=", first[1], second[0])))
    return (same, touching) if operator == "=" else (Not(touching), Not(same))


def _ends(number: Expression) -> _Two | None:
    """The lower and the upper end of a number; None where they are unknown, or for another type."""
    if not _has_neuron(number):
        return number, number
    match number:
        case Neuron(layer, neuron):
            return Neuron(layer, neuron, "low"), Neuron(layer, neuron, "high")
        case Negative(operand):
            ends = _ends(operand)
            return ends and (Negative(ends[1]), Negative(ends[0]))
        case Arithmetic("+" | "-" as operator, left, right):
            first, second = _ends(left), _ends(right)
            if first is None or second is None:
                return None
            low, high = second if operator == "+" else (second[1], second[0])
            return Arithmetic(operator, first[0], low), Arithmetic(operator, first[1], high)
        case Arithmetic("*" | "/" as operator, operand, Literal(float(factor))):
            return _scaled(_ends(operand), factor, lambda end: Arithmetic(operator, end, Literal(factor)))
        case Arithmetic("*", Literal(float(factor)), operand):
            return _scaled(_ends(operand), factor, lambda end: Arithmetic("*", Literal(factor), end))
    return None


def _scaled(ends: _Two | None, factor: float, apply: Callable[[Expression], Expression]) -> _Two | None:
    if ends is None:
        return None
    low, high = ends if factor >= 0 else (ends[1], ends[0])
    return apply(low), apply(high)
