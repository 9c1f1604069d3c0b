"""Intervals of estimates keep their word, by the true size of a subset, and are not refused where they are of use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
from _coverage import DESIGNS, SIZES, Coverage, simulate

REPLICATES = 250
LEAST_HELD = {
    "Gaussian": 0.92,
    "lognormal 0.5": 0.85,
    "lognormal 1": 0.75,
    "ReLU, half zero": 0.85,
    "ReLU, 84 % zero": 0.85,
    "two in a hundred": 0.92,
    "count": 0.92,
}
MOST_REFUSED = {500: 0.25, 2_000: 0.05, 10_000: 0.0, 50_000: 0.0}
WIDEST = {2_000: 1.3, 10_000: 0.5, 50_000: 0.25}
"""In standard deviations of the activations."""


def is_less(found: Coverage, wanted: float) -> bool:
    """Whether coverage is below by more than chance makes it: three standard errors."""
    return found.given > 0 and found.held < wanted - 3 * (wanted * (1 - wanted) / found.given) ** 0.5


@pytest.mark.parametrize("design", ["two classes", "90 : 9 : 1, shifted", "50 classes"])
@pytest.mark.parametrize("size", SIZES)
def test_intervals_hold_the_truth_as_often_as_they_say(design: str, size: int) -> None:
    found = simulate(DESIGNS[design], size, REPLICATES, seed=size)
    assert {kind: one for kind, one in found.items() if is_less(one, LEAST_HELD[kind])} == {}
    assert found["count"].refused == 0
    if design != "90 : 9 : 1, shifted":
        assert found["Gaussian"].refused <= MOST_REFUSED.get(size, 1)
        assert not found["Gaussian"].width > WIDEST.get(size, 20)
    assert not found["count"].width > {500: 4.5, 2_000: 2, 10_000: 0.7, 50_000: 0.25}.get(size, 1000)
