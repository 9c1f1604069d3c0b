"""What a browser may type: every fault is a sentence that knows its place, nothing hostile gets through or holds on."""

import itertools
import re
import threading
from urllib.parse import unquote

import numpy as np
import psutil
import pytest
from google.protobuf.json_format import ParseDict

from activis_tb.plugin.jobs import Admission, BusyError
from activis_tb.storage import activis_pb2 as pb
from tests.plugin.populations import AGE, KEY, LABEL, PREDICTED, ROWS, TEXT, TOPIC, record
from tests.unit.conditions.test_hostile_conditions import REFUSED

SAMPLE = {"run": "sample/activis", **KEY}
STORED = {"run": "stored/activis", **KEY}


@pytest.fixture
def server(serve_slow, tmp_path):
    types = {"text": "text"}
    record(tmp_path, "sample", sample=60, always="index < 10", attribute_types=types)
    record(tmp_path, "stored", sample=60, keep="all", attribute_types=types)
    return serve_slow(tmp_path)


@pytest.mark.parametrize(
    ("condition", "word", "suggestion", "message"),
    [
        ("aeg > 20", "aeg", "age", "There is no column aeg."),
        ("age > 20 AND topic = 3", "3", "'3'", "topic is a text"),
        ("label = 'Ant'", "'Ant'", "'ant'", "'Ant' is not a class."),
        ("neuron('hiden', 0) > 1", "'hiden'", "'hidden'", "There is no layer 'hiden'."),
        ("neuron('hidden', 5) > 1", "5", None, "has the neurons 0 to 4"),
        ("topic = 'Ärzte' AND topic > ", ">", None, "is not complete"),
        ("age > 20; DROP TABLE x", ";", None, "; is not allowed"),
        ("topic = 'x", "'x", None, "This quote is not closed"),
        ("topic = “Ärzte” AND age ≥ .5", "“Ärzte” AND age ≥", "'Ärzte' AND age >=", "are not the quotes of conditions"),
        ("text LIKE '!' ESCAPE '!'", "'!'", "'!!'", "The pattern ends with !"),
        ("", "", None, "The condition is empty"),
    ],
)
@pytest.mark.parametrize("route", ["subset", "subset_statistics"])
def test_a_fault_has_a_place_and_perhaps_a_suggestion(server, route, condition, word, suggestion, message):
    response = server.get(route, **SAMPLE, condition=condition, layer="hidden", statistic="mean")
    assert (response.status_code, response.mimetype) == (400, "text/plain")
    start, end = (int(response.headers[f"Activis-Error-{edge}"]) for edge in ("Start", "End"))
    assert condition[start:end] == word
    given = response.headers.get("Activis-Suggestion")
    assert (given and unquote(given)) == suggestion
    if message != "topic is a text":
        assert message in response.text


def test_other_parameters_are_checked_as_everywhere(server):
    assert "condition: got no such parameter" in server.refused("subset", 400, **SAMPLE)
    assert "condition: got 5,000 characters" in server.refused("subset", 400, **SAMPLE, condition="x" * 5000)
    query = {**SAMPLE, "condition": "age > 20"}
    assert "There is no layer 'conv'" in server.refused(
        "subset_statistics", 404, **query, layer="conv", statistic="mean"
    )
    assert "expected one of count, mean" in server.refused(
        "subset_statistics", 400, **query, layer="hidden", statistic="median"
    )
    for route in ("subset", "subset_statistics", "summaries"):
        missing = {**query, "step": 9, "layer": "hidden", "statistic": "mean"}
        assert "at step 9" in server.refused(route, 404, **missing)


