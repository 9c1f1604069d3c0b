"""GraphDef as checked operations: every input exists, every name is there once."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import graph_pb2, node_def_pb2, types_pb2

from activis_tb.graph import torch_script
from activis_tb.graph.functions import flatten
from activis_tb.model import SCOPES_ATTRIBUTE

_BOOLEAN_RESULTS = frozenset(
    {
        "Less",
        "LessEqual",
        "Greater",
        "GreaterEqual",
        "Equal",
        "NotEqual",
        "LogicalAnd",
        "LogicalOr",
        "LogicalNot",
        "IsNan",
    }
)
_RESULT_TYPE_ATTRIBUTES = ("DstT", "dtype", "out_type", "output_type", "Tparams", "T")
_NAMED_AT_MOST = 3
_NAME = re.compile(r"[^/:]+(/[^/:]+){0,127}")
"""Every part is a group that the operation stands in: a name of more is no name of a model's."""


class Output(NamedTuple):
    """One output of an operation: the tensor `operation:position`."""

    operation: str
    position: int

    def __str__(self) -> str:
        return f"{self.operation}:{self.position}"


@dataclass(frozen=True)
class Operation:
    """One NodeDef whose inputs are known to exist.

    Attributes:
        name: Exact name.
        type: Operator type, e.g. `MatMul`; for PyTorch's pass-through operations TensorFlow's name.
        inputs: By slot; None where the input is missing from the graph.
        controls: Names of the operations it waits for.
        node: The message it was read from.
    """

    name: str
    type: str
    inputs: tuple[Output | None, ...]
    controls: tuple[str, ...]
    node: node_def_pb2.NodeDef

    def shape(self, index: int) -> tuple[int, ...] | None:
        """Returns the shape of an output, -1 for an unknown axis; None where the rank is unknown."""
        for key in ("_output_shapes", "output_shapes"):
            shapes = self.node.attr[key].list.shape if key in self.node.attr else ()
            if index < len(shapes):
                return None if shapes[index].unknown_rank else tuple(dim.size for dim in shapes[index].dim)
        if self.type == "Placeholder" and "shape" in self.node.attr and not self.node.attr["shape"].shape.unknown_rank:
            return tuple(dim.size for dim in self.node.attr["shape"].shape.dim)
        return None

    def dtype(self, index: int) -> str:
        """Returns the type of an output, e.g. `float32`; empty where it cannot be told without operator definitions."""
        attributes = self.node.attr
        if "Tout" in attributes:
            types = attributes["Tout"].list.type
            return _type_name(types[index]) if index < len(types) else ""
        if self.type in _BOOLEAN_RESULTS:
            return "bool"
        if "T" in attributes and index < len(attributes["T"].list.type):
            return _type_name(attributes["T"].list.type[index])
        for key in _RESULT_TYPE_ATTRIBUTES:
            if attributes[key].type if key in attributes else 0:
                return _type_name(attributes[key].type)
        return ""


