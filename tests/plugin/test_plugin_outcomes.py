"""Who is right where over all stored instances, joined by their ids, against counting in Python."""

import time

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

import activis_tb
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


def outcomes(server, **query):
    """Asks until the counts are there."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answer = server.get("outcomes", **query)
        if answer.status_code != 202:
            return answer
        time.sleep(0.02)
    raise TimeoutError("outcomes did not end")


def test_all_stored_instances_are_counted_by_id_and_by_the_names_of_the_classes(serve, logdir):
    answer = outcomes(serve(logdir, snapshots=2), **BASE, **OTHER)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    ParseDict(found, pb.OutcomeCounts())
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
    found = outcomes(serve_slow(logdir), **BASE, **itself).get_json()
    assert (found["over"], found["same_prediction"], found["note"]) == (750, 750, "")
    assert found["only_base"] + found["only_other"] == 0


def test_what_is_not_stored_is_a_sentence(serve_slow, logdir):
    record(logdir, "c", CLASSES, TRUTH, PREDICTED, np.arange(750), keep="sample")
    server = serve_slow(logdir)
    answer = outcomes(server, **BASE, **{**OTHER, "other_run": "c/activis"})
    assert answer.status_code == 400
    assert 'expected snapshots recorded with keep="all"' in answer.text
    next((logdir / "b").rglob("instances.parquet")).write_bytes(b"PAR1 no longer")
    answer = outcomes(server, **BASE, **OTHER)
    assert answer.status_code == 422
    assert "cannot be joined" in answer.text
