"""Checked instances as columns of one length: what a batch becomes, what is accumulated, what the sample holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import stratum_of
from activis_tb.recording.attributes import Column, join_columns


@dataclass(frozen=True, eq=False)
class Block:
    """Instances of the stream.

    Attributes:
        ids: str, object array (instances,).
        index: Position in the stream, int64 (instances,).
        label: True class, int32 (instances,); -1 where there is none.
        predicted: Predicted class, int32 (instances,); -1 where it is predicted as nothing.
        score: The predicted class's score, float32 (instances,); NaN where there is none.
        scores: float32 (instances, classes).
        always: To be kept whatever the hash says, bool (instances,).
        membership: In the user's subsets, bool (instances, subsets).
        attributes: By name.
        activations: By layer name, float32 (instances, neurons).
        lasting: Layers whose activations nobody else can overwrite.
    """

    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    score: NDArray[np.float32]
    scores: NDArray[np.float32]
    always: NDArray[np.bool_]
    membership: NDArray[np.bool_]
    attributes: Mapping[str, Column]
    activations: Mapping[str, NDArray[np.float32]]
    lasting: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.index)

    @property
    def stratum(self) -> NDArray[np.int32]:
        """Which of the disjoint subsets an instance is in, int32 (instances,): its class, or 0 without labels."""
        return stratum_of(self.label)

    @property
    def row_bytes(self) -> int:
        """Bytes of one instance's activations and scores."""
        tables = (self.scores, *self.activations.values())
        return sum(values.shape[1] * values.itemsize for values in tables)

    def take(self, rows: NDArray[Any] | slice) -> "Block":
        """Returns the instances at `rows`: positions in any order, or a slice."""
        return Block(
            **{name: getattr(self, name)[rows] for name in _COLUMNS},
            attributes={name: column.take(rows) for name, column in self.attributes.items()},
            activations={name: values[rows] for name, values in self.activations.items()},
            lasting=self.lasting,
        )


_COLUMNS = ("ids", "index", "label", "predicted", "score", "scores", "always", "membership")


def join(blocks: Sequence[Block]) -> Block:
    """Returns the instances of `blocks`, at least one, one after the other."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    return Block(
        **{name: np.concatenate([getattr(block, name) for block in blocks]) for name in _COLUMNS},
        attributes={name: join_columns([block.attributes[name] for block in blocks]) for name in first.attributes},
        activations={name: np.concatenate([block.activations[name] for block in blocks]) for name in first.activations},
        lasting=frozenset(first.activations),
    )
