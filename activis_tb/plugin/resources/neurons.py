"""Card of a neuron: what it answers to, over the best population that there is, and how that came about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.analysis import neurons as analysis
from activis_tb.analysis.codes import column, half_step
from activis_tb.analysis.health import dead_neurons, overall_moments
from activis_tb.analysis.neurons import NeuronValues, StandardLayer
from activis_tb.analysis.strata import sample_strata
from activis_tb.analysis.threads import work_on_each
from activis_tb.errors import StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES, STATISTIC_NAMES, Sample, Statistics, stratum_of
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.guard import lacking
from activis_tb.plugin.jobs import Computations, QueueFullError, Report, content_key
from activis_tb.plugin.resources.layers import strata_statistics
from activis_tb.plugin.resources.neuron_words import Words
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

if TYPE_CHECKING:
    from activis_tb.plugin.populations import Population, Populations

BINS = 32
MOST_INSTANCES = 20
MOST_CLASSES = 20
MOST_ALIKE = 5
"""Similar neurons of the layer itself, and as many of all others."""
MOST_ROWS = 2_000
"""Drawn instances that correlations are over at most; in a sample ordered by hash the first ones are a sample."""
MOST_STEPS = 100
_MOST_CELLS = 2**25
"""Classes x neurons of all steps that are read; a very wide layer of many classes shows fewer steps."""
_MOST_SECONDS = 8.0
_SHORT = 0.05
"""Seconds that a request waits for its job: what the sample says comes within 0.1 s, whatever is stored."""
_LONGEST_TEXT = 400

_CARDS_LIMIT = 16 * MEBIBYTE
_LAYERS_LIMIT = 128 * MEBIBYTE
_STEPS_LIMIT = 64 * MEBIBYTE
_SAMPLES_LIMIT = 32 * MEBIBYTE


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


class Listed(NamedTuple):
    """One instance of a list.

    Attributes:
        row: Of the sample; -1 where it is not in it.
        position: In the stream.
        value: Its activation.
    """

    row: int
    position: int
    value: float


@dataclass(frozen=True, eq=False)
class Answers:
    """Activations of one neuron, over one population.

    Attributes:
        exactness: "exact", "bound" or "estimate".
        values: They, by class.
        strongest: Instances with the largest ones.
        weakest: Instances with the smallest ones, of a signed layer.
        listed: Instances that both are chosen from.
        bound: By how much an activation may be off.
        texts: By index, id and text of the listed instances that are not in the sample.
        outcomes: By index, their true and predicted class.
        note: What else to know; mostly empty.
        population: The population of the stored instances; None for the sample.
        until: When, by `time.monotonic`, all instances are looked for again.
    """

    exactness: str
    values: NeuronValues
    strongest: Sequence[Listed]
    weakest: Sequence[Listed]
    listed: int
    bound: float = 0.0
    texts: dict[int, tuple[str, str]] | None = None
    outcomes: dict[int, tuple[int, int]] | None = None
    note: str = ""
    population: "Population | None" = None
    until: float = inf

    def holds(self) -> bool:
        return monotonic() < self.until and (self.population is None or self.population.unchanged())


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
        self._populations = populations
        self._begun: Recent[tuple[str, ...], _Card] = Recent(_CARDS_LIMIT, _size)
        self._done: Recent[tuple[str, ...], _Card] = Recent(_CARDS_LIMIT, _size)
        self._activations: Recent[tuple[str, str], NDArray[np.float32]] = Recent(_LAYERS_LIMIT)
        self._layers: Recent[tuple[str, str], StandardLayer] = Recent(_LAYERS_LIMIT)
        self._means: Recent[tuple[str, str], LayerMeans] = Recent(_STEPS_LIMIT)
        self._words = Words()
        self._samples: Recent[str, Sample] = Recent(_SAMPLES_LIMIT)
        self._labels: Recent[str, tuple[Population, NDArray[np.int32], NDArray[np.int32]]] = Recent(_SAMPLES_LIMIT)

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
        chosen = _thinned(snapshot, layer, series)
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
        answers = self._sampled(snapshot, layer, neuron)
        message = _described(snapshot, layer, neuron, self._statistics(snapshot, layer, neuron), answers)
        self._list(message, snapshot, answers)
        return _Card(http.message_to_dict(message), answers)

    def _finish(
        self, snapshot: JoinedSnapshot, layer: str, neuron: int, series: Sequence[JoinedSnapshot], report: Report
    ) -> _Card:
        answers = self._best(snapshot, layer, neuron)
        message = _described(snapshot, layer, neuron, self._statistics(snapshot, layer, neuron), answers)
        self._list(message, snapshot, answers)
        report(0)
        notes = [message.note, *self._add_steps(message, snapshot, neuron, series, report)]
        if not message.dead:
            notes += self._add_alike(message, snapshot, neuron, report)
        message.note = " ".join(filter(None, notes))
        return _Card(http.message_to_dict(message), answers)

    def _statistics(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> Statistics:
        """Of the classes, (strata, 1)."""
        statistics = strata_statistics(snapshot, layer)
        one = slice(neuron, neuron + 1)
        return Statistics(**{name: getattr(statistics, name)[:, one] for name in STATISTIC_NAMES})

    def _sample(self, snapshot: JoinedSnapshot) -> Sample:
        return self._samples.get_or_make(snapshot.identity, lambda: snapshot.reader.sample(without=ATTRIBUTE_TYPES))

    def _column(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> NDArray[np.float32]:
        activations = self._activations.get_or_make(
            (snapshot.identity, layer), lambda: snapshot.reader_of(layer).activations(layer)
        )
        return activations[:, neuron]

    def _sampled(
        self, snapshot: JoinedSnapshot, layer: str, neuron: int, note: str = "", until: float = inf
    ) -> Answers:
        sample, activations = self._sample(snapshot), self._column(snapshot, layer, neuron)
        strata = sample_strata(snapshot.manifest, sample)
        everything = strata.complete and len(activations) == snapshot.manifest.instances

        def listed(signs: int) -> list[Listed]:
            found = analysis.largest_first(signs * activations, sample.index, MOST_INSTANCES)
            return [Listed(int(row), int(sample.index[row]), float(activations[row])) for row in found]

        return Answers(
            exactness="exact" if everything else "estimate",
            values=analysis.sampled_values(strata, activations),
            strongest=listed(1),
            weakest=listed(-1),
            listed=len(activations),
            note=note,
            until=until,
        )

    def _best(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> Answers:
        manifest = snapshot.manifest
        if not manifest.stored or manifest.rows == manifest.instances:
            return self._sampled(snapshot, layer, neuron)
        until = inf
        try:
            population = self._populations().get(snapshot)
            if population.store is not None:
                return self._stored(population, snapshot, layer, neuron)
            note, until = population.note, population.until
        except StoredDataError as error:
            from activis_tb.plugin.populations import retry_time

            note, until = str(error), retry_time()
        except ImportError as error:
            note = lacking(error)
        except TimeoutError:
            note = (
                f"Reading {manifest.stored:,} stored instances took longer than {_MOST_SECONDS:g} s and was stopped; "
                "the sample is asked instead."
            )
        return self._sampled(snapshot, layer, neuron, note, until)

    def _stored(self, population: "Population", snapshot: JoinedSnapshot, layer: str, neuron: int) -> Answers:
        store = population.store
        assert store is not None
        parts = store.layer(layer)
        codes = work_on_each(lambda part: column(part.codes, neuron), parts, most_seconds=_MOST_SECONDS)
        _, label, predicted = self._labels.get_or_make(
            snapshot.identity, lambda: (population, *store.outcomes()), lambda kept: kept[0] is population
        )
        strata = len(snapshot.manifest.strata)
        activations = np.concatenate(
            [analysis.coded_values(part, neuron, own) for part, own in zip(parts, codes, strict=True)]
        )
        index = np.arange(len(activations))
        rows = {int(at): row for row, at in enumerate(population.rows)}

        def listed(signs: int) -> list[Listed]:
            found = analysis.largest_first(signs * activations, index, MOST_INSTANCES)
            return [Listed(rows.get(int(at), -1), int(at), float(activations[at])) for at in found]

        strongest, weakest = listed(1), listed(-1)
        unsampled = sorted({one.position for one in (*strongest, *weakest) if one.row < 0})
        answers = Answers(
            exactness="bound",
            values=analysis.stored_values(parts, codes, neuron, stratum_of(label), strata),
            strongest=strongest,
            weakest=weakest,
            listed=len(activations),
            bound=max(float(half_step(part)[neuron]) for part in parts),
            texts=dict(zip(unsampled, store.texts(unsampled, _LONGEST_TEXT), strict=True)),
            outcomes={at: (int(label[at]), int(predicted[at])) for at in unsampled},
            population=population,
        )
        store.check()
        return answers

    def _list(self, message: pb.NeuronCard, snapshot: JoinedSnapshot, answers: Answers) -> None:
        """Adds the listed instances; where nothing is negative, those that are 0 are no strongest ones."""
        if message.dead:
            return
        sample = self._sample(snapshot)
        signed = message.min < 0
        for one in answers.strongest:
            if signed or one.value > 0:
                message.strongest.append(_instance(one, sample, answers))
        for one in answers.weakest if signed else ():
            message.weakest.append(_instance(one, sample, answers))
        try:
            self._words.add(message, snapshot, int(message.neuron), sample)
        except StoredDataError as error:
            message.note = f"{message.note} Its words are left out: {error}".lstrip()

    def _layer_means(self, snapshot: JoinedSnapshot, layer: str) -> LayerMeans:
        def make() -> LayerMeans:
            statistics = strata_statistics(snapshot, layer)
            overall, _ = overall_moments(statistics)
            return LayerMeans(snapshot.manifest.strata, statistics.mean, overall, dead_neurons(statistics))

        return self._means.get_or_make((snapshot.identity, layer), make)

    def _add_steps(
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
                found = self._layer_means(one, message.layer)
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

    def _standard(self, snapshot: JoinedSnapshot, layer: str) -> StandardLayer:
        def make() -> StandardLayer:
            rows = np.flatnonzero(self._sample(snapshot).drawn)[:MOST_ROWS]
            return analysis.standard_layer(snapshot.reader_of(layer).activations(layer)[rows])

        return self._layers.get_or_make((snapshot.identity, layer), make)

    def _add_alike(self, message: pb.NeuronCard, snapshot: JoinedSnapshot, neuron: int, report: Report) -> list[str]:
        """Adds the neurons that vary most alike or most oppositely; returns notes about layers that cannot be read."""
        own, notes = self._standard(snapshot, message.layer), []
        here: list[pb.SimilarNeuron] = []
        elsewhere: list[pb.SimilarNeuron] = []
        for layer in snapshot.layers:
            report(0)
            try:
                other = own if layer.name == message.layer else self._standard(snapshot, layer.name)
                means = self._layer_means(snapshot, layer.name)
            except StoredDataError as error:
                notes.append(f"Layer {layer.name} is left out: {error}")
                continue
            r, over = analysis.correlations(own, neuron, other)
            found = analysis.largest_first(np.abs(r), np.arange(len(r)), MOST_ALIKE)
            (here if other is own else elsewhere).extend(
                pb.SimilarNeuron(
                    layer=layer.name, neuron=int(at), r=float(r[at]), over=over, strongest=_strongest(means, int(at))
                )
                for at in found
            )
        elsewhere.sort(key=lambda one: -abs(one.r))
        message.similar.extend(sorted([*here, *elsewhere[:MOST_ALIKE]], key=lambda one: -abs(one.r)))
        return notes


def _size(card: _Card) -> int:
    return 2_000 + 200 * (len(card.document["classes"]) * BINS // 8 + len(card.document["steps"]))


def _thinned(snapshot: JoinedSnapshot, layer: str, series: Sequence[JoinedSnapshot]) -> list[JoinedSnapshot]:
    """The steps that recorded the layer; of more than are read, evenly spaced ones, this one among them."""
    steps = [one for one in series if layer in one.readers]
    cells = len(snapshot.manifest.strata) * max(snapshot.layer(layer).neurons, 1)
    most = max(2, min(MOST_STEPS, _MOST_CELLS // cells))
    if len(steps) <= most:
        return steps
    chosen = {int(at) for at in np.linspace(0, len(steps) - 1, most)}
    return [one for at, one in enumerate(steps) if at in chosen or one.key == snapshot.key]


def _strongest(found: LayerMeans, neuron: int) -> int:
    """The class with the highest mean, -1 where none is above 0 or there are no classes."""
    means = np.nan_to_num(found.means[:, neuron], nan=-np.inf)
    best = int(means.argmax())
    return best if means[best] > 0 else -1


def _instance(one: Listed, sample: Sample, answers: Answers) -> pb.NeuronInstance:
    message = pb.NeuronInstance(row=one.row, index=one.position, value=one.value)
    if one.row >= 0:
        message.id = str(sample.ids[one.row])
        message.label, message.predicted = int(sample.label[one.row]), int(sample.predicted[one.row])
        return message
    assert answers.texts is not None
    assert answers.outcomes is not None
    message.id, message.text = answers.texts[one.position]
    message.label, message.predicted = answers.outcomes[one.position]
    return message


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


def _known(value: float) -> float:
    return float(value) if isfinite(value) else 0.0
