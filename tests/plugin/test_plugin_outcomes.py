"""Who is right where over all stored instances, joined by their ids, against counting in Python."""

import time
from unittest.mock import Mock

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

import activis_tb
from activis_tb.plugin.jobs import JobQueue, QueueFullError
from activis_tb.recording import dataset
from activis_tb.storage import activis_pb2 as pb
from tests.plugin.server import DEADLINE

ROWS = 900
CLASSES = ("ant", "bee", "cat")
OTHER_CLASSES = ("cat", "ant", "dog", "bee")
SHARED = 600
BASE = {"run": "a/activis", "name": "validation", "step": 0}
OTHER = {"other_run": "b/activis", "other_name": "validation", "other_step": 0}

_random = np.random.default_rng(4)
TRUTH = np.array(CLASSES, object)[_random.integers(0, 3, ROWS)]
OTHER_TRUTH = np.where(np.arange(ROWS) % 50 == 0, "dog", TRUTH)
"""Every 50th is a dog in the other recording."""
PREDICTED = np.where(_random.random(ROWS) < 0.3, np.roll(TRUTH, 1), TRUTH)
OTHER_PREDICTED = np.where(
    _random.random(ROWS) < 0.4, np.array(OTHER_CLASSES, object)[_random.integers(0, 4, ROWS)], TRUTH
)


def record(logdir, run, names, truth, predicted, rows, keep="all"):
    positions = {name: position for position, name in enumerate(names)}
    outputs = np.array([positions[name] for name in predicted])
    scores = np.where(np.arange(len(names)) == outputs[:, None], 0.7, 0.1)
    with activis_tb.preprocess(
        logdir / run, step=0, layers=["hidden"], classes=names, keep=keep, sample=60, quiet=True
    ) as recorder:
        for chosen in np.array_split(rows, 3):
            recorder.process(
                labels=truth[chosen].tolist(),
                scores=scores[chosen],
                ids=[f"q{row}" for row in chosen],
                activations={"hidden": np.ones((len(chosen), 2))},
            )


@pytest.fixture
def logdir(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "PART_ROWS", 256)
    folder = tmp_path / "logs"
    record(folder, "a", CLASSES, TRUTH, PREDICTED, np.arange(750))
    record(folder, "b", OTHER_CLASSES, OTHER_TRUTH, OTHER_PREDICTED, np.arange(150, ROWS)[::-1])
    return folder


def agreement(server, **query):
    """Asks until the answer is final; what comes before it is over the sample."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answer = server.get("agreement", **query)
        assert answer.status_code in {200, 202}, answer.text
        found = answer.get_json()
        ParseDict(found, pb.Agreement())
        if answer.status_code == 200:
            assert answer.headers["Activis-Iteration"] == answer.headers["Activis-Iterations"]
            return found
        assert (found["exactness"], found["over"]) == ("sample", found["sampled"])
        time.sleep(0.02)
    raise TimeoutError("agreement did not end")


def check_sampled(found):
    """The rows are those of the sample, whatever is counted."""
    outcomes = ("both_right", "only_base", "only_other", "both_wrong")
    rows = sorted(row for outcome in outcomes for row in found[f"{outcome}_rows"])
    assert len(set(rows)) == len(rows) == found["sampled"]


def test_all_stored_instances_are_counted_by_id_and_by_the_names_of_the_classes(serve, logdir):
    found = agreement(serve(logdir, snapshots=2), **BASE, **OTHER)
    check_sampled(found)
    assert found["exactness"] == "exact"
    assert found["sampled"] < 60
    both = slice(150, 750)
    part = (TRUTH == OTHER_TRUTH)[both]
    right, other_right = (PREDICTED == TRUTH)[both], (OTHER_PREDICTED == OTHER_TRUTH)[both]
    expected = {
        "over": part,
        "both_right": part & right & other_right,
        "only_base": part & right & ~other_right,
        "only_other": part & ~right & other_right,
        "both_wrong": part & ~right & ~other_right,
        "same_prediction": part & (PREDICTED == OTHER_PREDICTED)[both],
    }
    assert {name: found[name] for name in expected} == {name: members.sum() for name, members in expected.items()}
    assert all(0 < count < SHARED for count in (found["only_base"], found["only_other"], found["both_wrong"]))
    assert found["note"] == (
        "600 instances are in both, of 750 in 'validation' at step 0 of run 'a/activis' and 750 in 'validation' at "
        f"step 0 of run 'b/activis'. {SHARED - part.sum()} of them have true classes of different names."
    )


def test_the_same_run_agrees_with_itself_and_there_is_nothing_to_note(serve_slow, logdir):
    itself = {"other_run": "a/activis", "other_name": "validation", "other_step": 0}
    found = agreement(serve_slow(logdir), **BASE, **itself)
    check_sampled(found)
    assert (found["exactness"], found["sampled"]) == ("exact", 60)
    assert (found["over"], found["same_prediction"], found["note"]) == (750, 750, "")
    assert found["only_base"] + found["only_other"] == 0


def test_the_sample_stands_in_for_what_is_not_stored_or_cannot_be_read(serve_slow, logdir):
    record(logdir, "c", CLASSES, TRUTH, PREDICTED, np.arange(750), keep="sample")
    server = serve_slow(logdir)
    answer = server.get("agreement", **BASE, **{**OTHER, "other_run": "c/activis"})
    assert answer.status_code == 200
    sampled = answer.get_json()
    check_sampled(sampled)
    assert (sampled["exactness"], sampled["over"], sampled["sampled"]) == ("sample", 60, 60)
    assert (sampled["note"], sampled["only_base"]) == ("", 0)
    next((logdir / "b").rglob("instances.parquet")).write_bytes(b"PAR1 no longer")
    found = agreement(server, **BASE, **OTHER)
    check_sampled(found)
    assert (found["exactness"], found["over"]) == ("sample", found["sampled"])
    assert "cannot be joined" in found["note"]


def test_while_too_many_computations_wait_the_sample_is_compared_and_is_not_final(serve_slow, logdir, monkeypatch):
    server = serve_slow(logdir)
    with monkeypatch.context() as patch:
        patch.setattr(JobQueue, "ask", Mock(side_effect=QueueFullError(2, 16)))
        for _ in range(2):
            answer = server.get("agreement", **BASE, **OTHER)
            assert (answer.status_code, answer.get_json()["exactness"]) == (202, "sample")
    assert agreement(server, **BASE, **OTHER)["exactness"] == "exact"
