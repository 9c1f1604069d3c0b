"""Instances in files: whatever is looked up in a dictionary holds for exactly the rows that it holds for one by one."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from activis_tb.conditions import CostlyConditionError, Engine, Schema, StoredColumn, StoredInstances, parse_condition
from activis_tb.storage.parquet import ParquetWriter
from tests.unit.conditions import people
from tests.unit.conditions.oracle import Node, conditions
from tests.unit.conditions.people import SCHEMA

TIMES = 100
ROWS = 8 * TIMES


def repeated(values: list) -> np.ndarray:
    return np.array(values * TIMES, object)


def write_people(folder: Path) -> StoredInstances:
    """The eight people a hundred times, in two files; only `index` tells their copies apart."""
    names = [position if position >= 0 else None for position in people.LABEL]
    columns = {
        "id": repeated(people.IDS),
        "index": np.arange(ROWS),
        "label": np.ma.masked_array(np.array(people.LABEL * TIMES, np.int32), [name is None for name in names] * TIMES),
        "predicted": np.array(people.PREDICTED * TIMES, np.int32),
        "score": np.array(people.SCORE * TIMES, np.float32),
        "attribute_0": np.array([np.nan if age is None else age for age in people.AGE] * TIMES),
        "attribute_1": repeated(people.TEXT),
        "attribute_2": repeated(people.TOPIC),
        "attribute_3": repeated(people.VIP),
        "attribute_4": repeated([picture is not None for picture in people.PICTURE]),
        "attribute_5": np.array(list(range(8)) * TIMES, np.float64),
    }
    columns["attribute_4"] = np.where(columns["attribute_4"].astype(bool), True, None)
    paths = (folder / "0.parquet", folder / "1.parquet")
    for path, part in zip(paths, (slice(0, 300), slice(300, ROWS)), strict=True):
        ParquetWriter().write(path, {name: values[part] for name, values in columns.items()})
    sources = {name: name for name in columns} | {
        name: f"attribute_{number}" for number, (name, _) in enumerate(SCHEMA.attributes)
    }
    stored = tuple(StoredColumn(name, type_, sources.get(name)) for name, type_ in SCHEMA.columns.items())
    return StoredInstances(paths, ROWS, SCHEMA.classes, stored)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    instances = write_people(tmp_path_factory.mktemp("people"))
    with Engine(SCHEMA, instances, lambda part: np.tile(people.computed(part), TIMES)) as engine:
        yield engine


@given(conditions)
@settings(max_examples=500, deadline=None, derandomize=True, database=None)
def test_random_conditions_over_stored_instances_hold_where_the_oracle_says(stored: Engine, node: Node) -> None:
    members = stored.members(parse_condition(node.text, SCHEMA)).reshape(TIMES, 8)
    expected = np.array([node.value(row) is True for row in range(8)])
    assert_array_equal(members[0], expected, err_msg=node.text)
    if "index" not in node.text:
        assert_array_equal(members, np.tile(expected, (TIMES, 1)), err_msg=node.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("topic = 'sports'", [0, 7]),
        ("topic IS NULL OR text IS NULL", [2, 4]),
        ("NOT (topic = 'sports')", [1, 3, 4, 5, 6]),
        ("topic <> 'sports' AND text ILIKE '%what%'", [1]),
        ("topic = 'sports' AND age > 0 AND topic LIKE 's%'", [0, 7]),
        ("topic IN ('', 'news') OR age > 20 OR text ~ '^1'", [1, 2, 4, 6, 7]),
        ("topic = text", []),
        ("text < 'X' AND neuron('hidden', 0) = 2.5", []),
        ("text >= 'X' AND neuron('hidden', 0) = 2.5", [5]),
    ],
)
def test_parts_about_texts_that_repeat_join_the_others(stored: Engine, text: str, expected: list[int]) -> None:
    members = stored.members(parse_condition(text, SCHEMA)).reshape(TIMES, 8)
    assert_array_equal(members, np.tile(np.isin(np.arange(8), expected), (TIMES, 1)))


def test_texts_that_repeat_are_counted_as_often_as_they_do(stored: Engine) -> None:
    topics = stored.distribution("topic")
    assert (topics.present, topics.distinct, topics.beginnings) == (7 * TIMES, 6, ())
    assert topics.values[:2] == (("sports", 2 * TIMES), ("", TIMES))
    texts = stored.distribution("text", np.arange(ROWS) % 8 + 1.0)
    assert (texts.present, texts.distinct) == (TIMES * (1 + 2 + 3 + 4 + 6 + 7 + 8), 7)
    assert texts.values[0] == ("line\nbreak", 8 * TIMES)
    assert [(one.text, one.count, one.either_case) for one in texts.beginnings] == [
        ("it's ", 3 * TIMES, 3 * TIMES),
        ("what ", 2 * TIMES, 3 * TIMES),
        ("What ", TIMES, 3 * TIMES),
        ("What is ", TIMES, TIMES),
    ]
    for one in texts.beginnings:
        pattern = one.text.replace("'", "''")
        members = stored.members(parse_condition(f"text LIKE '{pattern}%'", SCHEMA))
        assert one.count == (np.arange(ROWS) % 8 + 1.0)[members].sum()


def test_ten_thousand_categories_are_told_apart(tmp_path: Path) -> None:
    count, times = 10_000, 9
    codes = np.arange(count * times) % count
    schema = Schema(("a",), (("kind", "category"),))
    zeros = np.zeros(len(codes), np.int32)
    columns = {"id": codes.astype(str).astype(object), "index": np.arange(len(codes)), "label": zeros}
    kinds = np.array([f"kind {code}" for code in range(count)], object)
    columns |= {"predicted": zeros, "score": np.ones(len(codes)), "kind": kinds[codes]}
    ParquetWriter().write(tmp_path / "0.parquet", columns)
    stored = tuple(
        StoredColumn(name, type_, name if name in columns else None) for name, type_ in schema.columns.items()
    )
    with Engine(schema, StoredInstances((tmp_path / "0.parquet",), len(codes), ("a",), stored)) as engine:
        found = {
            "kind = 'kind 9999'": codes == 9999,
            "kind IN ('kind 1', 'kind 77') AND index < 20000": np.isin(codes, [1, 77])
            & (np.arange(len(codes)) < 20000),
            "kind LIKE '%7'": codes % 10 == 7,
            "kind > 'kind 9998'": codes == 9999,
        }
        for text, expected in found.items():
            assert_array_equal(engine.members(parse_condition(text, schema)), expected, err_msg=text)
        assert engine.distribution("kind").distinct == count


def test_a_costly_pattern_over_texts_that_repeat_is_stopped(tmp_path: Path) -> None:
    schema = Schema(("a",), (("letters", "text"),))
    rows = np.arange(40_000)
    texts = np.array([f"{'x' * 3000}{number}" for number in range(2000)], object)
    zeros = np.zeros(len(rows), np.int32)
    columns = {"id": rows.astype(str).astype(object), "index": rows, "label": zeros, "predicted": zeros}
    columns |= {"score": np.ones(len(rows)), "letters": texts[rows % 2000]}
    ParquetWriter().write(tmp_path / "0.parquet", columns)
    stored = tuple(
        StoredColumn(name, type_, name if name in columns else None) for name, type_ in schema.columns.items()
    )
    instances = StoredInstances((tmp_path / "0.parquet",), len(rows), ("a",), stored)
    with Engine(schema, instances, most_seconds=0.3) as engine:
        with pytest.raises(CostlyConditionError, match=r"took longer than 0\.3 s over 40,000 instances"):
            engine.members(parse_condition("letters ~ '(x{1,30}){1,30}(x{1,30}){1,30}z$'", schema))
        assert engine.members(parse_condition("letters LIKE '%x7'", schema)).sum() == len(rows) // 2000
