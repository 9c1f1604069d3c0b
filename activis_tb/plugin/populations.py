"""Populations that conditions are evaluated over: all stored instances if available, else the sample."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import inf
from time import monotonic
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.strata import Strata, outcome_totals, sample_strata
from activis_tb.conditions import Computed, Engine, Instances, Neuron, Schema
from activis_tb.errors import StoredDataError
from activis_tb.model import Sample, is_right, stratum_of
from activis_tb.plugin.cache import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.plugin.stored_instances import Store

Exactness = Literal["exact", "bound", "estimate", "sample"]
"""`bound`: counts are exact, averages within a stated bound; `estimate`: from a sample, with intervals;
`sample`: exact, but about the sampled instances alone."""

_MOST_SAMPLES = 16
_MOST_STORES = 3
SECONDS_TO_RETRY = 10.0
"""After this time files that could not be read are tried again."""


def retry_time() -> float:
    """Returns until when, by `time.monotonic`, answers of the sample replace those of files that cannot be read."""
    return monotonic() + SECONDS_TO_RETRY


@dataclass(frozen=True, eq=False)
class Population:
    """Instances of one snapshot that conditions can be evaluated over.

    Attributes:
        snapshot: The snapshot.
        schema: What conditions are checked against.
        engine: Evaluator of conditions.
        exactness: Exactness of what is computed from them.
        outcomes: Code of each outcome, intp (instances,): 1 + 2 * predicted, and 1 more where that is correct; no
            prediction is one beyond the last class.
        rows: Position of every sampled row among the instances, int64 (rows,).
        strata: Strata of the sample.
        over: Instances that answers are based on.
        store: All instances, where they are kept individually.
        note: Why it is the sample although all instances were kept; mostly empty.
        until: When, by `time.monotonic`, all instances are looked for again.
    """

    snapshot: JoinedSnapshot
    schema: Schema
    engine: Engine
    exactness: Exactness
    outcomes: NDArray[np.intp]
    rows: NDArray[np.int64]
    strata: Strata
    over: int
    store: Store | None = None
    note: str = ""
    until: float = inf

    @cached_property
    def outcome_totals(self) -> NDArray[np.int64]:
        """All instances by stratum and by predicted class, the last for no prediction, (strata, classes + 1)."""
        return outcome_totals(self.snapshot.manifest)

    @property
    def predicted(self) -> NDArray[np.intp]:
        """Position of the class that every sampled row was predicted as, one beyond the last for none, (rows,)."""
        return np.asarray((self.outcomes[self.rows] - 1) // 2)

    def unchanged(self) -> bool:
        """Tells whether the files are unchanged: they may have been truncated, replaced or restored."""
        return monotonic() < self.until and (self.store is None or self.store.unchanged())

    def of_itself(self) -> "Population":
        """Returns the sampled instances as a population of their own, those that were always kept included."""
        label = self.strata.stratum
        totals = np.bincount(label, minlength=len(self.strata.totals))
        strata = Strata(label, np.ones(len(label), np.bool_), totals)
        return replace(self, exactness="sample", strata=strata, over=len(label))


class Populations:
    """LRU cache of open populations, which are closed when they are no longer in use.

    Args:
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, logdir: str) -> None:
        self._logdir = logdir
        self._samples: Recent[str, Population] = Recent(_MOST_SAMPLES, _one)
        self._stores: Recent[str, Population] = Recent(_MOST_STORES, _one)

    def get(self, snapshot: JoinedSnapshot, columns: Collection[str] = ()) -> Population:
        """Returns the best population of `snapshot`: the sample if that is everything, else all instances if possible.

        Args:
            snapshot: Whose.
            columns: Columns in question: texts that were cut in the sample are stored whole.

        Raises:
            StoredDataError: The sample is damaged.
        """
        manifest = snapshot.manifest
        if not manifest.stored:
            return self.sample(snapshot)
        if manifest.rows == manifest.instances:
            sample = self.sample(snapshot)
            if sample.engine.cut.keys().isdisjoint(columns):
                return sample
        try:
            return self._stores.get_or_make(
                snapshot.identity, partial(_stored, self._logdir, snapshot), Population.unchanged
            )
        except StoredDataError as error:
            return self.sample(snapshot, str(error))

    def engines(self) -> set[Engine]:
        """Returns the engines of the populations in the cache; populations that differ in their note only share one."""
        return {one.engine for one in [*self._samples.values(), *self._stores.values()]}

    def sample(self, snapshot: JoinedSnapshot, note: str = "") -> Population:
        """Returns the sampled instances of `snapshot`; `note` says why it is them."""
        sampled = self._samples.get_or_make(snapshot.identity, partial(_sampled, snapshot))
        return replace(sampled, note=note, until=retry_time()) if note else sampled


