"""Watches what layers return while a model is traced.

Wrapping `call` works alike for Functional, Sequential and subclassed models and needs no second model, so what is
recorded is what the model itself computes.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from activis_tb.errors import ArgumentError

OnOutput = Callable[[keras.Layer, Any, Any], Any]
_METHODS = ("call", "quantized_call")
_TRIAL = "scratch_graph"
"""Name of the graphs in which Keras tries a layer to learn its output's shape."""


@contextmanager
def watched(layers: Iterable[keras.Layer], on_output: OnOutput) -> Iterator[None]:
    """While the block runs, gives every output of `layers` to `on_output` and goes on with what that returns.

    Args:
        layers: Layers of one model.
        on_output: Called with the layer, its (nested) inputs, and its output.
    """
    replaced: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for layer in {id(layer): layer for layer in layers}.values():
            for name in _METHODS:
                if hasattr(layer, name):
                    method = getattr(layer, name)
                    replaced.append((vars(layer), name, vars(layer).get(name)))
                    vars(layer)[name] = _reporting(layer, method, on_output)
        yield
    finally:
        for attributes, name, original in replaced:
            if original is None:
                del attributes[name]
            else:
                attributes[name] = original


def _reporting(layer: keras.Layer, method: Callable[..., Any], on_output: OnOutput) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return on_output(layer, (args, kwargs), method(*args, **kwargs))

    return call


class Outputs:
    """The output tensors of chosen layers, collected in one trace.

    Args:
        layers: By name, the layers to collect from.
    """

    def __init__(self, layers: Mapping[str, keras.Layer]) -> None:
        self._names = {id(layer): name for name, layer in layers.items()}
        self._graph = tf.compat.v1.get_default_graph()
        self._calls: dict[str, int] = dict.fromkeys(layers, 0)
        self._elsewhere: set[str] = set()
        self._tensors: dict[str, tf.Tensor] = {}

    def see(self, layer: keras.Layer, _: Any, output: Any) -> Any:
        """Takes the first tensor of `output` if `layer` is chosen and this is the trace that is collected in."""
        name = self._names.get(id(layer))
        tensor = first_tensor(output)
        if name is None or not isinstance(tensor, tf.Tensor):
            return output
        if is_in(tensor, self._graph):
            self._calls[name] += 1
            self._tensors[name] = tensor
        elif not getattr(getattr(tensor, "graph", None), "name", "").startswith(_TRIAL):
            self._elsewhere.add(name)
        return output

    def result(self) -> dict[str, tf.Tensor]:
        """Returns the tensors by name, in the order of the chosen layers.

        Raises:
            ArgumentError: A layer was not called, or several times, or in a loop, or returns no dense tensor.
        """
        for name, calls in self._calls.items():
            if name in self._elsewhere:
                got = f"{name!r}, which works inside of a loop, an RNN or a tf.function"
                raise ArgumentError("layers", got, "a layer of the model itself", "Record the layer around it.")
            if calls == 0:
                got = f"{name!r}, which the forward pass does not call, or which returns no dense tensor"
                raise ArgumentError("layers", got, "a layer that takes part in inference", "Record another layer.")
            if calls > 1:
                got = f"{name!r}, which the forward pass calls {calls} times"
                raise ArgumentError("layers", got, "a layer that is called once", "Record a layer after it.")
        return {name: self._tensors[name] for name in self._calls}


def first_tensor(output: Any) -> Any:
    """Returns the first leaf of a nested output: of an LSTM with states, say, the sequence."""
    leaves = keras.tree.flatten(output)
    return leaves[0] if leaves else None


def is_in(tensor: Any, graph: Any) -> bool:
    """Whether `tensor` is a dense tensor of `graph`, not of a loop or function inside of it."""
    return isinstance(tensor, tf.Tensor) and getattr(tensor, "graph", None) is graph
