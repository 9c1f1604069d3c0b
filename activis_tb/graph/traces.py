"""Function graphs out of a trace, and out of the library of a graph that does not call them."""

from itertools import islice

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import config_pb2, function_pb2, graph_pb2

from activis_tb.graph.functions import called_functions


def traced_graphs(run_metadata: bytes) -> list[bytes]:
    """Returns the graphs of the functions in a trace (`tf.summary.trace_export`), as they were before optimisation.

    They are serialised GraphDefs, the largest first, none of them twice; none where the trace is damaged.
    """
    try:
        message = config_pb2.RunMetadata.FromString(run_metadata)
    except DecodeError:
        return []
    graphs = [one.pre_optimization_graph for one in message.function_graphs if one.pre_optimization_graph.node]
    ordered = sorted(graphs, key=lambda graph: -len(graph.node))
    return list(dict.fromkeys(bytes(graph.SerializeToString(deterministic=True)) for graph in ordered))


def uncalled_functions(graph_def: bytes, most: int = 12) -> dict[str, bytes]:
    """Returns by name the first functions in a graph's library that nothing calls, each as a graph of its own.

    Each carries the whole library, so there are at most `most`.
    """
    try:
        message = graph_pb2.GraphDef.FromString(graph_def)
    except DecodeError:
        return {}
    bodies = [function.node_def for function in message.library.function]
    called = {name for nodes in (message.node, *bodies) for node in nodes for name in called_functions(node)}
    uncalled = {
        function.signature.name: function
        for function in message.library.function
        if function.signature.name not in called
    }
    return {name: _as_graph(function, message.library) for name, function in islice(uncalled.items(), most)}


def _as_graph(function: function_pb2.FunctionDef, library: function_pb2.FunctionDefLibrary) -> bytes:
    """Returns a graph that calls `function` on placeholders."""
    name = function.signature.name
    graph = graph_pb2.GraphDef(library=library)
    for argument in function.signature.input_arg:
        node = graph.node.add(name=argument.name, op="Placeholder")
        node.attr["dtype"].type = argument.type
    graph.node.add(name=name, op=name, input=[argument.name for argument in function.signature.input_arg])
    return bytes(graph.SerializeToString(deterministic=True))
