"""Strata of a sample, and the weight of every sampled instance.

The sample has `n_h` of the `N_h` instances of every class h, drawn at random within the class, so each drawn instance
stands for `N_h / n_h` (Cochran, Sampling Techniques, 1977, chapter 5). Whatever weighs sampled instances asks here.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Manifest, Sample, stratum_of

CANNOT, MUST, OPEN = 0, 1, 2
"""Whether the instances of a label and a prediction are members of a subset: none, all, or undecided."""
_STATES = 3


@dataclass(frozen=True, eq=False)
class Strata:
    """Stratified sample of a population.

    Attributes:
        stratum: Of every row, int (rows,): its class, or a part of it.
        drawn: Rows that were drawn at random, bool (rows,); the others take no part.
        totals: Instances of every stratum, int64 (strata,).
        states: Whether a subset can have members in every stratum, `CANNOT`, `MUST` or `OPEN`, int8 (strata,); by
            default that is open everywhere.
        classes: What class a stratum is of, int (strata,); by default itself.
    """

    stratum: NDArray[np.integer]
    drawn: NDArray[np.bool_]
    totals: NDArray[np.int64]
    states: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    classes: NDArray[np.integer] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.states):
            object.__setattr__(self, "states", np.full(len(self.totals), OPEN, np.int8))
        if not len(self.classes):
            object.__setattr__(self, "classes", np.arange(len(self.totals)))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Drawn rows of every stratum, int64 (strata,)."""
        return np.bincount(self.stratum[self.drawn], minlength=len(self.totals))

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Instances that every row stands for, float64 (rows,)."""
        return np.where(self.drawn, (self.totals / np.maximum(self.sizes, 1))[self.stratum], 0)

    @cached_property
    def uncertain(self) -> NDArray[np.bool_]:
        """Strata in which instances that were not drawn may be members, bool (strata,)."""
        return np.asarray((self.states != CANNOT) & (self.sizes < self.totals))

    @cached_property
    def undrawn_shares(self) -> NDArray[np.float64]:
        """The share of every stratum that was not drawn, float64 (strata,)."""
        return 1 - self.sizes / np.maximum(self.totals, 1)

    @cached_property
    def complete(self) -> bool:
        """Whether every instance that may be a member was drawn."""
        return not self.uncertain.any()


def sample_strata(manifest: Manifest, sample: Sample) -> Strata:
    """Returns the strata of a snapshot's sample.

    Instances that `always` alone kept have weight 0; where all instances of a class are in the sample, for whatever
    reason, each has weight 1.
    """
    stratum, totals = stratum_of(sample.label), manifest.stratum_counts
    whole = np.bincount(stratum, minlength=len(totals)) == totals
    return Strata(stratum, sample.drawn | whole[stratum], totals)


def outcome_totals(manifest: Manifest) -> NDArray[np.int64]:
    """Returns all instances by stratum and predicted class, the last of which is none, int64 (strata, classes + 1)."""
    totals = manifest.stratum_counts
    counts = np.array([subset.predicted_counts for subset in manifest.subsets[: len(totals)]], np.int64)
    counts = counts.reshape(len(totals), len(manifest.classes))
    return np.column_stack([counts, totals - counts.sum(axis=1)])


def divided(
    strata: Strata, predicted: NDArray[np.integer], totals: NDArray[np.int64], states: NDArray[np.int8]
) -> Strata:
    """Divides every class into the instances that must be, that cannot be and that may be members of a subset.

    What is known of all instances thus is not estimated, and what is left to estimate is estimated within the rest: the
    drawn instances of a class are a random choice also of those with given predictions (poststratification; Särndal,
    Swensson and Wretman, Model Assisted Survey Sampling, 1992, chapter 7.6). Open parts of which nobody was drawn are
    joined to the open part of which most were (collapsed strata; Cochran 1977, chapter 5A.12).

    Args:
        strata: The classes.
        predicted: Position of the predicted class of every row, one beyond the last for none, (rows,).
        totals: Instances by label and prediction, see `outcome_totals`.
        states: `CANNOT`, `MUST` or `OPEN` by label and prediction, (classes, classes + 1).
    """
    classes = len(strata.totals)
    parts = np.array([np.where(states == state, totals, 0).sum(axis=1) for state in range(_STATES)]).T.ravel()
    stratum = _STATES * strata.stratum + states[strata.stratum, predicted]
    part_states = np.tile(np.arange(_STATES, dtype=np.int8), classes)
    sizes = np.bincount(stratum[strata.drawn], minlength=len(parts))
    is_open = part_states == OPEN
    empty = is_open & (sizes == 0) & (parts > 0)
    if empty.any() and (is_open & (sizes > 0)).any():
        largest = np.argmax(np.where(is_open, sizes, -1))
        parts[largest] += parts[empty].sum()
        parts[empty] = 0
    return Strata(stratum, strata.drawn, parts, part_states, np.repeat(np.arange(classes), _STATES))
