"""From the tracked files: a source distribution, from it a wheel without Node, from it a TensorBoard with our tab.

The environment that the wheel is installed into has no TensorFlow.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.conftest import DEBUG
from tests.end_to_end.tab import TIMEOUT
from tests.snapshots import make_snapshot, write_snapshot

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object, **options) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = tmp_path_factory.mktemp("checkout")
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, checkout)
    return next(folder.glob("activis_tb-*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(source_distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    without_node = tmp_path_factory.mktemp("bin")
    for name in ("npm", "node", "npx"):
        broken = without_node / name
        broken.write_text("#!/bin/sh\necho 'Node must not be needed here' >&2\nexit 1\n")
        broken.chmod(0o755)
    environment = {**os.environ, "PATH": f"{without_node}{os.pathsep}{os.environ['PATH']}"}
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder)
    run(*pip, source_distribution, env=environment)
    return next(folder.glob("activis_tb-*.whl"))


def test_the_source_distribution_carries_the_built_front_end(source_distribution: Path) -> None:
    with tarfile.open(source_distribution) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"activis_tb/static/index.js", "proto/activis.proto", "frontend/package.json", "LICENSE"} <= names
    assert not [name for name in names if "node_modules" in name]


def test_the_wheel_carries_all_it_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "activis_tb/py.typed",
        "activis_tb/static/index.js",
        "activis_tb/storage/activis_pb2.py",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "frontend/", "benchmarks/", "demo/", "build/"))]


def test_the_wheel_has_no_view_of_the_state_and_a_worker_without_the_tab(wheel: Path) -> None:
    assert b"__activis" in DEBUG.read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        scripts = [name for name in archive.namelist() if name.endswith(".js")]
        assert "activis_tb/static/index.js" in scripts
        assert [name for name in scripts if b"__activis" in archive.read(name)] == []
        worker = archive.read("activis_tb/static/graph_placing.js")
        assert b"./graph_tree.js" in worker
        assert b"./app.js" not in worker


def test_a_tensorboard_without_tensorflow_serves_the_tab(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", environment)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel)
    assert run(python, "-c", "import importlib.util as u; print(u.find_spec('tensorflow'))").strip() == "None"

    logdir = tmp_path / "logs"
    write_snapshot(logdir, "cnn/activis", make_snapshot({"hidden": [[0, 1], [2, 3]]}, labels=[0, 1]))
    log = tmp_path / "tensorboard.log"
    command = [environment / "bin" / "tensorboard", "--logdir", logdir, "--port", "0", "--reload_interval", "1"]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            url = wait_for_url(log, server)
            runs = wait_for_runs(url)
            assert [run["label"] for run in runs] == ["cnn"]
            assert runs[0]["snapshots"][0]["classes"] == ["cat", "dog"]
            with urllib.request.urlopen(f"{url}data/plugin/activis/index.js") as answer:
                assert "javascript" in answer.headers["Content-Type"]
                assert b"render" in answer.read()
        finally:
            server.terminate()


def wait_for_url(log: Path, server: subprocess.Popen) -> str:
    deadline = time.monotonic() + 2 * TIMEOUT
    while time.monotonic() < deadline and server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://"):
                return word
        time.sleep(0.1)
    pytest.fail(f"TensorBoard did not start: {log.read_text()}")


def wait_for_runs(url: str) -> list[dict]:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}data/plugin/activis/runs") as answer:
            if runs := json.load(answer)["runs"]:
                return runs
        time.sleep(0.2)
    pytest.fail("the recorded run did not appear")
