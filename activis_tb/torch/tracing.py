"""A PyTorch model as torch.export traces it, and which of its nodes have the values that chosen modules return."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils import _pytree

from activis_tb.torch.modules import Target, plain_name, uncompiled
from activis_tb.torch.outputs import chosen_output

ROOT = "model"
"""Under which name the traced wrapper holds the model."""
_RELATIVE = 1e-4
_ABSOLUTE = 1e-6
"""How far values may be apart that are computed in another way, the absolute in units of the largest value."""


class Trace(NamedTuple):
    """A traced model.

    Attributes:
        program: What the wrapper around the model computes.
        results: Names of the nodes that the model returns.
        nodes: By layer name, the node whose values the layer has; a layer that no node has the values of is not there.
        added: Names of nodes that only tracing needed.
    """

    program: torch.export.ExportedProgram
    results: tuple[Any, ...]
    nodes: Mapping[str, str]
    added: frozenset[str]


def trace(
    model: nn.Module, targets: Mapping[str, Target], example: Sequence[Any], keywords: Mapping[str, Any]
) -> Trace:
    """Traces `model` in inference mode and runs both on the example, to compare their values; neither is changed.

    Args:
        model: The model.
        targets: By layer name, the modules whose outputs are looked for.
        example: What the model is called with.
        keywords: The same, by name.
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
    """Returns what chosen modules return besides the model's own output."""

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
    """Yields what fills with copies of what modules return, by layer and call, before anything is written to it."""
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
    """Runs a program node by node and notes which of them have the values that are looked for, when they are made."""

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
    """Returns the node of the values that were copied, or another one that has them; empty where none has."""
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
    """Returns the program in operations that write nothing, where a write through a view would be on no edge."""
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
    """Returns nested values with copies of their tensors, but of parameters."""

    def copied(value: Any) -> Any:
        return value.clone() if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter) else value

    return _pytree.tree_map(copied, values)


@contextmanager
def _inference(model: nn.Module) -> Iterator[None]:
    """Puts every module into inference mode for a while."""
    training = [module for module in model.modules() if module.training]
    fast = torch.backends.mha.get_fastpath_enabled()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)  # a shortcut of transformers that is not traced
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module in training:
            module.training = True


@contextmanager
def _as_before(model: nn.Module) -> Iterator[None]:
    """What a pass inside of the block writes to buffers is undone."""
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with _same_chance():
            yield
    finally:
        for buffer, before in buffers:
            buffer.copy_(before)


@contextmanager
def _same_chance() -> Iterator[None]:
    """Random numbers are the same ones in every such block, and outside of it what they would have been."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
