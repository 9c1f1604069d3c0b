"""Which values of a condition may meet: numbers with numbers, texts with texts, times with times, TRUE with FALSE."""

import re
from decimal import Decimal
from typing import NoReturn

from activis_tb.conditions.errors import ConditionError
from activis_tb.conditions.expression import Column, Literal
from activis_tb.conditions.operands import Typed, ValueType
from activis_tb.conditions.schema import quote_text
from activis_tb.conditions.words import MOST_CHARACTERS
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
    """A date that is written in another way, or seconds since 1970 or a smaller unit; else an example."""
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
    """Refuses NULL, which is unlike everything, and the content of files."""
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
    """How a written value looks as another type: 12 as '12', '12' as 12, 'true' as TRUE."""
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
