"""The activations of recorded layers, and names of their content, so that a poll need not read them again."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.plugin.computations import content_key
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.rows import shown_activations
from activis_tb.plugin.snapshots import JoinedSnapshot

_MOST_LAYERS = 2_000


class RecordedLayer(NamedTuple):
    """One layer of one snapshot.

    Attributes:
        identity: Names its recording; nothing changes under it.
        fetch: Returns the activations, float32 (rows, neurons).
        neurons: How many.
    """

    identity: str
    fetch: Callable[[], NDArray[np.float32]]
    neurons: int


def sampled_layer(snapshot: JoinedSnapshot, layer: str) -> RecordedLayer:
    """Returns `layer` of the sampled instances; raises NotFoundError where it was not recorded."""
    reader = snapshot.reader_of(layer)
    return RecordedLayer(f"{snapshot.identity}{layer}", lambda: reader.activations(layer), _neurons(snapshot, layer))


def shown_layer(snapshot: JoinedSnapshot, layer: str) -> RecordedLayer:
    """Returns `layer` of all rows, as `shown_activations` has them; raises NotFoundError where it was not recorded."""
    snapshot.reader_of(layer)
    identity = f"shown {snapshot.identity}{layer}"
    return RecordedLayer(identity, lambda: shown_activations(snapshot, layer), _neurons(snapshot, layer))


def _neurons(snapshot: JoinedSnapshot, layer: str) -> int:
    return next(one.neurons for one in snapshot.layers if one.name == layer)


class Digests:
    """Names layers by what their activations are."""

    def __init__(self) -> None:
        self._digests: Recent[str, str] = Recent(_MOST_LAYERS)

    def of(self, layer: RecordedLayer) -> str:
        return self._digests.get_or_make(layer.identity, lambda: content_key("layer", layer.fetch()))
