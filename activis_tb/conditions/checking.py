"""The syntax tree to a checked tree: names that exist, types that fit, nothing but what the whitelist holds."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, cast

from sqlglot import exp

from activis_tb.conditions.agreement import alike, refuse_condition, refuse_unusable, require
from activis_tb.conditions.errors import ConditionError
from activis_tb.conditions.expression import (
    Arithmetic,
    Between,
    Comparison,
    Expression,
    Junction,
    Literal,
    Match,
    Membership,
    Missing,
    Negative,
    Not,
)
from activis_tb.conditions.operands import Typed, ValueType, check_class_name, resolve
from activis_tb.conditions.patterns import ESCAPE, MOST_REGULAR, check_pattern, read_pattern
from activis_tb.conditions.schema import Schema
from activis_tb.conditions.words import ALLOWED, MOST_DEPTH, Words, position_of, too_deep

_OPERATORS: dict[type[exp.Expression], Any] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.Like: "LIKE",
    exp.ILike: "ILIKE",
    exp.RegexpLike: "~",
    exp.And: "AND",
    exp.Or: "OR",
}


class Checker:
    """Checks one condition.

    Args:
        schema: What its names and types are checked against.
        words: What the syntax tree was parsed from.
    """

    def __init__(self, schema: Schema, words: Words) -> None:
        self._schema = schema
        self._words = words
        self._regular = 0

    def condition(self, tree: exp.Expression, depth: int = 1) -> Typed:
        """Returns the checked tree of a condition.

        Raises:
            ConditionError: A name does not exist, types do not fit, or something is not allowed.
        """
        checked = self.value(tree, depth)
        refuse_unusable(checked, self._words.text)
        if checked.type != "boolean":
            refuse_condition(checked, self._words.text)
        return checked

    def value(self, node: exp.Expression, depth: int) -> Typed:
        """Returns the checked tree of a condition or of a part that is none."""
        if depth > MOST_DEPTH:
            raise too_deep(self._whole)
        if type(node) is exp.Column:
            return self._operand(node)
        check = self._checks.get(type(node))
        if check is None:
            message = f"The condition holds something that is not allowed. Allowed: {ALLOWED}."
            raise ConditionError(message, self._whole)
        checked = check(self, node, depth + 1)
        # `x NOT LIKE y` is a Not around a Like in some versions of sqlglot, an argument of the Like in others.
        return _negated(checked) if node.args.get("negate") else checked

    @property
    def _whole(self) -> tuple[int, int]:
        return 0, len(self._words.text)

    def _operand(self, node: exp.Expression) -> Typed:
        if not node.this.args.get("quoted"):
            word = node.this.name
            token = next(token for token in self._words.tokens if token.text.upper() == word.upper())
            message = f'{word} is a word of conditions; write "{word}" for a column of that name.'
            raise ConditionError(message, position_of(token))
        return resolve(self._words.operands[int(node.name)], self._words.text, self._schema)

    def _paren(self, node: exp.Expression, depth: int) -> Typed:
        return self.value(node.this, depth)

    def _junction(self, node: exp.Expression, depth: int) -> Typed:
        """A chain of one operator is one level deep, however long it is."""
        kind, chain = type(node), []
        while type(node) is kind:
            chain.append(node.expression)
            node = node.this
        parts = [self.condition(part, depth) for part in (node, *reversed(chain))]
        return _truth(Junction(_OPERATORS[kind], tuple(part.expression for part in parts)), *parts)

    def _not(self, node: exp.Expression, depth: int) -> Typed:
        return _negated(self.condition(node.this, depth))

    def _is(self, node: exp.Expression, depth: int) -> Typed:
        operand, null = self.value(node.this, depth), self.value(node.expression, depth)
        if null.type != "null":
            raise ConditionError("After IS there can only be NULL or NOT NULL; compare with = instead.", null.position)
        if operand.type == "null":
            refuse_unusable(operand, self._words.text)
        return _truth(Missing(operand.expression), operand, null)

    def _comparison(self, node: exp.Expression, depth: int) -> Typed:
        left, right = self.value(node.this, depth), self.value(node.expression, depth)
        left, right = alike(left, right, self._words.text)
        operator = _OPERATORS[type(node)]
        if operator in {"=", "<>"}:
            self._check_class_names(left, right)
        return _truth(Comparison(operator, left.expression, right.expression), left, right)

    def _between(self, node: exp.Expression, depth: int) -> Typed:
        operand = self.value(node.this, depth)
        low, high = self.value(node.args["low"], depth), self.value(node.args["high"], depth)
        operand, low = alike(operand, low, self._words.text)
        operand, high = alike(operand, high, self._words.text)
        return _truth(Between(operand.expression, low.expression, high.expression), operand, low, high)

    def _in(self, node: exp.Expression, depth: int) -> Typed:
        operand = self.value(node.this, depth)
        if not node.expressions:
            message = "After IN there is a list of values in parentheses, e.g. IN ('a', 'b')."
            raise ConditionError(message, operand.position)
        values = [alike(operand, self.value(item, depth), self._words.text)[1] for item in node.expressions]
        for value in values:
            self._check_class_names(operand, value)
        literals = tuple(_literal(value) for value in values)
        return _truth(Membership(operand.expression, literals), operand, *values)

    def _match(self, node: exp.Expression, depth: int) -> Typed:
        operator = _OPERATORS[type(node)]
        operand, pattern = self.value(node.this, depth), self.value(node.expression, depth)
        require(operand, "text", self._words.text, operator)
        require(pattern, "text", self._words.text, operator)
        content = str(_literal(pattern).value)
        self._regular += operator == "~"
        if self._regular > MOST_REGULAR:
            message = (
                f"The condition has more than {MOST_REGULAR} regular expressions; at most {MOST_REGULAR} are used."
            )
            raise ConditionError(message, pattern.position)
        check_pattern(content, pattern.position, regular=operator == "~")
        if operator == "~":
            return _truth(Match(operator, operand.expression, content), operand, pattern)
        like = read_pattern(content, pattern.escape, pattern.position)
        escape = ESCAPE if like.is_escaped else ""
        return _truth(Match(operator, operand.expression, like.text, escape), operand, pattern)

    def _arithmetic(self, node: exp.Expression, depth: int) -> Typed:
        operator = _OPERATORS[type(node)]
        left, right = self.value(node.this, depth), self.value(node.expression, depth)
        for side in (left, right):
            require(side, "number", self._words.text, operator)
        return _joined(Arithmetic(operator, left.expression, right.expression), "number", left, right)

    def _negative(self, node: exp.Expression, depth: int) -> Typed:
        operand = self.value(node.this, depth)
        require(operand, "number", self._words.text, "-")
        if isinstance(operand.expression, Literal):
            return _joined(Literal(-cast("float | Decimal", operand.expression.value)), "number", operand)
        return _joined(Negative(operand.expression), "number", operand)

    def _check_class_names(self, left: Typed, right: Typed) -> None:
        if left.is_class:
            check_class_name(right, self._schema)
        if right.is_class:
            check_class_name(left, self._schema)

    _checks: ClassVar[Mapping[type[exp.Expression], Callable[[Any, exp.Expression, int], Typed]]] = {
        exp.Paren: _paren,
        exp.And: _junction,
        exp.Or: _junction,
        exp.Not: _not,
        exp.Is: _is,
        **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _comparison),
        exp.Between: _between,
        exp.In: _in,
        **dict.fromkeys((exp.Like, exp.ILike, exp.RegexpLike), _match),
        **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
        exp.Neg: _negative,
    }


def _literal(value: Typed) -> Literal:
    if not isinstance(value.expression, Literal):
        message = "A column cannot stand here, only a value that is written out."
        raise ConditionError(message, value.position)
    return value.expression


def _negated(checked: Typed) -> Typed:
    return Typed(Not(checked.expression), "boolean", checked.position)


def _truth(expression: Expression, *parts: Typed) -> Typed:
    return _joined(expression, "boolean", *parts)


def _joined(expression: Expression, kind: ValueType, *parts: Typed) -> Typed:
    starts, ends = zip(*(part.position for part in parts), strict=True)
    return Typed(expression, kind, (min(starts), max(ends)))
