"""Similar neurons of a neuron's card: those of its layer and of others that vary most like it."""

import numpy as np

from activis_tb.analysis import neurons as analysis
from activis_tb.analysis.neurons import StandardLayer
from activis_tb.errors import StoredDataError
from activis_tb.model import Sample
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.jobs import Report
from activis_tb.plugin.resources.neuron_steps import NeuronSteps
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

MOST_ALIKE = 5
"""Similar neurons of the layer itself, and as many of all others."""
MOST_ROWS = 2_000
"""Drawn instances that correlations are over at most; in a sample ordered by hash the first ones are a sample."""
_LIMIT = 128 * MEBIBYTE


class SimilarNeurons:
    """Correlations among the neurons of a snapshot, with a cache of their standardised activations.

    Args:
        steps: Means by class.
    """

    def __init__(self, steps: NeuronSteps) -> None:
        self._steps = steps
        self._layers: Recent[tuple[str, str], StandardLayer] = Recent(_LIMIT)

    def add(
        self, message: pb.NeuronCard, snapshot: JoinedSnapshot, neuron: int, sample: Sample, report: Report
    ) -> list[str]:
        """Adds the neurons that vary most alike or most oppositely; returns notes about layers that cannot be read."""
        own, notes = self._standard(snapshot, message.layer, sample), []
        here: list[pb.SimilarNeuron] = []
        elsewhere: list[pb.SimilarNeuron] = []
        for layer in snapshot.layers:
            report(0)
            try:
                other = own if layer.name == message.layer else self._standard(snapshot, layer.name, sample)
                means = self._steps.layer_means(snapshot, layer.name)
            except StoredDataError as error:
                notes.append(f"Layer {layer.name} is left out: {error}")
                continue
            r, over = analysis.correlations(own, neuron, other)
            found = analysis.largest_first(np.abs(r), np.arange(len(r)), MOST_ALIKE)
            (here if other is own else elsewhere).extend(
                pb.SimilarNeuron(
                    layer=layer.name, neuron=int(at), r=float(r[at]), over=over, strongest=means.strongest(int(at))
                )
                for at in found
            )
        elsewhere.sort(key=lambda one: -abs(one.r))
        message.similar.extend(sorted([*here, *elsewhere[:MOST_ALIKE]], key=lambda one: -abs(one.r)))
        return notes

    def _standard(self, snapshot: JoinedSnapshot, layer: str, sample: Sample) -> StandardLayer:
        def make() -> StandardLayer:
            rows = np.flatnonzero(sample.drawn)[:MOST_ROWS]
            return analysis.standard_layer(snapshot.reader_of(layer).activations(layer)[rows])

        return self._layers.get_or_make((snapshot.identity, layer), make)
