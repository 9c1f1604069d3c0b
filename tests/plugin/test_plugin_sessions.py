"""Many snapshots, restarted recordings, damaged and foreign data: what is good is served, the rest is named."""

import shutil
import time
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.encoding import encode_snapshot
from activis_tb.storage.events import snapshot_event, write_event_file
from activis_tb.storage.metadata import SnapshotTag
from tests.plugin.server import snapshots
from tests.snapshots import make_snapshot, write_snapshot

RUN = "cnn/activis"
KEY = {"run": RUN, "name": "validation", "step": 1}


def record(logdir, layers, run=RUN, **options):
    rows = len(next(iter(layers.values())))
    snapshot = make_snapshot(layers, labels=[row % 2 for row in range(rows)], **options)
    write_snapshot(logdir, run, snapshot)
    return snapshot


def write_raw(logdir, blobs, step=1, session=1, version=1, tag=None, run=RUN):
    event = snapshot_event(SnapshotTag("validation", step, session), blobs, time.time())
    (value,) = event.summary.value
    value.tag = tag or value.tag
    value.metadata.plugin_data.content = pb.PluginData(version=version).SerializeToString()
    return write_event_file(logdir / run, event)


def test_steps_in_any_order_are_all_served(serve, tmp_path):
    steps = [5, 1, 40, *range(6, 40), 3, 2, 4]
    for step in steps:
        record(tmp_path, {"hidden": [[step], [step + 0.5]]}, step=step)
    server = serve(tmp_path, snapshots=40)
    assert snapshots(server.json("runs")) == [(RUN, "validation", step) for step in range(1, 41)]
    for step in steps:
        served = server.array("activations", **{**KEY, "step": step}, layer="hidden")
        assert_array_equal(served, [[step], [step + 0.5]])


def test_a_blob_is_read_once(serve, tmp_path, monkeypatch):
    record(tmp_path, {"hidden": [[1], [2]]})
    server = serve(tmp_path, snapshots=1)
    read = Mock(wraps=server.provider.read_blob)
    monkeypatch.setattr(server.provider, "read_blob", read)
    for route in ("activations", "activations", "projection"):
        assert server.get(route, **KEY, layer="hidden", method="pca").status_code == 200
    keys = [call.kwargs["blob_key"] for call in read.call_args_list]
    assert len(keys) == len(set(keys)) > 0


def test_runs_and_names_are_listed_in_order(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, run="b/activis", name="test")
    record(tmp_path, {"hidden": [[1], [2]]}, run="a/activis", name="test")
    record(tmp_path, {"hidden": [[1], [2]]}, run="a/activis", name="dev/sub", step=-2)
    server = serve(tmp_path, snapshots=3)
    assert snapshots(server.json("runs")) == [
        ("a/activis", "dev/sub", -2),
        ("a/activis", "test", 1),
        ("b/activis", "test", 1),
    ]


def test_the_newest_session_of_a_step_wins(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, session=20)
    record(tmp_path, {"hidden": [[3], [4]]}, session=30)
    record(tmp_path, {"hidden": [[5], [6]]}, session=10)
    server = serve(tmp_path, snapshots=1)
    server.wait(lambda _: server.array("activations", **KEY, layer="hidden")[0, 0] == 3)
    assert_array_equal(server.array("activations", **KEY, layer="hidden"), [[3], [4]])


def test_layers_of_an_older_session_are_joined_where_the_instances_agree(serve, tmp_path):
    record(tmp_path, {"concat": [[7], [8]], "hidden": [[1], [2]]}, session=10)
    record(tmp_path, {"hidden": [[3], [4]]}, session=20)
    server = serve(tmp_path)
    listing = server.wait(lambda runs: snapshots(runs) and len(runs["runs"][0]["snapshots"][0]["layers"]) == 2)
    (entry,) = listing["runs"][0]["snapshots"]
    assert [layer["name"] for layer in entry["layers"]] == ["hidden", "concat"]
    assert listing["warnings"] == []
    assert_array_equal(server.array("activations", **KEY, layer="hidden"), [[3], [4]])
    assert_array_equal(server.array("statistics", **KEY, layer="concat", statistic="mean"), [[7], [8]])


