"""Layers of any rank as one column per neuron, computed by Keras where the layer was."""

from typing import Any

import keras
import numpy as np

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, Pooling

ops = keras.ops
_REDUCE = {"max": ops.max, "mean": ops.mean}
"""By pooling; others take one position."""


def channel_axis(layer: keras.Layer, spec: LayerSpec, rank: int) -> int:
    """Returns the axis of the neurons in the output of `layer`, from 1 to `rank` - 1.

    It is the one that `spec` names; without a word of it, that of the layer's `data_format`; for pictures and volumes
    from layers that have none (an activation, say), that of Keras' setting.

    Raises:
        ArgumentError: `spec` names an axis that is not there.
    """
    if spec.channel_axis is not None and rank > 1:
        axis = spec.channel_axis % rank
        if not -rank < spec.channel_axis < rank or axis == 0:
            expected = f"an axis from 1 to {rank - 1}, or negative from the end"
            raise ArgumentError("layers", f"channel_axis={spec.channel_axis} for {spec.name!r}", expected)
        return axis
    if rank < 3:
        return rank - 1
    default = keras.config.image_data_format() if rank > 3 else "channels_last"
    order = getattr(layer, "data_format", None) or default
    return 1 if order == "channels_first" else rank - 1


def pooled(tensor: Any, mask: Any, axis: int, pooling: Pooling) -> Any:
    """Returns float32 (instances, neurons): `tensor` pooled over all axes but the first and that of the neurons.

    Args:
        tensor: (instances, ...), of rank 1 or higher.
        mask: Keras' mask, bool (instances, steps), False where a step is padding and is left out; or None. NaN is what
            comes of an instance that is padding throughout.
        axis: That of the neurons.
        pooling: How.
    """
    values = ops.cast(tensor, "float32")
    rank = len(values.shape)
    if rank < 3:
        return values if rank == 2 else values[:, None]
    values = ops.moveaxis(values, axis, -1)
    axes = tuple(range(1, rank - 1))
    if mask is None or not _fits(mask, values):
        return _REDUCE[pooling](values, axis=axes) if pooling in _REDUCE else _end(values, pooling)
    for _ in range(rank - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    mask = ops.logical_and(mask, ops.ones_like(values, dtype="bool"))
    count = ops.sum(ops.cast(mask, "float32"), axis=axes)
    if pooling == "mean":
        return ops.sum(ops.where(mask, values, 0.0), axis=axes) / count
    if pooling == "max":
        found = ops.max(ops.where(mask, values, -np.inf), axis=axes)
    else:
        found = _end_where(values, mask, pooling)
    return ops.where(count > 0, found, np.nan)


def _end(values: Any, pooling: Pooling) -> Any:
    """Returns the first or the last position of (instances, ..., neurons)."""
    while len(values.shape) > 2:
        values = values[:, 0 if pooling == "first" else -1]
    return values


def _end_where(values: Any, mask: Any, pooling: Pooling) -> Any:
    """Returns the same of the positions where `mask`, bool like `values`, is True; 0 where there are none."""
    flat = (ops.shape(values)[0], -1, values.shape[-1])
    kept = ops.reshape(mask, flat)
    count = ops.cumsum(ops.cast(kept, "int32"), axis=1)
    is_end = count == (1 if pooling == "first" else count[:, -1:])
    return ops.sum(ops.where(ops.logical_and(kept, is_end), ops.reshape(values, flat), 0.0), axis=1)


def _fits(mask: Any, values: Any) -> bool:
    """Whether the mask is one of these values' steps: a layer that shortens sequences may hand on its input's."""
    steps = zip(mask.shape[1:], values.shape[1:-1], strict=False)
    return 2 <= len(mask.shape) < len(values.shape) and all(None in pair or pair[0] == pair[1] for pair in steps)
