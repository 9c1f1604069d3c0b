"""Computation graph of a model as one hierarchical bipartite graph of operators, tensors and name scopes.

GraphDef, traces and Keras' JSON in, frozen dataclasses out. A graph is a picture, not a program: one that is damaged
gives what can be shown and says in `warnings` what could not, it never raises. TensorFlow is not needed.
"""

from activis_tb.graph.functions import traced_graphs, uncalled_functions
from activis_tb.graph.graphdef import Operations, parse_operations
from activis_tb.graph.hierarchy import Edge, Graph, Node
from activis_tb.graph.keras_model import keras_graph_def
from activis_tb.graph.levels import assemble, build_graph
from activis_tb.graph.match import Matches, layers_only, match_layers
from activis_tb.graph.simplify import trains

__all__ = [
    "Edge",
    "Graph",
    "Matches",
    "Node",
    "Operations",
    "assemble",
    "build_graph",
    "keras_graph_def",
    "layers_only",
    "match_layers",
    "parse_operations",
    "traced_graphs",
    "trains",
    "uncalled_functions",
]
