"""Heads: linear layers that turn the activations of a recorded layer into the scores, checked against a batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import Head
from activis_tb.recording.arrays import as_array, as_float32, is_numeric

HeadArgument = Mapping[str, Any] | Iterable[Any]
"""Pairs of weights (neurons, classes) and a bias (classes,) or None: by layer name, or those that may fit a layer."""

MOST_BYTES = 8 * 2**20
"""Of the weights of one head."""
_MOST_ROWS = 1_024
_SMALLEST = 1e-6
"""A smaller probability has lost too many digits to tell a logit."""
_TOLERANCE = 1e-3
_HALF_TOLERANCE = 3e-2
"""Of the logits of layers in 16 bits, relative to the largest one."""


@dataclass(frozen=True)
class Heads:
    """Heads that may fit the recorded layers.

    Attributes:
        named: By layer; these have to fit.
        others: One of these is taken for a layer that it fits.
    """

    named: Mapping[str, Head] = field(default_factory=dict)
    others: Sequence[Head] = ()

    def __bool__(self) -> bool:
        return bool(self.named or self.others)

    def find(
        self, activations: Mapping[str, NDArray[np.float32]], dtypes: Mapping[str, str], scores: NDArray[np.float32]
    ) -> dict[str, Head | None]:
        """Returns the head of every layer, None where it has none, by what it makes of the first instances of a batch.

        A layer is left out of which all instances have something that is not finite: it is yet to be looked at.

        Args:
            activations: By layer, (instances, neurons).
            dtypes: By layer, the type it was computed in.
            scores: Probabilities (instances, classes).

        Raises:
            ArgumentError: A head that is named by its layer does not give the scores.
        """
        found: dict[str, Head | None] = {}
        for name, values in activations.items():
            rows = np.flatnonzero(np.isfinite(values).all(axis=1) & np.isfinite(scores).all(axis=1))[:_MOST_ROWS]
            if not len(rows):
                continue
            tolerance = _HALF_TOLERANCE if dtypes[name].endswith("float16") else _TOLERANCE
            known, given = values[rows], scores[rows].astype(np.float64)
            if name in self.named:
                _check(name, self.named[name], known, given, tolerance)
                found[name] = self.named[name]
            else:
                found[name] = next((one for one in self.others if _error(one, known, given) <= tolerance), None)
        return found


def read_heads(heads: HeadArgument | None, layers: Sequence[str], classes: int) -> Heads:
    """Returns heads, checked.

    Raises:
        ArgumentError: They are no pairs of numbers, or none of so many classes; or a layer is not recorded.
    """
    if heads is None:
        return Heads()
    if not isinstance(heads, Mapping):
        arguments = {f"heads[{position}]": pair_of(pair, f"heads[{position}]") for position, pair in enumerate(heads)}
        fitting = {argument: pair for argument, pair in arguments.items() if _fits(pair[0], classes)}
        return Heads(others=[_read(pair, argument) for argument, pair in fitting.items()])
    named = {}
    for name, pair in heads.items():
        if name not in layers:
            raise ArgumentError("heads", f"the layer {name!r}", f"layers that are recorded: {', '.join(layers)}")
        argument = f'heads["{name}"]'
        named[name] = _read(pair_of(pair, argument), argument)
        if not _fits(named[name].weights, classes):
            expected = f"(neurons, {classes}), as classes has {classes} names" + (", or 1" if classes == 2 else "")
            way_out = f"Of at most {MOST_BYTES // 2**20} MiB; a PyTorch Linear: (linear.weight.T, linear.bias)."
            raise ArgumentError(argument, f"weights of shape {named[name].weights.shape}", expected, way_out)
    return Heads(named)


def pair_of(pair: Any, argument: str) -> tuple[Any, Any]:
    """Returns the weights and the bias of a head, as they are; raises ArgumentError where they are no pair."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ArgumentError(argument, type(pair).__name__, "a pair of weights (neurons, classes) and a bias (classes,)")
    return pair[0], pair[1]


def _read(pair: tuple[Any, Any], argument: str) -> Head:
    weights = as_array(pair[0], argument)
    bias = np.zeros(weights.shape[-1:]) if pair[1] is None else as_array(pair[1], argument)
    if weights.ndim != 2 or bias.shape != weights.shape[1:] or not (is_numeric(weights) and is_numeric(bias)):
        got = f"{weights.dtype} {weights.shape} and {bias.dtype} {bias.shape}"
        raise ArgumentError(argument, got, "numbers (neurons, classes) and (classes,)")
    return Head(as_float32(weights).copy(), as_float32(bias).copy())


def _fits(weights: Any, classes: int) -> bool:
    """Whether they are of so many classes, and not too many; they stay where they are."""
    shape = tuple(weights.shape if hasattr(weights, "shape") else np.shape(weights))
    is_of_classes = len(shape) == 2 and (shape[1] == classes or (classes == 2 and shape[1] == 1))
    return is_of_classes and 4 * prod(shape) <= MOST_BYTES


def _check(
    name: str, head: Head, activations: NDArray[np.float32], scores: NDArray[np.float64], tolerance: float
) -> None:
    argument, way_out = f'heads["{name}"]', "Leave it out where anything but softmax or sigmoid comes between."
    if len(head.weights) != activations.shape[1]:
        expected = f"those of {activations.shape[1]} neurons"
        raise ArgumentError(argument, f"weights of {len(head.weights)} neurons", expected, way_out)
    error = _error(head, activations, scores)
    if error > tolerance:
        got = f"weights by which a logit of this batch is off by {error:.2g} of the largest"
        expected = "those that turn these activations into these scores"
        raise ArgumentError(argument, got, expected, way_out)


def _error(head: Head, activations: NDArray[np.float32], scores: NDArray[np.float64]) -> float:
    """Returns by how much the logits of the scores differ from those of the head, relative to the largest of these."""
    if len(head.weights) != activations.shape[1]:
        return np.inf
    made = activations.astype(np.float64) @ head.weights.astype(np.float64) + head.bias
    if not np.isfinite(made).all():
        return np.inf
    if made.shape[1] == 1:
        made = np.hstack([-made, made])
        errors = [_distance(-np.logaddexp(0, -made), scores)]
    else:
        shifted = made - made.max(axis=1, keepdims=True)
        softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        errors = [_distance(one, scores) for one in (softmax, -np.logaddexp(0, -made))]
    return min(errors) / max(1.0, float(np.abs(made).max()))


def _distance(logarithms: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """The largest difference of the logarithms of probabilities; infinite where a very small one is made large."""
    telling = scores >= _SMALLEST
    if (logarithms[~telling] > np.log(2 * _SMALLEST)).any():
        return np.inf
    return float(np.abs(logarithms[telling] - np.log(scores[telling])).max(initial=0.0))
