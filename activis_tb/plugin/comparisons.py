"""Two snapshots side by side: the instances that are in both, neurons and layers that correspond."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis import comparison
from activis_tb.analysis.comparison import common_rows
from activis_tb.errors import ActivisError, ArgumentError
from activis_tb.plugin.computations import Computations, content_key
from activis_tb.plugin.jobs import Report
from activis_tb.plugin.layers import Digests, RecordedLayer, sampled_layer
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

Method = Literal["best", "index"]
METHODS: tuple[Method, ...] = ("best", "index")

_VERSION = 2
"""Goes up whenever the same activations would give other numbers than before."""

_SHORT = 0.15
"""Seconds that a request waits for its job: a small layer is matched in less."""

_MOST_PAIRS = 500


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
    """Compares snapshots, and remembers what it found."""

    def __init__(self, computations: Computations, digests: Digests) -> None:
        self._computations = computations
        self._digests = digests
        self._rows: Recent[tuple[str, str], NDArray[np.int32]] = Recent(_MOST_PAIRS)

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
            key, pb.NeuronMatching, lambda _: _matching(base, other, rows, method), _SHORT
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

        found, done = self._computations.document(key, pb.LayerSimilarity, compute, _SHORT)
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
