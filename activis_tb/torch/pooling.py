"""What modules return as one column per neuron, pooled on the device that computed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, PooledActivations

_CHANNELS_FIRST = (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.InstanceNorm1d, nn.MaxPool1d, nn.AvgPool1d)
"""Modules whose channels are on axis 1 in sequences too; in pictures and volumes they always are."""


@dataclass(frozen=True)
class Pooled:
    """One output on its device: float32 (instances, neurons), and what it was."""

    values: torch.Tensor
    shape: tuple[int, ...]
    dtype: str
    pooling: str

    def to_numpy(self) -> PooledActivations:
        """Returns it for `process`; here the values leave the device."""
        return PooledActivations(self.values.cpu().numpy(), self.shape, self.dtype, self.pooling)


def pooled(output: Any, module: nn.Module, spec: LayerSpec, mask: torch.Tensor | None) -> Pooled:
    """Returns the first tensor of `output` pooled over all axes but the instances and the neurons.

    Args:
        output: What `module` returned: a tensor, or tuples, lists and dicts of them.
        module: Tells where the instances and the channels are.
        spec: How to pool; a `channel_axis` here goes before what the module tells.
        mask: bool (instances, steps), False where a step is padding; it holds for sequences of so many steps.

    Raises:
        ArgumentError: There is no dense tensor of numbers, or no such axis.
    """
    tensor = _instances_first(_first_tensor(output, spec.name), module).detach()
    shape, dtype = tuple(tensor.shape[1:]) or (1,), str(tensor.dtype).removeprefix("torch.")
    values = tensor.float()
    if values.ndim < 3:
        return Pooled(values.reshape(len(values), -1), shape, dtype, "")
    channels_last = values.movedim(_channel_axis(values, module, spec), -1)
    flat = channels_last.flatten(1, -2)
    if mask is not None and channels_last.ndim == 3 and mask.shape == channels_last.shape[:2]:
        return Pooled(_masked(flat, mask.to(flat.device, torch.bool), spec), shape, dtype, spec.pooling)
    return Pooled(flat.amax(1) if spec.pooling == "max" else flat.mean(1), shape, dtype, spec.pooling)


def _masked(values: torch.Tensor, mask: torch.Tensor, spec: LayerSpec) -> torch.Tensor:
    """Of an instance that is padding throughout comes NaN."""
    count = mask.sum(1, keepdim=True)
    kept = mask.unsqueeze(-1)
    if spec.pooling == "mean":
        return values.where(kept, 0.0).sum(1) / count
    return values.where(kept, -torch.inf).amax(1).where(count > 0, torch.nan)


def _first_tensor(output: Any, name: str) -> torch.Tensor:
    if isinstance(output, nn.utils.rnn.PackedSequence):
        way_out = "Record a layer after torch.nn.utils.rnn.pad_packed_sequence, or give the model padded sequences."
        raise ArgumentError("layers", f"{name!r}, which returns a packed sequence", "a tensor", way_out)
    while isinstance(output, tuple | list | Mapping) and output:
        output = next(iter(output.values())) if isinstance(output, Mapping) else output[0]
    is_dense = isinstance(output, torch.Tensor) and output.layout == torch.strided and not output.is_nested
    if not is_dense or output.ndim < 1 or output.is_complex():
        got = f"{output.dtype} {tuple(output.shape)}" if is_dense else type(output).__name__
        expected = "a layer that returns a dense tensor of real numbers, the instances on the first axis"
        raise ArgumentError("layers", f"{name!r}, which returns {got}", expected, "Record another layer.")
    tensor: torch.Tensor = output
    return tensor


def _instances_first(tensor: torch.Tensor, module: nn.Module) -> torch.Tensor:
    """Recurrent and attention modules put the steps first unless they are told otherwise."""
    attention = getattr(module, "self_attn", module)
    steps_first = getattr(attention, "batch_first", True) is False and tensor.ndim == 3
    return tensor.transpose(0, 1) if steps_first else tensor


def _channel_axis(values: torch.Tensor, module: nn.Module, spec: LayerSpec) -> int:
    if spec.channel_axis is None:
        return 1 if values.ndim > 3 or isinstance(module, _CHANNELS_FIRST) else values.ndim - 1
    if not -values.ndim < spec.channel_axis < values.ndim or spec.channel_axis == 0:
        got = f"channel_axis={spec.channel_axis} for {spec.name!r} of shape {tuple(values.shape)}"
        raise ArgumentError("layers", got, f"an axis from 1 to {values.ndim - 1}, or negative from the end")
    return spec.channel_axis
