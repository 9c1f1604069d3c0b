"""Recorded layers in a graph where their exact tensor is not known: matched by name, or listed in order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from activis_tb.graph import torch_script
from activis_tb.graph.graphdef import Operations, Output
from activis_tb.graph.hierarchy import Edge, Graph, Node, ancestors, strip_suffix
from activis_tb.graph.simplify import VARIABLES, kind_of
from activis_tb.model import Layer

_SEPARATORS = re.compile(r"[/.]")
_NO_ACTIVATION = frozenset({"Const", "ReadVariableOp", "Shape", "NoOp", *VARIABLES})


def layers_only(layers: Iterable[str | Layer]) -> Graph:
    """Returns the graph of a recording without a GraphDef: its layers as tensors, chained in order.

    What lies between two of them is not known and shown as one operator of type `…`.

    Args:
        layers: Names, or layers whose shape and type are shown too.
    """
    tensors = [_tensor(layer) for layer in layers]
    nodes: list[Node] = tensors[:1]
    edges: list[Edge] = []
    for before, after in pairwise(tensors):
        between = Node(id=f"{before.id}→{after.id}", kind="operator", name="not recorded", operator="…")
        nodes += [between, after]
        edges += [Edge(before.id, between.id), Edge(between.id, after.id)]
    return Graph(nodes=tuple(nodes), edges=tuple(edges))


def _tensor(layer: str | Layer) -> Node:
    if isinstance(layer, str):
        return Node(id=f"{layer}:0", kind="tensor", name=layer, full_name=layer, layer=layer)
    return Node(
        id=f"{layer.name}:0",
        kind="tensor",
        name=layer.name,
        full_name=layer.tensor or layer.name,
        shape=(-1, *layer.shape),
        dtype=layer.dtype,
        layer=layer.name,
    )


@dataclass(frozen=True)
class Matches:
    """Where recorded layers are in a graph.

    Attributes:
        recorded: By output, the layers that it is.
        candidates: By output, the layers that it may be.
        warnings: A sentence for each layer whose place is not known.
    """

    recorded: dict[Output, list[str]] = field(default_factory=dict)
    candidates: dict[Output, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def match_layers(operations: Operations, tensors: Mapping[str, str], names: Iterable[str]) -> Matches:
    """Finds recorded layers in a graph.

    A layer in `names` is the name scope whose last parts are its key, exactly or else without the numbers that tracing
    adds; its tensor is the one that leaves the scope. Where several scopes fit, or several tensors leave, each of them
    is a candidate.

    Args:
        operations: The graph.
        tensors: By layer, the exact name of its tensor in this very graph.
        names: Keys of further layers, such as `hidden`, `encoder/dense` or `blocks.0.conv1`.
    """
    matches = Matches()
    for layer, tensor in tensors.items():
        output = operations.output(tensor)
        if output is not None:
            matches.recorded.setdefault(output, []).append(layer)
        elif operations.by_name:
            text = f"The recorded layer {layer!r} is not in the graph: there is no tensor {tensor!r}."
            matches.warnings.append(text)
    search: _Search | None = None
    for layer in names:
        search = search or _Search(operations)
        places = search.places(layer)
        outputs = [output for place in places for output in search.leaving(place)]
        kept = matches.recorded if len(outputs) == 1 else matches.candidates
        for output in outputs:
            kept.setdefault(output, []).append(layer)
        if len(outputs) != 1:
            matches.warnings.append(_not_matched(layer, places, outputs))
    return matches


class _Search:
    """Finds scopes and what leaves them, machinery of training left out."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._model = [name for name, operation in operations.by_name.items() if not kind_of(operation)]
        self._members: dict[str, list[str]] = {}
        for name in self._model:
            for scope in ancestors(name):
                self._members.setdefault(scope, []).append(name)
        model = set(self._model)
        self._users: dict[str, dict[Output, list[str]]] = {}
        for output, users in operations.consumers.items():
            in_model = [user for user, _ in users if user in model]
            if in_model:
                self._users.setdefault(output.operation, {})[output] = in_model
        self._paths = {scope: torch_script.path(scope) for scope in self._members}
        self._by_end: dict[str, list[str]] = {}
        for scope, path in self._paths.items():
            for end in {path[-1], strip_suffix(path[-1])}:
                self._by_end.setdefault(end, []).append(scope)

    def places(self, layer: str) -> list[str]:
        """Returns the scopes (or operations) that may be `layer`, the outermost only."""
        key = [part for part in _SEPARATORS.split(layer) if part] or [layer]
        stripped = [strip_suffix(part) for part in key]
        ending = list(dict.fromkeys([*self._by_end.get(key[-1], ()), *self._by_end.get(stripped[-1], ())]))
        exact = [scope for scope in ending if self._paths[scope][-len(key) :] == key]
        loose = [scope for scope in ending if self._stripped(scope, len(key)) in (key, stripped)]
        found = set(exact or loose)
        return sorted(scope for scope in found if not found.intersection(ancestors(scope)[1:]))

    def leaving(self, place: str) -> list[Output]:
        """Returns the outputs made in `place` that are used outside of it, or by nobody if none is."""
        members = set(self._members[place])
        makers = [name for name in self._members[place] if self._operations.by_name[name].type not in _NO_ACTIVATION]
        used = {output: users for name in makers for output, users in self._users.get(name, {}).items()}
        leaving = [output for output, users in used.items() if not members.issuperset(users)]
        return leaving or [Output(name, 0) for name in sorted(makers) if name not in self._users]

    def _stripped(self, scope: str, length: int) -> list[str]:
        return [strip_suffix(part) for part in self._paths[scope][-length:]]


def _not_matched(layer: str, places: Sequence[str], outputs: Sequence[Output]) -> str:
    if len(places) > 1:
        several = ", ".join(repr(place) for place in places[:3])
        return f"The recorded layer {layer!r} may be any of {len(places)} scopes that fit its name ({several})."
    if places and outputs:
        return f"The recorded layer {layer!r} may be any of {len(outputs)} tensors that leave {places[0]!r}."
    return f"The recorded layer {layer!r} is not in the graph."
