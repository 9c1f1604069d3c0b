"""What a graph consists of; the fields are those of `GraphNode` and `GraphEdge` on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NodeKind = Literal["operator", "tensor", "group"]


@dataclass(frozen=True)
class Node:
    """An operator, a tensor, or a group (a name scope) that holds others.

    Attributes:
        id: Unique in the graph. An operator's is its exact name, a tensor's its exact name with the output's number, a
            group's the scope with a slash at its end; a parameter's also names the operator that uses it.
        kind: What it is.
        name: Short name to show.
        full_name: Exact name in the source.
        parent: Id of the group it stands in; empty at the top.
        operator: An operator's type, e.g. `MatMul`; a group's kind of layer, e.g. `Conv1D`, empty where unknown.
        shape: A tensor's, -1 for an unknown axis; None where the rank is unknown.
        dtype: A tensor's, e.g. `float32`; empty where unknown.
        device: Where an operator was placed; empty where it was not.
        attributes: An operator's settings as text.
        layer: Key of the recorded layer that a tensor is; empty where it is not recorded.
        parameter: A tensor that is a variable or a constant; it has one consumer, each consumer has its own.
        repeats: A group's, where it holds so many blocks of one form, one after another; else 0.
        candidates: Keys of recorded layers that a tensor may be, where names leave it open; `layer` is then empty.
        auxiliary: A group that holds machinery of training and reporting, no part of the model.
    """

    id: str
    kind: NodeKind
    name: str
    full_name: str = ""
    parent: str = ""
    operator: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    device: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""
    parameter: bool = False
    repeats: int = 0
    candidates: tuple[str, ...] = ()
    auxiliary: bool = False


@dataclass(frozen=True)
class Edge:
    """From an operator to a tensor it makes, from a tensor to an operator that uses it, or a control edge.

    Attributes:
        source: Id of a node.
        target: Id of a node.
        control: The operator `target` waits for `source`, an operator or the tensor of an input; no data flows.
    """

    source: str
    target: str
    control: bool = False


@dataclass(frozen=True)
class Graph:
    """One hierarchical bipartite graph.

    Attributes:
        nodes: A group before what stands in it, else in the order of the source.
        edges: Each joins two nodes of `nodes`.
        digest: Of the GraphDef; empty where there was none.
        folded: By operation of the source that is no node of its own, the nodes that it is told at: the operator that
            uses a constant, the tensor that is passed on. None for an operation that nothing shown depends on.
        warnings: What could not be shown, as sentences.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    digest: str = ""
    folded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
