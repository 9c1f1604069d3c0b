"""Output of a model that decides on the class, with its scores, logits and labels."""

from collections.abc import Mapping
from operator import index
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.layers import find_layers
from activis_tb.recording.arrays import are_distributions

_ROUNDING = 1e-2


class DecidingOutput:
    """Output of a model that decides on the class.

    Args:
        model: Of one output or several.
        output: Its name or position, or the layer that returns it or that layer's name; None where the model has one
            output, or only one that fits the classes.
        classes: Number of classes.
        from_logits: Whether it returns logits; None where the model tells.

    Attributes:
        layer: The layer that returns it, if it was given so: `see` needs its outputs.
    """

    def __init__(self, model: keras.Model, output: Any, classes: int, from_logits: bool | None = None) -> None:
        self._model = model
        self._output = output
        self._classes = classes
        self._from_logits = from_logits
        self._name = ""
        self._position = 0
        self._count = 1
        self.layer = _layer(model, output)
        self._of_layer: list[Any] = []

    def see(self, layer: keras.Layer, output: Any) -> None:
        """Notes what `layer` returns in the current pass."""
        if layer is self.layer:
            self._of_layer.extend(keras.tree.flatten(output))

    def scores(self, outputs: Any) -> Any:
        """Returns the scores or logits, float32 (instances, classes) or, for a single column, (instances,).

        Args:
            outputs: All outputs of the model, tensors of known rank.

        Raises:
            ArgumentError: There is no such output, several fit, or it is not one row of scores per instance.
        """
        tensors = _named(outputs, getattr(self._model, "output_names", None))
        self._name = self._chosen(tensors)
        self._of_layer.clear()
        self._position = list(tensors).index(self._name)
        self._count = len(tensors)
        tensor = tensors[self._name]
        if len(tensor.shape) not in {1, 2}:
            expected = "scores of shape (instances, classes), or (instances, 1) for two classes"
            raise ArgumentError("model", f"an output of shape {tuple(tensor.shape)}", expected, self._way_out(tensors))
        if None not in tensor.shape[1:] and not self._fits(tensor):
            expected = f"(instances, {self._classes}), as classes has {self._classes} names"
            raise ArgumentError("model", f"an output of shape {tuple(tensor.shape)}", expected, self._way_out(tensors))
        scores = keras.ops.cast(tensor, "float32")
        is_single = len(scores.shape) == 1 or scores.shape[-1] == 1
        return keras.ops.reshape(scores, (-1,)) if is_single else scores

    def are_logits(self, scores: NDArray[np.float32]) -> bool:
        """Whether this output is logits: as the user says, else by its loss unless the scores contradict it.

        Args:
            scores: What `scores` returned for some instances.

        Raises:
            ArgumentError: They are logits, and neither user nor loss says so; or the model contradicts the user.
        """
        is_probability = self.activation in {"softmax", "sigmoid"} or are_distributions(scores)
        if self._from_logits is not None:
            if self._from_logits and is_probability:
                got = f"True for an output of {self.activation or 'probabilities'}"
                raise ArgumentError("from_logits", got, "an output of logits", "Leave it out.")
            return self._from_logits
        if self.is_trained_on_logits:
            return not is_probability
        finite = scores[np.isfinite(scores)]
        is_outside = finite.size > 0 and (finite.min() < -_ROUNDING or finite.max() > 1 + _ROUNDING)
        is_linear = self.activation == "linear" and scores.ndim == 2 and finite.size == scores.size
        if is_outside or (is_linear and not is_probability):
            raise _unsaid_logits(finite, is_outside=is_outside)
        return False

    def labels(self, labels: Any) -> Any:
        """Returns the labels of this output: those of its name or position where every output has its own.

        Raises:
            ArgumentError: There are none for this output.
        """
        if isinstance(labels, Mapping):
            if self._name not in labels:
                got = f"labels of {', '.join(map(repr, labels))}"
                raise ArgumentError("labels", got, f"labels of the output {self._name!r}")
            return labels[self._name]
        if isinstance(labels, list | tuple) and len(labels) == self._count > 1:
            return labels[self._position] if all(hasattr(part, "__len__") for part in labels) else labels
        return labels

    @property
    def is_trained_on_logits(self) -> bool:
        """Whether the loss of this output says `from_logits=True`."""
        loss = getattr(self._model, "loss", None)
        if isinstance(loss, Mapping):
            loss = loss.get(self._name)
        elif isinstance(loss, list | tuple):
            loss = loss[self._position] if len(loss) == self._count else None
        said = getattr(loss, "from_logits", None)
        if said is None:
            said = getattr(loss, "keywords", {}).get("from_logits")  # of functools.partial
        return said is True

    @property
    def activation(self) -> str:
        """The activation of this output, such as `softmax`; empty where the model does not tell."""
        outputs = getattr(self._model, "outputs", None) or []
        return _activation(outputs[self._position]) if len(outputs) == self._count else ""

    def _chosen(self, tensors: Mapping[str, Any]) -> str:
        names = list(tensors)
        if self._output is None:
            return self._fitting(tensors)
        if isinstance(self._output, str) and self._output in tensors:
            return self._output
        if self.layer is not None:
            for name, tensor in tensors.items():
                if any(tensor is one for one in self._of_layer):
                    return name
        position = _position(self._output)
        if position is not None and -len(names) <= position < len(names):
            return names[position]
        expected = f"one of {', '.join(map(repr, names))}, a position, or the layer that returns it"
        raise ArgumentError("output", getattr(self._output, "name", None) or repr(self._output), expected)

    def _fitting(self, tensors: Mapping[str, Any]) -> str:
        fitting = [name for name, tensor in tensors.items() if self._fits(tensor)] if len(tensors) > 1 else [*tensors]
        if len(fitting) != 1:
            got = f"a model of {len(tensors)} outputs, {len(fitting)} of which fit the {self._classes} classes"
            raise ArgumentError("output", got, "the name of the one that decides", self._way_out(tensors))
        return fitting[0]

    def _fits(self, tensor: Any) -> bool:
        shape = tuple(tensor.shape)[1:]
        return shape == (self._classes,) or (self._classes == 2 and shape in {(), (1,)})

    def _way_out(self, tensors: Mapping[str, Any]) -> str:
        names = ", ".join(map(repr, tensors))
        return f"Name it by output=, one of {names}." if len(tensors) > 1 else ""


