"""Card of a neuron: what it answers to, over the best population that there is, and how that came about."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from werkzeug.wrappers import Response

from activis_tb.analysis import neurons as analysis
from activis_tb.analysis.health import dead_neurons, overall_moments
from activis_tb.errors import StoredDataError
from activis_tb.model import STATISTIC_NAMES, Statistics
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.jobs import Computations, QueueFullError, Report, content_key
from activis_tb.plugin.resources.layers import strata_statistics
from activis_tb.plugin.resources.neuron_instances import Answers, NeuronInstances
from activis_tb.plugin.resources.neuron_steps import NeuronSteps, thinned
from activis_tb.plugin.resources.neuron_words import Words
from activis_tb.plugin.resources.similar_neurons import SimilarNeurons
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

if TYPE_CHECKING:
    from activis_tb.plugin.populations import Populations

BINS = 32
MOST_CLASSES = 20
MOST_WEIGHTS = 10
_SHORT = 0.05
"""Seconds that a request waits for its job: what the sample says comes within 0.1 s, whatever is stored."""
_LIMIT = 16 * MEBIBYTE


class _Card(NamedTuple):
    document: dict[str, Any]
    answers: Answers


class NeuronRoutes:
    """Route of one neuron.

    Args:
        computations: Background jobs.
        populations: Returns the populations that conditions are evaluated over, which need DuckDB.
    """

    def __init__(self, computations: Computations, populations: "Callable[[], Populations]") -> None:
        self._computations = computations
        self._begun: Recent[tuple[str, ...], _Card] = Recent(_LIMIT, _size)
        self._done: Recent[tuple[str, ...], _Card] = Recent(_LIMIT, _size)
        self._instances = NeuronInstances(populations)
        self._steps = NeuronSteps()
        self._similar = SimilarNeurons(self._steps)
        self._words = Words()

    def answer(self, context: Context) -> Response:
        snapshot, (layer, neuron) = context.snapshot, context.neuron()
        card, done = self._card(snapshot, layer, neuron, context.steps(snapshot))
        return http.json_document(
            context.request,
            card.document,
            200 if done else 202,
            [("Activis-Iteration", str(int(done))), ("Activis-Iterations", "1")],
        )

    def _card(
        self, snapshot: JoinedSnapshot, layer: str, neuron: int, series: Sequence[JoinedSnapshot]
    ) -> tuple[_Card, bool]:
        """Returns the card, and whether it is whole: until the job is done it is that of the sample, alone."""
        chosen = thinned(snapshot, layer, series)
        key = (snapshot.identity, layer, str(neuron), *(step.identity for step in chosen))
        known = self._done.get(key)
        if known is not None and known.answers.holds():
            return known, True
        begun = self._begun.get_or_make(key[:3], lambda: self._begin(snapshot, layer, neuron))

        def work(report: Report) -> None:
            self._done.put(key, self._finish(snapshot, layer, neuron, chosen, report))

        try:
            job = self._computations.work(content_key("neuron", *key), work)
        except QueueFullError:
            return begun, False
        job.finished.wait(_SHORT)
        made = self._done.get(key)
        return (begun, False) if made is None or made is known else (made, True)

    def _begin(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> _Card:
        answers = self._instances.sampled(snapshot, layer, neuron)
        return _Card(http.message_to_dict(self._described(snapshot, layer, neuron, answers)), answers)

    def _finish(
        self, snapshot: JoinedSnapshot, layer: str, neuron: int, series: Sequence[JoinedSnapshot], report: Report
    ) -> _Card:
        answers = self._instances.best(snapshot, layer, neuron)
        message = self._described(snapshot, layer, neuron, answers)
        report(0)
        notes = [message.note, *self._steps.add(message, snapshot, neuron, series, report)]
        if not message.dead:
            notes += self._similar.add(message, snapshot, neuron, self._instances.sample(snapshot), report)
        message.note = " ".join(filter(None, notes))
        return _Card(http.message_to_dict(message), answers)

    def _described(self, snapshot: JoinedSnapshot, layer: str, neuron: int, answers: Answers) -> pb.NeuronCard:
        message = _described(snapshot, layer, neuron, self._statistics(snapshot, layer, neuron), answers)
        if message.dead:
            return message
        self._instances.add(message, snapshot, answers)
        try:
            _add_weights(message, snapshot)
        except StoredDataError as error:
            message.note = f"{message.note} Its weights are left out: {error}".lstrip()
        try:
            self._words.add(message, snapshot, neuron, self._instances.sample(snapshot))
        except StoredDataError as error:
            message.note = f"{message.note} Its words are left out: {error}".lstrip()
        return message

    def _statistics(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> Statistics:
        """Of the classes, (strata, 1)."""
        statistics = strata_statistics(snapshot, layer)
        one = slice(neuron, neuron + 1)
        return Statistics(**{name: getattr(statistics, name)[:, one] for name in STATISTIC_NAMES})


def _size(card: _Card) -> int:
    return 2_000 + 200 * (len(card.document["classes"]) * BINS // 8 + len(card.document["steps"]))


def _described(
    snapshot: JoinedSnapshot, layer: str, neuron: int, statistics: Statistics, answers: Answers
) -> pb.NeuronCard:
    """Returns what is known over all instances, and how the values are distributed by class."""
    manifest, values = snapshot.manifest, answers.values
    counts = statistics.count[:, 0]
    finite = counts > 0
    low, high = (
        float(reduce(getattr(statistics, name)[finite, 0])) if finite.any() else 0.0
        for name, reduce in (("min", np.min), ("max", np.max))
    )
    mean, deviation = overall_moments(statistics)[:, 0]
    message = pb.NeuronCard(
        layer=layer,
        neuron=neuron,
        count=int(counts.sum()),
        nonfinite=int(statistics.nonfinite.sum()),
        mean=_known(mean),
        std=_known(deviation),
        min=_known(low),
        max=_known(high),
        active=_known(np.nansum(statistics.active[:, 0].astype(np.float64) * counts) / max(int(counts.sum()), 1)),
        dead=bool(dead_neurons(statistics)[0]),
        exactness=answers.exactness,
        over=int(values.seen.sum()),
        total=manifest.instances,
        listed=answers.listed,
        bound=answers.bound,
        note=answers.note,
        preferred=-1,
    )
    shares = analysis.class_histogram(values, low, high, BINS) if low < high else None
    if shares is not None:
        message.edges.extend(np.linspace(low, high, BINS + 1).tolist())
    areas = analysis.class_areas(values)
    if message.dead:
        areas = analysis.ClassAreas(*(np.full_like(areas.area, np.nan) for _ in areas))
    if manifest.labelled:
        eta = float(analysis.eta_squared(statistics)[0])
        if isfinite(eta):
            message.eta_squared = eta
        best = int(np.nan_to_num(areas.area, nan=-1).argmax())
        message.preferred = best if areas.area[best] > 0.5 else -1
    order = np.argsort(-np.nan_to_num(areas.area, nan=-1), kind="stable")
    for label in sorted(order[:MOST_CLASSES].tolist()):
        known = isfinite(areas.area[label])
        message.classes.append(
            pb.NeuronClass(
                label=label if manifest.labelled else -1,
                count=int(counts[label]),
                mean=_known(statistics.mean[label, 0]),
                std=_known(statistics.std[label, 0]),
                over=int(values.seen[label]),
                auc=float(areas.area[label]) if known else None,
                auc_low=float(areas.low[label]) if known else None,
                auc_high=float(areas.high[label]) if known else None,
                shares=shares[label].tolist() if shares is not None else (),
            )
        )
    message.classes_left_out = len(order) - len(message.classes)
    return message


def _add_weights(message: pb.NeuronCard, snapshot: JoinedSnapshot) -> None:
    """Adds what the neuron's activation is multiplied by in the logit of every class, where that is recorded."""
    head = snapshot.reader_of(message.layer).head(message.layer)
    if head is None or not snapshot.manifest.labelled:
        return
    weights = head.weights[int(message.neuron)].astype(np.float64)
    if len(weights) == 1:
        weights = np.append(-weights, weights)
    largest = analysis.largest_first(np.abs(weights), np.arange(len(weights)), MOST_WEIGHTS)
    message.weights.extend(pb.OutputWeight(label=at, weight=weights[at]) for at in sorted(largest.tolist()))


def _known(value: float) -> float:
    return float(value) if isfinite(value) else 0.0
