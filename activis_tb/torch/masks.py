"""Padding masks of one's own or of a call, and pooling over the steps that are no padding."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, PooledActivations, Pooling
from activis_tb.torch.modules import Target, modules_around


@dataclass(frozen=True)
class Pooled:
    """Pooled output on its device, in memory of its own.

    Attributes:
        values: float32 (instances, neurons).
        shape: Of one instance before pooling.
        dtype: In which it was computed.
        pooling: How it was pooled; empty where there was nothing to pool.
        steps: Positions on the first of the axes that are pooled away; 0 where there are none.
        is_masked: Whether padding was left out.
        unpooled: What was pooled, (instances, ..., neurons), where positions of sampled instances are kept.
        mask: Which steps are no padding, bool (instances, steps), where some was left out.
    """

    values: torch.Tensor
    shape: tuple[int, ...]
    dtype: str
    pooling: str = ""
    steps: int = 0
    is_masked: bool = False
    unpooled: torch.Tensor | None = None
    mask: torch.Tensor | None = None

    def to_numpy(self) -> PooledActivations:
        """Returns it for `process`, read-only: the pooled values leave the device."""
        values = self.values.cpu().numpy()
        values.flags.writeable = False
        mask = None if self.mask is None else self.mask.cpu().numpy()
        pooled = PooledActivations(values, self.shape, self.dtype, self.pooling, mask=mask)
        if (unpooled := self.unpooled) is None:
            return pooled
        return replace(pooled, take=lambda rows: unpooled[torch.as_tensor(rows)].float().cpu().numpy())


def pooled(
    tensor: torch.Tensor, spec: LayerSpec, axis: int, mask: torch.Tensor | None, *, with_tokens: bool = False
) -> Pooled:
    """Returns `tensor` pooled over all axes but the instances and the channels; later writes to it do not matter.

    Args:
        tensor: (instances, ...), of rank 1 or higher.
        spec: The layer.
        axis: Of the channels, where there are more than two axes.
        mask: bool (instances, steps), False where a step is padding; it applies where the first of the axes that are
            pooled away has as many steps.
        with_tokens: Whether positions have tokens, so that those of all instances are needed.
    """
    shape, dtype = tuple(tensor.shape[1:]) or (1,), str(tensor.dtype).removeprefix("torch.")
    if 0 in shape:
        got, expected = f"{spec.name!r} of shape {tuple(tensor.shape)}", "a layer without an empty axis"
        raise ArgumentError("layers", got, expected, "Record another layer, or leave such batches out.")
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.ndim < 3:
        copy = tensor.detach().to(torch.float32, copy=True)
        return Pooled(copy if tensor.ndim == 2 else copy[:, None], shape, dtype)
    tensor = tensor.detach()
    channels_last = tensor.movedim(axis, -1)
    flat = channels_last.flatten(1, -2)
    steps = channels_last.shape[1]
    is_kept = spec.pooling in {"max", "mean"} if spec.positions is None else spec.positions
    has_tokens = (with_tokens or bool(spec.tokens)) and tensor.ndim == 3 and spec.tokens is not False
    unpooled = channels_last.clone() if is_kept or has_tokens else None
    if mask is None or mask.shape != channels_last.shape[:2]:
        values = _POOL[spec.pooling](flat).to(torch.float32)
        return Pooled(values, shape, dtype, spec.pooling, steps, unpooled=unpooled)
    mask = kept = mask.to(flat.device)
    kept = kept.reshape(*kept.shape, *[1] * (channels_last.ndim - 3)).expand(channels_last.shape[:-1]).flatten(1)
    values = _masked(flat.float(), kept, spec.pooling)
    return Pooled(values, shape, dtype, spec.pooling, steps, is_masked=True, unpooled=unpooled, mask=mask)


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
    """Pools the steps that are no padding; an instance that is all padding becomes NaN."""
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


_KEEPS = {
    "attention_mask": True,
    "decoder_attention_mask": True,
    "tgt_key_padding_mask": False,
    "src_key_padding_mask": False,
}
"""Arguments of calls that tell of padding, and whether True is no padding there, as with Hugging Face, or is it, as in
PyTorch's own transformers."""
_OF_SOURCE = frozenset({"attention_mask", "src_key_padding_mask"})
_OF_TARGET = frozenset({"decoder_attention_mask", "decoder_input_ids", "tgt_key_padding_mask"})
"""Where a call has both, it is of two sequences: only its result is known to be of the second, and what is inside of it
has the masks of its own calls."""
_MOST_NAMES = 5
_HIDDEN = -1e3
"""What an additive mask has at most where nothing is to be attended to."""


