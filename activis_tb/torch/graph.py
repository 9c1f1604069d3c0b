"""Forward graph of a PyTorch model: a trace of torch.export as a GraphDef whose scopes are the modules."""

import inspect
import json
import operator
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from tensorboard.compat.proto import attr_value_pb2, graph_pb2, node_def_pb2
from tensorboard.compat.tensorflow_stub import dtypes
from torch import nn
from torch.utils import _pytree

from activis_tb.errors import ArgumentError
from activis_tb.model import SCOPES_ATTRIBUTE, ForwardGraph
from activis_tb.torch.modules import Target, chosen_output, plain_name, uncompiled

ROOT = "model"
"""Under which name the traced wrapper holds the model."""
_RELATIVE = 1e-4
_ABSOLUTE = 1e-6
"""How far values may be apart that are computed in another way, the absolute in units of the largest value."""


class Trace(NamedTuple):
    """Traced model.

    Attributes:
        program: Of the wrapper around the model.
        results: Names of the nodes that the model returns.
        nodes: By layer name, the node with the layer's values, where there is one.
        added: Names of nodes that only tracing needed.
    """

    program: torch.export.ExportedProgram
    results: tuple[Any, ...]
    nodes: Mapping[str, str]
    added: frozenset[str]


def trace(
    model: nn.Module, targets: Mapping[str, Target], example: Sequence[Any], keywords: Mapping[str, Any]
) -> Trace:
    """Traces `model` in inference mode, and runs both on the example to compare their values; neither changes.

    Args:
        model: The model.
        targets: By layer name, the modules whose outputs are looked for.
        example: Arguments of the model.
        keywords: Keyword arguments.
    """
    with _inference(model), uncompiled():
        with _as_before(model), _copies(targets) as copies:
            model(*_copied(example), **_copied(keywords))
        values = {name: calls[(targets[name].call or 1) - 1 :][:1] for name, calls in copies.items()}
        seen = {name: value for name, found in values.items() for value in found}
        traced = _Traced(model, {name: targets[name] for name in seen})
        program = _without_lost_writes(torch.export.export(traced, tuple(example), dict(keywords)))
        equal = _equal_nodes(program, example, keywords, seen)
    results = tuple(program.graph_signature.user_outputs)
    split = len(results) - len(seen)
    by_name = {node.name: node for node in program.graph.nodes}
    copied = {name: by_name[result] for name, result in zip(seen, results[split:], strict=True)}
    nodes = {name: _place(node, targets[name], equal[name]) for name, node in copied.items()}
    return Trace(
        program,
        results[:split],
        {name: node for name, node in nodes.items() if node},
        frozenset(node.name for node in copied.values() if _is_copy(node)),
    )


class _Traced(nn.Module):  # type: ignore[misc]
    """Wrapper of a model that also returns the outputs of chosen modules."""

    def __init__(self, model: nn.Module, targets: Mapping[str, Target]) -> None:
        super().__init__()
        self.model = model
        self._targets = targets

    def forward(self, *inputs: Any, **keywords: Any) -> Any:
        with _copies(self._targets) as copies:
            outputs = self.model(*inputs, **keywords)
        return outputs, tuple(copies[name][(target.call or 1) - 1] for name, target in self._targets.items())


@contextmanager
def _copies(targets: Mapping[str, Target]) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Yields a mapping that the block fills with copies of modules' outputs, by layer and call, before any write."""
    copies: dict[str, list[torch.Tensor]] = {name: [] for name in targets}

    def copy(name: str, output: Any) -> None:
        copies[name].append(chosen_output(output, targets[name], name).tensor.clone())

    hooks = [
        target.module.register_forward_hook(lambda _, __, output, name=name: copy(name, output))
        for name, target in targets.items()
    ]
    try:
        yield copies
    finally:
        for hook in hooks:
            hook.remove()


class _Comparison(torch.fx.Interpreter):  # type: ignore[misc]
    """Interpreter that runs a program node by node and notes which nodes compute the wanted values."""

    def __init__(self, program: torch.export.ExportedProgram, values: Mapping[str, torch.Tensor]) -> None:
        super().__init__(program.graph_module)
        self._values = values
        self.equal: dict[str, list[torch.fx.Node]] = {name: [] for name in values}

    def run_node(self, node: torch.fx.Node) -> Any:
        result = super().run_node(node)
        if isinstance(result, torch.Tensor):
            for name, values in self._values.items():
                if _is_equal(result, values):
                    self.equal[name].append(node)
        return result


def _equal_nodes(
    program: torch.export.ExportedProgram,
    example: Sequence[Any],
    keywords: Mapping[str, Any],
    values: Mapping[str, torch.Tensor],
) -> dict[str, list[torch.fx.Node]]:
    inputs = program._graph_module_flat_inputs(tuple(example), dict(keywords))  # noqa: SLF001 (no public way to run it)
    comparison = _Comparison(program, values)
    with _same_chance():
        comparison.run(*_copied(inputs), enable_io_processing=False)
    return comparison.equal