@pytest.mark.slow
def test_hostile_conditions_are_answered_by_a_sentence(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    server.json("subset", **STORED, condition="age > 20")
    files = sorted(tmp_path.rglob("*"))
    sendable = [condition for condition in REFUSED if not re.search("[\ud800-\udfff]", condition)]
    assert len(sendable) >= 100
    for condition in sendable:
        for key in (SAMPLE, STORED):
            sentence = server.refused("subset", 400, **key, condition=condition)
            assert sentence.endswith((".", "?")), sentence
    assert sorted(tmp_path.rglob("*")) == files
    assert server.json("subset", **SAMPLE, condition="age > 20")["total"] == ROWS


def test_costly_conditions_do_not_grow_the_process(server):
    server.json("subset", **STORED, condition="age > 20")
    before = psutil.Process().memory_info().rss
    for condition in (
        "text ~ '(a|a?)+(b|b?)+(c|c?)+$'",
        " OR ".join(["text ~ '(x+x+)+y'"] * 100),
        f"index IN ({', '.join(map(str, range(700)))})",
        "age " + "+ age " * 400 + "> 1",
    ):
        assert server.get("subset", **STORED, condition=condition).status_code in {200, 400}
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_summaries_tell_how_values_are_distributed(server):
    answer = server.json("summaries", **STORED)
    ParseDict(answer, pb.ColumnSummaries())
    assert (answer["source"], answer["over"], answer["total"], answer["note"]) == ("all", ROWS, ROWS, "")
    columns = {column["name"]: column for column in answer["columns"]}
    assert list(columns) == ["label", "predicted", "score", "correct", "age", "topic", "text"]
    check(columns, np.arange(ROWS), np.ones(ROWS))
    assert columns["score"]["quantiles"] == [0.75] * 7
    assert (columns["score"]["edges"], columns["score"]["counts"]) == ([0.75, 0.75], [ROWS])


def test_summaries_of_a_sample_count_what_its_instances_stand_for(server):
    instances = server.json("instances", **SAMPLE)
    index, drawn = np.array(instances["index"], int), np.array(instances["drawn"])
    answer = server.json("summaries", **SAMPLE)
    assert (answer["source"], answer["over"], answer["total"]) == ("sample", 60, ROWS)
    rows = index[drawn]
    columns = {column["name"]: column for column in answer["columns"]}
    check(columns, rows, (np.bincount(LABEL) / 20)[LABEL[rows]])
    assert [(one["value"], one["count"]) for one in columns["label"]["values"]] == [
        ("ant", 134),
        ("bee", 133),
        ("cat", 133),
    ]


def check(columns, rows, weights):
    """Everything against NumPy over `rows`, each of which counts `weights`."""
    assert_counts(columns["label"], np.array(["ant", "bee", "cat"])[LABEL[rows]], weights)
    assert_counts(columns["correct"], np.where(LABEL == PREDICTED, "true", "false")[rows], weights)
    known = np.array([topic is not None for topic in TOPIC[rows]])
    assert_counts(columns["topic"], TOPIC[rows][known].astype(str), weights[known])
    assert_counts(columns["text"], TEXT[rows].astype(str), weights)
    questions = np.array([text.startswith("What is number ") for text in TEXT[rows]])
    expected = {
        "What ": weights[questions].sum(),
        "What is ": weights[questions].sum(),
        "row ": weights[~questions].sum(),
    }
    beginnings = {one["text"]: one for one in columns["text"]["beginnings"]}
    assert {text: one["count"] for text, one in beginnings.items()} == pytest.approx(expected)
    assert {text: one["either_case"] for text, one in beginnings.items()} == pytest.approx(expected)
    known = np.isfinite(AGE[rows])
    ages, weights = AGE[rows][known], weights[known]
    assert columns["age"]["present"] == pytest.approx(weights.sum())
    assert columns["age"]["distinct"] == len(set(ages))
    order = np.argsort(ages)
    until = np.cumsum(weights[order])
    shares = np.array([0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])
    firsts = [np.flatnonzero(until >= share * until[-1] - 1e-9)[0] for share in shares]
    assert columns["age"]["quantiles"] == ages[order][firsts].tolist()
    edges = columns["age"]["edges"]
    width = next(width for width in itertools.count(1) if len(np.arange(ages.min(), ages.max() + 1, width)) <= 20)
    assert edges == [*np.arange(ages.min(), ages.max() + 1, width), edges[-2] + width], "whole numbers, as many in each"
    assert columns["age"]["counts"] == pytest.approx(np.histogram(ages, edges, weights=weights)[0])


def assert_counts(column, values, weights):
    distinct, codes = np.unique(values, return_inverse=True)
    counts = np.bincount(codes, weights)
    expected = sorted(
        zip(distinct.tolist(), counts.tolist(), strict=True), key=lambda pair: (-round(pair[1], 9), pair[0])
    )
    assert (column["present"], column["distinct"]) == (pytest.approx(weights.sum()), len(distinct))
    assert [one["value"] for one in column["values"]] == [value for value, _ in expected[:50]]
    assert [one["count"] for one in column["values"]] == pytest.approx([count for _, count in expected[:50]])


def test_only_a_few_are_computed_at_a_time():
    admission = Admission(most=2, patience=0.05)
    inside, leave = threading.Semaphore(0), threading.Event()

    def stay():
        with admission.admitted():
            inside.release()
            leave.wait()

    threads = [threading.Thread(target=stay) for _ in range(2)]
    for thread in threads:
        thread.start()
        inside.acquire()
    with pytest.raises(BusyError, match=r"2 subsets are being computed, which is the most at a time\. Ask again"):
        admission.admitted().__enter__()
    leave.set()
    for thread in threads:
        thread.join()
    with admission.admitted():
        pass
