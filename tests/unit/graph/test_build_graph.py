from activis_tb.graph import Edge, build_graph
from activis_tb.model import graph_digest
from tests.unit.graph.graphs import (
    by_id,
    check_sound,
    collapsed,
    constant,
    dense,
    graph_def,
    node,
    two_layers,
    variable,
)

RECORDED = {"hidden": "net_1/hidden_1/Relu:0", "output": "net_1/output_1/Softmax:0"}


def test_closed_groups_read_as_the_layers_of_the_model():
    graph = build_graph(two_layers(), RECORDED)
    check_sound(graph)
    assert collapsed(graph) == {
        ("(x)", "hidden"),
        ("hidden", "(hidden)"),
        ("(hidden)", "output"),
        ("output", "(output)"),
    }
    assert (graph.digest, graph.warnings) == (graph_digest(two_layers()), ())


def test_a_group_opens_to_its_operators_tensors_and_parameters():
    nodes = by_id(build_graph(two_layers(), RECORDED))
    inside = {(element.kind, element.name, element.operator, element.shape, element.parameter)
              for element in nodes.values() if element.parent == "net_1/hidden_1/"}  # fmt: skip
    assert inside == {
        ("operator", "MatMul", "MatMul", None, False),
        ("operator", "BiasAdd", "BiasAdd", None, False),
        ("operator", "Relu", "Relu", None, False),
        ("tensor", "MatMul", "", (-1, 4), False),
        ("tensor", "BiasAdd", "", (-1, 4), False),
        ("tensor", "kernel", "", (5, 4), True),
        ("tensor", "bias", "", (4,), True),
    }


def test_a_recorded_tensor_carries_its_layer_its_exact_name_its_shape_and_its_type():
    hidden = by_id(build_graph(two_layers(), RECORDED))["net_1/hidden_1/Relu:0"]
    assert (hidden.layer, hidden.name, hidden.full_name) == ("hidden", "hidden", "net_1/hidden_1/Relu:0")
    assert (hidden.shape, hidden.dtype, hidden.parent) == ((-1, 4), "float32", "")


def test_pass_through_operations_are_not_shown():
    names = {element.full_name for element in build_graph(two_layers(), RECORDED).nodes}
    assert not {name for name in names if "Identity" in name or "NoOp" in name or "resource" in name}
    assert "net_1" not in names


def test_a_parameter_stands_beside_each_operator_that_uses_it():
    shared = graph_def(
        node("x", "Placeholder", shape=(-1, 2)),
        *variable("net/kernel", "kernel", (2, 2)),
        node("net/a/MatMul", "MatMul", "x", "net/kernel", shape=(-1, 2)),
        node("net/b/MatMul", "MatMul", "net/a/MatMul", "net/kernel", shape=(-1, 2)),
    )
    graph = build_graph(shared, {})
    parameters = {element.id for element in graph.nodes if element.parameter}
    assert parameters == {"net/kernel:0@net/a/MatMul", "net/kernel:0@net/b/MatMul"}
    assert Edge("net/kernel:0@net/a/MatMul", "net/a/MatMul") in graph.edges


def test_a_reshaped_variable_is_one_parameter_with_the_shape_of_the_variable():
    convolution = graph_def(
        node("x", "Placeholder", shape=(-1, 9, 2)),
        *variable("conv/kernel/Read", "conv/kernel", (3, 2, 4)),
        constant("conv/dim", 0),
        node("conv/ExpandDims", "ExpandDims", "conv/kernel/Read", "conv/dim", shape=(1, 3, 2, 4)),
        node("conv/Conv2D", "Conv2D", "x", "conv/ExpandDims", shape=(-1, 7, 4)),
    )
    parameters = [element for element in build_graph(convolution, {}).nodes if element.parameter]
    assert [(element.full_name, element.shape) for element in parameters] == [("conv/kernel", (3, 2, 4))]


def test_axes_and_scalars_are_settings_of_the_operator_and_arrays_are_parameters():
    pooling = graph_def(
        node("x", "Placeholder", shape=(-1, 7, 2)),
        constant("axes", [1]),
        node("Max", "Max", "x", "axes", shape=(-1, 2)),
        constant("table", [[0.5, 2.0], [1.0, 1.0]]),
        node("MatMul", "MatMul", "Max", "table", shape=(-1, 2)),
    )
    nodes = by_id(build_graph(pooling, {}))
    assert nodes["Max"].attributes == {"axes": "[1]"}
    assert [element.id for element in nodes.values() if element.parameter] == ["table:0@MatMul"]


def test_shape_arithmetic_that_only_feeds_a_reshape_is_left_out():
    flatten = graph_def(
        node("x", "Placeholder", shape=(-1, 4, 3)),
        node("flat/Shape", "Shape", "x", shape=(3,)),
        constant("flat/begin", [0]),
        constant("flat/end", [1]),
        node("flat/slice", "StridedSlice", "flat/Shape", "flat/begin", "flat/end", "flat/end", shape=()),
        constant("flat/rest", 12),
        node("flat/Pack", "Pack", "flat/slice", "flat/rest", shape=(2,)),
        node("flat/Reshape", "Reshape", "x", "flat/Pack", shape=(-1, 12)),
    )
    graph = build_graph(flatten, {"flat": "flat/Reshape:0"})
    assert [element.id for element in graph.nodes] == ["flat/Reshape", "x:0", "flat/Reshape:0"]
    assert set(graph.edges) == {Edge("x:0", "flat/Reshape"), Edge("flat/Reshape", "flat/Reshape:0")}


