"""The averages of the paper's S^T A and what goes with them, streaming: a monoid that workers merge exactly."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Statistics, is_right
from activis_tb.recording.block import Block
from activis_tb.recording.members import members_of
from activis_tb.recording.moments import Moments
from activis_tb.recording.workspace import Workspace


class Accumulator:
    """Statistics of every layer and outcomes of every subset over the instances added so far.

    Subsets are the strata (the classes in order, or all instances without labels), then the user's. A new accumulator
    is the neutral element of `merge`.

    Args:
        classes: Number of classes.
        subsets: Number of the user's subsets.
        neurons: By layer name.
        strata: Number of disjoint subsets that every instance is in one of; by default the classes.

    Attributes:
        instances: Number of instances added.
    """

    def __init__(self, classes: int, subsets: int, neurons: Mapping[str, int], strata: int | None = None) -> None:
        self.instances = 0
        self._classes = classes
        self._strata = strata = classes if strata is None else strata
        self._workspace = Workspace()
        self._counts = np.zeros(strata + subsets, np.int64)
        self._correct = np.zeros(strata + subsets, np.int64)
        self._predicted_counts = np.zeros((strata + subsets, classes), np.int64)
        self._layers = {name: Moments(strata + subsets, count) for name, count in neurons.items()}

    def add(self, block: Block) -> None:
        """Adds the instances of `block`."""
        members = members_of(block, self._strata)
        right = is_right(block.label, block.predicted)[members.instances]
        self._counts += members.sizes
        self._correct += np.bincount(members.subsets[right], minlength=len(self._correct))
        predicted = block.predicted[members.instances]
        cells = members.subsets.astype(np.intp) * self._classes + predicted
        # Of one axis it is several times as fast.
        np.add.at(self._predicted_counts.reshape(-1), cells[predicted >= 0], 1)
        for name, layer in self._layers.items():
            layer.add(block.activations[name], members, self._workspace)
        self.instances += len(block)

    def merge(self, other: Self) -> None:
        """Adds what `other` has seen: the same classes, subsets and layers, other instances."""
        self.instances += other.instances
        self._counts += other._counts
        self._correct += other._correct
        self._predicted_counts += other._predicted_counts
        for name, layer in self._layers.items():
            layer.merge(other._layers[name])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns all that it has seen, for `from_arrays` in another process."""
        arrays = {"counts": self._counts, "correct": self._correct, "predicted_counts": self._predicted_counts}
        for position, layer in enumerate(self._layers.values()):
            arrays |= {f"{position}/{name}": values for name, values in vars(layer).items()}
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], layers: Sequence[str], instances: int, strata: int
    ) -> Self:
        """Returns the accumulator that `arrays` is of.

        Args:
            arrays: What the method of that name returned.
            layers: Names, in order.
            instances: Added to it.
            strata: As of the constructor.
        """
        classes = arrays["predicted_counts"].shape[1]
        neurons = {name: arrays[f"{position}/mean"].shape[1] for position, name in enumerate(layers)}
        accumulator = cls(classes, len(arrays["correct"]) - strata, neurons, strata)
        accumulator.instances = instances
        accumulator._counts += arrays["counts"]
        accumulator._correct += arrays["correct"]
        accumulator._predicted_counts += arrays["predicted_counts"]
        for position, layer in enumerate(accumulator._layers.values()):
            for name in vars(layer):
                setattr(layer, name, arrays[f"{position}/{name}"])
        return accumulator

    def extract(self) -> dict[str, Statistics]:
        """Returns the statistics by layer name."""
        return {name: layer.extract() for name, layer in self._layers.items()}

    @property
    def stratum_counts(self) -> NDArray[np.int64]:
        """Instances of every stratum, int64 (strata,)."""
        return self._counts[: self._strata]

    @property
    def without_prediction(self) -> int:
        """Instances that are predicted as nothing."""
        return int(self.stratum_counts.sum() - self._predicted_counts[: self._strata].sum())

    def signed(self, layer: str) -> bool:
        """Tells whether any finite activation of `layer` is negative."""
        return bool((self._layers[layer].min < 0).any())

    def outcomes(self) -> list[tuple[int, int, tuple[int, ...]]]:
        """Returns by subset how many instances it has, how many are predicted right, and by class how many as it."""
        return [
            (int(count), int(correct), tuple(predicted.tolist()))
            for count, correct, predicted in zip(self._counts, self._correct, self._predicted_counts, strict=True)
        ]
