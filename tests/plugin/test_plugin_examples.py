"""Test cases are served after the sampled instances, and every other answer is as if they were not there."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from tests.plugin.populations import AGE, CLASSES, CONDITIONS, HIDDEN, LABEL, ROWS, SCORES, TEXT, TOPIC
from tests.plugin.server import Server, read_array

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
CASES = np.array([[900, -900, 900, 900, -900], [5, 5, np.nan, 5, 5]], np.float32)
KEYS = {run: {"run": f"{run}/activis", "name": "validation", "step": 0} for run in ("without", "beside")}


def record(logdir: Path, *, examples: bool, sample: int = ROWS, keep: str = "sample", **arguments: object) -> None:
    settings = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True, **arguments}
    with activis_tb.preprocess(logdir, sample=sample, keep=keep, **settings) as recorder:
        if examples:
            recorder.examples(
                labels=["cat", "ant"],
                scores=[[0.125, 0.75, 0.125], [0.75, 0.125, 0.125]],
                ids=["cab", "taxi"],
                attributes={"text": ["What is a cab?", "What is a taxi?"], "age": [49, 49], "image": [None, PNG]},
                activations=dict.fromkeys(settings["layers"], CASES),
            )
        recorder.process(
            labels=LABEL,
            scores=SCORES,
            ids=np.arange(ROWS),
            attributes={"age": AGE, "topic": TOPIC.tolist(), "text": TEXT.tolist(), "image": [PNG] * ROWS},
            activations=dict.fromkeys(settings["layers"], HIDDEN),
        )


@pytest.fixture
def server(serve, tmp_path: Path) -> Server:
    record(tmp_path / "beside", examples=True)
    return serve(tmp_path, snapshots=1)


def test_they_have_the_last_rows(server):
    columns = server.json("instances", **KEYS["beside"])
    assert columns["example"] == [False] * ROWS + [True, True]
    assert columns["id"][-2:] == ["test case cab", "test case taxi"]
    assert columns["label"][-2:] == [2, 0]
    assert columns["predicted"][-2:] == [1, 0]
    assert columns["drawn"][-2:] == columns["always"][-2:] == [False, False]
    age, topic, text, image = columns["attributes"]
    assert age["numbers"][-2:] == [49, 49]
    assert topic["present"][-2:] == [False, False]
    assert text["texts"][-2:] == ["What is a cab?", "What is a taxi?"]
    assert image["present"] == [True] * ROWS + [False, True]
    assert len(columns["scores"]) == 3 * (ROWS + 2)


def test_the_routes_by_row_have_them(server):
    key = KEYS["beside"]
    assert_array_equal(server.array("activations", **key, layer="hidden")[-2:], CASES)
    membership = server.array("membership", **key)
    assert membership.shape == (ROWS + 2, 3)
    assert not membership[-2:].any()
    assert_array_equal(server.array("scores", **key)[-1], np.float32([0.75, 0.125, 0.125]))
    assert_array_equal(server.array("scores", **key, row=ROWS), [[0.125, 0.75, 0.125]])
    assert server.get("image", **key, attribute="image", row=ROWS + 1).data == PNG
    assert "value of attribute 'image' in row" in server.refused("image", 404, **key, attribute="image", row=ROWS)
    assert f"Rows are 0 to {ROWS + 1}" in server.refused("scores", 404, **key, row=ROWS + 2)
    response = server.get("projection", **key, layer="hidden", method="pca")
    assert read_array(response).shape == (ROWS + 2, 2)


@pytest.mark.parametrize(("sample", "keep"), [(ROWS, "sample"), (90, "sample"), (90, "all")])
def test_every_other_answer_is_as_without_them(serve_slow, tmp_path, sample, keep):
    for run in KEYS:
        record(tmp_path / run, examples=run == "beside", sample=sample, keep=keep, subsets={"old": "age > 20"})
    server = serve_slow(tmp_path)
    (beside,), (without,) = (run["snapshots"] for run in server.json("runs")["runs"])
    assert beside["examples"] == 2
    assert without["examples"] == 0
    assert {**beside, "examples": 0, "version": "", "wall_time": 0} == {**without, "version": "", "wall_time": 0}
    for condition in CONDITIONS:
        answers = [server.json("subset", **key, condition=condition) for key in KEYS.values()]
        assert answers[0] == answers[1]
        for statistic in ("mean", "std", "count"):
            question = {"layer": "hidden", "statistic": statistic, "condition": condition}
            assert_array_equal(*(server.array("subset_statistics", **key, **question) for key in KEYS.values()))
    for route, question in (("summaries", {}), ("health", {"layer": "hidden"})):
        answers = [server.json(route, **key, **question) for key in KEYS.values()]
        assert answers[0] == answers[1]


def test_a_layer_of_an_older_session_has_the_same_test_cases_or_none(serve_slow, tmp_path):
    record(tmp_path / "beside", examples=True, layers=["a"])
    record(tmp_path / "without", examples=False, layers=["a"])
    for run in KEYS:
        record(tmp_path / run, examples=True, layers=["b"])
    server = serve_slow(tmp_path)
    assert_array_equal(server.array("activations", **KEYS["beside"], layer="a")[-2:], CASES)
    other = server.array("activations", **KEYS["without"], layer="a")
    assert other.shape == (ROWS + 2, 5)
    assert np.isnan(other[-2:]).all()
    assert_array_equal(server.array("activations", **KEYS["without"], layer="b")[-2:], CASES)
