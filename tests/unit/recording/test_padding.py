"""Positions that a mask calls padding are left out of pooling; pooling may take the first or the last position."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, PooledActivations
from tests.unit.recording.helpers import CLASSES, batch, read_snapshots, record

RANDOM = np.random.default_rng(5)
STEPS = RANDOM.normal(size=(6, 5, 3)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]])
POOLINGS = {
    "max": lambda rows: rows.max(0),
    "mean": lambda rows: rows.mean(0, dtype=np.float64),
    "first": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
}


def by_hand(values: np.ndarray, mask: np.ndarray, pooling: str) -> np.ndarray:
    """Every instance by itself, (positions, neurons) without its padding."""
    rows = [one[kept != 0].reshape(-1, one.shape[-1]) for one, kept in zip(values, mask, strict=True)]
    return np.array([POOLINGS[pooling](positions) for positions in rows])


def recorded(tmp_path: Path, values: Any, mask: Any, pooling: Any = "max", **layer: Any) -> np.ndarray:
    spec = LayerSpec("hidden", pooling, **layer)
    reader = record(tmp_path, [batch([0] * 6, values, mask=mask)], layers=[spec])
    return reader.activations("hidden")[np.argsort(reader.sample().index)]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kind", [np.bool_, np.int64, np.uint8, np.float32, list], ids=str)
def test_padding_is_left_out(tmp_path: Path, pooling: str, kind: Any) -> None:
    mask = MASK.tolist() if kind is list else MASK.astype(kind)
    assert_allclose(recorded(tmp_path, STEPS, mask, pooling), by_hand(STEPS, MASK, pooling), rtol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_without_a_mask_every_position_counts(tmp_path: Path, pooling: str) -> None:
    got = recorded(tmp_path, STEPS, None, pooling)
    assert_allclose(got, by_hand(STEPS, np.ones_like(MASK), pooling), rtol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_channels_and_further_axes_may_be_anywhere(tmp_path: Path, pooling: str) -> None:
    heads = RANDOM.normal(size=(6, 5, 2, 3)).astype(np.float32)
    assert_allclose(recorded(tmp_path, heads, MASK, pooling), by_hand(heads, MASK, pooling), rtol=1e-6)
    first = np.moveaxis(heads, -1, 1)
    got = recorded(tmp_path / "first", first, MASK, pooling, channel_axis=1)
    assert_allclose(got, by_hand(heads, MASK, pooling), rtol=1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_instance_of_nothing_but_padding_has_no_activation(tmp_path: Path, pooling: str) -> None:
    mask = MASK.copy()
    mask[2] = 0
    got = recorded(tmp_path, STEPS, mask, pooling)
    assert np.isnan(got[2]).all()
    kept = [0, 1, 3, 4, 5]
    assert_allclose(got[kept], by_hand(STEPS[kept], mask[kept], pooling), rtol=1e-6)


def test_what_stands_in_padding_has_no_influence(tmp_path: Path) -> None:
    dirty = np.where(MASK[..., None] != 0, STEPS, np.nan)
    for pooling in POOLINGS:
        assert_allclose(recorded(tmp_path / pooling, dirty, MASK, pooling), by_hand(STEPS, MASK, pooling), rtol=1e-6)


def test_masks_are_of_their_batch_and_averages_follow(tmp_path: Path) -> None:
    parts = [(STEPS[:2], MASK[:2]), (STEPS[2:, :4], np.ones((4, 4)))]
    reader = record(tmp_path, [batch([0] * len(values), values, mask=mask) for values, mask in parts])
    values = np.concatenate([by_hand(values, mask, "max") for values, mask in parts])
    assert_allclose(reader.statistic("hidden", "mean")[0], values.mean(0, dtype=np.float64), rtol=1e-6)
    assert_array_equal(reader.statistic("hidden", "max")[0], values.max(0))


def test_layers_have_masks_of_their_own_or_one_together(tmp_path: Path) -> None:
    layers = {"words": STEPS, "chunks": STEPS[:, :2], "flat": STEPS[:, 0]}
    arguments = batch([0] * 6, STEPS) | {"activations": layers}
    masks = {"words": MASK, "chunks": np.ones((6, 2), np.bool_)}
    reader = record(tmp_path, [arguments | {"mask": masks}], layers=list(layers))
    rows = np.argsort(reader.sample().index)
    assert_array_equal(reader.activations("words")[rows], by_hand(STEPS, MASK, "max"))
    assert_array_equal(reader.activations("chunks")[rows], STEPS[:, :2].max(1))
    message = "mask: got shape (6, 5); expected (6, 2), the instances and steps of layer 'chunks'. Give masks by layer"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        record(tmp_path / "one", [arguments | {"mask": MASK}], layers=list(layers))


def test_test_cases_have_padding_too(tmp_path: Path) -> None:
    import activis_tb

    with activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as snapshot:
        snapshot.examples(**batch([0] * 6, STEPS, mask=MASK))
        snapshot.process(**batch([0] * 6, STEPS))
    (reader,) = read_snapshots(tmp_path / "activis")
    assert_array_equal(reader.example_activations("hidden"), by_hand(STEPS, MASK, "max"))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK[:, :4], "mask: got shape (6, 4); expected (6, 5), the instances and steps of layer 'hidden'"),
        (MASK[:4], "mask: got shape (4, 5); expected 6 instances on the first axis"),
        (
            MASK[..., None],
            "mask: got int64 of shape (6, 5, 1); expected booleans, or 1 and 0, of shape (instances, ste",
        ),
        (MASK - 1, "mask: got values from -1 to 0; expected booleans, or 1 and 0"),
        (np.where(MASK, 0.0, -1e9), "mask: got values from -1000000000.0 to 0.0; expected booleans"),
        (MASK * 0.5, "mask: got values from 0.0 to 0.5"),
        ({"hiden": MASK}, "mask: got the layer 'hiden'; expected layers of activations: hidden"),
        ({"hidden": MASK[:, :2]}, "mask: got shape (6, 2); expected (6, 5)"),
        ([[1, 0], [1]], "mask"),
    ],
)
def test_what_is_no_mask_of_the_layer_is_refused(tmp_path: Path, mask: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(message)):
        recorded(tmp_path, STEPS, mask)


@pytest.mark.parametrize("values", [STEPS[:, 0], PooledActivations(STEPS[:, 0], (5, 3), "float32", "max")])
def test_a_mask_that_comes_too_late_is_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(ArgumentError, match="mask: got a mask; expected activations of rank > 2"):
        recorded(tmp_path, values, MASK)
    with pytest.raises(ArgumentError, match="mask: got a mask; expected activations of rank > 2"):
        recorded(tmp_path, values, {"hidden": MASK})
