"""Nothing of a source gets lost: every operation and edge is shown, or told at what is shown."""

import pytest
from google.protobuf import text_format
from tensorboard.compat.proto import graph_pb2

from activis_tb.graph import build_graph
from tests.data import TEST_DATA, needed
from tests.unit.graph.accounting import check_accounted, folded_operations
from tests.unit.graph.graphs import constant, dense, graph_def, node, variable

FOREIGN = {
    "graphs/tb_demo_xla": 118,
    "graphs/tf1_pixellink_multigpu": 5348,
    "events/tf1_mnist_with_summaries": 364,
    "events/tf1_truncated": 837,
}


def in_sight(graph, parent=""):
    """What stands side by side while nothing is open, machinery apart."""
    return [node for node in graph.nodes if node.parent == parent and not node.parameter and not node.auxiliary]


@pytest.mark.parametrize("folder", FOREIGN)
def test_graphs_of_other_people_are_accounted_for(folder):
    path = next(needed(TEST_DATA / folder).glob("*.pbtxt"))
    message = text_format.Parse(path.read_text(encoding="utf-8"), graph_pb2.GraphDef())
    assert len(message.node) == FOREIGN[folder]
    graph = build_graph(message.SerializeToString(), {})
    check_accounted(message, graph)
    assert graph.warnings == ()
    assert len(in_sight(graph)) <= 80


def training_run():
    """A dense layer as TensorFlow 1 writes its training: variables, gradients, optimizer, saving, summaries, init."""
    return [
        node("x", "Placeholder", shape=(-1, 3)),
        node("y", "Placeholder", shape=(-1, 2)),
        node("dense/kernel", "VariableV2", shape=(3, 2)),
        node("dense/kernel/read", "Identity", "dense/kernel", shape=(3, 2)),
        constant("dense/kernel/Initializer/shape", [3, 2]),
        node("dense/kernel/Initializer/random", "RandomUniform", "dense/kernel/Initializer/shape", shape=(3, 2)),
        node("dense/kernel/Assign", "Assign", "dense/kernel", "dense/kernel/Initializer/random", shape=(3, 2)),
        node("dense/MatMul", "MatMul", "x", "dense/kernel/read", shape=(-1, 2)),
        node("dense/Relu", "Relu", "dense/MatMul", shape=(-1, 2)),
        node("loss/sub", "Sub", "dense/Relu", "y", shape=(-1, 2)),
        node("loss/square", "Square", "loss/sub", shape=(-1, 2)),
        node("gradients/square_grad/mul", "Mul", "loss/sub", "loss/square"),
        node("gradients/dense/Relu_grad/ReluGrad", "ReluGrad", "gradients/square_grad/mul", "dense/Relu"),
        node("gradients/dense/MatMul_grad/MatMul", "MatMul", "x", "gradients/dense/Relu_grad/ReluGrad"),
        constant("rate", 0.1),
        node("decay", "Neg", "rate"),
        node("clip", "ClipByValue", "gradients/dense/MatMul_grad/MatMul", "rate", "rate"),
        node("SGD/update", "ApplyGradientDescent", "dense/kernel", "decay", "clip"),
        node("train", "NoOp", "^SGD/update"),
        node("losses", "ScalarSummary", "rate", "loss/square"),
        node("save/SaveV2", "SaveV2", "rate", "dense/kernel"),
        constant("never/used", [1.0, 2.0]),
    ]


def test_a_training_run_is_accounted_for():
    message = graph_pb2.GraphDef(node=training_run())
    graph = build_graph(message.SerializeToString(), {})
    check_accounted(message, graph)
    folded = folded_operations(message, graph)
    assert folded["never/used"] == ()
    assert folded["dense/kernel/read"] == ("dense/kernel/read:0@dense/MatMul",)
    assert folded["x"] == ("x:0",)


def test_machinery_of_training_stands_apart_and_the_model_is_what_is_left():
    graph = build_graph(graph_def(*training_run()), {})
    groups = {element.id: element.name for element in graph.nodes if element.auxiliary}
    assert set(groups.values()) == {"gradients", "updates", "saving", "initialisation", "summaries"}
    assert all(element.parent == "" for element in graph.nodes if element.auxiliary)
    assert {element.name for element in in_sight(graph)} == {"dense", "loss", "x", "y"}
    inside = {element.id: groups[f"{element.parent.split('/')[0]}/"] for element in graph.nodes
              if element.kind == "operator" and element.parent.startswith("@")}  # fmt: skip
    assert inside == {
        "gradients/square_grad/mul": "gradients",
        "gradients/dense/Relu_grad/ReluGrad": "gradients",
        "gradients/dense/MatMul_grad/MatMul": "gradients",
        "clip": "gradients",
        "decay": "updates",
        "SGD/update": "updates",
        "train": "updates",
        "losses": "summaries",
        "save/SaveV2": "saving",
        "dense/kernel/Assign": "initialisation",
        "dense/kernel/Initializer/random": "initialisation",
    }


def test_what_a_recorded_tensor_depends_on_is_the_model_whatever_its_name():
    source = graph_def(
        node("x", "Placeholder", shape=(-1, 2)), *dense("momentum/hidden", "x", (2, 2)), *dense("out", "x", (2, 2))
    )
    named = {"hidden": "momentum/hidden/Relu:0"}
    assert [element.name for element in build_graph(source, {}).nodes if element.auxiliary] == ["updates"]
    assert [element.name for element in build_graph(source, named).nodes if element.auxiliary] == []


def test_tensors_of_the_model_stay_in_their_scopes_although_gradients_use_them():
    source = graph_def(
        node("x", "Placeholder", shape=(-1, 2)),
        *dense("net/hidden", "x", (2, 2)),
        *dense("net/output", "net/hidden/Relu", (2, 2)),
        node("gradients/a", "ReluGrad", "net/hidden/BiasAdd", "net/output/BiasAdd"),
    )
    graph = build_graph(source, {})
    assert {"net/hidden/BiasAdd:0": "net/hidden/", "net/output/BiasAdd:0": "net/output/"}.items() <= {
        element.id: element.parent for element in graph.nodes
    }.items()


def test_a_variable_is_a_parameter_of_what_reads_it_in_the_old_style_too():
    source = graph_def(
        node("x", "Placeholder", shape=(-1, 3)),
        node("w", "VariableV2", shape=(3, 2)),
        node("w/read", "Identity", "w", shape=(3, 2)),
        node("MatMul", "MatMul", "x", "w/read", shape=(-1, 2)),
    )
    (weights,) = [element for element in build_graph(source, {}).nodes if element.parameter]
    assert (weights.full_name, weights.shape, weights.id) == ("w", (3, 2), "w/read:0@MatMul")


def test_a_resource_variable_is_accounted_for_at_its_user():
    source = graph_def(
        node("x", "Placeholder"), *variable("net/read", "kernel", (2, 2)), node("net/MatMul", "MatMul", "x", "net/read")
    )
    folded = folded_operations(graph_pb2.GraphDef.FromString(source), build_graph(source, {}))
    assert folded["net/read/resource"] == ("net/read:0@net/MatMul",)
