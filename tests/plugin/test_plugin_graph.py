"""The graph of a run is the one its layers' tensors are in, wherever it was written."""

import pytest
from google.protobuf.json_format import ParseDict
from tensorboard.compat.proto import graph_pb2, node_def_pb2

from activis_tb.model import graph_digest
from activis_tb.storage import activis_pb2 as pb
from tests.snapshots import make_snapshot, write_graph, write_snapshot

RUN = "cnn/activis"


def graph_def(scope="net"):
    def node(name, operator, *inputs):
        return node_def_pb2.NodeDef(name=name, op=operator, input=inputs)

    nodes = [
        node("x", "Placeholder"),
        node(f"{scope}/hidden/MatMul", "MatMul", "x"),
        node(f"{scope}/hidden/Relu", "Relu", f"{scope}/hidden/MatMul"),
        node(f"{scope}/output/Softmax", "Softmax", f"{scope}/hidden/Relu"),
    ]
    return graph_pb2.GraphDef(node=nodes).SerializeToString()


def record(logdir, run=RUN, graph=b"", tensors=None, step=1, layers=("hidden",)):
    snapshot = make_snapshot(
        {layer: [[1.0, 2], [3, 4]] for layer in layers},
        labels=[0, 1],
        step=step,
        tensors=tensors,
        graph_digest=graph_digest(graph) if graph else "",
    )
    write_snapshot(logdir, run, snapshot)


def sources(graph):
    return [source["id"] for source in graph["sources"]]


def recorded(graph):
    return {node["layer"]: node["full_name"] for node in graph["nodes"] if node["layer"]}


@pytest.mark.parametrize("place", [RUN, "cnn", "cnn/train", "cnn/validation"])
def test_the_graph_of_the_digest_is_found_in_the_run_or_beside_it(serve, tmp_path, place):
    write_graph(tmp_path, place, graph_def())
    record(tmp_path, graph=graph_def(), tensors={"hidden": "net/hidden/Relu:0"})
    graph = serve(tmp_path, snapshots=1).json("graph", run=RUN)
    ParseDict(graph, pb.Graph())
    assert (graph["source"], sources(graph), graph["digest"]) == (
        "forward",
        ["forward", "layers"],
        graph_digest(graph_def()),
    )
    assert recorded(graph) == {"hidden": "net/hidden/Relu:0"}
    assert {node["operator"] for node in graph["nodes"]} >= {"MatMul", "Relu", "Softmax"}


def test_of_several_graphs_the_one_of_the_digest_is_taken(serve, tmp_path):
    write_graph(tmp_path, "cnn/train", graph_def("other"))
    write_graph(tmp_path, "cnn", graph_def("net"))
    record(tmp_path, graph=graph_def(), tensors={"hidden": "net/hidden/Relu:0"})
    graph = serve(tmp_path, snapshots=1).json("graph", run=RUN)
    assert recorded(graph) == {"hidden": "net/hidden/Relu:0"}


def test_in_a_graph_of_another_trace_layers_are_found_by_name(serve, tmp_path):
    write_graph(tmp_path, "cnn/train", graph_def("net_7"))
    record(tmp_path, graph=graph_def("net_3"), tensors={"hidden": "net_3/hidden/Relu:0"})
    graph = serve(tmp_path, snapshots=1).json("graph", run=RUN)
    assert recorded(graph) == {"hidden": "net_7/hidden/Relu:0"}


def test_without_a_graph_the_layers_are_listed_in_order(serve, tmp_path):
    record(tmp_path, layers=("concat", "hidden", "output"))
    graph = serve(tmp_path, snapshots=1).json("graph", run=RUN)
    assert (graph["source"], sources(graph), graph["digest"]) == ("layers", ["layers"], "")
    assert list(recorded(graph)) == ["concat", "hidden", "output"]


def test_a_graph_that_no_layer_is_in_is_shown_and_the_layers_can_be_chosen(serve_slow, tmp_path):
    write_graph(tmp_path, "cnn/train", graph_def())
    record(tmp_path, layers=("elsewhere",))
    server = serve_slow(tmp_path)
    graph = server.json("graph", run=RUN)
    assert (graph["source"], sources(graph), recorded(graph)) == ("run_graph", ["run_graph", "layers"], {})
    assert any("'elsewhere'" in warning for warning in graph["warnings"])
    assert recorded(server.json("graph", run=RUN, source="layers")) == {"elsewhere": "elsewhere"}


def test_layers_of_all_steps_are_marked(serve_slow, tmp_path):
    write_graph(tmp_path, RUN, graph_def())
    record(tmp_path, graph=graph_def(), tensors={"hidden": "net/hidden/Relu:0"}, step=1)
    record(tmp_path, graph=graph_def(), tensors={"output": "net/output/Softmax:0"}, step=2, layers=("output",))
    graph = serve_slow(tmp_path).json("graph", run=RUN)
    assert recorded(graph) == {"hidden": "net/hidden/Relu:0", "output": "net/output/Softmax:0"}


def test_a_graph_written_later_is_found(serve_slow, tmp_path):
    record(tmp_path, graph=graph_def(), tensors={"hidden": "net/hidden/Relu:0"})
    server = serve_slow(tmp_path)
    assert server.json("graph", run=RUN)["source"] == "layers"
    write_graph(tmp_path, "cnn/train", graph_def())
    server.reload()
    assert server.json("graph", run=RUN)["source"] == "forward"


def test_a_damaged_graph_still_answers(serve_slow, tmp_path):
    write_graph(tmp_path, RUN, b"\x0a\xff\xff")
    record(tmp_path)
    assert list(recorded(serve_slow(tmp_path).json("graph", run=RUN))) == ["hidden"]


def test_a_source_or_run_that_does_not_exist_is_named(serve_slow, tmp_path):
    record(tmp_path)
    server = serve_slow(tmp_path)
    assert server.refused("graph", 404, run=RUN, source="keras") == "There is no source 'keras'; there is 'layers'."
    assert server.refused("graph", 404, run="cnn") == (
        "There is no run with recordings 'cnn'. The route `runs` lists them."
    )
