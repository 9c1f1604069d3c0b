"""Modules of a model by name, and the tensor in their output to record, with the instances on its first axis."""

import dataclasses
import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from activis_tb.errors import ArgumentError

_NAMES_SHOWN = 12
_NAME = re.compile(r"(?P<path>[^\[\]]*?)(?::(?P<call>[1-9]\d*))?(?P<entries>(?:\[[^\[\]]+\])*)")
_COMPILED = "_orig_mod"
"""Under which name what `torch.compile` returns holds the module that it was given."""


class Target(NamedTuple):
    """Output to be captured.

    Attributes:
        module: Of the output.
        path: Its name in the model.
        call: Which of its calls, counted from 1; None where it has only one.
        entries: Keys that lead from the output to a tensor in it; none for the first one.
    """

    module: nn.Module
    path: str
    call: int | None
    entries: tuple[str, ...] = ()


def original(model: nn.Module) -> nn.Module:
    """Returns the module that was compiled by `torch.compile`, or `model` itself."""
    while _COMPILED in model._modules:  # noqa: SLF001 (attributes of a compiled module are those of the original)
        model = model._modules[_COMPILED]  # noqa: SLF001
    return model


@contextmanager
def uncompiled() -> Iterator[None]:
    """Within the block, compiled modules run uncompiled: compiled code calls no new hooks."""
    set_stance = getattr(torch.compiler, "set_stance", None)
    if "torch._dynamo" not in sys.modules or set_stance is None:
        yield
        return
    with set_stance("force_eager"):
        yield


def named_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Returns every module by its name without `torch.compile`; the model's own name is empty."""
    named = model.named_modules(remove_duplicate=False)
    return {plain_name(name): module for name, module in named}


def find_modules(model: nn.Module, names: Iterable[str]) -> dict[str, Target]:
    """Returns the modules called `names`, in that order.

    A name is what `model.named_modules()` says (`fc1`, `features.3`); `relu:2` is the second call of a module that one
    forward pass calls several times; `lstm[1]`, `encoder[hidden_states][2]` are entries of a tuple, dict or dataclass
    that a module returns, `[logits]` one of what the model itself returns.

    Raises:
        ArgumentError: There is no such module.
    """
    modules = named_modules(model)
    targets = {name: _target(model, name, modules) for name in names}
    for name, target in targets.items():
        if isinstance(target.module, torch.jit.ScriptModule):
            got = f"{name!r} of a module that torch.jit compiled, which calls no hooks"
            raise ArgumentError("layers", got, "a module in Python", "Capture the model that it was compiled from.")
    return targets


def modules_around(model: nn.Module, path: str) -> dict[str, nn.Module]:
    """Returns the modules from `model` to the one called `path`, both included, by name."""
    modules, parts = named_modules(model), path.split(".") if path else []
    return {name: modules[name] for name in (".".join(parts[:length]) for length in range(len(parts) + 1))}


def plain_name(name: str) -> str:
    """Returns a name without the prefix of `torch.compile`."""
    return ".".join(part for part in name.split(".") if part != _COMPILED)


def _target(model: nn.Module, name: str, modules: Mapping[str, nn.Module]) -> Target:
    plain = plain_name(name)
    if plain and plain in modules:
        return Target(modules[plain], plain, None)
    match = _NAME.fullmatch(plain)
    if match and match["path"] in modules and (match["path"] or match["entries"]):
        call = int(match["call"]) if match["call"] else None
        entries = tuple(re.findall(r"\[([^\[\]]+)\]", match["entries"]))
        return Target(modules[match["path"]], match["path"], call, tuple(entry.strip("'\" ") for entry in entries))
    raise _no_module(model, plain, [known for known in modules if known])


def _no_module(model: nn.Module, name: str, modules: list[str]) -> ArgumentError:
    close = difflib.get_close_matches(name, modules, n=3, cutoff=0.5)
    parent, _, entry = name.rpartition(".")
    if parent in modules and entry.isidentifier() and not close:
        close = [f"{parent}[{entry}]"]
    shown = ", ".join(map(repr, modules[:_NAMES_SHOWN])) + (", …" if len(modules) > _NAMES_SHOWN else "")
    way_out = f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return ArgumentError("layers", repr(name), f"modules of {type(model).__name__}: {shown or 'none'}", way_out)


def entries_of(output: Any) -> dict[str, Any]:
    """Returns the entries of a tuple, list, mapping, dataclass or other object by key; nothing for a tensor."""
    if isinstance(output, Mapping):
        return {str(key): value for key, value in output.items()}
    if isinstance(output, tuple | list):
        return {str(position): value for position, value in enumerate(output)}
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
    if isinstance(output, torch.Tensor | type | nn.Module) or hasattr(output, "shape"):
        return {}
    return dict(getattr(output, "__dict__", {}))


_MOST_CHOICES = 12
_DEEPEST = 4
_TRANSFORMERS = (
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
    nn.TransformerEncoder,
    nn.TransformerDecoder,
    nn.Transformer,
)


class Output(NamedTuple):
    """Tensor that a module returned.

    Attributes:
        tensor: As it was returned; a nested one is padded.
        path: The keys that lead to it.
        mask: Of a nested tensor, bool (instances, steps), False where it was padded; else None.
    """

    tensor: torch.Tensor
    path: tuple[str, ...]
    mask: torch.Tensor | None = None


