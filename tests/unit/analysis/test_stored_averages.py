"""Averages over stored instances: counts exact, everything else within the bound that is stated."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from activis_tb.analysis.codes import quantise
from activis_tb.analysis.stored import stored_averages, stored_extremes
from activis_tb.model import CodedActivations

INSTANCES = 5000


def activations_of_all_sorts() -> NDArray[np.float32]:
    generator = np.random.default_rng(0)
    activations = generator.normal(size=(INSTANCES, 8)).astype(np.float32)
    activations[:, 1] = np.maximum(activations[:, 1], 0)
    activations[:, 2] = 1e4 + 1e-2 * activations[:, 2]
    activations[:, 3] = 7.25
    activations[:, 4] = 0
    activations[:, 5] = np.where(
        activations[:, 5] > 1, np.nan, np.where(activations[:, 5] < -1, np.inf, 3 + np.arange(INSTANCES) % 7)
    )
    activations[:, 6] = np.clip(activations[:, 6], -3, 3) * np.float32(1e38)
    activations[:, 7] = np.nan
    return activations


ACTIVATIONS = activations_of_all_sorts()
CHANCE = np.random.default_rng(1).random(INSTANCES)


def parts_of(activations: NDArray[np.float32], rows: Sequence[int]) -> list[CodedActivations]:
    return [quantise(part) for part in np.split(activations, np.cumsum(rows))]


def check(activations: NDArray[np.float32], parts: Sequence[CodedActivations], selected: NDArray[np.bool_]) -> None:
    """Everything against NumPy on the activations themselves."""
    averages, extremes = stored_averages(parts, selected, std=True), stored_extremes(parts, selected)
    for neuron, column in enumerate(activations[selected].astype(np.float64).T):
        finite = column[np.isfinite(column)]
        assert averages.count[neuron] == len(finite)
        assert averages.nonfinite[neuron] == len(column) - len(finite)
        if len(finite):
            rounding = 1e-12 * np.abs(finite).max()
            assert averages.active[neuron] == (finite > 0).mean()
            assert abs(averages.mean[neuron] - finite.mean()) <= averages.mean_bound[neuron] + rounding
            assert abs(averages.std[neuron] - finite.std()) <= averages.std_bound[neuron] + rounding
            assert abs(extremes.min[neuron] - finite.min()) <= extremes.bound[neuron] + rounding
            assert abs(extremes.max[neuron] - finite.max()) <= extremes.bound[neuron] + rounding
        else:
            uncertain = (averages.mean, averages.mean_bound, averages.std, averages.active, extremes.min, extremes.max)
            assert all(np.isnan(values[neuron]) for values in uncertain)


@pytest.mark.parametrize("rows", [[], [1024], [1, 2047, 1024], [4999]], ids=["one", "two", "four", "last alone"])
@pytest.mark.parametrize(
    "selected",
    [
        CHANCE < 0.001,
        CHANCE < 0.1,
        CHANCE < 0.5,
        CHANCE < 0.9,
        np.arange(INSTANCES) < 2500,
        np.arange(INSTANCES) != 3000,
        np.ones(INSTANCES, np.bool_),
        np.zeros(INSTANCES, np.bool_),
    ],
    ids=["0.1 %", "10 %", "50 %", "90 %", "the first half", "all but one", "all", "none"],
)
def test_averages_agree_with_numpy_for_any_subset_and_any_parts(rows: list[int], selected: NDArray[np.bool_]) -> None:
    check(ACTIVATIONS, parts_of(ACTIVATIONS, rows), selected)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 40).flatmap(
        lambda count: st.tuples(
            arrays(np.float32, (count, 2), elements=st.floats(width=32)), arrays(np.bool_, count), st.integers(0, count)
        )
    )
)
def test_averages_agree_with_numpy_for_whatever_float32_can_hold(
    drawn: tuple[NDArray[np.float32], NDArray[np.bool_], int],
) -> None:
    activations, selected, border = drawn
    check(activations, [quantise(part) for part in np.split(activations, [border])], selected)


def test_the_bound_is_half_a_step_of_every_coded_activation() -> None:
    activations = np.array([[0.0], [0.0], [253.0], [0.5], [1.5]], np.float32)
    averages = stored_averages([quantise(activations)], np.array([True, True, True, True, False]))
    assert averages.count[0] == 4
    assert_allclose(averages.mean_bound, [0.5 * 2 / 4], rtol=1e-5)
    assert_allclose(averages.mean, [(253 + 0.5) / 4], atol=0.25)
    assert_array_equal(averages.active, [0.5])


def test_zeros_and_constant_neurons_have_no_error() -> None:
    averages = stored_averages(parts_of(ACTIVATIONS, [1024]), CHANCE < 0.3, std=True)
    assert_array_equal(averages.mean[[3, 4]], [7.25, 0])
    assert_array_equal(averages.mean_bound[[3, 4]], [0, 0])
    assert_array_equal(averages.std[[3, 4]], [0, 0])


def test_the_standard_deviation_survives_a_large_mean() -> None:
    selected = CHANCE < 0.5
    averages = stored_averages(parts_of(ACTIVATIONS, []), selected, std=True)
    assert_allclose(averages.std[2], ACTIVATIONS[selected, 2].astype(np.float64).std(), rtol=1e-2)


def test_a_selection_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"selected: got bool of shape \(3,\); expected bool of shape \(5000,\)"):
        stored_averages(parts_of(ACTIVATIONS, []), np.ones(3, np.bool_))
