"""A condition on rounded activations: whoever is certain is a member, and every member is possible."""

import numpy as np
import pytest

from activis_tb.conditions import Engine, Instances, Neuron, Schema, certain_and_possible, parse_condition
from activis_tb.model import Attribute

ROWS = 3000
SCHEMA = Schema(("ant", "bee"), (("age", "number"),), (("h", 2),))
GENERATOR = np.random.default_rng(0)
AGE = np.where(np.arange(ROWS) % 9, GENERATOR.integers(0, 4, ROWS), np.nan)
EXACT = GENERATOR.normal(size=(ROWS, 2)).round(1)
EXACT[::7, 0] = np.nan
LOW, HIGH = (EXACT - GENERATOR.random((ROWS, 2)) * 0.2).round(1), (EXACT + GENERATOR.random((ROWS, 2)) * 0.2).round(1)
CONDITIONS = [
    "neuron('h', 0) > 0.5",
    "neuron('h', 0) >= 0.5 AND age > 1",
    "NOT (neuron('h', 0) < 0.5 OR age = 2)",
    "neuron('h', 0) = 0.5",
    "neuron('h', 0) <> 0.5",
    "neuron('h', 0) IN (0.1, 0.2)",
    "neuron('h', 0) BETWEEN -0.3 AND neuron('h', 1)",
    "neuron('h', 0) IS NULL OR neuron('h', 1) > 1",
    "neuron('h', 0) - neuron('h', 1) > 0.5",
    "-neuron('h', 0) + 2 * neuron('h', 1) <= age",
    "neuron('h', 0) * -2 < 1",
    "neuron('h', 0) / 2 > 0.1",
    "1 - neuron('h', 0) < 0.5",
    "neuron('h', 0) * neuron('h', 1) > 0.1",
    "(neuron('h', 0) > 0.5) = (age > 1)",
    "neuron('h', 0) % 2 > 0.5",
]
NEVER_CERTAIN = CONDITIONS[-3:]


def computed(part: Neuron) -> np.ndarray:
    return {"": EXACT, "low": LOW, "high": HIGH}[part.end][:, part.neuron]


@pytest.fixture(scope="module")
def engine():
    rows = np.arange(ROWS)
    label = np.zeros(ROWS, np.int32)
    attribute = Attribute("age", "number", AGE, np.isfinite(AGE))
    instances = Instances(rows.astype(str).astype(object), rows, label, label, np.zeros(ROWS), (attribute,))
    with Engine(SCHEMA, instances, computed) as engine:
        yield engine


@pytest.mark.parametrize("text", CONDITIONS)
def test_members_lie_between_the_certain_and_the_possible_ones(engine, text: str) -> None:
    condition = parse_condition(text, SCHEMA)
    members, certain, possible = map(engine.members, (condition, *certain_and_possible(condition)))
    assert not (certain & ~members).any()
    assert not (members & ~possible).any()
    assert 0 < members.sum() < ROWS
    assert certain.any() == (text not in NEVER_CERTAIN)
    if text not in NEVER_CERTAIN:
        assert possible.sum() < ROWS


def test_a_condition_without_neurons_is_certain() -> None:
    assert certain_and_possible(parse_condition("age > 1", SCHEMA)) is None
