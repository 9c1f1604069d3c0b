"""What a condition says by the label and the predicted class alone: members, no members, or still open."""

import operator
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.condition import Condition
from activis_tb.conditions.expression import (
    Column,
    Comparison,
    Expression,
    Junction,
    Literal,
    Membership,
    Missing,
    Not,
)

_OUTCOMES = frozenset({"label", "predicted", "correct"})
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# What a condition may come to, as a set of bits. NULL is neither true nor false.
_TRUE, _FALSE, _NULL = 1, 2, 4
_ANYTHING = _TRUE | _FALSE | _NULL
_NOT = {_TRUE: _FALSE, _FALSE: _TRUE, _NULL: _NULL}

_NOTHING = ""

_Bits = NDArray[np.uint8]


def possible_members(
    condition: Condition, classes: tuple[str, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Returns by label and predicted class, the last of which is none, whether all and whether any can be members.

    Both are bool (classes, classes + 1). None where the condition does not speak of the outcome, so that all is open.
    """
    if not _OUTCOMES.intersection(condition.columns):
        return None
    found = np.broadcast_to(_Outcomes(classes).of(condition.expression), (len(classes), len(classes) + 1))
    return found == _TRUE, (found & _TRUE) > 0


class _Outcomes:
    """Evaluates a condition for every label and prediction: sets of what it may come to, broadcast to both axes."""

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
    """What two conditions come to together, by what each may come to."""
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
