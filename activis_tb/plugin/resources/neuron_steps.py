"""Means of a neuron's card: its layer's, by class, at all steps of the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.health import dead_neurons, overall_moments
from activis_tb.errors import StoredDataError
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.jobs import Report
from activis_tb.plugin.resources.layers import strata_statistics
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

MOST_STEPS = 100
_MOST_CELLS = 2**25
"""Classes x neurons of all steps that are read; a very wide layer of many classes shows fewer steps."""
_LIMIT = 64 * MEBIBYTE


@dataclass(frozen=True, eq=False)
class LayerMeans:
    """Means of one layer at one step, over all instances.

    Attributes:
        classes: Names of the rows.
        means: float32 (classes, neurons); NaN where nothing is finite.
        overall: Over all instances, float64 (neurons,).
        dead: Which neurons were exactly zero whenever finite, bool (neurons,).
    """

    classes: tuple[str, ...]
    means: NDArray[np.float32]
    overall: NDArray[np.float64]
    dead: NDArray[np.bool_]

    def strongest(self, neuron: int) -> int:
        """Returns the class with the highest mean, -1 where none is above 0 or there are no classes."""
        means = np.nan_to_num(self.means[:, neuron], nan=-np.inf)
        best = int(means.argmax())
        return best if means[best] > 0 else -1


class NeuronSteps:
    """What a neuron does at the steps of its run, with a cache of its layer's means."""

    def __init__(self) -> None:
        self._means: Recent[tuple[str, str], LayerMeans] = Recent(_LIMIT)

    def layer_means(self, snapshot: JoinedSnapshot, layer: str) -> LayerMeans:
        def make() -> LayerMeans:
            statistics = strata_statistics(snapshot, layer)
            overall, _ = overall_moments(statistics)
            return LayerMeans(snapshot.manifest.strata, statistics.mean, overall, dead_neurons(statistics))

        return self._means.get_or_make((snapshot.identity, layer), make)

    def add(
        self,
        message: pb.NeuronCard,
        snapshot: JoinedSnapshot,
        neuron: int,
        series: Sequence[JoinedSnapshot],
        report: Report,
    ) -> list[str]:
        """Adds the means at all steps; returns notes about those that cannot be read."""
        strata, notes, dead_since = snapshot.manifest.strata, [], None
        names = [strata[max(one.label, 0)] for one in message.classes]
        for one in series:
            report(0)
            try:
                found = self.layer_means(one, message.layer)
            except StoredDataError as error:
                notes.append(f"Step {one.key.step} is left out: {error}")
                continue
            if neuron >= len(found.overall):
                continue
            position = {name: at for at, name in enumerate(found.classes)}
            means = [float(found.means[position[name], neuron]) if name in position else np.nan for name in names]
            mean, dead = float(found.overall[neuron]), bool(found.dead[neuron])
            message.steps.append(
                pb.NeuronStep(
                    step=one.key.step,
                    mean=mean if isfinite(mean) else None,
                    means=[value if isfinite(value) else 0 for value in means],
                    known=[isfinite(value) for value in means],
                    dead=dead,
                )
            )
            if one.key.step <= snapshot.key.step:
                dead_since = (one.key.step if dead_since is None else dead_since) if dead else None
        if message.dead and dead_since is not None:
            message.dead_since = dead_since
        return notes


def thinned(snapshot: JoinedSnapshot, layer: str, series: Sequence[JoinedSnapshot]) -> list[JoinedSnapshot]:
    """The steps that recorded the layer; of more than are read, evenly spaced ones, this one among them."""
    steps = [one for one in series if layer in one.readers]
    cells = len(snapshot.manifest.strata) * max(snapshot.layer(layer).neurons, 1)
    most = max(2, min(MOST_STEPS, _MOST_CELLS // cells))
    if len(steps) <= most:
        return steps
    chosen = {int(at) for at in np.linspace(0, len(steps) - 1, most)}
    return [one for at, one in enumerate(steps) if at in chosen or one.key == snapshot.key]
