"""One inference pass that yields the recorded layers, pooled where they were computed, and the scores."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask  # Keras has no public way
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches
from activis_tb.keras.layers import Target, find_layers
from activis_tb.keras.outputs import DecidingOutput
from activis_tb.keras.pooling import channel_axis, pooled
from activis_tb.keras.running import Forward, compiled
from activis_tb.keras.watching import Outputs, watched
from activis_tb.model import LayerSpec, PooledActivations


class ForwardPass:
    """Runs a model in inference mode and keeps what chosen layers return.

    Args:
        model: Functional, Sequential or subclassed.
        layers: How to record them; the names are those of layers.
        batches: The data that it will be run on.
        output: Of the model: which one decides.

    Raises:
        ArgumentError: A layer cannot be recorded, or the deciding output is not one row of scores per instance.
    """

    def __init__(
        self, model: keras.Model, layers: Sequence[LayerSpec], batches: Batches, output: DecidingOutput
    ) -> None:
        self._targets = find_layers(model, [layer.name for layer in layers])
        self._layers = {layer.name: layer for layer in layers}
        self._output = output
        self._dtypes: dict[str, str] = {}
        self._function = compiled(model, self._run, batches)

    def __call__(self, inputs: Any) -> tuple[dict[str, PooledActivations], NDArray[np.float32]]:
        """Returns the activations by layer, and the scores.

        The scores, or logits, are float32 (instances, classes) or, for a single output, (instances,).
        """
        activations, scores = self._function(inputs)
        return {name: self._activations(name, *values) for name, values in activations.items()}, scores

    def _activations(self, name: str, values: NDArray[np.float32], shape: NDArray[np.int32]) -> PooledActivations:
        pooling = self._layers[name].pooling if len(shape) > 2 else ""
        return PooledActivations(values, tuple(shape[1:].tolist()) or (1,), self._dtypes[name], pooling)

    def _run(self, forward: Forward, inputs: Any, outputs: Callable[[dict[str, Target]], Outputs]) -> Any:
        seen = outputs(self._targets)

        def see(layer: keras.Layer, given: Any, output: Any) -> Any:
            self._output.see(layer, output)
            return seen.see(layer, given, output)

        deciding = [] if self._output.layer is None else [self._output.layer]
        with watched([*(target.layer for target in self._targets.values()), *deciding], see):
            results = forward(inputs)
        tensors = seen.result()
        return {name: self._pooled(name, tensor) for name, tensor in tensors.items()}, self._output.scores(results)

    def _pooled(self, name: str, tensor: Any) -> tuple[Any, Any]:
        """Returns the pooled activations and the shape that they had."""
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        rank = None if getattr(tensor.shape, "rank", 0) is None else len(tensor.shape)
        if not rank or not dtype.startswith(("float", "bfloat", "int", "uint")):
            expected = "a layer that returns numbers of a known rank, the instances on the first axis"
            raise ArgumentError("layers", f"{name!r}, which returns {dtype} {tensor.shape}", expected)
        self._dtypes[name] = dtype
        spec = self._layers[name]
        axis = channel_axis(self._targets[name].layer, spec, rank)
        values = pooled(tensor, get_keras_mask(tensor), axis, spec.pooling)
        return values, keras.ops.stack([keras.ops.cast(size, "int32") for size in keras.ops.shape(tensor)])
