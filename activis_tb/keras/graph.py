"""Forward graph of a Keras model: traced where the back end can, else as the calls of its layers."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from tensorboard.compat.proto import graph_pb2, node_def_pb2
from tensorboard.compat.tensorflow_stub import dtypes

from activis_tb.errors import ArgumentError
from activis_tb.keras.forward import run_once
from activis_tb.keras.layers import find_layers, sublayers
from activis_tb.keras.watching import inside_of_loops, watched
from activis_tb.model import SCOPES_ATTRIBUTE, ForwardGraph

Tensor = Any


def structural_graph(model: keras.Model, layers: Sequence[str], inputs: Any = None) -> ForwardGraph | None:
    """Runs `model` on one instance while its layers are watched, see `activis_tb.keras.forward_graph`.

    A layer whose output comes from tensors that none of its inner layers made is one operation. If that is so of the
    model itself, because its class computes something between its layers, there is no graph.
    """
    targets = find_layers(model, layers)
    calls = _Calls(model)
    example = _own_example(model) if inputs is None else _converted(model, inputs)
    operations = {id(operation): operation for operation in _operations(model)}
    with watched(operations.values(), calls.see, calls.enter), _conversions(calls.convert):
        run_once(model, calls.begin, example)
    if not calls.is_complete:
        return None
    names = {name: calls.outputs_of(target.layer)[(target.call or 1) - 1 :] for name, target in targets.items()}
    tensors = {name: f"{found[0]}:0" for name, found in names.items() if found}
    return ForwardGraph(calls.graph_def().SerializeToString(deterministic=True), tensors)


class _Calls:
    """Calls of a model's layers in one pass; tensors are kept alive, as their identity tells them apart."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._nodes: dict[str, node_def_pb2.NodeDef] = {}
        self._made_by: dict[int, str] = {}
        self._alive: list[Tensor] = []
        self._scopes: dict[str, tuple[str, str]] = {}
        self._open: list[tuple[str, int]] = []
        self._layer_outputs: dict[int, list[str]] = {}
        self.is_complete = False

    def begin(self, inputs: Any) -> Any:
        """Makes a node of every input and calls the model."""
        for path, tensor in keras.tree.flatten_with_path(inputs):
            name = "_".join(map(str, path)) or "input"
            self._add(self._unique(name), "Placeholder", [], tensor)
        return self._model(inputs, training=False)

    def convert(self, before: Tensor, after: Tensor) -> None:
        """Takes `after`, which is `before` in the precision of the layer that gets it, for the same tensor."""
        if id(before) in self._made_by:
            self._made_by[id(after)] = self._made_by[id(before)]
            self._alive.append(after)

    def enter(self, layer: keras.Operation) -> None:
        """Opens the scope of `layer`."""
        scope = self._open[-1][0] if self._open else ""
        name = "" if layer is self._model else self._unique(f"{scope}{layer.name}")
        self._open.append((f"{name}/" if name else "", len(self._nodes)))

    def see(self, layer: keras.Operation, inputs: Any, output: Any) -> Any:
        """Closes the scope of `layer`: one operation, or a group of its inner ones."""
        scope, first = self._open.pop()
        name = scope.rstrip("/")
        tensors = [tensor for tensor in keras.tree.flatten(output) if hasattr(tensor, "shape")]
        inner = list(self._nodes)[first:]
        known = all(id(tensor) in self._made_by for tensor in tensors)
        is_group = bool(inner) and known and all(self._nodes[node].op for node in inner)
        if layer is self._model:
            self.is_complete = is_group
            if is_group:
                self._add_outputs(tensors)
            return output
        if is_group:
            self._scopes[name] = (type(layer).__name__, layer.name)
        else:
            self._forget(inner)
            self._close(name, layer, inputs, tensors)
        made_by = self._made_by.get(id(tensors[0]), name) if tensors else name
        self._layer_outputs.setdefault(id(layer), []).append(made_by)
        return output

    def outputs_of(self, layer: keras.Layer) -> list[str]:
        """Returns by call of `layer` the node that made its output, where there is one."""
        return [name for name in self._layer_outputs.get(id(layer), []) if name in self._nodes]

    def graph_def(self) -> graph_pb2.GraphDef:
        """Returns the graph; groups carry the kind and name of their layer."""
        for scope, (kind, name) in self._scopes.items():
            inside = next((node for node in self._nodes.values() if node.name.startswith(f"{scope}/")), None)
            if inside is not None:
                inside.attr[SCOPES_ATTRIBUTE].list.s.append(json.dumps([scope, kind, name]).encode())
        return graph_pb2.GraphDef(node=self._nodes.values())

    def _add_outputs(self, tensors: Sequence[Tensor]) -> None:
        """Adds what the model returns, as TensorFlow writes the results of a function."""
        for position, tensor in enumerate(tensors):
            name = self._unique(f"Identity_{position}")
            self._nodes[name] = node_def_pb2.NodeDef(name=name, op="Identity", input=[self._made_by[id(tensor)]])

    def _close(self, name: str, layer: keras.Operation, inputs: Any, outputs: list[Tensor]) -> None:
        given = [tensor for tensor in keras.tree.flatten(inputs) if hasattr(tensor, "shape")]
        if not outputs or not all(id(tensor) in self._made_by for tensor in given):
            self._nodes[name] = node_def_pb2.NodeDef(name=name)  # without a place, so the layer around it has none
            return
        self._add(name, type(layer).__name__, [self._made_by[id(tensor)] for tensor in given], *outputs)

    def _add(self, name: str, kind: str, inputs: Sequence[str], *outputs: Tensor) -> None:
        node = self._nodes[name] = node_def_pb2.NodeDef(name=name, op=kind, input=inputs)
        node.attr["dtype"].type = _datatype(outputs[0])
        for position, tensor in enumerate(outputs):
            shape = node.attr["_output_shapes"].list.shape.add()
            for axis, size in enumerate(tensor.shape):
                shape.dim.add(size=size if axis else -1)
            self._made_by[id(tensor)] = f"{name}:{position}" if position else name
            self._alive.append(tensor)

    def _forget(self, names: Sequence[str]) -> None:
        for name in names:
            del self._nodes[name]
        for scope in [scope for scope in self._scopes if any(name.startswith(f"{scope}/") for name in names)]:
            del self._scopes[scope]

    def _unique(self, name: str) -> str:
        taken = {*self._nodes, *self._scopes, *(scope.rstrip("/") for scope, _ in self._open)}
        call, unique = 1, name
        while unique in taken:
            unique = f"{name}_{call}"
            call += 1
        return unique


