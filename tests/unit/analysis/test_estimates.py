"""What a stratified sample says: exact where it is everything, right on average elsewhere, with errors to match."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from activis_tb.analysis.estimates import estimate_averages, estimate_count, share_limits
from activis_tb.analysis.strata import CANNOT, MUST, OPEN, Strata, divided, sample_strata
from activis_tb.model import Statistics
from tests.snapshots import make_snapshot

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


def test_estimates_are_right_on_average_and_their_intervals_hold_the_truth() -> None:
    generator = np.random.default_rng(1)
    counts, totals, means, held = [], [], [], []
    true_mean = np.nanmean(ACTIVATIONS[MEMBERS].astype(np.float64), axis=0)
    for _ in range(2000):
        rows = draw(generator)
        strata = strata_of(rows)
        count = estimate_count(strata, MEMBERS[rows])
        averages = estimate_averages(strata, MEMBERS[rows], ACTIVATIONS[rows])
        low, high = averages.mean_interval
        counts.append(count.value)
        totals.append(averages.mean * averages.count)
        means.append(averages.mean)
        held.append([count.low <= MEMBERS.sum() <= count.high, *((low <= true_mean) & (true_mean <= high))])
    members = ACTIVATIONS[MEMBERS].astype(np.float64)
    assert abs(np.mean(counts) - MEMBERS.sum()) < 4 * np.std(counts) / np.sqrt(2000)
    assert (np.abs(np.mean(totals, axis=0) - np.nansum(members, axis=0)) < 4 * np.std(totals, axis=0) / 2000**0.5).all()
    # A ratio is biased by the order of 1 / n: small against its own spread.
    assert (np.abs(np.mean(means, axis=0) - true_mean) < 0.1 * np.std(means, axis=0)).all()
    assert ((np.mean(held, axis=0) > 0.93) & (np.mean(held, axis=0) < 0.99)).all()


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


def test_of_a_subset_without_a_sampled_member_only_an_upper_limit_is_known() -> None:
    rows = draw(np.random.default_rng(3))
    nobody = np.zeros(len(rows), bool)
    count = estimate_count(strata_of(rows), nobody)
    # 0.05 = (1 - p)^60 in the heaviest class: of the 840 that were not drawn, 41 at most.
    assert (count.value, count.low) == (0, 0)
    assert count.high == pytest.approx(900 * (1 - 0.05 ** (1 / 60)), rel=0.1)
    averages = estimate_averages(strata_of(rows), nobody, ACTIVATIONS[rows])
    assert_array_equal(averages.count, [0, 0])
    assert np.isnan([averages.mean, averages.mean_error, averages.std, averages.min, averages.active]).all()


def one_class(drawn: int, total: int) -> Strata:
    return Strata(np.zeros(drawn, np.int32), np.ones(drawn, bool), np.array([total]))


@pytest.mark.parametrize(("found", "drawn"), [(0, 1000), (1, 1000), (17, 1000), (999, 1000), (1000, 1000), (3, 40)])
def test_limits_of_a_count_are_those_of_clopper_and_pearson(found: int, drawn: int) -> None:
    total = 10_000_000
    count = estimate_count(one_class(drawn, total), np.arange(drawn) < found)
    tails = (1, 0.05) if found == 0 else (0.05, 1) if found == drawn else (0.025, 0.025)
    low = stats.beta.ppf(tails[0], found, drawn - found + 1) if found else 0
    high = stats.beta.ppf(1 - tails[1], found + 1, drawn - found) if found < drawn else 1
    assert count.value == pytest.approx(found / drawn * total)
    assert (count.low, count.high) == (pytest.approx(low * total, rel=4e-3), pytest.approx(high * total, rel=1e-3))
    assert max(count.value - count.low, count.high - count.value) == pytest.approx(1.96 * count.error, rel=1e-4)


@pytest.mark.parametrize("drawn", [10, 100, 190])
@pytest.mark.parametrize("members", [1, 20, 100, 195])
def test_limits_of_a_count_hold_when_much_of_a_class_is_drawn(drawn: int, members: int) -> None:
    found = stats.hypergeom(200, members, drawn)
    held = 0.0
    for number in range(drawn + 1):
        if found.pmf(number) > 0:
            count = estimate_count(one_class(drawn, 200), np.arange(drawn) < number)
            assert 0 <= count.low <= count.value <= count.high <= 200
            assert count.high - count.low <= 200 - drawn
            held += found.pmf(number) * (count.low <= members <= count.high)
    assert held > 0.95


def test_a_heavy_class_of_which_no_member_was_drawn_widens_what_light_ones_say() -> None:
    strata = Strata(np.repeat([0, 1], [100, 100]), np.ones(200, bool), np.array([100_000, 110]))
    members = np.arange(200) >= 120
    count = estimate_count(strata, members)
    assert (count.value, 80 < count.low < 88) == (pytest.approx(80 * 1.1), True)
    assert count.high > 100_000 * 0.03
    activations = np.arange(200, dtype=np.float32)[:, None]
    assert np.isnan(estimate_averages(strata, members, activations).mean_interval).all()
    lighter = Strata(strata.stratum, strata.drawn, np.array([1000, 110]))
    recorded = statistics_of_classes([[0.0, 1.0], [100.0, 199.0]])
    interval = estimate_averages(lighter, members, activations, recorded).mean_interval[:, 0]
    alone = estimate_averages(lighter, members, activations).mean_interval[:, 0]
    assert interval[1] - interval[0] > 5 * (alone[1] - alone[0])


def test_of_fewer_than_three_members_a_mean_has_no_interval_and_nothing_has_no_deviation() -> None:
    strata, activations = one_class(100, 10_000), np.arange(100, dtype=np.float32)[:, None]
    for members, known in ((1, False), (2, False), (3, True)):
        averages = estimate_averages(strata, np.arange(100) < members, activations)
        assert averages.mean[0] == (members - 1) / 2
        assert np.isfinite(averages.mean_interval).all() == known
        assert np.isfinite(averages.std).all() == known
    half = stats.t.ppf(0.975, 2) / np.sqrt(3)
    assert_allclose(averages.mean_interval[:, 0], [1 - half, 1 + half], rtol=0.01)
    assert averages.std == pytest.approx(np.std([0, 1, 2], ddof=1), rel=0.01)


def test_an_active_share_is_between_limits_for_any_number_of_members() -> None:
    strata, activations = one_class(1000, 100_000_000), np.ones((1000, 1), np.float32)
    averages = estimate_averages(strata, np.arange(1000) < 2, activations)
    assert averages.active == 1
    assert_allclose(averages.active_interval[:, 0], [0.025**0.5, 1], rtol=1e-4)
    assert_allclose(
        share_limits(np.array([0.25]), np.array([8.0]))[:, 0], stats.binomtest(2, 8).proportion_ci(), rtol=1e-9
    )
    assert_array_equal(share_limits(np.array([0.0]), np.array([0.0]))[:, 0], [0, 1])


def statistics_of_classes(extremes: list[list[float]]) -> Statistics:
    """Of one neuron, by class: the smallest and the largest activation."""
    low, high = np.array(extremes, np.float32).T[..., None]
    many = np.full_like(low, 1000, dtype=np.int64)
    return Statistics(many, low / 2 + high / 2, (high - low) / 4, low, high, (high > 0).astype(np.float32), many * 0)


def test_a_neuron_that_is_seldom_active_is_bounded_by_what_was_recorded() -> None:
    strata, members = one_class(1000, 100_000), np.arange(1000) < 50
    activations = np.zeros((1000, 1), np.float32)
    activations[0] = 4
    recorded = statistics_of_classes([[0, 10]])
    averages = estimate_averages(strata, members, activations, recorded)
    most = stats.beta.ppf(0.975, 2, 49)
    assert averages.mean == 4 / 50
    assert_allclose(averages.mean_interval[:, 0], [0, 10 * most], rtol=0.02)
    assert np.isnan(estimate_averages(strata, members, activations).mean_interval).all()
    activations[:5] = 4
    share = 0.1 + stats.t.ppf(0.975, 49) * np.sqrt(0.1 * 0.9 / 49)
    assert estimate_averages(strata, members, activations, recorded).mean_interval[1, 0] == pytest.approx(
        4 * share, rel=0.02
    )


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e6 + 0.125, 3e38])
def test_a_neuron_that_is_constant_has_no_deviation_and_no_error(value: float) -> None:
    rows = draw(np.random.default_rng(5), quota=7)
    activations = np.full((len(rows), 1), value, np.float32)
    exact = float(np.float32(value))
    recorded = statistics_of_classes([[value, value]] * 3)
    for members in (np.ones(len(rows), bool), np.arange(len(rows)) < 1):
        averages = estimate_averages(strata_of(rows), members, activations, recorded)
        assert (averages.mean[0], averages.std[0]) == (exact, 0)
        assert_array_equal(averages.mean_interval[:, 0], [exact, exact])
    assert estimate_averages(strata_of(rows), np.ones(len(rows), bool), activations).std == 0


def test_what_is_known_of_all_instances_is_not_estimated() -> None:
    """Two classes of 100, of which 10 are drawn; 30 of the first and 5 of the second are predicted wrong."""
    totals = np.array([[70, 30, 0], [5, 95, 0]])
    predicted = np.array([0] * 7 + [1] * 3 + [1] * 10)
    strata = Strata(np.repeat([0, 1], 10), np.ones(20, bool), np.array([100, 100]))
    wrong = np.array([[CANNOT, MUST, MUST], [MUST, CANNOT, MUST]], np.int8)
    known = estimate_count(divided(strata, predicted, totals, wrong), np.arange(20) < 0)
    assert (known.value, known.low, known.high) == (35, 35, 35)
    maybe = np.where(wrong == MUST, OPEN, CANNOT).astype(np.int8)
    parts = divided(strata, predicted, totals, maybe)
    # Nobody of the second class's errors was drawn: all 35 are judged by the three of the first.
    assert parts.weights[7:10] == pytest.approx(35 / 3)
    some = estimate_count(parts, np.isin(np.arange(20), [7, 8]))
    assert (some.value, some.low, some.high <= 34) == (pytest.approx(70 / 3), 4, True)


def test_rows_of_a_class_that_is_there_as_a_whole_stand_for_themselves() -> None:
    snapshot = make_snapshot({"hidden": np.zeros((5, 1))}, labels=[0, 0, 0, 1, 1])
    cat, dog = snapshot.manifest.subsets
    manifest = replace(snapshot.manifest, instances=14, subsets=(cat, replace(dog, count=11)))
    drawn = np.array([True, False, False, True, False])
    strata = sample_strata(manifest, replace(snapshot.sample, drawn=drawn, always=~drawn))
    assert_array_equal(strata.weights, [1, 1, 1, 11, 0])


def test_where_no_class_can_have_members_there_are_averages_of_none() -> None:
    strata = strata_of(np.arange(1000), states=np.full(3, CANNOT))
    recorded = statistics_of_classes([[0, 1]] * 3)
    averages = estimate_averages(strata, np.zeros(1000, bool), ACTIVATIONS[:, :1], recorded)
    assert averages.count.tolist() == [0]
    assert np.isnan(averages.mean).all()
