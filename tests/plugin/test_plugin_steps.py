"""The projections of a run's steps: one chain, one job, one frame."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.analysis.projection import STEP_ITERATIONS, in_frame, tsne_step
from tests.plugin.server import DEADLINE, read_array
from tests.snapshots import make_snapshot, write_snapshot

QUERY = {"run": "cnn/activis", "name": "validation", "layer": "hidden", "method": "tsne", "frame": "steps"}
ROWS = 24


def activations(step):
    centres = np.repeat(np.eye(2, 4) * 10, ROWS // 2, axis=0)
    drift = np.random.default_rng(step).normal(scale=0.1, size=(ROWS, 4))
    return (np.random.default_rng(99).normal(size=(ROWS, 4)) + centres + drift).astype(np.float32)


def ids(rows):
    return [f"q{row}" for row in rows]


@pytest.fixture
def logdir(tmp_path):
    """Steps 1, 2 and 4; step 2 has its rows the other way round, and step 3 lacks the layer."""
    folder, labels = tmp_path / "logs", [0] * (ROWS // 2) + [1] * (ROWS // 2)
    for step in (1, 2, 4):
        order = range(ROWS - 1, -1, -1) if step == 2 else range(ROWS)
        chosen = {"hidden": activations(step)[list(order)]}
        write_snapshot(folder, "cnn/activis", make_snapshot(chosen, labels, step=step, ids=ids(order)))
    write_snapshot(folder, "cnn/activis", make_snapshot({"pair": np.eye(ROWS, 2)}, labels, step=3))
    return folder


def poll(server, **query):
    answers = []
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answers.append(server.get("projection", **query))
        assert answers[-1].status_code in {200, 202}, answers[-1].text
        if answers[-1].status_code == 200:
            return answers
        time.sleep(0.02)
    raise TimeoutError("the projection did not end")


def chain():
    """The layouts of steps 1, 2 and 4 by rows of step 1, computed directly."""
    layouts = [tsne_step(activations(1), None, lambda *_: None)]
    layouts.append(tsne_step(activations(2)[::-1], layouts[-1][::-1], lambda *_: None))
    layouts.append(tsne_step(activations(4), layouts[-1][::-1], lambda *_: None))
    return [in_frame(layouts[0]), in_frame(layouts[1])[::-1], in_frame(layouts[2])]


def test_every_step_begins_where_the_one_before_ended(serve, logdir):
    server = serve(logdir, snapshots=4)
    answers = poll(server, **QUERY, step=4)
    assert {answer.headers["Activis-Iterations"] for answer in answers} == {str(3 * STEP_ITERATIONS)}
    iterations = [int(answer.headers["Activis-Iteration"]) for answer in answers]
    assert iterations == sorted(iterations)
    first, second, last = chain()
    assert_array_equal(read_array(answers[-1]), last)
    for step, expected in ((1, first), (2, second[::-1])):
        answer = server.get("projection", **QUERY, step=step)
        assert answer.status_code == 200
        assert_array_equal(read_array(answer), expected)
    assert np.linalg.norm(first - second, axis=1).mean() < 0.2
    assert_allclose(np.sqrt((last**2).sum(axis=1).mean()), 0.5, rtol=1e-5)


def test_the_steps_are_there_at_once_after_a_restart(serve_slow, logdir):
    first = read_array(poll(serve_slow(logdir), **QUERY, step=4)[-1])
    again = serve_slow(logdir).get("projection", **QUERY, step=4)
    assert again.status_code == 200
    assert_array_equal(read_array(again), first)


def test_a_later_step_leaves_the_earlier_ones_as_they_are(serve_slow, logdir):
    server = serve_slow(logdir)
    before = read_array(poll(server, **QUERY, step=4)[-1])
    labels = [0] * (ROWS // 2) + [1] * (ROWS // 2)
    write_snapshot(
        logdir, "cnn/activis", make_snapshot({"hidden": activations(5)}, labels, step=5, ids=ids(range(ROWS)))
    )
    server.reload()
    server.wait_for_snapshots(5)
    kept = server.get("projection", **QUERY, step=4)
    assert kept.status_code == 200
    assert_array_equal(read_array(kept), before)
    assert len(read_array(poll(server, **QUERY, step=5)[-1])) == ROWS


def test_pca_has_no_frame_and_other_frames_are_refused(serve_slow, logdir):
    server = serve_slow(logdir)
    query = {**QUERY, "step": 1, "method": "pca"}
    assert_array_equal(server.array("projection", **query), server.array("projection", **{**query, "frame": "own"}))
    assert "one of own, steps" in server.refused("projection", 400, **{**QUERY, "step": 1, "frame": "none"})
    assert "no layer 'hidden'" in server.refused("projection", 404, **QUERY, step=3)
