"""Who is right where, over all instances: of two snapshots that keep every one of them."""

from activis_tb.errors import ArgumentError
from activis_tb.plugin.agreement import without_labels
from activis_tb.plugin.comparisons import Pair
from activis_tb.plugin.computations import Computations, content_key
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.plugin.stores import Store
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.joining import count_outcomes

ITERATIONS = 1
_SHORT = 0.15
_MOST_PAIRS = 200


class StoredOutcomes:
    """Counts in jobs, and remembers what it found while TensorBoard runs: files may be others the next time.

    Args:
        computations: Runs the jobs.
        logdir: As TensorBoard was given it; may be empty.
    """

    def __init__(self, computations: Computations, logdir: str) -> None:
        self._computations = computations
        self._logdir = logdir
        self._found: Recent[str, tuple[pb.OutcomeCounts, list[Store]]] = Recent(_MOST_PAIRS)

    def get(self, pair: Pair) -> pb.OutcomeCounts | None:
        """Returns the counts, or None while they are being made.

        Raises:
            ArgumentError: One of the snapshots does not keep every instance.
            StoredDataError: The files are not there or damaged, or their ids cannot be joined.
            QueueFullError: Too many computations are waiting.
        """
        for name, snapshot in zip(("step", "other_step"), pair, strict=True):
            if not snapshot.manifest.stored:
                found = f"{snapshot}, of which the sample alone is kept"
                raise ArgumentError(
                    name, found, 'snapshots recorded with keep="all"', "GET agreement is over the sample."
                )
        key = content_key("outcomes", pair.base.identity, pair.other.identity)
        known = self._found.get(key)
        if known is not None and all(store.unchanged() for store in known[1]):
            return known[0]
        job = self._computations.work(key, lambda _: self._found.put(key, _counted(self._logdir, pair)))
        job.finished.wait(_SHORT)
        made = self._found.get(key)
        return None if made is None or made is known else made[0]


def _counted(logdir: str, pair: Pair) -> tuple[pb.OutcomeCounts, list[Store]]:
    stores = [Store(logdir, snapshot) for snapshot in pair]
    base, other = (store.parquet_files for store in stores)
    positions = {name: position for position, name in enumerate(pair.base.manifest.classes)}
    classes = [positions.get(name, -1) for name in pair.other.manifest.classes]
    labelled = pair.base.manifest.labelled and pair.other.manifest.labelled
    found = count_outcomes(base, other, classes, labelled=labelled)
    for store in stores:
        store.check()
    counts = pb.OutcomeCounts(
        over=found.over,
        both_right=found.both_right,
        only_base=found.only_base,
        only_other=found.only_other,
        both_wrong=found.both_wrong,
        same_prediction=found.same_prediction,
        note=_note(found.common, found.over, pair.base, pair.other) or ("" if labelled else without_labels(*pair)),
        unlabelled=not labelled,
    )
    return counts, stores


def _note(common: int, over: int, base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    if over == base.manifest.instances == other.manifest.instances:
        return ""
    apart = f" {common - over:,} of them have true classes of different names." if over < common else ""
    return (
        f"{common:,} instances are in both, of {base.manifest.instances:,} in {base} and {other.manifest.instances:,} "
        f"in {other}.{apart}"
    )
