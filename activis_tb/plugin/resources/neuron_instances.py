"""Instances of a neuron's card: its values by class and the instances it answers to most, over the best population."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis import neurons as analysis
from activis_tb.analysis.codes import column, half_step
from activis_tb.analysis.neurons import NeuronValues
from activis_tb.analysis.strata import sample_strata
from activis_tb.analysis.threads import work_on_each
from activis_tb.errors import StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES, Sample, TopInstances, stratum_of
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.guard import lacking
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.positions import TopRows
from activis_tb.storage import activis_pb2 as pb

if TYPE_CHECKING:
    from activis_tb.plugin.populations import Population, Populations

MOST_INSTANCES = 20
_MOST_SECONDS = 8.0
_LONGEST_TEXT = 400
_LAYERS_LIMIT = 128 * MEBIBYTE
_SAMPLES_LIMIT = 32 * MEBIBYTE


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


class NeuronInstances:
    """Activations of a neuron by instance, with caches of what is read for them.

    Args:
        populations: Returns the populations that conditions are evaluated over, which need DuckDB.
    """

    def __init__(self, populations: "Callable[[], Populations]") -> None:
        self._populations = populations
        self._activations: Recent[tuple[str, str], NDArray[np.float32]] = Recent(_LAYERS_LIMIT)
        self._samples: Recent[str, Sample] = Recent(_SAMPLES_LIMIT)
        self._best: Recent[tuple[str, str], TopRows | None] = Recent(_LAYERS_LIMIT)
        self._top: Recent[tuple[str, str], TopInstances | None] = Recent(_SAMPLES_LIMIT)
        self._labels: Recent[str, tuple[Population, NDArray[np.int32], NDArray[np.int32]]] = Recent(_SAMPLES_LIMIT)

    def sample(self, snapshot: JoinedSnapshot) -> Sample:
        return self._samples.get_or_make(snapshot.identity, lambda: snapshot.reader.sample(without=ATTRIBUTE_TYPES))

    def sampled(self, snapshot: JoinedSnapshot, layer: str, neuron: int, note: str = "", until: float = inf) -> Answers:
        sample, activations = self.sample(snapshot), self._column(snapshot, layer, neuron)
        strata = sample_strata(snapshot.manifest, sample)
        everything = strata.complete and len(activations) == snapshot.manifest.instances

        def listed(signs: int) -> list[Listed]:
            found = analysis.largest_first(signs * activations, sample.index, MOST_INSTANCES)
            return [Listed(int(row), int(sample.index[row]), float(activations[row])) for row in found]

        answers = Answers(
            exactness="exact" if everything else "estimate",
            values=analysis.sampled_values(strata, activations),
            strongest=listed(1),
            weakest=listed(-1),
            listed=len(activations),
            note=note,
            until=until,
        )
        return self._of_all(answers, snapshot, layer, neuron)

    def _of_all(self, answers: Answers, snapshot: JoinedSnapshot, layer: str, neuron: int) -> Answers:
        """Returns the answers with the strongest and weakest of all instances, where these were recorded."""
        reader, manifest = snapshot.reader_of(layer), snapshot.manifest
        if (best := self._best.get_or_make((snapshot.identity, layer), lambda: reader.top_rows(layer))) is None:
            return answers
        top = self._top.get_or_make((snapshot.identity, layer), reader.top_instances)
        assert top is not None
        rows = {identity: row for row, identity in enumerate(self.sample(snapshot).ids.tolist())}

        def listed(places: NDArray[np.int32], values: NDArray[np.float32]) -> list[Listed]:
            return [
                Listed(rows.get(top.ids[place], -1), int(top.index[place]), value)
                for place, value in zip(places[neuron].tolist(), values[neuron].tolist(), strict=True)
                if place >= 0
            ]

        texts = [attribute.values for attribute in top.attributes if attribute.type == "text"]
        places = {place for table in (best.strongest, best.weakest) for place in table[neuron].tolist() if place >= 0}
        return replace(
            answers,
            strongest=listed(best.strongest, best.largest),
            weakest=listed(best.weakest, best.smallest),
            listed=manifest.instances,
            texts={
                int(top.index[place]): (top.ids[place], next(filter(None, (text[place] for text in texts)), ""))
                for place in places
            },
            outcomes={int(top.index[place]): (int(top.label[place]), int(top.predicted[place])) for place in places},
        )

    def best(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> Answers:
        manifest = snapshot.manifest
        if not manifest.stored or manifest.rows == manifest.instances:
            return self.sampled(snapshot, layer, neuron)
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
        return self.sampled(snapshot, layer, neuron, note, until)

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

    def add(self, message: pb.NeuronCard, snapshot: JoinedSnapshot, answers: Answers) -> None:
        """Adds the listed instances; where nothing is negative, those that are 0 are no strongest ones."""
        sample = self.sample(snapshot)
        signed = message.min < 0
        for one in answers.strongest:
            if signed or one.value > 0:
                message.strongest.append(_instance(one, sample, answers))
        for one in answers.weakest if signed else ():
            message.weakest.append(_instance(one, sample, answers))

    def _column(self, snapshot: JoinedSnapshot, layer: str, neuron: int) -> NDArray[np.float32]:
        activations = self._activations.get_or_make(
            (snapshot.identity, layer), lambda: snapshot.reader_of(layer).activations(layer)
        )
        return activations[:, neuron]


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
