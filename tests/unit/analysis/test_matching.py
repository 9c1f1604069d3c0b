"""Neurons of two models are matched by what they do, as SciPy and NumPy compute it directly."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.comparison import common_rows, match_best, match_by_index


def normal(seed, rows, neurons):
    return np.random.default_rng(seed).normal(size=(rows, neurons)).astype(np.float32)


def same(rows):
    return np.stack([np.arange(rows, dtype=np.int32)] * 2, axis=1)


def test_a_planted_permutation_is_recovered():
    base = normal(0, 50, 12)
    order = np.random.default_rng(1).permutation(12)
    found = match_best(base, 3 * base[:, order] + 1, same(50))
    assert_array_equal(found.partners, np.argsort(order))
    assert_allclose(found.correlations, 1, rtol=1e-6)
    assert found.instances == 50


def test_the_sum_of_the_correlations_is_the_largest_of_all_assignments():
    base, other = normal(0, 30, 5), normal(1, 30, 5)
    table = np.corrcoef(base.T, other.T)[:5, 5:]
    best = max(permutations(range(5)), key=lambda order: sum(table[neuron, order[neuron]] for neuron in range(5)))
    found = match_best(base, other, same(30))
    assert_array_equal(found.partners, best)
    assert_allclose(found.correlations, table[np.arange(5), best], rtol=1e-6)


def test_only_the_instances_in_both_count_whatever_their_order():
    base = normal(0, 40, 6)
    rows = common_rows(
        np.array([f"q{row}" for row in range(40)], object), np.array([f"q{row}" for row in range(59, 19, -1)], object)
    )
    assert_array_equal(rows, np.stack([np.arange(20, 40), np.arange(39, 19, -1)], axis=1))
    other = normal(1, 40, 6)
    other[rows[:, 1]] = base[rows[:, 0]][:, ::-1]
    found = match_best(base, other, rows)
    assert_array_equal(found.partners, [5, 4, 3, 2, 1, 0])
    assert found.instances == 20


def test_neurons_that_do_the_same_have_the_same_partners_whatever_the_order_of_the_instances():
    base = np.repeat(normal(0, 60, 3), 4, axis=1)
    other = np.repeat(normal(0, 60, 3) + normal(1, 60, 3) / 9, 5, axis=1)
    found = match_best(base, other, same(60))
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(60)
        assert_array_equal(match_best(base[order], other[order], same(60)).partners, found.partners)
    assert sorted(found.partners // 5) == sorted(np.arange(12) // 4)


def test_neurons_of_the_wider_layer_stay_without_a_partner():
    base = normal(0, 30, 4)
    wider = match_best(base, np.concatenate([normal(1, 30, 3), base], axis=1), same(30))
    assert_array_equal(wider.partners, [3, 4, 5, 6])
    narrower = match_best(base, base[:, [2, 0]], same(30))
    assert_array_equal(narrower.partners, [1, -1, 0, -1])
    assert_array_equal(np.isnan(narrower.correlations), [False, True, False, True])


def test_a_constant_neuron_has_no_partner_and_by_index_no_correlation():
    base = np.array([[1, 0, 5], [2, 0, 1], [3, 0, 2], [4, 0, 9]], np.float32)
    other = np.array([[9, 1, 0.3], [8, 2, 0.3], [7, 3, 0.3], [6, 4, 0.3]], np.float32)
    best = match_best(base, other, same(4))
    assert_array_equal(best.partners, [1, -1, 0])
    assert_allclose(best.correlations, [1, np.nan, np.corrcoef(base[:, 2], other[:, 0])[0, 1]], rtol=1e-6)
    by_index = match_by_index(base, other, same(4))
    assert_array_equal(by_index.partners, [0, 1, 2])
    assert_allclose(by_index.correlations, [-1, np.nan, np.nan])


def test_by_index_a_wider_base_has_neurons_without_a_partner():
    base, other = normal(0, 20, 3), normal(1, 20, 2)
    found = match_by_index(base, other, same(20))
    assert_array_equal(found.partners, [0, 1, -1])
    direct = [np.corrcoef(base[:, neuron], other[:, neuron])[0, 1] for neuron in range(2)]
    assert_allclose(found.correlations, [*direct, np.nan], rtol=1e-5)


def test_broken_neurons_and_instances_take_no_part():
    base = normal(0, 30, 4)
    broken = base.copy()
    broken[:, 1] = np.nan
    broken[7, 2] = np.inf
    found = match_best(broken, base, same(30))
    assert_array_equal(found.partners, [0, -1, 2, 3])
    assert_allclose(found.correlations[[0, 2, 3]], 1, rtol=1e-6)
    assert found.instances == 29


def test_huge_and_tiny_activations_correlate_alike():
    base = normal(0, 30, 3)
    found = match_best(base * np.float32(1e30), base[:, [1, 2, 0]] * np.float32(1e-30), same(30))
    assert_array_equal(found.partners, [2, 0, 1])
    assert_allclose(found.correlations, 1, rtol=1e-6)


@pytest.mark.parametrize("match", [match_best, match_by_index])
def test_two_instances_say_nothing(match):
    found = match(normal(0, 2, 3), normal(1, 2, 3), same(2))
    assert np.isnan(found.correlations).all()
    assert found.instances == 2