def test_a_shape_that_is_computed_with_stays():
    counting = graph_def(
        node("x", "Placeholder", shape=(-1, 4)),
        node("Shape", "Shape", "x", shape=(2,)),
        node("Cast", "Cast", "Shape", shape=(2,)),
        node("Sqrt", "Sqrt", "Cast", shape=(2,)),
    )
    assert {"Shape", "Cast", "Sqrt"} <= by_id(build_graph(counting, {})).keys()


def test_what_is_recorded_is_never_folded():
    recorded = {"weights": "net_1/hidden_1/MatMul/ReadVariableOp:0", "logits": "net_1/output_1/BiasAdd:0"}
    nodes = by_id(build_graph(two_layers(), recorded))
    assert nodes["net_1/hidden_1/MatMul/ReadVariableOp:0"].layer == "weights"
    assert nodes["net_1/output_1/BiasAdd:0"].layer == "logits"


def test_two_layers_that_share_a_tensor_are_two_tensors_of_one_operator():
    graph = build_graph(two_layers(), {"hidden": "net_1/hidden_1/Relu:0", "dropout": "net_1/hidden_1/Relu:0"})
    check_sound(graph)
    recorded = [element for element in graph.nodes if element.layer]
    assert [(element.layer, element.full_name) for element in recorded] == [
        ("hidden", "net_1/hidden_1/Relu:0"),
        ("dropout", "net_1/hidden_1/Relu:0"),
    ]
    assert all(Edge("net_1/hidden_1/Relu", element.id) in graph.edges for element in recorded)


def test_a_scope_with_one_operator_is_that_operator():
    pool = graph_def(
        node("x", "Placeholder", shape=(-1, 7, 2)),
        constant("net/pool_1/Max/axis", 1),
        node("net/pool_1/Max", "Max", "x", "net/pool_1/Max/axis", shape=(-1, 2)),
        *dense("net/hidden_1", "net/pool_1/Max", (2, 2)),
    )
    nodes = by_id(build_graph(pool, {}))
    assert "net/pool_1/" not in nodes
    assert (nodes["net/pool_1/Max"].name, nodes["net/pool_1/Max"].parent) == ("pool", "")
    assert nodes["net/pool_1/Max:0"].name == "pool"


def test_a_tensor_stands_in_the_innermost_scope_that_holds_its_maker_and_its_users():
    blocks = graph_def(
        node("x", "Placeholder", shape=(-1, 2)),
        *dense("net/block/first", "x", (2, 2)),
        *dense("net/block/second", "net/block/first/Relu", (2, 2)),
        *dense("net/output", "net/block/second/Relu", (2, 2)),
    )
    nodes = by_id(build_graph(blocks, {}))
    assert nodes["net/block/first/Relu:0"].parent == "net/block/"
    assert nodes["net/block/second/Relu:0"].parent == ""
    assert nodes["net/block/first/"].parent == "net/block/"
    assert nodes["net/output/Relu:0"].parent == "", "what leaves the graph stands outside"


def test_numbers_of_a_trace_are_stripped_from_names_unless_two_neighbours_need_them():
    towers = graph_def(
        node("x", "Placeholder", shape=(-1, 2)),
        *dense("net/dense_1", "x", (2, 2)),
        *dense("net/dense_2", "net/dense_1/Relu", (2, 2)),
        *dense("net/output_1", "net/dense_2/Relu", (2, 2)),
    )
    names = {element.full_name: element.name for element in build_graph(towers, {}).nodes if element.kind == "group"}
    assert names == {"net/dense_1": "dense_1", "net/dense_2": "dense_2", "net/output_1": "output"}


def test_a_function_call_is_one_operator():
    call = node("call", "StatefulPartitionedCall", "x")
    call.attr["f"].func.name = "__inference_model_17"
    nodes = by_id(
        build_graph(graph_def(node("x", "Placeholder", shape=(-1, 2)), call, node("y", "Relu", "call:1")), {})
    )
    assert nodes["call"].operator == "StatefulPartitionedCall"
    assert nodes["call"].attributes["f"] == "__inference_model_17"
    assert nodes["call:1"].name == "call:1"


def test_a_control_dependency_joins_operators():
    waiting = graph_def(node("x", "Placeholder"), node("a", "Relu", "x"), node("b", "Relu", "x", "^a"))
    graph = build_graph(waiting, {})
    check_sound(graph)
    assert [edge for edge in graph.edges if edge.control] == [Edge("a", "b", control=True)]


def test_an_operator_may_wait_for_an_input_that_nothing_else_uses():
    inputs = [node("x", "Placeholder"), node("ready", "Placeholder")]
    graph = build_graph(graph_def(*inputs, node("a", "Relu", "x", "^ready", "^x")), {})
    check_sound(graph)
    assert {edge for edge in graph.edges if edge.control} == {
        Edge("ready:0", "a", control=True),
        Edge("x:0", "a", control=True),
    }


def test_an_unknown_rank_is_no_shape():
    ranks = node("x", "Placeholder")
    ranks.attr["_output_shapes"].list.shape.add(unknown_rank=True)
    assert by_id(build_graph(graph_def(ranks, node("a", "Relu", "x")), {}))["x:0"].shape is None
