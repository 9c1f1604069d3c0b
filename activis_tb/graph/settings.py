"""An operator's settings as text, for its card."""

from collections.abc import Mapping

from tensorboard.compat.proto import attr_value_pb2

from activis_tb.graph.parsing import Operation

_NOT_SETTINGS = frozenset(
    {"T", "N", "Tidx", "Taxis", "Tindices", "Tparams", "Tdim", "Tshape", "Index", "dtype", "use_cudnn_on_gpu"}
    | {"incompatible_shape_error", "parallel_iterations", "swap_memory"}
)
_LIMIT = 200


def settings(operation: Operation, constants: Mapping[str, str]) -> dict[str, str]:
    """Returns what sets this operator apart from others of its type, by name; a switch only where it is on.

    Args:
        operation: Its attributes are taken, types and bookkeeping left out.
        constants: By exact name, the constants that it takes as inputs, as text.
    """
    named = {name.rpartition("/")[2]: value for name, value in constants.items()}
    texts = {name: value for name, value in named.items() if not name.isdecimal()}
    for key in sorted(operation.node.attr):
        text = "" if key.startswith("_") or key in _NOT_SETTINGS else _text(operation.node.attr[key])
        if text and not (key.endswith("_mask") and text == "0"):
            texts[key] = text if len(text) <= _LIMIT else f"{text[: _LIMIT - 1]}…"
    return texts


def _text(value: attr_value_pb2.AttrValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "s":
        return str(value.s.decode(errors="replace"))
    if kind == "b":
        return "True" if value.b else ""
    if kind == "i":
        return str(value.i)
    if kind == "f":
        return f"{value.f:.6g}"
    if kind == "func":
        return str(value.func.name)
    if kind == "list" and value.list.i:
        return ", ".join(map(str, value.list.i))
    return ""