def test_layers_of_other_instances_are_not_joined(serve, tmp_path):
    record(tmp_path, {"concat": [[7], [8]]}, session=10, ids=["x", "y"])
    record(tmp_path, {"hidden": [[3], [4]]}, session=20, ids=["x", "z"])
    server = serve(tmp_path)
    listing = server.wait(lambda runs: runs["warnings"])
    assert [layer["name"] for layer in listing["runs"][0]["snapshots"][0]["layers"]] == ["hidden"]
    (warning,) = listing["warnings"]
    assert (
        "layers concat of an older session were left out: its sampled instances are not those of the newest" in warning
    )
    assert "there is 'hidden'" in server.refused("activations", 404, **KEY, layer="concat")


def test_layers_over_other_subsets_are_not_joined(serve_slow, tmp_path):
    record(tmp_path, {"concat": [[7], [8]]}, session=10, subsets={"long": [True, False]})
    record(tmp_path, {"hidden": [[3], [4]]}, session=20)
    listing = serve_slow(tmp_path).json("runs")
    assert "its subsets are not those of the newest" in listing["warnings"][0]


def test_a_session_that_appears_while_serving_changes_the_version(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, session=10)
    server = serve(tmp_path, snapshots=1)
    before = server.json("runs")["runs"][0]["snapshots"][0]["version"]
    assert server.json("runs")["runs"][0]["snapshots"][0]["version"] == before
    assert_array_equal(server.array("projection", **KEY, layer="hidden", method="pca"), np.zeros((2, 2)))
    record(tmp_path, {"hidden": [[1], [2], [9]]}, session=20)
    server.wait(lambda runs: runs["runs"][0]["snapshots"][0]["version"] != before)
    assert_array_equal(server.array("activations", **KEY, layer="hidden"), [[1], [2], [9]])
    assert server.array("projection", **KEY, layer="hidden", method="pca")[2, 0] == pytest.approx(5)


def test_a_damaged_snapshot_leaves_the_others_alone(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, step=1)
    write_raw(tmp_path, [b"\xff\xff not a manifest", b""], step=2)
    server = serve(tmp_path)
    listing = server.wait(lambda runs: runs["warnings"] and snapshots(runs))
    assert snapshots(listing) == [(RUN, "validation", 1)]
    assert listing["warnings"][0].startswith(
        f"snapshot validation/2 of run {RUN} (session 1) was left out: Cannot read"
    )
    assert "damaged or not ours" in server.refused("instances", 422, **{**KEY, "step": 2})


def test_a_truncated_file_leaves_the_others_alone(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, step=1)
    record(tmp_path, {"hidden": [[1], [2]]}, run="torn/activis", step=2)
    (torn,) = (tmp_path / "torn" / "activis").iterdir()
    torn.write_bytes(torn.read_bytes()[:-20])
    server = serve(tmp_path, snapshots=1)
    assert server.json("runs")["total_runs"] >= 1
    assert_array_equal(server.array("activations", **KEY, layer="hidden"), [[1], [2]])
    assert "there is 'cnn/activis'" in server.refused("instances", 404, **{**KEY, "run": "torn/activis", "step": 2})


def test_a_snapshot_of_a_newer_version_is_named_and_skipped(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, step=1)
    write_raw(tmp_path, [b"who knows"], step=2, version=9)
    server = serve(tmp_path)
    listing = server.wait(lambda runs: runs["warnings"] and snapshots(runs))
    assert snapshots(listing) == [(RUN, "validation", 1)]
    assert "has format version 9; this activis-tb reads up to version 2. Upgrade" in listing["warnings"][0]
    assert "Upgrade activis-tb" in server.refused("instances", 422, **{**KEY, "step": 2})


def test_an_older_good_session_stands_in_for_a_damaged_newer_one(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, session=10)
    write_raw(tmp_path, [b"\xff\xff"], session=20)
    server = serve(tmp_path)
    listing = server.wait(lambda runs: runs["warnings"] and snapshots(runs))
    assert "(session 20) was left out" in listing["warnings"][0]
    assert_array_equal(server.array("activations", **KEY, layer="hidden"), [[1], [2]])


def test_an_array_that_is_missing_or_too_short_is_refused_with_a_sentence(serve_slow, tmp_path):
    blobs = encode_snapshot(make_snapshot({"hidden": [[1], [2]]}, labels=[0, 1], session=1))
    write_raw(tmp_path, blobs[:1])
    write_raw(tmp_path, [blobs[0], *[blob[:-1] for blob in blobs[1:]]], step=1, session=1, run="short")
    server = serve_slow(tmp_path)
    assert "it ends after 1. Record the step again." in server.refused("activations", 422, **KEY, layer="hidden")
    assert "has 7 bytes" in server.refused("activations", 422, **{**KEY, "run": "short"}, layer="hidden")
    for route in ("instances", "membership"):
        server.refused(route, 422, **KEY)
        server.refused(route, 422, **{**KEY, "run": "short"})


