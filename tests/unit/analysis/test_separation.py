"""How well classes are apart, against scikit-learn and by counting."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import pairwise_distances, silhouette_samples

from activis_tb.analysis.health import MOST_ROWS, separation


def blobs(seed=0, each=20, apart=3.0):
    label = np.repeat(np.arange(3, dtype=np.int32), each)
    return (np.random.default_rng(seed).normal(size=(3 * each, 5)) + apart * label[:, None]).astype(np.float32), label


def counted_purity(activations, label, neighbours):
    distances = pairwise_distances(activations.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :neighbours]
    return (label[nearest] == label[:, None]).mean(axis=1)


def test_it_is_scikit_learns_silhouette_and_the_counted_purity():
    activations, label = blobs(apart=0.8)
    found = separation(activations, label)
    assert_array_equal(found.label, label)
    assert_allclose(found.silhouette, silhouette_samples(activations.astype(np.float64), label), atol=1e-9)
    assert found.neighbours == 10
    assert_allclose(found.purity, counted_purity(activations, label, 10))


def test_classes_on_single_spots_are_perfectly_apart():
    found = separation(np.array([[0, 0], [0, 0], [9, 9], [9, 9]], np.float32), np.array([0, 0, 1, 1], np.int32))
    assert_allclose(found.silhouette, 1)
    assert found.neighbours == 3
    assert_allclose(found.purity, 1 / 3)


def test_few_instances_are_their_own_neighbours_limit():
    activations, label = blobs(each=2)
    found = separation(activations, label)
    assert found.neighbours == 5
    assert_allclose(found.purity, 1 / 5)


def test_one_class_alone_has_no_silhouette_and_is_pure():
    found = separation(np.arange(6, dtype=np.float32)[:, None], np.zeros(6, np.int32))
    assert len(found.silhouette) == 0
    assert_allclose(found.purity, 1)


def test_broken_instances_and_neurons_take_no_part():
    activations, label = blobs()
    broken = np.concatenate([activations, np.full((60, 1), np.inf, np.float32)], axis=1)
    broken[[3, 30], 2] = np.nan
    kept = np.setdiff1d(np.arange(60), [3, 30])
    found, clean = separation(broken, label), separation(activations[kept], label[kept])
    assert_array_equal(found.label, label[kept])
    assert_allclose(found.silhouette, clean.silhouette)
    assert_allclose(found.purity, clean.purity)


def test_nothing_finite_and_nobody_there_give_no_numbers():
    for activations in (np.full((4, 2), np.nan, np.float32), np.empty((0, 2), np.float32)):
        found = separation(activations, np.arange(len(activations), dtype=np.int32) % 2)
        assert len(found.silhouette) == len(found.purity) == 0


def test_many_instances_are_thinned_to_the_same_ones_every_time():
    activations, label = blobs(each=700)
    first, again = separation(activations, label), separation(activations, label)
    assert len(first.label) == len(first.silhouette) == MOST_ROWS
    assert_array_equal(first.label, again.label)
    assert_array_equal(first.silhouette, again.silhouette)
    assert_allclose(
        first.silhouette.mean(), silhouette_samples(activations.astype(np.float64), label).mean(), atol=0.02
    )


def test_instances_that_are_alike_share_the_places_whatever_their_order():
    label = np.repeat(np.arange(2, dtype=np.int32), [30, 10])
    same = np.tile(np.array([[0.1, -7, 3e5]], np.float32), (40, 1))
    order = np.random.default_rng(0).permutation(40)
    found, shuffled = separation(same, label), separation(same[order], label[order])
    assert_allclose(found.purity, np.where(label == 0, 29 / 39, 9 / 39))
    assert_allclose(shuffled.purity, found.purity[order])
    assert_array_equal(found.silhouette, 0)
    assert_array_equal(shuffled.silhouette, 0)


def test_the_order_of_instances_on_a_grid_does_not_show():
    grid = np.stack(np.meshgrid(np.arange(9), np.arange(9)), axis=-1).reshape(-1, 2).astype(np.float32) / 7
    label = np.random.default_rng(1).integers(0, 3, 81).astype(np.int32)
    found = separation(grid, label)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(81)
        shuffled = separation(grid[order], label[order])
        assert_allclose(shuffled.purity, found.purity[order], atol=1e-12)
        assert_allclose(shuffled.silhouette, found.silhouette[order], atol=1e-12)
    corner = np.array([label[1], label[9], label[10], label[2], label[18], label[11], label[19], label[20]])
    tied = np.array([label[3], label[27]])
    nearer = np.count_nonzero(corner == label[0])
    assert_allclose(found.purity[0], (nearer + 2 * np.count_nonzero(tied == label[0]) / 2) / 10)
