"""Keras: data without labels, in every form in which it comes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.keras.order import ReorderedError
from tests.unit.keras.models import CLASSES, INSTANCES, X, Y, compiled, in_order, snapshots, sub_model_outputs, text_cnn

HIDDEN = {"layers": ["hidden"], "classes": CLASSES, "quiet": True}
NAMES = [f"instance {row}" for row in range(INSTANCES)]


class Pieces(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, at):
        return whole(X)[at]


def whole(x):
    return [x[start : start + 9] for start in range(0, INSTANCES, 9)]


FORMS = {
    "array": lambda: X,
    "dataset": lambda: tf.data.Dataset.from_tensor_slices(X).batch(7),
    "dataset of (x, x)": lambda: tf.data.Dataset.from_tensor_slices((X, X)).batch(7),
    "PyDataset": Pieces,
    "DataLoader": lambda: torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(X)), 7),
    "generator": lambda: iter(whole(X)),
    "generator of (x, none, attributes, ids)": lambda: (
        (x, None, {"first": x[:, 0, 0]}, NAMES[start * 9 : start * 9 + len(x)]) for start, x in enumerate(whole(X))
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_of_any_form_may_have_no_labels(tmp_path, form):
    data = FORMS[form]()
    model = text_cnn()
    activis_tb.keras.record(model, data, tmp_path, labels=None, subsets={"sure": "score > 0.4"}, **HIDDEN)
    reader = snapshots(tmp_path)[0]
    expected = sub_model_outputs(model, ["hidden", "output"])
    assert not reader.manifest.labelled
    assert [(subset.name, subset.kind) for subset in reader.manifest.subsets] == [
        ("unlabelled", "all"),
        ("sure", "condition"),
    ]
    assert_allclose(in_order(reader, reader.activations("hidden")), expected["hidden"], rtol=1e-5, atol=1e-6)
    mean = reader.statistics("hidden").mean[0]
    assert_allclose(mean, expected["hidden"].astype(np.float64).mean(axis=0), rtol=1e-5, atol=1e-6)
    assert_array_equal(in_order(reader, reader.sample().predicted), expected["output"].argmax(axis=1))
    assert set(reader.sample().label) == {-1}


def test_attributes_ids_and_test_cases_go_with_data_without_labels(tmp_path):
    data = tf.data.Dataset.from_tensor_slices(X).batch(8)
    columns = {"attributes": {"first": X[:, 0, 0]}, "ids": NAMES}
    activis_tb.keras.record(text_cnn(), data, tmp_path, labels=None, examples=(X[:2], Y[:2]), **columns, **HIDDEN)
    reader = snapshots(tmp_path)[0]
    assert in_order(reader, np.array(reader.sample().ids)).tolist() == NAMES
    assert reader.examples().label.tolist() == Y[:2].tolist()


def test_a_callback_records_data_without_labels_after_every_epoch(tmp_path):
    model = compiled(text_cnn())
    callback = activis_tb.keras.ActivisCallback(tmp_path, X, labels=None, ids=NAMES, **HIDDEN)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    assert [reader.manifest.labelled for reader in snapshots(tmp_path).values()] == [False, False]


def test_shuffled_data_without_labels_is_known_by_its_inputs_or_refused(tmp_path):
    shuffled = tf.data.Dataset.from_tensor_slices(X).shuffle(INSTANCES, seed=3).batch(8)
    with pytest.raises(ReorderedError, match="shuffled anew in every pass, with ids beside it"):
        activis_tb.keras.record(text_cnn(), shuffled, tmp_path / "ids", labels=None, ids=NAMES, **HIDDEN)
    ids = []
    for run in ("one", "two"):
        activis_tb.keras.record(text_cnn(), shuffled, tmp_path / run, labels=None, **HIDDEN)
        ids.append(set(snapshots(tmp_path / run)[0].sample().ids))
    assert ids[0] == ids[1]


def test_another_order_of_the_inputs_is_noticed_without_labels(tmp_path):
    passes = []

    class Turning:
        def __iter__(self):
            passes.append(1)
            return iter(whole(X if len(passes) <= 6 else X[::-1].copy()))

    callback = activis_tb.keras.ActivisCallback(tmp_path, Turning(), labels=None, ids=NAMES, strict=True, **HIDDEN)
    model = compiled(text_cnn())
    with pytest.raises(ReorderedError, match="the inputs in another order"):
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[callback])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": Y, "labels": None}, "y: got ndarray; expected None, as labels=None says that there are no labels"),
        ({"labels": Y}, 'labels: got ndarray; expected "data", or None .* Labels are passed as y'),
        ({"labels": None, "ids": NAMES[1:]}, "ids: got"),
        ({"labels": None, "subsets": {"wrong": "label <> predicted"}}, "without labels"),
    ],
)
def test_what_does_not_go_without_labels_is_refused(tmp_path, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        activis_tb.keras.ActivisCallback(tmp_path, X, **arguments, **HIDDEN)


def test_inputs_of_unlike_lengths_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"x\[1\]: got 5 instances; expected \d+ instances, as in the other inputs"):
        activis_tb.keras.ActivisCallback(tmp_path, [X, X[:5]], labels=None, **HIDDEN)
