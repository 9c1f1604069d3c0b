"""A picture that was turned, mirrored, scaled and shifted is laid back onto the original."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import procrustes

from activis_tb.analysis.tsne import align


def picture(seed=0, rows=30):
    return np.random.default_rng(seed).normal(size=(rows, 2)).astype(np.float32)


def same(rows):
    return np.stack([np.arange(rows, dtype=np.int32)] * 2, axis=1)


def turn(degrees):
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_planted_turn_is_undone(mirror):
    original = picture()
    moved = (3 * original * [mirror, 1] @ turn(130) + [5, -7]).astype(np.float32)
    assert_allclose(align(moved, original, same(30)), original, atol=1e-5)


def test_the_turn_is_scipys_and_the_width_is_kept():
    one, other = picture(0), picture(1)
    found = align(other, one, same(30))
    expected, turned, _ = procrustes(one, other)
    unit = (found - found.mean(axis=0)) / np.linalg.norm(found - found.mean(axis=0))
    assert_allclose(unit, turned / np.linalg.norm(turned), atol=1e-6)
    assert_allclose(np.linalg.norm(found - found.mean(axis=0)), np.linalg.norm(one - one.mean(axis=0)), rtol=1e-5)
    assert_allclose(found.mean(axis=0), one.mean(axis=0), atol=1e-6)
    assert expected.shape == found.shape


def test_the_instances_in_both_decide_and_the_others_come_along():
    original = picture(rows=20)
    moved = (original @ turn(90)).astype(np.float32)
    moved[3] = np.nan
    rows = np.stack([np.arange(10), np.arange(10)], axis=1).astype(np.int32)
    other = original.copy()
    other[10:] = 99
    found = align(moved, other, rows)
    assert_array_equal(np.isnan(found).any(axis=1), np.arange(20) == 3)
    kept = np.arange(20) != 3
    assert_allclose(found[kept], original[kept], atol=1e-5)


def test_without_enough_in_common_the_picture_stays():
    moved = picture(1)
    assert_array_equal(align(moved, picture(), np.empty((0, 2), np.int32)), moved)
    assert_array_equal(align(moved, picture(), same(1)), moved)
    assert_array_equal(align(np.ones((4, 2), np.float32), picture(rows=4), same(4)), np.ones((4, 2)))
