"""Tokens and positions of one neuron over HTTP are those that were recorded."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import activis_tb
from activis_tb.model import LayerSpec
from tests.snapshots import make_snapshot, write_snapshot

RUN = {"run": "words/activis", "name": "validation", "step": 0}
WORDS = [["what", "is", "a", "cab"], ["what", "a", "city", None], ["is", "it", "a", "cab"], ["what", None, None, None]]
VALUES = np.random.default_rng(3).normal(size=(4, 4, 2)).round(1).astype(np.float32)


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    layers = [LayerSpec("words", tokens="max"), "steps", "dense"]
    given = {"words": VALUES, "steps": VALUES, "dense": VALUES[:, 0]}
    arguments = {"layers": layers, "step": 0, "classes": ["a", "b"], "quiet": True}
    with activis_tb.preprocess(logdir / "words", **arguments) as snapshot:
        scores = np.eye(2)[[0, 1, 0, 1]]
        snapshot.examples(labels=[0], scores=scores[:1], activations={name: one[:1] for name, one in given.items()})
        tokens = {"words": WORDS}
        ids = ["p", "q", "r", "s"]
        snapshot.process(labels=[0, 1, 0, 1], scores=scores, activations=given, tokens=tokens, ids=ids)
    write_snapshot(logdir, "old/activis", make_snapshot({"hidden": [[0, 1], [2, 3]]}, [0, 1], step=0))
    return logdir


@pytest.mark.parametrize("neuron", [0, 1])
def test_a_neuron_has_its_words_and_its_strongest_positions(serve, logdir, neuron):
    server = serve(logdir)
    found = server.json("positions", **RUN, layer="words", neuron=neuron)
    assert found["kind"] == "tokens"
    words = {
        word: [
            VALUES[row, place, neuron] for row, texts in enumerate(WORDS) for place in range(4) if texts[place] == word
        ]
        for word in ("what", "a")
    }
    order = sorted(words, key=lambda word: -np.mean(words[word]))
    tokens = found["tokens"]
    assert tokens["text"] == order
    assert tokens["count"] == [len(words[word]) for word in order] == [3, 3]
    assert_allclose(tokens["mean"], [np.mean(words[word]) for word in order], rtol=1e-5)
    assert_allclose(tokens["max"], [np.max(words[word]) for word in order], rtol=1e-6)
    figures = {name: tokens[name] for name in ("positions", "distinct", "listed", "least", "exact")}
    assert figures == {"positions": 12, "distinct": 6, "listed": 2, "least": 3, "exact": True}
    ids = server.json("instances", **RUN)["id"]
    everything = sorted(
        (
            (VALUES[row, place, neuron], "pqrs"[row], place)
            for row in range(4)
            for place in range(4)
            if WORDS[row][place]
        ),
        reverse=True,
    )
    strongest = found["strongest"]
    assert_allclose([one["value"] for one in strongest], [value for value, _, _ in everything], rtol=1e-6)
    assert {(one["id"], one["position"]) for one in strongest} == {(one, place) for _, one, place in everything}
    for one in strongest:
        row = "pqrs".index(one["id"])
        assert ids[one["row"]] == one["id"]
        assert one["index"] == row
        assert one["texts"][3] == WORDS[row][one["position"]]
    assert (found["before"], found["after"]) == (0, 0)


def test_where_the_maxima_are_is_said_by_row_of_instances_and_test_cases(serve, logdir):
    server = serve(logdir)
    ids = server.json("instances", **RUN)["id"]
    for layer, kind in (("words", "tokens"), ("steps", "steps")):
        found = server.json("positions", **RUN, layer=layer, neuron=1)
        assert found["kind"] == kind
        places = VALUES[:, :, 1].argmax(axis=1)
        assert found["maxima"] == [*(places["pqrs".index(one)] for one in ids[:4]), places[0]]
    assert "tokens" not in found
    assert found["strongest"] == []


def test_nothing_is_known_of_a_dense_layer_and_of_old_files(serve, logdir):
    server = serve(logdir)
    for key, layer in ((RUN, "dense"), ({**RUN, "run": "old/activis"}, "hidden")):
        found = server.json("positions", **key, layer=layer, neuron=0)
        assert (found["kind"], found["strongest"], found["maxima"], "tokens" in found) == ("", [], [], False)


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ({"layer": "words", "neuron": 2}, 404, "Neurons are 0 to 1"),
        ({"layer": "words", "neuron": -1}, 404, "Neurons are 0 to 1"),
        ({"layer": "nothing", "neuron": 0}, 404, "layer"),
        ({"layer": "words"}, 400, "neuron: got no such parameter"),
    ],
)
def test_what_is_not_there_is_said(serve, logdir, query, code, sentence):
    answer = serve(logdir).get("positions", **RUN, **query)
    assert answer.status_code == code
    assert sentence in answer.text
