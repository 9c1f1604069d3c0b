"""Finds modules of a model by the names PyTorch gives them."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from torch import nn

from activis_tb.errors import ArgumentError

_NAMES_SHOWN = 12


class Target(NamedTuple):
    """What is to be captured: a module, and which of its calls, counted from 1; None where it has but one."""

    module: nn.Module
    call: int | None


def find_modules(model: nn.Module, names: Iterable[str]) -> dict[str, Target]:
    """Returns the modules called `names`, in that order.

    A name is what `model.named_modules()` says (`fc1`, `features.3`); `relu:2` is the second call of a module that one
    forward pass calls several times.

    Raises:
        ArgumentError: There is no such module.
    """
    modules = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    return {name: _target(model, name, modules) for name in names}


def _target(model: nn.Module, name: str, modules: dict[str, nn.Module]) -> Target:
    path, _, call = name.rpartition(":")
    if name not in modules and path in modules and call.isdecimal() and int(call) > 0:
        return Target(modules[path], int(call))
    if name in modules:
        return Target(modules[name], None)
    close = difflib.get_close_matches(name, modules, n=3, cutoff=0.5)
    shown = ", ".join(map(repr, list(modules)[:_NAMES_SHOWN])) + (", …" if len(modules) > _NAMES_SHOWN else "")
    way_out = f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ArgumentError("layers", repr(name), f"modules of {type(model).__name__}: {shown or 'none'}", way_out)
