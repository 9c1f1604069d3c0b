"""Capture of modules' outputs by forward hooks."""

import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn

from activis_tb.errors import ArgumentError, check_choice
from activis_tb.model import POOLINGS, ForwardGraph, LayerSpec, PooledActivations, Pooling
from activis_tb.torch.axes import Places
from activis_tb.torch.graph import forward_graph
from activis_tb.torch.masks import Masks, Pooled, pooled, texts_of_ids
from activis_tb.torch.modules import chosen_output, find_modules, instances_first, is_state, original, uncompiled


def capture(
    model: nn.Module,
    layers: Sequence[str | LayerSpec],
    *,
    pooling: Pooling = "max",
    mask: Any = None,
    tokens: Any = None,
) -> "Capture":
    """Returns a context in which the outputs of modules are captured whenever the model runs.

    The model is not changed, nor whether it trains; the hooks are gone when the block is left. Outputs are detached,
    pooled and converted to float32 on the device that computed them, when they are returned: what is written to them
    later is not recorded. Of pooled layers, a copy of the whole outputs stays on the device, of which `process` takes
    the positions of sampled instances, as long as the activations that were returned;
    `LayerSpec(name, positions=False)` makes none. Inside of the block, models that `torch.compile` made run uncompiled.

    Args:
        model: Any module, compiled or not.
        layers: Names as in `model.named_modules()`, e.g. `fc1` or `features.3`; `relu:2` is the second call of a module
            that a forward pass calls several times; `lstm[1]` or `encoder[hidden_states][2]` is an entry of the tuple,
            dict or dataclass that a module returns, by default its first tensor. A `LayerSpec` says how to pool one,
            and where its channels are: by default where its module has them, on axis 1 of convolutions' outputs, on
            the last of those of Linear, LayerNorm, embeddings, attention and recurrent modules; other modules have them
            where the one before or inside of them has. There is a warning where that leaves it open.
        pooling: `max`, `mean`, `first` or `last` (unmasked) position, for outputs of rank > 2 that are given by name.
        mask: See `Capture.mask`.
        tokens: Makes `Capture.tokens` of what the model is called with: a tokenizer of Hugging Face, by its
            `convert_ids_to_tokens`, of the `input_ids`; or a function of the same arguments as the model, which returns
            what `process(tokens=...)` takes. None for no tokens.

    Raises:
        ArgumentError: There is no such module; the message says which ones there are.
    """
    if isinstance(layers, str | LayerSpec):
        raise ArgumentError("layers", repr(layers), "a list of names", f"Write layers=[{layers!r}].")
    check_choice("pooling", pooling, POOLINGS)
    specs = [layer if isinstance(layer, LayerSpec) else LayerSpec(layer, pooling) for layer in layers]
    for spec in specs:
        check_choice(f"pooling of layer {spec.name!r}", spec.pooling, POOLINGS)
    if tokens is not None and not callable(tokens) and not hasattr(tokens, "convert_ids_to_tokens"):
        expected = "a tokenizer with convert_ids_to_tokens, or a function of what the model is called with"
        raise ArgumentError("tokens", type(tokens).__name__, expected, "Texts themselves: process(tokens=...).")
    return Capture(model, specs, mask, tokens)


