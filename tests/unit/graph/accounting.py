"""An independent reading of a GraphDef, against which a built graph is held."""

from collections.abc import Collection, Iterable, Mapping

from activis_tb.graph import Graph, Operations, parse_operations
from activis_tb.graph.building import parameter_id
from activis_tb.graph.graphdef import Output
from activis_tb.graph.simplify import Folding, fold
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
    folded = folded_operations(message, graph)
    assert names == shown | folded.keys()
    assert all(place in nodes for places in folded.values() for place in places)
    nowhere = {name for name, places in folded.items() if not places}
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
                assert _is_told(source, node.name, folded, into), f"{text} -> {node.name}"
            elif source in shown:
                expected_waiting.add((source, node.name))
            elif f"{source}:0" in nodes and types[source] in INPUTS:
                expected_waiting.add((f"{source}:0", node.name))
    assert waiting == expected_waiting


def folded_operations(message, graph: Graph) -> dict[str, tuple[str, ...]]:
    """Returns by operation of `message` that is no node of `graph`, the nodes that it is told at.

    They are the operator that uses a constant, the tensor that is passed on; none for an operation that nothing shown
    depends on. An input is told at its tensors, a variable or a constant at the parameter or the operator that it is a
    setting of, what passes a tensor on at the tensor, and the rest where whatever takes its results is.
    """
    operations = parse_operations(message.SerializeToString())
    recorded = {operations.output(node.id) for node in graph.nodes if node.layer or node.candidates}
    return _Told(operations, fold(operations, recorded), {node.id for node in graph.nodes}).find()


class _Told:
    def __init__(self, operations: Operations, folding: Folding, nodes: Collection[str]) -> None:
        self._operations = operations
        self._folding = folding
        self._nodes = nodes
        self._tensors: dict[str, list[str]] = {}
        for node in nodes:
            self._tensors.setdefault(node.partition(":")[0], []).append(node)
        self._beside = self._parameters()

    def find(self) -> dict[str, tuple[str, ...]]:
        told = {name: dict.fromkeys(self._directly(name)) for name in self._operations.by_name}
        inheriting = {name for name, found in told.items() if not found}
        pending = [name for name in told if name not in inheriting]
        while pending:
            name = pending.pop()
            for source in self._operations.by_name[name].inputs:
                if source is not None and source.operation in inheriting:
                    found = told[source.operation]
                    before = len(found)
                    found.update(told[name])
                    pending += [source.operation] if len(found) > before else []
        return {name: tuple(found) for name, found in told.items() if name not in self._nodes}

    def _directly(self, name: str) -> Iterable[str]:
        if name in self._nodes:
            return [name]
        if name in self._beside:
            return self._beside[name]
        if name in self._folding.kept and self._operations.by_name[name].type in INPUTS:
            return sorted(self._tensors.get(name, ()))
        origin = self._folding.sources.get(Output(name, 0))
        return [str(origin)] if origin is not None and str(origin) in self._nodes else ()

    def _parameters(self) -> dict[str, list[str]]:
        """Returns by operation that fetches or reshapes a parameter the node of the parameter, or of its user."""
        beside: dict[str, list[str]] = {}
        for (user, slot), parameter in self._folding.parameters.items():
            identity = parameter_id(parameter, user)
            node = identity if identity in self._nodes else user
            source = self._operations.by_name[user].inputs[slot]
            pending = [] if source is None else [source.operation]
            seen: set[str] = set()
            while pending:
                name = pending.pop()
                if name not in seen and name not in self._nodes:
                    seen.add(name)
                    beside.setdefault(name, []).append(node)
                    inputs = self._operations.by_name[name].inputs
                    pending += [output.operation for output in inputs if output is not None]
        return beside


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
