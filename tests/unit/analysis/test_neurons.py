"""A neuron's selectivity is what scikit-learn, SciPy and NumPy compute of every instance."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import f_oneway, mannwhitneyu
from sklearn.metrics import roc_auc_score

from activis_tb.analysis.codes import quantise
from activis_tb.analysis.neurons import (
    class_areas,
    class_histogram,
    correlations,
    eta_squared,
    largest_first,
    sampled_values,
    standard_layer,
    stored_values,
)
from activis_tb.analysis.strata import Strata
from tests.snapshots import statistics_of

CLASSES = 3


def planted(seed=0, rows=300, *, signed=True):
    """Class 2 is higher, class 0 is lower; some activations are equal, some are not finite."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, CLASSES, rows)
    values = np.round(generator.normal(size=rows) + label, 1).astype(np.float32)
    values[::17] = np.nan
    return label, values if signed else np.maximum(values, 0)


def everything(label, values):
    totals = np.bincount(label, minlength=CLASSES)
    return sampled_values(Strata(label, np.ones(len(label), bool), totals), values)


def oracle(label, values, weights=None):
    finite = np.isfinite(values)
    weight = None if weights is None else weights[finite]
    return [roc_auc_score(label[finite] == one, values[finite], sample_weight=weight) for one in range(CLASSES)]


@pytest.mark.parametrize("signed", [True, False])
def test_the_auc_of_every_class_is_that_of_scikit_learn_and_of_mann_whitney(signed):
    label, values = planted(signed=signed)
    areas = class_areas(everything(label, values))
    assert_allclose(areas.area, oracle(label, values), rtol=1e-12)
    assert_array_equal(areas.low, areas.area)
    assert_array_equal(areas.high, areas.area)
    finite = np.isfinite(values)
    own, others = (values[finite & (one == (label == 2))].astype(np.float64) for one in (True, False))
    assert_allclose(areas.area[2], mannwhitneyu(own, others).statistic / (len(own) * len(others)), rtol=1e-12)


def test_of_a_sample_every_instance_weighs_as_many_as_it_stands_for():
    label, values = planted()
    totals = np.bincount(label, minlength=CLASSES) * np.array([1, 20, 3])
    drawn = np.arange(len(label)) % 4 > 0
    strata = Strata(label, drawn, totals)
    found = sampled_values(strata, values)
    areas = class_areas(found)
    assert_allclose(areas.area, oracle(label, np.where(drawn, values, np.nan), strata.weights), rtol=1e-12)
    assert (areas.low < areas.area).all()
    assert (areas.high > areas.area).all()
    assert found.seen.sum() == np.count_nonzero(drawn & np.isfinite(values))


def test_limits_of_an_estimate_hold_the_true_auc():
    label, values = planted(rows=20_000)
    values = np.where(np.isfinite(values), values, 0)
    truth, totals = oracle(label, values), np.bincount(label, minlength=CLASSES)
    held = []
    for seed in range(40):
        rows = np.random.default_rng(seed).choice(len(label), 150, replace=False)
        areas = class_areas(sampled_values(Strata(label[rows], np.ones(150, bool), totals), values[rows]))
        held.append((areas.low <= truth) & (truth <= areas.high))
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("cuts", [[], [90, 200]])
@pytest.mark.parametrize("signed", [True, False])
def test_of_codes_the_limits_hold_the_auc_of_the_activations(cuts, signed):
    label, values = planted(signed=signed)
    values = values + np.float32(0.001) * np.arange(len(values), dtype=np.float32) * (values != 0)
    parts = [quantise(part[:, None]) for part in np.split(values, cuts)]
    codes = [part.codes[:, 0] for part in parts]
    found = stored_values(parts, codes, 0, label, CLASSES)
    areas, truth = class_areas(found), oracle(label, values)
    assert (areas.low <= truth).all()
    assert (areas.high >= truth).all()
    assert (areas.high - areas.low < 0.02).all()
    assert_allclose(areas.area, truth, atol=0.005)
    assert_array_equal(found.seen, np.bincount(label[np.isfinite(values)], minlength=CLASSES))


