"""Which of a model's outputs decides on the class, its scores, and its labels."""

from collections.abc import Mapping
from typing import Any

import keras

from activis_tb.errors import ArgumentError


class DecidingOutput:
    """The output of a model that is looked at.

    Args:
        model: Of one output or several.
        output: Its name or position; None where the model has one output, or only one that fits the classes.
        classes: Number of classes.
    """

    def __init__(self, model: keras.Model, output: str | int | None, classes: int) -> None:
        self._model = model
        self._output = output
        self._classes = classes
        self._name = ""
        self._position = 0
        self._count = 1

    def scores(self, outputs: Any) -> Any:
        """Returns probabilities, float32 (instances, classes) or, for a single column, (instances,).

        Args:
            outputs: All that the model returns, tensors of known rank.

        Raises:
            ArgumentError: There is no such output, several fit, or it is not one row of scores per instance.
        """
        tensors = _named(outputs, getattr(self._model, "output_names", None))
        self._name = self._chosen(tensors)
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
        if self._is_trained_on_logits():
            scores = keras.ops.sigmoid(scores) if is_single else keras.ops.softmax(scores)
        return keras.ops.reshape(scores, (-1,)) if is_single else scores

    def labels(self, labels: Any) -> Any:
        """Returns the labels of this output: those of its name or position where every output has its own."""
        if isinstance(labels, Mapping):
            if self._name not in labels:
                raise ArgumentError("labels", f"labels of {', '.join(labels)}", f"labels of the output {self._name!r}")
            return labels[self._name]
        return labels[self._position] if isinstance(labels, tuple) and len(labels) == self._count > 1 else labels

    def _chosen(self, tensors: Mapping[str, Any]) -> str:
        names = list(tensors)
        if isinstance(self._output, int) and -len(names) <= self._output < len(names):
            return names[self._output]
        if self._output in tensors:
            return str(self._output)
        if self._output is not None:
            raise ArgumentError("output", repr(self._output), f"one of {', '.join(map(repr, names))}, or a position")
        fitting = [name for name, tensor in tensors.items() if self._fits(tensor)] if len(names) > 1 else names
        if len(fitting) != 1:
            got = f"a model of {len(names)} outputs, {len(fitting)} of which fit the {self._classes} classes"
            raise ArgumentError("output", got, "the name of the one that decides", self._way_out(tensors))
        return fitting[0]

    def _fits(self, tensor: Any) -> bool:
        shape = tuple(tensor.shape)[1:]
        return shape == (self._classes,) or (self._classes == 2 and shape in {(), (1,)})

    def _way_out(self, tensors: Mapping[str, Any]) -> str:
        names = ", ".join(map(repr, tensors))
        return f"Name it by output=, one of {names}." if len(tensors) > 1 else ""

    def _is_trained_on_logits(self) -> bool:
        """Whether the loss of this output says `from_logits=True`."""
        loss = getattr(self._model, "loss", None)
        if isinstance(loss, Mapping):
            loss = loss.get(self._name)
        elif isinstance(loss, list | tuple):
            loss = loss[self._position] if len(loss) == self._count else None
        return getattr(loss, "from_logits", False) is True


def _named(outputs: Any, names: list[str] | None) -> dict[str, Any]:
    if isinstance(outputs, Mapping):
        return dict(outputs)
    flat = keras.tree.flatten(outputs)
    distinct = names if names and len(set(names)) == len(flat) else [str(position) for position in range(len(flat))]
    return dict(zip(distinct, flat, strict=True))
