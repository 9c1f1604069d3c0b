"""Test cases go through the model as the data does, and are recorded beside it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb.keras
from activis_tb.errors import ArgumentError
from tests.unit.keras.models import CLASSES, INSTANCES, X, Y, compiled, snapshots, sub_model_outputs, text_cnn

CASES = X[:5] * 3
EXPECTED = ["red", "green", "blue", "red", "red"]
OPTIONS = {"layers": ["hidden", "output"], "classes": CLASSES, "quiet": True}


def test_the_callback_records_them_after_every_epoch(tmp_path):
    model = compiled(text_cnn())
    attributes = {"text": [f"case {number}" for number in range(5)]}
    texts = {"text": [f"text {number}" for number in range(INSTANCES)], "length": np.arange(INSTANCES)}
    callback = activis_tb.keras.ActivisCallback(
        tmp_path, X, Y, attributes=texts, examples=(CASES, EXPECTED, attributes), batch_size=2, **OPTIONS
    )
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    recorded = snapshots(tmp_path)
    assert sorted(recorded) == [0, 1]
    outputs = sub_model_outputs(model, ["hidden", "output"], CASES)
    examples = recorded[1].examples()
    assert recorded[1].manifest.instances == INSTANCES
    assert examples.ids.tolist() == [f"test case {number}" for number in range(1, 6)]
    assert examples.label.tolist() == [0, 1, 2, 0, 0]
    assert_array_equal(examples.predicted, outputs["output"].argmax(axis=1))
    assert_allclose(examples.scores, outputs["output"], rtol=1e-5)
    assert_allclose(recorded[1].example_activations("hidden"), outputs["hidden"], rtol=1e-5, atol=1e-6)
    text = recorded[1].example_attribute("text")
    assert [text.categories[code] for code in text.values] == attributes["text"]


def test_a_trained_model_is_recorded_with_them(tmp_path):
    model = text_cnn()
    activis_tb.keras.record(
        model, (X, Y), tmp_path, examples=(CASES, np.eye(3)[[0, 1, 2, 0, 0]], {}, list("abcde")), **OPTIONS
    )
    (snapshot,) = snapshots(tmp_path).values()
    assert snapshot.examples().label.tolist() == [0, 1, 2, 0, 0]
    assert snapshot.examples().ids.tolist() == [f"test case {letter}" for letter in "abcde"]
    outputs = sub_model_outputs(model, ["hidden", "output"], CASES)
    assert_allclose(snapshot.example_activations("hidden"), outputs["hidden"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([CASES, EXPECTED], r"examples: got list; expected a tuple \(x, y\), \(x, y, attributes\) or"),
        ((CASES, None), r"examples: got tuple; expected a tuple"),
        ((CASES, EXPECTED[:3]), r"x: got 5 instances; expected 3 instances, as in y"),
        ((CASES, ["red", "green", "blue", "red", "pink"]), r"labels: got 'pink'; expected one of the classes"),
        ((CASES, EXPECTED, {"text": ["a"]}), r'attributes\["text"\] of examples: got 1 values; expected 5'),
        ((CASES, EXPECTED, {}, ["cab"]), r"ids of examples: got 1 values; expected 5"),
        ((CASES, EXPECTED, {}, list("abcda")), r"ids: got the id 'test case a' twice|the id 'a' twice"),
        ((CASES, EXPECTED, {"colour": list("abcde")}), r'attributes\["colour"\] of the test cases.*process\(\) brings'),
    ],
)
def test_what_cannot_be_a_test_case_is_refused_before_training(tmp_path, examples, message):
    with pytest.raises(ArgumentError, match=message):
        activis_tb.keras.ActivisCallback(
            tmp_path, X, Y, attributes={"text": ["a"] * INSTANCES}, examples=examples, **OPTIONS
        )
