"""Activations of any rank as one column per neuron: (instances, ..., channels) becomes (instances, neurons)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import Layer, LayerSpec
from activis_tb.recording.arrays import as_array, as_float32, check_rows, is_numeric


@dataclass(frozen=True)
class Pooled:
    """One batch of a layer.

    Attributes:
        values: float32 (instances, neurons).
        shape: Shape of one instance's activation before pooling.
        dtype: Name of the type it came in.
        pooling: `max` or `mean` where axes were pooled away, else empty.
    """

    values: NDArray[np.float32]
    shape: tuple[int, ...]
    dtype: str
    pooling: str

    def layer(self, name: str, earlier: Layer | None) -> Layer:
        """Returns the layer as this batch and the earlier ones show it; an axis that varies is -1.

        Raises:
            ArgumentError: This batch has another rank or number of neurons than the earlier ones.
        """
        neurons = self.values.shape[1]
        if earlier is None:
            return Layer(name, neurons, self.shape, self.dtype, pooling=self.pooling)
        if neurons != earlier.neurons or len(self.shape) != len(earlier.shape):
            raise ArgumentError(
                f'activations["{name}"]',
                f"{neurons} neurons from instances of shape {self.shape}",
                f"{earlier.neurons} neurons from instances of shape {earlier.shape}, as in the earlier batches",
                "Another layer, or channel_axis= is not the axis of the channels.",
            )
        shape = tuple(old if old == new else -1 for old, new in zip(earlier.shape, self.shape, strict=True))
        return Layer(name, neurons, shape, earlier.dtype, pooling=earlier.pooling)


def pool(value: object, spec: LayerSpec, rows: int) -> Pooled:
    """Returns one batch of the layer `spec`, pooled over all axes but the instances and the channels.

    Args:
        value: (instances, neurons), or of rank > 2 with the channels on `spec.channel_axis`; other axes may be of any
            length, another one in every batch. Any real type; it becomes float32.
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
    dtype = spec.dtype or array.dtype.name
    if array.ndim < 2 or 0 in array.shape[1:]:
        raise ArgumentError(
            argument,
            f"shape {array.shape}",
            "(instances, neurons) or (instances, ..., channels) without an empty axis",
            "A layer of one neuron is activations[:, None].",
        )
    if array.ndim == 2:
        return _already_pooled(array, spec, dtype)
    channels_last = np.moveaxis(array, _channel_axis(array, spec, argument), -1)
    pooled_axes = tuple(range(1, array.ndim - 1))
    if spec.pooling == "max":
        values = as_float32(channels_last).max(axis=pooled_axes)
    else:
        values = as_float32(as_float32(channels_last).mean(axis=pooled_axes, dtype=np.float64))
    return Pooled(values, tuple(array.shape[1:]), dtype, spec.pooling)


def _already_pooled(array: NDArray[Any], spec: LayerSpec, dtype: str) -> Pooled:
    shape = tuple(array.shape[1:]) if spec.shape is None else tuple(spec.shape)
    return Pooled(as_float32(array), shape, dtype, spec.pooling if len(shape) > 1 else "")


def _channel_axis(array: NDArray[Any], spec: LayerSpec, argument: str) -> int:
    axis = spec.channel_axis + array.ndim if spec.channel_axis < 0 else spec.channel_axis
    if 1 <= axis < array.ndim:
        return axis
    raise ArgumentError(
        argument,
        f"channel_axis={spec.channel_axis} for shape {array.shape}",
        f"an axis from 1 to {array.ndim - 1}, or negative from the end",
        "Axis 0 is the instances.",
    )