def schema_of(snapshot: JoinedSnapshot) -> Schema:
    """Returns the schema of conditions about `snapshot`."""
    manifest = snapshot.manifest
    layers = tuple((layer.name, layer.neurons) for layer in snapshot.layers)
    return Schema(manifest.classes, manifest.attributes, layers, manifest.labelled)


def _sampled(snapshot: JoinedSnapshot) -> Population:
    sample = snapshot.reader.sample()
    schema = schema_of(snapshot)
    strata = sample_strata(snapshot.manifest, sample)
    everything = bool(strata.drawn.all()) and len(strata.drawn) == snapshot.manifest.instances
    return Population(
        snapshot=snapshot,
        schema=schema,
        engine=Engine(schema, Instances.of_sample(sample), partial(_computed, snapshot)),
        exactness="exact" if everything else "estimate",
        outcomes=_outcomes(sample.label, sample.predicted, len(schema.classes)),
        rows=np.arange(len(sample.label)),
        strata=strata,
        over=int(strata.sizes.sum()),
    )


def _stored(logdir: str, snapshot: JoinedSnapshot) -> Population:
    store = Store(logdir, snapshot)
    label, predicted = store.outcomes()
    sample = snapshot.reader.sample(without=("image", "audio"))
    if not _are_those(snapshot, sample, label, predicted):
        message = "The stored instances are not those of the sample. Record the step again."
        raise StoredDataError(message)
    schema = schema_of(snapshot)
    engine = Engine(schema, store.table(schema), store.computed)
    store.check()
    return Population(
        snapshot=snapshot,
        schema=schema,
        engine=engine,
        exactness="bound",
        outcomes=_outcomes(label, predicted, len(schema.classes)),
        rows=sample.index,
        strata=sample_strata(snapshot.manifest, sample),
        over=store.instances,
        store=store,
    )


def _are_those(
    snapshot: JoinedSnapshot, sample: Sample, label: NDArray[np.int32], predicted: NDArray[np.int32]
) -> bool:
    """Whether stored outcomes, (instances,), are consistent with the snapshot and its sample."""
    if sample.index.max(initial=-1) >= len(label):
        return False
    totals = snapshot.manifest.stratum_counts
    counts = np.bincount(stratum_of(label), minlength=len(totals))
    sampled = (label[sample.index] == sample.label) & (predicted[sample.index] == sample.predicted)
    return bool(sampled.all()) and np.array_equal(counts, totals)


def _outcomes(label: NDArray[np.int32], predicted: NDArray[np.int32], classes: int) -> NDArray[np.intp]:
    return np.asarray(1 + 2 * np.where(predicted < 0, classes, predicted) + is_right(label, predicted), np.intp)


def _computed(snapshot: JoinedSnapshot, part: Computed) -> NDArray[np.float32]:
    if isinstance(part, Neuron):
        return snapshot.reader_of(part.layer).activations(part.layer)[:, part.neuron]
    return snapshot.reader.scores()[:, part.position]


def _one(_: Population) -> int:
    """A population counts by itself: what it takes is in a database, which has a limit of its own."""
    return 1
