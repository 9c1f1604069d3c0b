"""Activations, health and separation of a recorded layer."""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.analysis import health
from activis_tb.analysis.health import Separation, separation
from activis_tb.analysis.strata import sample_strata
from activis_tb.errors import ArgumentError
from activis_tb.model import ATTRIBUTE_TYPES, STATISTIC_NAMES, StatisticName, Statistics
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.jobs import Computations, Report, content_key
from activis_tb.plugin.resources.instances import shown_activations
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

_DOCUMENTS_LIMIT = 16 * MEBIBYTE
_DIGESTS_LIMIT = MEBIBYTE


_STATISTICS: tuple[StatisticName | Literal["overall"], ...] = (*STATISTIC_NAMES, "overall")


class LayerRoutes:
    """Routes of one layer.

    Args:
        computations: Background jobs with cached results.
        digests: Digests that identify layers by their content.
    """

    def __init__(self, computations: Computations, digests: "Digests") -> None:
        self._separations = Separations(computations, digests)
        self._health_documents: Recent[tuple[str, str], dict[str, Any]] = Recent(_DOCUMENTS_LIMIT)

    def statistics(self, context: Context) -> Response:
        layer = context.parameters.text("layer")
        statistic = context.parameters.choice("statistic", _STATISTICS)
        if statistic == "overall":
            return http.npy(context.request, health.overall_moments(strata_statistics(context.snapshot, layer)))
        values = context.snapshot.reader_of(layer).statistic(layer, statistic)
        return http.npy(context.request, values.astype(np.float32))

    def activations(self, context: Context) -> Response:
        layer = context.parameters.text("layer")
        return http.npy(context.request, shown_activations(context.snapshot, layer))

    def health(self, context: Context) -> Response:
        layer, snapshot = context.parameters.text("layer"), context.snapshot
        document = self._health_documents.get_or_make(
            (snapshot.identity, layer), lambda: http.message_to_dict(layer_health(snapshot, layer))
        )
        return http.json_document(context.request, document)

    def separation(self, context: Context) -> Response:
        found, done = self._separations.get(context.snapshot, context.parameters.text("layer"))
        answer = found or pb.LayerSeparation()
        return http.computed(context.request, answer, done=found is not None, iteration=done, iterations=ITERATIONS)


class RecordedLayer(NamedTuple):
    """One layer of one snapshot.

    Attributes:
        identity: Identity of its recording, under which nothing changes.
        fetch: Returns the activations, float32 (rows, neurons).
        neurons: How many.
    """

    identity: str
    fetch: Callable[[], NDArray[np.float32]]
    neurons: int


def sampled_layer(snapshot: JoinedSnapshot, layer: str) -> RecordedLayer:
    """Returns `layer` of the sampled instances; raises NotFoundError where it was not recorded."""
    reader = snapshot.reader_of(layer)
    neurons = snapshot.layer(layer).neurons
    return RecordedLayer(f"{snapshot.identity}{layer}", lambda: reader.activations(layer), neurons)


def shown_layer(snapshot: JoinedSnapshot, layer: str) -> RecordedLayer:
    """Returns `layer` of all rows, as `shown_activations` has them; raises NotFoundError where it was not recorded."""
    identity, neurons = f"shown {snapshot.identity}{layer}", snapshot.layer(layer).neurons
    return RecordedLayer(identity, lambda: shown_activations(snapshot, layer), neurons)


class Digests:
    """Digests of layers' activations."""

    def __init__(self) -> None:
        self._digests: Recent[str, str] = Recent(_DIGESTS_LIMIT)

    def of(self, layer: RecordedLayer) -> str:
        return self._digests.get_or_make(layer.identity, lambda: content_key("layer", layer.fetch()))


def layer_health(snapshot: JoinedSnapshot, layer: str) -> pb.LayerHealth:
    """Returns the health of `layer`.

    Dead and non-finite neurons come from the statistics of the classes, so they hold over all instances; the effective
    rank is that of the sample.

    Raises:
        NotFoundError: There is no such layer.
        StoredDataError: Its arrays are damaged.
    """
    reader = snapshot.reader_of(layer)
    statistics = strata_statistics(snapshot, layer)
    activations = reader.activations(layer)
    instances = snapshot.manifest.instances
    signed = snapshot.layer(layer).signed
    zeros_over = instances
    if signed:
        weights = sample_strata(snapshot.manifest, snapshot.reader.sample(without=ATTRIBUTE_TYPES)).weights
        zeros, zeros_over = health.estimated_zero_share(activations, weights), int(np.count_nonzero(weights))
    else:
        zeros = health.zero_share(statistics)
    rank = health.effective_rank(activations)
    known = math.isfinite(zeros)
    return pb.LayerHealth(
        neurons=activations.shape[1],
        dead=int(health.dead_neurons(statistics).sum()),
        dead_over=instances,
        zeros=zeros if known else 0,
        zeros_over=zeros_over if known else 0,
        effective_rank=rank.value,
        effective_rank_over=rank.rows,
        nonfinite=int(health.nonfinite_neurons(statistics).sum()),
        nonfinite_over=instances,
    )


def strata_statistics(snapshot: JoinedSnapshot, layer: str) -> Statistics:
    """The statistics of the classes, or of all instances where there are no labels."""
    strata = slice(len(snapshot.manifest.strata))
    stored = snapshot.reader_of(layer).statistics(layer)
    return Statistics(**{name: getattr(stored, name)[strata] for name in STATISTIC_NAMES})


ITERATIONS = 2
_VERSION = 2
_SHORT = 0.15
_DRAWN_LIMIT = 32 * MEBIBYTE


class Separations:
    """Separation of classes in layers, computed in jobs and cached."""

    def __init__(self, computations: Computations, digests: Digests) -> None:
        self._computations = computations
        self._digests = digests
        self._drawn: Recent[str, tuple[NDArray[np.bool_], NDArray[np.int32]]] = Recent(_DRAWN_LIMIT)

    def get(self, snapshot: JoinedSnapshot, layer: str) -> tuple[pb.LayerSeparation | None, int]:
        """Returns the separation of the classes in `layer`, or None and the progress, of `ITERATIONS`.

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
