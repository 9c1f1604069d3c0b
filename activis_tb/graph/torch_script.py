"""TorchScript graphs of PyTorch's `SummaryWriter.add_graph`, and how they differ from those of TensorFlow.

Modules are name scopes such as `Net/Sequential[blocks]/Block[0]/Conv2d[conv1]`; parameters are read by `prim::GetAttr`
from module objects that are not in the graph; inputs and results are both `IO Node`.
"""

import re
from collections.abc import Iterable, Sequence

from tensorboard.compat.proto import node_def_pb2

_MODULE = re.compile(r"(?P<kind>[\w.]+)\[(?P<name>[^\[\]]*)\]")
_ENTRY = re.compile(r"(name|value)\s*:\s*([^,}]*)")
_TYPES = {
    **{"prim::GetAttr": "VariableV2", "prim::Constant": "Const", "prim::ListConstruct": "Pack"},
    **{"aten::size": "Shape", "prim::NumToTensor": "Cast", "aten::Int": "Cast"},
    **dict.fromkeys(("aten::view", "aten::reshape"), "Reshape"),
}


def operator_type(node: node_def_pb2.NodeDef) -> str:
    """Returns the operator's type, by TensorFlow's name where it is a pass-through operation."""
    if node.op == "IO Node":
        return "_Retval" if node.input else "Placeholder"
    return _TYPES.get(node.op, str(node.op))


def inputs(node: node_def_pb2.NodeDef) -> Sequence[str]:
    """Returns the inputs of `node` that are operations."""
    return () if node.op == "prim::GetAttr" else node.input


def modules(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Returns by scope that is a module its (kind, name), e.g. `Net/Conv2d[stem]`: `Conv2d`, `stem`."""
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        parts = name.split("/")[:-1] if "[" in name else ()
        for length, part in enumerate(parts, 1):
            match = _MODULE.fullmatch(part)
            if match:
                found.setdefault("/".join(parts[:length]), (match["kind"], match["name"]))
    return found


def path(scope: str) -> list[str]:
    """Returns the parts of a scope, modules by their names alone."""
    return [match["name"] if (match := _MODULE.fullmatch(part)) else part for part in scope.split("/")]


def parameter_name(node: node_def_pb2.NodeDef) -> str:
    """Returns the name of the parameter that a `prim::GetAttr` reads, e.g. `blocks/0/conv1/weight`."""
    scope = [match["name"] for part in node.name.split("/") if (match := _MODULE.fullmatch(part))]
    return "/".join([*scope, entry(node)])


def entry(node: node_def_pb2.NodeDef) -> str:
    """Returns what a `prim::GetAttr` or `prim::Constant` gets: the parameter's name, or the value as text."""
    text = node.attr["attr"].s.decode(errors="replace") if "attr" in node.attr else ""
    found = _ENTRY.search(text)
    return found[2].strip() if found else ""
