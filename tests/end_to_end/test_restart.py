"""A training that is started again on the same log directory and repeats its steps."""

from pathlib import Path

import keras
import numpy as np
import pytest

import activis_tb.keras
from tests.plugin.server import LOADERS, Server, snapshots

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)


def train(logdir: Path, epochs: int, seed: int) -> np.ndarray:
    """Returns what `hidden` gives for X in the end, float64 (instances, neurons)."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(5, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="output")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    callbacks = [
        keras.callbacks.TensorBoard(logdir),
        activis_tb.keras.ActivisCallback(logdir, X, Y, layers=["hidden"], classes=["no", "yes"]),
    ]
    model.fit(X, Y, epochs=epochs, verbose=0, callbacks=callbacks)
    return np.asarray(keras.Model(inputs, hidden)(X), np.float64)


@pytest.mark.parametrize("loader", LOADERS)
def test_repeated_steps_serve_the_newest_and_lose_none(tmp_path: Path, loader: str) -> None:
    train(tmp_path / "cnn", epochs=4, seed=1)
    newest = train(tmp_path / "cnn", epochs=2, seed=2)
    server = Server(tmp_path, loader)
    try:
        listing = server.wait(lambda listing: len(snapshots(listing)) == 4)
        assert [step for _, _, step in snapshots(listing)] == [0, 1, 2, 3]
        query = {"run": "cnn/activis", "name": "validation", "layer": "hidden", "statistic": "mean"}
        served = server.array("statistics", step=1, **query)
        expected = np.stack([newest[label == Y].mean(axis=0) for label in (0, 1)])
        np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-6)
        assert np.isfinite(server.array("statistics", step=3, **query)).all()
    finally:
        server.close()
