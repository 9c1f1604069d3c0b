"""Random conditions mean what the oracle says, and only our own SQL reaches the database."""

import re

import pytest
from hypothesis import given, settings

from activis_tb.conditions import Engine, parse_condition
from activis_tb.conditions.sql import Query
from tests.unit.conditions.oracle import Node, conditions
from tests.unit.conditions.people import SCHEMA, rows

OUR_SQL = re.compile(
    r"(c\d+|n\d+|\?|CASE|WHEN|THEN|END|CAST|AS|VARCHAR|DOUBLE|isfinite|isnan|isinf|HUGEINT|TRY_CAST|regexp_matches|coalesce|DISTINCT|FROM|''|TRUE|AND|OR|NOT|IN|BETWEEN|LIKE|ESCAPE|ILIKE"
    r"|IS|NULL|=|<>|<=|>=|<|>|\+|-|\*|/|%|\(|\)|,| )*"
)


def assert_only_ours(text: str) -> None:
    """Asserts that the query of a condition is made of our identifiers, operators and question marks."""
    condition = parse_condition(text, SCHEMA)
    columns = {name: f"c{number}" for number, name in enumerate(SCHEMA.columns)}
    query = Query(condition.expression, columns, {part: f"n{n}" for n, part in enumerate(condition.computed)})
    assert OUR_SQL.fullmatch(query.sql)
    assert query.sql.count("?") == len(query.parameters)


@pytest.mark.slow
@given(conditions)
@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
def test_random_conditions_hold_where_the_oracle_says(engine: Engine, node: Node) -> None:
    assert rows(engine, node.text) == [row for row in range(8) if node.value(row) is True], node.text
    assert_only_ours(node.text)


@given(conditions)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_condition_its_opposite_and_its_absence_share_out_the_rows(engine: Engine, node: Node) -> None:
    parts = [node.text, f"NOT ({node.text})", f"({node.text}) IS NULL"]
    assert sorted(row for part in parts for row in rows(engine, part)) == list(range(8))
