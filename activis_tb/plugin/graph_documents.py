"""Graphs as the JSON of the wire messages, written directly: a large graph as messages would take seconds."""

from collections.abc import Sequence
from typing import Any

from activis_tb import graph
from activis_tb.plugin.graph_sources import Source

Document = dict[str, Any]


def graph_document(built: graph.Graph, source: str, sources: Sequence[Document]) -> Document:
    """Returns the message `Graph` of `proto/activis.proto` as JSON."""
    return {
        "source": source,
        "sources": list(sources),
        "digest": built.digest,
        "nodes": [_node(node) for node in built.nodes],
        "edges": [{"source": edge.source, "target": edge.target, "control": edge.control} for edge in built.edges],
        "warnings": list(built.warnings),
    }


def source_document(identity: str, source: Source | None, layers: int = 0) -> Document:
    """Returns the message `GraphSource` as JSON; without a `source`, of the recorded layers alone."""
    if source is None:
        return {"id": identity, "kind": "layers", "label": "recorded layers", "run": "", "nodes": layers}
    return {
        "id": identity,
        "kind": source.kind,
        "label": source.label,
        "run": source.run,
        "nodes": len(source.operations.by_name),
    }


def _node(node: graph.Node) -> Document:
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "full_name": node.full_name,
        "parent": node.parent,
        "operator": node.operator,
        "shape": list(node.shape or ()),
        "has_shape": node.shape is not None,
        "dtype": node.dtype,
        "device": node.device,
        "attributes": dict(node.attributes),
        "layer": node.layer,
        "parameter": node.parameter,
        "repeats": node.repeats,
        "layer_candidates": list(node.candidates),
        "auxiliary": node.auxiliary,
    }
