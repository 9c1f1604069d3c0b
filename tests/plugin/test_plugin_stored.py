"""A recording that keeps everything is served beside the others, by both loaders."""

import numpy as np
from numpy.testing import assert_allclose

import activis_tb
from activis_tb.recording import dataset


def record(logdir, step, keep):
    with activis_tb.preprocess(
        logdir / "cnn", step=step, layers=["hidden"], classes=["cat", "dog"], keep=keep, quiet=True
    ) as recorder:
        recorder.process(labels=[0, 0, 1, 1], scores=[0.25] * 4, activations={"hidden": np.arange(8.0).reshape(4, 2)})


def test_runs_says_how_many_instances_are_stored(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "PART_ROWS", 2)
    record(tmp_path, step=1, keep="sample")
    record(tmp_path, step=2, keep="all")
    server = serve(tmp_path, snapshots=2)
    listing = server.json("runs")
    (run,) = listing["runs"]
    assert (run["run"], listing["total_runs"], listing["warnings"]) == ("cnn/activis", 1, [])
    assert [(entry["step"], entry["stored"]) for entry in run["snapshots"]] == [(1, 0), (2, 4)]
    mean = server.array("statistics", run="cnn/activis", name="validation", step=2, layer="hidden", statistic="mean")
    assert_allclose(mean, [[1, 2], [5, 6]])
