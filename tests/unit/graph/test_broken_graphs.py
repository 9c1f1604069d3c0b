"""A damaged graph gives what can be shown, and says what could not; it never raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activis_tb.graph import build_graph
from tests.unit.graph.graphs import by_id, check_sound, constant, graph_def, node, two_layers


def test_an_empty_graph_is_empty_and_says_so():
    graph = build_graph(b"", {"hidden": "hidden/Relu:0"})
    assert (graph.nodes, graph.edges, graph.warnings) == ((), (), ("The graph is empty.",))


def test_bytes_that_are_no_graph_give_a_warning():
    graph = build_graph(b"\xff\xff not a graph", {})
    assert graph.nodes == ()
    assert graph.warnings == ("The graph cannot be read: its bytes are damaged or not a GraphDef.",)


def test_a_truncated_graph_gives_a_warning():
    assert "cannot be read" in build_graph(two_layers()[:-3], {}).warnings[0]


def test_a_missing_input_is_left_out_and_named():
    graph = build_graph(graph_def(node("x", "Placeholder"), node("sum", "AddV2", "x", "gone:1", "^gone_too")), {})
    check_sound(graph)
    assert [element.id for element in graph.nodes] == ["sum", "x:0", "sum:0"]
    assert graph.warnings == ("2 inputs are not in the graph and are left out: 'gone:1', '^gone_too'.",)


def test_of_operations_with_one_name_the_first_is_shown():
    graph = build_graph(graph_def(node("x", "Placeholder"), node("a", "Relu", "x"), node("a", "Tanh", "x")), {})
    check_sound(graph)
    assert by_id(graph)["a"].operator == "Relu"
    expected = "1 operation names are used more than once, and only the first of each is shown: 'a'."
    assert graph.warnings == (expected,)


@pytest.mark.parametrize("op", ["Relu", "Identity", "Reshape", "Shape"])
def test_a_cycle_is_shown_as_it_is(op):
    graph = build_graph(graph_def(node("Identity", op, "Identity_1"), node("Identity_1", op, "Identity")), {})
    check_sound(graph)
    assert {("Identity", "Identity:0"), ("Identity:0", "Identity_1"), ("Identity_1", "Identity_1:0"),
            ("Identity_1:0", "Identity")} == {(edge.source, edge.target) for edge in graph.edges}  # fmt: skip


def test_an_operation_that_feeds_itself_is_shown():
    graph = build_graph(graph_def(node("a", "Relu", "a")), {})
    check_sound(graph)
    assert len(graph.edges) == 2


def test_a_graph_of_constants_shows_them():
    graph = build_graph(graph_def(constant("a", 1.0), constant("b", [2.0])), {})
    check_sound(graph)
    assert {"a", "b", "a:0", "b:0"} == by_id(graph).keys()


def test_a_recorded_tensor_that_is_not_there_is_a_warning():
    graph = build_graph(two_layers(), {"hidden": "other/Relu:0"})
    assert graph.warnings == ("The recorded layer 'hidden' is not in the graph: there is no tensor 'other/Relu:0'.",)


NAMES = st.sampled_from(["a", "a/b", "a/b/c", "a/Identity", "Identity", "", "a/", "/", "x:0", "<b>"])
OPERATORS = st.sampled_from(
    ["Relu", "Identity", "Const", "Placeholder", "Shape", "Reshape", "NoOp", "ReadVariableOp", ""]
)
INPUTS = st.lists(st.builds(lambda control, name, end: f"{control}{name}{end}", st.sampled_from(["", "^"]), NAMES,
                            st.sampled_from(["", ":1", ":x", ":99999999999"])), max_size=3)  # fmt: skip


@settings(derandomize=True, max_examples=300)
@given(st.lists(st.tuples(NAMES, OPERATORS, INPUTS), max_size=8), NAMES)
def test_no_graph_of_any_form_gives_a_dangling_edge(nodes, recorded):
    source = graph_def(*(node(name, op, *inputs) for name, op, inputs in nodes))
    check_sound(build_graph(source, {"layer": f"{recorded}:0"}))


def test_names_of_markup_and_of_great_length_are_names_like_others():
    markup, long = "<img src=x onerror=alert(1)>", "n" * 10_000
    graph = build_graph(graph_def(node(markup, "Placeholder"), node(f"{long}/{long}", "Relu", markup)), {})
    check_sound(graph)
    assert {element.full_name for element in graph.nodes} == {f"{markup}:0", f"{long}/{long}", f"{long}/{long}:0"}


def test_a_long_chain_of_what_leads_nowhere_is_told_nowhere():
    chain = [
        node("x", "Placeholder"),
        *(node(f"n{at}/Identity", "Identity", f"n{at - 1}/Identity") for at in range(5000)),
    ]
    graph = build_graph(graph_def(*chain), {})
    check_sound(graph)
    assert graph.warnings == ("1 inputs are not in the graph and are left out: 'n-1/Identity'.",)
