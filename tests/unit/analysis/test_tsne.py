"""t-SNE's gradient is that of the definition, in any block and precision, with any number of threads."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_info, threadpool_limits

from activis_tb.analysis import tsne
from activis_tb.analysis.threads import one_thread


def planted(rows, width):
    """Places (rows, 2) and symmetric affinities (rows, rows) that sum to 1."""
    random = np.random.default_rng(3)
    affinities = np.triu(random.random((rows, rows)) * (random.random((rows, rows)) < 0.2), 1)
    affinities += affinities.T
    return random.normal(size=(rows, 2)) * width, affinities / affinities.sum()


def by_definition(places, affinities):
    """The divergence of van der Maaten and Hinton 2008, and a quarter of its gradient."""
    apart = places[:, None] - places
    kernels = 1 / (1 + (apart**2).sum(axis=2))
    np.fill_diagonal(kernels, 0)
    shares = kernels / kernels.sum()
    present = affinities > 0
    divergence = np.sum(affinities[present] * np.log(affinities[present] / shares[present]))
    return divergence, np.sum(((affinities - shares) * kernels)[:, :, None] * apart, axis=1)


@pytest.mark.parametrize("pairs_at_once", [1 << 17, 300])
@pytest.mark.parametrize("width", [1e-4, 1, 20, 4_000])
def test_the_gradient_and_the_divergence_are_those_of_the_definition(monkeypatch, pairs_at_once, width):
    monkeypatch.setattr(tsne, "_PAIRS_AT_ONCE", pairs_at_once)
    places, affinities = planted(70, width)
    pairs = tsne._AllPairs(70)
    divergence, gradient = by_definition(places, affinities)
    _, found = pairs(places, csr_matrix(affinities), 1)
    assert_allclose(found, gradient, atol=1e-4 * np.abs(gradient).max())
    assert_allclose(pairs.divergence(places, csr_matrix(affinities)), divergence, rtol=1e-4)


def test_the_layout_is_the_same_with_any_number_of_threads():
    rows = np.random.default_rng(5).normal(size=(700, 20))

    def laid_out():
        layout = tsne.Layout.spread(rows[:, :2], tsne.Affinities(rows, 30))
        layout.optimise(tsne.Phase(25, exaggeration=12), lambda *_: None)
        return layout.coordinates

    alone = laid_out()
    for threads in (1, 4):
        with threadpool_limits(threads, user_api="blas"):
            assert_array_equal(laid_out(), alone)


def test_linear_algebra_has_one_thread_until_the_last_who_asked_has_left():
    def threads():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        with one_thread():
            first, second = one_thread(), one_thread()
            first.__enter__()
            assert threads() == {1}
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert 1 not in threads()
