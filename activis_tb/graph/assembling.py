"""A graph from its source to what is shown: layers, blocks of one form folded, levels that can be read."""

from collections.abc import Iterable, Mapping

from activis_tb.graph.accounting import folded_operations
from activis_tb.graph.building import Builder
from activis_tb.graph.crowding import divide_crowded
from activis_tb.graph.elements import Graph
from activis_tb.graph.folding import fold
from activis_tb.graph.forms import Forms
from activis_tb.graph.layers import Matches, match_layers
from activis_tb.graph.parsing import Operations, parse_operations
from activis_tb.graph.regrouping import Levels
from activis_tb.graph.repeats import fold_repeats
from activis_tb.model import graph_digest


def build_graph(graph_def: bytes, tensors: Mapping[str, str], names: Iterable[str] = ()) -> Graph:
    """Returns a graph with one group per name scope, operators and tensors in them.

    Variables and constants become small parameter tensors beside the operator that uses them, scalars and axes become
    its attributes; what only passes a tensor on, and arithmetic on shapes, is left out. A tensor that is used outside
    of the scope that makes it stands outside, and so does a result of the graph, so a closed group reads as one
    operator. A call of a function is a group of what the function runs.

    Machinery of training and reporting stands in groups of its own. At least three blocks of one form, each taking what
    the one before makes, stand in one group. Where a group or the top would hold more than 80 nodes, they stand in
    groups by common beginnings of their names, or else by their order.

    Args:
        graph_def: A serialised GraphDef. A damaged one gives what can be shown, and warnings.
        tensors: By recorded layer, the exact name of its tensor, e.g. `model_1/hidden_1/Relu:0`.
        names: Keys of further recorded layers, to be found by name.
    """
    operations = parse_operations(graph_def)
    return assemble(operations, match_layers(operations, tensors, names), graph_digest(graph_def))


def assemble(operations: Operations, matches: Matches, digest: str = "") -> Graph:
    """Does what `build_graph` does, of a graph that was read already and whose recorded layers were found."""
    folding = fold(operations, {*matches.recorded, *matches.candidates})
    built = Builder(operations, folding, matches.recorded, matches.candidates)
    edges = tuple(dict.fromkeys(built.edges))
    levels = Levels(built.nodes, edges)
    forms = Forms(levels)
    fold_repeats(levels, forms)
    divide_crowded(levels, forms)
    nodes = levels.in_order()
    return Graph(
        nodes=tuple(nodes),
        edges=edges,
        digest=digest,
        folded=folded_operations(operations, folding, {node.id for node in nodes}),
        warnings=(*operations.warnings, *matches.warnings),
    )
