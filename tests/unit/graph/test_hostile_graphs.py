"""Small graphs that would become large ones: what they may cost is bounded, and what is left out is said."""

import json
from typing import Any

import pytest
from tensorboard.compat.proto import graph_pb2

from activis_tb.graph import build_graph, keras_graph_def, uncalled_functions
from activis_tb.graph import functions as functions_module
from activis_tb.graph import keras_model as keras_model_module
from tests.unit.graph.graphs import check_sound, graph_def, node

Body = list[tuple[str, str, list[str]]]


def with_functions(nodes: Body, functions: dict[str, Body], identity: bool = False) -> bytes:
    """A graph with a library; with `identity`, every function returns its argument."""
    message = graph_pb2.GraphDef()
    for name, operator, inputs in nodes:
        message.node.add(name=name, op=operator, input=inputs)
    for name, body in functions.items():
        function = message.library.function.add()
        function.signature.name = name
        if identity:
            function.signature.input_arg.add(name="given")
            function.signature.output_arg.add(name="returned")
            function.ret["returned"] = "given"
        for inner, operator, inputs in body:
            function.node_def.add(name=inner, op=operator, input=inputs)
    return message.SerializeToString()


def test_a_chain_of_calls_that_return_their_argument_is_followed_to_its_beginning() -> None:
    chain: Body = [("x", "Placeholder", []), *((f"n{at}", "f", [f"n{at - 1}" if at else "x"]) for at in range(3_000))]
    graph = build_graph(with_functions([*chain, ("end", "Relu", ["n2999"])], {"f": []}, identity=True), {})
    check_sound(graph)
    assert ("x:0", "end") in {(edge.source, edge.target) for edge in graph.edges}


def test_calls_in_a_cycle_lead_nowhere() -> None:
    cycle: Body = [("a", "f", ["b"]), ("b", "f", ["c"]), ("c", "f", ["b"]), ("end", "Relu", ["a"])]
    graph = build_graph(with_functions(cycle, {"f": []}, identity=True), {})
    check_sound(graph)
    assert [edge for edge in graph.edges if edge.target == "end"] == []


def test_functions_without_operations_that_call_one_another_ever_more_often_are_not_followed_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(functions_module, "_MOST_OPERATIONS", 2_000)
    levels = 12
    functions: dict[str, Body] = {
        f"f{level}": [(f"c{at}", f"f{level + 1}", []) for at in range(200)] for level in range(levels)
    }
    graph = build_graph(with_functions([("x", "f0", [])], {**functions, f"f{levels}": []}), {})
    assert any("would make the graph larger than 2,000 operations" in warning for warning in graph.warnings)


def test_a_name_of_more_parts_than_models_have_is_left_out() -> None:
    deep = "/".join("a" * 1_000)
    graph = build_graph(graph_def(node(deep, "Relu"), node("b", "Relu", deep)), {})
    check_sound(graph)
    assert [one.id for one in graph.nodes] == ["b", "b:0"]
    assert any("have no proper name" in warning for warning in graph.warnings)


def test_of_many_functions_that_nothing_calls_the_first_are_offered() -> None:
    library = with_functions([], {f"f{at}": [("a", "Relu", [])] for at in range(100)})
    assert list(uncalled_functions(library)) == [f"f{at}" for at in range(12)]


def keras_model(*layers: dict[str, Any]) -> bytes:
    return json.dumps({"class_name": "Functional", "config": {"name": "model", "layers": list(layers)}}).encode()


def test_nested_models_that_are_called_ever_more_often_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_model_module, "_MOST_CALLS", 500)
    layer: dict[str, Any] = {"class_name": "Dense", "config": {"name": "dense"}}
    for level in range(8):
        inner = {"name": f"model_{level}", "layers": [layer]}
        layer = {"class_name": "Functional", "config": inner, "inbound_nodes": [[["x", 0, 0]]] * 50}
    assert keras_graph_def(keras_model(layer)) == b""


def test_json_that_is_nested_too_deeply_is_no_model() -> None:
    assert keras_graph_def(b"[" * 1_000_000) == b""
    assert keras_graph_def(b'{"config": ' * 50_000) == b""
    nested = json.loads("[" * 900 + "]" * 900)
    assert keras_graph_def(keras_model({"config": {"name": "a"}, "inbound_nodes": nested})) == b""