def chosen_output(output: Any, target: Target, name: str) -> Output:
    """Returns the entry of `output` that `target` names, or the first tensor in it.

    Raises:
        ArgumentError: There is no such entry, or it is no dense tensor of real numbers.
    """
    if not target.entries and _is_dense(output):
        return Output(output, ())
    value = output
    path: list[str] = []
    for position, entry in enumerate(target.entries):
        entries = entries_of(value)
        key = _key(value, entries, entry)
        if key is None:
            if isinstance(value, torch.Tensor) and is_state(target.module, tuple(path)):
                return Output(_part_of_state(value, target.entries[position:], name), tuple(path))
            raise _refused(repr(name), output, name)
        path.append(key)
        value = entries[key]
    path += first_path(value)
    for key in path[len(target.entries) :]:
        value = entries_of(value)[key]
    if isinstance(value, nn.utils.rnn.PackedSequence):
        way_out = "Record a layer after torch.nn.utils.rnn.pad_packed_sequence, or give the model padded sequences."
        raise ArgumentError("layers", f"{name!r}, which returns a packed sequence", "a tensor", way_out)
    if isinstance(value, torch.Tensor) and value.is_nested and value.dim() == 3:
        lengths = torch.tensor([len(steps) for steps in value.unbind()])
        padded = torch.nested.to_padded_tensor(value, 0.0)
        return Output(padded, tuple(path), torch.arange(padded.shape[1]) < lengths[:, None])
    if not _is_dense(value):
        got = f"{value.dtype} {tuple(value.shape)}" if _is_strided(value) else type(value).__name__
        raise _refused(f"{name!r}, which returns {got}", output, name)
    return Output(value, tuple(path))


def first_path(output: Any) -> list[str]:
    """Returns the keys that lead to the first value in `output` without entries."""
    path = []
    while not isinstance(output, torch.Tensor | nn.utils.rnn.PackedSequence) and (entries := entries_of(output)):
        path.append(next((key for key, value in entries.items() if value is not None), next(iter(entries))))
        output = entries[path[-1]]
    return path


def first_tensor(output: Any) -> torch.Tensor | None:
    """Returns the first tensor of an output, None where the first value is no tensor of real numbers."""
    for key in first_path(output):
        output = entries_of(output)[key]
    return output if _is_dense(output) else None


def instances_first(output: Output, module: nn.Module, *, steps_first: bool) -> torch.Tensor:
    """Returns the tensor with the instances on the first axis.

    Args:
        output: The tensor to record.
        module: The module that returned it; recurrent ones have the instances of their states on the second axis.
        steps_first: Whether the module puts the steps of a sequence before the instances.
    """
    tensor = output.tensor
    if tensor.ndim != 3:
        return tensor
    if is_state(module, output.path):
        return tensor.transpose(0, 1)
    return tensor.transpose(0, 1) if steps_first and not is_attention_weights(module, output) else tensor


def is_attention_weights(module: nn.Module, output: Output) -> bool:
    """Whether these are attention weights (instances, ..., steps, steps), which always have the instances first."""
    return isinstance(module, nn.MultiheadAttention) and output.path == ("1",)


def puts_steps_first(module: nn.Module) -> bool:
    """Tells whether a recurrent, attention or transformer module has `batch_first=False`."""
    if isinstance(module, nn.TransformerEncoder | nn.TransformerDecoder):
        return len(module.layers) > 0 and puts_steps_first(module.layers[0])
    attention = getattr(module, "self_attn", module)
    return getattr(attention, "batch_first", True) is False


def modules_with_steps_first(model: nn.Module) -> set[nn.Module]:
    """Returns the modules that put the steps of a sequence before the instances, inner modules included."""
    found: set[nn.Module] = set()
    for module in model.modules():
        if puts_steps_first(module):
            found.update(module.modules() if isinstance(module, _TRANSFORMERS) else [module])
    return found


def _key(value: Any, entries: dict[str, Any], entry: str) -> str | None:
    if entry in entries:
        return entry
    if isinstance(value, tuple | list) and entry.startswith("-") and entry[1:].isdecimal():
        key = str(len(value) + int(entry))
        return key if key in entries else None
    fields = getattr(
        value, "_fields", getattr(value, "__match_args__", ())
    )  # of named tuples, of what torch.max returns
    return str(fields.index(entry)) if entry in fields else None


def is_state(module: nn.Module, path: tuple[str, ...]) -> bool:
    """Whether these are the last states of a recurrent module, (layers and directions, instances, neurons)."""
    return isinstance(module, nn.RNNBase) and path[:1] == ("1",)


def _part_of_state(state: torch.Tensor, entries: tuple[str, ...], name: str) -> torch.Tensor:
    (entry, *more) = entries
    numbers = [str(number) for number in range(-len(state), len(state))]
    if more or entry not in numbers or state.ndim != 3:
        expected = f"one of the layers and directions of the state, from 0 to {len(state) - 1}"
        raise ArgumentError("layers", repr(name), expected)
    return state[int(entry)]


def _is_strided(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_nested


def _is_dense(value: Any) -> bool:
    return _is_strided(value) and value.ndim > 0 and not value.is_complex()


def _refused(got: str, output: Any, name: str) -> ArgumentError:
    """The error for an output that is no tensor of instances, with the tensors that may be named instead."""
    choices = [f"{name.partition('[')[0]}{path}" for path in _choices(output)][:_MOST_CHOICES]
    if choices:
        return ArgumentError("layers", got, f"{' or '.join(map(repr, choices))}, which are tensors that it returns")
    expected = "a layer that returns a dense tensor of real numbers, the instances on the first axis"
    return ArgumentError("layers", got, expected, "Record another layer.")


def _choices(output: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    for key, value in entries_of(output).items() if depth < _DEEPEST else ():
        if _is_dense(value):
            yield f"{path}[{key}]"
        yield from _choices(value, f"{path}[{key}]", depth + 1)
