"""Letters with marks in one piece or two: what looks alike is alike, wherever texts are compared."""

from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest

from activis_tb.conditions import (
    ConditionError,
    Engine,
    Instances,
    Neuron,
    Schema,
    ScoreOf,
    StoredColumn,
    StoredInstances,
    parse_condition,
)
from activis_tb.model import Attribute
from activis_tb.storage.parquet import ParquetWriter
from activis_tb.subsets import by_category
from tests.unit.recording.helpers import batch, record

ONE, TWO = "caf\u00e9", "cafe\u0301"
TEXTS = [ONE, TWO, "cafe", "\ud55c", "\u1112\u1161\u11ab", "A\u030angstro\u0308m", "\u00c5ngstr\u00f6m", "plain"]
ROWS = len(TEXTS)
SCHEMA = Schema((ONE, "b"), (("text", "text"), ("kind", "category"), (TWO, "number")), ((TWO, 3),))
HOLDS = {
    "{column} = '{e}'": [0, 1],
    "{column} <> '{e}'": [2, 3, 4, 5, 6, 7],
    "{column} IN ('{e}', 'plain')": [0, 1, 7],
    "{column} LIKE 'caf_'": [0, 1, 2],
    "{column} LIKE '%{mark}'": [0, 1],
    "{column} LIKE 'Caf{mark}%' OR {column} ILIKE 'Caf{mark}%'": [0, 1],
    "{column} LIKE '{e}!%' ESCAPE '!'": [],
    "{column} ~ '^caf.$'": [0, 1, 2],
    "{column} ~ '[{mark}]'": [0, 1],
    "{column} > 'cafe' AND {column} < 'caff'": [],
    "{column} BETWEEN '{e}' AND '{e}'": [0, 1],
    "{column} = '\ud55c'": [3, 4],
    "{column} LIKE '_'": [3, 4],
    "{column} = '\u212bngstr\u00f6m'": [5, 6],
}


def instances() -> Instances:
    categories = tuple(sorted(set(TEXTS)))
    codes = np.array([categories.index(text) for text in TEXTS], np.int32)
    everywhere = np.ones(ROWS, np.bool_)
    texts = np.array(TEXTS, np.object_)
    attributes = (
        Attribute("text", "text", texts, everywhere),
        Attribute("kind", "category", codes, everywhere, categories),
        Attribute(TWO, "number", np.arange(float(ROWS)), everywhere),
    )
    label = np.arange(ROWS, dtype=np.int32) % 2
    return Instances(np.array(TEXTS, np.object_), np.arange(ROWS), label, label, np.ones(ROWS), attributes)


def stored(folder: Path, times: int) -> StoredInstances:
    rows = times * ROWS
    texts = np.array(TEXTS * times, np.object_)
    label = np.arange(rows, dtype=np.int32) % 2
    columns = {"id": texts, "index": np.arange(rows), "label": label, "predicted": label, "score": np.ones(rows)}
    columns |= {"attribute_0": texts, "attribute_1": texts, "attribute_2": np.arange(float(rows))}
    ParquetWriter().write(folder / "0.parquet", columns)
    sources = {**{name: name for name in columns}, "text": "attribute_0", "kind": "attribute_1", TWO: "attribute_2"}
    described = tuple(StoredColumn(name, type_, sources.get(name)) for name, type_ in SCHEMA.columns.items())
    return StoredInstances((folder / "0.parquet",), rows, SCHEMA.classes, described)


@pytest.fixture(scope="module", params=["sample", "stored", "stored and repeated"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("stored")
    many = {"stored": 1, "stored and repeated": 20}
    source = stored(folder, many[request.param]) if request.param in many else instances()
    with Engine(SCHEMA, source) as one:
        yield one


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("pattern", HOLDS)
@pytest.mark.parametrize("column", ["text", "kind", "id"])
def test_both_forms_find_both(engine: Engine, form: str, pattern: str, column: str) -> None:
    text = pattern.format(column=column, e=normalize(form, ONE), mark=normalize(form, "\u00e9"))
    members = engine.members(parse_condition(text, SCHEMA))
    assert np.flatnonzero(members[:ROWS]).tolist() == HOLDS[pattern]
    assert np.array_equal(members.reshape(-1, ROWS), np.tile(members[:ROWS], (len(members) // ROWS, 1)))


@pytest.mark.parametrize("name", [ONE, TWO])
def test_names_of_both_forms_are_known(engine: Engine, name: str) -> None:
    assert np.flatnonzero(engine.members(parse_condition(f"label = '{name}'", SCHEMA))[:4]).tolist() == [0, 2]
    assert np.flatnonzero(engine.members(parse_condition(f'"{name}" < 2', SCHEMA))).tolist() == [0, 1]
    assert np.flatnonzero(engine.members(parse_condition(f"{name} < 2", SCHEMA))).tolist() == [0, 1]
    assert parse_condition(f"score_of('{name}') > neuron('{name}', 2)", SCHEMA).computed == (
        ScoreOf(ONE, 0),
        Neuron(TWO, 2),
    )


def test_values_of_both_forms_count_as_one(engine: Engine) -> None:
    for column in ("text", "kind"):
        found = engine.distribution(column)
        assert found.distinct == 5
        assert dict(found.values)[ONE] == 2 * found.present / ROWS
        assert TWO not in dict(found.values)


def test_two_classes_that_cannot_be_told_apart_are_not_mistaken_for_each_other() -> None:
    schema = Schema((ONE, TWO))
    for name in schema.classes:
        with pytest.raises(ConditionError, match=r"2 names are written as .* and cannot be told apart"):
            parse_condition(f"label = '{name}'", schema)
    labels = np.array([0, 1], np.int32)
    two = Instances(np.array(["0", "1"], np.object_), np.arange(2), labels, labels, np.ones(2))
    with Engine(schema, two) as engine:
        assert engine.members(parse_condition("label = predicted", schema)).all()


def test_a_recorded_subset_is_that_of_the_tab(tmp_path: Path) -> None:
    subsets = {
        f"{form} {pattern}": pattern.format(column="text", e=normalize(form, ONE), mark=normalize(form, "\u00e9"))
        for form in ("NFC", "NFD")
        for pattern in HOLDS
    }
    subsets |= by_category("kind", TEXTS)
    stream = batch([0] * ROWS, ids=range(ROWS), attributes={"text": TEXTS, "kind": TEXTS})
    reader = record(tmp_path, [stream], subsets=subsets, attribute_types={"kind": "category"})
    recorded = {subset.name: subset.count for subset in reader.manifest.subsets}
    assert [recorded[name] for name in subsets] == [len(rows) for rows in HOLDS.values()] * 2 + [2, 1, 2, 2, 1]
    assert sorted(reader.attribute("kind").categories) == sorted(TEXTS), "shown as given"
