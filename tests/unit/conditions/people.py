"""Eight instances whose every value can be checked by eye, with what is missing, odd or not finite."""

import numpy as np

from activis_tb.conditions import Computed, Engine, Instances, Neuron, Schema, parse_condition
from activis_tb.model import Attribute

CLASSES = ("cat", "dog", "Señor 'Q'")
CATEGORIES = ("sports", "news", 'a "b"', "", *(f"topic {number}" for number in range(9_996)))

AGE = [1.0, 20.0, 20.5, None, -3.0, 0.0, np.inf, 1e308]
TEXT = ["What is it?", "what is", "it's 100%", "", None, "ÄÖ_x", "12", "line\nbreak"]
TOPIC = ["sports", "news", None, 'a "b"', "", "topic 9995", "topic 7", "sports"]
VIP = [True, False, None, True, True, False, False, None]
PICTURE = [b"\x89PNG", None, b"\x89PNG", b"\x89PNG", b"\x89PNG", b"\x89PNG", None, b"\x89PNG"]
IDS = ["a", "b", "c", "d", "e", "f", "g", "ü'"]
LABEL = [0, 1, 2, 0, 1, 2, -1, 0]
PREDICTED = [0, 1, 0, -1, 1, 2, 0, 2]
SCORE = [0.5, 0.75, 0.25, 1.0, 0.5, np.nan, 0.125, 0.875]
HIDDEN_0 = [0.0, 1.0, np.nan, np.inf, -np.inf, 2.5, -1.0, 0.5]
SCORE_OF_DOG = [0.5, 0.75, 0.0, 1.0, 0.5, 0.25, 0.125, 0.0]


def column(name: str, kind: str, values: list, empty: object, dtype: object) -> Attribute:
    present = np.array([value is not None for value in values])
    filled = np.array([empty if value is None else value for value in values], dtype)
    return Attribute(name, kind, filled, present)


def people() -> Instances:
    codes = np.array([-1 if topic is None else CATEGORIES.index(topic) for topic in TOPIC], np.int32)
    return Instances(
        np.array(IDS, np.object_),
        np.arange(8),
        np.array(LABEL, np.int32),
        np.array(PREDICTED, np.int32),
        np.array(SCORE, np.float32),
        (
            column("age", "number", AGE, 0.0, np.float64),
            column("text", "text", TEXT, "", np.object_),
            Attribute("topic", "category", codes, codes >= 0, CATEGORIES),
            column("is vip", "boolean", VIP, False, np.bool_),
            column("picture", "image", PICTURE, b"", np.object_),
            column("select", "number", [float(number) for number in range(8)], 0.0, np.float64),
        ),
    )


SCHEMA = Schema(
    CLASSES,
    tuple((attribute.name, attribute.type) for attribute in people().attributes),
    (("hidden", 36), ("it's", 2)),
)


def computed(part: Computed) -> np.ndarray:
    """Neuron `k` of `hidden` is neuron 0 plus k; the scores are those of `dog` for every class."""
    if isinstance(part, Neuron):
        return np.array(HIDDEN_0, np.float32) + np.float32(part.neuron)
    return np.array(SCORE_OF_DOG, np.float32)


def rows(engine: Engine, text: str, schema: Schema = SCHEMA) -> list[int]:
    """The rows that a condition holds for."""
    return np.flatnonzero(engine.members(parse_condition(text, schema))).tolist()
