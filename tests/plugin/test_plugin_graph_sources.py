"""Whatever wrote a graph beside a recording, the tab can show it: every source is listed, the best is chosen."""

import json
import shutil

import pytest
from google.protobuf.json_format import ParseDict
from tensorboard.compat.proto import config_pb2, event_pb2, graph_pb2, summary_pb2
from tensorboard.util import tensor_util

from activis_tb.plugin.http import message_to_dict
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.events import write_event_file
from tests.data import TEST_DATA, needed
from tests.plugin.test_plugin_graph import RUN, graph_def, record, recorded
from tests.snapshots import write_graph
from tests.unit.graph.graphs import node


def write_summary(logdir, run, plugin, tag, content):
    """Writes what TensorFlow's summary ops write for TensorBoard's graph plugin."""
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor_util.make_tensor_proto(content))
    value.metadata.plugin_data.plugin_name = plugin
    value.metadata.plugin_data.content = b"1"
    event = event_pb2.Event(wall_time=2.0, step=0, summary=summary_pb2.Summary(value=[value]))
    write_event_file(logdir / run, event)


def write_trace(logdir, run, *graphs):
    message = config_pb2.RunMetadata()
    for content in graphs:
        message.function_graphs.add().pre_optimization_graph.CopyFrom(graph_pb2.GraphDef.FromString(content))
    write_summary(logdir, run, "graph_run_metadata_graph", "step", message.SerializeToString())


def training_step():
    message = graph_pb2.GraphDef.FromString(graph_def())
    message.node.append(node("gradients/Relu_grad", "ReluGrad", "net/hidden/Relu"))
    message.node.append(node("more", "Neg", "net/hidden/Relu"))
    return message.SerializeToString()


def write_keras(logdir, run, layers):
    entries = [{"class_name": "Dense", "config": {"name": name}} for name in layers]
    model = {"class_name": "Sequential", "config": {"name": "net", "layers": entries}}
    write_summary(logdir, run, "graph_keras_model", "keras", json.dumps(model).encode())


def listed(graph):
    return [(source["id"], source["kind"], source["run"], source["nodes"]) for source in graph["sources"]]


def test_every_source_is_listed_the_best_first_and_can_be_chosen(serve, tmp_path):
    write_keras(tmp_path, "cnn/train", ["hidden", "output"])
    write_trace(tmp_path, "cnn/train", graph_def(), training_step())
    write_graph(tmp_path, "cnn/validation", graph_def("other"))
    record(tmp_path, layers=("hidden", "output"))
    server = serve(tmp_path, snapshots=1)
    graph = server.json("graph", run=RUN)
    assert listed(graph) == [
        ("run_graph", "run_graph", "cnn/validation", 4),
        ("function", "function", "cnn/train", 4),
        ("keras", "keras", "cnn/train", 2),
        ("function:2", "function", "cnn/train", 6),
        ("layers", "layers", "", 2),
    ]
    assert [source["label"] for source in graph["sources"]] == [
        "run graph · cnn/validation",
        "traced function · cnn/train · step 2",
        "Keras model · cnn/train",
        "traced function · cnn/train · step 1",
        "recorded layers",
    ]
    assert recorded(graph) == {"hidden": "other/hidden/Relu:0", "output": "other/output/Softmax:0"}
    for source, names in {
        "function": {"hidden": "net/hidden/Relu:0", "output": "net/output/Softmax:0"},
        "keras": {"hidden": "net/hidden:0", "output": "net/output:0"},
        "layers": {"hidden": "hidden", "output": "output"},
    }.items():
        chosen = server.json("graph", run=RUN, source=source)
        assert (chosen["source"], recorded(chosen)) == (source, names)


def test_the_answer_is_the_wire_message_with_all_of_its_fields(serve_slow, tmp_path):
    write_graph(tmp_path, "cnn", training_step())
    record(tmp_path)
    graph = serve_slow(tmp_path).json("graph", run=RUN)
    assert message_to_dict(ParseDict(graph, pb.Graph())) == graph


def test_the_source_with_more_of_the_recorded_layers_is_better(serve_slow, tmp_path):
    write_graph(tmp_path, "cnn/train", graph_def())
    write_keras(tmp_path, "cnn/train", ["hidden", "attention"])
    record(tmp_path, layers=("hidden", "attention"))
    graph = serve_slow(tmp_path).json("graph", run=RUN)
    assert [source["id"] for source in graph["sources"]] == ["keras", "run_graph", "layers"]
    assert recorded(graph) == {"hidden": "net/hidden:0", "attention": "net/attention:0"}


