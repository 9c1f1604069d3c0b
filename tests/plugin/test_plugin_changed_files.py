"""Side files that are truncated, replaced, removed and restored under TensorBoard are told, and TensorBoard lives."""

import os
import shutil
from urllib.parse import unquote

import numpy as np
import pytest
from numpy.testing import assert_allclose

from activis_tb.plugin import populations
from activis_tb.recording import dataset
from tests.plugin.populations import CONDITIONS, KEY, expected, record
from tests.plugin.server import read_array

STORED = {"run": "stored/activis", **KEY}
HIDDEN = {**STORED, "layer": "hidden"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "PART_ROWS", 150)
        record(logdir, "stored", keep="all", sample=60)
    return logdir


@pytest.fixture
def logdir(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(populations, "SECONDS_TO_RETRY", 0)
    return shutil.copytree(recorded, tmp_path / "logs")


def ask(server, condition, statistic="mean"):
    """Returns exactness, note, count and values of one statistic."""
    answer = server.get("subset_statistics", **HIDDEN, statistic=statistic, condition=condition)
    assert answer.status_code == 200, answer.text
    headers = answer.headers
    note = unquote(headers.get("Activis-Note", ""))
    return headers["Activis-Exactness"], note, float(headers["Activis-Count"]), read_array(answer)[0]


def check_right(server, condition):
    exactness, note, count, means = ask(server, condition)
    members = CONDITIONS[condition]
    assert (exactness, note, count) == ("bound", "", members.sum())
    assert_allclose(means, expected("mean", members), atol=0.03)


CHANGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "grown": lambda path: os.truncate(path, path.stat().st_size + 1),
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_of_activations_that_is_damaged_meanwhile_is_said_and_read_again_once_restored(
    serve_slow, logdir, change
):
    server = serve_slow(logdir)
    known, new = "age > 20", "age IS NULL OR topic IS NULL"
    check_right(server, known)
    path = sorted(logdir.rglob("layer-000.u8"))[1]
    content = path.read_bytes()
    CHANGES[change](path)
    for condition in (known, new):
        exactness, note, count, _ = ask(server, condition)
        assert (exactness, count) == ("estimate", CONDITIONS[condition].sum())
        assert str(path) in note
    (entry,) = server.json("runs")["runs"]
    assert entry["run"] == "stored/activis"
    path.write_bytes(content)
    for condition in (known, new):
        check_right(server, condition)


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_is_damaged_meanwhile_is_said_and_read_again_once_restored(serve_slow, logdir, change):
    server = serve_slow(logdir)
    check_right(server, "age > 20")
    summaries = server.json("summaries", **STORED)
    assert summaries["source"] == "all"
    path = sorted(logdir.rglob("instances.parquet"))[1]
    content = path.read_bytes()
    CHANGES[change](path)
    exactness, note, _, _ = ask(server, "age > 20")
    assert (exactness, "instances" in note) == ("estimate", True)
    assert server.json("summaries", **STORED)["source"] == "sample"
    path.write_bytes(content)
    check_right(server, "age > 20")
    assert server.json("summaries", **STORED) == summaries


@pytest.mark.parametrize("keep_time", [True, False], ids=["same times", "newer"])
def test_answers_about_replaced_files_are_those_of_the_new_ones(serve_slow, logdir, keep_time):
    server = serve_slow(logdir)
    condition = "age IS NULL OR topic IS NULL"
    check_right(server, condition)
    neuron = "neuron('hidden', 0) > 0"
    before = server.json("subset", **STORED, condition=neuron)["count"]
    for path in logdir.rglob("layer-000.u8"):
        codes = np.frombuffer(path.read_bytes(), np.uint8)
        other = path.with_name("other")
        other.write_bytes(np.where(codes < 200, codes, 1).astype(np.uint8).tobytes())
        if keep_time:
            os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        other.replace(path)
    exactness, _, count, means = ask(server, condition)
    assert (exactness, count) == ("bound", CONDITIONS[condition].sum())
    assert means[0] < expected("mean", CONDITIONS[condition])[0] - 0.1
    assert server.json("subset", **STORED, condition=neuron)["count"] < before


def test_files_that_are_truncated_while_questions_are_answered_end_nothing(serve_slow, logdir):
    server = serve_slow(logdir)
    paths = [*logdir.rglob("layer-000.*"), *logdir.rglob("instances.parquet"), *logdir.rglob("part.json")]
    for number, path in enumerate(paths):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        condition = f"age > {20 + number / 100}"
        for statistic in ("mean", "std", "max"):
            assert ask(server, condition, statistic)[0] == "estimate"
        answer = server.json("subset", **STORED, condition=f"neuron('hidden', 0) > {number}")
        assert (answer["exactness"], answer["note"] != "") == ("estimate", True)
        path.write_bytes(content)
    check_right(server, "age > 20")
