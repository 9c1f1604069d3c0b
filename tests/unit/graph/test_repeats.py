"""Blocks of one form read as one, and no level holds more than can be read."""

from activis_tb.graph import build_graph
from tests.unit.graph.graphs import by_id, check_sound, collapsed, dense, graph_def, node


def chain(names, shapes=None, source="x"):
    """Dense layers one after another."""
    nodes = [node("x", "Placeholder", shape=(-1, 4))]
    for at, name in enumerate(names):
        nodes += dense(name, source, (4, 4) if shapes is None else shapes[at])
        source = f"{name}/Relu"
    return nodes


def children(graph, parent):
    return [element.name for element in graph.nodes if element.parent == parent and element.kind == "group"]


def test_twelve_layers_of_one_form_read_as_one_with_a_count():
    names = [f"net/layer_{at}" for at in range(12)]
    graph = build_graph(graph_def(*chain(names), *dense("net/out", f"{names[-1]}/Relu", (4, 2))), {})
    check_sound(graph)
    (folded,) = [element for element in graph.nodes if element.repeats]
    assert (folded.name, folded.repeats, folded.full_name) == ("layer", 12, "net/layer_0 … net/layer_11")
    assert children(graph, folded.id) == [f"layer_{at}" for at in range(12)]
    assert collapsed(graph) == {
        *{("(x)", "layer"), ("layer", "(layer_11)"), ("(layer_11)", "out"), ("out", "(out)")},
    }


def test_a_recorded_tensor_between_folded_blocks_is_found_inside_of_them():
    graph = build_graph(graph_def(*chain([f"net/layer_{at}" for at in range(5)])), {"third": "net/layer_2/Relu:0"})
    recorded = by_id(graph)["net/layer_2/Relu:0"]
    assert by_id(graph)[recorded.parent].repeats == 5
    assert recorded.layer == "third"


def test_blocks_of_another_shape_activation_or_name_are_not_folded_with_the_rest():
    shapes = [(4, 4), (4, 4), (4, 8), (8, 8), (8, 8), (8, 8)]
    graph = build_graph(graph_def(*chain([f"net/layer_{at}" for at in range(6)], shapes)), {})
    assert [element.repeats for element in graph.nodes if element.repeats] == [3]
    graph = build_graph(graph_def(*chain(["net/a_1", "net/a_2", "net/b_1"])), {})
    assert not any(element.repeats for element in graph.nodes)


def test_branches_side_by_side_are_no_chain():
    branches = [part for at in range(4) for part in dense(f"net/branch_{at}", "x", (4, 4))]
    joined = node("net/sum", "AddN", *(f"net/branch_{at}/Relu" for at in range(4)))
    graph = build_graph(graph_def(node("x", "Placeholder", shape=(-1, 4)), *branches, joined), {})
    assert not any(element.repeats for element in graph.nodes)


def test_a_sequence_of_single_operators_that_repeats_is_folded_where_it_would_crowd():
    nodes, source = [node("x", "Placeholder", shape=(-1, 4))], "x"
    for at in range(30):
        for operator in ("Relu", "Tanh", "Neg"):
            nodes.append(node(f"{operator}_{at}", operator, source, shape=(-1, 4)))
            source = f"{operator}_{at}"
    graph = build_graph(graph_def(*nodes), {})
    check_sound(graph)
    (folded,) = [element for element in graph.nodes if element.repeats]
    assert (folded.name, folded.repeats) == ("block", 30)
    assert collapsed(graph) == {("(x)", "block"), ("block", "(Neg_29)")}
    blocks = [element for element in graph.nodes if element.parent == folded.id and element.kind == "group"]
    inside = [element.operator for element in graph.nodes if element.parent == blocks[0].id and not element.shape]
    assert inside == ["Relu", "Tanh", "Neg"]


def test_a_crowded_level_is_divided_by_the_beginnings_of_its_names():
    """As in Keras' ResNets, whose layers have no scopes: conv2_block1_conv, conv2_block1_relu and so on."""
    nodes, source = [node("x", "Placeholder", shape=(-1, 4))], "x"
    for stage in range(2, 6):
        for block in range(1, 5):
            for part, operator in enumerate(("Conv2D", "BiasAdd", "Relu", "Conv2D", "Tanh", "Neg")):
                name = f"conv{stage}_block{block}_{part}"
                nodes.append(node(name, operator, source, shape=(-1, stage)))
                source = name
    graph = build_graph(graph_def(*nodes), {})
    check_sound(graph)
    assert children(graph, "") == ["conv2", "conv3", "conv4", "conv5"]
    assert max(levels(graph).values()) <= 80


def test_a_level_without_any_order_in_its_names_is_divided_by_the_flow():
    operators = ("Relu", "Tanh", "Neg", "Abs", "Sin", "Cos", "Exp")
    nodes, source = [node("x", "Placeholder", shape=(-1, 4))], "x"
    for at in range(300):
        name = f"{chr(97 + at * 7 % 26)}{chr(97 + at * 11 % 25)}{chr(97 + at % 23)}"
        nodes.append(node(name, operators[at * at % 7 * (at % 3) % 7], source, shape=(-1, at)))
        source = name
    graph = build_graph(graph_def(*nodes), {})
    check_sound(graph)
    assert children(graph, "")[:2] == ["1-20 of 300", "21-40 of 300"]
    assert max(levels(graph).values()) <= 80


def levels(graph):
    counts = {}
    for element in graph.nodes:
        if not element.parameter:
            counts[element.parent] = counts.get(element.parent, 0) + 1
    return counts
