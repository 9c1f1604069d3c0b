"""What a stratified sample says: exact where it is everything, right on average elsewhere, with errors to match."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.estimates import Strata, estimate_averages, estimate_count

TOTALS = np.array([900, 90, 10])
LABEL = np.repeat([0, 1, 2], TOTALS).astype(np.int32)
GENERATOR = np.random.default_rng(0)
ACTIVATIONS = (GENERATOR.normal(size=(1000, 2)) + LABEL[:, None] * [1, -2]).astype(np.float32)
ACTIVATIONS[::50, 1] = np.nan
MEMBERS = GENERATOR.random(1000) < np.array([0.3, 0.5, 0.9])[LABEL]


def draw(generator: np.random.Generator, quota: int = 60) -> np.ndarray:
    """Rows of a sample: at most `quota` of every class."""
    rows = [generator.permutation(np.flatnonzero(label == LABEL))[:quota] for label in range(3)]
    return np.concatenate(rows)


def strata_of(rows: np.ndarray, **changes: np.ndarray) -> Strata:
    return Strata(**{"stratum": LABEL[rows], "drawn": np.ones(len(rows), bool), "totals": TOTALS, **changes})


def test_a_complete_sample_is_exact() -> None:
    strata = strata_of(np.arange(1000))
    count = estimate_count(strata, MEMBERS)
    assert (count.value, count.error) == (MEMBERS.sum(), 0)
    averages = estimate_averages(strata, MEMBERS, ACTIVATIONS)
    finite = [ACTIVATIONS[MEMBERS, neuron].astype(np.float64) for neuron in range(2)]
    finite = [values[np.isfinite(values)] for values in finite]
    assert_array_equal(averages.count, [len(values) for values in finite])
    assert_array_equal(averages.nonfinite, [0, np.isnan(ACTIVATIONS[MEMBERS, 1]).sum()])
    assert_allclose(averages.mean, [values.mean() for values in finite], rtol=1e-12)
    assert_allclose(averages.std, [values.std() for values in finite], rtol=1e-12)
    assert_array_equal(averages.min, [values.min() for values in finite])
    assert_array_equal(averages.max, [values.max() for values in finite])
    assert_allclose(averages.active, [(values > 0).mean() for values in finite], rtol=1e-12)
    assert_array_equal(averages.mean_error, [0, 0])
    assert_array_equal(averages.active_error, [0, 0])


def test_estimates_are_right_on_average_and_spread_as_their_errors_say() -> None:
    generator = np.random.default_rng(1)
    counts, totals, means, count_errors, mean_errors = [], [], [], [], []
    for _ in range(2000):
        rows = draw(generator)
        strata = strata_of(rows)
        count = estimate_count(strata, MEMBERS[rows])
        averages = estimate_averages(strata, MEMBERS[rows], ACTIVATIONS[rows])
        counts.append(count.value)
        count_errors.append(count.error)
        totals.append(averages.mean * averages.count)
        means.append(averages.mean)
        mean_errors.append(averages.mean_error)
    members = ACTIVATIONS[MEMBERS].astype(np.float64)
    true_mean = np.nanmean(members, axis=0)
    spread = np.std(counts)
    assert abs(np.mean(counts) - MEMBERS.sum()) < 4 * spread / np.sqrt(2000)
    assert_allclose(np.sqrt(np.mean(np.square(count_errors))), spread, rtol=0.06)
    assert (np.abs(np.mean(totals, axis=0) - np.nansum(members, axis=0)) < 4 * np.std(totals, axis=0) / 2000**0.5).all()
    # A ratio is biased by the order of 1 / n: small against its own spread.
    assert (np.abs(np.mean(means, axis=0) - true_mean) < 0.1 * np.std(means, axis=0)).all()
    assert_allclose(np.sqrt(np.mean(np.square(mean_errors), axis=0)), np.std(means, axis=0), rtol=0.15)


def test_rows_that_were_not_drawn_take_no_part() -> None:
    rows = draw(np.random.default_rng(2))
    more = np.concatenate([rows, np.setdiff1d(np.arange(1000), rows)[:50]])
    drawn = np.arange(len(more)) < len(rows)
    alone, beside = strata_of(rows), strata_of(more, drawn=drawn)
    assert estimate_count(alone, MEMBERS[rows]) == estimate_count(beside, MEMBERS[more])
    first = estimate_averages(alone, MEMBERS[rows], ACTIVATIONS[rows])
    second = estimate_averages(beside, MEMBERS[more], ACTIVATIONS[more])
    assert_allclose(first.mean, second.mean, rtol=1e-12)
    assert_allclose(first.mean_error, second.mean_error, rtol=1e-9)


def test_an_empty_subset_has_no_averages() -> None:
    rows = draw(np.random.default_rng(3))
    nobody = np.zeros(len(rows), bool)
    count = estimate_count(strata_of(rows), nobody)
    assert (count.value, count.error) == (0, 0)
    averages = estimate_averages(strata_of(rows), nobody, ACTIVATIONS[rows])
    assert_array_equal(averages.count, [0, 0])
    assert np.isnan([averages.mean, averages.mean_error, averages.std, averages.min, averages.active]).all()


def test_a_class_with_one_drawn_row_leaves_the_error_unknown() -> None:
    rows = np.array([0, 900, 901, 990, 991])
    strata = strata_of(rows)
    members = np.ones(5, bool)
    assert np.isnan(estimate_averages(strata, members, ACTIVATIONS[rows]).mean_error).all()
    assert estimate_count(strata, members).error == pytest.approx(np.sqrt(900**2 * (1 - 1 / 900) * 0.25))
    assert np.isfinite(estimate_averages(strata, members & (rows >= 900), ACTIVATIONS[rows]).mean_error).all()
