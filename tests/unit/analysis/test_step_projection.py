"""Pictures over steps: what did not change stays where it was, and the picture is as good as a fresh one."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.projection import STEP_ITERATIONS, in_frame, tsne_step


def groups(seed=0, each=20):
    """Three groups far apart, (60, 5)."""
    centres = np.repeat(np.eye(3, 5) * 12, each, axis=0)
    return (np.random.default_rng(seed).normal(size=(3 * each, 5)) + centres).astype(np.float32)


def ignore(_iteration, _coordinates):
    pass


def moved(before, after):
    return np.linalg.norm(in_frame(after) - in_frame(before), axis=1)


def centres_of(picture):
    return np.stack([picture[group * 20 : group * 20 + 20].mean(axis=0) for group in range(3)])


def test_instances_that_do_the_same_stay_and_one_that_changes_moves():
    first = groups()
    second = (first + np.random.default_rng(1).normal(scale=0.05, size=first.shape)).astype(np.float32)
    second[7] = first[50]
    before = tsne_step(first, None, ignore)
    after = tsne_step(second, before, ignore)
    distances = moved(before, after)
    assert np.median(np.delete(distances, 7)) < 0.1
    assert distances[7] > 0.5
    nearest = np.linalg.norm(centres_of(after) - after[7], axis=1).argmin()
    assert nearest == 2


def test_the_same_activations_give_the_same_picture_every_time():
    before = tsne_step(groups(), None, ignore)
    assert_array_equal(tsne_step(groups(1), before, ignore), tsne_step(groups(1), before, ignore))


def test_an_instance_that_was_not_there_begins_at_its_like():
    activations = groups()
    before = tsne_step(activations, None, ignore)
    before[[3, 25]] = np.nan
    after = tsne_step(activations, before, ignore)
    assert np.isfinite(after).all()
    nearest = [np.linalg.norm(centres_of(after) - after[row], axis=1).argmin() for row in (3, 25)]
    assert nearest == [0, 1]


def test_a_predecessor_that_shares_nobody_is_none():
    nobody = np.full((60, 2), np.nan, np.float32)
    assert_array_equal(tsne_step(groups(), nobody, ignore), tsne_step(groups(), None, ignore))


def test_it_tells_how_far_it_is_and_whoever_is_told_can_end_it():
    told = []
    before = tsne_step(groups(), None, ignore)
    tsne_step(groups(1), before, lambda iteration, coordinates: told.append((iteration, coordinates.shape)))
    assert told == [(iteration, (60, 2)) for iteration in range(25, STEP_ITERATIONS + 1, 25)]


def test_broken_and_few_rows_are_placed_as_in_the_projection():
    broken = groups()
    broken[4, 0] = np.nan
    assert_array_equal(np.isnan(tsne_step(broken, None, ignore)).all(axis=1), np.arange(60) == 4)
    assert_allclose(tsne_step(np.array([[0], [1], [2]], np.float32), None, ignore)[:, 0], [-1, 0, 1], atol=1e-6)


def test_a_frame_is_centred_and_as_wide_as_every_other():
    shown = in_frame(np.array([[3, 0], [7, 0], [np.nan, np.nan]], np.float32))
    assert_allclose(shown, [[-0.5, 0], [0.5, 0], [np.nan, np.nan]])
    assert_array_equal(in_frame(np.zeros((3, 2), np.float32)), np.zeros((3, 2)))
    assert_array_equal(in_frame(np.full((2, 2), np.nan, np.float32)), np.full((2, 2), np.nan))