def _place(copy: torch.fx.Node, target: Target, equal: Sequence[torch.fx.Node]) -> str:
    """Returns the node of the copied values, or another one that has them; empty where none does."""
    source = copy.all_input_nodes[0] if _is_copy(copy) else copy
    others = [node for node in equal if node is not copy]
    if source in others:
        return str(source.name)
    inside = [node for node in others if _is_inside(node, target.path)]
    return str(next(iter([*inside, *others])).name) if others else ""


def _is_inside(node: torch.fx.Node, path: str) -> bool:
    names = [plain_name(name.partition("@")[0]) for name, _ in node.meta.get("nn_module_stack", {}).values()]
    return f"{ROOT}.{path}" in names


def _is_copy(node: torch.fx.Node) -> bool:
    return node.op == "call_function" and node.target is torch.ops.aten.clone.default


def _is_equal(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    if found.shape != wanted.shape or found.dtype != wanted.dtype or found.layout != torch.strided:
        return False
    if not found.is_floating_point():
        return bool(torch.equal(found, wanted))
    finite = wanted[wanted.isfinite()]
    largest = float(finite.abs().max()) if finite.numel() else 0.0
    return bool(torch.allclose(found, wanted, rtol=_RELATIVE, atol=_ABSOLUTE * largest, equal_nan=True))


def _without_lost_writes(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """Returns the program without in-place operations where a write through a view would be on no edge."""
    if not any(_is_lost_write(node) for node in program.graph.nodes):
        return program
    return program.run_decompositions({})


def _is_lost_write(node: torch.fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or not schema.is_mutable:
        return False
    written = node.all_input_nodes[0] if node.all_input_nodes else None
    return written is not None and (_is_view(written) or (not node.users and written.op != "placeholder"))


def _is_view(node: torch.fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or schema.is_mutable:
        return False
    return any(result.alias_info is not None for result in schema.returns)


def _copied(values: Any) -> Any:
    """Returns nested values with copies of their tensors, except parameters."""

    def copied(value: Any) -> Any:
        return value.clone() if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter) else value

    return _pytree.tree_map(copied, values)


@contextmanager
def _inference(model: nn.Module) -> Iterator[None]:
    """Puts every module into inference mode within the block."""
    training = [module for module in model.modules() if module.training]
    fast = torch.backends.mha.get_fastpath_enabled()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)  # it is a shortcut of transformers that is not traced
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module in training:
            module.training = True


@contextmanager
def _as_before(model: nn.Module) -> Iterator[None]:
    """Restores buffers that a pass in the block writes to."""
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with _same_chance():
            yield
    finally:
        for buffer, before in buffers:
            buffer.copy_(before)


@contextmanager
def _same_chance() -> Iterator[None]:
    """Seeds the random numbers within the block, the same in every one, and restores their state after it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


_PARAMETER = "VariableV2"
_INPUT = "Placeholder"
_OUTPUT = "Identity"
"""As TensorFlow writes the results of a function."""


def forward_graph(
    model: nn.Module, targets: Mapping[str, Target], example: Sequence[Any], keywords: Mapping[str, Any]
) -> ForwardGraph | None:
    """Traces `model` in inference mode; see `activis_tb.torch.Capture.graph`.

    Args:
        model: Stays as it is.
        targets: By name, the modules whose output tensors are to be found in the graph.
        example: Arguments of the model, for a few instances.
        keywords: Keyword arguments.

    Raises:
        ArgumentError: A layer returns no such tensor.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = trace(model, targets, example, keywords)
    except ArgumentError:
        raise
    except Exception as error:  # a model may fail to be traced in any way
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
    """GraphDef of an exported program; `names` has by node of the program the name of its tensor.

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
        """The name scope of the innermost module of an operation; every further call of a module has its own."""
        path = ""
        for key, (qualified, kind) in node.meta.get("nn_module_stack", {}).items():
            name = plain_name(qualified.removeprefix(ROOT).removeprefix(".").partition("@")[0])
            call = key.rpartition("@")[2] if "@" in key else ""
            path = name.replace(".", "/") + (f"_{call}" if call else "")
            if path and path not in self._scopes:
                self._scopes[path] = (str(kind).rpartition(".")[2], name.rpartition(".")[2])
        return path

    def finish(self, outputs: Sequence[Any]) -> None:
        """Adds the outputs of the model, and notes the kind and name of each module at its first node."""
        for position, output in enumerate(dict.fromkeys(output for output in outputs if output in self.names)):
            self.graph_def.node.add(name=f"{_OUTPUT}_{position}", op=_OUTPUT, input=[self.names[output]])
        for scope, (kind, name) in self._scopes.items():
            inside = next((node for node in self.graph_def.node if node.name.startswith(f"{scope}/")), None)
            if inside is not None:
                inside.attr[SCOPES_ATTRIBUTE].list.s.append(json.dumps([scope, kind, name]).encode())


def _argument_names(model: nn.Module, count: int) -> list[str]:
    """Returns the names of the arguments of `forward`, where it names all of them."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(model.forward).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind in kinds]
    return names[:count] if len(names) >= count else []
