"""Positions of sampled instances over HTTP are as recorded: their tokens, what neurons do there, and their maxima."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.model import LayerSpec
from tests.snapshots import make_snapshot, write_snapshot

RUN = {"run": "words/activis", "name": "validation", "step": 0}
WORDS = [["what", "is", "a", "cab"], ["what", "a", "city", None], ["is", "it", "a", "cab"], ["what", None, None, None]]
CASE = ["a", "city", "cab", None]
VALUES = np.random.default_rng(3).normal(size=(4, 4, 2)).round(1).astype(np.float32)
VALUES[0, 1, 0] = 0
IDS = "pqrs"


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    layers = [LayerSpec("words", tokens=True), "steps", "dense"]
    given = {"words": VALUES, "steps": VALUES, "dense": VALUES[:, 0]}
    arguments = {"layers": layers, "step": 0, "classes": ["a", "b"], "quiet": True}
    with activis_tb.preprocess(logdir / "words", **arguments) as snapshot:
        scores = np.eye(2)[[0, 1, 0, 1]]
        cases = {name: one[:1] for name, one in given.items()}
        snapshot.examples(labels=[0], scores=scores[:1], activations=cases, tokens={"words": [CASE]})
        snapshot.process(labels=[0, 1, 0, 1], scores=scores, activations=given, tokens={"words": WORDS}, ids=list(IDS))
    write_snapshot(logdir, "old/activis", make_snapshot({"hidden": [[0, 1], [2, 3]]}, [0, 1], step=0))
    return logdir


def decoded(codes, origin, scale):
    """Activations of codes, (positions, neurons), as the contract has it; NaN where there is none."""
    values = np.array(origin) + (codes - 0.5) * np.array(scale)
    return np.where(codes == 0, 0, np.where(codes == 255, np.nan, values))


def test_every_position_of_instances_and_test_cases_has_its_token_and_its_activations(serve, logdir):
    server = serve(logdir)
    ids = server.json("instances", **RUN)["id"]
    found = server.json("positions", **RUN, layer="words")
    assert (found["kind"], found["before"], found["after"]) == ("tokens", 0, 0)
    assert found["rows"] == [0, 1, 2, 3, 4]
    codes = server.array("position_codes", **RUN, layer="words")
    assert (codes.dtype, codes.shape) == (np.dtype("u1"), (found["starts"][-1], 2))
    values = decoded(codes.astype(np.float64), found["origin"], found["scale"])
    for at, row in enumerate(found["rows"]):
        instance = IDS.index(ids[row]) if row < len(IDS) else 0
        expected = [word for word in (WORDS[instance] if row < len(IDS) else CASE) if word is not None]
        assert found["texts"][found["text_starts"][at] : found["text_starts"][at + 1]] == expected
        own = values[found["starts"][at] : found["starts"][at + 1]]
        assert_allclose(own, VALUES[instance, : len(expected)], atol=max(found["scale"]))
        assert_array_equal(own == 0, VALUES[instance, : len(expected)] == 0)


def test_steps_have_their_numbers_alone(serve, logdir):
    server = serve(logdir)
    found = server.json("positions", **RUN, layer="steps")
    assert (found["kind"], found["texts"], found["text_starts"]) == ("steps", [], [])
    assert found["starts"] == [0, 4, 8, 12, 16, 20]
    assert server.array("position_codes", **RUN, layer="steps").shape == (20, 2)


def test_where_the_maxima_are_is_said_by_row_of_instances_and_test_cases(serve, logdir):
    server = serve(logdir)
    ids = server.json("instances", **RUN)["id"]
    found = server.array("position_maxima", **RUN, layer="steps")
    places = VALUES.argmax(axis=1)
    assert found.dtype == np.dtype("<u2")
    assert_array_equal(found, places[[*(IDS.index(one) for one in ids[:4]), 0]])


def test_nothing_is_known_of_a_dense_layer_and_of_old_files(serve, logdir):
    server = serve(logdir)
    for key, layer in ((RUN, "dense"), ({**RUN, "run": "old/activis"}, "hidden")):
        found = server.json("positions", **key, layer=layer)
        assert (found["kind"], found["rows"], found["starts"], found["texts"]) == ("", [], [], [])
        assert server.array("position_codes", **key, layer=layer).shape == (0, 2)
        assert server.array("position_maxima", **key, layer=layer).shape == (0, 2)


@pytest.mark.parametrize("route", ["positions", "position_codes", "position_maxima"])
@pytest.mark.parametrize(
    ("query", "code", "sentence"), [({"layer": "nothing"}, 404, "layer"), ({}, 400, "layer: got no such parameter")]
)
def test_what_is_not_there_is_said(serve, logdir, route, query, code, sentence):
    answer = serve(logdir).get(route, **RUN, **query)
    assert answer.status_code == code
    assert sentence in answer.text
