from activis_tb.graph import Edge, build_graph, layers_only
from activis_tb.model import Layer
from tests.unit.graph.graphs import by_id, check_sound, dense, graph_def, node, two_layers


def test_layers_without_a_graph_are_chained_in_order():
    graph = layers_only(["concat", "hidden", "output"])
    check_sound(graph)
    assert [element.layer for element in graph.nodes if element.kind == "tensor"] == ["concat", "hidden", "output"]
    between = "concat:0→hidden:0"
    assert graph.edges[:2] == (Edge("concat:0", between), Edge(between, "hidden:0"))
    assert len(graph.edges) == 4


def test_layers_without_a_graph_show_their_shape_and_type():
    (tensor,) = layers_only([Layer("conv", 8, (28, 28, 8), "bfloat16")]).nodes
    assert (tensor.shape, tensor.dtype, tensor.layer) == ((-1, 28, 28, 8), "bfloat16", "conv")


def test_no_layers_give_an_empty_graph():
    assert layers_only([]).nodes == ()


def found(graph):
    return {element.layer: element.full_name for element in graph.nodes if element.layer}


def possible(graph):
    return {element.full_name: element.candidates for element in graph.nodes if element.candidates}


def test_a_layer_is_found_by_its_name_without_the_numbers_of_the_trace():
    graph = build_graph(two_layers(), {}, ["hidden", "output"])
    assert found(graph) == {"hidden": "net_1/hidden_1/Relu:0", "output": "net_1/output_1/Softmax:0"}
    assert graph.warnings == ()


def test_an_exact_name_goes_before_one_without_its_number():
    source = graph_def(
        node("x", "Placeholder"), *dense("net/hidden", "x", (2, 2)), *dense("net/hidden_1", "net/hidden/Relu", (2, 2))
    )
    graph = build_graph(source, {}, ["hidden", "hidden_1"])
    assert found(graph) == {"hidden": "net/hidden/Relu:0", "hidden_1": "net/hidden_1/Relu:0"}
    assert graph.warnings == ()


def test_a_name_that_fits_two_scopes_marks_both_as_possible_and_says_so():
    source = graph_def(
        node("x", "Placeholder"), *dense("a/dense", "x", (2, 2)), *dense("b/dense", "a/dense/Relu", (2, 2))
    )
    graph = build_graph(source, {}, ["dense", "b/dense"])
    assert found(graph) == {"b/dense": "b/dense/Relu:0"}
    assert possible(graph) == {"a/dense/Relu:0": ("dense",)}
    assert graph.warnings == (
        "The recorded layer 'dense' may be any of 2 scopes that fit its name ('a/dense', 'b/dense').",
    )


def test_where_several_tensors_leave_a_scope_each_may_be_the_layer():
    source = graph_def(node("x", "Placeholder"), node("split/a", "Relu", "x"), node("split/b", "Tanh", "x"))
    graph = build_graph(source, {}, ["split"])
    assert (found(graph), possible(graph)) == ({}, {"split/a:0": ("split",), "split/b:0": ("split",)})
    assert graph.warnings == ("The recorded layer 'split' may be any of 2 tensors that leave 'split'.",)


def test_gradients_of_a_layer_are_not_taken_for_it():
    source = graph_def(
        node("x", "Placeholder"),
        *dense("net/hidden", "x", (2, 2)),
        node("gradients/net/hidden/Relu_grad/ReluGrad", "ReluGrad", "net/hidden/Relu", "net/hidden/BiasAdd"),
        node("Adam/net/hidden/update", "ApplyAdam", "gradients/net/hidden/Relu_grad/ReluGrad"),
    )
    assert found(build_graph(source, {}, ["hidden"])) == {"hidden": "net/hidden/Relu:0"}


def test_an_unknown_layer_is_a_warning_that_the_graph_carries():
    graph = build_graph(two_layers(), {}, ["attention"])
    assert graph.warnings == ("The recorded layer 'attention' is not in the graph.",)
    assert "net_1/hidden_1/" in by_id(graph)
