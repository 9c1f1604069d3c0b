"""Type check of a condition: the syntax tree becomes a checked tree, or an error says where it cannot."""

import re
from decimal import Decimal
from typing import Any, NoReturn, cast
from typing import Literal as Choice

from lark import Token, Tree

from activis_tb.conditions.grammar import MOST_CHARACTERS, MOST_OPERANDS, Node, parse, position_of
from activis_tb.conditions.operands import (
    ESCAPE,
    MOST_REGULAR,
    Typed,
    ValueType,
    check_class_name,
    check_pattern,
    read_pattern,
    resolve,
)
from activis_tb.conditions.schema import KEYWORDS, ConditionError, Schema, closest, quote_name, quote_text
from activis_tb.conditions.tree import (
    Arithmetic,
    Between,
    Column,
    Comparison,
    Condition,
    Expression,
    Junction,
    Literal,
    Match,
    Membership,
    Missing,
    Negative,
    Not,
)
from activis_tb.errors import shorten
from activis_tb.times import EXAMPLE, parse_time, time_texts, times_of

_NAMES: dict[ValueType, str] = {
    "number": "a number",
    "text": "a text",
    "boolean": "true or false",
    "time": "a time",
    "file": "an image or a sound",
    "null": "NULL",
}


def require(value: Typed, expected: ValueType, source: str, where: str) -> None:
    """Refuses `value` unless it is of type `expected`; `where` says for what, `source` is the condition's text."""
    refuse_unusable(value, source)
    if value.type != expected:
        message = f"{_shown(value, source)} is {_NAMES[value.type]}; {where} takes {_NAMES[expected]}."
        raise ConditionError(message, value.position, _converted(value, expected))


def alike(left: Typed, right: Typed, source: str) -> tuple[Typed, Typed]:
    """Returns two values that are compared, a text beside a time as a time.

    Refuses values of different types; what is underlined is a written value rather than a column.
    """
    for value in (left, right):
        refuse_unusable(value, source)
    if left.type == "time":
        right = _as_time(right, left, source)
    elif right.type == "time":
        left = _as_time(left, right, source)
    if left.type == right.type:
        return left, right
    wrong, other = (left, right) if isinstance(left.expression, Literal) else (right, left)
    message = (
        f"{_shown(wrong, source)} is {_NAMES[wrong.type]}, {_shown(other, source)} is {_NAMES[other.type]}; "
        "only values of one type can be compared."
    )
    raise ConditionError(message, wrong.position, _converted(wrong, other.type))


def _as_time(value: Typed, beside: Typed, source: str) -> Typed:
    if not isinstance(value.expression, Literal) or value.type not in {"text", "number"}:
        return value
    content = value.expression.value
    time = parse_time(content) if isinstance(content, str) else None
    if time is not None:
        return Typed(Literal(time), "time", value.position)
    message = (
        f"{_shown(value, source)} is {'no' if value.type == 'text' else 'a number, not a'} time, and "
        f"{_shown(beside, source)} is compared with times; write e.g. {EXAMPLE} (UTC)."
    )
    raise ConditionError(message, value.position, quote_text(_likely_time(content)))


def _likely_time(content: str | float | Decimal | bool) -> str:
    """A date in another notation, or seconds since 1970 or a smaller unit, as ISO 8601; else an example."""
    text = f"{content:.0f}" if isinstance(content, float | Decimal) else str(content).strip()
    if match := re.fullmatch(r"(\d{4})\D?(\d\d?)\D?(\d\d?)((?:[T ]\d\d:\d\d.*)?)", text, re.ASCII):
        year, month, day, clock = match.groups()
    elif match := re.fullmatch(r"(\d\d?)\.(\d\d?)\.(\d{4})", text, re.ASCII):
        (day, month, year), clock = match.groups(), ""
    else:
        year = month = day = clock = ""
    written = f"{year}-{month:0>2}-{day:0>2}{clock}"
    if parse_time(written) is not None:
        return written
    if re.fullmatch(r"\d{9,19}", text):
        digits = len(text) - len(text) % 3 if len(text) % 3 else len(text) - 3
        return time_texts(times_of([int(text) * 10 ** max(0, 18 - digits)]))[0]
    return "2024-01-31"


