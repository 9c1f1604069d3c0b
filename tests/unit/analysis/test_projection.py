"""PCA equals NumPy's; t-SNE puts like with like, reports, stops when told; neither falls over degenerate rows."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.projection import ITERATIONS, pca, perplexity_of, placed, tsne, tsne_start


def float32(rows):
    return np.asarray(rows, np.float32)


def random_rows(*shape, seed=0):
    return float32(np.random.default_rng(seed).normal(size=shape))


def three_clusters(rows=20, neurons=5):
    centres = 20 * np.eye(3, neurons)
    return float32(np.repeat(centres, rows, axis=0)) + random_rows(3 * rows, neurons)


DEGENERATE = {
    "no rows": np.zeros((0, 3)),
    "no neurons": np.zeros((6, 0)),
    "one row": [[1, 2]],
    "two rows": [[1, 2], [3, 4]],
    "rows all alike": np.ones((10, 4)),
    "two distinct rows": [[0, 0]] * 5 + [[1, 0]] * 5,
    "four rows": np.eye(4),
    "five distinct rows on a line": np.arange(5.0)[:, None],
    "duplicates": np.repeat(np.eye(4), 10, axis=0),
    "huge values": np.eye(8) * 3e38,
    "tiny values": np.eye(8) * 1e-38,
    "a large offset": np.eye(8) + 1e6,
    "no finite row": np.full((6, 2), np.nan),
    "no finite row in half of the neurons": [[1, np.nan], [2, np.nan], [4, np.inf]],
}


def test_pca_puts_the_longest_axis_first():
    rows = float32([[3, 0, 7], [-1, 1, 7], [-1, -1, 7], [-1, 0, 7]])
    assert_allclose(pca(rows), [[3, 0], [-1, 1], [-1, -1], [-1, 0]], atol=1e-6)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50), (40, 40)])
def test_pca_equals_the_singular_value_decomposition(shape):
    rows = random_rows(*shape)
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * singular[:2]
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), [0, 1]])
    coordinates = pca(rows)
    assert coordinates.dtype == np.float32
    assert_allclose(coordinates, expected, rtol=1e-4, atol=1e-5)


def test_pca_of_a_layer_too_large_for_the_exact_way_keeps_its_two_strong_axes(monkeypatch):
    rows = three_clusters(rows=30, neurons=60)
    exact = pca(rows)
    monkeypatch.setattr("activis_tb.analysis.projection._EXACT_SIDE", 10)
    assert_allclose(pca(rows), exact, rtol=1e-3, atol=1e-2)
    assert_array_equal(pca(rows), pca(rows))


def test_a_component_without_variance_is_zero():
    assert_array_equal(pca(float32([[1], [2], [6]])), [[-2, 0], [-1, 0], [3, 0]])


def test_the_order_of_instances_that_mirror_one_another_does_not_show():
    half = random_rows(20, 3) * float32([9, 3, 1])
    rows = np.concatenate([half, -half])
    expected = pca(rows)
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(40)
        assert_allclose(pca(rows[order]), expected[order], atol=1e-4)
    wide = np.concatenate([half.T, -half.T])
    assert_allclose(pca(wide[[3, 0, 4, 5, 1, 2]]), pca(wide)[[3, 0, 4, 5, 1, 2]], atol=1e-4)


@pytest.mark.parametrize("neurons", [3, 500])
def test_huge_activations_have_a_place(neurons):
    rows = random_rows(450, neurons)
    huge = rows * float32(3e38 / np.abs(rows).max())
    places, expected = pca(huge), pca(rows)
    assert np.isfinite(places).all()
    assert_allclose(places / np.abs(places).max(), expected / np.abs(expected).max(), atol=1e-5)


@pytest.mark.parametrize("project", [pca, tsne])
def test_rows_that_are_not_finite_have_no_place(project):
    rows = random_rows(12, 3)
    rows[3, 1], rows[7, 0] = np.nan, np.inf
    coordinates = project(rows)
    assert_array_equal(np.isnan(coordinates).all(axis=1), [row in {3, 7} for row in range(12)])
    others = np.delete(rows, [3, 7], axis=0)
    assert_array_equal(np.delete(coordinates, [3, 7], axis=0), project(others))


@pytest.mark.parametrize("project", [pca, tsne])
def test_a_neuron_that_is_broken_in_most_rows_takes_no_part(project):
    rows = random_rows(12, 4)
    rows[:7, 1], rows[2, 3] = np.nan, -np.inf
    assert_array_equal(placed(rows).neurons, [True, False, True, True])
    coordinates = project(rows)
    assert_array_equal(np.isnan(coordinates).all(axis=1), np.arange(12) == 2)
    assert_array_equal(coordinates, project(np.delete(rows, 1, axis=1)))


def test_a_neuron_that_is_broken_in_half_of_the_rows_takes_part():
    rows = random_rows(12, 4)
    rows[6:, 1] = np.nan
    assert_array_equal(placed(rows).neurons, [True] * 4)
    assert_array_equal(np.isnan(pca(rows)).all(axis=1), np.arange(12) >= 6)


def test_tsne_starts_with_the_picture_of_pca_in_its_own_scale():
    rows = random_rows(12, 3)
    rows[5, 0] = np.nan
    principal = pca(rows)
    assert_allclose(tsne_start(principal), principal / np.nanmax(np.abs(principal)), atol=1e-6)


@pytest.mark.parametrize("project", [pca, tsne])
@pytest.mark.parametrize("rows", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_rows_are_placed_without_a_warning(project, rows):
    rows = float32(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coordinates = project(rows)
    assert (coordinates.shape, coordinates.dtype) == ((len(rows), 2), np.float32)
    assert_array_equal(np.isfinite(coordinates), np.repeat(placed(rows).rows[:, None], 2, axis=1))


@pytest.mark.parametrize("project", [pca, tsne])
def test_with_fewer_than_three_rows_there_is_nothing_to_project(project):
    assert_array_equal(project(float32([[1, 2], [3, 5]])), np.zeros((2, 2)))


def test_tsne_keeps_clusters_together():
    coordinates = tsne(three_clusters())
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2) + np.diag(np.full(60, np.inf))
    assert_array_equal(distances.argmin(axis=1) // 20, np.arange(60) // 20)


def test_tsne_is_centred_and_of_unit_extent():
    coordinates = tsne(three_clusters())
    assert_allclose(coordinates.mean(axis=0), [0, 0], atol=1e-6)
    assert np.abs(coordinates).max() == 1


def test_tsne_of_the_same_activations_is_the_same_to_the_bit():
    rows = random_rows(80, 60)
    assert_array_equal(tsne(rows), tsne(rows.copy()))


@pytest.mark.slow
@pytest.mark.parametrize("limits", [["_ALL_PAIRS_ROWS"], ["_ALL_PAIRS_ROWS", "_EXACT_NEIGHBOUR_ROWS"]])
def test_tsne_of_many_rows_keeps_clusters_together(monkeypatch, limits):
    for limit in limits:
        monkeypatch.setattr(f"activis_tb.analysis.tsne.{limit}", 50)
    rows = three_clusters()
    coordinates = tsne(rows)
    assert_array_equal(coordinates, tsne(rows))
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2) + np.diag(np.full(60, np.inf))
    assert_array_equal(distances.argmin(axis=1) // 20, np.arange(60) // 20)


def test_tsne_reports_every_25_iterations():
    reports = []
    rows = random_rows(30, 4)
    rows[0] = np.nan
    tsne(rows, lambda iteration, coordinates: reports.append((iteration, coordinates)))
    assert [iteration for iteration, _ in reports] == list(range(25, ITERATIONS + 1, 25))
    for _, coordinates in reports:
        assert coordinates.dtype == np.float32
        assert_array_equal(np.isnan(coordinates).all(axis=1), np.arange(30) == 0)
        assert np.nanmax(np.abs(coordinates)) == 1


def test_what_a_report_raises_ends_tsne():
    def report(iteration, _):
        if iteration == 50:
            raise TimeoutError("enough")

    with pytest.raises(TimeoutError, match="enough"):
        tsne(random_rows(30, 4), report)


def test_tsne_of_another_perplexity_is_another_picture():
    rows = three_clusters()
    assert_array_equal(tsne(rows, perplexity=19), tsne(rows, perplexity=19))
    assert np.abs(tsne(rows, perplexity=5) - tsne(rows, perplexity=19)).max() > 0.01
    assert_array_equal(tsne(rows, perplexity=100), tsne(rows, perplexity=59 / 3))


@pytest.mark.parametrize(("rows", "wanted", "perplexity"), [(301, 5, 5), (301, 100, 100), (301, 101, 100), (13, 5, 4)])
def test_perplexity_is_what_was_wanted_or_a_third_of_the_others(rows, wanted, perplexity):
    assert perplexity_of(rows, wanted) == perplexity


@pytest.mark.parametrize(("rows", "perplexity"), [(0, 0), (1, 0), (4, 1), (31, 10), (91, 30), (5000, 30)])
def test_perplexity_is_30_or_a_third_of_the_others(rows, perplexity):
    assert perplexity_of(rows) == perplexity


def test_one_neuron_and_rows_on_a_line_are_a_line_and_no_snake():
    values = random_rows(40, 1)
    for rows in (values, np.hstack([values, np.ones((40, 1), np.float32)]), values @ float32([[1, -2, 3]])):
        coordinates = tsne(rows)
        assert_array_equal(coordinates[:, 1], np.zeros(40))
        assert_array_equal(np.argsort(coordinates[:, 0]), np.argsort(pca(rows)[:, 0]))
