"""A PyTorch model's forward graph: what torch.export traces, as a GraphDef whose scopes are the modules."""

import inspect
import json
import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from tensorboard.compat.proto import attr_value_pb2, graph_pb2, node_def_pb2
from tensorboard.compat.tensorflow_stub import dtypes
from torch import nn

from activis_tb.errors import ArgumentError
from activis_tb.model import SCOPES_ATTRIBUTE, ForwardGraph
from activis_tb.torch.modules import Target, plain_name
from activis_tb.torch.tracing import ROOT, Trace, trace

_PARAMETER = "VariableV2"
_INPUT = "Placeholder"
_OUTPUT = "Identity"
"""As TensorFlow writes the results of a function."""


def forward_graph(
    model: nn.Module, targets: Mapping[str, Target], example: Sequence[Any], keywords: Mapping[str, Any]
) -> ForwardGraph | None:
    """Traces `model` in inference mode; see `activis_tb.torch.Capture.graph`.

    Args:
        model: Left as it is.
        targets: By name, the modules whose output tensors are to be found in the graph.
        example: What the model is called with, of a few instances.
        keywords: The same, by name.

    Raises:
        ArgumentError: A layer returns no such tensor.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = trace(model, targets, example, keywords)
    except ArgumentError:
        raise
    except Exception as error:  # whatever a model does that PyTorch cannot trace
        reason = str(error).strip().partition("\n")[0]
        message = f"ActiVis: no graph of {type(model).__name__}, as torch.export cannot trace it: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return None
    inputs = [*example, *keywords.values()]
    batch = next((len(value) for value in inputs if isinstance(value, torch.Tensor) and value.ndim), 0)
    definition = _Definition(traced, batch, _argument_names(model, len(example)))
    definition.finish(traced.results)
    tensors = {name: definition.names[node] for name, node in traced.nodes.items()}
    if lost := [name for name in targets if name not in tensors]:
        listed = ", ".join(map(repr, lost))
        message = f"ActiVis: no tensor of the graph has the values of {listed}: shown beside the graph, not in it."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return ForwardGraph(
        definition.graph_def.SerializeToString(deterministic=True),
        {name: tensor if ":" in tensor else f"{tensor}:0" for name, tensor in tensors.items()},
    )


class _Definition:
    """A GraphDef of an exported program; `names` has by node of the program its tensor's name there.

    Args:
        traced: The model.
        batch: Instances of the example.
        arguments: Names of the model's arguments, in order.
    """

    def __init__(self, traced: Trace, batch: int, arguments: Sequence[str]) -> None:
        self.graph_def = graph_pb2.GraphDef()
        self.names: dict[str, str] = {}
        self._nodes: dict[str, node_def_pb2.NodeDef] = {}
        self._scopes: dict[str, tuple[str, str]] = {}
        self._batch = batch
        self._arguments = {f"inputs_{position}": name for position, name in enumerate(arguments)}
        program, signature = traced.program, traced.program.graph_signature
        self._parameters = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        used = {argument.name for node in program.graph.nodes for argument in node.all_input_nodes}
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name in used:
                self._add_input(node)
            elif node.op == "call_function" and node.name not in traced.added:
                self._add_operation(node)

    def _add_input(self, node: torch.fx.Node) -> None:
        parameter = self._parameters.get(node.name)
        if parameter is None:
            self._add(node, self._arguments.get(node.name, node.name), _INPUT)
        else:
            self._add(node, plain_name(parameter.removeprefix(f"{ROOT}.")).replace(".", "/"), _PARAMETER)

    def _add_operation(self, node: torch.fx.Node) -> None:
        if node.target is operator.getitem and isinstance(node.args[0], torch.fx.Node):
            source, position = self.names[node.args[0].name], int(str(node.args[1]))
            self.names[node.name] = f"{source}:{position}" if position else source
            self._describe(self._nodes[source], node, position)
            return
        scope = self._scope(node)
        kind = str(getattr(node.target, "__name__", node.target)).partition(".")[0]
        self._add(node, f"{scope}/{node.name}" if scope else node.name, kind)

    def _add(self, node: torch.fx.Node, name: str, kind: str) -> None:
        inputs = [self.names[argument.name] for argument in node.all_input_nodes]
        definition = self.graph_def.node.add(name=name, op=kind, input=inputs)
        self._nodes[name] = definition
        self.names[node.name] = name
        if isinstance(node.meta.get("val"), torch.Tensor):
            self._describe(definition, node, 0)

    def _describe(self, definition: node_def_pb2.NodeDef, node: torch.fx.Node, position: int) -> None:
        """Notes the shape and the type of the output at `position`."""
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            return
        shapes: attr_value_pb2.AttrValue.ListValue = definition.attr["_output_shapes"].list
        while len(shapes.shape) <= position:
            shapes.shape.add(unknown_rank=True)
        shape = shapes.shape[position]
        shape.Clear()
        is_batch = definition.op != _PARAMETER and value.ndim > 0 and value.shape[0] == self._batch
        for axis, size in enumerate(value.shape):
            shape.dim.add(size=-1 if is_batch and axis == 0 else int(size))
        if position == 0:
            name = str(value.dtype).removeprefix("torch.")
            definition.attr["dtype"].type = dtypes.as_dtype(name).as_datatype_enum

    def _scope(self, node: torch.fx.Node) -> str:
        """The innermost module that the operation is of, as a name scope; every further call has its own."""
        path = ""
        for key, (qualified, kind) in node.meta.get("nn_module_stack", {}).items():
            name = plain_name(qualified.removeprefix(ROOT).removeprefix(".").partition("@")[0])
            call = key.rpartition("@")[2] if "@" in key else ""
            path = name.replace(".", "/") + (f"_{call}" if call else "")
            if path and path not in self._scopes:
                self._scopes[path] = (str(kind).rpartition(".")[2], name.rpartition(".")[2])
        return path

    def finish(self, outputs: Sequence[Any]) -> None:
        """Adds what the model returns, and notes the kind and name of each module at the first node inside of it."""
        for position, output in enumerate(dict.fromkeys(output for output in outputs if output in self.names)):
            self.graph_def.node.add(name=f"{_OUTPUT}_{position}", op=_OUTPUT, input=[self.names[output]])
        for scope, (kind, name) in self._scopes.items():
            inside = next((node for node in self.graph_def.node if node.name.startswith(f"{scope}/")), None)
            if inside is not None:
                inside.attr[SCOPES_ATTRIBUTE].list.s.append(json.dumps([scope, kind, name]).encode())


def _argument_names(model: nn.Module, count: int) -> list[str]:
    """Returns what `forward` calls its arguments, where it names all of them."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(model.forward).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    return names[:count] if len(names) >= count else []
