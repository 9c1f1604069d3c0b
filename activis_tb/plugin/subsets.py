"""Subsets of one snapshot by condition: which instances, how many, and what every layer does over them."""

from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.estimates import EstimatedCount, estimate_count
from activis_tb.conditions import Condition, GivingUp, Neuron, names_instances, parse_condition
from activis_tb.errors import StoredDataError
from activis_tb.plugin.admission import Admission
from activis_tb.plugin.populations import Exactness, Population, Populations, retry_time, schema_of
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.plugin.subset_averages import (
    MOST_SECONDS,
    Averages,
    StatisticChoice,
    all_averages,
    sampled_averages,
    work_of,
)
from activis_tb.plugin.wire import MOST_COUNTED_CLASSES
from activis_tb.storage import activis_pb2 as pb

_MOST_MASKS = 64
_MOST_AVERAGES = 512


@dataclass(frozen=True, eq=False)
class Subset:
    """The instances that a condition holds for.

    Attributes:
        population: Which instances were looked at.
        condition: The condition.
        packed: Who of them is a member, one bit each, uint8.
        note: What else to know; mostly empty.
    """

    population: Population
    condition: Condition
    packed: NDArray[np.uint8]
    note: str

    @property
    def members(self) -> NDArray[np.bool_]:
        """Bool (instances,) of the population."""
        return np.unpackbits(self.packed, count=len(self.population.outcomes)).view(np.bool_)

    @property
    def rows(self) -> NDArray[np.bool_]:
        """Bool (rows,) of the sample."""
        return np.asarray(self.members[self.population.rows])

    @property
    def count(self) -> EstimatedCount:
        """How many instances there are, over all."""
        if self.population.exactness == "estimate":
            return estimate_count(self.population.strata, self.rows)
        return EstimatedCount(float(np.count_nonzero(self.members)), 0.0)


class _KeptAverages(NamedTuple):
    """Averages, whose they are, and until when they hold: files that could not be read are tried again."""

    averages: Averages
    population: Population
    until: float = inf


class Subsets:
    """Evaluates conditions, a few at a time, and remembers the newest answers.

    Args:
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, logdir: str) -> None:
        self.populations = Populations(logdir)
        self.admission = Admission()
        self._subsets: Recent[tuple[str, str], Subset] = Recent(_MOST_MASKS)
        self._averages: Recent[tuple[str, ...], _KeptAverages] = Recent(_MOST_AVERAGES)

    def subset(self, snapshot: JoinedSnapshot, text: str, giving_up: GivingUp | None = None) -> Subset:
        """Returns the subset that the condition `text` describes.

        Raises:
            GivenUpError: `giving_up` has stopped it.
            ConditionError: The text is no condition, or a too costly one.
            BusyError: Too many are being evaluated.
        """
        condition = parse_condition(text, schema_of(snapshot))
        key = (snapshot.identity, text)
        known = self._subsets.get(key)
        if known is not None and known.population.unchanged():
            return known
        with self.admission.admitted():
            return self._subsets.get_or_make(
                key,
                lambda: self._evaluate(snapshot, condition, giving_up),
                lambda subset: subset.population.unchanged(),
            )

    def averages(
        self, snapshot: JoinedSnapshot, layer: str, statistic: StatisticChoice, text: str
    ) -> tuple[Subset, Averages]:
        """Returns what the neurons of a layer do over a subset; see `subset` for errors.

        Raises:
            NotFoundError: There is no such layer.
        """
        snapshot.reader_of(layer)
        subset = self.subset(snapshot, text)
        work = work_of(statistic) if subset.population.store else "all"
        key = (snapshot.identity, text, layer, work)

        def holds(kept: _KeptAverages) -> bool:
            return kept.population is subset.population and monotonic() < kept.until

        known = self._averages.get(key)
        if known is None or not holds(known):
            with self.admission.admitted():
                known = self._averages.get_or_make(key, lambda: _averages(subset, layer, statistic), holds)
        return subset, known.averages

    def _evaluate(self, snapshot: JoinedSnapshot, condition: Condition, giving_up: GivingUp | None) -> Subset:
        population = self.populations.get(snapshot)
        try:
            members = population.engine.members(condition, giving_up)
            note = _blur(population, condition)
        except StoredDataError as error:
            if population.store is None:
                raise
            population = self.populations.sample(snapshot, str(error))
            members, note = population.engine.members(condition, giving_up), ""
        if population.store is None:
            population = _sampled(population, condition)
        return Subset(population, condition, np.packbits(members), note or population.note)


def _blur(population: Population, condition: Condition) -> str:
    """What is uncertain about the members themselves: activations of neurons are known from their codes only."""
    neurons = [part for part in condition.computed if isinstance(part, Neuron)]
    if population.store is None or not neurons:
        return ""
    shown = ", ".join(
        f"neuron('{part.layer}', {part.neuron}) ± {population.store.uncertainty(part):.2g}" for part in neurons
    )
    return f"Stored activations are rounded: {shown}; instances so near to a limit may count on its other side."


def _sampled(population: Population, condition: Condition) -> Population:
    """The sample of `population`: a condition that lists instances is about those of them that are in it."""
    everything = population.exactness == "exact"
    return population if everything or not names_instances(condition.expression) else population.of_itself()


def _averages(subset: Subset, layer: str, statistic: StatisticChoice) -> _KeptAverages:
    population, note, until = subset.population, subset.population.note, inf
    if population.store is not None:
        try:
            averages = all_averages(population.store.layer(layer), subset.members, statistic)
            return _KeptAverages(averages, population)
        except StoredDataError as error:
            note, until = str(error), retry_time()
        except TimeoutError:
            note = (
                f"Averaging {layer} over {subset.count.value:,.0f} stored instances took longer than "
                f"{MOST_SECONDS:g} s and was stopped; the sample is asked instead."
            )
    sample = _sampled(population, subset.condition)
    activations = sample.snapshot.reader_of(layer).activations(layer)
    complete: Exactness = "sample" if sample.exactness == "sample" else "exact"
    averages = sampled_averages(sample.strata, subset.rows, activations, complete=complete, note=note)
    return _KeptAverages(averages, population, until)


def describe(subset: Subset) -> pb.SubsetDescription:
    """Returns the wire message about a subset."""
    population, rows, count = subset.population, subset.rows, subset.count
    correct, predicted_counts = _outcomes(population, subset.members, rows)
    return pb.SubsetDescription(
        count=count.value,
        correct=correct.value,
        total=population.snapshot.manifest.instances,
        predicted_counts=predicted_counts.tolist() if len(predicted_counts) <= MOST_COUNTED_CLASSES else (),
        exactness=population.exactness,
        over=population.over,
        rows=np.flatnonzero(rows).tolist(),
        count_error=count.error,
        correct_error=correct.error,
        note=subset.note,
    )


def _outcomes(
    population: Population, members: NDArray[np.bool_], rows: NDArray[np.bool_]
) -> tuple[EstimatedCount, NDArray[Any]]:
    """How many members are predicted right, and how many as each class, (classes,)."""
    classes, outcomes = len(population.schema.classes), population.outcomes
    estimated = population.exactness == "estimate"
    weights = population.strata.weights if estimated else None
    # Not to pick the members first is faster: which of them are does not have to be guessed.
    counts = np.bincount(outcomes * members, weights, 1 + 2 * classes)[1:].reshape(classes, 2)
    correct = EstimatedCount(float(counts[:, 1].sum()), 0.0)
    if estimated:
        correct = estimate_count(population.strata, rows & (outcomes % 2 == 0))
    return correct, counts.sum(axis=1)
