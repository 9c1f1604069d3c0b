"""A fully connected network for tables of numbers and categories, with one output, recorded whole by ActiVis.

This is the part to imitate: subsets for every category and for parts of every number, test cases, `keep="all"`.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from activis_tb.keras import ActivisCallback
from activis_tb.subsets import by_category, by_quantile
from people import SEED, People, Table
from progress_line import ProgressLine

LAYERS = ("hidden_1", "hidden_2", "output")
FEWEST = 30
"""Test instances that a category must have to be a subset."""
PARTS = 4
MOST_NUMBERS = 16
"""Numbers that are cut into parts."""


def train(directory: Path, people: People, epochs: int) -> keras.Model:
    """Returns a trained model; its scalars and a snapshot of all test instances per epoch are in `directory`."""
    keras.utils.set_random_seed(SEED)
    features = make_features(people.training)
    x, x_test, x_cases = (features(table) for table in (people.training, people.test, people.cases))
    model = build_model(x.shape[1])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(
        x,
        people.training.labels,
        batch_size=128,
        epochs=epochs,
        validation_data=(x_test, people.test.labels),
        verbose=0,
        callbacks=[
            keras.callbacks.TensorBoard(directory, write_graph=False),
            ActivisCallback(
                directory,
                x_test,
                people.test.labels,
                layers=LAYERS,
                classes=people.classes,
                attributes=people.test.columns,
                subsets=subsets_of(people.test),
                examples=(x_cases, people.cases.labels, people.cases.columns, people.case_names),
                name="test",
                keep="all",
                quiet=True,
            ),
            ProgressLine(epochs),
        ],
    )
    return model


def subsets_of(table: Table) -> dict[str, str]:
    """Returns a condition for every frequent category and for the parts of the first numbers, by name."""
    conditions: dict[str, str] = {}
    for name, values in table.categories.items():
        categories, counts = np.unique(values, return_counts=True)
        conditions |= by_category(name, categories[counts >= FEWEST])
    for name, numbers in list(table.numbers.items())[:MOST_NUMBERS]:
        conditions |= by_quantile(name, PARTS, values=numbers)
    return conditions


def make_features(table: Table) -> Callable[[Table], np.ndarray]:
    """Returns what turns tables into float32 (instances, features): numbers standardised, categories one-hot."""
    scales = {name: (values.mean(), values.std()) for name, values in table.numbers.items()}
    categories = {name: np.unique(values) for name, values in table.categories.items()}

    def features(other: Table) -> np.ndarray:
        numbers = [(other.numbers[name] - mean) / std for name, (mean, std) in scales.items()]
        one_hot = [other.categories[name][:, None] == known for name, known in categories.items()]
        return np.column_stack([*numbers, *one_hot]).astype(np.float32)

    return features


def build_model(features: int) -> keras.Model:
    """Returns the model: two hidden layers, and one output, the probability of the second class."""
    person = keras.Input((features,), name="person")
    hidden = keras.layers.Dense(64, activation="relu", name="hidden_1")(person)
    hidden = keras.layers.Dropout(0.2, name="dropout")(hidden)
    hidden = keras.layers.Dense(32, activation="relu", name="hidden_2")(hidden)
    output = keras.layers.Dense(1, activation="sigmoid", name="output")(hidden)
    return keras.Model(person, output, name="income")
