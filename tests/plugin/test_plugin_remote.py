"""What was recorded to a URL is served where TensorBoard reads the URL."""

import json
import subprocess
import sys

RECORDED_AND_SERVED = """
import json, sys, types
# TensorBoard's own way to do without TensorFlow, whose file systems do not know memory://.
sys.modules["tensorboard.compat.notf"] = types.ModuleType("notf")
import activis_tb
from tests.plugin.server import Server
for step in range(2):
    with activis_tb.preprocess(
        "memory://runs/cnn", step=step, layers=["hidden"], classes=["cat", "dog"], quiet=True
    ) as recorder:
        recorder.process(labels=[0, 0, 1], scores=[0.2] * 3, activations={"hidden": [[1.0 + step], [3.0], [7.0]]})
server = Server("memory://runs", "slow")
server.wait_for_snapshots(2)
query = {"run": "cnn/activis", "name": "validation", "step": 1}
mean = server.array("statistics", layer="hidden", statistic="mean", **query)
print(json.dumps([mean.tolist(), server.json("subset", condition="label = 'cat'", **query)["count"]]))
"""


def test_a_url_is_served_by_tensorboards_own_file_systems() -> None:
    process = subprocess.run([sys.executable, "-c", RECORDED_AND_SERVED], check=True, capture_output=True, text=True)
    assert json.loads(process.stdout.splitlines()[-1]) == [[[2.5], [7.0]], 2]
