"""A model's computation graph as one hierarchical bipartite graph of operators, tensors and name scopes.

GraphDef in, frozen dataclasses out. A graph is a picture, not a program: one that is damaged gives what can be shown
and says in `warnings` what could not, it never raises. TensorFlow is not needed.
"""

from activis_tb.graph.building import build_graph
from activis_tb.graph.elements import Edge, Graph, Node
from activis_tb.graph.layers import layers_only, match_layers

__all__ = ["Edge", "Graph", "Node", "build_graph", "layers_only", "match_layers"]
