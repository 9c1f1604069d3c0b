"""What became of every operation that is no node of its own."""

from collections.abc import Collection, Iterable

from activis_tb.graph.building import parameter_id
from activis_tb.graph.folding import INPUTS, Folding
from activis_tb.graph.parsing import Operations, Output


def folded_operations(operations: Operations, folding: Folding, nodes: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Returns by operation that is no node, the nodes that it is told at; see `Graph.folded`.

    An input is told at its tensors, a variable or a constant at the parameter or the operator that it is a setting of,
    what passes a tensor on at the tensor, and the rest where whatever takes its results is.
    """
    return _Told(operations, folding, nodes).find()


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
