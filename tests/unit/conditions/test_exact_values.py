"""Whole numbers beyond 2^53 and times are compared as what they are, whatever they are compared with."""

import operator
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from activis_tb.conditions import ConditionError, Engine, Instances, Schema, parse_condition
from activis_tb.model import Attribute
from activis_tb.times import parse_time

BIG = 1_267_890_123_456_789_012
SIGNED = [BIG - 1, BIG, BIG + 1, -BIG, 7, None, -(2**63), 2**63 - 1]
UNSIGNED = [2**64 - 1, 2**63, 2**63 + 1, 0, BIG, BIG + 1, None, 5]
ROUNDED = [float(BIG), float(BIG), 2.0**63, -float(BIG), 7.0, 1.5, -(2.0**63), np.inf]
DAYS = ["2024-01-02", "2024-01-03", None, "0001-01-01", "9999-12-31", "1970-01-01", "1969-12-31", "2024-02-29"]
MOMENTS = [f"2024-01-02T10:00:00.{digits}" for digits in ("000000000", "000000001", "000000999", "000001", "5", "25")]
MOMENTS = [*MOMENTS, None, "2024-01-03"]

SIGNS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
SCHEMA = Schema(
    ("cat", "dog"),
    (("signed", "number"), ("unsigned", "number"), ("rounded", "number"), ("day", "time"), ("moment", "time")),
)


def attribute(name: str, type_: Any, values: list, dtype: str) -> Attribute:
    present = np.array([value is not None for value in values])
    filled = np.array(
        [(0 if type_ == "number" else "1970-01-01") if value is None else value for value in values], dtype
    )
    return Attribute(name, type_, filled, present)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    columns = (
        attribute("signed", "number", SIGNED, "int64"),
        attribute("unsigned", "number", UNSIGNED, "uint64"),
        attribute("rounded", "number", ROUNDED, "float64"),
        attribute("day", "time", DAYS, "M8[us]"),
        attribute("moment", "time", MOMENTS, "M8[ns]"),
    )
    labels = np.zeros(8, np.int32)
    ids = np.array([f"i{row}" for row in range(8)], object)
    with Engine(SCHEMA, Instances(ids, np.arange(8), labels, labels, np.ones(8), columns)) as made:
        yield made


def rows(engine: Engine, text: str) -> list[int]:
    return np.flatnonzero(engine.members(parse_condition(text, SCHEMA))).tolist()


def holding(function: Callable[..., bool], *columns: list) -> list[int]:
    """The rows for which `function` of the values holds; Python compares whole numbers and floats exactly."""
    return [
        row for row, values in enumerate(zip(*columns, strict=True)) if None not in values and bool(function(*values))
    ]


WRITTEN = ["1267890123456789012", "1267890123456789013", "-1267890123456789012", "1267890123456789012.5", "7", "7.5"]
WRITTEN += ["9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "1e300", "0"]


@pytest.mark.parametrize(("name", "values"), [("signed", SIGNED), ("unsigned", UNSIGNED)])
@pytest.mark.parametrize("written", WRITTEN)
def test_whole_numbers_compare_with_what_is_written(engine: Engine, name: str, values: list, written: str) -> None:
    number = Fraction(written)
    for sign, function in SIGNS.items():
        expected = holding(function, values, [number] * 8)
        assert rows(engine, f"{name} {sign} {written}") == expected, sign
        others = [row for row in holding(operator.eq, values, values) if row not in expected]
        assert rows(engine, f"NOT ({name} {sign} {written})") == others, sign
        turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
        assert rows(engine, f"{written} {turned} {name}") == expected


@pytest.mark.parametrize("written", [digits for digits in WRITTEN if digits.lstrip("-").isdigit()])
def test_digits_are_meant_exactly_beside_floats_too(engine: Engine, written: str) -> None:
    for sign, function in SIGNS.items():
        expected = holding(function, ROUNDED, [int(written)] * 8)
        assert rows(engine, f"rounded {sign} {written}") == expected, sign


@pytest.mark.parametrize("pair", [*product(["signed", "unsigned", "rounded"], repeat=2)], ids=" ".join)
def test_columns_of_numbers_compare_exactly(engine: Engine, pair: tuple[str, str]) -> None:
    columns = {"signed": SIGNED, "unsigned": UNSIGNED, "rounded": ROUNDED}
    for sign, function in SIGNS.items():
        expected = holding(function, columns[pair[0]], columns[pair[1]])
        assert rows(engine, f"{pair[0]} {sign} {pair[1]}") == expected, sign


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"signed IN ({BIG}, 7, 0.5)", [1, 4]),
        (f"signed NOT IN ({BIG}, 7)", [0, 2, 3, 6, 7]),
        ("signed IN (0.5, 1e300)", []),
        ("signed NOT IN (0.5)", [0, 1, 2, 3, 4, 6, 7]),
        (f"signed BETWEEN {BIG} AND {BIG + 1}", [1, 2]),
        (f"signed BETWEEN {BIG}.5 AND {BIG}.75", []),
        (f"rounded IN ({BIG + 1})", []),
        (f"rounded BETWEEN {int(float(BIG)) - 1} AND {int(float(BIG))}", [0, 1]),
        (f"signed - {BIG} = 1", [2]),
        (f"signed % 1000 = {(BIG + 1) % 1000}", [2]),
        (f"-signed = {BIG}", [3]),
        (f"unsigned + 1 = {2**64}", [0]),
        ("unsigned % 0 = 1", []),
        ("signed * 2 > 0", [0, 1, 2, 4, 7]),
        ("signed = inf", []),
        ("signed < inf AND signed > -inf", [0, 1, 2, 3, 4, 6, 7]),
        ("signed IS NULL", [5]),
        ("day IN ('2024-01-02', '1970')", [0, 5]),
        ("day NOT BETWEEN '1970-01-01' AND '2024-01-02'", [1, 3, 4, 6, 7]),
        ("day >= '2024-01-02' AND day < '2024-01-03'", [0]),
        ("day = '2024-01-02T02:00:00+02:00'", [0]),
        ("day IS NULL", [2]),
        ("moment > day", [0, 3, 5]),
        ("moment > '9999-12-31' OR moment < '0001-01-01'", []),
        ("moment BETWEEN '2024-01-02 10:00:00.000000001' AND '2024-01-02 10:00:00.000000998'", [1]),
        ("day = moment", []),
        ("NOT day = moment", [0, 1, 3, 4, 5, 7]),
    ],
)
def test_a_condition_holds_for_exactly_these_rows(engine: Engine, text: str, expected: list[int]) -> None:
    assert rows(engine, text) == expected


