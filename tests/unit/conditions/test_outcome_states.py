"""What labels and predictions decide of a condition is decided, and nothing that is open is called decided."""

from itertools import product

import numpy as np
import pytest

from activis_tb.conditions import Engine, Instances, Schema, parse_condition, possible_members
from activis_tb.model import Attribute

CLASSES = ("ant", "bee", "cat")
SCHEMA = Schema(CLASSES, (("age", "number"),))
CELLS = list(product(range(3), (0, 1, 2, -1)))
AGES = np.array([1.0, 30.0, np.nan])
DECIDED = [
    "correct",
    "NOT correct",
    "correct = FALSE",
    "label <> predicted",
    "predicted = label AND label > 'ant'",
    "label = 'bee'",
    "'bee' <= label",
    "predicted NOT IN ('ant', 'cat')",
    "predicted IS NULL OR label = 'cat'",
    "correct IS NOT NULL AND NOT (label = 'ant' AND predicted = 'bee')",
]
OPEN = [
    "age > 20",
    "age > 20 AND label = 'ant'",
    "age > 20 OR correct",
    "NOT (age > 20 AND correct)",
    "label LIKE 'a%' AND predicted = 'bee'",
    "label BETWEEN 'ant' AND 'bee'",
    "(age > 20) = correct",
    "age > 20 AND label = 'ant' AND label = 'bee'",
]


def members_by_cell(text: str) -> np.ndarray:
    """Who is a member by the engine, (labels, predictions, ages); the last prediction is none."""
    label, predicted = np.repeat(np.array(CELLS, np.int32), len(AGES), axis=0).T
    rows = np.arange(len(label))
    age = np.tile(AGES, len(CELLS))
    instances = Instances(
        rows.astype(str).astype(object),
        rows,
        label,
        predicted,
        np.zeros(len(rows)),
        (Attribute("age", "number", age, rows >= 0),),
    )
    with Engine(SCHEMA, instances) as engine:
        return engine.members(parse_condition(text, SCHEMA)).reshape(3, 4, len(AGES))


@pytest.mark.parametrize("text", [*DECIDED, *OPEN])
def test_no_cell_is_called_what_it_is_not(text: str) -> None:
    found = possible_members(parse_condition(text, SCHEMA), CLASSES)
    if found is None:
        assert text == "age > 20"
        return
    members = members_by_cell(text)
    all_, any_ = found
    assert not (all_ & ~members.all(axis=2)).any()
    assert not (~any_ & members.any(axis=2)).any()
    if text in DECIDED:
        assert (all_ == any_).all()
    elif "LIKE" not in text and "BETWEEN" not in text and "=" not in text.partition("(age > 20)")[2]:
        assert (any_ == members.any(axis=2)).all()