class Capture:
    """Context that `capture` returns.

    Attributes:
        mask: Which steps are no padding, which pooling leaves out: booleans or 1 and 0 (instances, steps), anything
            that NumPy reads, False where a step is padding; or such masks by layer name. Set it before a forward pass.
            One mask applies to every output whose first pooled axis has as many steps. Without it, the
            `attention_mask` (or `src_key_padding_mask`, `tgt_key_padding_mask`) of the call of the model, or of a
            module around the layer, is used.
    """

    def __init__(self, model: nn.Module, layers: Sequence[LayerSpec], mask: Any = None, tokens: Any = None) -> None:
        self.mask = mask
        self._tokens = tokens
        self._called: tuple[Sequence[Any], Mapping[str, Any]] | None = None
        self._model = original(model)
        self._layers = {layer.name: layer for layer in layers}
        self._targets = find_modules(self._model, self._layers)
        self._masks = Masks(self._model, self._targets)
        self._places = Places(self._model, self._targets)
        self._block = ExitStack()
        self._outputs: dict[str, list[Pooled]] = defaultdict(list)
        self._is_open = False
        self._is_read = True
        self._said: set[str] = set()

    @property
    def activations(self) -> dict[str, PooledActivations]:
        """Activations of the last forward pass, by layer, float32 (instances, neurons), read-only; for `process`.

        Raises:
            ArgumentError: There was no pass, a module was called several times or not at all, or the mask fits no
                layer.
        """
        self._is_read = True
        self._places.stop()
        outputs = {name: self._output(name) for name in self._targets}
        for subject, message in (self._places.remarks() | self._masks.remarks(outputs)).items():
            if subject not in self._said:
                self._said.add(subject)
                warnings.warn(f"ActiVis: {message}", stacklevel=2)
        return {name: output.to_numpy() for name, output in outputs.items()}

    @property
    def heads(self) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        """Weights (inputs, outputs) and bias of all Linear modules, for `heads=` of `activis_tb.preprocess`.

        Those that turn a captured layer into the scores are taken.
        """
        linear = (module for module in self._model.modules() if isinstance(module, nn.Linear))
        return [(module.weight.detach().T, None if module.bias is None else module.bias.detach()) for module in linear]

    @property
    def tokens(self) -> Any:
        """Tokens of the last forward pass, for `process`; None where `capture` was given nothing to make them of.

        Raises:
            ArgumentError: There was no pass, or a tokenizer, but no ids.
        """
        if self._tokens is None:
            return None
        if self._called is None:
            raise ArgumentError("tokens", "no forward pass", "one", "Call the model inside of the block.")
        inputs, keywords = self._called
        if hasattr(self._tokens, "convert_ids_to_tokens"):
            return texts_of_ids(self._tokens, inputs, keywords)
        return self._tokens(*inputs, **keywords)

    def graph(self, *example: Any, **keywords: Any) -> ForwardGraph | None:
        """Returns the model's forward graph, for `graph=` of `activis_tb.preprocess`.

        Args:
            example: Arguments of the model, for a few instances.
            keywords: Keyword arguments.

        Returns:
            The graph, or None, with a warning, where PyTorch cannot trace the model; the tab then lists the recorded
            layers in order. A layer whose values no tensor of the graph has is not placed in it, with a warning.
        """
        was_open = self._is_open
        self._block.close()
        try:
            return forward_graph(self._model, self._targets, example, keywords)
        finally:
            if was_open:
                self.__enter__()

    def __enter__(self) -> Self:
        self._is_open = True
        self._block.enter_context(uncompiled())
        self._keep(self._model.register_forward_pre_hook(self._begin, with_kwargs=True))
        for path, module in self._masks.modules.items():
            self._keep(module.register_forward_pre_hook(partial(self._enter, path), with_kwargs=True))
        self._block.enter_context(self._places)
        for name, target in self._targets.items():
            self._keep(target.module.register_forward_hook(partial(self._see, name)))
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._block.close()

    def _keep(self, hook: torch.utils.hooks.RemovableHandle) -> None:
        """Removes the hook when the block is left."""
        self._block.callback(hook.remove)

    def _begin(self, module: nn.Module, inputs: Any, keywords: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._called = None if self._tokens is None else (inputs, keywords)
        self._outputs.clear()
        self._masks.begin(self.mask)
        self._is_read = False

    def _enter(self, path: str, module: nn.Module, inputs: Any, keywords: Mapping[str, Any]) -> None:
        if self._is_read:  # a part of the model was called by itself
            self._begin(module, inputs, keywords)
        self._masks.see(path, inputs, keywords)

    def _see(self, name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        spec, calls = self._layers[name], self._outputs[name]
        with torch.no_grad():
            chosen = chosen_output(output, self._targets[name], name)
            if chosen.tensor.ndim < 3:
                calls.append(pooled(chosen.tensor, spec, 1, None))
                return
            place = self._places.of(spec, len(calls), inputs, chosen)
            tensor = instances_first(chosen, module, steps_first=place.steps_first)
            if is_state(module, chosen.path):  # has layers and directions, no steps
                calls.append(replace(pooled(tensor, spec, place.axis, None), steps=0, unpooled=None))
                return
            mask = chosen.mask if chosen.mask is not None else self._masks.of(name)
            calls.append(pooled(tensor, spec, place.axis, mask, with_tokens=self._tokens is not None))

    def _output(self, name: str) -> Pooled:
        outputs, call = self._outputs[name], self._targets[name].call
        if not outputs:
            way_out = "Call the model inside of the block, by model(...); of what a compiler made, call the original."
            raise ArgumentError("layers", f"{name!r}, which was not called", "a module of the forward pass", way_out)
        if call is None and len(outputs) > 1:
            target = self._targets[name]
            entries = "".join(f"[{entry}]" for entry in target.entries)
            calls = ", ".join(repr(f"{target.path}:{position}{entries}") for position in range(1, len(outputs) + 1))
            raise ArgumentError("layers", f"{name!r}, which the forward pass calls {len(outputs)} times", calls)
        if call is not None and call > len(outputs):
            raise ArgumentError("layers", repr(name), f"a call from 1 to {len(outputs)}")
        return outputs[(call or 1) - 1]