def refuse_unusable(value: Typed, source: str) -> None:
    """Refuses NULL, which equals nothing, and the content of files."""
    if value.type == "null":
        message = "Nothing compares with NULL, not even NULL; write IS NULL or IS NOT NULL after the column."
        raise ConditionError(message, value.position)
    if value.type == "file":
        message = f"{_shown(value, source)} is {_NAMES['file']}; conditions can only ask whether it IS NULL."
        raise ConditionError(message, value.position)


def refuse_condition(value: Typed, source: str) -> NoReturn:
    """Refuses a value where a condition is needed."""
    message = f"{_shown(value, source)} is {_NAMES[value.type]}, not a condition; compare it with something."
    column = isinstance(value.expression, Column)
    raise ConditionError(message, value.position, f"{_shown(value, source)} IS NOT NULL" if column else None)


def _shown(value: Typed, source: str) -> str:
    return shorten(source[slice(*value.position)], 40)


def _converted(value: Typed, expected: ValueType) -> str | None:
    """A literal rewritten as another type: 12 as '12', '12' as 12, 'true' as TRUE."""
    if not isinstance(value.expression, Literal):
        return None
    content = value.expression.value
    if expected == "text" and isinstance(content, int | float | Decimal) and not isinstance(content, bool):
        return quote_text(_plain(content))
    if expected == "boolean":
        return {"true": "TRUE", "1": "TRUE", "false": "FALSE", "0": "FALSE"}.get(_plain(content))
    if expected == "number" and isinstance(content, str) and len(content) < MOST_CHARACTERS:
        return _plain(content) if _is_number(content) else None
    return None


def _plain(content: str | float | Decimal | bool) -> str:
    return f"{content:g}" if isinstance(content, float) else str(content).strip().lower()


def _is_number(content: str) -> bool:
    try:
        return abs(float(content)) < float("inf")
    except ValueError:
        return False


def check_syntax(text: str) -> None:
    """Checks a condition as far as that is possible without knowing what columns there are.

    Raises:
        ConditionError: It is not one, whatever the columns are.
    """
    parse(text)


def parse_condition(text: str, schema: Schema) -> Condition:
    """Returns the condition that `text` is, checked against `schema`.

    Raises:
        ConditionError: It is not one that can be evaluated; with the position and, where there is one, a suggestion.
    """
    try:
        return Condition(text, _Checker(schema, text).condition(parse(text)).expression)
    except ConditionError as error:
        if meant := _condition_of_words(text, schema):
            message = "This is not a condition. To find instances by words, compare a column with them."
            raise ConditionError(message, (0, len(text)), meant) from error
        raise


MOST_WORDS = 100
"""Characters; nobody searches for more, and patterns are bounded."""
_WORDS = re.compile(r"\s*([^\W\d]\w*)(?:[\s,.?!’'-]+\w+)*[\s.?!]*")
"""Words as one searches for them, without any operator."""


def _condition_of_words(text: str, schema: Schema) -> str | None:
    """The condition that plain words stand for: a class's name, or a part of the first column of texts."""
    match = _WORDS.fullmatch(text)
    if match is None or match[1].upper() in KEYWORDS or closest(match[1], schema.columns):
        return None
    words = " ".join(text.split())
    if len(words) > MOST_WORDS:
        return None
    if named := [name for name in schema.classes if name.casefold() == words.casefold()]:
        return f"{'label' if schema.labelled else 'predicted'} = {quote_text(named[0])}"
    column = next((name for name, type_ in schema.attributes if type_ == "text"), None)
    return f"{quote_name(column)} ILIKE {quote_text(f'%{words}%')}" if column is not None else None


