"""Every route answers with the values that were recorded, through both loaders."""

import sys

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict
from numpy.testing import assert_allclose, assert_array_equal

from activis_tb.model import STATISTIC_NAMES
from activis_tb.storage import activis_pb2 as pb
from tests.snapshots import column, make_snapshot, write_snapshot

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
JPEG = b"\xff\xd8\xff\xe0\x00\x01"
HIDDEN = [[0, 1, -2], [2, 3, 0], [4, np.nan, 1], [0, 0, 0.5]]
OUTPUT = [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [1, 0]]
KEY = {"run": "cnn/activis", "name": "validation", "step": 3}


def recording(**changes):
    options = {
        "labels": [0, 0, 1, 1],
        "classes": ["cat", "dog"],
        "scores": OUTPUT,
        "step": 3,
        "ids": ["a", "b", "c", "é"],
        "subsets": {"long": [True, False, True, False], "none": [False] * 4},
        "attributes": [
            column("length", "number", [1.5, None, np.inf, -2]),
            column("text", "text", ["one", "", None, "vier"]),
            column("topic", "category", [1, 0, None, 1], ["sports", "art"]),
            column("new", "boolean", [True, False, None, True]),
            column("photo", "image", [PNG, JPEG, None, b"<svg onload=alert(1)>"]),
        ],
    }
    return make_snapshot({"hidden": HIDDEN, "output": OUTPUT}, **{**options, **changes})


@pytest.fixture
def server(serve, tmp_path):
    write_snapshot(tmp_path / "logs", "cnn/activis", recording(), wall_time=1234.5)
    return serve(tmp_path / "logs", snapshots=1)


def outcome(entry):
    return entry["name"], entry["kind"], entry["count"], entry["correct"], entry["predicted_counts"]


def test_runs_lists_what_was_recorded(server):
    listing = server.json("runs")
    ParseDict(listing, pb.RunList())
    (run,) = listing["runs"]
    assert (run["run"], run["label"], listing["total_runs"], listing["warnings"]) == ("cnn/activis", "cnn", 1, [])
    (entry,) = run["snapshots"]
    assert (entry["name"], entry["step"], entry["wall_time"]) == ("validation", 3, 1234.5)
    assert (entry["classes"], entry["instances"], entry["sampled"], entry["stored"]) == (["cat", "dog"], 4, 4, 0)
    assert [(layer["name"], layer["neurons"], layer["signed"]) for layer in entry["layers"]] == [
        ("hidden", 3, True),
        ("output", 2, False),
    ]
    assert [outcome(subset) for subset in entry["subsets"]] == [
        ("cat", "class", 2, 2, [2, 0]),
        ("dog", "class", 2, 1, [1, 1]),
        ("long", "function", 2, 2, [1, 1]),
        ("none", "function", 0, 0, [0, 0]),
    ]
    assert [(one["name"], one["type"]) for one in entry["attributes"]] == [
        ("length", "number"),
        ("text", "text"),
        ("topic", "category"),
        ("new", "boolean"),
        ("photo", "image"),
    ]


def test_instances_are_the_columns_of_the_sample(server):
    columns = server.json("instances", **KEY)
    ParseDict(columns, pb.InstanceColumns())
    assert (columns["id"], columns["ids_given"]) == (["a", "b", "c", "é"], True)
    assert columns["index"] == [0, 1, 2, 3]
    assert (columns["label"], columns["predicted"]) == ([0, 0, 1, 1], [0, 0, 1, 0])
    assert columns["score"] == [0.75, 0.5, 0.75, 1]
    assert columns["scores"] == [0.75, 0.25, 0.5, 0.5, 0.25, 0.75, 1, 0]
    assert (columns["drawn"], columns["always"]) == ([True] * 4, [False] * 4)
    length, text, topic, new, photo = columns["attributes"]
    assert (length["numbers"], length["present"]) == ([1.5, 0, sys.float_info.max, -2], [True, False, True, True])
    assert length["texts"] == ["", "", "inf", ""]
    assert (text["texts"], text["present"]) == (["one", "", "", "vier"], [True, True, False, True])
    assert (topic["codes"], topic["categories"]) == ([1, 0, -1, 1], ["sports", "art"])
    assert (new["booleans"], new["present"]) == ([True, False, False, True], [True, True, False, True])
    assert photo == {**pb_defaults(), "name": "photo", "type": "image", "present": [True, True, False, True]}


def pb_defaults():
    return {"numbers": [], "booleans": [], "texts": [], "codes": [], "categories": [], "present": []}


def test_scores_are_those_of_all_rows_or_of_one(server):
    scores = server.array("scores", **KEY)
    assert scores.dtype == np.dtype("<f4")
    assert_array_equal(scores, OUTPUT)
    assert_array_equal(server.array("scores", **KEY, row=2), [[0.25, 0.75]])


