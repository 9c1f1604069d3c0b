"""Small GraphDefs for tests, and ways to look at what became of them."""

from tensorboard.compat.proto import graph_pb2, node_def_pb2, tensor_shape_pb2, types_pb2
from tensorboard.util import tensor_util

from activis_tb.graph import Graph, Node

FLOAT, RESOURCE = types_pb2.DT_FLOAT, types_pb2.DT_RESOURCE


def node(name, op, *inputs, shape=None, dtype=FLOAT, text=""):
    """One NodeDef; `shape` is that of its single output."""
    message = node_def_pb2.NodeDef(name=name, op=op, input=inputs)
    message.attr["dtype" if op in {"Placeholder", "ReadVariableOp", "Const"} else "T"].type = dtype
    if shape is not None:
        dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in shape]
        message.attr["_output_shapes"].list.shape.add(dim=dims)
    if text:
        message.attr["_user_specified_name"].s = text.encode()
    return message


def constant(name, value):
    message = node_def_pb2.NodeDef(name=name, op="Const")
    message.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(value))
    message.attr["dtype"].type = message.attr["value"].tensor.dtype
    return message


def graph_def(*nodes):
    return graph_pb2.GraphDef(node=nodes).SerializeToString()


def variable(name, path, shape):
    """The two nodes by which a traced function reads a variable."""
    resource = node(f"{name}/resource", "Placeholder", dtype=RESOURCE, text=path)
    return resource, node(name, "ReadVariableOp", f"{name}/resource", shape=shape)


def dense(scope, source, kernel, activation="Relu"):
    """A dense layer of a model, as TensorFlow writes it into a function's graph."""
    units = (-1, kernel[1])
    layer = scope.split("/")[-1]
    return (
        *variable(f"{scope}/MatMul/ReadVariableOp", f"{layer}/kernel", kernel),
        node(f"{scope}/MatMul", "MatMul", source, f"{scope}/MatMul/ReadVariableOp", shape=units),
        *variable(f"{scope}/BiasAdd/ReadVariableOp", f"{layer}/bias", units[1:]),
        node(f"{scope}/BiasAdd", "BiasAdd", f"{scope}/MatMul", f"{scope}/BiasAdd/ReadVariableOp", shape=units),
        node(f"{scope}/{activation}", activation, f"{scope}/BiasAdd", shape=units),
    )


def two_layers():
    """tokens -> hidden -> output, in a model's scope, with the pass-through operations of a function around it."""
    return graph_def(
        node("x", "Placeholder", shape=(-1, 5)),
        *dense("net_1/hidden_1", "x", (5, 4)),
        *dense("net_1/output_1", "net_1/hidden_1/Relu", (4, 2), "Softmax"),
        node("NoOp", "NoOp", "^net_1/hidden_1/MatMul/ReadVariableOp"),
        node("Identity", "Identity", "net_1/output_1/Softmax", "^NoOp", shape=(-1, 2)),
        node("Identity_1", "Identity", "net_1/hidden_1/Relu", "^NoOp", shape=(-1, 4)),
    )


def by_id(graph: Graph) -> dict[str, Node]:
    found = {element.id: element for element in graph.nodes}
    assert len(found) == len(graph.nodes), "every id is there once"
    return found


def check_sound(graph: Graph) -> None:
    """What holds for every graph, however broken its source."""
    nodes = by_id(graph)
    for element in graph.nodes:
        assert element.parent == "" or nodes[element.parent].kind == "group", element
    for edge in graph.edges:
        kinds = (nodes[edge.source].kind, nodes[edge.target].kind)
        assert kinds in {("operator", "operator" if edge.control else "tensor"), ("tensor", "operator")}
    earlier = {""}
    for element in graph.nodes:
        assert element.parent in earlier, "a group before its content"
        earlier.add(element.id)


def collapsed(graph: Graph) -> set[tuple[str, str]]:
    """The edges between what is seen while all groups are closed, by name; parameters are left out."""
    nodes = by_id(graph)

    def seen(identity):
        return nodes[identity] if not nodes[identity].parent else seen(nodes[identity].parent)

    pairs = [(seen(edge.source), seen(edge.target)) for edge in graph.edges if not nodes[edge.source].parameter]
    return {(label(source), label(target)) for source, target in pairs if source != target}


def label(element: Node) -> str:
    return f"({element.name})" if element.kind == "tensor" else element.name
