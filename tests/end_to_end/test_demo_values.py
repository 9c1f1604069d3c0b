"""What the plugin serves of a demo's run equals what NumPy computes on the trained model's own outputs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest

import digit_cnn
import question_grammar
import trec
import word_cnn
from tests.data import TREC, needed
from tests.plugin.server import LOADERS, Server


class Trained(NamedTuple):
    """A recorded run with what it is to be compared with."""

    logdir: Path
    run: str
    name: str
    step: int
    outputs: Mapping[str, np.ndarray]
    """By layer, (instances, neurons), pooled, in the order of the data."""
    labels: np.ndarray
    members: np.ndarray
    """The mapping S, bool (instances, subsets)."""
    head: keras.layers.Dense
    """Makes the output of the layer `hidden`."""


@pytest.fixture(scope="module", params=["grammar", "trec", "digits"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    logdir = tmp_path_factory.mktemp(request.param)
    if request.param == "digits":
        return train_digits(logdir)
    return train_questions(logdir, trec.read(needed(TREC)) if request.param == "trec" else question_grammar.generate())


def train_questions(logdir: Path, questions: trec.Questions) -> Trained:
    model = word_cnn.train(logdir / "cnn", questions, dropout=0.5, epochs=2)
    vectorise = word_cnn.word_numbers([question.text for question in questions.training])
    x, labels = word_cnn.examples(questions.test, vectorise)
    what_is = np.array([question.text.lower().startswith("what is ") for question in questions.test])
    outputs = layer_outputs(model, word_cnn.LAYERS, x)
    members = np.column_stack([labels[:, None] == np.arange(len(trec.CLASSES)), what_is])
    return Trained(logdir, "cnn/activis", "test", 1, outputs, labels, members, model.get_layer("output"))


def train_digits(logdir: Path) -> Trained:
    model = digit_cnn.train(logdir / "digits", epochs=2)
    _, x, _, labels = digit_cnn.digits()
    outputs = layer_outputs(model, digit_cnn.LAYERS, x)
    alike = np.isin(labels, [1, 7, 9])
    faint = x.mean(axis=(1, 2, 3)) < 0.27
    members = np.column_stack([labels[:, None] == np.arange(10), alike, faint])
    return Trained(logdir, "digits/validation", "validation", 1, outputs, labels, members, model.get_layer("output"))


def layer_outputs(model: keras.Model, layers: tuple[str, ...], x: np.ndarray) -> dict[str, np.ndarray]:
    """Returns each layer's output, (instances, neurons): maxima where the layer is of a higher rank."""
    whole = keras.Model(model.inputs, [model.get_layer(layer).output for layer in layers])
    outputs = (np.asarray(output, np.float64) for output in whole.predict(x, batch_size=97, verbose=0))
    return {
        layer: output.max(axis=tuple(range(1, output.ndim - 1))) if output.ndim > 2 else output
        for layer, output in zip(layers, outputs, strict=True)
    }


@pytest.fixture(scope="module", params=LOADERS)
def server(trained: Trained, request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(trained.logdir, request.param)
    server.wait_for_snapshots(2)
    yield server
    server.close()


def query(trained: Trained, **more: str) -> dict[str, object]:
    return {"run": trained.run, "name": trained.name, "step": trained.step, **more}


def expected_statistics(values: np.ndarray, members: np.ndarray) -> dict[str, np.ndarray]:
    rows = [values[column] for column in members.T]
    return {
        "count": np.array([np.full(values.shape[1], len(row)) for row in rows]),
        "mean": np.array([row.mean(axis=0) for row in rows]),
        "std": np.array([row.std(axis=0) for row in rows]),
        "min": np.array([row.min(axis=0) for row in rows]),
        "max": np.array([row.max(axis=0) for row in rows]),
        "active": np.array([(row > 0).mean(axis=0) for row in rows]),
        "nonfinite": np.zeros((len(rows), values.shape[1])),
    }


def test_every_statistic_equals_numpy_on_the_models_outputs(trained: Trained, server: Server) -> None:
    for layer, values in trained.outputs.items():
        scale = np.abs(values).max()
        for statistic, expected in expected_statistics(values, trained.members).items():
            served = server.array("statistics", **query(trained, layer=layer, statistic=statistic))
            np.testing.assert_allclose(
                served, expected, rtol=1e-5, atol=1e-6 * scale, err_msg=f"{statistic} of {layer}"
            )


def test_the_sampled_activations_are_the_models(trained: Trained, server: Server) -> None:
    instances = server.json("instances", **query(trained))
    index = np.array(instances["index"], int)
    assert len(set(index.tolist())) == len(index) > 300
    np.testing.assert_array_equal(instances["label"], trained.labels[index])
    for layer, values in trained.outputs.items():
        served = server.array("activations", **query(trained, layer=layer))
        np.testing.assert_allclose(served, values[index], rtol=1e-5, atol=1e-6 * np.abs(values).max())


def test_the_recorded_layers_reproduce_the_predictions(trained: Trained, server: Server) -> None:
    instances = server.json("instances", **query(trained))
    hidden = server.array("activations", **query(trained, layer="hidden"))
    output = server.array("activations", **query(trained, layer="output"))
    kernel, bias = (np.asarray(weight, np.float64) for weight in trained.head.get_weights())
    exponentials = np.exp(hidden @ kernel + bias)
    scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(output, scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(instances["predicted"], scores.argmax(axis=1))
    np.testing.assert_allclose(instances["score"], scores.max(axis=1), rtol=1e-4)


def test_subset_counts_are_those_of_the_whole_data(trained: Trained, server: Server) -> None:
    predicted = trained.outputs["output"].argmax(axis=1)
    (entry,) = (
        one
        for run in server.json("runs")["runs"]
        for one in run["snapshots"]
        if (one["name"], one["step"]) == (trained.name, trained.step)
    )
    assert entry["instances"] == len(trained.labels)
    for subset, column in zip(entry["subsets"], trained.members.T, strict=True):
        assert subset["count"] == column.sum()
        assert subset["correct"] == (predicted == trained.labels)[column].sum()
        classes = len(entry["classes"])
        assert subset["predicted_counts"] == np.bincount(predicted[column], minlength=classes).tolist()


SCALARS = {
    "cnn/activis": (("cnn/train", "epoch_loss"), ("cnn/validation", "epoch_accuracy")),
    "digits/validation": (("digits/train", "loss"), ("digits/validation", "accuracy")),
}


def test_the_users_own_scalars_are_complete(trained: Trained, server: Server) -> None:
    for run, tag in SCALARS[trained.run]:
        answer = server.client.get("/data/plugin/scalars/scalars", query_string={"run": run, "tag": tag})
        assert answer.status_code == 200, answer.text
        assert [step for _, step, _ in answer.get_json()] == [0, 1]


def test_every_epoch_is_served(trained: Trained, server: Server) -> None:
    for step in range(trained.step + 1):
        for layer in trained.outputs:
            means = server.array("statistics", **{**query(trained, layer=layer, statistic="mean"), "step": step})
            assert np.isfinite(means).all()
