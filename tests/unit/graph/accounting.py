"""An independent reading of a GraphDef, against which a built graph is held."""

from collections.abc import Iterable, Mapping

from activis_tb.graph import Graph
from tests.unit.graph.graphs import check_sound

INPUTS = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "_Arg", "_DeviceArg"}


def check_accounted(message, graph: Graph) -> None:
    """Every operation and every edge of `message`, which calls no functions, is told somewhere in `graph`.

    An operation that is told nowhere is used by none that is told somewhere.
    An edge into an operation that is shown ends there: it comes from the tensor of the operation it came from, from a
    parameter, or it is a setting. One into an operation that is folded is told where that operation is. Control edges
    between operators that are shown, and from inputs, whose tensors are shown, are control edges, and no others are.
    """
    check_sound(graph)
    nodes = {node.id: node for node in graph.nodes}
    names = {node.name for node in message.node}
    shown = names & {node.id for node in graph.nodes if node.kind == "operator"}
    assert names == shown | graph.folded.keys()
    assert all(place in nodes for places in graph.folded.values() for place in places)
    nowhere = {name for name, places in graph.folded.items() if not places}
    for node in message.node:
        assert node.name in nowhere or not nowhere.intersection(text.split(":")[0] for text in node.input), node.name
    into = _by_target(edge for edge in graph.edges if not edge.control)
    waiting = {(edge.source, edge.target) for edge in graph.edges if edge.control}
    expected_waiting = set()
    types = {node.name: node.op for node in message.node}
    for node in message.node:
        for text in node.input if node.name in shown else ():
            source = text.removeprefix("^").split(":")[0]
            if not text.startswith("^"):
                assert _is_told(source, node.name, graph.folded, into), f"{text} -> {node.name}"
            elif source in shown:
                expected_waiting.add((source, node.name))
            elif f"{source}:0" in nodes and types[source] in INPUTS:
                expected_waiting.add((f"{source}:0", node.name))
    assert waiting == expected_waiting


def _by_target(edges: Iterable) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in edges:
        found.setdefault(edge.target, set()).add(edge.source)
    return found


def _is_told(source: str, target: str, folded: Mapping[str, tuple[str, ...]], into: Mapping[str, set[str]]) -> bool:
    tensors = into.get(target, set())
    if source not in folded:
        return any(source in into.get(tensor, ()) for tensor in tensors)
    return bool(({target} | tensors).intersection(folded[source]))
