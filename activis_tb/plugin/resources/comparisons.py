"""Comparisons of two snapshots: shared instances, matched neurons, similarity, and agreement of predictions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.analysis import comparison
from activis_tb.analysis.comparison import common_rows
from activis_tb.errors import ActivisError, ArgumentError, StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.guard import lacking
from activis_tb.plugin.jobs import Computations, QueueFullError, Report, content_key
from activis_tb.plugin.resources.layers import Digests, RecordedLayer, sampled_layer
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.joining import count_outcomes

if TYPE_CHECKING:
    from activis_tb.plugin.stored_instances import Store

Method = Literal["best", "index"]
METHODS: tuple[Method, ...] = ("best", "index")

_VERSION = 2
"""Increase this whenever the same activations would give other numbers than before."""

_SHORT_WAIT = 0.15
"""Seconds that a request waits for its job: a small layer is matched in less."""

_ROWS_LIMIT = 64 * MEBIBYTE


class NothingInCommonError(ActivisError):
    """Two snapshots share too few instances to be compared by them."""

    def __init__(self, found: int, needed: int, base: JoinedSnapshot, other: JoinedSnapshot) -> None:
        message = (
            f"{base} and {other} have {found} sampled instances in common; expected at least {needed}. Record the same "
            "data in both, with ids=, so that the same instances are sampled."
        )
        super().__init__(message)


class Pair(NamedTuple):
    """Two snapshots that are compared."""

    base: JoinedSnapshot
    other: JoinedSnapshot


class Comparisons:
    """Comparisons of snapshots, computed in jobs and cached."""

    def __init__(self, computations: Computations, digests: Digests) -> None:
        self._computations = computations
        self._digests = digests
        self._rows: Recent[tuple[str, str], NDArray[np.int32]] = Recent(_ROWS_LIMIT)

    def common(self, pair: Pair) -> NDArray[np.int32]:
        """Returns the instances in both samples, int32 (instances, 2): the row in the base, the row in the other."""
        return self._rows.get_or_make(
            (pair.base.identity, pair.other.identity),
            lambda: common_rows(pair.base.reader.ids(), pair.other.reader.ids()),
        )

    def matching(
        self, pair: Pair, layer: str, other_layer: str, method: Method
    ) -> tuple[pb.NeuronMatching | None, int]:
        """Returns the matching of two layers, or None and the iterations done, of one.

        Raises:
            ArgumentError: A layer is too wide for `best`.
            NotFoundError: There is no such layer.
            NothingInCommonError: There are too few instances in both samples.
            QueueFullError: Too many computations are waiting.
        """
        base, other = sampled_layer(pair.base, layer), sampled_layer(pair.other, other_layer)
        rows = self._shared(pair, comparison.FEWEST_FOR_MATCHING)
        widest = max(base.neurons, other.neurons)
        if method == "best" and widest > comparison.MOST_NEURONS:
            limit = f"best with layers of at most {comparison.MOST_NEURONS:,} neurons"
            raise ArgumentError("method", f"best with a layer of {widest:,}", limit, "Use method=index.")
        key = content_key(f"matching-{method}", _VERSION, self._digests.of(base), self._digests.of(other), rows)
        return self._computations.document(
            key, pb.NeuronMatching, lambda _: _matching(base, other, rows, method), _SHORT_WAIT
        )

    def similarity(
        self, pair: Pair, layers: Sequence[str], other_layers: Sequence[str]
    ) -> tuple[pb.LayerSimilarity | None, int]:
        """Returns how alike layers are, or None and how many pairs of layers are done; raises as `matching`."""
        base = [sampled_layer(pair.base, layer) for layer in layers]
        other = [sampled_layer(pair.other, layer) for layer in other_layers]
        rows = self._shared(pair, comparison.FEWEST_FOR_CKA)
        contents = [self._digests.of(layer) for layer in (*base, *other)]
        key = content_key("similarity", _VERSION, len(base), *contents, rows)

        def compute(report: Report) -> pb.LayerSimilarity:
            cka, over = comparison.linear_cka(
                [one.fetch() for one in base], [one.fetch() for one in other], rows, report
            )
            known = np.isfinite(cka)
            return pb.LayerSimilarity(
                cka=np.where(known, cka, 0).ravel().tolist(), known=known.ravel().tolist(), over=over.ravel().tolist()
            )

        found, done = self._computations.document(key, pb.LayerSimilarity, compute, _SHORT_WAIT)
        if found is not None:
            found.layers.extend(layers)
            found.other_layers.extend(other_layers)
        return found, done

    def _shared(self, pair: Pair, needed: int) -> NDArray[np.int32]:
        rows = self.common(pair)
        if len(rows) < needed:
            raise NothingInCommonError(len(rows), needed, pair.base, pair.other)
        return rows


def _matching(base: RecordedLayer, other: RecordedLayer, rows: NDArray[np.int32], method: Method) -> pb.NeuronMatching:
    left, right = base.fetch(), other.fetch()
    by_index = comparison.match_by_index(left, right, rows)
    found = by_index if method == "index" else comparison.match_best(left, right, rows)
    known = np.isfinite(found.correlations)
    median, median_over = _median(found.correlations)
    median_by_index, median_by_index_over = _median(by_index.correlations)
    return pb.NeuronMatching(
        partners=found.partners.tolist(),
        correlations=np.where(known, found.correlations, 0).tolist(),
        known=known.tolist(),
        method=method,
        median=median,
        median_over=median_over,
        median_by_index=median_by_index,
        median_by_index_over=median_by_index_over,
        over=found.instances,
    )


def _median(correlations: NDArray[np.float64]) -> tuple[float, int]:
    known = correlations[np.isfinite(correlations)]
    return (float(np.median(known)) if len(known) else 0, len(known))


_NOTHING = ""
"""No class has this name."""


def sampled_agreement(base: JoinedSnapshot, other: JoinedSnapshot, rows: NDArray[np.int32]) -> pb.Agreement:
    """Returns the comparison of the predictions over the sampled instances.

    Args:
        base: One snapshot.
        other: Another; classes correspond by their names.
        rows: The instances in both samples, (instances, 2).
    """
    label, predicted = (column[rows[:, 0]] for column in _outcomes(base))
    other_label, other_predicted = (column[rows[:, 1]] for column in _outcomes(other))
    labelled = base.manifest.labelled and other.manifest.labelled
    takes_part = label == other_label if labelled else np.ones(len(rows), np.bool_)
    same = (predicted == other_predicted) & (predicted != _NOTHING)
    right, other_right = label == predicted, other_label == other_predicted
    members = (
        {
            "both_right": right & other_right,
            "only_base": right & ~other_right,
            "only_other": ~right & other_right,
            "both_wrong": ~right & ~other_right,
        }
        if labelled
        else {"same": same, "different": ~same}
    )
    found = {name: rows[takes_part & chosen, 0].tolist() for name, chosen in members.items()}
    over = int(np.count_nonzero(takes_part))
    note = _note(len(rows), over, base, other) or ("" if labelled else without_labels(base, other))
    agreement = pb.Agreement(
        over=over,
        same_prediction=int(np.count_nonzero(takes_part & same)),
        exactness="exact" if over == base.manifest.instances == other.manifest.instances else "sample",
        note=note,
        unlabelled=not labelled,
        sampled=over,
        sampled_note=note,
    )
    for name, at in found.items():
        getattr(agreement, f"{name}_rows").extend(at)
        if labelled:
            setattr(agreement, name, len(at))
    return agreement


def _outcomes(snapshot: JoinedSnapshot) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Returns the names of the true and of the predicted class, each (rows,); `_NOTHING` where there is none."""
    sample = snapshot.reader.sample(without=ATTRIBUTE_TYPES)
    names = np.array([*snapshot.manifest.classes, _NOTHING], np.object_)
    return names[sample.label], names[sample.predicted]


