"""The card of a neuron over HTTP, of a sample, of everything sampled and of everything stored."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

import activis_tb
from activis_tb.model import LayerSpec
from tests.plugin.populations import CLASSES, HIDDEN, KEY, LABEL, PREDICTED, ROWS, SCORES, TEXT, record
from tests.snapshots import make_snapshot, write_snapshot

KINDS = {
    "everything": {"sample": ROWS},
    "stored": {"keep": "all", "sample": 60},
    "sample": {"sample": 60},
}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    for run, arguments in KINDS.items():
        record(logdir, run, layers=["hidden", "again"], attribute_types={"text": "text"}, **arguments)
    return logdir


def whole(server, run, neuron, layer="hidden", **key):
    query = {"run": f"{run}/activis", **KEY, **key, "layer": layer, "neuron": neuron}
    deadline = time.monotonic() + 30
    while (answer := server.get("neuron", **query)).status_code == 202:
        assert time.monotonic() < deadline
        assert answer.get_json()["exactness"] in {"exact", "estimate"}
        time.sleep(0.02)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def eta(values):
    finite = np.isfinite(values)
    pooled = values[finite].astype(np.float64)
    groups = [values[finite & (one == LABEL)].astype(np.float64) for one in range(3)]
    between = sum(len(group) * (group.mean() - pooled.mean()) ** 2 for group in groups)
    return between / ((pooled - pooled.mean()) ** 2).sum()


@pytest.mark.parametrize("run", list(KINDS))
@pytest.mark.parametrize("neuron", [0, 1, 2, 4])
def test_figures_over_all_instances_are_the_same_whatever_was_kept(serve_slow, logdir, run, neuron):
    card, values = whole(serve_slow(logdir), run, neuron), HIDDEN[:, neuron]
    finite = values[np.isfinite(values)].astype(np.float64)
    assert card["count"] == len(finite)
    assert card["nonfinite"] == ROWS - len(finite)
    found = [card[name] for name in ("mean", "std", "min", "max", "active")]
    assert_allclose(found, [finite.mean(), finite.std(), finite.min(), finite.max(), (finite > 0).mean()], rtol=1e-5)
    assert_allclose(card["eta_squared"], eta(values), rtol=1e-4)
    assert not card["dead"]
    assert [one["label"] for one in card["classes"]] == [0, 1, 2]
    for one in card["classes"]:
        own = values[np.isfinite(values) & (one["label"] == LABEL)].astype(np.float64)
        assert_allclose([one["mean"], one["std"], one["count"]], [own.mean(), own.std(), len(own)], rtol=1e-5)
        assert_allclose(sum(one["shares"]), 1)
    assert_allclose([card["edges"][0], card["edges"][-1]], [finite.min(), finite.max()])


@pytest.mark.parametrize("run", list(KINDS))
def test_the_auc_is_exact_within_its_bound_or_within_its_limits(serve_slow, logdir, run):
    card, values = whole(serve_slow(logdir), run, 2), HIDDEN[:, 2]
    finite = np.isfinite(values)
    exactness = {"everything": "exact", "stored": "bound", "sample": "estimate"}[run]
    assert card["exactness"] == exactness
    assert card["over"] == {"estimate": card["over"]}.get(exactness, np.count_nonzero(finite))
    assert card["total"] == ROWS
    aucs = [roc_auc_score(LABEL[finite] == one, values[finite]) for one in range(3)]
    for one, truth in zip(card["classes"], aucs, strict=True):
        assert one["auc_low"] <= truth + 1e-12
        assert one["auc_high"] >= truth - 1e-12
        assert abs(one["auc"] - truth) < {"exact": 1e-12, "bound": 0.01, "estimate": 0.2}[exactness]
    assert card["preferred"] == 2


def test_the_strongest_and_weakest_of_everything_stored_are_those_of_a_full_sort(serve_slow, logdir):
    card = whole(serve_slow(logdir), "stored", 0)
    order = np.argsort(-HIDDEN[:, 0], kind="stable")
    assert card["listed"] == ROWS
    assert 0 < card["bound"] < 0.02
    for name, expected in (("strongest", order[:20]), ("weakest", order[::-1][:20])):
        assert len(card[name]) == 20
        found = np.array([one["index"] for one in card[name]])
        assert_allclose(HIDDEN[found, 0], HIDDEN[expected, 0], atol=2 * card["bound"])
        for one in card[name]:
            at = one["index"]
            assert abs(one["value"] - HIDDEN[at, 0]) <= card["bound"]
            assert (one["id"], one["label"], one["predicted"]) == (str(at), LABEL[at], PREDICTED[at])
            assert one["text"] == ("" if one["row"] >= 0 else TEXT[at])
    assert {one["row"] >= 0 for one in card["strongest"]} == {True, False}


@pytest.mark.parametrize("neuron", [0, 1, 2])
def test_the_strongest_and_weakest_are_of_all_instances_whatever_was_sampled(serve_slow, logdir, neuron):
    server = serve_slow(logdir)
    card = whole(server, "sample", neuron)
    values = HIDDEN[:, neuron]
    assert card["listed"] == card["total"] == ROWS
    assert card["exactness"] == "estimate"
    finite = np.sort(values[np.isfinite(values)])
    largest, smallest = finite[::-1][:20], finite[:20]
    assert_allclose([one["value"] for one in card["strongest"]], largest[(largest > 0) | (finite[0] < 0)])
    assert_allclose([one["value"] for one in card["weakest"]], smallest[smallest < 0])
    ids = server.json("instances", run="sample/activis", **KEY)["id"]
    assert {one["row"] >= 0 for one in card["strongest"]} == {True, False}
    for one in (*card["strongest"], *card["weakest"]):
        row = int(one["index"])
        assert_allclose(values[row], one["value"])
        assert one["label"] == LABEL[row]
        assert one["row"] == (ids.index(one["id"]) if one["id"] in ids else -1)
        assert one["text"] == ("" if one["row"] >= 0 else TEXT[row])


def test_weights_to_the_outputs_are_those_that_were_recorded(serve_slow, logdir, tmp_path):
    generator = np.random.default_rng(2)
    hidden, weights = generator.normal(size=(30, 2)), generator.normal(size=(2, 12))
    classes = [f"class {one}" for one in range(12)]
    columns = {"labels": np.arange(30) % 12, "scores": hidden @ weights, "from_logits": True}
    arguments = {**KEY, "layers": ["hidden"], "classes": classes, "heads": [(weights, None)], "quiet": True}
    with activis_tb.preprocess(tmp_path / "run", **arguments) as recorder:
        recorder.process(**columns, activations={"hidden": hidden})
    card = whole(serve_slow(tmp_path), "run", 1)
    largest = np.sort(np.argsort(-np.abs(weights[1]))[:10])
    assert [one["label"] for one in card["weights"]] == largest.tolist()
    assert_allclose([one["weight"] for one in card["weights"]], weights[1, largest], rtol=1e-6)
    assert whole(serve_slow(logdir), "everything", 0)["weights"] == []


def test_a_single_output_speaks_for_both_classes(serve_slow, tmp_path):
    hidden, weights = np.random.default_rng(3).normal(size=(30, 2)), np.array([[1.5], [-0.5]])
    arguments = {**KEY, "layers": ["hidden"], "classes": ["no", "yes"], "heads": [(weights, None)], "quiet": True}
    with activis_tb.preprocess(tmp_path / "run", **arguments) as recorder:
        scores = (hidden @ weights).ravel()
        recorder.process(labels=np.arange(30) % 2, scores=scores, from_logits=True, activations={"hidden": hidden})
    card = whole(serve_slow(tmp_path), "run", 0)
    assert card["weights"] == [{"label": 0, "weight": -1.5}, {"label": 1, "weight": 1.5}]


def test_similar_neurons_are_the_largest_correlations_here_and_in_other_layers(serve_slow, logdir):
    server = serve_slow(logdir)
    card = whole(server, "everything", 0)
    finite = np.isfinite(HIDDEN).all(axis=1)
    values = HIDDEN[finite].astype(np.float64)
    r = {neuron: np.corrcoef(values[:, 0], values[:, neuron])[0, 1] for neuron in (1, 2, 4)}
    here = {one["neuron"]: one["r"] for one in card["similar"] if one["layer"] == "hidden"}
    elsewhere = {one["neuron"]: one["r"] for one in card["similar"] if one["layer"] == "again"}
    assert here.keys() == r.keys()
    assert_allclose([here[neuron] for neuron in r], list(r.values()), atol=1e-6)
    assert_allclose(elsewhere[0], 1, atol=1e-6)
    sizes = [abs(one["r"]) for one in card["similar"]]
    assert sizes == sorted(sizes, reverse=True)
    assert {one["over"] for one in card["similar"]} == {np.count_nonzero(finite)}
    assert card["similar"][0] == {
        "layer": "again",
        "neuron": 0,
        "r": card["similar"][0]["r"],
        "over": 342,
        "strongest": 2,
    }


def test_a_dead_neuron_is_said_to_be_dead_and_nothing_else(serve_slow, logdir):
    card = whole(serve_slow(logdir), "sample", 3)
    assert card["dead"]
    assert card["dead_since"] == 0
    assert "eta_squared" not in card
    assert card["preferred"] == -1
    assert card["edges"] == card["strongest"] == card["weakest"] == card["similar"] == []
    assert ["auc" in one or one["shares"] != [] for one in card["classes"]] == [False] * 3


def test_steps_have_the_means_of_all_instances_and_say_since_when_a_neuron_is_dead(serve_slow, tmp_path):
    layers = [[[1, 0], [2, 4]], [[0, 1], [0, 4]], [[0, 0], [0, 6]], [[5, 1], [0, 0]]]
    for step, layer in enumerate(layers):
        write_snapshot(tmp_path, "cnn/activis", make_snapshot({"hidden": layer}, [0, 1], step=step))
    write_snapshot(tmp_path, "cnn/activis", make_snapshot({"other": [[1], [2]]}, [0, 1], step=9))
    server = serve_slow(tmp_path)
    card = whole(server, "cnn", 0, step=2)
    assert [one["step"] for one in card["steps"]] == [0, 1, 2, 3]
    assert [one["means"] for one in card["steps"]] == [[1, 2], [0, 0], [0, 0], [5, 0]]
    assert [one["mean"] for one in card["steps"]] == [1.5, 0, 0, 2.5]
    assert [one["dead"] for one in card["steps"]] == [False, True, True, False]
    assert card["dead_since"] == 1
    assert "dead_since" not in whole(server, "cnn", 0, step=3)


def test_without_labels_there_is_one_row_and_nothing_about_classes(serve_slow, tmp_path):
    with activis_tb.preprocess(
        tmp_path / "bare", step=0, layers=["hidden"], classes=CLASSES, quiet=True, keep="all", sample=60
    ) as recorder:
        recorder.process(labels=None, scores=SCORES, activations={"hidden": HIDDEN})
    card = whole(serve_slow(tmp_path), "bare", 0)
    assert [one["label"] for one in card["classes"]] == [-1]
    assert "auc" not in card["classes"][0]
    assert "eta_squared" not in card
    assert card["preferred"] == -1
    assert [one["label"] for one in card["strongest"]] == [-1] * 20


def test_files_that_are_gone_are_said_and_the_sample_stands_in(serve_slow, tmp_path):
    record(tmp_path, "stored", keep="all", sample=60)
    for path in tmp_path.rglob("layer-000.u8"):
        path.unlink()
    card = whole(serve_slow(tmp_path), "stored", 0)
    assert card["exactness"] == "estimate"
    assert card["over"] == 60
    assert card["listed"] == ROWS
    assert "layer-000.u8" in card["note"]


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ({"neuron": 5}, 404, "There is no neuron of layer 'hidden' 5. Neurons are 0 to 4."),
        ({"neuron": -1}, 404, "Neurons are 0 to 4"),
        ({"neuron": "first"}, 400, "neuron: got 'first'; expected an integer"),
        ({}, 400, "neuron: got no such parameter"),
        ({"layer": "nothing", "neuron": 0}, 404, "There is no layer 'nothing'; there is 'hidden', 'again'"),
        ({"step": 7, "neuron": 0}, 404, "at step 7"),
    ],
)
def test_what_there_is_not_is_said(serve_slow, logdir, query, code, sentence):
    query = {"run": "sample/activis", **KEY, "layer": "hidden", **query}
    assert sentence in serve_slow(logdir).refused("neuron", code, **query)


def test_the_classes_that_a_neuron_tells_best_apart_stand_for_many(serve_slow, tmp_path):
    labels = np.repeat(np.arange(30), 6)
    values = np.where(labels == 17, 3, np.random.default_rng(0).random(len(labels)))[:, None]
    names = [f"c{one}" for one in range(30)]
    write_snapshot(tmp_path, "many/activis", make_snapshot({"hidden": values}, labels, classes=names))
    card = whole(serve_slow(tmp_path), "many", 0, step=1)
    assert len(card["classes"]) == 20
    assert card["classes_left_out"] == 10
    assert card["preferred"] == 17
    assert {one["label"] for one in card["classes"]} >= {17}
    assert len(card["steps"][0]["means"]) == 20


VOCABULARY = np.array(["city", "country", "capital", "what", "is", "the", "of", "rare"], object)


def test_words_are_those_of_a_group_by_of_every_position(serve_slow, tmp_path):
    generator = np.random.default_rng(4)
    tokens = VOCABULARY[generator.integers(0, 7, (90, 6))]
    tokens[3, 2] = tokens[7, 2] = "rare"
    conv = generator.gamma(2, 1, (90, 4, 3)).astype(np.float32)
    conv[:, :, 0] += 5 * np.isin(tokens[:, 1:5], ["city", "country", "capital"])
    conv[:, :, 2] = 0
    arguments = {"step": 0, "layers": [LayerSpec("conv", offset=1), "hidden"], "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path / "words", sample=20, **arguments) as recorder:
        for rows in np.split(np.arange(90), 3):
            recorder.process(
                labels=LABEL[rows],
                scores=SCORES[rows],
                ids=rows,
                activations={"conv": conv[rows], "hidden": HIDDEN[rows]},
                tokens={"conv": tokens[rows].tolist()},
            )
    server = serve_slow(tmp_path)
    card = whole(server, "words", 0, layer="conv")
    at, values = tokens[:, 1:5].ravel(), conv[:, :, 0].ravel()
    means = {word: values[at == word].astype(np.float64).mean() for word in VOCABULARY[:7]}
    expected = sorted(means, key=lambda word: -means[word])
    words = card["words"]
    assert [one["text"] for one in words["tokens"]] == expected
    assert set(expected[:3]) == {"city", "country", "capital"}
    assert_allclose([one["mean"] for one in words["tokens"]], [means[word] for word in expected], rtol=1e-5)
    assert [one["count"] for one in words["tokens"]] == [np.count_nonzero(at == word) for word in expected]
    assert (words["fewest"], words["rarer"], words["positions"], words["exact"]) == (3, 1, 360, True)
    instance, position = np.unravel_index(np.argsort(-values), (90, 4))
    windows = [tuple(tokens[row, place : place + 3]) for row, place in zip(instance, position, strict=True)]
    best = list(dict.fromkeys(windows))[:10]
    assert [(one["before"], one["token"], one["after"]) for one in words["spans"]] == best
    assert [(one["index"], one["position"]) for one in words["spans"][:1]] == [(instance[0], position[0] + 1)]
    ids = server.json("instances", run="words/activis", **KEY)["id"]
    assert all(ids[one["row"]] == one["id"] if one["row"] >= 0 else one["id"] not in ids for one in words["spans"])
    assert "words" not in whole(server, "words", 2, layer="conv")
    assert "words" not in whole(server, "words", 0)
