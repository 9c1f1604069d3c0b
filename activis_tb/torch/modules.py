"""Modules of a model by the names PyTorch gives them, and entries of what they return."""

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
    """What is to be captured.

    Attributes:
        module: Whose output.
        path: Its name in the model.
        call: Which of its calls, counted from 1; None where it has but one.
        entries: Keys that lead from the output to a tensor inside of it; none for the first one.
    """

    module: nn.Module
    path: str
    call: int | None
    entries: tuple[str, ...] = ()


def original(model: nn.Module) -> nn.Module:
    """Returns the module that `torch.compile` was given, `model` itself where it is not compiled."""
    while _COMPILED in model._modules:  # noqa: SLF001 (attributes of a compiled module are those of the original)
        model = model._modules[_COMPILED]  # noqa: SLF001
    return model


@contextmanager
def uncompiled() -> Iterator[None]:
    """Inside of the block, what `torch.compile` made runs as it would without it: compiled code calls no new hooks."""
    set_stance = getattr(torch.compiler, "set_stance", None)
    if "torch._dynamo" not in sys.modules or set_stance is None:
        yield
        return
    with set_stance("force_eager"):
        yield


def named_modules(model: nn.Module) -> dict[str, nn.Module]:
    """Returns every module by its name, as if none of them were compiled; the model's own name is empty."""
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
    """Returns a name without what `torch.compile` adds to it."""
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
    """Returns what a tuple, list, mapping, dataclass or other object holds, by key; nothing for a tensor."""
    if isinstance(output, Mapping):
        return {str(key): value for key, value in output.items()}
    if isinstance(output, tuple | list):
        return {str(position): value for position, value in enumerate(output)}
    if isinstance(output, torch.Tensor | type | nn.Module) or hasattr(output, "shape"):
        return {}
    return dict(getattr(output, "__dict__", {}))
