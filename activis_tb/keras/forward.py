"""One inference pass that yields the recorded layers, pooled where they were computed, and the scores."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.layers import find_layers
from activis_tb.keras.watching import Outputs, watched
from activis_tb.model import LayerSpec

Pooling = Literal["max", "mean"]
_REDUCE = {"max": tf.reduce_max, "mean": tf.reduce_mean}
_ROUNDING = 1e-2


class ForwardPass:
    """Runs a model in inference mode and keeps what chosen layers return.

    Args:
        model: Functional, Sequential or subclassed.
        layers: Names of layers.
        pooling: For layers of rank > 2, over all axes but the instances and the channels.
        specs: TensorSpecs in the structure of the model's inputs.

    Raises:
        ArgumentError: A layer cannot be recorded, or the model's output is not one row of scores per instance.
    """

    def __init__(self, model: keras.Model, layers: Sequence[str], pooling: Pooling, specs: Any) -> None:
        self._model = model
        self._layers = find_layers(model, layers)
        self._pooling = pooling
        self._logits = is_trained_on_logits(model)
        self._function = tf.function(self._run, autograph=False, reduce_retracing=True)
        self._function.get_concrete_function(specs)

    layers: Sequence[LayerSpec]
    """The layers with the shape and the type that they have on the device."""

    def __call__(self, inputs: Any) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Returns by layer its activations, float32 (instances, neurons), and the scores.

        The scores are float32 (instances, classes) or, for a single output, (instances,).

        Raises:
            ArgumentError: The scores are no probabilities.
        """
        activations, scores = self._function(inputs)
        return {name: value.numpy() for name, value in activations.items()}, self._checked(scores.numpy())

    def _run(self, inputs: Any) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        seen = Outputs(self._layers)
        with watched(self._layers.values(), seen.see):
            outputs = self._model(inputs, training=False)
        tensors = seen.result()
        self.layers = [self._spec(name, tensor) for name, tensor in tensors.items()]
        pooled = {name: self._pooled(self._layers[name], tensor) for name, tensor in tensors.items()}
        return pooled, self._scores(outputs)

    def _spec(self, name: str, tensor: tf.Tensor) -> LayerSpec:
        if (
            tensor.shape.rank is None
            or tensor.shape.rank == 0
            or not (tensor.dtype.is_floating or tensor.dtype.is_integer)
        ):
            expected = "a layer that returns numbers of a known rank, the instances on the first axis"
            raise ArgumentError("layers", f"{name!r}, which returns {tensor.dtype.name} {tensor.shape}", expected)
        shape = tuple(-1 if size is None else size for size in tensor.shape[1:])
        return LayerSpec(name, pooling=self._pooling, shape=shape or (1,), dtype=tensor.dtype.name)

    def _pooled(self, layer: keras.Layer, tensor: tf.Tensor) -> tf.Tensor:
        values = tf.cast(tensor, tf.float32)
        rank = values.shape.rank
        if rank < 3:
            return values if rank == 2 else values[:, tf.newaxis]
        channels = 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1
        return _REDUCE[self._pooling](values, axis=[axis for axis in range(1, rank) if axis != channels])

    def _scores(self, outputs: Any) -> tf.Tensor:
        last = list(outputs.values())[-1] if isinstance(outputs, Mapping) else keras.tree.flatten(outputs)[-1]
        if last.shape.rank not in {1, 2}:
            expected = "scores of shape (instances, classes), or (instances, 1) for two classes, as the last output"
            raise ArgumentError("model", f"an output of shape {last.shape}", expected)
        scores = tf.cast(last, tf.float32)
        is_single = scores.shape.rank == 1 or scores.shape[-1] == 1
        if self._logits:
            scores = tf.sigmoid(scores) if is_single else tf.nn.softmax(scores)
        return tf.reshape(scores, [-1]) if is_single else scores

    def _checked(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        finite = scores[np.isfinite(scores)]
        if finite.size and (finite.min() < -_ROUNDING or finite.max() > 1 + _ROUNDING):
            raise ArgumentError(
                "model",
                f"an output with values from {finite.min():.4g} to {finite.max():.4g}",
                "probabilities from 0 to 1, or logits where the loss says from_logits=True",
                "Compile with a loss that has from_logits=True, or end the model with softmax (one output: sigmoid).",
            )
        return scores


def is_trained_on_logits(model: keras.Model) -> bool:
    """Whether the loss of the model's last output says `from_logits=True`."""
    losses = keras.tree.flatten(getattr(model, "loss", None))
    return bool(losses) and getattr(losses[-1], "from_logits", False) is True