def read_mask(value: Any, argument: str = "mask") -> torch.Tensor:
    """Returns a mask that the user gives, bool (instances, steps), True where there is no padding.

    Args:
        value: (instances, steps) of booleans or of numbers from 0 on, 0 where a step is padding; anything NumPy reads.
        argument: What the user calls it.

    Raises:
        ArgumentError: Another shape, or values that are no mask.
    """
    expected = "booleans, or 1 and 0, of shape (instances, steps); False where a step is padding"
    try:
        mask = value.detach() if isinstance(value, torch.Tensor) else torch.as_tensor(_numbers(value))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentError(argument, type(value).__name__, expected) from error
    if mask.ndim != 2 or mask.is_complex():
        raise ArgumentError(argument, f"shape {tuple(mask.shape)}", expected)
    kept = mask != 0
    is_mask = _is_zero_or_one(mask) if mask.is_floating_point() else mask.dtype == torch.bool or bool((mask >= 0).all())
    if not is_mask:
        raise ArgumentError(argument, f"values from {mask.min().item()} to {mask.max().item()}", expected)
    return kept


def padding_of(value: Any, *, keeps: bool) -> torch.Tensor | None:
    """Returns the padding mask in an argument of a call, as `read_mask` does, or None where it is none.

    Padding masks are (instances, steps) or (instances, 1, 1, steps), of booleans and whole numbers, or of floats,
    either 1 and 0 or additive: 0 where a step is attended to and hugely negative where not. Any other, such as a mask
    of which step attends to which, is none.

    Args:
        value: The argument.
        keeps: Whether True is no padding.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        value = torch.as_tensor(_numbers(value))
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_complex():
        return None
    mask = value.detach()
    if mask.ndim in {3, 4} and all(size == 1 for size in mask.shape[1:-1]):
        mask = mask.flatten(1, -2).squeeze(1)
    if mask.ndim != 2:
        return None
    if mask.is_floating_point() and bool(((mask == 0) | (mask < _HIDDEN)).all()):
        kept = mask == 0
    elif mask.dtype == torch.bool or (_is_zero_or_one(mask) if mask.is_floating_point() else bool((mask >= 0).all())):
        kept = (mask != 0) == keeps
    else:
        return None
    is_causal = len(kept) == kept.shape[1] > 1 and torch.equal(kept, torch.ones_like(kept).tril())
    return None if is_causal else kept


class _Found(NamedTuple):
    """Mask of a call, bool (instances, steps), and whether it is that of its inner calls too."""

    argument: str
    mask: torch.Tensor
    holds_inside: bool


class Masks:
    """Padding masks of one forward pass: the user's, else those in the calls of the model and its modules.

    Args:
        model: The model.
        targets: By layer name, what is captured of the model.

    Attributes:
        modules: Those whose calls may have a mask, by name.
    """

    def __init__(self, model: nn.Module, targets: Mapping[str, Target]) -> None:
        self._around = {name: modules_around(model, target.path) for name, target in targets.items()}
        self.modules = {path: module for around in self._around.values() for path, module in around.items()}
        self._positions = {path: _positions(module) for path, module in self.modules.items()}
        self._given: dict[str, torch.Tensor] | torch.Tensor | None = None
        self._found: dict[str, _Found] = {}
        self._used: dict[str, _Found] = {}
        self._unread: tuple[str, tuple[int, ...]] | None = None

    def begin(self, mask: Any) -> None:
        """Takes the user's mask, see `activis_tb.torch.Capture.mask`, for the pass that begins.

        Raises:
            ArgumentError: It is no mask, or a mask of a layer that is not captured.
        """
        self._found.clear()
        self._used.clear()
        self._unread = None
        if mask is None or not isinstance(mask, Mapping):
            self._given = None if mask is None else read_mask(mask)
            return
        if unknown := [name for name in mask if name not in self._around]:
            raise ArgumentError("mask", repr(unknown[0]), f"names of captured layers: {', '.join(self._around)}")
        self._given = {name: read_mask(value, f"mask[{name!r}]") for name, value in mask.items()}

    def see(self, path: str, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        """Looks for the mask in a call of the module called `path`."""
        if self._given is not None:
            return
        self._found.pop(path, None)  # of an earlier call in this pass
        names = self._positions[path].keys() | keywords.keys()
        is_of_two = bool(_OF_SOURCE & names and _OF_TARGET & names)
        for argument, keeps in _KEEPS.items():
            value = argument_of(argument, inputs, keywords, self._positions[path])
            if value is None:
                continue
            padding = None if is_of_two and argument in _OF_SOURCE else padding_of(value, keeps=keeps)
            if padding is not None:
                self._found[path] = _Found(argument, padding, holds_inside=not is_of_two)
                return
            self._unread = (argument, tuple(getattr(value, "shape", ())))

    def of(self, name: str) -> torch.Tensor | None:
        """Returns the mask of a layer, bool (instances, steps): that of the innermost module around it."""
        if self._given is not None:
            return self._given.get(name) if isinstance(self._given, dict) else self._given
        innermost, *others = reversed(self._around[name])
        around = [self._found[path] for path in others if path in self._found and self._found[path].holds_inside]
        found = self._found.get(innermost, around[0] if around else None)
        if found is None:
            return None
        self._used[name] = found
        return found.mask

    def remarks(self, outputs: Mapping[str, Pooled]) -> dict[str, str]:
        """Returns warnings, each to be given once, about the use of the masks of a pass, by their subject.

        Args:
            outputs: Of the pass, by layer name.

        Raises:
            ArgumentError: The user's mask fits no layer, or not the layer it is given for.
        """
        layers = {name: output for name, output in outputs.items() if output.steps}
        masked = [name for name, output in layers.items() if output.is_masked]
        others = [name for name in layers if name not in masked]
        if isinstance(self._given, dict):
            for name in self._given:
                if name not in masked:
                    raise _unfit(f"mask[{name!r}]", self._given[name], name, outputs[name])
            return {}
        if not layers:
            return {}
        if self._given is not None:
            if not masked:
                raise _unfit("mask", self._given, others[0], layers[others[0]])
            return {f"mask {name}": _unmasked(self._given, name, layers[name]) for name in others}
        told = [name for name in masked if name in self._used]
        if told:
            argument = self._used[told[0]].argument
            without = f"; not of {_list(others)}, of another number of steps or another sequence" if others else ""
            left_out = f"padding that the {argument} of the model's call tells of is left out of {_list(told)}"
            return {"call": f"{left_out}{without}. Set mask= to say otherwise."}
        unfit = [(one.argument, tuple(one.mask.shape)) for name, one in self._used.items() if name in layers]
        if others and (unfit or self._unread):
            argument, shape = [*unfit, self._unread or ("", ())][0]
            got = f"the {argument} of the model's call, of shape {shape}, is no padding mask of {_list(others)}"
            return {"call": f"{got}: nothing is left out. Set mask=, of shape (instances, steps), to leave it out."}
        return {}


def _unfit(argument: str, mask: torch.Tensor, name: str, output: Pooled) -> ArgumentError:
    if not output.steps:
        return ArgumentError(argument, f"one for {name!r}, which has no steps", "masks of layers that have steps")
    expected = f"({len(output.values)}, {output.steps}), the instances and steps of layer {name!r}"
    return ArgumentError(argument, f"shape {tuple(mask.shape)}", expected)


def _unmasked(mask: torch.Tensor, name: str, output: Pooled) -> str:
    return (
        f"mask has shape {tuple(mask.shape)}, layer {name!r} {len(output.values)} instances and {output.steps} steps: "
        "nothing is left out of it. Give masks by layer name to say which are of which."
    )


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} others" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(repr, names[:_MOST_NAMES])) + more


def _positions(module: nn.Module) -> dict[str, int]:
    """Returns the positions of the arguments of `module`, by name."""
    try:
        return {name: position for position, name in enumerate(inspect.signature(module.forward).parameters)}
    except (TypeError, ValueError):
        return {}


def argument_of(name: str, inputs: Sequence[Any], keywords: Mapping[str, Any], positions: Mapping[str, int]) -> Any:
    """Returns an argument of a call: a keyword, at its position, or in a mapping; None where there is none."""
    if name in keywords:
        return keywords[name]
    if positions.get(name, len(inputs)) < len(inputs):
        return inputs[positions[name]]
    batches = (value for value in (*inputs, *keywords.values()) if isinstance(value, Mapping))
    return next((batch[name] for batch in batches if name in batch), None)


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    """Returns booleans or numbers in a type that PyTorch has."""
    array = np.asarray(value)
    if array.dtype.kind == "u":
        return array.astype(np.int64)
    if array.dtype.kind not in "bif":
        raise TypeError(array.dtype)
    return array if array.flags.writeable else array.copy()


def _is_zero_or_one(mask: torch.Tensor) -> bool:
    return bool(((mask == 0) | (mask == 1)).all())


def texts_of_ids(tokenizer: Any, inputs: Sequence[Any], keywords: Mapping[str, Any]) -> list[list[str | None]]:
    """Returns the tokens of the `input_ids` of a call, or of its first argument, by a tokenizer of Hugging Face.

    Where the call has no `attention_mask` that says which are padding, it is what the tokenizer pads with.

    Raises:
        ArgumentError: There are no ids (instances, positions).
    """
    ids = argument_of("input_ids", inputs, keywords, {"input_ids": 0})
    if not isinstance(ids, torch.Tensor) or ids.ndim != 2 or ids.is_floating_point():
        got = f"a call without input_ids{'' if ids is None else f', but {type(ids).__name__}'}"
        way_out = "Give a function of what the model is called with."
        raise ArgumentError("tokens", got, "input_ids (instances, positions), whole numbers", way_out)
    mask = padding_of(argument_of("attention_mask", inputs, keywords, {"attention_mask": 1}), keeps=True)
    padding = getattr(tokenizer, "pad_token_id", None)
    if mask is not None and mask.shape == ids.shape:
        kept = mask
    else:
        kept = torch.ones_like(ids, dtype=torch.bool) if padding is None else ids != padding
    return [
        [text if is_kept else None for text, is_kept in zip(tokenizer.convert_ids_to_tokens(row), own, strict=True)]
        for row, own in zip(ids.tolist(), kept.tolist(), strict=True)
    ]
