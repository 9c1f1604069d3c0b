"""Conditions on activations that are known to lie in an interval: who is a member for certain, and who may be one.

Interval arithmetic on the checked tree: each neuron has a lower and an upper end, and what is asked about it is asked
about the end that is farther from holding, or nearer to it.
"""

from collections.abc import Callable

from activis_tb.conditions.condition import Condition
from activis_tb.conditions.expression import (
    Arithmetic,
    Between,
    Comparison,
    Expression,
    Junction,
    Literal,
    Membership,
    Missing,
    Negative,
    Neuron,
    Not,
    parts_of,
)

_NEVER = Comparison("=", Literal(0.0), Literal(1.0))
_ALWAYS = Not(_NEVER)
_Two = tuple[Expression, Expression]


def certain_and_possible(condition: Condition) -> tuple[Condition, Condition] | None:
    """Returns the conditions that hold whatever, and for some, activations in their intervals; None without neurons.

    Where intervals are multiplied with one another, or divided by, nothing is certain and everything is possible.
    """
    if not _has_neuron(condition.expression):
        return None
    certain, possible = _truth(condition.expression)
    return Condition(condition.text, certain), Condition(condition.text, possible)


def _has_neuron(expression: Expression) -> bool:
    return any(isinstance(part, Neuron) for part in parts_of(expression))


def _truth(expression: Expression) -> _Two:
    """What is certain and what is possible of a condition."""
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
            # What is not finite has a code of its own, and so has zero.
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
    """The lower and the upper end of a number; None where they are not known, or it is no number."""
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
