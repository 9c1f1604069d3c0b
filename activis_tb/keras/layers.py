"""Layers of a Keras model by the names that the user knows them by."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import keras

from activis_tb.errors import ArgumentError

_NAMES_SHOWN = 12
_CLOSE = 0.6


class Target(NamedTuple):
    """Layer to be recorded, and which of its calls, counted from 1; None where it has only one."""

    layer: keras.Layer
    call: int | None


def find_layers(model: keras.Model, names: Iterable[str]) -> dict[str, Target]:
    """Returns the layers called `names`, in that order.

    A name is a layer's name (`hidden`), its path from the model (`encoder/dense`, for nested ones), or, for models that
    are classes, the attribute that holds it (`self.hidden`). A nested layer may go by its name alone where no other
    layer has it. Of a layer that the model calls several times, `hidden:2` is the second call.

    Raises:
        ArgumentError: There is no such layer, several have that name, or two names are one layer.
    """
    paths = dict(sublayers(model))
    found: dict[str, Target] = {}
    for name in names:
        target = _target(model, name, paths)
        same = next((other for other, known in found.items() if known == target), None)
        if same is not None:
            raise ArgumentError("layers", f"{same!r} and {name!r}, which are one layer", "every layer once")
        found[name] = target
    return found


def sublayers(layer: keras.Layer, prefix: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """Yields (path, layer) for all layers inside of `layer`, outer ones first."""
    children = layer._flatten_layers(include_self=False, recursive=False)  # noqa: SLF001 (Keras has no public way)
    for child in children:
        if isinstance(child, keras.layers.InputLayer) or child is layer:
            continue
        path = f"{prefix}{child.name}"
        yield path, child
        yield from sublayers(child, f"{path}/")


def linear_layers(model: keras.Model, classes: int) -> list[tuple[Any, Any]]:
    """Returns kernel (inputs, units) and bias (units,), or None, of Dense layers that may give scores, in reverse."""
    dense = [layer for _, layer in sublayers(model) if isinstance(layer, keras.layers.Dense) and layer.built]
    return [
        (keras.ops.convert_to_numpy(layer.kernel), keras.ops.convert_to_numpy(layer.bias) if layer.use_bias else None)
        for layer in reversed(dense)
        if layer.units in {classes, 1}
    ]


def _target(model: keras.Model, name: str, paths: dict[str, keras.Layer]) -> Target:
    path, _, call = name.rpartition(":")
    if name in paths or not path or not call.isdecimal():
        return Target(_find(model, name, paths), None)
    if int(call) < 1:
        raise ArgumentError("layers", repr(name), "calls counted from 1", f"The first is {f'{path}:1'!r}.")
    return Target(_find(model, path, paths), int(call))


def _find(model: keras.Model, name: str, paths: dict[str, keras.Layer]) -> keras.Layer:
    if name in paths:
        return paths[name]
    held = _attribute(model, name)
    if held is not None:
        return held
    inner = {path: layer for path, layer in paths.items() if path.endswith(f"/{name}")}
    if len({id(layer) for layer in inner.values()}) == 1:
        return next(iter(inner.values()))
    if inner:
        raise ArgumentError(
            "layers", repr(name), f"one of {', '.join(map(repr, inner))}", "Give the path of the layer."
        )
    close = _close(name, [*paths, *_held_layers(model)])
    names = ", ".join(map(repr, list(paths)[:_NAMES_SHOWN])) + (", …" if len(paths) > _NAMES_SHOWN else "")
    way_out = f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ArgumentError("layers", repr(name), f"layers of the model {model.name!r}: {names}", way_out)


def _close(name: str, known: Iterable[str]) -> list[str]:
    """Returns up to three names similar to `name`, by the whole path of a layer or its last part."""

    def likeness(path: str) -> float:
        parts = path.casefold().split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return max(difflib.SequenceMatcher(None, name.casefold(), end).ratio() for end in ends)

    ranked = sorted({path: likeness(path) for path in known}.items(), key=lambda item: -item[1])
    return [path for path, ratio in ranked[:3] if ratio >= _CLOSE]


def _held_layers(model: keras.Model) -> list[str]:
    """Returns the names of the attributes that hold layers."""
    return [name for name, held in _held_by(model).items() if isinstance(held, keras.Layer) and name[0] != "_"]


def _attribute(model: keras.Model, path: str) -> keras.Layer | None:
    held: object = model
    for part in path.split("/"):
        held = _held_by(held).get(part) if isinstance(held, keras.Layer) else None
    return held if isinstance(held, keras.Layer) else None


def _held_by(layer: keras.Layer) -> dict[str, object]:
    """Returns the attributes of `layer` without computing properties; in PyTorch, submodules are held elsewhere."""
    held: dict[str, object] = vars(layer) | vars(layer).get("_modules", {})
    return held
