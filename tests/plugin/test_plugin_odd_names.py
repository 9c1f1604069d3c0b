"""Runs and recordings of any name: one that the data server cannot serve is told, the others stay in reach."""

import os
import sys

import pytest
from numpy.testing import assert_array_equal
from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.compat.proto.event_pb2 import Event

from activis_tb.storage.events import write_event_file
from activis_tb.storage.metadata import is_served
from tests.plugin.server import Server, snapshots
from tests.snapshots import make_snapshot, write_graph, write_snapshot

ACTIVATIONS = [[0, 1], [2, 3]]
UNSERVED = ['lr={"a": 0.1}', "a\\b", "line\nbreak", "tab\there", "bell\x07", "\x1f"]
SERVED = [
    "a b",
    " lead",
    "trail ",
    "...dots",
    ".hidden",
    "-dash",
    "100%",
    "%2F",
    "%22",
    "a#b",
    "what?",
    "a&b=c;d+e",
    "it's",
    "<img src=x>",
    "delete\x7f",
    "next\x85line",
    "line\u2028separator",
    "\u202eright to left",
    "e\u0301 \u00e9",
    "日本語",
    "😀",
    "Case",
    "case",
    "$(touch x)`y`",
    "a" * 240,
]


def add(logdir, run, name="validation", layer="hidden"):
    write_snapshot(logdir, run, make_snapshot({layer: ACTIVATIONS}, labels=[0, 1], name=name, step=0))


@pytest.fixture
def odd(tmp_path):
    for number, name in enumerate(UNSERVED):
        add(tmp_path, name)
        add(tmp_path, f"named {number}", name)
    for number, name in enumerate(SERVED):
        add(tmp_path, name, layer=name)
        add(tmp_path, f"also named {number}", name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="no such folders there")
def test_every_name_that_can_be_served_is_and_the_others_are_told(serve, odd):
    server = serve(odd)
    expected = {(name, "validation") for name in SERVED}
    expected |= {(f"also named {number}", name) for number, name in enumerate(SERVED)}
    unserved = {(name, "validation") for name in UNSERVED}
    unserved |= {(f"named {number}", name) for number, name in enumerate(UNSERVED)}
    if server.loader == "slow":
        expected, unserved = expected | unserved, set()
    listing = server.wait(lambda answer: len(snapshots(answer)) == len(expected))
    assert {(run, name) for run, name, _ in snapshots(listing)} == expected
    assert len(listing["warnings"]) == len(unserved)
    for run, name in unserved:
        what = f"run {run!r}:" if not is_served(run) else f"recording {name!r} of run {run!r}:"
        (warning,) = (text for text in listing["warnings"] if what in text)
        assert "--load_fast=false" in warning
        sentence = server.refused("instances", 422, run=run, name=name, step=0)
        assert sentence == warning == server.refused("graph", 422, run=run)
    for run, name in expected:
        query = {"run": run, "name": name, "step": 0, "layer": run if run in SERVED else "hidden"}
        assert_array_equal(server.array("activations", **query), ACTIVATIONS)
        assert server.json("subset", run=run, name=name, step=0, condition="label = 'cat'")["count"] == 1
        assert server.json("graph", run=run)["source"] == "layers"


def test_one_warning_is_about_all_steps_of_a_run(serve, tmp_path):
    for step in range(20):
        snapshot = make_snapshot({"hidden": ACTIVATIONS}, labels=[0, 1], step=step)
        write_snapshot(tmp_path, 'a "quoted" run', snapshot)
    add(tmp_path, "fine")
    server = serve(tmp_path)
    listing = server.wait(lambda answer: ("fine", "validation", 0) in snapshots(answer))
    assert len(listing["warnings"]) == (1 if server.loader == "fast" else 0)


def test_a_graph_of_an_odd_name_does_not_take_the_others_away(serve, tmp_path):
    add(tmp_path, "run")
    write_graph(tmp_path, "run", b"")
    metadata = summary_pb2.SummaryMetadata(
        data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE,
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="graph_run_metadata_graph", content=b"1"),
    )
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)]),
        string_val=[b""],
    )
    value = summary_pb2.Summary.Value(tag='traced "twice"', metadata=metadata, tensor=tensor)
    write_event_file(tmp_path / "run", Event(wall_time=1, step=0, summary=summary_pb2.Summary(value=[value])))
    server = serve(tmp_path, snapshots=1)
    graph = server.json("graph", run="run")
    assert graph["source"] == "layers"
    ids = [source["id"] for source in graph["sources"]]
    warnings = [warning for one in ids for warning in server.json("graph", run="run", source=one)["warnings"]]
    assert any("--load_fast=false" in warning for warning in warnings) == (server.loader == "fast")


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="no such folders there")
def test_a_folder_whose_name_is_no_text_does_not_take_the_others_away(tmp_path):
    # TensorBoard's other loader reads nothing at all beside such a folder.
    add(tmp_path, "fine")
    os.rename(os.fsencode(tmp_path / "fine"), os.fsencode(tmp_path) + b"/caf\xe9")  # noqa: PTH104
    add(tmp_path, "fine")
    server = Server(tmp_path, "fast")
    listing = server.wait_for_snapshots(2)
    assert (sorted(run["run"] for run in listing["runs"]), listing["warnings"]) == (["caf\ufffd", "fine"], [])
    for run in listing["runs"]:
        query = {"name": "validation", "step": 0, "layer": "hidden", "run": run["run"]}
        assert_array_equal(server.array("activations", **query), ACTIVATIONS)
    server.close()