@contextmanager
def _conversions(on_conversion: Callable[[Tensor, Tensor], None]) -> Iterator[None]:
    """Reports, within the block, what layers convert their inputs to before their call."""
    original = keras.dtype_policies.DTypePolicy.convert_input

    def convert_input(policy: Any, values: Any, *args: Any, **kwargs: Any) -> Any:
        converted = original(policy, values, *args, **kwargs)
        if converted is not values:
            on_conversion(values, converted)
        return converted

    keras.dtype_policies.DTypePolicy.convert_input = convert_input
    try:
        yield
    finally:
        keras.dtype_policies.DTypePolicy.convert_input = original


def _operations(model: keras.Model) -> Iterator[keras.Operation]:
    """Yields all operations of the model, except those inside of loops."""
    looped = inside_of_loops(model)
    layers = [model, *(layer for _, layer in sublayers(model))]
    for layer in layers:
        if id(layer) not in looped:
            yield layer
            yield from (one for one in getattr(layer, "operations", ()) if not isinstance(one, keras.layers.InputLayer))


def _own_example(model: keras.Model) -> Any:
    """Returns zeros in the form of the model's inputs, for one instance."""
    structure = model.input if getattr(model, "inputs", None) else None
    shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(structure)] if structure is not None else [(None,)]
    if any(None in shape for shape in shapes):
        got = f"a model {model.name!r} whose inputs may have any shape" if structure is not None else "None"
        raise ArgumentError("inputs", got, "a batch", "Give one as inputs=, e.g. x[:1].")
    return keras.tree.map_structure(lambda tensor: keras.ops.zeros((1, *tensor.shape[1:]), tensor.dtype), structure)


def _converted(model: keras.Model, inputs: Any) -> Any:
    """Returns inputs in the types that the model would convert them to, where it knows them."""
    known = getattr(model, "inputs", None) or []
    flat = keras.tree.flatten(inputs)
    if len(known) != len(flat) or isinstance(inputs, dict):
        return inputs
    converted = [keras.ops.convert_to_tensor(value, one.dtype) for value, one in zip(flat, known, strict=True)]
    return keras.tree.pack_sequence_as(inputs, converted)


def _datatype(tensor: Tensor) -> int:
    datatype: int = dtypes.as_dtype(keras.backend.standardize_dtype(tensor.dtype)).as_datatype_enum
    return datatype


def forward_graph(model: keras.Model, layers: Sequence[str], inputs: Any = None) -> ForwardGraph | None:
    """Returns the graph of `model` in inference mode, with the tensors of `layers` in it.

    With TensorFlow it is the graph of a trace: every operation with its shapes, variables under the names Keras gives
    them, and the scopes of layers marked with the kind and name of the layer; without weights and large constants. With
    JAX and PyTorch it has one operation per call of a layer.

    Args:
        model: Functional, Sequential or subclassed.
        layers: Names of layers, as for `ActivisCallback`.
        inputs: A batch; needed for subclassed models, which do not know their inputs.

    Returns:
        The graph; None where JAX or PyTorch run a subclassed model that computes something between its layers: the tab
        then lists the recorded layers in order.

    Raises:
        ArgumentError: There is no such layer, or the inputs are not known.
    """
    if keras.backend.backend() == "tensorflow":
        from activis_tb.keras.forward import traced_graph

        return traced_graph(model, layers, inputs)

    return structural_graph(model, layers, inputs)