def test_a_function_that_nothing_calls_is_a_source_of_its_own(serve_slow, tmp_path):
    message = graph_pb2.GraphDef(node=[node("start", "NoOp")])
    function = message.library.function.add()
    function.signature.name = "serve_17"
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    function.node_def.append(node("net/hidden/Relu", "Relu", "x"))
    function.ret["y"] = "net/hidden/Relu:activations:0"
    write_graph(tmp_path, "cnn", message.SerializeToString())
    record(tmp_path)
    graph = serve_slow(tmp_path).json("graph", run=RUN)
    assert (graph["source"], recorded(graph)) == ("function", {"hidden": "serve_17/net/hidden/Relu:0"})
    assert graph["sources"][0]["label"] == "traced function · cnn · serve_17"


def test_a_layer_whose_place_is_left_open_has_candidates_and_no_place(serve_slow, tmp_path):
    message = graph_pb2.GraphDef(
        node=[
            node("x", "Placeholder"),
            node("a/hidden/Relu", "Relu", "x"),
            node("b/hidden/Relu", "Relu", "a/hidden/Relu"),
        ]
    )
    write_graph(tmp_path, "cnn", message.SerializeToString())
    record(tmp_path)
    graph = serve_slow(tmp_path).json("graph", run=RUN, source="run_graph")
    possible = [one["full_name"] for one in graph["nodes"] if one["layer_candidates"] == ["hidden"]]
    assert (possible, recorded(graph)) == (["a/hidden/Relu:0", "b/hidden/Relu:0"], {})
    assert "may be any of 2 scopes" in graph["warnings"][0]


def test_recorded_tensors_have_the_shape_that_was_recorded_where_the_graph_has_none(serve_slow, tmp_path):
    write_graph(tmp_path, "cnn", graph_def())
    record(tmp_path)
    (hidden,) = [one for one in serve_slow(tmp_path).json("graph", run=RUN)["nodes"] if one["layer"]]
    assert (hidden["shape"], hidden["has_shape"], hidden["dtype"]) == ([-1, 2], True, "float32")


def test_damaged_sources_are_listed_as_empty_and_do_no_harm(serve, tmp_path):
    write_graph(tmp_path, "cnn", b"\x0a\xff\xff")
    write_summary(tmp_path, "cnn", "graph_keras_model", "keras", b'{"config": [')
    write_summary(tmp_path, "cnn", "graph_run_metadata_graph", "step", b"\xff\xff\xff")
    record(tmp_path)
    server = serve(tmp_path, snapshots=1)
    graph = server.json("graph", run=RUN)
    assert (graph["source"], recorded(graph)) == ("layers", {"hidden": "hidden"})
    assert {source["id"]: source["nodes"] for source in graph["sources"]} == {"run_graph": 0, "keras": 0, "layers": 1}
    assert server.json("graph", run=RUN, source="keras")["warnings"][0] == "The graph is empty."


def test_after_a_restart_the_newer_graph_is_shown_and_the_other_is_named(serve_slow, tmp_path):
    write_graph(tmp_path, "cnn/train", graph_def("first"), wall_time=1.0)
    write_graph(tmp_path, "cnn", graph_def("second"), wall_time=2.0)
    record(tmp_path)
    graph = serve_slow(tmp_path).json("graph", run=RUN)
    assert listed(graph)[0][2] == "cnn"
    assert listed(graph)[1][2] == "cnn/train"


# Of the two graphs that the restart of tf1_truncated left, one loader keeps the last and the other the first.
FOREIGN = [
    (
        "tf2_keras_run_metadata_graph",
        ("dense", "dense_1"),
        "run_graph",
        {"run_graph": [18], "keras": [3], "function": [83]},
    ),
    ("tf2_keras_text_hparams_run8", ("relu_layer", "pool"), "keras", {"run_graph": [794], "keras": [4]}),
    ("tf1_mnist_with_summaries", ("layer1",), "run_graph", {"run_graph": [363]}),
    ("tf1_truncated", ("conv1", "softmax_linear"), "run_graph", {"run_graph": [837, 627]}),
]


@pytest.mark.parametrize(("name", "layers", "best", "sources"), FOREIGN, ids=[one[0] for one in FOREIGN])
def test_event_files_of_other_people_give_their_graphs(serve, tmp_path, name, layers, best, sources):
    folder = needed(TEST_DATA / "events" / name)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, copy_function=shutil.copyfile)
    record(tmp_path, run="activis", layers=layers)
    server = serve(tmp_path, snapshots=1)
    graph = server.json("graph", run="activis")
    assert {source["id"] for source in graph["sources"]} == {*sources, "layers"}
    assert all(source["nodes"] in sources[source["id"]] for source in graph["sources"][:-1])
    assert graph["source"] == best
    assert set(recorded(graph)) == set(layers)
