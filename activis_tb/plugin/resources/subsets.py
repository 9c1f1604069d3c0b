"""Subsets by condition: their members, described for the tab."""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import quote
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.analysis.strata import Strata
from activis_tb.conditions import (
    Condition,
    Neuron,
    certain_and_possible,
    judge_kept_texts,
    names_instances,
    parse_condition,
)
from activis_tb.errors import StoredDataError
from activis_tb.model import MOST_CHARACTERS
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent, size_of
from activis_tb.plugin.context import Context
from activis_tb.plugin.entries import MOST_COUNTED_CLASSES
from activis_tb.plugin.jobs import Admission
from activis_tb.plugin.populations import Exactness, Population, Populations, retry_time, schema_of
from activis_tb.plugin.resources.statistics import (
    MOST_SECONDS,
    STATISTIC_CHOICES,
    Averages,
    StatisticChoice,
    SubsetCounts,
    all_averages,
    counts_between,
    counts_of_members,
    estimated_counts,
    in_doubt,
    sampled_averages,
    strata_of,
    summarise,
    work_of,
)
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

_SUBSETS_LIMIT = 128 * MEBIBYTE
_AVERAGES_LIMIT = 128 * MEBIBYTE
_DERIVED = MEBIBYTE // 8
"""Bytes of a condition, and of what is derived from it for a sample of the usual size."""