@pytest.mark.parametrize(
    ("dtype", "sizes", "values"),
    [
        (types_pb2.DT_STRING, [], {"string_val": [b"a"]}),
        (types_pb2.DT_STRING, [5], {"string_val": [b"a", b"b"]}),
        (types_pb2.DT_STRING, [1, 2], {"string_val": [b"a", b"b"]}),
        (types_pb2.DT_FLOAT, [2], {"float_val": [1, 2]}),
    ],
    ids=["scalar", "lying shape", "rank 2", "numbers"],
)
def test_a_tensor_that_is_no_snapshot_leaves_the_others_alone(serve, tmp_path, dtype, sizes, values):
    record(tmp_path, {"hidden": [[1], [2]]})
    event = snapshot_event(SnapshotTag("validation", 7, 7), [b""], 1.0)
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in sizes])
    tensor = tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape, **values)
    event.summary.value[0].tensor.CopyFrom(tensor)
    write_event_file(tmp_path / "foreign", event)
    server = serve(tmp_path, snapshots=1)
    assert snapshots(server.json("runs")) == [(RUN, "validation", 1)]
    assert server.get("instances", run="foreign", name="validation", step=7).status_code in {404, 422}


def test_a_run_that_is_deleted_while_serving_is_gone_and_the_others_are_not(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]}, run="a/activis")
    record(tmp_path, {"hidden": [[3], [4]]}, run="b/activis")
    server = serve(tmp_path, snapshots=2)
    shutil.rmtree(tmp_path / "a")
    server.wait_for_snapshots(1)
    assert_array_equal(server.array("activations", **{**KEY, "run": "b/activis"}, layer="hidden"), [[3], [4]])
    server.refused("activations", 404, **{**KEY, "run": "a/activis"}, layer="hidden")


def test_a_foreign_tag_is_named_and_skipped(serve, tmp_path):
    record(tmp_path, {"hidden": [[1], [2]]})
    write_raw(tmp_path, [b"x"], tag="somebody/else", session=3)
    server = serve(tmp_path)
    listing = server.wait(lambda runs: runs["warnings"] and snapshots(runs))
    assert listing["warnings"] == [f"Tag somebody/else of run {RUN} is not a snapshot of activis-tb; it is left out."]


def test_the_users_scalars_of_the_same_run_stay_complete(serve, tmp_path):
    for step in range(30):
        record(tmp_path, {"hidden": [[1], [2]]}, step=step)
        value = summary_pb2.Summary.Value(tag="loss", simple_value=step / 4)
        event = event_pb2.Event(wall_time=step + 1, step=step, summary=summary_pb2.Summary(value=[value]))
        write_event_file(tmp_path / "cnn" / "train", event)
    server = serve(tmp_path, snapshots=30)
    query = {"run": "cnn/train", "tag": "loss"}
    answer = server.client.get("/data/plugin/scalars/scalars", query_string=query).get_json()
    assert [(step, value) for _, step, value in answer] == [(step, step / 4) for step in range(30)]
    assert server.json("runs")["total_runs"] == 2
    assert "cnn/train" not in [run["run"] for run in server.json("runs")["runs"]]


@pytest.mark.parametrize(
    ("runs", "labels"),
    [
        (["cnn/activis", "mlp"], ["cnn", "mlp"]),
        (["cnn", "cnn/activis"], ["cnn", "cnn/activis"]),
        (["activis"], ["logs"]),
        (["."], ["logs"]),
        (["a/b/activis"], ["a/b"]),
    ],
)
def test_a_run_is_labelled_by_what_the_user_called_it(serve_slow, tmp_path, runs, labels):
    for run in runs:
        record(tmp_path / "logs", {"hidden": [[1], [2]]}, run=run)
    assert [run["label"] for run in serve_slow(tmp_path / "logs").json("runs")["runs"]] == labels


def test_a_log_directory_without_recordings_has_no_runs(serve, tmp_path):
    server = serve(tmp_path)
    assert server.json("runs") == {"runs": [], "total_runs": 0, "warnings": [], "logdir": tmp_path.name}
