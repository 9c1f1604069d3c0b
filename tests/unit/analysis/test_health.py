"""Dead neurons, zeros and broken neurons are counted as NumPy counts them; the effective rank is that of the SVD."""

import numpy as np
import pytest

from activis_tb.analysis.health import (
    dead_neurons,
    effective_rank,
    estimated_zero_share,
    nonfinite_neurons,
    zero_share,
)
from tests.snapshots import statistics_of

CLASSES = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], bool)


def statistics(activations):
    return statistics_of(np.asarray(activations, np.float32), CLASSES)


def rank_by_svd(rows):
    centred = rows - rows.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    shares = singular[singular > 1e-9 * singular[0]] / singular.sum()
    return np.exp(-(shares * np.log(shares)).sum())


def test_a_neuron_is_dead_that_is_zero_whenever_it_is_finite():
    columns = {
        "zero throughout": [0, 0, 0, 0],
        "fires once": [0, 0, 0, 0.1],
        "negative throughout": [-1, -1, -1, -1],
        "negative once": [0, -1, 0, 0],
        "constant": [2, 2, 2, 2],
        "zero where finite": [0, np.nan, np.inf, 0],
        "finite in one class, zero there": [np.nan, np.nan, 0, 0],
        "never finite": [np.nan, np.nan, np.inf, -np.inf],
    }
    dead = dead_neurons(statistics(np.stack(list(columns.values()), axis=1)))
    assert [name for name, is_dead in zip(columns, dead, strict=True) if is_dead] == [
        "zero throughout",
        "zero where finite",
        "finite in one class, zero there",
    ]


def test_a_neuron_that_was_broken_once_counts_as_broken():
    broken = nonfinite_neurons(statistics([[0, np.nan, 1], [1, 1, 1], [2, 1, np.inf], [3, 1, 1]]))
    assert broken.tolist() == [False, True, True]


def test_zeros_of_an_unsigned_layer_are_counted_over_all_instances():
    rows = np.maximum(np.random.default_rng(0).normal(size=(4, 50)), 0)
    rows[1, 3] = np.nan
    assert zero_share(statistics(rows)) == pytest.approx((rows == 0).sum() / 199)


def test_zeros_of_a_sample_are_weighted_by_the_instances_that_rows_stand_for():
    rows = np.array([[0, 0, 1, np.nan], [-1, 0, 2, 3]], np.float32)
    assert estimated_zero_share(rows, np.array([10.0, 1.0])) == pytest.approx((2 * 10 + 1) / (3 * 10 + 4))
    assert estimated_zero_share(rows, np.array([0.0, 1.0])) == 0.25


def test_where_nothing_is_finite_there_is_no_share_of_zeros():
    rows = np.full((4, 2), np.nan, np.float32)
    assert np.isnan(zero_share(statistics(rows)))
    assert np.isnan(estimated_zero_share(rows, np.ones(4)))


def test_equal_variation_along_k_directions_has_effective_rank_k():
    directions = np.concatenate([np.eye(3), -np.eye(3)])
    assert effective_rank(np.pad(directions, ((0, 0), (0, 7))).astype(np.float32)) == (pytest.approx(3), 6)


@pytest.mark.parametrize("shape", [(200, 8), (20, 60), (1000, 30)])
def test_effective_rank_is_that_of_the_singular_value_decomposition(shape):
    generator = np.random.default_rng(1)
    rows = (generator.normal(size=shape) * generator.exponential(size=shape[1])).astype(np.float32)
    assert effective_rank(rows) == (pytest.approx(rank_by_svd(rows.astype(np.float64)), rel=1e-6), shape[0])


def test_effective_rank_of_a_line_is_one_and_of_a_point_zero():
    line = np.outer(np.arange(50.0), [1, -2, 3]).astype(np.float32)
    assert effective_rank(line).value == pytest.approx(1)
    assert effective_rank(np.full((50, 3), 0.1, np.float32)) == (0, 50)
    assert effective_rank(np.zeros((0, 3), np.float32)) == (0, 0)
    assert effective_rank(np.zeros((3, 0), np.float32)) == (0, 3)


def test_effective_rank_leaves_out_what_a_projection_leaves_out():
    rows = np.random.default_rng(2).normal(size=(30, 5)).astype(np.float32)
    whole = effective_rank(np.delete(rows[1:], 2, axis=1))
    rows[:20, 2], rows[0, 4] = np.nan, np.inf
    assert effective_rank(rows) == (pytest.approx(whole.value), 29)


def test_effective_rank_of_many_rows_is_that_of_the_first_thousand():
    rows = np.random.default_rng(3).normal(size=(1_500, 4)).astype(np.float32)
    assert effective_rank(rows) == (effective_rank(rows[:1_000]).value, 1_000)
