"""How well a recorded layer keeps the classes apart."""

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.health import Separation, separation
from activis_tb.errors import ArgumentError
from activis_tb.model import ATTRIBUTE_TYPES
from activis_tb.plugin.computations import Computations, content_key
from activis_tb.plugin.jobs import Report
from activis_tb.plugin.layers import Digests, sampled_layer
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

ITERATIONS = 2
_VERSION = 2
_SHORT = 0.15
_MOST_SNAPSHOTS = 500


class Separations:
    """Measures layers, and remembers what it found."""

    def __init__(self, computations: Computations, digests: Digests) -> None:
        self._computations = computations
        self._digests = digests
        self._drawn: Recent[str, tuple[NDArray[np.bool_], NDArray[np.int32]]] = Recent(_MOST_SNAPSHOTS)

    def get(self, snapshot: JoinedSnapshot, layer: str) -> tuple[pb.LayerSeparation | None, int]:
        """Returns the separation of the classes in `layer`, or None and how far it has come, of `ITERATIONS`.

        Raises:
            ArgumentError: The instances have no classes.
            NotFoundError: There is no such layer.
            QueueFullError: Too many computations are waiting.
        """
        if not snapshot.manifest.labelled:
            way_out = "Which classes they are predicted as says nothing about how far apart the true ones are."
            raise ArgumentError("step", f"{snapshot}, recorded without labels", "a snapshot with true classes", way_out)
        recorded = sampled_layer(snapshot, layer)
        drawn, label = self._drawn.get_or_make(snapshot.identity, lambda: _drawn(snapshot))
        classes = len(snapshot.manifest.classes)
        key = content_key("separation", _VERSION, self._digests.of(recorded), drawn, label, classes)

        def compute(report: Report) -> pb.LayerSeparation:
            return _message(separation(recorded.fetch()[drawn], label[drawn], report), classes)

        return self._computations.document(key, pb.LayerSeparation, compute, _SHORT)


def _drawn(snapshot: JoinedSnapshot) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    sample = snapshot.reader.sample(without=ATTRIBUTE_TYPES)
    return sample.drawn, sample.label


def _message(found: Separation, classes: int) -> pb.LayerSeparation:
    everyone = np.ones(len(found.label), np.bool_)
    return pb.LayerSeparation(
        overall=_means(found, everyone),
        classes=[_means(found, found.label == position) for position in range(classes)],
        neighbours=found.neighbours,
    )


def _means(found: Separation, members: NDArray[np.bool_]) -> pb.ClassSeparation:
    silhouette = found.silhouette[members] if len(found.silhouette) else found.silhouette
    purity = found.purity[members] if len(found.purity) else found.purity
    return pb.ClassSeparation(
        silhouette=float(silhouette.mean()) if len(silhouette) else 0,
        silhouette_over=len(silhouette),
        purity=float(purity.mean()) if len(purity) else 0,
        purity_over=len(purity),
    )
