"""What two snapshots predict for the same instances: which one is right where."""

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import ATTRIBUTE_TYPES
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb

_NOTHING = ""
"""No class is called so."""


def agreement(base: JoinedSnapshot, other: JoinedSnapshot, rows: NDArray[np.int32]) -> pb.Agreement:
    """Returns the comparison of the predictions.

    Args:
        base: One snapshot.
        other: Another; classes correspond by their names.
        rows: The instances in both samples, (instances, 2).
    """
    if not (base.manifest.labelled and other.manifest.labelled):
        return _without_labels(base, other, rows)
    label, predicted = (column[rows[:, 0]] for column in _outcomes(base))
    other_label, other_predicted = (column[rows[:, 1]] for column in _outcomes(other))
    same_label = label == other_label
    right, other_right = label == predicted, other_label == other_predicted
    same = (predicted == other_predicted) & (predicted != _NOTHING)
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
        same_prediction=int(np.count_nonzero(same_label & same)),
        exactness="exact" if everything else "sample",
        note=_note(len(rows), over, base, other),
    )


def _outcomes(snapshot: JoinedSnapshot) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Returns the names of the true and of the predicted class, each (rows,); `_NOTHING` where there is none."""
    sample = snapshot.reader.sample(without=ATTRIBUTE_TYPES)
    names = np.array([*snapshot.manifest.classes, _NOTHING], np.object_)
    return names[sample.label], names[sample.predicted]


def _without_labels(base: JoinedSnapshot, other: JoinedSnapshot, rows: NDArray[np.int32]) -> pb.Agreement:
    """Nobody is right or wrong where there are no labels; who predicts the same can be told."""
    predicted, other_predicted = _outcomes(base)[1][rows[:, 0]], _outcomes(other)[1][rows[:, 1]]
    same = (predicted == other_predicted) & (predicted != _NOTHING)
    over = len(rows)
    everything = over == base.manifest.instances == other.manifest.instances
    return pb.Agreement(
        over=over,
        same_prediction=int(np.count_nonzero(same)),
        exactness="exact" if everything else "sample",
        note=_note(over, over, base, other) or without_labels(base, other),
        unlabelled=True,
        same=rows[same, 0].tolist(),
        different=rows[~same, 0].tolist(),
    )


def without_labels(base: JoinedSnapshot, other: JoinedSnapshot) -> str:
    """Returns why nobody is right or wrong."""
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
