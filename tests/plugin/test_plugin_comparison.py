"""Two snapshots over HTTP: instances by id, classes by name, neurons by what they do."""

import time

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import silhouette_score

from activis_tb.plugin.cache import ArrayCache
from activis_tb.plugin.catalogue import Catalogue
from activis_tb.plugin.http import SnapshotKey
from activis_tb.plugin.jobs import Computations
from activis_tb.plugin.resources.comparisons import Comparisons, Pair
from activis_tb.plugin.resources.layers import Digests
from activis_tb.plugin.snapshots import Snapshots
from activis_tb.storage import activis_pb2 as pb
from tests.plugin.server import DEADLINE
from tests.snapshots import make_snapshot, write_snapshot

BASE = {"run": "a/activis", "name": "validation", "step": 1}
OTHER = {"other_run": "b/activis", "other_name": "validation", "other_step": 1}
ORDER = [2, 0, 3, 1]
ROWS, SHARED = 40, 30


def normal(seed, rows=ROWS, neurons=4):
    return np.random.default_rng(seed).normal(size=(rows, neurons)).astype(np.float32)


def scores_of(predicted, classes):
    return np.where(np.arange(classes) == np.asarray(predicted)[:, None], 0.9, 0.1 / max(classes - 1, 1))


def snapshot_a(**more):
    labels = [0, 1] * (ROWS // 2)
    predicted = [1 - label if row in {0, 1} else label for row, label in enumerate(labels)]
    activations = {"hidden": normal(0), "output": normal(5, neurons=2)}
    ids = [f"q{row}" for row in range(ROWS)]
    return make_snapshot(activations, labels, ids=ids, scores=scores_of(predicted, 2), **more)


def snapshot_b(**more):
    """The instances q39 to q10 and ten others, classes in another order, neurons in ORDER."""
    ids = [f"q{row}" for row in range(ROWS - 1, 9, -1)] + [f"other{row}" for row in range(10)]
    labels = [1 - int(id_[1:]) % 2 if id_.startswith("q") else 0 for id_ in ids]
    predicted = [2 if id_ == "q12" else label for id_, label in zip(ids, labels, strict=True)]
    hidden = np.concatenate([normal(0)[:9:-1][:, ORDER], normal(3, rows=10)])
    scores = scores_of(predicted, 3)
    return make_snapshot({"hidden": hidden}, labels, ids=ids, scores=scores, classes=["dog", "cat", "newt"], **more)


@pytest.fixture
def logdir(tmp_path):
    folder = tmp_path / "logs"
    write_snapshot(folder, "a/activis", snapshot_a())
    write_snapshot(folder, "b/activis", snapshot_b())
    return folder


def final(server, route, kind, **query):
    """Asks until the answer is final; returns it as a message."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answer = server.get(route, **query)
        assert answer.status_code in {200, 202}, answer.text
        message = ParseDict(answer.get_json(), kind())
        if answer.status_code == 200:
            assert answer.headers["Activis-Iteration"] == answer.headers["Activis-Iterations"]
            return message
        assert message == kind()
        time.sleep(0.02)
    raise TimeoutError(f"{route} did not end")


def in_both(server):
    """The instances in the samples of a and b: the row in a, the row in b."""
    snapshots = Snapshots(Catalogue(server.provider))
    base, other = (snapshots.get("", SnapshotKey(run, "validation", 1)) for run in ("a/activis", "b/activis"))
    return Comparisons(Computations(ArrayCache(None)), Digests()).common(Pair(base, other))


def test_instances_in_both_are_found_by_id(serve, logdir):
    rows = in_both(serve(logdir, snapshots=2))
    assert rows.dtype == np.dtype("<i4")
    assert_array_equal(rows, [[row, ROWS - 1 - row] for row in range(10, ROWS)])


def test_predictions_are_compared_by_the_names_of_the_classes(serve, logdir):
    found = serve(logdir, snapshots=2).json("agreement", **BASE, **OTHER)
    ParseDict(found, pb.Agreement())
    assert found == {
        "over": SHARED,
        "both_right": SHARED - 1,
        "only_base": 1,
        "only_other": 0,
        "both_wrong": 0,
        "same_prediction": SHARED - 1,
        "exactness": "sample",
        "note": "",
        "unlabelled": False,
        "sampled": SHARED,
        "both_right_rows": [row for row in range(10, ROWS) if row != 12],
        "only_base_rows": [12],
        "only_other_rows": [],
        "both_wrong_rows": [],
        "same_rows": [],
        "different_rows": [],
        "sampled_note": "",
    }


def test_a_run_compared_with_itself_agrees_exactly(serve_slow, logdir):
    itself = {"other_run": "a/activis", "other_name": "validation", "other_step": 1}
    server = serve_slow(logdir)
    found = server.json("agreement", **BASE, **itself)
    assert (found["both_wrong_rows"], found["same_prediction"], found["exactness"]) == ([0, 1], ROWS, "exact")
    assert (found["both_wrong"], found["over"], found["sampled"]) == (2, ROWS, ROWS)
    matching = final(server, "matching", pb.NeuronMatching, **BASE, **itself, layer="hidden", method="best")
    assert list(matching.partners) == [0, 1, 2, 3]
    assert (matching.median, matching.median_by_index) == (pytest.approx(1), pytest.approx(1))
    similarity = final(server, "similarity", pb.LayerSimilarity, **BASE, **itself)
    assert (list(similarity.layers), list(similarity.other_layers)) == (["hidden", "output"], ["hidden", "output"])
    cka = np.reshape(similarity.cka, (2, 2))
    assert_allclose(np.diag(cka), 1, rtol=1e-6)
    assert abs(cka[0, 1]) < 0.2
    picture = {**BASE, "layer": "hidden", "method": "pca"}
    onto = {"onto_run": "a/activis", "onto_name": "validation", "onto_step": 1}
    assert_allclose(server.array("projection", **picture, **onto), server.array("projection", **picture), atol=1e-5)


def test_neurons_are_matched_by_what_they_do_to_the_instances_in_both(serve, logdir):
    server = serve(logdir, snapshots=2)
    best = final(server, "matching", pb.NeuronMatching, **BASE, **OTHER, layer="hidden", method="best")
    assert list(best.partners) == np.argsort(ORDER).tolist()
    assert_allclose(best.correlations, 1, rtol=1e-6)
    assert (list(best.known), best.method, best.over) == ([True] * 4, "best", SHARED)
    assert (best.median, best.median_over) == (pytest.approx(1), 4)
    base = normal(0)[10:].astype(np.float64)
    direct = [np.corrcoef(base[:, neuron], base[:, ORDER[neuron]])[0, 1] for neuron in range(4)]
    assert (best.median_by_index, best.median_by_index_over) == (pytest.approx(np.median(direct)), 4)
    index = final(server, "matching", pb.NeuronMatching, **BASE, **OTHER, layer="hidden", method="index")
    assert (list(index.partners), index.method) == ([0, 1, 2, 3], "index")
    assert_allclose(index.correlations, direct, rtol=1e-6)
    assert index.median == best.median_by_index


def test_layers_of_other_names_and_widths_are_matched(serve_slow, logdir):
    names = {"layer": "output", "other_layer": "hidden"}
    found = final(serve_slow(logdir), "matching", pb.NeuronMatching, **BASE, **OTHER, **names, method="best")
    assert len(found.partners) == 2
    assert len(set(found.partners)) == 2
    assert min(found.partners) >= 0


def test_layers_are_compared_whatever_their_neurons_are(serve, logdir):
    server = serve(logdir, snapshots=2)
    found = final(server, "similarity", pb.LayerSimilarity, **BASE, **OTHER)
    assert (list(found.layers), list(found.other_layers)) == (["hidden", "output"], ["hidden"])
    assert found.cka[0] == pytest.approx(1, rel=1e-6)
    assert (list(found.known), list(found.over)) == ([True, True], [SHARED, SHARED])
    one = final(server, "similarity", pb.LayerSimilarity, **BASE, **OTHER, layer=["output"], other_layer=["hidden"])
    assert list(one.cka) == [found.cka[1]]


def test_a_projection_is_laid_onto_the_bases(serve, logdir):
    server = serve(logdir, snapshots=2)
    base = server.array("projection", **BASE, layer="hidden", method="pca")
    moved = server.array(
        "projection",
        **{key.removeprefix("other_"): value for key, value in OTHER.items()},
        **{
            key.replace("run", "onto_run").replace("name", "onto_name").replace("step", "onto_step"): value
            for key, value in BASE.items()
        },
        layer="hidden",
        method="pca",
    )
    rows = in_both(server)
    assert_allclose(moved[rows[:, 1]].mean(axis=0), base[rows[:, 0]].mean(axis=0), atol=1e-4)
    assert_allclose(np.linalg.norm(moved[rows[:, 1]]), np.linalg.norm(base[rows[:, 0]]), rtol=0.05)


def test_separation_is_scikit_learns_over_the_drawn_instances(serve, logdir):
    found = final(serve(logdir, snapshots=2), "separation", pb.LayerSeparation, **BASE, layer="hidden")
    label = np.array([0, 1] * (ROWS // 2))
    assert found.overall.silhouette == pytest.approx(silhouette_score(normal(0).astype(np.float64), label))
    assert (found.overall.silhouette_over, found.overall.purity_over, found.neighbours) == (ROWS, ROWS, 10)
    assert [one.silhouette_over for one in found.classes] == [ROWS / 2] * 2
    assert np.mean([one.silhouette for one in found.classes]) == pytest.approx(found.overall.silhouette)
    assert np.mean([one.purity for one in found.classes]) == pytest.approx(found.overall.purity)


def test_a_class_without_instances_has_no_separation(serve_slow, logdir):
    found = final(
        serve_slow(logdir), "separation", pb.LayerSeparation, run="b/activis", name="validation", step=1, layer="hidden"
    )
    newt = found.classes[2]
    assert (newt.silhouette, newt.silhouette_over, newt.purity, newt.purity_over) == (0, 0, 0, 0)


def test_what_cannot_be_compared_is_a_sentence(serve_slow, tmp_path):
    folder = tmp_path / "logs"
    write_snapshot(folder, "a/activis", snapshot_a())
    strangers = make_snapshot({"hidden": normal(1)}, [0, 1] * 20, ids=[f"x{row}" for row in range(ROWS)])
    write_snapshot(folder, "b/activis", strangers)
    server = serve_slow(folder)
    query = {**BASE, **OTHER, "layer": "hidden", "method": "best"}
    assert "have 0 sampled instances in common; expected at least 3" in server.refused("matching", 400, **query)
    assert "expected at least 4" in server.refused("similarity", 400, **BASE, **OTHER)
    assert in_both(server).shape == (0, 2)
    agreement = server.json("agreement", **BASE, **OTHER)
    assert (agreement["over"], agreement["both_right"], agreement["both_right_rows"]) == (0, 0, [])
    assert "no sampled instances in common; record the same data in both" in agreement["note"]
    assert agreement["sampled_note"] == agreement["note"]
    assert "no layer 'pool'" in server.refused("matching", 404, **{**query, "other_layer": "pool"})
    assert "no layer 'pool'" in server.refused("similarity", 404, **BASE, **OTHER, other_layer="pool")
    assert "no run with recordings 'c'" in server.refused("agreement", 404, **BASE, **{**OTHER, "other_run": "c"})
    assert "other_step: got 'x'; expected an integer" in server.refused(
        "agreement", 400, **BASE, **{**OTHER, "other_step": "x"}
    )
    assert "one of best, index" in server.refused("matching", 400, **{**query, "method": "worst"})


def test_instances_whose_classes_have_other_names_take_no_part(serve_slow, tmp_path):
    folder = tmp_path / "logs"
    activations, ids = {"hidden": normal(0, rows=4)}, list("abcd")
    write_snapshot(folder, "a/activis", make_snapshot(activations, [0, 1, 0, 1], ids=ids))
    write_snapshot(folder, "b/activis", make_snapshot(activations, [0, 1, 0, 1], ids=ids, classes=["cat", "wolf"]))
    found = serve_slow(folder).json("agreement", **BASE, **OTHER)
    assert (found["over"], found["both_right_rows"], found["exactness"]) == (2, [0, 2], "sample")
    assert (found["sampled"], found["both_right"]) == (2, 2)
    assert found["note"].startswith("2 of the 4 instances in both have true classes of different names")


def test_layers_too_wide_for_the_best_match_are_matched_by_index(serve_slow, tmp_path):
    folder = tmp_path / "logs"
    wide = normal(0, rows=4, neurons=4097)
    for run in ("a/activis", "b/activis"):
        write_snapshot(folder, run, make_snapshot({"hidden": wide}, [0, 1, 0, 1]))
    server = serve_slow(folder)
    text = server.refused("matching", 400, **BASE, **OTHER, layer="hidden", method="best")
    assert (
        "got best with a layer of 4,097; expected best with layers of at most 4,096 neurons. Use method=index." in text
    )
    found = final(server, "matching", pb.NeuronMatching, **BASE, **OTHER, layer="hidden", method="index")
    assert found.median == pytest.approx(1)