INSTANTS = ["2024-01-02", "2024-01-02T10:00:00.000000001Z", "1969-12-31", "2024-01-02 12:00:00.0000005+02:00", "2024"]


@pytest.mark.parametrize("written", INSTANTS)
@pytest.mark.parametrize(("name", "values"), [("day", DAYS), ("moment", MOMENTS)])
def test_times_compare_with_what_is_written(engine: Engine, name: str, values: list, written: str) -> None:
    counts = [None if value is None else parse_time(value) for value in values]
    for sign, function in SIGNS.items():
        expected = holding(function, counts, [parse_time(written)] * 8)
        assert rows(engine, f"{name} {sign} '{written}'") == expected, sign


@pytest.mark.parametrize(
    ("text", "underlined", "message", "suggestion"),
    [
        ("day > 'yesterday'", "'yesterday'", "'yesterday' is no time, and day is compared with times", "'2024-01-31'"),
        ("day > 5", "5", "5 is a number, not a time, and day is compared with times", "'2024-01-31'"),
        ("day > 20240102", "20240102", "write e.g. '2024-01-31' or '2024-01-31 10:00:00'", "'2024-01-02'"),
        ("day = '02.01.2024'", "'02.01.2024'", "no time", "'2024-01-02'"),
        ("1704153600 < day", "1704153600", "a number, not a time", "'2024-01-02'"),
        ("day < 1704189600123", "1704189600123", "a number", "'2024-01-02 10:00:00.123'"),
        ("day IN ('2024/1/2')", "'2024/1/2'", "no time", "'2024-01-02'"),
        ("day BETWEEN '2024-01-01' AND '2024-02-30'", "'2024-02-30'", "no time", "'2024-01-31'"),
        ("day > signed", "signed", "signed is a number, day is a time; only values of one type", None),
        ("day LIKE '2024%'", "day", "day is a time; LIKE takes a text", None),
        ("day + 1 > day", "day", "day is a time; + takes a number", None),
        ("day", "day", "day is a time, not a condition", "day IS NOT NULL"),
    ],
)
def test_what_is_no_time_is_refused_with_its_place(text: str, underlined: str, message: str, suggestion: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text, SCHEMA)
    assert message in caught.value.message
    assert text[slice(*caught.value.position)] == underlined
    assert caught.value.suggestion == suggestion


def test_the_bars_of_times_are_those_of_the_calendar(engine: Engine) -> None:
    found = engine.distribution("moment")
    assert (found.present, found.distinct) == (7, 7)
    assert found.quantiles[0] == parse_time(MOMENTS[0])
    assert found.quantiles[-1] == parse_time("2024-01-03")
    assert found.edges[0] == parse_time("2024-01-02 10:00")
    assert found.edges[1] == parse_time("2024-01-02 11:00")
    assert (found.counts[0], found.counts[-1], sum(found.counts)) == (6, 1, 7)


def test_distributions_of_whole_numbers_and_infinity_are_exact(engine: Engine) -> None:
    found = engine.distribution("unsigned")
    assert (found.quantiles[0], found.quantiles[-1], found.edges[-1]) == (0, 2**64 - 1, 2**64 - 1)
    assert sum(found.counts) == found.present == 7
    infinite = engine.distribution("rounded")
    assert infinite.values == (("inf", 1.0),)
    assert (infinite.present, sum(infinite.counts), infinite.quantiles[-1]) == (8, 7, np.inf)
    assert np.isfinite(infinite.edges).all()