@dataclass(frozen=True)
class Operations:
    """The operations of a graph by name, in the order of the source, function calls inlined.

    Attributes:
        by_name: The operations.
        consumers: By output, who uses it in which slot.
        layers: By name scope, (kind, name) of the layer it belongs to, as the tracer noted it.
        results_known: Whether all results of the graph leave it by an Identity.
        titles: By name scope, what to call it instead of its last part.
        aliases: By output of a call, as text, the output of an operation that it is.
        warnings: What was wrong with the source.
    """

    by_name: Mapping[str, Operation]
    consumers: Mapping[Output, Sequence[tuple[str, int]]]
    layers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    results_known: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def output(self, tensor: str) -> Output | None:
        """Returns the output of the exact name `tensor`, such as `net/hidden/Relu:0`; None where there is none."""
        name, _, index = self.aliases.get(tensor, tensor).partition(":")
        return Output(name, int(index or 0)) if name in self.by_name and (not index or index.isdecimal()) else None

    @cached_property
    def uses(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """By name, who uses any of its outputs in which slot."""
        uses: dict[str, list[tuple[str, int]]] = {}
        for output, users in self.consumers.items():
            uses.setdefault(output.operation, []).extend(users)
        return uses


def parse_operations(graph_def: bytes) -> Operations:
    """Returns the operations of a serialised GraphDef, calls of its functions resolved. Never raises."""
    try:
        message = graph_pb2.GraphDef.FromString(graph_def)
    except DecodeError:
        return Operations({}, {}, warnings=("The graph cannot be read: its bytes are damaged or not a GraphDef.",))
    if not message.node:
        return Operations({}, {}, warnings=("The graph is empty.",))
    flat = flatten(message)
    nodes: dict[str, node_def_pb2.NodeDef] = {}
    nameless = [node.name for node in flat.nodes if not _NAME.fullmatch(node.name)]
    for node in flat.nodes:
        if _NAME.fullmatch(node.name):
            nodes.setdefault(node.name, node)
    missing: list[str] = []
    by_name = {name: _operation(node, nodes, missing) for name, node in nodes.items()}
    counts = Counter(node.name for node in flat.nodes)
    duplicates = [name for name, count in counts.items() if count > 1 and name in nodes]
    warnings = [
        *_warn(nameless, "operations have no proper name and are left out"),
        *_warn(duplicates, "operation names are used more than once, and only the first of each is shown"),
        *_warn(missing, "inputs are not in the graph and are left out"),
        *(text for why, calls in flat.kept.items() for text in _warn(calls, f"calls {why} and are shown closed")),
    ]
    noted = _layers(nodes.values())
    layers = {**torch_script.modules(nodes), **noted}
    consumers = _consumers(by_name)
    identities = (Output(name, 0) for name, operation in by_name.items() if operation.type == "Identity")
    traced = bool(noted) and any(output not in consumers for output in identities)
    return Operations(by_name, consumers, layers, traced, flat.titles, flat.resolved(), tuple(warnings))


def _operation(node: node_def_pb2.NodeDef, nodes: Mapping[str, node_def_pb2.NodeDef], missing: list[str]) -> Operation:
    inputs: list[Output | None] = []
    controls = []
    for text in torch_script.inputs(node):
        control, name, index = _parse_input(text)
        if name not in nodes:
            missing.append(text)
        if control:
            controls += [name] if name in nodes else []
        else:
            inputs.append(Output(name, index) if name in nodes else None)
    return Operation(node.name, torch_script.operator_type(node), tuple(inputs), tuple(dict.fromkeys(controls)), node)


def _parse_input(text: str) -> tuple[bool, str, int]:
    """Splits `^name`, `name`, `name:1` and, in functions, `name:output:1`."""
    name, *rest = text.removeprefix("^").split(":")
    index = int(rest[-1]) if rest and rest[-1].isdecimal() else 0
    return text.startswith("^"), name, index


def _consumers(by_name: Mapping[str, Operation]) -> dict[Output, list[tuple[str, int]]]:
    consumers: dict[Output, list[tuple[str, int]]] = {}
    for operation in by_name.values():
        for slot, output in enumerate(operation.inputs):
            if output is not None:
                consumers.setdefault(output, []).append((operation.name, slot))
    return consumers


def _layers(nodes: Iterable[node_def_pb2.NodeDef]) -> dict[str, tuple[str, str]]:
    layers: dict[str, tuple[str, str]] = {}
    for node in nodes:
        for text in node.attr[SCOPES_ATTRIBUTE].list.s if SCOPES_ATTRIBUTE in node.attr else ():
            try:
                scope, kind, name = json.loads(text)
            except ValueError:
                continue
            layers.setdefault(str(scope), (str(kind), str(name)))
    return layers


def _warn(names: Sequence[str], what: str) -> list[str]:
    if not names:
        return []
    shown = ", ".join(repr(name) for name in names[:_NAMED_AT_MOST])
    return [f"{len(names)} {what}: {shown}{', …' if len(names) > _NAMED_AT_MOST else ''}."]


@cache
def _type_name(value: int) -> str:
    """Returns a TensorFlow type as NumPy would write it: DT_FLOAT is float32; reference types like their values."""
    value = value - 100 if value > 100 else value
    if value not in types_pb2.DataType.values():
        return ""
    name: str = types_pb2.DataType.Name(value).removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)