def _named(outputs: Any, names: list[str] | None) -> dict[str, Any]:
    """Returns the outputs by name, in the order in which Keras counts them."""
    flat = keras.tree.flatten(outputs)
    if isinstance(outputs, Mapping):
        names = ["/".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(outputs)]
    distinct = names if names and len(set(names)) == len(flat) else [str(position) for position in range(len(flat))]
    return dict(zip(distinct, flat, strict=True))


def _unsaid_logits(scores: NDArray[np.float32], *, is_outside: bool) -> ArgumentError:
    got = f"an output with values from {scores.min():.4g} to {scores.max():.4g}"
    expected = "probabilities from 0 to 1, or logits where the loss or from_logits=True says so"
    way_out = "Logits: say from_logits=True, or end the model with softmax (one output: sigmoid)."
    if is_outside:
        return ArgumentError("model", got, expected, way_out)
    return ArgumentError("model", f"{got}, not 1 in sum", expected, f"{way_out} Others: say from_logits=False.")


def _layer(model: keras.Model, output: Any) -> keras.Layer | None:
    if isinstance(output, keras.Layer):
        return output
    if not isinstance(output, str):
        return None
    try:
        return find_layers(model, [output])[output].layer
    except ArgumentError:
        return None


def _position(output: Any) -> int | None:
    try:
        return None if isinstance(output, bool) else index(output)
    except TypeError:
        return None


def _activation(tensor: Any) -> str:
    """Follows a symbolic output into nested models."""
    while True:
        history = getattr(tensor, "_keras_history", None)
        if history is None:
            return ""
        operation = history.operation
        inner = getattr(operation, "outputs", None)
        if not isinstance(operation, keras.Model) or not inner or len(inner) <= history.tensor_index:
            break
        tensor = inner[history.tensor_index]
    kind = type(operation).__name__.casefold()
    if kind in {"softmax", "sigmoid", "logsoftmax"}:
        return kind
    return str(getattr(getattr(operation, "activation", None), "__name__", ""))
