"""GraphDef of a Keras model's layers, from the JSON that Keras' TensorBoard callback writes.

TensorBoard's own converter does it; here the formats that it does not know are written as one that it does: the calls
of Keras 2, arguments given by name, nested models of several inputs, and layers that are called more than once.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tensorboard.compat.proto import graph_pb2, node_def_pb2
from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def

from activis_tb.model import SCOPES_ATTRIBUTE

_Layer = dict[str, Any]
_MOST_CALLS = 20_000
"""Of layers: nested models that are called several times multiply."""
_NOT_SETTINGS = frozenset({"name", "dtype", "trainable", "batch_input_shape", "batch_shape"})


def keras_graph_def(model: bytes) -> bytes:
    """Returns the layers of a model as a serialised GraphDef: an operator per call of a layer, of the layer's class.

    A layer that is called more than once is a scope of its calls. Shapes are those that the model was built with, where
    it says so. A damaged or unknown model gives no operations.
    """
    try:
        root = json.loads(model)
        root["config"] = {**root["config"], "name": root["config"].get("name") or "model"}
        converted = _one_call(root, [], itertools.count())
        graph_def = keras_model_to_graph_def(converted)
        _describe(graph_def, converted)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ):
        return b""
    return bytes(graph_def.SerializeToString(deterministic=True))


def _one_call(layer: _Layer, inputs: list[list[Any]], counted: Iterator[int]) -> _Layer:
    """Returns `layer` as called once, on `inputs`, each (name, 0, position); so are all layers in it.

    Raises:
        ValueError: `counted` has come to more calls than any model has.
    """
    if next(counted) > _MOST_CALLS:
        message = f"model: got more than {_MOST_CALLS:,} calls of layers; expected fewer."
        raise ValueError(message)
    config = dict(layer["config"])
    if config.get("layers"):
        calls = {_name(one): max(1, len(_calls(one))) for one in config["layers"]}
        config["layers"] = [copy for one in config["layers"] for copy in _copies(one, calls, counted)]
        for key in ("input_layers", "output_layers"):
            if config.get(key):
                config[key] = [_called(history, calls) for history in _histories(config[key])]
        if config.get("input_layers"):
            config["input_layers"] = [name for name, _, _ in config["input_layers"]]
    return {**layer, "config": config, **_inbound(layer, inputs)}


def _inbound(layer: _Layer, inputs: list[list[Any]]) -> dict[str, Any]:
    if layer.get("inbound_nodes") is None:
        return {}
    return {"inbound_nodes": [{"args": [{"config": {"keras_history": history}} for history in inputs]}]}


def _copies(layer: _Layer, calls: Mapping[str, int], counted: Iterator[int]) -> Iterator[_Layer]:
    for number, call in enumerate(_calls(layer) or [None]):
        inputs = [_called(history, calls) for history in _histories(call)]
        config = {**layer["config"], "name": _call_name(_name(layer), number)}
        yield _one_call({**layer, "config": config}, inputs, counted)


def _calls(layer: _Layer) -> list[Any]:
    return list(layer.get("inbound_nodes") or ())


def _name(layer: _Layer) -> str:
    return str(layer["config"].get("name") or layer["name"])


def _call_name(name: str, number: int) -> str:
    return name if number == 0 else f"{name}/call_{number + 1}"


def _called(history: list[Any], calls: Mapping[str, int]) -> list[Any]:
    """Returns (layer, call, position) with the call as part of the layer's name."""
    name, call, position = history
    return [_call_name(name, min(call, calls.get(name, 1) - 1)), 0, position]


def _histories(value: Any) -> list[list[Any]]:
    """Returns all (layer, call, position) in a structure, of Keras 2 or 3."""
    if isinstance(value, Mapping):
        history = value.get("keras_history")
        return [list(history[:3])] if history else [one for part in value.values() for one in _histories(part)]
    if not isinstance(value, list):
        return []
    if len(value) >= 3 and isinstance(value[0], str) and all(isinstance(part, int) for part in value[1:3]):
        return [value[:3], *_histories(value[3:])]
    return [one for part in value for one in _histories(part)]


def _describe(graph_def: graph_pb2.GraphDef, model: _Layer) -> None:
    """Gives operators their layer's class, settings and shape; inputs become placeholders."""
    layers = dict(_layers(model, ""))
    _mark_models(graph_def, model)
    nodes = {node.name: node for node in graph_def.node}
    for name, node in nodes.items():
        config, node.op = layers[name]["config"], layers[name].get("class_name") or "Layer"
        for key, value in config.items():
            text = "" if key in _NOT_SETTINGS else _setting(value)
            if text:
                node.attr[key].s = text.encode()
        if node.op == "InputLayer":
            node.op = "Placeholder"
            _add_shape(node, config.get("batch_shape") or config.get("batch_input_shape"))
    for name, node in nodes.items():
        built = layers[name].get("build_config") or {}
        if len(node.input) == 1 and node.input[0] in nodes:
            _add_shape(nodes[node.input[0]], built.get("input_shape"))


def _layers(layer: _Layer, scope: str) -> Iterable[tuple[str, _Layer]]:
    name = f"{scope}{layer['config']['name']}"
    inner = layer["config"].get("layers")
    if not inner:
        return [(name, layer)]
    return [found for one in inner for found in _layers(one, f"{name}/")]


def _mark_models(graph_def: graph_pb2.GraphDef, model: _Layer) -> None:
    """Notes at an operator which scopes are models."""
    marked = [
        json.dumps([scope, one.get("class_name") or "Model", one["config"]["name"]])
        for scope, one in _models(model, "")
    ]
    if graph_def.node:
        graph_def.node[0].attr[SCOPES_ATTRIBUTE].list.s.extend(text.encode() for text in marked)


def _models(layer: _Layer, scope: str) -> Iterator[tuple[str, _Layer]]:
    inner = layer["config"].get("layers")
    if inner:
        name = f"{scope}{layer['config']['name']}"
        yield name, layer
        for one in inner:
            yield from _models(one, f"{name}/")


def _setting(value: Any) -> str:
    if value is None or value is False or isinstance(value, Mapping):
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _add_shape(node: node_def_pb2.NodeDef, shape: Any) -> None:
    known = isinstance(shape, list) and all(size is None or isinstance(size, int) for size in shape)
    if known and "_output_shapes" not in node.attr:
        added = node.attr["_output_shapes"].list.shape.add()
        for size in shape:
            added.dim.add(size=-1 if size is None else size)
