"""Runs with a known relation, to be compared.

`base` and `other` look at the same 36 instances. In `other`, the neurons of `hidden` are those of `base` in another
order and 1 higher, but for one that is noise. `foreign` knows other instances and other classes.
"""

from pathlib import Path

import numpy as np

from tests.snapshots import make_snapshot, write_snapshot

CLASSES = ("ant", "bee", "cat")
FOREIGN_CLASSES = ("bee", "ant", "dog")
ROWS = 36
NEURONS = 20
NOISE = 7
"""The neuron of `base` that nothing in `other` is like."""
FIXED, STILL_WRONG, BROKEN = 0, 1, 2

LABELS = np.arange(ROWS) % len(CLASSES)
_random = np.random.default_rng(7)
HIDDEN = (_random.gamma(2, 1, (ROWS, NEURONS)) + 2 * np.eye(3)[LABELS].repeat(7, 1)[:, :NEURONS]).astype(np.float32)
ORDER = _random.permutation(NEURONS)
"""By neuron of `other`, the neuron of `base` that it is."""
OTHER_HIDDEN = np.where(ORDER == NOISE, _random.gamma(2, 1, (ROWS, NEURONS)), HIDDEN[:, ORDER] + 1).astype(np.float32)


def scores(wrong: tuple[int, ...]) -> np.ndarray:
    """Scores (instances, classes) that are right but for the instances `wrong`."""
    predicted = LABELS.copy()
    predicted[list(wrong)] = (predicted[list(wrong)] + 1) % len(CLASSES)
    return np.where(np.arange(len(CLASSES)) == predicted[:, None], 0.8, 0.1).astype(np.float32)


BASE_SCORES, OTHER_SCORES = scores((FIXED, STILL_WRONG)), scores((STILL_WRONG, BROKEN))


def write_planted(logdir: Path) -> int:
    """Writes the runs and returns how many snapshots they are. `other` lacks the layer `hidden` at step 2."""
    ids = [f"n{row}" for row in range(ROWS)]
    known = {"labels": LABELS.tolist(), "classes": CLASSES, "ids": ids}
    striped = {"striped": LABELS == 0}
    for step in (1, 2):
        layers = {"hidden": HIDDEN, "output": BASE_SCORES}
        write_snapshot(logdir, "base", make_snapshot(layers, scores=BASE_SCORES, step=step, subsets=striped, **known))
        others = {"hidden": OTHER_HIDDEN, "output": OTHER_SCORES} if step == 1 else {"output": OTHER_SCORES}
        write_snapshot(logdir, "other", make_snapshot(others, scores=OTHER_SCORES, step=step, **known))
    foreign = make_snapshot(
        {"hidden": HIDDEN, "encoding": HIDDEN[:, :18]},
        labels=LABELS.tolist(),
        classes=FOREIGN_CLASSES,
        ids=[f"m{row}" for row in range(ROWS)],
    )
    write_snapshot(logdir, "foreign", foreign)
    return 5
