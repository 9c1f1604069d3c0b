"""Simulated samples: how often intervals of estimates hold the truth, how often there is none, how wide they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.estimates import estimate_averages, estimate_count
from activis_tb.analysis.strata import Strata
from activis_tb.model import Statistics

KINDS = ("Gaussian", "lognormal 0.5", "lognormal 1", "ReLU, half zero", "ReLU, 84 % zero", "two in a hundred")
"""Of activations; the last one is the share of the active ones, of a neuron that seldom is."""
SIZES = (5, 20, 100, 500, 2_000, 10_000, 50_000)


@dataclass(frozen=True)
class Design:
    """What is sampled.

    Attributes:
        totals: Instances by class.
        drawn: Of them, at random.
        shares: Of a subset's members by class; by default as of all instances.
        shift: By how many standard deviations the activations of a class are above those of the one before.
    """

    totals: tuple[int, ...]
    drawn: tuple[int, ...]
    shares: tuple[float, ...] = ()
    shift: float = 0.0


DESIGNS = {
    "two classes": Design((50_000, 50_000), (500, 500)),
    "90 : 9 : 1": Design((90_000, 9_000, 1_000), (334, 333, 333)),
    "90 : 9 : 1, shifted": Design((90_000, 9_000, 1_000), (334, 333, 333), shift=3.0),
    "a rare class kept whole": Design((99_800, 200), (800, 200), shift=3.0),
    "50 classes": Design((2_000,) * 50, (20,) * 50, shift=0.1),
}


@dataclass(frozen=True)
class Coverage:
    """How the intervals of one kind did.

    Attributes:
        held: Share of the given intervals that hold the truth; NaN where none was given.
        refused: Share of the subsets for which there is none.
        width: Median width, in standard deviations of the activations; of counts, in true sizes.
        given: Intervals that were given.
    """

    held: float
    refused: float
    width: float
    given: int


def simulate(design: Design, size: int, replicates: int, seed: int = 0) -> dict[str, Coverage]:
    """Draws `replicates` subsets of `size` members and a sample each, and returns by kind how the intervals did.

    Subsets have members of the classes in the proportions of the design, as many as there are.
    """
    generator = np.random.default_rng(seed)
    totals, drawn = np.array(design.totals), np.array(design.drawn)
    values = _population(generator, totals, design.shift)
    recorded, starts = _statistics(values, totals), np.cumsum([0, *totals])
    stratum = np.repeat(np.arange(len(totals)), drawn)
    first = np.cumsum([0, *drawn])
    strata = Strata(stratum, np.ones(len(stratum), np.bool_), totals)
    intervals: list[NDArray[np.float64]] = []
    truths, counts = [], []
    for _ in range(replicates):
        sizes = _members_by_class(generator, design, size)
        ids = [
            start + generator.permutation(total)[:of] for start, total, of in zip(starts, totals, sizes, strict=False)
        ]
        found = [generator.hypergeometric(of, total - of, n) for of, total, n in zip(sizes, totals, drawn, strict=True)]
        members, activations = np.zeros(len(stratum), np.bool_), np.zeros((len(stratum), values.shape[1]), np.float32)
        for chosen, number, begin in zip(ids, found, first, strict=False):
            members[begin : begin + number] = True
            activations[begin : begin + number] = values[chosen[:number]]
        averages = estimate_averages(strata, members, activations, recorded)
        count = estimate_count(strata, members)
        everybody = values[np.concatenate(ids)].astype(np.float64)
        intervals.append(np.column_stack([averages.mean_interval, averages.active_interval[:, -1]]))
        truths.append([*everybody.mean(axis=0), (everybody[:, -1] > 0).mean()])
        counts.append((count.low, count.high, len(everybody)))
    deviations = [*values.std(axis=0), 1.0]
    names = [*KINDS[:-1], "its mean", KINDS[-1]]
    low, high = np.stack(intervals, axis=2).transpose(0, 2, 1)
    found_by_kind = {
        name: _coverage(low[:, at], high[:, at], np.array(truths)[:, at], np.full(len(truths), deviations[at]))
        for at, name in enumerate(names)
        if name != "its mean"
    }
    return found_by_kind | {"count": _coverage(*np.array(counts, np.float64).T, np.array(counts)[:, 2])}


def _coverage(
    low: NDArray[np.float64], high: NDArray[np.float64], truth: NDArray[np.float64], unit: NDArray[np.float64]
) -> Coverage:
    given = np.isfinite(low)
    rounding = 1e-9 * np.abs(truth)
    held = (low <= truth + rounding) & (truth - rounding <= high)
    number = int(np.count_nonzero(given))
    return Coverage(
        float(held[given].mean()) if number else np.nan,
        float(1 - given.mean()),
        float(np.median(((high - low) / unit)[given])) if number else np.nan,
        number,
    )


def _members_by_class(generator: np.random.Generator, design: Design, size: int) -> NDArray[np.int64]:
    totals = np.array(design.totals)
    if not design.shares:
        return generator.multivariate_hypergeometric(totals, size)
    return np.minimum(generator.multinomial(size, design.shares), totals)


def _population(generator: np.random.Generator, totals: NDArray[np.int64], shift: float) -> NDArray[np.float32]:
    """The activations of all instances, float32 (instances, kinds), classes one after the other."""
    moved = shift * np.repeat(np.arange(len(totals)), totals)
    normal = generator.normal(size=(int(totals.sum()), len(KINDS)))
    columns = (
        5 + normal[:, 0] + moved,
        np.exp(0.5 * normal[:, 1]) + 0.6 * moved,
        np.exp(normal[:, 2]) + 2 * moved,
        np.maximum(normal[:, 3], 0) * (1 + 0.2 * moved),
        np.maximum(normal[:, 4] - 1, 0) * (1 + 0.2 * moved),
        np.maximum(normal[:, 5] - 2.05, 0),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _statistics(values: NDArray[np.float32], totals: NDArray[np.int64]) -> Statistics:
    classes = np.split(values, np.cumsum(totals)[:-1])
    tables = {name: np.array([getattr(one, name)(axis=0) for one in classes]) for name in ("mean", "std", "min", "max")}
    active = np.array([(one > 0).mean(axis=0) for one in classes], np.float32)
    count = np.broadcast_to(totals[:, None], active.shape)
    return Statistics(**tables, active=active, count=count, nonfinite=np.zeros_like(count))
