"""The engine: right for many rows, many threads and many batches, and clear about what does not fit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from activis_tb.conditions import Computed, Engine, Instances, Neuron, Schema, ScoreOf, parse_condition
from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute
from tests.snapshots import make_snapshot
from tests.unit.conditions.people import SCHEMA, computed, people, rows

ROWS = 30_000
RANDOM = np.random.default_rng(7)
WEIGHT = RANDOM.normal(size=ROWS)
WEIGHT[::17] = np.nan
NAME = np.array([f"{'long ' * (number % 400)}{number % 7}" for number in range(ROWS)], np.object_)
KIND = RANDOM.integers(0, 10_000, ROWS).astype(np.int32)
LABEL = RANDOM.integers(0, 3, ROWS).astype(np.int32)
PREDICTED = RANDOM.integers(0, 3, ROWS).astype(np.int32)
ACTIVATION = RANDOM.normal(size=ROWS).astype(np.float32)
MANY_SCHEMA = Schema(("a", "b", "c"), (("weight", "number"), ("name", "text"), ("kind", "category")), (("hidden", 4),))


def many() -> Instances:
    everywhere = np.ones(ROWS, np.bool_)
    return Instances(
        np.arange(ROWS).astype(str).astype(np.object_),
        np.arange(ROWS),
        LABEL,
        PREDICTED,
        np.full(ROWS, 0.5, np.float32),
        (
            Attribute("weight", "number", WEIGHT, everywhere),
            Attribute("name", "text", NAME, everywhere),
            Attribute("kind", "category", KIND, everywhere, tuple(f"kind {number}" for number in range(10_000))),
        ),
    )


@pytest.fixture(scope="module")
def crowd() -> Engine:
    return Engine(MANY_SCHEMA, many(), lambda part: ACTIVATION)


ENDS_IN_3 = np.array([name.endswith("3") for name in NAME])
EXPECTED = {
    "weight > 1 AND label <> predicted": (WEIGHT > 1) & (LABEL != PREDICTED),
    "weight IS NULL": np.isnan(WEIGHT),
    "NOT weight > 1": WEIGHT <= 1,
    "kind = 'kind 77'": KIND == 77,
    "kind IN ('kind 1', 'kind 9999')": np.isin(KIND, [1, 9999]),
    "kind LIKE '%7'": KIND % 10 == 7,
    "label = 'b'": LABEL == 1,
    "neuron('hidden', 2) > 0.5": ACTIVATION > 0.5,
    "name LIKE '%3'": ENDS_IN_3,
    "name LIKE '%3' AND neuron('hidden', 2) > 0.5": ENDS_IN_3 & (ACTIVATION > 0.5),
    "name ~ 'long long [13]$' OR index < 5": np.array(
        [name.endswith(("long long 1", "long long 3")) or row < 5 for row, name in enumerate(NAME)]
    ),
}


@pytest.mark.parametrize("text", EXPECTED)
def test_thousands_of_rows_are_answered_in_their_order(crowd: Engine, text: str) -> None:
    members = crowd.members(parse_condition(text, MANY_SCHEMA))
    assert members.dtype == np.bool_
    assert_array_equal(members, EXPECTED[text])


def test_threads_ask_at_once(crowd: Engine) -> None:
    conditions = [parse_condition(text, MANY_SCHEMA) for text in EXPECTED] * 3
    with ThreadPoolExecutor(4) as pool:
        for condition, members in zip(conditions, pool.map(crowd.members, conditions), strict=True):
            assert_array_equal(members, EXPECTED[condition.text])


def test_a_neuron_is_asked_for_once_by_layer_and_number() -> None:
    asked: list[Computed] = []

    def values(part: Computed) -> np.ndarray:
        asked.append(part)
        return computed(part)

    with Engine(SCHEMA, people(), values) as engine:
        assert rows(engine, "neuron('hidden', 3) > 4 AND score_of('cat') < 1") == [5]
        assert rows(engine, "neuron('hidden', 3) < 4") == [0, 6, 7]
        assert rows(engine, "NEURON('hidden', 3) = 4") == [1]
    assert asked == [Neuron("hidden", 3), ScoreOf("cat", 0)]


def test_the_next_batch_replaces_the_last() -> None:
    schema = Schema(("cat", "dog"), (("text", "text"), ("kind", "category")))
    with Engine(schema, batch(["x", "why"], ("p", "q"))) as engine:
        assert rows(engine, "text LIKE '%y' AND kind = 'p'", schema) == []
        assert rows(engine, "text LIKE '%y' AND kind = 'q'", schema) == [1]
        engine.replace(batch(["any", "x", "my", "fly"], ("q", "p")))
        assert rows(engine, "text LIKE '%y' AND kind = 'q'", schema) == [0]
        assert rows(engine, "text LIKE '%y' AND kind = 'p'", schema) == [3]
        assert rows(engine, "text ~ 'y$' AND index < 3", schema) == [0, 2]
        assert engine.distribution("text").distinct == 4
        assert engine.distribution("index", np.array([0.0, 1, 1, 0])).present == 2
        engine.replace(batch([], ()))
        assert rows(engine, "text LIKE '%y' AND kind = 'q'", schema) == []


def batch(texts: list[str], categories: tuple[str, ...]) -> Instances:
    """Instances of these texts; the first is of the first category, the last of the last, the others of none."""
    count = len(texts)
    zeros = np.zeros(count, np.int32)
    codes = np.full(count, -1, np.int32)
    codes[:1], codes[-1:] = 0, 1
    ids = np.array([str(row) for row in range(count)], np.object_)
    return Instances(
        ids,
        np.arange(count),
        zeros,
        zeros,
        np.ones(count),
        (
            Attribute("text", "text", np.array(texts, np.object_), np.ones(count, np.bool_)),
            Attribute("kind", "category", codes, codes >= 0, categories),
        ),
    )


def test_columns_without_any_value_are_null_everywhere() -> None:
    nowhere, zeros = np.zeros(3, np.bool_), np.zeros(3, np.int32)
    attributes = (
        Attribute("number", "number", np.zeros(3), nowhere),
        Attribute("text", "text", np.array(["", "", ""], np.object_), nowhere),
        Attribute("category", "category", zeros - 1, nowhere, ()),
        Attribute("boolean", "boolean", nowhere, nowhere),
        Attribute("image", "image", np.array([b"", b"", b""], np.object_), nowhere),
    )
    schema = Schema(("a",), tuple((attribute.name, attribute.type) for attribute in attributes))
    instances = Instances(np.array(["1", "2", "3"], np.object_), np.arange(3), zeros, zeros, np.ones(3), attributes)
    with Engine(schema, instances) as engine:
        for attribute in attributes:
            assert rows(engine, f"{attribute.name} IS NULL", schema) == [0, 1, 2]
        assert rows(engine, "number = 0 OR text = '' OR category = '' OR boolean OR NOT boolean", schema) == []


def test_the_sample_of_a_snapshot_can_be_asked() -> None:
    attribute = Attribute("age", "number", np.array([10.0, 20, 30]), np.ones(3, np.bool_))
    snapshot = make_snapshot({"hidden": [[0, 1], [2, 3], [4, 5]]}, labels=[0, 1, 1], attributes=[attribute])
    schema = Schema.of(snapshot.manifest)
    assert schema == Schema(("cat", "dog"), (("age", "number"),), (("hidden", 2),))

    def values(part: Computed) -> np.ndarray:
        if isinstance(part, Neuron):
            return snapshot.activations[part.layer][:, part.neuron]
        return snapshot.sample.scores[:, part.position]

    with Engine(schema, Instances.of_sample(snapshot.sample), values) as engine:
        assert rows(engine, "label = 'dog' AND age < 30", schema) == [1]
        assert rows(engine, "neuron('hidden', 1) >= 3", schema) == [1, 2]
        assert rows(engine, "score_of('cat') = 0.75 AND correct", schema) == [0]


def test_values_of_neurons_that_do_not_fit_are_refused() -> None:
    condition = parse_condition("neuron('hidden', 0) > 0", SCHEMA)
    with (
        Engine(SCHEMA, people()) as engine,
        pytest.raises(ArgumentError, match="computed: got None; expected a function"),
    ):
        engine.members(condition)
    engine = Engine(SCHEMA, people(), lambda part: np.zeros(7))
    with engine, pytest.raises(ArgumentError, match=r"the values of Neuron.*: got shape \(7,\); expected \(8,\)"):
        engine.members(condition)


def test_columns_that_do_not_fit_are_refused() -> None:
    zeros, ids = np.zeros(2, np.int32), np.array(["a", "b"], np.object_)
    with pytest.raises(ArgumentError, match="instances: got no column extra; expected all columns of the schema"):
        Engine(Schema(SCHEMA.classes, (*SCHEMA.attributes, ("extra", "text"))), people())
    with pytest.raises(ArgumentError, match=r"index: got shape \(3,\); expected \(2,\)"):
        Instances(ids, np.arange(3), zeros, zeros, np.ones(2))
    twice = Attribute("kind", "category", zeros, np.ones(2, np.bool_), ("x", "x"))
    instances = Instances(ids, np.arange(2), zeros, zeros, np.ones(2), (twice,))
    with pytest.raises(ArgumentError, match=r'the categories of "kind": .*; expected each of them once'):
        Engine(Schema(("a",), (("kind", "category"),)), instances)