class _Checker:
    """Checks the syntax tree of one condition.

    Args:
        schema: What its names and types are checked against.
        text: What the tree was parsed from.
    """

    def __init__(self, schema: Schema, text: str) -> None:
        self._schema = schema
        self._text = text
        self._operands = 0
        self._regular = 0

    def condition(self, node: Node) -> Typed:
        """Returns the checked tree of a condition.

        Raises:
            ConditionError: A name does not exist, types do not fit, or something is not allowed.
        """
        checked = self._value(node)
        refuse_unusable(checked, self._text)
        if checked.type != "boolean":
            refuse_condition(checked, self._text)
        return checked

    def _value(self, node: Node) -> Typed:
        """The checked tree of a condition or of a value in it."""
        match node:
            case Tree("disjunction", parts):
                return self._junction("OR", parts)
            case Tree("conjunction", parts):
                return self._junction("AND", parts)
            case Tree("negation", [operand]):
                return _negated(self.condition(operand))
            case Tree("comparison", [left, operator, right]):
                return self._comparison(str(operator).replace("!=", "<>"), left, right)
            case Tree("arithmetic", [left, operator, right]):
                return self._arithmetic(str(operator), left, right)
            case Tree("negative", [operand]):
                return self._negative(operand)
            case Tree("between" | "membership" | "unlisted" | "match" | "missing", [operand, Token("NOT"), *others]):
                return _negated(self._predicate(node.data, self._value(operand), others))
            case Tree("between" | "membership" | "unlisted" | "match" | "missing", [operand, *others]):
                return self._predicate(node.data, self._value(operand), others)
        return self._operand(node)

    def _operand(self, node: Node) -> Typed:
        self._operands += 1
        if self._operands > MOST_OPERANDS:
            message = (
                f"The condition has more than {MOST_OPERANDS:,} names and values; at most {MOST_OPERANDS:,} are read."
            )
            raise ConditionError(message, position_of(node))
        return resolve(node, self._schema)

    def _junction(self, operator: Choice["AND", "OR"], nodes: list[Node]) -> Typed:
        parts = [self.condition(node) for node in nodes]
        return _truth(Junction(operator, tuple(part.expression for part in parts)), *parts)

    def _predicate(self, kind: str, operand: Typed, others: list[Node]) -> Typed:
        match kind, others:
            case "between", [low, high]:
                return self._between(operand, self._value(low), self._value(high))
            case "match", [Token("NOT_MATCHES"), pattern]:
                return _negated(self._match("~", operand, self._value(pattern)))
            case "match", [operator, pattern]:
                return self._match(str(operator).upper(), operand, self._value(pattern))
            case "missing", [null]:
                return self._missing(operand, self._value(null))
            case "membership", [_, *_]:
                return self._membership(operand, others)
        raise ConditionError("After IN there is a list of values in parentheses, e.g. IN ('a', 'b').", operand.position)

    def _missing(self, operand: Typed, null: Typed) -> Typed:
        if null.type != "null":
            raise ConditionError("After IS there can only be NULL or NOT NULL; compare with = instead.", null.position)
        if operand.type == "null":
            refuse_unusable(operand, self._text)
        return _truth(Missing(operand.expression), operand, null)

    def _comparison(self, operator: Any, left_node: Node, right_node: Node) -> Typed:
        left, right = alike(self._value(left_node), self._value(right_node), self._text)
        if operator in {"=", "<>"}:
            self._check_class_names(left, right)
        return _truth(Comparison(operator, left.expression, right.expression), left, right)

    def _between(self, operand: Typed, low: Typed, high: Typed) -> Typed:
        operand, low = alike(operand, low, self._text)
        operand, high = alike(operand, high, self._text)
        return _truth(Between(operand.expression, low.expression, high.expression), operand, low, high)

    def _membership(self, operand: Typed, items: list[Node]) -> Typed:
        values = [alike(operand, self._value(item), self._text)[1] for item in items]
        for value in values:
            self._check_class_names(operand, value)
        literals = tuple(_literal(value) for value in values)
        return _truth(Membership(operand.expression, literals), operand, *values)

    def _match(self, operator: Any, operand: Typed, pattern: Typed) -> Typed:
        require(operand, "text", self._text, operator)
        require(pattern, "text", self._text, operator)
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

    def _arithmetic(self, operator: Any, left_node: Node, right_node: Node) -> Typed:
        left, right = self._value(left_node), self._value(right_node)
        for side in (left, right):
            require(side, "number", self._text, operator)
        return _joined(Arithmetic(operator, left.expression, right.expression), "number", left, right)

    def _negative(self, node: Node) -> Typed:
        operand = self._value(node)
        require(operand, "number", self._text, "-")
        if isinstance(operand.expression, Literal):
            return _joined(Literal(-cast("float | Decimal", operand.expression.value)), "number", operand)
        return _joined(Negative(operand.expression), "number", operand)

    def _check_class_names(self, left: Typed, right: Typed) -> None:
        if left.is_class:
            check_class_name(right, self._schema)
        if right.is_class:
            check_class_name(left, self._schema)


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
