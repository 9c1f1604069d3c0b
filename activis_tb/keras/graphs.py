"""The forward graph of a model, from whatever the back end can tell."""

from collections.abc import Sequence
from typing import Any

import keras

from activis_tb.model import ForwardGraph


def forward_graph(model: keras.Model, layers: Sequence[str], inputs: Any = None) -> ForwardGraph | None:
    """Returns the graph of `model` in inference mode, with the tensors of `layers` in it.

    With TensorFlow it is the graph of a trace: every operation with its shapes, variables under the names Keras gives
    them, and the scopes of layers marked with the kind and name of the layer; without weights and large constants. With
    JAX and PyTorch it has one operation per call of a layer.

    Args:
        model: Functional, Sequential or subclassed.
        layers: Names of layers, as for `ActivisCallback`.
        inputs: A batch; needed for subclassed models, as they do not know their inputs.

    Returns:
        The graph; None where JAX or PyTorch run a model that is a class and computes something between its layers: the
        tab then lists the recorded layers in order.

    Raises:
        ArgumentError: There is no such layer, or the inputs are not known.
    """
    if keras.backend.backend() == "tensorflow":
        from activis_tb.keras.tracing import traced_graph

        return traced_graph(model, layers, inputs)
    from activis_tb.keras.structure import structural_graph

    return structural_graph(model, layers, inputs)
