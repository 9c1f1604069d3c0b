"""Under tf.distribute, replicas and workers give the snapshot that one device would."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.unit.recording.helpers import read_snapshots

ROOT = Path(__file__).resolve().parents[2]
INSTANCES = 37

DATA = """
import sys
import numpy as np
import tensorflow as tf
import activis_tb

generator = np.random.default_rng(5)
x = generator.normal(size=(37, 4)).astype(np.float32)
y = generator.integers(0, 3, 37)
kernel = generator.normal(size=(4, 3)).astype(np.float32)
arguments = {"step": 1, "layers": ["hidden"], "classes": ["a", "b", "c"], "sample": 9, "quiet": True}
ids = np.arange(37)

def forward(values):
    hidden = tf.nn.relu(values @ kernel)
    return hidden, tf.nn.softmax(hidden)
"""

MIRRORED = """
device = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
data = tf.data.Dataset.from_tensor_slices((ids, x, y)).batch(10)

@tf.function
def step(batch):
    return strategy.run(lambda ids, x, y: (ids, y, *forward(x)), args=batch)

with activis_tb.preprocess(f"{sys.argv[1]}/loop", **arguments) as snapshot:
    for batch in strategy.experimental_distribute_dataset(data):
        for replica in zip(*map(strategy.experimental_local_results, step(batch))):
            names, labels, hidden, scores = replica
            snapshot.process(ids=names, labels=labels, scores=scores, activations={"hidden": hidden})

import keras

with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu", name="hidden")])
    model.add(keras.layers.Softmax())
    model.compile("sgd", "sparse_categorical_crossentropy")
callback = activis_tb.keras.ActivisCallback(
    f"{sys.argv[1]}/fit", x, y, ids=ids, layers=["hidden"], classes=["a", "b", "c"], strict=True, quiet=True
)
model.fit(x, y, epochs=1, batch_size=10, verbose=0, callbacks=[callback])
np.savez(f"{sys.argv[1]}/weights.npz", *model.get_layer("hidden").get_weights())
"""

WORKER = """
strategy = tf.distribute.MultiWorkerMirroredStrategy()
rank = strategy.cluster_resolver.task_id
data = tf.data.Dataset.from_tensor_slices((ids, x, y)).shard(2, rank).batch(8)

@tf.function
def step(x):
    return strategy.run(forward, args=(x,))

with activis_tb.preprocess(f"{sys.argv[1]}/run", **arguments) as snapshot:
    for names, values, labels in data:
        hidden, scores = (strategy.experimental_local_results(value)[0] for value in step(values))
        snapshot.process(ids=names, labels=labels, scores=scores, activations={"hidden": hidden})
    if rank:
        tf.io.write_file(f"{sys.argv[1]}/part", snapshot.extract())
    strategy.gather(tf.constant([1]), axis=0)
    if not rank:
        snapshot.merge(tf.io.read_file(f"{sys.argv[1]}/part").numpy())
"""


def data():
    """The same as in the programs: x, y, and the hidden layer's kernel."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(INSTANCES, 4)).astype(np.float32)
    return x, generator.integers(0, 3, INSTANCES), generator.normal(size=(4, 3)).astype(np.float32)


def start(program: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DATA + program, str(folder)]
    variables = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | environment
    return subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-3000:]


def check(folder: Path, hidden: np.ndarray) -> None:
    """The only snapshot in `folder` is that of all instances, each once."""
    (reader,) = read_snapshots(folder / "activis")
    labels = data()[1]
    assert reader.manifest.instances == INSTANCES
    for position in range(3):
        members = hidden[labels == position].astype(np.float64)
        assert_array_equal(reader.statistic("hidden", "count")[position], [len(members)] * 3)
        assert_allclose(reader.statistic("hidden", "mean")[position], members.mean(axis=0), rtol=1e-5, atol=1e-6)
        assert_allclose(reader.statistic("hidden", "std")[position], members.std(axis=0), rtol=1e-5, atol=1e-6)
    sampled = reader.sample().ids.astype(int)
    assert_allclose(reader.activations("hidden"), hidden[sampled], rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mirrored")
    finish(start(MIRRORED, folder))
    return folder


def test_the_replicas_of_a_custom_loop_give_every_instance_once(mirrored: Path) -> None:
    x, _, kernel = data()
    check(mirrored / "loop", np.maximum(x @ kernel, 0))


def test_fit_under_a_mirrored_strategy_is_recorded(mirrored: Path) -> None:
    kernel, bias = np.load(mirrored / "weights.npz").values()
    check(mirrored / "fit", np.maximum(data()[0] @ kernel + bias, 0))


def test_two_workers_write_one_snapshot(tmp_path: Path) -> None:
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("localhost", 0))
        addresses = [f"localhost:{one.getsockname()[1]}" for one in (first, second)]
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}} for rank in range(2)]
    workers = [start(WORKER, tmp_path, TF_CONFIG=json.dumps(task)) for task in tasks]
    for worker in workers:
        finish(worker)
    x, _, kernel = data()
    check(tmp_path / "run", np.maximum(x @ kernel, 0))
