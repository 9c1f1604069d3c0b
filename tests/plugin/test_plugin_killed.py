"""Recordings killed at random moments take nothing from the earlier ones, whichever way TensorBoard reads them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.plugin.killing import BATCHES, LABELS, values
from tests.plugin.server import LOADERS, Server
from tests.unit.recording.helpers import batch, record

ROOT = Path(__file__).resolve().parents[2]
KILLS = 100

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sample", "all"])
def killed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A log directory in which recordings were killed, and the steps that were written before that; reads them all."""
    logdir = tmp_path_factory.mktemp("killed")
    command = [sys.executable, "-m", "tests.plugin.killing", str(logdir / "cnn"), request.param, str(KILLS)]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=one_thread)
    outcome: dict[str, Any] = json.loads(process.stdout)
    assert outcome["killed"] == KILLS
    return logdir, outcome["steps"]


@pytest.mark.parametrize("loader", LOADERS)
def test_every_snapshot_but_no_half_one_is_served_beside_the_users_scalars(
    killed: tuple[Path, list[int]], loader: str
) -> None:
    logdir, steps = killed
    server = Server(logdir, loader)
    server.wait_for_snapshots(len(steps))
    for step in steps:
        query = {"run": "cnn/activis", "name": "validation", "step": step, "layer": "hidden", "statistic": "mean"}
        expected = values(step)[np.tile(LABELS, BATCHES) == 2].mean(axis=0)
        assert_array_equal(server.array("statistics", **query)[2], expected.astype(np.float32))
    scalars = server.get_scalars("cnn", "loss")
    assert scalars == {step: float(step) for step in scalars}
    assert sorted(scalars) == list(range(5, max(scalars) + 1))
    assert len(scalars) >= KILLS
    server.close()


def test_the_next_recording_clears_up(killed: tuple[Path, list[int]]) -> None:
    logdir, _ = killed
    record(logdir / "cnn", [batch([0, 1])], step=1000)
    files = [path.name for path in logdir.rglob("*") if path.is_file()]
    assert [name for name in files if name.endswith((".tmp", ".claim"))] == []
    assert [path for path in logdir.rglob("*") if path.is_dir() and not any(path.iterdir())] == []
