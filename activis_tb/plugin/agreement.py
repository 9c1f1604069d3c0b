"""What two snapshots predict for the same instances: which one is right where."""

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import ATTRIBUTE_TYPES
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb


def agreement(base: JoinedSnapshot, other: JoinedSnapshot, rows: NDArray[np.int32]) -> pb.Agreement:
    """Returns the comparison of the predictions.

    Args:
        base: One snapshot.
        other: Another; classes correspond by their names.
        rows: The instances in both samples, (instances, 2).
    """
    label, predicted = (column[rows[:, 0]] for column in _outcomes(base))
    other_label, other_predicted = (column[rows[:, 1]] for column in _outcomes(other))
    same_label = label == other_label
    right, other_right = label == predicted, other_label == other_predicted
    over = int(np.count_nonzero(same_label))

    def chosen(wanted: bool, other_wanted: bool) -> list[int]:
        found: list[int] = rows[same_label & (right == wanted) & (other_right == other_wanted), 0].tolist()
        return found

    everything = over == base.manifest.instances == other.manifest.instances
    return pb.Agreement(
        over=over,
        both_right=chosen(True, True),
        only_base=chosen(True, False),
        only_other=chosen(False, True),
        both_wrong=chosen(False, False),
        same_prediction=int(np.count_nonzero(same_label & (predicted == other_predicted))),
        exactness="exact" if everything else "sample",
        note=_note(len(rows), over, base, other),
    )


def _outcomes(snapshot: JoinedSnapshot) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Returns the names of the true and of the predicted class, each (rows,)."""
    sample = snapshot.reader.sample(without=ATTRIBUTE_TYPES)
    names = np.array(snapshot.manifest.classes, np.object_)
    return names[sample.label], names[sample.predicted]


def _note(common: int, over: int, base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    if common == 0:
        return f"{base} and {other} have no sampled instances in common; record the same data in both, with ids=."
    if over == common:
        return ""
    return (
        f"{common - over:,} of the {common:,} instances in both have true classes of different names in {base} and "
        f"{other}; they take no part."
    )