@dataclass(frozen=True, eq=False)
class TypedSubset:
    """The instances that a condition holds for.

    Attributes:
        population: The population of instances.
        condition: The condition.
        packed: Members, one bit each, uint8.
        note: What else to know; mostly empty.
        doubt: Certain and possible members, likewise, where rounded activations or cut texts leave a difference; else
            None.
    """

    population: Population
    condition: Condition
    packed: NDArray[np.uint8]
    note: str
    doubt: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    @property
    def members(self) -> NDArray[np.bool_]:
        """Bool (instances,) of the population."""
        return self._unpacked(self.packed)

    @property
    def certain_and_possible(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        """Certain and possible members, each bool (instances,); None where they are the same."""
        return self.doubt and (self._unpacked(self.doubt[0]), self._unpacked(self.doubt[1]))

    @property
    def rows(self) -> NDArray[np.bool_]:
        """Bool (rows,) of the sample."""
        return np.asarray(self.members[self.population.rows])

    @cached_property
    def strata(self) -> Strata:
        """Strata of the sample, refined by what the condition decides by the outcome alone."""
        return strata_of(self.population, self.condition)

    @property
    def exactness(self) -> Exactness:
        """Of the counts. A sample that holds every instance that may be a member is exact about them."""
        known = self.population.exactness == "estimate" and self.strata.complete
        exactness = "exact" if known else self.population.exactness
        return "bound" if exactness == "exact" and self.doubt else exactness

    @cached_property
    def counts(self) -> SubsetCounts:
        """Counts over all instances."""
        if self.population.exactness == "estimate":
            least, *most = (
                estimated_counts(self.population, self.condition, who, self.strata)
                for who in self.certain_and_possible or (self.members,)
            )
            return counts_between(least, most[0]) if most else least
        return counts_of_members(self.population, self.members, self.certain_and_possible)

    @property
    def instances(self) -> float:
        """Number of instances: `counts.count` without the other counts, which take longer."""
        if self.population.exactness == "estimate":
            return self.counts.count.value
        return float(np.count_nonzero(self.members))

    def _unpacked(self, packed: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return np.unpackbits(packed, count=len(self.population.outcomes)).view(np.bool_)


class _KeptAverages(NamedTuple):
    """Cached averages with their population and expiry: files that could not be read are tried again.

    A population has a database of its own, so that averages do not keep it alive.
    """

    averages: Averages
    population: ReferenceType[Population]
    until: float = inf


class TypedSubsets:
    """Evaluation of conditions, a few at a time, with a cache of the answers about open populations.

    Args:
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, logdir: str) -> None:
        self.populations = Populations(logdir)
        self.admission = Admission()
        self._subsets: Recent[tuple[str, str], TypedSubset] = Recent(_SUBSETS_LIMIT, _size)
        self._averages: Recent[tuple[str, ...], _KeptAverages] = Recent(_AVERAGES_LIMIT)

    def subset(self, snapshot: JoinedSnapshot, text: str) -> TypedSubset:
        """Returns the subset that the condition `text` describes.

        Raises:
            ConditionError: The text is no condition, or a too costly one.
            BusyError: Too many are being evaluated.
        """
        key = (snapshot.identity, text)
        known = self._subsets.get(key)
        if known is not None and known.population.unchanged():
            return known
        condition = parse_condition(text, schema_of(snapshot))
        with self.admission.admitted():
            subset = self._subsets.get_or_make(
                key,
                lambda: self._evaluate(snapshot, condition),
                lambda subset: subset.population.unchanged(),
            )
        # A subset keeps its population, and with it a database, alive.
        engines = self.populations.engines()
        self._subsets.forget(lambda kept: kept.population.engine not in engines)
        return subset

    def averages(
        self, snapshot: JoinedSnapshot, layer: str, statistic: StatisticChoice, text: str
    ) -> tuple[TypedSubset, Averages]:
        """Returns the averages of a layer's neurons over a subset; see `subset` for errors.

        Raises:
            NotFoundError: There is no such layer.
        """
        snapshot.reader_of(layer)
        subset = self.subset(snapshot, text)
        work = work_of(statistic) if subset.population.store else "all"
        key = (snapshot.identity, text, layer, work)

        def holds(kept: _KeptAverages) -> bool:
            return kept.population() is subset.population and monotonic() < kept.until

        known = self._averages.get(key)
        if known is None or not holds(known):
            with self.admission.admitted():
                known = self._averages.get_or_make(key, lambda: _averages(subset, layer, statistic), holds)
        return subset, known.averages

    def _evaluate(self, snapshot: JoinedSnapshot, condition: Condition) -> TypedSubset:
        population = self.populations.get(snapshot, condition.columns)
        try:
            members = population.engine.members(condition)
            note, doubt = _doubt(population, condition)
        except StoredDataError as error:
            if population.store is None:
                raise
            population = self.populations.sample(snapshot, str(error))
            members, note, doubt = population.engine.members(condition), "", None
        packed = np.packbits(members)
        if population.store is None:
            note, doubt = _doubt_of_texts(population, condition)
            packed = doubt[0] if doubt else packed
            population = _sampled(population, condition)
        return TypedSubset(population, condition, packed, " ".join(filter(None, (population.note, note))), doubt)


def _doubt(
    population: Population, condition: Condition
) -> tuple[str, tuple[NDArray[np.uint8], NDArray[np.uint8]] | None]:
    """The uncertainty of the members themselves: a note, and the certain and the possible members.

    Activations of neurons are known from their codes only.
    """
    both = certain_and_possible(condition)
    if population.store is None or both is None:
        return "", None
    certain, possible = population.engine.members_of_each(both)
    shown = ", ".join(
        f"neuron('{part.layer}', {part.neuron}) ± {population.store.uncertainty(part):.2g}"
        for part in condition.computed
        if isinstance(part, Neuron)
    )
    near = np.count_nonzero(possible) - np.count_nonzero(certain)
    if near == 0:
        return f"Stored activations are rounded: {shown}; no instance is so near to a limit that it matters.", None
    doubtful = f"{near:,} are so near to a limit that they may be in or out."
    return f"Stored activations are rounded: {shown}; {doubtful}", (np.packbits(certain), np.packbits(possible))


def _doubt_of_texts(
    population: Population, condition: Condition
) -> tuple[str, tuple[NDArray[np.uint8], NDArray[np.uint8]] | None]:
    """Likewise for a sample with texts that were cut."""
    cut = {name: count for name, count in population.engine.cut.items() if name in condition.columns}
    if not cut:
        return "", None
    shown = " and ".join(f"{count:,} of {name}" for name, count in cut.items())
    kept = f"Of long texts ({shown}) only the first {MOST_CHARACTERS:,} characters were kept"
    both = judge_kept_texts(condition, cut)
    certain, possible = (population.engine.members(one) for one in both or (condition, condition))
    doubtful = np.count_nonzero(possible) - np.count_nonzero(certain)
    if doubtful == 0:
        return f"{kept}; they decide this condition.", None
    note = f"{kept}: {doubtful:,} more {'instance' if doubtful == 1 else 'instances'} may be in it."
    return note, (np.packbits(certain), np.packbits(possible))


def _sampled(population: Population, condition: Condition) -> Population:
    """The sample of `population`: a condition that lists instances is about those of them that are in it."""
    everything = population.exactness == "exact"
    return population if everything or not names_instances(condition.expression) else population.of_itself()


def _averages(subset: TypedSubset, layer: str, statistic: StatisticChoice) -> _KeptAverages:
    population, note, until = subset.population, subset.population.note, inf
    if population.store is not None:
        try:
            layer_parts = population.store.layer(layer)
            averages = all_averages(layer_parts, subset.members, statistic, subset.certain_and_possible)
            return _KeptAverages(averages, ref(population))
        except StoredDataError as error:
            note, until = str(error), retry_time()
        except TimeoutError:
            note = (
                f"Averaging {layer} over {subset.counts.count.value:,.0f} stored instances took longer than "
                f"{MOST_SECONDS:g} s and was stopped; the sample is asked instead."
            )
    sample = _sampled(population, subset.condition)
    reader = sample.snapshot.reader_of(layer)
    averages = sampled_averages(
        strata_of(sample, subset.condition),
        subset.rows,
        reader.activations(layer),
        reader.statistics(layer),
        complete="sample" if sample.exactness == "sample" else "exact",
        note=note,
    )
    if population.store is None and subset.certain_and_possible and averages.exactness != "estimate":
        averages = in_doubt(averages, reader.activations(layer), subset.certain_and_possible)
    return _KeptAverages(averages, ref(population), until)


def _size(subset: TypedSubset) -> int:
    """Bytes of a subset without its population."""
    return _DERIVED + size_of((subset.packed, subset.doubt or ()))


def describe(subset: TypedSubset) -> pb.SubsetDescription:
    """Returns the wire message about a subset."""
    population, rows, counts = subset.population, subset.rows, subset.counts
    *by_class, nothing = counts.predicted
    predicted = by_class if len(by_class) <= MOST_COUNTED_CLASSES else ()
    labelled = population.schema.labelled
    return pb.SubsetDescription(
        count=counts.count.value,
        count_low=counts.count.low,
        count_high=counts.count.high,
        count_error=counts.count.error,
        correct=counts.correct.value if labelled else None,
        correct_low=counts.correct.low if labelled else None,
        correct_high=counts.correct.high if labelled else None,
        correct_error=counts.correct.error if labelled else 0,
        accuracy_low=counts.accuracy[0] if labelled else 0,
        accuracy_high=counts.accuracy[1] if labelled else 1,
        without_prediction=nothing.value,
        predicted_counts=[one.value for one in predicted],
        predicted_low=[one.low for one in predicted],
        predicted_high=[one.high for one in predicted],
        total=population.snapshot.manifest.instances,
        exactness=subset.exactness,
        over=population.over,
        rows=np.flatnonzero(rows).tolist(),
        drawn=int(np.count_nonzero(rows & subset.strata.drawn)),
        note=subset.note,
    )


_SUMMARIES_LIMIT = 32 * MEBIBYTE


class SubsetRoutes:
    """Routes of subsets by condition.

    Args:
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, logdir: str) -> None:
        self._subsets = TypedSubsets(logdir)
        self._summaries: Recent[str, tuple[ReferenceType[Population], dict[str, Any]]] = Recent(_SUMMARIES_LIMIT)

    @property
    def populations(self) -> Populations:
        """Populations that conditions are evaluated over."""
        return self._subsets.populations

    def subset(self, context: Context) -> Response:
        subset = self._subsets.subset(context.snapshot, context.parameters.text("condition"))
        return http.json_document(context.request, http.message_to_dict(describe(subset)))

    def statistics(self, context: Context) -> Response:
        snapshot, parameters = context.snapshot, context.parameters
        layer, statistic = parameters.text("layer"), parameters.choice("statistic", STATISTIC_CHOICES)
        subset, averages = self._subsets.averages(snapshot, layer, statistic, parameters.text("condition"))
        values = np.atleast_2d(averages.statistic(statistic)).astype(np.float64)
        return http.npy(context.request, values, headers=_headers(subset, averages, statistic))

    def summaries(self, context: Context) -> Response:
        request, snapshot = context.request, context.snapshot
        key = snapshot.identity
        known = self._summaries.get(key)
        of_known = known and known[0]()
        if known is not None and of_known is not None and of_known.unchanged():
            return http.json_document(request, known[1])
        with self._subsets.admission.admitted():
            population = self._subsets.populations.get(snapshot)
            document = http.message_to_dict(summarise(population))
        if not population.note:
            self._summaries.put(key, (ref(population), document))
        return http.json_document(request, document)


def _headers(subset: TypedSubset, averages: Averages, statistic: StatisticChoice) -> list[tuple[str, str]]:
    headers = [
        ("Activis-Exactness", averages.exactness),
        ("Activis-Over", str(averages.over)),
        ("Activis-Total", str(subset.population.snapshot.manifest.instances)),
        ("Activis-Count", f"{http.whole_if_possible(subset.instances)}"),
    ]
    bound, error = averages.largest("bound", statistic), averages.largest("error", statistic)
    headers += [] if bound is None else [("Activis-Bound", f"{bound:.17g}")]
    headers += [] if error is None else [("Activis-Standard-Error", f"{error:.17g}")]
    note = averages.note or subset.note
    return headers + ([("Activis-Note", quote(note))] if note else [])
