"""Layers of any rank, length and type become one float32 column per neuron."""

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.errors import ArgumentError
from activis_tb.model import ForwardGraph, Layer, LayerSpec, PooledActivations
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import batch, record

IMAGE = np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)


def recorded(tmp_path: Path, *parts: Any, spec: LayerSpec | None = None, **arguments: Any) -> SnapshotReader:
    batches = [batch([0] * len(part), part) for part in parts]
    return record(tmp_path, batches, layers=[spec or "hidden"], **arguments)


def in_stream_order(snapshot: SnapshotReader) -> np.ndarray:
    return snapshot.activations("hidden")[np.argsort(snapshot.sample().index)]


def test_more_than_two_axes_are_pooled_by_the_maximum(tmp_path: Path) -> None:
    snapshot = recorded(tmp_path, IMAGE)
    assert_array_equal(in_stream_order(snapshot), [[9, 10, 11], [21, 22, 23]])
    assert snapshot.manifest.layers == (Layer("hidden", 3, (2, 2, 3), "float32", pooling="max", positions="grid"),)


def test_the_mean_is_taken_on_request(tmp_path: Path) -> None:
    snapshot = recorded(tmp_path, IMAGE, spec=LayerSpec("hidden", pooling="mean"))
    assert_array_equal(in_stream_order(snapshot), IMAGE.mean(axis=(1, 2)))
    assert snapshot.manifest.layers[0].pooling == "mean"


def test_channels_may_come_first(tmp_path: Path) -> None:
    snapshot = recorded(tmp_path, np.moveaxis(IMAGE, -1, 1), spec=LayerSpec("hidden", channel_axis=1))
    assert_array_equal(in_stream_order(snapshot), [[9, 10, 11], [21, 22, 23]])
    assert snapshot.manifest.layers[0].shape == (3, 2, 2)


def test_batches_of_different_length_are_one_layer(tmp_path: Path) -> None:
    snapshot = recorded(tmp_path, [[[1.0, 5.0], [2.0, 4.0]]], [[[3.0, 0.0]], [[7.0, 8.0]]])
    assert_array_equal(in_stream_order(snapshot), [[2, 5], [3, 0], [7, 8]])
    assert snapshot.manifest.layers[0].shape == (-1, 2)


def test_a_layer_pooled_on_the_device_keeps_its_shape_and_type(tmp_path: Path) -> None:
    batches = [PooledActivations(np.ones((2, 2), np.float32), (length, 2), "bfloat16", "mean") for length in (10, 9)]
    assert recorded(tmp_path / "one", batches[0]).manifest.layers[0].shape == (10, 2)
    snapshot = recorded(tmp_path, *batches)
    assert snapshot.manifest.layers == (Layer("hidden", 2, (-1, 2), "bfloat16", pooling="mean"),)


def test_a_flat_layer_is_not_said_to_be_pooled(tmp_path: Path) -> None:
    assert recorded(tmp_path, np.ones((2, 4))).manifest.layers == (Layer("hidden", 4, (4,), "float64"),)


def test_one_number_per_instance_is_a_layer_of_one_neuron(tmp_path: Path) -> None:
    snapshot = recorded(tmp_path, np.array([3.0, -4.0], np.float32))
    assert_array_equal(in_stream_order(snapshot), [[3], [-4]])
    assert snapshot.manifest.layers == (Layer("hidden", 1, (1,), "float32", signed=True),)


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float64, np.int32, np.uint8, np.bool_, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]
)
def test_every_real_type_becomes_float32(tmp_path: Path, dtype: Any) -> None:
    values = np.array([[0, 1], [1, 1]]).astype(dtype)
    snapshot = recorded(tmp_path, values)
    assert_array_equal(in_stream_order(snapshot), values.astype(np.float32))
    assert_array_equal(snapshot.statistic("hidden", "mean")[0], [0.5, 1])
    assert snapshot.manifest.layers[0].dtype == np.dtype(dtype).name


def test_tensors_are_taken_as_they_are(tmp_path: Path) -> None:
    values = tf.constant([[[1.0, 2.0], [3.0, 0.5]]], tf.bfloat16)
    assert_array_equal(in_stream_order(recorded(tmp_path, values)), [[3, 2]])


def test_half_precision_is_averaged_in_full(tmp_path: Path) -> None:
    values = np.full((5000, 1), 60000, np.float16)
    statistics = recorded(tmp_path, values).statistics("hidden")
    assert_allclose(statistics.mean[0], float(values[0, 0]))


def test_what_float32_cannot_hold_counts_as_nonfinite(tmp_path: Path) -> None:
    statistics = recorded(tmp_path, np.array([[1e300], [1.0]])).statistics("hidden")
    assert (statistics.nonfinite[0, 0], statistics.mean[0, 0]) == (1, 1)


def test_the_callers_array_may_be_overwritten(tmp_path: Path) -> None:
    values = np.zeros((2, 1), np.float32)

    def batches() -> Any:
        for number in (1, 2):
            values[:] = number
            yield batch([0, 0], values)

    assert_array_equal(in_stream_order(record(tmp_path, batches()))[:, 0], [1, 1, 2, 2])


def test_tensor_names_come_with_the_graph(tmp_path: Path) -> None:
    graph = ForwardGraph(b"", {"hidden": "model/hidden/Relu:0"})
    manifest = recorded(tmp_path, np.ones((1, 1)), graph=graph).manifest
    assert manifest.layers[0].tensor == "model/hidden/Relu:0"
    assert manifest.graph_digest == graph.digest


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3.0, r'activations\["hidden"\]: got shape \(\); expected 2 instances on the first axis'),
        ([["a"], ["b"]], r"got dtype <U1; expected real numbers"),
        (np.ones((2, 1), complex), r"got dtype complex128; expected real numbers"),
        (
            np.ones((3, 1)),
            r"got shape \(3, 1\); expected 2 instances on the first axis, as labels \(or else scores\) has",
        ),
        (np.ones((2, 0, 3)), r"got shape \(2, 0, 3\); expected .* without an empty axis"),
        ([[1.0], [1.0, 2.0]], r"got list; expected something that numpy.asarray reads\. NumPy said: .*inhomogeneous"),
    ],
)
def test_what_is_no_layer_is_refused(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1], value)])


def test_a_channel_axis_that_is_not_there_is_refused(tmp_path: Path) -> None:
    message = r"got channel_axis=4 for shape \(2, 2, 2, 3\); expected an axis from 1 to 3"
    with pytest.raises(ArgumentError, match=message):
        recorded(tmp_path, IMAGE, spec=LayerSpec("hidden", channel_axis=4))


def test_another_number_of_neurons_is_refused(tmp_path: Path) -> None:
    message = r"got 3 neurons from instances of shape \(3,\); expected 2 neurons from instances of shape \(2,\)"
    with pytest.raises(ArgumentError, match=message):
        recorded(tmp_path, np.ones((1, 2)), np.ones((1, 3)))
