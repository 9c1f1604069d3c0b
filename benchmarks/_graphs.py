"""Graphs to measure with, as runs of a log directory: layered ones of any size, and those of other people."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _runs import DATA, record
from google.protobuf import text_format
from tensorboard.compat.proto import graph_pb2, node_def_pb2, types_pb2

from activis_tb.storage.events import graph_event, write_event_file

SIZES = (100, 1_000, 5_000, 50_000)
LAYER = "output"
_ACTIVATIONS = ("Relu", "Tanh", "Elu", "Gelu", "Sigmoid", "Softplus", "Selu")
_PER_DENSE = 7
_PER_BLOCK = 3 * _PER_DENSE + 1
_BLOCKS_PER_STAGE = 12


def layered_graph(operations: int) -> graph_pb2.GraphDef:
    """Returns a graph of about so many operations: stages of blocks with a skip, each of three dense layers.

    Widths and activations differ from block to block, so that few of them are of one form.
    """
    graph = graph_pb2.GraphDef()
    graph.node.append(_node("x", "Placeholder", width=8))
    source, block = "x", 0
    while len(graph.node) + _PER_BLOCK + 1 <= max(operations, _PER_BLOCK + 2):
        stage = block // _BLOCKS_PER_STAGE
        scope = f"net/stage_{stage}/block_{block % _BLOCKS_PER_STAGE}"
        begun = source
        for part in range(3):
            graph.node.extend(_dense(f"{scope}/dense_{part}", source, 8 + stage, _ACTIVATIONS[(block + part) % 7]))
            source = graph.node[-1].name
        graph.node.append(_node(f"{scope}/add", "AddV2", begun, source, width=8 + stage))
        source, block = f"{scope}/add", block + 1
    graph.node.append(_node(f"net/{LAYER}", "Softmax", source, width=8))
    return graph


def foreign_graphs() -> dict[str, graph_pb2.GraphDef]:
    """Returns the graphs in the folder of test data by name; none where it is absent."""
    return {
        path.parent.name: text_format.Parse(path.read_text(encoding="utf-8"), graph_pb2.GraphDef())
        for path in sorted((DATA / "graphs").glob("*/graph.pbtxt"))
    }


def write_run(logdir: Path, graph: graph_pb2.GraphDef) -> None:
    """Writes the graph and a small recording of the layer `output` as the run `run`."""
    write_event_file(logdir / "run" / "train", graph_event(graph.SerializeToString(), 1.0))
    record(logdir, {LAYER: np.eye(8, dtype=np.float32)}, np.arange(8) % 2, classes=2)


def _dense(scope: str, source: str, width: int, activation: str) -> Iterator[node_def_pb2.NodeDef]:
    for part, operator in (("MatMul", "MatMul"), ("BiasAdd", "BiasAdd")):
        read = f"{scope}/{part}/ReadVariableOp"
        yield _node(f"{read}/resource", "Placeholder", dtype=types_pb2.DT_RESOURCE)
        yield _node(read, "ReadVariableOp", f"{read}/resource", width=width)
        yield _node(f"{scope}/{part}", operator, source, read, width=width)
        source = f"{scope}/{part}"
    yield _node(f"{scope}/{activation}", activation, source, width=width)


def _node(
    name: str, operator: str, *inputs: str, width: int = 0, dtype: int = types_pb2.DT_FLOAT
) -> node_def_pb2.NodeDef:
    node = node_def_pb2.NodeDef(name=name, op=operator, input=inputs)
    node.attr["dtype" if operator in {"Placeholder", "ReadVariableOp"} else "T"].type = dtype
    if width:
        shape = node.attr["_output_shapes"].list.shape.add()
        shape.dim.add(size=-1)
        shape.dim.add(size=width)
    return node
