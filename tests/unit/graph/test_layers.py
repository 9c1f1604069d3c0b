from activis_tb.graph import Edge, build_graph, layers_only, match_layers
from activis_tb.model import Layer
from tests.unit.graph.graphs import by_id, check_sound, dense, graph_def, node, two_layers


def test_layers_without_a_graph_are_chained_in_order():
    graph = layers_only(["concat", "hidden", "output"])
    check_sound(graph)
    assert graph.source == "layers"
    assert [element.layer for element in graph.nodes if element.kind == "tensor"] == ["concat", "hidden", "output"]
    between = "concat:0→hidden:0"
    assert graph.edges[:2] == (Edge("concat:0", between), Edge(between, "hidden:0"))
    assert len(graph.edges) == 4


def test_layers_without_a_graph_show_their_shape_and_type():
    (tensor,) = layers_only([Layer("conv", 8, (28, 28, 8), "bfloat16")]).nodes
    assert (tensor.shape, tensor.dtype, tensor.layer) == ((-1, 28, 28, 8), "bfloat16", "conv")


def test_no_layers_give_an_empty_graph():
    assert layers_only([]).nodes == ()


def test_a_layer_is_found_by_its_name_without_the_numbers_of_the_trace():
    tensors, warnings = match_layers(two_layers(), ["hidden", "output"])
    assert tensors == {"hidden": "net_1/hidden_1/Relu:0", "output": "net_1/output_1/Softmax:0"}
    assert warnings == ()


def test_an_exact_name_goes_before_one_without_its_number():
    source = graph_def(
        node("x", "Placeholder"), *dense("net/hidden", "x", (2, 2)), *dense("net/hidden_1", "net/hidden/Relu", (2, 2))
    )
    tensors, warnings = match_layers(source, ["hidden", "hidden_1"])
    assert tensors == {"hidden": "net/hidden/Relu:0", "hidden_1": "net/hidden_1/Relu:0"}
    assert warnings == ()


def test_a_name_that_fits_two_scopes_is_not_matched_and_says_so():
    source = graph_def(
        node("x", "Placeholder"), *dense("a/dense", "x", (2, 2)), *dense("b/dense", "a/dense/Relu", (2, 2))
    )
    tensors, warnings = match_layers(source, ["dense", "b/dense"])
    assert tensors == {"b/dense": "b/dense/Relu:0"}
    assert warnings == (
        "The recorded layer 'dense' is not marked in the graph: 2 scopes fit its name ('a/dense', 'b/dense').",
    )


def test_a_scope_that_several_tensors_leave_is_not_matched():
    source = graph_def(node("x", "Placeholder"), node("split/a", "Relu", "x"), node("split/b", "Tanh", "x"))
    tensors, warnings = match_layers(source, ["split"])
    assert tensors == {}
    assert warnings == ("The recorded layer 'split' is not marked in the graph: 2 tensors leave 'split'.",)


def test_an_unknown_layer_is_a_warning_that_the_graph_carries():
    tensors, warnings = match_layers(two_layers(), ["attention"])
    graph = build_graph(two_layers(), tensors, warnings)
    assert graph.warnings == ("The recorded layer 'attention' is not in the graph.",)
    assert "net_1/hidden_1/" in by_id(graph)
