"""The health of a layer says what was recorded, and over how many instances it holds."""

import dataclasses

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

import activis_tb
from activis_tb.storage import activis_pb2 as pb
from tests.snapshots import make_snapshot, write_snapshot

KEY = {"run": "cnn/activis", "name": "validation", "step": 1}
RELU = [[0, 1, 0, np.nan], [0, 0, 0, 2], [0, 0, 3, 2], [0, 0, 3, 2]]
SIGNED = [[0, -1], [0, 1], [2, -1], [2, 1]]


def serve_layer(serve, folder, snapshot):
    write_snapshot(folder / "logs", "cnn/activis", snapshot)
    return serve(folder / "logs", snapshots=1)


def test_figures_of_an_unsigned_layer_hold_over_all_instances(serve, tmp_path):
    server = serve_layer(serve, tmp_path, make_snapshot({"hidden": RELU}, labels=[0, 0, 1, 1]))
    health = server.json("health", **KEY, layer="hidden")
    ParseDict(health, pb.LayerHealth())
    rank = health.pop("effective_rank")
    assert health == {
        "neurons": 4,
        "dead": 1,
        "dead_over": 4,
        "zeros": pytest.approx(9 / 15),
        "zeros_over": 4,
        "effective_rank_over": 3,
        "nonfinite": 1,
        "nonfinite_over": 4,
    }
    assert rank == pytest.approx(1)
    assert server.json("health", **KEY, layer="hidden") == {**health, "effective_rank": rank}


def test_zeros_of_a_signed_layer_are_estimated_from_the_drawn_instances(serve, tmp_path):
    whole = make_snapshot({"hidden": SIGNED}, labels=[0, 0, 1, 1])
    cat, dog = whole.manifest.subsets
    manifest = dataclasses.replace(
        whole.manifest,
        instances=14,
        subsets=(dataclasses.replace(cat, count=4), dataclasses.replace(dog, count=10)),
    )
    drawn = np.array([True, False, True, True])
    sample = dataclasses.replace(whole.sample, drawn=drawn, always=~drawn)
    server = serve_layer(serve, tmp_path, dataclasses.replace(whole, manifest=manifest, sample=sample))
    health = server.json("health", **KEY, layer="hidden")
    assert (health["zeros"], health["zeros_over"]) == (pytest.approx(4 / 28), 3)
    assert (health["dead"], health["dead_over"]) == (0, 14)
    assert (health["effective_rank"], health["effective_rank_over"]) == (pytest.approx(2), 4)


def test_zeros_of_a_signed_layer_are_exact_where_always_keeps_all(serve_slow, tmp_path):
    values = np.where(np.arange(40) % 13 == 0, -1, np.arange(40) % 2)[:, None]
    label = np.repeat([0, 1], 20)
    with activis_tb.preprocess(
        tmp_path / "u", step=0, layers=["h"], classes=["a", "b"], sample=4, always="age >= 0", quiet=True
    ) as one:
        one.process(labels=label, scores=label, activations={"h": values}, attributes={"age": label})
    health = serve_slow(tmp_path).json("health", run="u/activis", name="validation", step=0, layer="h")
    assert (health["zeros"], health["zeros_over"]) == (pytest.approx((values == 0).mean()), 40)


def test_a_layer_without_a_finite_number_has_no_share_of_zeros(serve_slow, tmp_path):
    write_snapshot(tmp_path, "cnn/activis", make_snapshot({"hidden": [[np.nan], [np.inf]]}, labels=[0, 1]))
    health = serve_slow(tmp_path).json("health", **KEY, layer="hidden")
    assert (health["zeros"], health["zeros_over"], health["dead"], health["nonfinite"]) == (0, 0, 0, 1)
    assert (health["effective_rank"], health["effective_rank_over"]) == (0, 2)
