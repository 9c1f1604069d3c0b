"""What a call of a function runs stands in its place."""

from google.protobuf import text_format
from tensorboard.compat.proto import function_pb2, graph_pb2, op_def_pb2, types_pb2

from activis_tb.graph import build_graph
from tests.data import TEST_DATA, needed
from tests.unit.graph.accounting import folded_operations
from tests.unit.graph.graphs import by_id, check_sound, collapsed, node


def function(name, arguments, results, *nodes):
    """A FunctionDef; `results` by name the inner tensor, e.g. `Relu:activations:0`."""
    signature = op_def_pb2.OpDef(name=name)
    signature.input_arg.extend(op_def_pb2.OpDef.ArgDef(name=one, type=types_pb2.DT_FLOAT) for one in arguments)
    signature.output_arg.extend(op_def_pb2.OpDef.ArgDef(name=one, type=types_pb2.DT_FLOAT) for one in results)
    return function_pb2.FunctionDef(signature=signature, node_def=nodes, ret=results)


def call(name, called, *inputs, op="PartitionedCall", key="f"):
    made = node(name, op, *inputs)
    made.attr[key].func.name = called
    return made


def graph_of(nodes, functions):
    message = graph_pb2.GraphDef(node=nodes)
    message.library.function.extend(functions)
    return message.SerializeToString()


TWICE = function("__inference_twice_7", ["a"], {"out": "add:z:0"}, node("add", "AddV2", "a", "a"))


def flow(graph):
    return {(edge.source, edge.target) for edge in graph.edges if not edge.control}


def test_a_call_is_a_group_of_what_it_runs_named_as_the_function():
    name = "__inference_twice_7"
    body = function(name, ["a"], {"out": "Neg:y:0"}, node("add", "AddV2", "a", "a"), node("Neg", "Neg", "add:z:0"))
    nodes = [node("x", "Placeholder"), call("PartitionedCall", name, "x"), node("y", "Relu", "PartitionedCall")]
    source = graph_of(nodes, [body])
    graph = build_graph(source, {"doubled": "PartitionedCall:0"})
    check_sound(graph)
    inside = by_id(graph)["PartitionedCall/"]
    assert (inside.kind, inside.name) == ("group", "twice")
    assert collapsed(graph) == {("(x)", "twice"), ("twice", "(doubled)"), ("(doubled)", "y"), ("y", "(y)")}
    assert by_id(graph)["PartitionedCall/Neg:0"].layer == "doubled", "the call's tensor is what the function returns"
    assert graph.warnings == ()


def test_an_operator_of_the_library_is_a_call_too():
    graph = build_graph(graph_of([node("x", "Placeholder"), node("t", "__inference_twice_7", "x")], [TWICE]), {})
    assert flow(graph) == {("x:0", "t/add"), ("t/add", "t/add:0")}


def test_calls_in_calls_are_resolved():
    outer = function(
        "outer",
        ["a"],
        {"out": "second:output:0"},
        call("first", "__inference_twice_7", "a"),
        call("second", "__inference_twice_7", "first:output:0"),
    )
    graph = build_graph(graph_of([node("x", "Placeholder"), call("c", "outer", "x")], [outer, TWICE]), {})
    assert flow(graph) == {
        ("x:0", "c/first/add"),
        ("c/first/add", "c/first/add:0"),
        ("c/first/add:0", "c/second/add"),
        ("c/second/add", "c/second/add:0"),
    }


def test_outputs_that_functions_tell_by_name_find_their_position():
    body = function(
        "norm",
        ["a"],
        {"mean": "bn:batch_mean:0", "part": "split:output:1"},
        node("bn", "FusedBatchNormV3", "a"),
        node("split", "Split", "a"),
    )
    users = [node("u", "Relu", "c:0"), node("v", "Relu", "c:1")]
    graph = build_graph(graph_of([node("x", "Placeholder"), call("c", "norm", "x"), *users], [body]), {})
    assert {("c/bn:1", "u"), ("c/split:1", "v")} <= flow(graph)


