"""Observer of layers' outputs while a model runs or is traced.

Wrapping `call` works alike for Functional, Sequential and subclassed models and needs no second model, so what is
recorded is what the model itself computes.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask  # Keras has no public way

from activis_tb.errors import ArgumentError
from activis_tb.keras.layers import Target, sublayers

OnOutput = Callable[[keras.Layer, Any, Any], Any]
_METHODS = ("call", "quantized_call")
_LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)
"""Layers that call their inner layers once per time step."""


@contextmanager
def watched(
    layers: Iterable[keras.Operation], on_output: OnOutput, on_call: Callable[[keras.Operation], None] | None = None
) -> Iterator[None]:
    """Within the block, passes every output of `layers` to `on_output` and goes on with what that returns.

    Args:
        layers: Layers of one model.
        on_output: Called with the layer, its (nested) inputs, and its output.
        on_call: Called with the layer before each of its calls.
    """
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for layer in {id(layer): layer for layer in layers}.values():
            for name in _METHODS:
                if hasattr(layer, name):
                    method = getattr(layer, name)
                    replaced.append((vars(layer), name, vars(layer).get(name)))
                    vars(layer)[name] = _reporting(layer, method, on_output, on_call)
        yield
    finally:
        for attributes, name, original in replaced:
            if original is None:
                del attributes[name]
            else:
                attributes[name] = original


def _reporting(
    layer: keras.Operation,
    method: Callable[..., Any],
    on_output: OnOutput,
    on_call: Callable[[keras.Operation], None] | None,
) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if on_call is not None:
            on_call(layer)
        return on_output(layer, (args, kwargs), method(*args, **kwargs))

    return call


class Outputs:
    """Output tensors of chosen layers, collected in one pass or trace.

    Args:
        model: The model that is run.
        targets: By name, the layers to collect from.
        is_own: Tells whether a value is a tensor of this pass itself, not of a loop or function inside of it.
        is_trial: Tells whether a tensor is of a graph in which Keras calls a layer to infer its output's shape.
        keep: Returns the tensor to keep: a copy where later layers may write to it.
    """

    def __init__(
        self,
        model: keras.Model,
        targets: Mapping[str, Target],
        is_own: Callable[[Any], bool],
        is_trial: Callable[[Any], bool] = lambda _: False,
        keep: Callable[[Any], Any] = lambda tensor: tensor,
    ) -> None:
        self._targets = targets
        self._is_own = is_own
        self._is_trial = is_trial
        self._keep = keep
        self._ids = {id(target.layer) for target in targets.values()}
        self._looped = inside_of_loops(model)
        self._elsewhere: set[int] = set()
        self._tensors: dict[int, list[tuple[Any, Any]]] = defaultdict(list)

    def see(self, layer: keras.Layer, _: Any, output: Any) -> Any:
        """Collects the first tensor of `output` if `layer` is chosen and the tensor is of this pass."""
        if id(layer) not in self._ids:
            return output
        tensor = first_tensor(output)
        if id(layer) in self._looped:
            self._elsewhere.add(id(layer))
        elif self._is_own(tensor):
            self._tensors[id(layer)].append((tensor, self._keep(tensor)))
        elif hasattr(tensor, "shape") and not self._is_trial(tensor):
            self._elsewhere.add(id(layer))
        return output

    def result(self) -> dict[str, Any]:
        """Returns the tensors by name, in the order of the chosen layers.

        Raises:
            ArgumentError: A layer was not called, not as often, in a loop, or returns no dense tensor.
        """
        return {name: self._tensor(name, target) for name, target in self._targets.items()}

    def _tensor(self, name: str, target: Target) -> Any:
        tensors = self._tensors[id(target.layer)]
        if id(target.layer) in self._elsewhere:
            got = f"{name!r}, which works inside of a loop, an RNN or a tf.function"
            raise ArgumentError("layers", got, "a layer of the model itself", "Record the layer around it.")
        if not tensors:
            got = f"{name!r}, which the forward pass does not call, or which returns no dense tensor"
            raise ArgumentError("layers", got, "a layer that takes part in inference", "Record another layer.")
        if target.call is None and len(tensors) > 1:
            calls = ", ".join(repr(f"{name}:{call}") for call in range(1, len(tensors) + 1))
            raise ArgumentError("layers", f"{name!r}, which the forward pass calls {len(tensors)} times", calls)
        if target.call is not None and target.call > len(tensors):
            raise ArgumentError("layers", repr(name), f"a call from 1 to {len(tensors)}")
        tensor, kept = tensors[(target.call or 1) - 1]
        if kept is not tensor:  # Keras sets the mask of an output after the layer has returned it
            set_keras_mask(kept, get_keras_mask(tensor))
        return kept


def first_tensor(output: Any) -> Any:
    """Returns the first leaf of a nested output: for an LSTM with states, the sequence."""
    leaves = keras.tree.flatten(output)
    return leaves[0] if leaves else None


def inside_of_loops(model: keras.Model) -> set[int]:
    """Returns the ids of the layers that others call once per time step."""
    loops = [layer for _, layer in sublayers(model) if isinstance(layer, _LOOPS)]
    return {id(inner) for loop in loops for _, inner in sublayers(loop)}
