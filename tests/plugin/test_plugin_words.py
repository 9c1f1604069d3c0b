"""Words of a layer over HTTP are the commonest tokens, with counts and means as a group-by of positions has them."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.analysis.projection import pca, tsne
from activis_tb.model import LayerSpec
from activis_tb.plugin.resources import words as words_module
from tests.plugin.server import read_array

RUN = {"run": "words/activis", "name": "validation", "step": 0}
RANDOM = np.random.default_rng(5)
VOCABULARY = [f"w{rank}" for rank in range(40)]
INSTANCES, LENGTH, NEURONS = 60, 12, 7
# The more often, the smaller its number; every fifth position is padding.
DRAWN = np.minimum(RANDOM.geometric(0.1, (INSTANCES, LENGTH)) - 1, len(VOCABULARY) - 1)
IS_WORD = np.arange(INSTANCES * LENGTH).reshape(INSTANCES, LENGTH) % 5 > 0
TEXTS = [
    [VOCABULARY[word] if is_word else None for word, is_word in zip(*row, strict=True)]
    for row in zip(DRAWN, IS_WORD, strict=True)
]
VALUES = RANDOM.normal(size=(INSTANCES, LENGTH, NEURONS)).astype(np.float32)
VALUES[3, 4, 2] = np.nan
LEAST = 3


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    labels = np.arange(INSTANCES) % 2
    layers = [LayerSpec("words", tokens=True), "dense"]
    with activis_tb.preprocess(logdir / "words", layers=layers, step=0, classes=["a", "b"], quiet=True) as snapshot:
        for rows in np.split(np.arange(INSTANCES), 4):
            snapshot.process(
                labels=labels[rows],
                scores=np.eye(2)[labels[rows]],
                activations={"words": VALUES[rows], "dense": VALUES[rows, 0]},
                tokens={"words": [TEXTS[row] for row in rows]},
            )
    return logdir


def groups() -> dict[str, np.ndarray]:
    """By word that comes often enough, the activations at its positions, float32 (positions, neurons)."""
    found = {word: VALUES[(np.array(TEXTS, object) == word) & IS_WORD] for word in VOCABULARY}
    return {word: values for word, values in found.items() if len(values) >= LEAST}


def test_counts_and_means_are_those_of_a_group_by(serve, logdir):
    server = serve(logdir)
    found = server.json("words", **RUN, layer="words")
    expected = groups()
    assert set(found["text"]) == set(expected)
    assert found["count"] == [len(expected[word]) for word in found["text"]]
    assert found["count"] == sorted(found["count"], reverse=True)
    assert (found["positions"], found["exact"]) == (int(IS_WORD.sum()), True)
    assert found["distinct"] == len(set(DRAWN[IS_WORD].tolist())) > len(expected)
    means = server.array("word_means", **RUN, layer="words")
    assert (means.dtype, means.shape) == (np.dtype("<f4"), (len(expected), NEURONS))
    oracle = [np.nanmean(expected[word].astype(np.float64), axis=0) for word in found["text"]]
    assert_allclose(means, oracle, rtol=1e-5, atol=1e-6)


def test_of_many_words_the_commonest_have_a_row(serve, logdir, monkeypatch):
    server = serve(logdir)
    everything = server.json("words", **RUN, layer="words")
    monkeypatch.setattr(words_module, "MOST_WORDS", 5)
    few = server.json("words", **RUN, layer="words")
    assert few["text"] == everything["text"][:5]
    assert few["distinct"] == everything["distinct"]
    assert server.array("word_means", **RUN, layer="words").shape == (5, NEURONS)
    monkeypatch.setattr(words_module, "_MOST_VALUES", 2 * NEURONS + 1)
    assert server.array("word_means", **RUN, layer="words").shape == (2, NEURONS)


def test_words_are_projected_as_instances_are(serve, logdir):
    server = serve(logdir)
    means = server.array("word_means", **RUN, layer="words")
    projected = server.array("projection", **RUN, layer="words", method="pca", of="words")
    assert_array_equal(projected, pca(means))
    while (answer := server.get("projection", **RUN, layer="words", method="tsne", of="words")).status_code == 202:
        time.sleep(0.02)
    assert_array_equal(read_array(answer), tsne(means))
    instances = server.array("projection", **RUN, layer="words", method="pca")
    assert instances.shape == (INSTANCES, 2)


@pytest.mark.parametrize(
    ("route", "query", "code", "sentence"),
    [
        ("words", {"layer": "dense"}, 400, "'dense', whose positions have no words"),
        ("word_means", {"layer": "dense"}, 400, "a layer with words"),
        ("projection", {"layer": "dense", "method": "pca", "of": "words"}, 400, "a layer with words"),
        ("projection", {"layer": "words", "method": "pca", "of": "letters"}, 400, "of: got"),
        ("words", {"layer": "nothing"}, 404, "layer"),
        ("words", {}, 400, "layer: got no such parameter"),
    ],
)
def test_what_has_no_words_is_said(serve, logdir, route, query, code, sentence):
    answer = serve(logdir).get(route, **RUN, **query)
    assert answer.status_code == code
    assert sentence in answer.text