def test_a_condition_ends_in_its_operator():
    branch = node("c", "StatelessIf", "p", "x")
    branch.attr["then_branch"].func.name = "__inference_twice_7"
    branch.attr["else_branch"].func.name = "same"
    same = function("same", ["a"], {"out": "Neg:y:0"}, node("Neg", "Neg", "a"))
    inputs = [node("p", "Placeholder"), node("x", "Placeholder")]
    graph = build_graph(graph_of([*inputs, branch, node("y", "Relu", "c")], [TWICE, same]), {})
    check_sound(graph)
    assert flow(graph) == {
        *{("p:0", "c"), ("x:0", "c/then_branch/add"), ("x:0", "c/else_branch/Neg")},
        *{("c/then_branch/add", "c/then_branch/add:0"), ("c/else_branch/Neg", "c/else_branch/Neg:0")},
        *{("c/then_branch/add:0", "c"), ("c/else_branch/Neg:0", "c"), ("c", "c:0"), ("c:0", "y"), ("y", "y:0")},
    }
    assert collapsed(graph) == {("(p)", "c"), ("(x)", "c"), ("c", "(c)"), ("(c)", "y"), ("y", "(y)")}


def test_a_loop_ends_in_its_operator_and_takes_what_its_body_does_not_use():
    loop = node("w", "While", "i", "x")
    loop.attr["cond"].func.name, loop.attr["body"].func.name = "goes_on", "step"
    goes_on = function("goes_on", ["i", "v"], {"go": "Less:z:0"}, node("Less", "Less", "i"))
    results = {"i": "next:z:0", "v": "rest:z:0"}
    step = function("step", ["i", "v"], results, node("next", "Neg", "i"), node("rest", "Abs", "i"))
    graph = build_graph(graph_of([node("i", "Placeholder"), node("x", "Placeholder"), loop], [goes_on, step]), {})
    assert {("i:0", "w/body/next"), ("w/body/next:0", "w"), ("w/cond/Less:0", "w"), ("x:0", "w")} <= flow(graph)


def test_a_function_that_calls_itself_stays_closed_and_says_so():
    endless = function("endless", ["a"], {"out": "again:output:0"}, call("again", "endless", "a"))
    graph = build_graph(graph_of([node("x", "Placeholder"), call("c", "endless", "x")], [endless]), {})
    check_sound(graph)
    assert by_id(graph)["c/again"].operator == "PartitionedCall"
    assert graph.warnings == ("1 calls call themselves and are shown closed: 'c/again'.",)


def test_calls_that_are_nested_without_measure_stay_closed_and_say_so():
    chain = [function(f"f{at}", ["a"], {"out": "n:o:0"}, call("n", f"f{at + 1}", "a")) for at in range(40)]
    graph = build_graph(graph_of([node("x", "Placeholder"), call("c", "f0", "x")], chain), {})
    check_sound(graph)
    (left,) = [element.id for element in graph.nodes if element.kind == "operator"]
    assert left == "c" + 24 * "/n"
    assert graph.warnings == (f"1 calls are nested more than 24 deep and are shown closed: {left!r}.",)


def test_what_waits_for_a_call_waits_for_its_results():
    source = graph_of(
        [node("x", "Placeholder"), call("c", "__inference_twice_7", "x"), node("y", "Relu", "x", "^c")], [TWICE]
    )
    assert [(edge.source, edge.target) for edge in build_graph(source, {}).edges if edge.control] == [("c/add", "y")]


def test_the_calls_of_a_foreign_graph_are_resolved():
    path = needed(TEST_DATA / "graphs" / "tf1_function_library" / "graph.pbtxt")
    message = text_format.Parse(path.read_text(encoding="utf-8"), graph_pb2.GraphDef())
    bodies = {one.signature.name: one.node_def for one in message.library.function}
    calls = [one for one in message.node if one.op in bodies]
    graph = build_graph(message.SerializeToString(), {})
    check_sound(graph)
    assert len(calls) == 6
    told = folded_operations(message, graph).keys() | {
        element.id for element in graph.nodes if element.kind == "operator"
    }
    expected = {f"{one.name}/{inner.name}" for one in calls for inner in bodies[one.op]}
    assert told == {one.name for one in message.node if one.op not in bodies} | expected
    assert not {element.operator for element in graph.nodes} & bodies.keys()