def test_numbers_too_many_for_text_are_not_in_it(serve_slow, tmp_path):
    rows, classes = 401, 500
    scores = np.random.default_rng(0).random((rows, classes), np.float32)
    names = [f"class {position}" for position in range(classes)]
    snapshot = make_snapshot({"hidden": np.ones((rows, 1))}, labels=[0] * rows, classes=names, scores=scores, step=3)
    write_snapshot(tmp_path, "cnn/activis", snapshot)
    server = serve_slow(tmp_path)
    columns = server.json("instances", **KEY)
    assert (columns["scores"], len(columns["score"])) == ([], rows)
    (entry,) = server.json("runs")["runs"][0]["snapshots"]
    assert {len(subset["predicted_counts"]) for subset in entry["subsets"]} == {0}
    assert_array_equal(server.array("scores", **KEY), scores)


def test_image_answers_the_encoded_picture(server):
    picture = server.get("image", **KEY, attribute="photo", row=0)
    assert (picture.status_code, picture.mimetype, picture.data) == (200, "image/png", PNG)
    picture = server.get("image", **KEY, attribute="photo", row=1)
    assert (picture.mimetype, picture.data) == ("image/jpeg", JPEG)
    assert picture.headers["X-Content-Type-Options"] == "nosniff"


def test_a_picture_that_is_none_is_not_served(server):
    assert "expected a PNG, JPEG" in server.refused("image", 422, **KEY, attribute="photo", row=3)
    assert "no value of attribute 'photo' in row 2" in server.refused("image", 404, **KEY, attribute="photo", row=2)


def test_membership_is_the_mapping_of_the_sample(server):
    membership = server.array("membership", **KEY)
    assert membership.dtype == np.dtype("|u1")
    assert_array_equal(membership, [[1, 0, 1, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0]])


def test_activations_are_served_to_the_bit(server):
    activations = server.array("activations", **KEY, layer="hidden")
    assert activations.dtype == np.dtype("<f4")
    assert_array_equal(activations, np.array(HIDDEN, np.float32))


@pytest.mark.parametrize("statistic", STATISTIC_NAMES)
def test_statistics_equal_numpy_on_the_activations(server, statistic):
    served = server.array("statistics", **KEY, layer="hidden", statistic=statistic)
    assert served.dtype == np.dtype("<f4")
    members = [[0, 1], [2, 3], [0, 2]]
    for row, rows in enumerate(members):
        for neuron in range(3):
            values = np.array(HIDDEN)[rows, neuron]
            finite = values[np.isfinite(values)]
            expected = {
                "count": len(finite),
                "mean": finite.mean(),
                "std": finite.std(),
                "min": finite.min(),
                "max": finite.max(),
                "active": (finite > 0).mean(),
                "nonfinite": len(values) - len(finite),
            }
            assert_allclose(served[row, neuron], expected[statistic], rtol=1e-6)
    empty = 0 if statistic in {"count", "nonfinite"} else np.nan
    assert_array_equal(served[3], [empty] * 3)


def test_the_overall_mean_and_deviation_equal_numpy_over_all_instances(server):
    served = server.array("statistics", **KEY, layer="hidden", statistic="overall")
    assert (served.dtype, served.shape) == (np.dtype("<f8"), (2, 3))
    values = np.ma.masked_invalid(np.array(HIDDEN, np.float64))
    assert_allclose(served, [values.mean(axis=0), values.std(axis=0)], rtol=1e-6)


def test_head_answers_without_a_body(server):
    response = server.get("activations", verb="HEAD", **KEY, layer="hidden")
    assert (response.status_code, response.data) == (200, b"")
    assert int(response.headers["Content-Length"]) == len(server.get("activations", **KEY, layer="hidden").data)


def test_text_of_the_data_stays_text(serve, tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    snapshot = make_snapshot(
        {evil: [[1.0], [2.0]]},
        labels=[0, 1],
        name=evil,
        classes=[evil, "dog"],
        ids=[evil, "b"],
        subsets={f"{evil}2": [True, False]},
        attributes=[column(evil, "text", [evil, "x"])],
    )
    write_snapshot(tmp_path / "logs", "<b>run", snapshot)
    server = serve(tmp_path / "logs", snapshots=1)
    key = {"run": "<b>run", "name": evil, "step": 1}
    (run,) = server.json("runs")["runs"]
    assert (run["label"], run["snapshots"][0]["classes"][0]) == ("<b>run", evil)
    assert server.json("instances", **key)["attributes"][0]["texts"] == [evil, "x"]
    assert_array_equal(server.array("activations", **key, layer=evil), [[1], [2]])
    assert evil in server.refused("activations", 404, **{**key, "name": f"{evil}?"}, layer=evil)


def test_a_path_prefix_changes_nothing(serve, tmp_path):
    write_snapshot(tmp_path / "logs", "cnn/activis", recording())
    server = serve(tmp_path / "logs", snapshots=1, prefix="/pre/fix")
    assert_array_equal(server.array("activations", **KEY, layer="output"), np.array(OUTPUT, np.float32))
    assert server.get("index.js").status_code == 200
