"""Pooling of activations of any rank: (instances, ..., channels) becomes (instances, neurons)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import Layer, LayerSpec, PooledActivations, Pooling
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


def read_masks(mask: object, layers: Sequence[str], rows: int) -> Mapping[str, NDArray[np.bool_]]:
    """Returns the padding masks of a batch by layer, bool (instances, steps), True where there is no padding.

    Args:
        mask: One for all layers, or masks by layer name: booleans or 1 and 0. None for no mask.
        layers: Names of those that there are activations of.
        rows: Instances of the batch.

    Raises:
        ArgumentError: It is no such thing.
    """
    if mask is None:
        return {}
    if not isinstance(mask, Mapping):
        return dict.fromkeys(layers, _read_mask(mask, "mask", rows))
    if unknown := [name for name in mask if name not in layers]:
        raise ArgumentError("mask", f"the layer {unknown[0]!r}", f"layers of activations: {', '.join(layers)}")
    return {name: _read_mask(value, f'mask["{name}"]', rows) for name, value in mask.items()}


def _read_mask(mask: object, argument: str, rows: int) -> NDArray[np.bool_]:
    array = as_array(mask, argument)
    expected = "booleans, or 1 and 0, of shape (instances, steps); False where a step is padding"
    if array.ndim != 2 or not is_numeric(array):
        raise ArgumentError(argument, f"{array.dtype} of shape {array.shape}", expected)
    check_rows(array, rows, argument)
    kept: NDArray[np.bool_] = array != 0
    if (array < 0).any() or (array.dtype.kind not in "iub" and (kept & (array != 1)).any()):
        raise ArgumentError(argument, f"values from {array.min()} to {array.max()}", expected)
    return kept


def pool(
    value: object, spec: LayerSpec, rows: int, mask: NDArray[np.bool_] | None = None, *, is_own_mask: bool = False
) -> PooledActivations:
    """Returns one batch of the layer `spec`, pooled over all axes but the instances and the channels.

    Args:
        value: (instances, neurons), (instances,) for one neuron, or of rank > 2 with the channels on
            `spec.channel_axis`; other axes may be of any length, another one in every batch. Any real type; it becomes
            float32. `PooledActivations` stay what they are.
        spec: The layer.
        rows: Instances of the batch.
        mask: (instances, steps), False where a step, on the first of the axes that are pooled away, is padding. Of an
            instance that is padding throughout comes NaN.
        is_own_mask: Whether the mask is of this very layer, not one for all that are of rank > 2.

    Raises:
        ArgumentError: It is not numeric, has another number of instances, no channel axis or an empty axis, or other
            steps than its mask.
    """
    argument = f'activations["{spec.name}"]'
    array = as_array(value, argument)
    if not is_numeric(array):
        raise ArgumentError(argument, f"dtype {array.dtype}", "real numbers", "Pass the layer's output tensor.")
    check_rows(array, rows, argument)
    if array.ndim < 3 and is_own_mask:
        expected = "a mask of a layer of rank > 2, which is yet to be pooled"
        raise ArgumentError(f'mask["{spec.name}"]', f"one for activations of shape {array.shape}", expected)
    if isinstance(value, PooledActivations):
        return replace(value, values=as_float32(array))
    if 0 in array.shape[1:]:
        expected = "(instances, neurons) or (instances, ..., channels) without an empty axis"
        raise ArgumentError(argument, f"shape {array.shape}", expected)
    if array.ndim < 3:
        values = as_float32(array if array.ndim == 2 else array[:, None])
        return PooledActivations(values, values.shape[1:], _name(array.dtype))
    channels_last = np.moveaxis(array, _channel_axis(array, spec, argument), -1)
    if mask is None:
        values = _pooled(channels_last, spec.pooling)
    else:
        if mask.shape != channels_last.shape[:2]:
            expected = f"{channels_last.shape[:2]}, the instances and steps of layer {spec.name!r}"
            way_out = "" if is_own_mask else "Give masks by layer name where layers have other steps."
            raise ArgumentError("mask", f"shape {mask.shape}", expected, way_out)
        values = _pooled_where(channels_last, mask, spec.pooling)
    return PooledActivations(values, tuple(array.shape[1:]), _name(array.dtype), spec.pooling)


def _pooled(values: NDArray[Any], pooling: Pooling) -> NDArray[np.float32]:
    """Returns `values` (instances, ..., channels) pooled over all axes but the first and the last."""
    axes = tuple(range(1, values.ndim - 1))
    if pooling == "max":
        largest: NDArray[np.float32] = as_float32(values).max(axis=axes)
        return largest
    if pooling == "mean":
        return as_float32(as_float32(values).mean(axis=axes, dtype=np.float64))
    return as_float32(values[(slice(None), *[0 if pooling == "first" else -1 for _ in axes])])


def _pooled_where(values: NDArray[Any], mask: NDArray[np.bool_], pooling: Pooling) -> NDArray[np.float32]:
    """Returns the same of the positions where `mask` (instances, steps) is True; NaN where there are none."""
    flat = as_float32(values).reshape(len(values), -1, values.shape[-1])
    kept = np.repeat(mask, flat.shape[1] // mask.shape[1], axis=1)
    count = kept.sum(axis=1, keepdims=True)
    if pooling == "mean":
        total = np.where(kept[..., None], flat, 0).sum(axis=1, dtype=np.float64)
        return as_float32(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    if pooling == "max":
        pooled = np.where(kept[..., None], flat, -np.inf).max(axis=1)
    else:
        last = kept.shape[1] - 1 - kept[:, ::-1].argmax(axis=1)
        pooled = flat[np.arange(len(flat)), kept.argmax(axis=1) if pooling == "first" else last]
    return as_float32(np.where(count > 0, pooled, np.nan))


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