def test_of_codes_that_tell_every_activation_apart_the_auc_is_exact():
    label = np.arange(60) % CLASSES
    values = (np.arange(60) * 7 % 60).astype(np.float32)
    part = quantise(values[:, None])
    areas = class_areas(stored_values([part], [part.codes[:, 0]], 0, label, CLASSES))
    truth = oracle(label, values)
    for found in areas:
        assert_allclose(found, truth, rtol=1e-12)


def test_too_few_instances_have_no_auc():
    label = np.array([0] * 4 + [1] * 6 + [2] * 5)
    areas = class_areas(everything(label, np.arange(15, dtype=np.float32)))
    assert_array_equal(np.isnan(areas.area), [True, False, False])
    assert areas.area[2] == 1
    assert np.isnan(class_areas(everything(np.zeros(9, int), np.arange(9, dtype=np.float32))).area).all()


def test_eta_squared_is_the_share_of_the_sums_of_squares_and_agrees_with_the_f_test():
    label, values = planted()
    layer = np.stack([values, np.float32(1e-3) * values + 5, np.zeros_like(values), np.full_like(values, 0.1)], axis=1)
    membership = label[:, None] == np.arange(CLASSES)
    eta = eta_squared(statistics_of(layer, membership))
    groups = [values[(label == one) & np.isfinite(values)].astype(np.float64) for one in range(CLASSES)]
    pooled = np.concatenate(groups)
    between = sum(len(group) * (group.mean() - pooled.mean()) ** 2 for group in groups)
    assert_allclose(eta[0], between / ((pooled - pooled.mean()) ** 2).sum(), rtol=1e-5)
    assert_allclose(eta[1], eta[0], rtol=1e-2)
    assert np.isnan(eta[2:]).all()
    degrees = len(pooled) - CLASSES
    assert_allclose(eta[0] / (1 - eta[0]) * degrees / (CLASSES - 1), f_oneway(*groups).statistic, rtol=1e-4)


def test_one_class_alone_has_no_eta_squared():
    statistics = statistics_of(np.arange(6, dtype=np.float32)[:, None], np.array([[True, False]] * 6))
    assert np.isnan(eta_squared(statistics)).all()


def test_the_histogram_of_a_class_is_that_of_numpy():
    label, values = planted()
    low, high = np.nanmin(values), np.nanmax(values)
    shares = class_histogram(everything(label, values), low, high, 8)
    for one in range(CLASSES):
        own = values[(label == one) & np.isfinite(values)]
        assert_allclose(shares[one], np.histogram(own, 8, (low, high))[0] / len(own), atol=0.02)
    assert_allclose(shares.sum(axis=1), 1)


def test_the_largest_come_first_and_of_equal_ones_the_first():
    values = np.array([2, np.nan, 3, 2, np.inf, 1, 3, 2], np.float32)
    index = np.array([7, 0, 5, 3, 1, 2, 4, 6])
    assert_array_equal(largest_first(values, index, 3), [6, 2, 3])
    assert_array_equal(largest_first(values, index, 20), [6, 2, 3, 7, 0, 5])
    generator = np.random.default_rng(0)
    many, order = np.round(generator.normal(size=5_000), 2), generator.permutation(5_000)
    assert_array_equal(largest_first(many, order, 50), np.lexsort((order, -many))[:50])


def test_correlations_are_those_of_numpy_over_the_instances_that_are_finite_in_both():
    generator = np.random.default_rng(3)
    first, second = (generator.normal(size=(80, 6)).astype(np.float32) for _ in range(2))
    second[:, 1] = -2 * first[:, 0]
    second[:, 2] = 4
    second[::2, 3], second[:50, 3] = np.nan, np.nan
    first[5, 2], second[9, 4] = np.nan, np.inf
    one, other = standard_layer(first), standard_layer(second)
    r, over = correlations(one, 0, other)
    kept = np.ones(80, bool)
    kept[[5, 9]] = False
    assert over == 78
    expected = [np.corrcoef(first[kept, 0], second[kept, at])[0, 1] for at in (0, 1, 4, 5)]
    assert_allclose(r[[0, 1, 4, 5]], expected, atol=1e-6)
    assert np.isnan(r[[2, 3]]).all()
    own, over = correlations(one, 0, one)
    assert over == 79
    assert np.isnan(own[0])
    mine = np.arange(80) != 5
    assert_allclose(own[1:], [np.corrcoef(first[mine, 0], first[mine, at])[0, 1] for at in range(1, 6)], atol=1e-6)
