"""One byte per activation: what is exact stays exact, and the rest is off by half a step at most."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from activis_tb.analysis.codes import dequantise, half_step, quantise
from activis_tb.model import TALLY_NAMES

LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


def column(values: list[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)[:, None]


def round_trip(activations: NDArray[np.float32]) -> NDArray[np.float64]:
    coded = quantise(activations)
    return dequantise(coded, coded.codes).astype(np.float64)


def test_evenly_spaced_activations_come_back_as_they_were() -> None:
    coded = quantise(column([0.0, 2.0, 253.0, 3.0]))
    assert_array_equal(coded.codes[:, 0], [0, 3, 254, 4])
    assert_allclose(dequantise(coded, coded.codes)[:, 0], [0, 2, 253, 3], rtol=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 0.0, 3.7, 1e-9, 2.2],
        [-0.1, -3.7, 0.0, -1e-9],
        [-1.0, 1e-30, -1e-30, 250.0, 0.0],
        [10000.0, 10000.01, 9999.99, 10000.005],
        [LARGEST, -LARGEST, 1.0, -1.0, SMALLEST, -SMALLEST],
        [SMALLEST, 3 * SMALLEST, 0.0],
        [np.nan, 1.0, np.inf, 2.0, -np.inf, 1.5],
        list(np.random.default_rng(0).normal(size=3000)),
        list(np.random.default_rng(1).lognormal(sigma=4, size=3000)),
    ],
    ids=["positive", "negative", "mixed", "far from zero", "huge", "tiny", "not finite", "normal", "long tail"],
)
def test_every_activation_is_off_by_half_a_step_at_most_and_keeps_its_sign(values: list[float]) -> None:
    activations = column(values)
    coded = quantise(activations)
    exact = activations.astype(np.float64)
    finite = np.isfinite(exact)
    positions = coded.origin + (coded.codes - 0.5) * coded.scale
    off = np.abs(np.where(coded.codes == 0, 0, positions) - exact)
    assert (off[finite] <= half_step(coded)).all()
    assert_array_equal(coded.codes == 255, ~finite)
    assert_array_equal(coded.codes == 0, exact == 0)
    assert_array_equal((coded.codes >= coded.positive_from) & finite, (exact > 0) & finite)


@pytest.mark.parametrize("value", [7.25, -1e-3, LARGEST, SMALLEST, 0.0])
def test_a_constant_neuron_is_exact(value: float) -> None:
    activations = column([value] * 5)
    assert_array_equal(round_trip(activations), activations)
    assert_array_equal(half_step(quantise(activations)), [0])


def test_activations_that_are_not_finite_come_back_as_nan() -> None:
    assert_array_equal(round_trip(column([np.nan, np.inf, 0.0, -np.inf, 4.0]))[:, 0], [np.nan, np.nan, 0, np.nan, 4])
    assert_array_equal(round_trip(column([np.nan, np.inf])), [[np.nan], [np.nan]])


def test_every_neuron_has_steps_of_its_own() -> None:
    activations = np.random.default_rng(2).uniform(size=(500, 2)).astype(np.float32) * np.float32([1, 1000])
    off = np.abs(round_trip(activations) - activations).max(axis=0)
    assert off[0] <= 0.5 / 253 * 1.001
    assert 1 < off[1] <= 500 / 253 * 1.001


def test_zones_are_tallied_as_numpy_counts_their_codes() -> None:
    activations = np.random.default_rng(3).normal(size=(2500, 3)).astype(np.float32)
    activations[::3, 0] = 0
    activations[::5, 1] = np.nan
    coded = quantise(activations)
    assert coded.tallies.shape == (3, len(TALLY_NAMES), 3)
    for zone, tallies in enumerate(coded.tallies):
        rows = slice(1024 * zone, 1024 * (zone + 1))
        codes, exact = coded.codes[rows].astype(np.int64), activations[rows]
        codes[~np.isfinite(exact)] = 0
        expected = {
            "sum": codes.sum(axis=0),
            "squares": (codes**2).sum(axis=0),
            "zeros": (exact == 0).sum(axis=0),
            "positive": (exact > 0).sum(axis=0),
            "nonfinite": np.isnan(exact).sum(axis=0),
        }
        assert_array_equal(tallies, [expected[name] for name in TALLY_NAMES])
