"""Linear CKA, against its definition by kernels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.comparison import linear_cka


def normal(seed, rows, neurons):
    return np.random.default_rng(seed).normal(size=(rows, neurons)).astype(np.float32)


def same(rows):
    return np.stack([np.arange(rows, dtype=np.int32)] * 2, axis=1)


def unbiased_hsic(first, second):
    """Equation 5 of Song et al. (2012), of linear kernels."""
    count = len(first)
    one = np.ones(count)
    kernels = [rows.astype(np.float64) @ rows.astype(np.float64).T for rows in (first, second)]
    left, right = (kernel - np.diag(np.diag(kernel)) for kernel in kernels)
    means = (one @ left @ one) * (one @ right @ one) / ((count - 1) * (count - 2))
    return (np.trace(left @ right) + means - 2 / (count - 2) * (one @ left @ right @ one)) / (count * (count - 3))


def direct(first, second):
    return unbiased_hsic(first, second) / np.sqrt(unbiased_hsic(first, first) * unbiased_hsic(second, second))


@pytest.mark.parametrize("neurons", [(5, 8), (60, 8), (60, 90)], ids=["narrow", "one is wide", "both are wide"])
def test_it_is_what_the_kernels_give(neurons):
    shared = normal(9, 40, 4)
    layers = [shared @ normal(seed, 4, width) + normal(seed + 5, 40, width) for seed, width in enumerate(neurons)]
    cka, instances = linear_cka(layers, layers, same(40))
    assert_allclose(cka, [[direct(first, second) for second in layers] for first in layers], rtol=1e-5)
    assert_array_equal(instances, 40)


def test_a_layer_that_is_turned_shifted_and_scaled_is_the_same():
    layer = normal(0, 30, 6)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    cka, _ = linear_cka([layer], [layer, (5 * layer @ turn + 2).astype(np.float32)], same(30))
    assert_allclose(cka, [[1, 1]], rtol=1e-5)


def test_independent_layers_are_not_similar_however_wide():
    cka, _ = linear_cka([normal(0, 200, 300)], [normal(1, 200, 300)], same(200))
    assert abs(cka[0, 0]) < 0.05


def test_only_the_instances_in_both_count():
    layer = normal(0, 30, 6)
    rows = np.stack([np.arange(10, 30), np.arange(29, 9, -1)], axis=1).astype(np.int32)
    other = normal(1, 30, 6)
    other[rows[:, 1]] = layer[rows[:, 0]]
    cka, instances = linear_cka([layer], [other], rows)
    assert_allclose(cka, [[1]], rtol=1e-6)
    assert_array_equal(instances, 20)


def test_a_layer_without_variation_and_one_without_numbers_are_similar_to_none():
    layer, broken = normal(0, 30, 6), np.full((30, 2), np.nan, np.float32)
    dotted = layer.copy()
    dotted[4, 1] = np.nan
    cka, instances = linear_cka([layer, dotted], [layer, np.ones((30, 3), np.float32), broken], same(30))
    assert_array_equal(np.isfinite(cka), [[True, False, False], [True, False, False]])
    assert_allclose(cka[0, 0], 1, rtol=1e-6)
    assert_array_equal(instances, [[30] * 3, [29] * 3])


def test_three_instances_are_too_few():
    cka, instances = linear_cka([normal(0, 3, 2)], [normal(1, 3, 2)], same(3))
    assert np.isnan(cka).all()
    assert_array_equal(instances, 3)


def test_it_tells_after_every_pair():
    told = []
    linear_cka([normal(0, 9, 2)] * 2, [normal(1, 9, 2)] * 3, same(9), told.append)
    assert told == [1, 2, 3, 4, 5, 6]


def test_a_pair_does_not_depend_on_which_others_are_asked_for():
    first, second = normal(0, 30, 6), normal(1, 30, 4)
    gaps, more_gaps = normal(2, 30, 5), normal(3, 30, 5)
    gaps[:4, 0], more_gaps[20:, 1] = np.nan, np.inf
    layers = [first, gaps, second, more_gaps]
    together, over = linear_cka(layers, layers, same(30))
    for row, column in np.ndindex(together.shape):
        alone, alone_over = linear_cka([layers[row]], [layers[column]], same(30))
        assert alone[0, 0] == together[row, column]
        assert alone_over[0, 0] == over[row, column]
    assert over.tolist()[1] == [26, 26, 26, 16]
