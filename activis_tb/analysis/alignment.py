"""Lays one picture of instances onto another: what differs then is what the instances do, not how it is turned."""

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING

_FEWEST_INSTANCES = 2


def align(
    coordinates: NDArray[np.float32], onto: NDArray[np.float32], rows: NDArray[np.int32], resize: bool = True
) -> NDArray[np.float32]:
    """Returns `coordinates` turned, mirrored, scaled and shifted onto `onto` (orthogonal Procrustes, Schönemann 1966).

    The scale makes both equally wide, measured by the instances in both; the least-squares scale would shrink a picture
    the more, the less it resembles the other.

    Args:
        coordinates: float32 (rows, 2); NaN where a row has no place.
        onto: float32 (rows, 2) of another picture.
        rows: The instances in both, (instances, 2): the row in `coordinates`, the row in `onto`.
        resize: Whether it may be scaled.

    Returns:
        float32 (rows, 2); NaN stays NaN. With fewer than two instances that have places in both, or all on one spot,
        `coordinates` themselves.
    """
    with IMPORTING:
        from scipy.linalg import orthogonal_procrustes

    moving, fixed = coordinates[rows[:, 0]].astype(np.float64), onto[rows[:, 1]].astype(np.float64)
    placed = np.isfinite(moving).all(axis=1) & np.isfinite(fixed).all(axis=1)
    moving, fixed = moving[placed], fixed[placed]
    if len(moving) < _FEWEST_INSTANCES:
        return coordinates
    centre, target = moving.mean(axis=0), fixed.mean(axis=0)
    width, wanted = np.linalg.norm(moving - centre), np.linalg.norm(fixed - target)
    if width == 0 or wanted == 0:
        return coordinates
    turn, _ = orthogonal_procrustes(moving - centre, fixed - target)
    scale = wanted / width if resize else 1
    return np.asarray((coordinates - centre) @ turn * scale + target, np.float32)
