"""Captures what modules return, by forward hooks."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn

from activis_tb.errors import ArgumentError
from activis_tb.model import ForwardGraph, LayerSpec, PooledActivations, Pooling
from activis_tb.torch.graphs import forward_graph
from activis_tb.torch.modules import find_modules
from activis_tb.torch.pooling import Pooled, pooled


def capture(
    model: nn.Module, layers: Sequence[str | LayerSpec], *, pooling: Pooling = "max", mask: torch.Tensor | None = None
) -> "Capture":
    """Returns a context in which the outputs of modules are captured whenever the model runs.

    The model is not changed, nor whether it trains; the hooks are gone when the block is left. Outputs are detached,
    pooled and converted to float32 on the device that computed them.

    Args:
        model: Any module; of a compiled one, the original.
        layers: Names as in `model.named_modules()`, e.g. `fc1` or `features.3`; `relu:2` is the second call of a module
            that a forward pass calls several times. A `LayerSpec` says how to pool one, and where its channels are: by
            default on axis 1 in pictures, volumes and what convolutions return, else on the last.
        pooling: `max` or `mean`, for outputs of rank > 2 that are given by name.
        mask: See `Capture.mask`.

    Raises:
        ArgumentError: There is no such module; the message says which ones there are.
    """
    if isinstance(layers, str | LayerSpec):
        raise ArgumentError("layers", repr(layers), "a list of names", f"Write layers=[{layers!r}].")
    if pooling not in {"max", "mean"}:
        raise ArgumentError("pooling", repr(pooling), "'max' or 'mean'")
    specs = [layer if isinstance(layer, LayerSpec) else LayerSpec(layer, pooling) for layer in layers]
    return Capture(model, specs, mask)


class Capture:
    """The context that `capture` returns.

    Attributes:
        mask: bool (instances, steps), False where a step is padding that pooling is to leave out; to be set before a
            forward pass. It holds for outputs (instances, steps, neurons) of so many steps.
    """

    def __init__(self, model: nn.Module, layers: Sequence[LayerSpec], mask: torch.Tensor | None = None) -> None:
        self.mask = mask
        self._model = model
        self._layers = {layer.name: layer for layer in layers}
        self._targets = find_modules(model, self._layers)
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []
        self._outputs: dict[str, list[Pooled]] = defaultdict(list)
        self._is_read = False

    @property
    def activations(self) -> dict[str, PooledActivations]:
        """What the last forward pass returned, by layer, float32 (instances, neurons); for `process`.

        Raises:
            ArgumentError: There was no pass, or a module was called several times, or not at all.
        """
        self._is_read = True
        return {name: self._output(name).to_numpy() for name in self._targets}

    def graph(self, *example: Any) -> ForwardGraph | None:
        """Returns the model's forward graph, for `graph=` of `activis_tb.preprocess`.

        Args:
            example: What the model is called with, of a few instances.

        Returns:
            The graph, or None, with a warning, where PyTorch cannot trace the model; the tab then lists the recorded
            layers in order.
        """
        return forward_graph(self._model, self._targets, example)

    def __enter__(self) -> Self:
        self._hooks.append(self._model.register_forward_pre_hook(self._begin))
        for name, target in self._targets.items():
            self._hooks.append(target.module.register_forward_hook(partial(self._see, name)))
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _begin(self, module: nn.Module, inputs: Any) -> None:  # noqa: ARG002 (what a hook is given)
        self._outputs.clear()
        self._is_read = False

    def _see(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._is_read:  # a part of the model is called by itself
            self._begin(module, inputs)
        with torch.no_grad():
            self._outputs[name].append(pooled(output, module, self._layers[name], self.mask))

    def _output(self, name: str) -> Pooled:
        outputs, call = self._outputs[name], self._targets[name].call
        if not outputs:
            way_out = "Call the model inside of the block; of a compiled model, capture the original."
            raise ArgumentError("layers", f"{name!r}, which was not called", "a module of the forward pass", way_out)
        if call is None and len(outputs) > 1:
            calls = ", ".join(repr(f"{name}:{position}") for position in range(1, len(outputs) + 1))
            raise ArgumentError("layers", f"{name!r}, which the forward pass calls {len(outputs)} times", calls)
        if call is not None and call > len(outputs):
            raise ArgumentError("layers", repr(name), f"a call from 1 to {len(outputs)}")
        return outputs[(call or 1) - 1]
