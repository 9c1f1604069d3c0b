"""Traces a model's forward function into the graph that the tab shows."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from tensorboard.backend import process_graph
from tensorboard.compat.proto import graph_pb2

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import Batches
from activis_tb.keras.layers import Target, find_layers, sublayers
from activis_tb.keras.watching import Outputs, first_tensor, watched
from activis_tb.model import SCOPES_ATTRIBUTE, ForwardGraph

_LARGEST_ATTRIBUTE = 1024
_TRIAL = "scratch_graph"
"""Name of the graphs in which Keras tries a layer to learn its output's shape."""


def traced_graph(model: keras.Model, layers: Sequence[str], inputs: Any = None) -> ForwardGraph:
    """Traces `model` in inference mode, see `activis_tb.keras.forward_graph`."""
    trace = _Trace(model, find_layers(model, layers))
    is_known = inputs is None or getattr(model, "inputs", None)
    specs = _own_inputs(model) if is_known else keras.tree.map_structure(input_spec, inputs)
    concrete = tf.function(trace, autograph=False).get_concrete_function(_named(specs))
    graph_def = graph_pb2.GraphDef.FromString(concrete.graph.as_graph_def(add_shapes=True).SerializeToString())
    _name_variables(graph_def, _variable_names(model, concrete))
    process_graph.prepare_graph_for_ui(graph_def, _LARGEST_ATTRIBUTE)
    _mark_scopes(graph_def, trace.scopes)
    tensors = {name: tensor.name for name, tensor in trace.tensors.items()}
    return ForwardGraph(graph_def.SerializeToString(deterministic=True), tensors)


def outputs(model: keras.Model, targets: Mapping[str, Target]) -> Outputs:
    """Returns what collects the outputs of layers in the graph that is traced at present."""
    graph = tf.compat.v1.get_default_graph()
    return Outputs(model, targets, partial(_is_in, graph=graph), _is_trial)


def specs(batches: Batches) -> Any:
    """Returns TensorSpecs in the structure of the inputs, for any number of instances."""
    if isinstance(batches.source, tf.data.Dataset):
        return keras.tree.map_structure(input_spec, batches.source.element_spec[0])
    return keras.tree.map_structure(lambda value: input_spec(tf.convert_to_tensor(value)), batches.example())


def input_spec(value: Any) -> tf.TensorSpec:
    """Returns what is known of one input of a model: any number of instances, the other axes as in `value`."""
    shape = tf.TensorShape(value.shape)
    dtype = value.dtype if isinstance(value, tf.TensorSpec) else tf.as_dtype(getattr(value, "dtype", None))
    return tf.TensorSpec([None, *shape[1:]] if shape.rank else shape, dtype, getattr(value, "name", None))


def _own_inputs(model: keras.Model) -> Any:
    if not getattr(model, "inputs", None):
        way_out = "Give one as inputs=, e.g. x[:1]."
        raise ArgumentError("inputs", "None", f"a batch, as the model {model.name!r} does not know its inputs", way_out)
    structure = model.inputs if isinstance(model, keras.Sequential) else model.input
    if isinstance(structure, list) and len(structure) == 1:
        structure = structure[0]
    return keras.tree.map_structure(lambda value: tf.TensorSpec(value.shape, value.dtype, value.name), structure)


def _named(specs: Any) -> Any:
    """Gives inputs without a name one, which the graph shows: the key in a dict, else `input`."""
    flat = keras.tree.flatten_with_path(specs)
    named = [
        tf.TensorSpec(spec.shape, spec.dtype, spec.name or "_".join(map(str, path or ("input",))))
        for path, spec in flat
    ]
    return keras.tree.pack_sequence_as(specs, named)


class _Trace:
    """Calls the model while all its layers are watched; what was seen is in `tensors` and `scopes` afterwards."""

    def __init__(self, model: keras.Model, layers: Mapping[str, Target]) -> None:
        self._model = model
        self._layers = layers
        self._ids = {id(target.layer) for target in layers.values()}
        self.tensors: dict[str, tf.Tensor] = {}
        self.scopes: dict[str, tuple[str, str]] = {}

    def __call__(self, inputs: Any) -> Any:
        self._graph = tf.compat.v1.get_default_graph()
        self._taken: set[str] = set()
        self._outputs = outputs(self._model, self._layers)
        with watched([self._model, *(layer for _, layer in sublayers(self._model))], self._see):
            results = self._model(inputs, training=False)
        self.tensors = self._outputs.result()
        return results, list(self.tensors.values())

    def _see(self, layer: keras.Layer, inputs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if not _is_in(tensor, self._graph):
            return output
        self.scopes.setdefault(tf.get_current_name_scope(), (type(layer).__name__, layer.name))
        if self._is_shared(layer, inputs, tensor) and tensor is output:
            # A layer that passes its input on (dropout when not training) has no tensor of its own in the graph.
            output = tensor = tf.identity(output)
        if id(layer) in self._ids:
            self._taken.add(tensor.name)
        return self._outputs.see(layer, inputs, output)

    def _is_shared(self, layer: keras.Layer, inputs: Any, tensor: tf.Tensor) -> bool:
        passed_on = any(tensor is value for value in keras.tree.flatten(inputs))
        return passed_on or (id(layer) in self._ids and tensor.name in self._taken)


def _is_in(tensor: Any, graph: Any) -> bool:
    """Whether `tensor` is a dense tensor of `graph`, not of a loop or function inside of it."""
    return isinstance(tensor, tf.Tensor) and getattr(tensor, "graph", None) is graph


def _is_trial(tensor: Any) -> bool:
    """Whether Keras made `tensor` only to learn its shape; eager ones are the model's own business."""
    graph = getattr(tensor, "graph", None)
    return graph is None or getattr(graph, "name", "").startswith(_TRIAL)


def _variable_names(model: keras.Model, concrete: Any) -> dict[str, str]:
    """Returns by placeholder of the trace the path of the variable that it stands for, e.g. `hidden/kernel`."""
    paths = {
        id(variable.value.handle): variable.path for variable in model.variables if hasattr(variable.value, "handle")
    }
    captures = zip(concrete.captured_inputs, concrete.graph.internal_captures, strict=True)
    return {inner.op.name: paths[id(outer)] for outer, inner in captures if id(outer) in paths}


def _name_variables(graph_def: graph_pb2.GraphDef, names: Mapping[str, str]) -> None:
    for node in graph_def.node:
        if node.name in names:
            node.attr["_user_specified_name"].s = names[node.name].encode()


def _mark_scopes(graph_def: graph_pb2.GraphDef, scopes: Mapping[str, tuple[str, str]]) -> None:
    """Notes each layer's scope at the first node inside of it."""
    marked = set()
    for node in graph_def.node:
        parts = node.name.split("/")
        for scope in ("/".join(parts[:length]) for length in range(1, len(parts))):
            if scope in scopes and scope not in marked:
                marked.add(scope)
                node.attr[SCOPES_ATTRIBUTE].list.s.append(json.dumps([scope, *scopes[scope]]).encode())
