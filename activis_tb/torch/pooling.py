"""What modules return as one column per neuron, pooled on the device that computed it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from activis_tb.model import LayerSpec, PooledActivations, Pooling


@dataclass(frozen=True)
class Pooled:
    """One output on its device, in memory of its own: float32 (instances, neurons), and what it was.

    Attributes:
        values: float32 (instances, neurons).
        shape: Of one instance before pooling.
        dtype: What it was computed in.
        pooling: How it was pooled; empty where there was nothing to pool.
        steps: Positions on the first of the axes that are pooled away; 0 where there are none.
        is_masked: Whether padding was left out.
    """

    values: torch.Tensor
    shape: tuple[int, ...]
    dtype: str
    pooling: str = ""
    steps: int = 0
    is_masked: bool = False

    def to_numpy(self) -> PooledActivations:
        """Returns it for `process`, read-only; here the values leave the device."""
        values = self.values.cpu().numpy()
        values.flags.writeable = False
        return PooledActivations(values, self.shape, self.dtype, self.pooling)


def pooled(tensor: torch.Tensor, spec: LayerSpec, axis: int, mask: torch.Tensor | None) -> Pooled:
    """Returns `tensor` pooled over all axes but the instances and the channels; nothing that is written to it shows.

    Args:
        tensor: (instances, ...), of rank 1 or higher.
        spec: How to pool.
        axis: That of the channels, where there are more than two axes.
        mask: bool (instances, steps), False where a step is padding; it holds where the first of the axes that are
            pooled away has so many steps.
    """
    shape, dtype = tuple(tensor.shape[1:]) or (1,), str(tensor.dtype).removeprefix("torch.")
    if tensor.ndim < 3:
        copy = tensor.detach().to(torch.float32, copy=True)
        return Pooled(copy if tensor.ndim == 2 else copy[:, None], shape, dtype)
    tensor = tensor.detach()
    channels_last = tensor.movedim(axis, -1)
    flat = channels_last.flatten(1, -2)
    steps = channels_last.shape[1]
    if mask is None or mask.shape != channels_last.shape[:2]:
        return Pooled(_POOL[spec.pooling](flat).to(torch.float32), shape, dtype, spec.pooling, steps)
    kept = mask.to(flat.device)
    kept = kept.reshape(*kept.shape, *[1] * (channels_last.ndim - 3)).expand(channels_last.shape[:-1]).flatten(1)
    return Pooled(_masked(flat.float(), kept, spec.pooling), shape, dtype, spec.pooling, steps, is_masked=True)


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.mean(1, dtype=torch.float64 if values.dtype == torch.float64 else torch.float32)


_POOL: dict[Pooling, Callable[[torch.Tensor], torch.Tensor]] = {
    "max": lambda values: values.amax(1),
    "mean": _mean,
    "first": lambda values: values[:, 0].clone(),
    "last": lambda values: values[:, -1].clone(),
}
"""By pooling, what makes new memory (instances, neurons) of (instances, positions, neurons)."""


def _masked(values: torch.Tensor, kept: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Of an instance that is padding throughout comes NaN."""
    count = kept.sum(1, keepdim=True)
    if pooling == "mean":
        return values.where(kept.unsqueeze(-1), 0.0).sum(1) / count
    if pooling == "max":
        pooled = values.where(kept.unsqueeze(-1), -torch.inf).amax(1)
    else:
        positions = torch.arange(values.shape[1], device=values.device) * (1 if pooling == "last" else -1)
        chosen = positions.where(kept, -values.shape[1]).argmax(1)
        pooled = values[torch.arange(len(values), device=values.device), chosen]
    return pooled.where(count > 0, torch.nan)
