"""A checked tree as a DuckDB expression: our own identifiers, operators, and `?` for every value.

Nothing of the condition's text gets into the SQL, neither names nor values.
"""

from collections.abc import Mapping

from activis_tb.conditions.expression import (
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
)

_PREDICTED = "predicted"


class Query:
    """One condition as SQL.

    Args:
        expression: What it means.
        columns: Identifiers by name of column.
        computed: Identifiers by neuron or class score.
        cut: Identifiers of whether only the beginning was kept, by name of column.

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
    ) -> None:
        self._columns = columns
        self._cut = cut or {}
        self._computed = computed
        self.parameters: list[float | str | bool] = []
        self.sql = self._render(expression)

    def _render(self, expression: Expression) -> str:
        """The expression's value: texts as VARCHAR, numbers as finite DOUBLE, conditions as BOOLEAN; or NULL."""
        if isinstance(expression, Arithmetic | Negative):
            # Twice, because what overflows is missing; arithmetic holds no conditions, so this does not multiply.
            return f"CASE WHEN isfinite({self._bare(expression)}) THEN {self._bare(expression)} END"
        return self._bare(expression)

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
                return f"({self._bare(expression.left)} {expression.operator} {self._bare(expression.right)})"
            case Negative():
                return f"(- {self._bare(expression.operand)})"
            case _:
                return f"({self._condition(expression)})"

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
                return f"{self._render(operand)} IN ({', '.join([self._bound(value.value) for value in values])})"
            case Between(operand, low, high):
                return f"{self._render(operand)} BETWEEN {self._render(low)} AND {self._render(high)}"
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
        return f"{self._render(left)} {operator} {self._render(right)}"

    def _class_comparison(self, operator: str, first: str, second: str) -> str:
        """A prediction of nothing is unlike every class, not missing."""
        left, right = self._columns[first], self._columns[second]
        true_classes = [self._columns[name] for name in (first, second) if name != _PREDICTED]
        if len(true_classes) == 2:
            return f"{left} {operator} {right}"
        compared = f"{left} IS {'NOT ' * (operator == '=')}DISTINCT FROM {right}"
        return f"CASE WHEN {true_classes[0]} IS NOT NULL THEN {compared} END" if true_classes else compared

    def _column(self, column: Column) -> str:
        """A prediction of nothing is a text that no class is called, so that it is unlike every class."""
        identifier = self._columns[column.name]
        if column.name == _PREDICTED:
            return f"coalesce(CAST({identifier} AS VARCHAR), '')"
        return f"CAST({identifier} AS VARCHAR)" if column.type in {"text", "category", "class"} else identifier

    def _bound(self, value: float | str | bool) -> str:
        self.parameters.append(value)
        return "?"
