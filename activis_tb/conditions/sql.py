"""SQL generator for checked trees: our own identifiers and operators, and `?` for every value.

Nothing of the condition's text gets into the SQL, neither names nor values. Comparisons are exact, whatever the types
of the numbers: DuckDB would compare a whole number and a DOUBLE as two DOUBLEs.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor, inf, isfinite, nextafter
from types import MappingProxyType
from typing import cast

from activis_tb.conditions.schema import OUTCOME_TYPES
from activis_tb.conditions.tree import (
    Arithmetic,
    Between,
    Column,
    Comparison,
    Computed,
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
    ScoreOf,
    parts_of,
)

_TURNED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LARGEST = 2**126
"""Whole numbers up to here are HUGEINTs."""
_WHOLE_OPERAND = 2**64
"""Sums of as many as a condition has of these, too."""

_PREDICTED = "predicted"


class Query:
    """One condition as SQL.

    Args:
        expression: What it means.
        columns: Identifiers by name of column.
        computed: Identifiers by neuron or class score.
        cut: Identifiers of the flags that say whether a text was cut, by name of column.
        units: By name, columns of whole numbers: see `activis_tb.conditions.table.Table`.

    Attributes:
        sql: The expression, a boolean that may be NULL.
        parameters: What is bound to its question marks, in order.
    """

    def __init__(
        self,
        expression: Expression,
        columns: Mapping[str, str],
        computed: Mapping[Computed, str],
        cut: Mapping[str, str] | None = None,
        units: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._columns = columns
        self._cut = cut or {}
        self._computed = computed
        self._units = units
        self.parameters: list[float | str | bool] = []
        self.sql = self._render(expression)

    def _render(self, expression: Expression) -> str:
        """The expression's value: texts as VARCHAR, numbers as DOUBLE or whole, conditions as BOOLEAN; or NULL."""
        if _calculates(expression) and self._unit(expression) is None:
            return self._calculated(expression)
        return self._bare(expression)

    def _calculated(self, expression: Expression) -> str:
        """The value, or NULL where the calculation overflows; infinity that stems from an infinite operand is kept.

        The expression is repeated, but as arithmetic contains no conditions this does not grow exponentially.
        """
        known = f"isfinite({self._bare(expression)})"
        names = {part.name for part in parts_of(expression) if isinstance(part, Column)} - OUTCOME_TYPES.keys()
        if doubles := sorted(names - self._units.keys()):
            infinite = " OR ".join(f"isinf({self._columns[name]})" for name in doubles)
            known = f"{known} OR (NOT isnan({self._bare(expression)}) AND ({infinite}))"
        return f"CASE WHEN {known} THEN {self._bare(expression)} END"

    def _bare(self, expression: Expression) -> str:
        match expression:
            case Column():
                return self._column(expression)
            case Cut(name):
                return self._cut[name]
            case Neuron() | ScoreOf():
                identifier = self._computed[expression]
                return f"CASE WHEN isfinite({identifier}) THEN CAST({identifier} AS DOUBLE) END"
            case Literal():
                return self._bound(expression.value)
            case Arithmetic():
                kind = "DOUBLE" if self._unit(expression) is None else "HUGEINT"
                left, right = (self._cast(side, kind) for side in (expression.left, expression.right))
                return f"({left} {expression.operator} {right})"
            case Negative():
                return f"(- {self._cast(expression.operand, 'HUGEINT')})"
            case _:
                return f"({self._condition(expression)})"

    def _cast(self, operand: Expression, kind: str) -> str:
        """An operand of a calculation."""
        if isinstance(operand, Literal):
            value = cast("float | Decimal", operand.value)
            return f"CAST({self._bound(int(value))} AS HUGEINT)" if kind == "HUGEINT" else self._bound(float(value))
        bare = self._bare(operand)
        return bare if self._unit(operand) is None else f"CAST({bare} AS {kind})"

    def _condition(self, condition: Comparison | Match | Membership | Between | Missing | Not | Junction) -> str:
        match condition:
            case Comparison(operator, left, right):
                return self._comparison(operator, left, right)
            case Match("~", operand, pattern):
                return f"regexp_matches({self._render(operand)}, {self._bound(pattern)})"
            case Match(operator, operand, pattern, ""):
                return f"{self._render(operand)} {operator} {self._bound(pattern)}"
            case Match(operator, operand, pattern, escape):
                return f"{self._render(operand)} {operator} {self._bound(pattern)} ESCAPE {self._bound(escape)}"
            case Membership(operand, values):
                return self._membership(operand, values)
            case Between(operand, low, high):
                if all(self._unit(part) is None and not _is_exact(part) for part in (operand, low, high)):
                    return f"{self._render(operand)} BETWEEN {self._render(low)} AND {self._render(high)}"
                return f"({self._comparison('>=', operand, low)}) AND ({self._comparison('<=', operand, high)})"
            case Missing(Column("predicted" as name)):
                return f"{self._columns[name]} IS NULL"
            case Missing(operand):
                return f"{self._render(operand)} IS NULL"
            case Not(operand):
                return f"NOT {self._render(operand)}"
            case Junction(operator, operands):
                return f" {operator} ".join([self._render(operand) for operand in operands])

    def _comparison(self, operator: str, left: Expression, right: Expression) -> str:
        match left, right:
            case Column(first, "class"), Column(second, "class") if operator in {"=", "<>"}:
                return self._class_comparison(operator, first, second)
            case Literal(), Literal():
                return f"{self._render(left)} {operator} {self._render(right)}"
            case Literal(), _:
                return self._comparison(_TURNED[operator], right, left)
        unit, other_unit = self._unit(left), self._unit(right)
        if isinstance(right, Literal):
            if unit is not None or _is_exact(right):
                return self._with_literal(operator, left, right)
        elif unit is None and other_unit is not None:
            return self._with_double(_TURNED[operator], right, left)
        elif unit is not None and other_unit is None:
            return self._with_double(operator, left, right)
        elif unit != other_unit:
            scaled = [f"CAST({self._bare(side)} AS HUGEINT) * {self._unit(side)}" for side in (left, right)]
            return f" {operator} ".join(scaled)
        return f"{self._render(left)} {operator} {self._render(right)}"

    def _with_literal(self, operator: str, operand: Expression, literal: Literal) -> str:
        """A comparison with a number that the operand's type can represent, or that lies between two such numbers."""
        value, is_exact = self._fitted(operand, literal)

        def compared(sign: str) -> str:
            return f"{self._render(operand)} {sign} {self._bound(value)}"

        if is_exact:
            return compared(operator)
        if operator == "=":
            return f"({compared('<')} AND {compared('>')})"
        if operator == "<>":
            return f"({compared('<=')} OR {compared('>')})"
        return compared("<=" if operator[0] == "<" else ">")

    def _fitted(self, operand: Expression, literal: Literal) -> tuple[float, bool]:
        """The number in the operand's type and True; or the nearest value below it and False."""
        value = cast("float | Decimal", literal.value)
        unit = self._unit(operand)
        if unit is None:
            number = float(value)
            below = number if number <= value else nextafter(number, -inf)
            return (below, number == value) if type(value) is int else (number, True)
        if not isfinite(value) or abs(Fraction(value)) >= _LARGEST:
            return float(value), False
        scaled = Fraction(value) / unit
        return floor(scaled), scaled.denominator == 1

    def _with_double(self, operator: str, whole: Expression, other: Expression) -> str:
        """Compares as DOUBLEs, and where these are equal as whole numbers."""

        def doubles(sign: str) -> str:
            return f"CAST({self._bare(whole)} AS DOUBLE) {sign} {self._render(other)}"

        def wholes() -> str:
            return f"{self._bare(whole)} {operator} TRY_CAST({self._render(other)} AS HUGEINT)"

        if operator in {"=", "<>"}:
            return f"{doubles(operator)} {'AND' if operator == '=' else 'OR'} {wholes()}"
        return f"{doubles(operator[0])} OR ({doubles('=')} AND {wholes()})"

    def _membership(self, operand: Expression, literals: tuple[Literal, ...]) -> str:
        values = [literal.value for literal in literals]
        if self._unit(operand) is not None or any(map(_is_exact, literals)):
            fitted = [self._fitted(operand, literal) for literal in literals]
            values = [value for value, is_exact in fitted if is_exact]
            if not values:
                return " AND ".join([f"{self._render(operand)} {sign} {self._bound(0)}" for sign in "<>"])
        return f"{self._render(operand)} IN ({', '.join([self._bound(value) for value in values])})"

    def _unit(self, expression: Expression) -> int | None:
        """The unit of an expression of whole numbers; None where it is a DOUBLE or no number."""
        match expression:
            case Column(name):
                return self._units.get(name)
            case Negative(operand):
                return self._unit(operand)
            case Arithmetic("+" | "-" | "%", left, right) if self._is_whole(left) and self._is_whole(right):
                return self._unit(left) or self._unit(right)
        return None

    def _is_whole(self, operand: Expression) -> bool:
        if not isinstance(operand, Literal):
            return self._unit(operand) is not None
        value = cast("float | Decimal", operand.value)
        return isfinite(value) and value == int(value) and abs(int(value)) <= _WHOLE_OPERAND

    def _class_comparison(self, operator: str, first: str, second: str) -> str:
        """No prediction differs from every class; it is not NULL."""
        left, right = self._columns[first], self._columns[second]
        true_classes = [self._columns[name] for name in (first, second) if name != _PREDICTED]
        if len(true_classes) == 2:
            return f"{left} {operator} {right}"
        compared = f"{left} IS {'NOT ' * (operator == '=')}DISTINCT FROM {right}"
        return f"CASE WHEN {true_classes[0]} IS NOT NULL THEN {compared} END" if true_classes else compared

    def _column(self, column: Column) -> str:
        """No prediction is a text that is the name of no class, so that it differs from every class."""
        identifier = self._columns[column.name]
        if column.name == _PREDICTED:
            return f"coalesce(CAST({identifier} AS VARCHAR), '')"
        return f"CAST({identifier} AS VARCHAR)" if column.type in {"text", "category", "class"} else identifier

    def _bound(self, value: float | Decimal | str | bool) -> str:
        self.parameters.append(float(value) if isinstance(value, Decimal) else value)
        return "?"


def _calculates(expression: Expression) -> bool:
    negated = isinstance(expression, Negative) and _calculates(expression.operand)
    return negated or isinstance(expression, Arithmetic)


def _is_exact(literal: Expression) -> bool:
    """Whether it is a whole number that no DOUBLE represents, or a time."""
    return isinstance(literal, Literal) and type(literal.value) is int