def without_labels(base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    """Returns the note that instances without labels have no correct prediction."""
    lacking = " and ".join(str(one) for one in (base, other) if not one.manifest.labelled)
    return f"Recorded without labels: {lacking}. Predictions are compared, nobody is right or wrong."


def _note(common: int, over: int, base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    if common == 0:
        return f"{base} and {other} have no sampled instances in common; record the same data in both, with ids=."
    if over == common:
        return ""
    return (
        f"{common - over:,} of the {common:,} instances in both have true classes of different names in {base} and "
        f"{other}; they take no part."
    )


_AGREEMENTS_LIMIT = 32 * MEBIBYTE
_Key = tuple[str, str]


class Agreements:
    """Agreement of predictions over all instances where both snapshots store them, else over those in both samples.

    Stored instances are counted in jobs; results are cached in memory only, as the files may change
    before TensorBoard runs again.

    Args:
        computations: Runs the jobs.
        comparisons: Comparisons, for the instances in both samples.
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, computations: Computations, comparisons: Comparisons, logdir: str) -> None:
        self._computations = computations
        self._comparisons = comparisons
        self._logdir = logdir
        self._sampled: Recent[_Key, pb.Agreement] = Recent(_AGREEMENTS_LIMIT)
        self._stored: Recent[_Key, tuple[pb.Agreement, list[Store]]] = Recent(_AGREEMENTS_LIMIT)

    def get(self, pair: Pair) -> tuple[pb.Agreement, bool]:
        """Returns the agreement, and whether it is final: that of the sample is not while stored instances are counted.

        If these cannot be read or counted, the note of the sample's agreement says why.
        """
        sampled = self._sampled.get_or_make(
            (pair.base.identity, pair.other.identity),
            lambda: sampled_agreement(*pair, self._comparisons.common(pair)),
        )
        if sampled.exactness == "exact" or not all(one.manifest.stored for one in pair):
            return sampled, True
        try:
            stored = self._count(pair, sampled)
        except QueueFullError:
            return sampled, False
        except StoredDataError as error:
            return _noted(sampled, str(error)), True
        except ImportError as error:
            return _noted(sampled, lacking(error)), True
        return stored or sampled, stored is not None

    def _count(self, pair: Pair, sampled: pb.Agreement) -> pb.Agreement | None:
        """Returns the agreement over all stored instances, or None while they are being counted."""
        key = (pair.base.identity, pair.other.identity)
        known = self._stored.get(key)
        if known is not None and all(store.unchanged() for store in known[1]):
            return known[0]
        job = self._computations.work(
            content_key("agreement", *key),
            lambda _: self._stored.put(key, _stored_agreement(self._logdir, pair, sampled)),
        )
        job.finished.wait(_SHORT_WAIT)
        made = self._stored.get(key)
        return None if made is None or made is known else made[0]


def _noted(agreement: pb.Agreement, note: str) -> pb.Agreement:
    noted = pb.Agreement()
    noted.CopyFrom(agreement)
    noted.note = f"{note} {agreement.note}".rstrip()
    return noted


def _stored_agreement(logdir: str, pair: Pair, sampled: pb.Agreement) -> "tuple[pb.Agreement, list[Store]]":
    from activis_tb.plugin.stored_instances import Store

    stores = [Store(logdir, snapshot) for snapshot in pair]
    base, other = (store.parquet_files for store in stores)
    positions = {name: position for position, name in enumerate(pair.base.manifest.classes)}
    classes = [positions.get(name, -1) for name in pair.other.manifest.classes]
    labelled = not sampled.unlabelled
    counts = count_outcomes(base, other, classes, labelled=labelled)._asdict()
    for store in stores:
        store.check()
    note = _note_over_all(counts.pop("common"), counts["over"], *pair) or ("" if labelled else without_labels(*pair))
    agreement = pb.Agreement()
    agreement.CopyFrom(sampled)
    for name, value in {**counts, "exactness": "exact", "note": note}.items():
        setattr(agreement, name, value)
    return agreement, stores


def _note_over_all(common: int, over: int, base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    if over == base.manifest.instances == other.manifest.instances:
        return ""
    apart = f" {common - over:,} of them have true classes of different names." if over < common else ""
    return (
        f"{common:,} instances are in both, of {base.manifest.instances:,} in {base} and {other.manifest.instances:,} "
        f"in {other}.{apart}"
    )


class ComparisonRoutes:
    """Routes of comparisons.

    Args:
        computations: Background jobs with cached results.
        comparisons: Of two snapshots.
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, computations: Computations, comparisons: Comparisons, logdir: str) -> None:
        self._comparisons = comparisons
        self._agreements = Agreements(computations, comparisons, logdir)

    def agreement(self, context: Context) -> Response:
        found, done = self._agreements.get(_pair(context))
        return http.computed(context.request, found, done=done, iteration=0, iterations=1)

    def matching(self, context: Context) -> Response:
        layer = context.parameters.text("layer")
        other_layer = context.parameters.text("other_layer", layer)
        method = context.parameters.choice("method", METHODS)
        found, done = self._comparisons.matching(_pair(context), layer, other_layer, method)
        answer = found or pb.NeuronMatching()
        return http.computed(context.request, answer, done=found is not None, iteration=done, iterations=1)

    def similarity(self, context: Context) -> Response:
        pair = _pair(context)
        layers = context.parameters.texts("layer") or [layer.name for layer in pair.base.layers]
        other_layers = context.parameters.texts("other_layer") or [layer.name for layer in pair.other.layers]
        found, done = self._comparisons.similarity(pair, layers, other_layers)
        answer, pairs = found or pb.LayerSimilarity(), len(layers) * len(other_layers)
        return http.computed(context.request, answer, done=found is not None, iteration=done, iterations=pairs)


def _pair(context: Context) -> Pair:
    return Pair(context.snapshot, context.find("other_"))
