"""The recorded layers where their exact place is not known: found by name, or listed in order."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from activis_tb.graph.elements import Edge, Graph, Node
from activis_tb.graph.parsing import Operations, Output, parse_operations
from activis_tb.graph.scopes import ancestors, strip_suffix
from activis_tb.model import Layer


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
    return Graph(source="layers", nodes=tuple(nodes), edges=tuple(edges))


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


def match_layers(graph_def: bytes, layer_names: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Finds layers in a graph of another trace, whose tensor names differ in the numbers that tracing adds.

    A layer is the name scope whose last parts are its key, exactly or else without numbers at their ends; its tensor
    is the one that leaves the scope. Where several scopes fit, or several tensors leave, the layer is not matched.

    Args:
        graph_def: A serialised GraphDef.
        layer_names: Keys such as `hidden` or `encoder/dense`.

    Returns:
        By matched layer the exact tensor name, and one warning per layer that is not matched; both for `build_graph`.
    """
    operations = parse_operations(graph_def)
    places = dict.fromkeys(scope for name in operations.by_name for scope in ancestors(name))
    tensors: dict[str, str] = {}
    warnings = []
    for layer in layer_names:
        found = _places(layer, places)
        outputs = [output for place in found for output in _leaving(place, operations)]
        if len(outputs) == 1:
            tensors[layer] = str(outputs[0])
        else:
            warnings.append(_not_matched(layer, found, outputs))
    return tensors, tuple(warnings)


def _places(layer: str, places: Iterable[str]) -> list[str]:
    """Returns the scopes (or operations) that may be `layer`, the outermost only."""
    key = layer.split("/")
    paths = [place.split("/") for place in places]
    exact = [path for path in paths if path[-len(key) :] == key]
    stripped = [strip_suffix(part) for part in key]
    loose = exact or [path for path in paths if [strip_suffix(part) for part in path[-len(key) :]] in (key, stripped)]
    found = {"/".join(path) for path in loose}
    return sorted(place for place in found if not found.intersection(ancestors(place)[1:]))


def _leaving(place: str, operations: Operations) -> list[Output]:
    """Returns the outputs made in `place` that are used outside of it, or by nobody if none is."""
    inside = {name for name in operations.by_name if name == place or name.startswith(f"{place}/")}
    used = [output for output in operations.consumers if output.operation in inside]
    leaving = [output for output in used if any(user not in inside for user, _ in operations.consumers[output])]
    return leaving or [Output(name, 0) for name in sorted(inside.difference(output.operation for output in used))]


def _not_matched(layer: str, found: Sequence[str], outputs: Sequence[Output]) -> str:
    if len(found) > 1:
        several = ", ".join(repr(place) for place in found[:3])
        return f"The recorded layer {layer!r} is not marked in the graph: {len(found)} scopes fit its name ({several})."
    if found and outputs:
        return f"The recorded layer {layer!r} is not marked in the graph: {len(outputs)} tensors leave {found[0]!r}."
    return f"The recorded layer {layer!r} is not in the graph."
