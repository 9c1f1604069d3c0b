"""Activations of any rank as one column per neuron: (instances, ..., channels) becomes (instances, neurons)."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import Layer, LayerSpec, PooledActivations
from activis_tb.recording.arrays import as_array, as_float32, check_rows, is_numeric


def layer_of(pooled: PooledActivations, name: str, earlier: Layer | None) -> Layer:
    """Returns the layer as this batch and the earlier ones show it; an axis that varies is -1.

    Raises:
        ArgumentError: This batch has another rank or number of neurons than the earlier ones.
    """
    neurons = pooled.values.shape[1]
    if earlier is None:
        return Layer(name, neurons, pooled.shape, pooled.dtype, pooling=pooled.pooling)
    if (earlier.neurons, earlier.shape) == (neurons, pooled.shape):
        return earlier
    return replace(earlier, shape=common_shape(earlier, Layer(name, neurons, pooled.shape, pooled.dtype)))


def common_shape(earlier: Layer, later: Layer) -> tuple[int, ...]:
    """Returns the shape of one instance in both; an axis that varies is -1. Raises ArgumentError if they are unlike."""
    if later.neurons != earlier.neurons or len(later.shape) != len(earlier.shape):
        raise ArgumentError(
            f'activations["{later.name}"]',
            f"{later.neurons} neurons from instances of shape {later.shape}",
            f"{earlier.neurons} neurons from instances of shape {earlier.shape}, as in the earlier batches",
            "Another layer, or channel_axis= is not the axis of the channels.",
        )
    return tuple(old if old == new else -1 for old, new in zip(earlier.shape, later.shape, strict=True))


def pool(value: object, spec: LayerSpec, rows: int) -> PooledActivations:
    """Returns one batch of the layer `spec`, pooled over all axes but the instances and the channels.

    Args:
        value: (instances, neurons), (instances,) for one neuron, or of rank > 2 with the channels on
            `spec.channel_axis`; other axes may be of any length, another one in every batch. Any real type; it becomes
            float32. `PooledActivations` stay what they are.
        spec: The layer.
        rows: Instances of the batch.

    Raises:
        ArgumentError: It is not numeric, has another number of instances, no channel axis or an empty axis.
    """
    argument = f'activations["{spec.name}"]'
    array = as_array(value, argument)
    if not is_numeric(array):
        raise ArgumentError(argument, f"dtype {array.dtype}", "real numbers", "Pass the layer's output tensor.")
    check_rows(array, rows, argument)
    if isinstance(value, PooledActivations):
        return replace(value, values=as_float32(array))
    if 0 in array.shape[1:]:
        expected = "(instances, neurons) or (instances, ..., channels) without an empty axis"
        raise ArgumentError(argument, f"shape {array.shape}", expected)
    if array.ndim < 3:
        values = as_float32(array if array.ndim == 2 else array[:, None])
        return PooledActivations(values, values.shape[1:], _name(array.dtype))
    channels_last = np.moveaxis(array, _channel_axis(array, spec, argument), -1)
    pooled_axes = tuple(range(1, array.ndim - 1))
    if spec.pooling == "max":
        values = as_float32(channels_last).max(axis=pooled_axes)
    else:
        values = as_float32(as_float32(channels_last).mean(axis=pooled_axes, dtype=np.float64))
    return PooledActivations(values, tuple(array.shape[1:]), _name(array.dtype), spec.pooling)


@lru_cache
def _name(dtype: np.dtype[Any]) -> str:
    """NumPy makes it up anew each time."""
    return dtype.name


def _channel_axis(array: NDArray[np.generic], spec: LayerSpec, argument: str) -> int:
    axis = -1 if spec.channel_axis is None else spec.channel_axis
    axis += array.ndim if axis < 0 else 0
    if 1 <= axis < array.ndim:
        return axis
    raise ArgumentError(
        argument,
        f"channel_axis={spec.channel_axis} for shape {array.shape}",
        f"an axis from 1 to {array.ndim - 1}, or negative from the end",
        "Axis 0 is the instances.",
    )
