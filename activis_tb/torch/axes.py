"""Channel axis of a module's output: known from its class, or traced from the modules before it."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

import torch
from torch import nn
from torch.nn.modules import activation, batchnorm, conv, dropout, instancenorm, padding, pooling
from torch.utils.weak import WeakIdKeyDictionary

from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec
from activis_tb.torch.modules import Output, Target, first_tensor, is_attention_weights, modules_with_steps_first

_CHANNELS_FIRST: tuple[tuple[type[nn.Module], str], ...] = (
    (conv._ConvNd, "out_channels"),  # noqa: SLF001 (PyTorch has no public name for the kind)
    (batchnorm._BatchNorm, "num_features"),  # noqa: SLF001
    (instancenorm._InstanceNorm, "num_features"),  # noqa: SLF001
    (nn.GroupNorm, "num_channels"),
    *(
        (kind, "")
        for kind in (
            pooling._MaxPoolNd,  # noqa: SLF001
            pooling._AvgPoolNd,  # noqa: SLF001
            pooling._AdaptiveAvgPoolNd,  # noqa: SLF001
            pooling._AdaptiveMaxPoolNd,  # noqa: SLF001
            pooling._LPPoolNd,  # noqa: SLF001
            pooling._MaxUnpoolNd,  # noqa: SLF001
            padding._ConstantPadNd,  # noqa: SLF001
            padding._ReflectionPadNd,  # noqa: SLF001
            padding._ReplicationPadNd,  # noqa: SLF001
            nn.FractionalMaxPool2d,
            nn.FractionalMaxPool3d,
            nn.LocalResponseNorm,
            nn.PixelShuffle,
            nn.PixelUnshuffle,
            nn.ChannelShuffle,
            nn.Upsample,
            nn.Fold,
            nn.Unfold,
        )
    ),
)
"""Kinds of modules whose channels are on axis 1, and what they call their number."""
_CHANNELS_LAST: tuple[tuple[type[nn.Module], str], ...] = (
    (nn.Linear, "out_features"),
    (nn.Bilinear, "out_features"),
    (nn.Embedding, "embedding_dim"),
    (nn.LayerNorm, "normalized_shape"),
    *(((nn.RMSNorm, "normalized_shape"),) if hasattr(nn, "RMSNorm") else ()),
    (nn.MultiheadAttention, "embed_dim"),
    *(
        (kind, "")
        for kind in (
            nn.RNNBase,
            nn.TransformerEncoderLayer,
            nn.TransformerDecoderLayer,
            nn.TransformerEncoder,
            nn.TransformerDecoder,
            nn.Transformer,
        )
    ),
)
"""Kinds of modules whose channels are on the last axis, and what they call their number."""


class Place(NamedTuple):
    """Place of the channels in one output.

    Attributes:
        axis: Counted from 0.
        is_certain: Whether that follows from the modules; else it is one of two readings.
        steps_first: Whether the steps of a sequence come before the instances.
    """

    axis: int
    is_certain: bool
    steps_first: bool = False


class Kind(NamedTuple):
    """Channels by a module's class.

    Attributes:
        is_first: Whether the channels are on axis 1, else on the last.
        channels: Their number; None where the class leaves it open.
    """

    is_first: bool
    channels: int | None


class _Seen(NamedTuple):
    """Output with a known place; `tensor` is kept alive, so that its memory is not reused."""

    module: nn.Module
    tensor: torch.Tensor
    place: Place


class ChannelAxes:
    """Channel axes traced through the modules of one pass.

    Args:
        steps_first: Modules that put the steps of a sequence before the instances.
    """

    def __init__(self, steps_first: set[nn.Module]) -> None:
        self._steps_first = steps_first
        self._places: WeakIdKeyDictionary[Place] = WeakIdKeyDictionary()
        self._latest: _Seen | None = None

    def see(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        """Notes where the channels of `output` are, for the modules after it.

        Args:
            module: The module that returned it; its inner calls have been seen.
            inputs: Of the call.
            output: The tensor, of rank > 1.
        """
        place = self.place(module, inputs, output)
        self._places[output] = place
        self._latest = _Seen(module, output, place)

    def place(self, module: nn.Module, inputs: Any, output: torch.Tensor) -> Place:
        """Returns where the channels are in one of the outputs of `module`, see `see`."""
        if output.ndim < 3:  # the modules after it may return a higher rank
            return Place(1, is_certain=True)
        given = _first(inputs)
        before = self._places.get(given) if given is not None else None
        found = own_place(module, output, steps_first=module in self._steps_first)
        if found is None:
            return self._followed(module, output, given, before)
        follows = before is not None and before.steps_first and output.ndim == 3
        return found._replace(steps_first=True) if follows else found

    def forget(self) -> None:
        """Releases the tensors of the pass."""
        self._latest = None

    def _followed(
        self, module: nn.Module, output: torch.Tensor, given: torch.Tensor | None, before: Place | None
    ) -> Place:
        if output in self._places:  # the output of an inner module, or of an earlier one
            place: Place = self._places[output]
            return place
        inside = self._latest is not None and self._latest.module in set(module.modules()) - {module}
        readings = [default_place(output)]
        if self._latest is not None:
            readings.insert(0, _derived(self._latest.tensor, self._latest.place, output, is_made_of_it=inside))
        axis = None if inside else _axis_of_parameters(module, output)
        if axis is not None:
            readings.insert(0, Place(axis, is_certain=True))
        if given is not None and before is not None:
            keeps_axes = _works_on_each_value(module)
            reading = _carried(given, before, output, keeps_axes=keeps_axes)
            readings.insert(1 if inside else 0, reading)
        return next((reading for reading in readings if reading.is_certain), readings[0])


def own_place(module: nn.Module, output: torch.Tensor, *, steps_first: bool) -> Place | None:
    """Returns where a module of a known kind puts its channels; None for any other.

    A class of the user's own may put them elsewhere, as a LayerNorm2d does: their number shows it.
    """
    kind = kind_of(module)
    if kind is None:
        return None
    axis = 1 if kind.is_first else output.ndim - 1
    is_as_known = type(module).forward.__module__.partition(".")[0] == "torch"
    if is_as_known and kind.channels in {None, output.shape[axis]}:
        return Place(axis, is_certain=True, steps_first=steps_first)
    if kind.channels is None:
        return None
    axes = _axes_of_size(output, kind.channels)
    return Place(axes[0] if len(axes) == 1 else axis, is_certain=len(axes) == 1, steps_first=steps_first)


def kind_of(module: nn.Module) -> Kind | None:
    """Returns what is known of a module by its class, or None."""
    for is_first, kinds in ((True, _CHANNELS_FIRST), (False, _CHANNELS_LAST)):
        for kind, attribute in kinds:
            if isinstance(module, kind):
                channels = getattr(module, attribute) if attribute else None
                if isinstance(channels, tuple | list):  # in LayerNorm((C, H, W)) any axis may have the channels
                    return Kind(is_first, channels[0]) if len(channels) == 1 else None
                return Kind(is_first, channels)
    return None


def default_place(output: torch.Tensor) -> Place:
    """Returns where the channels are taken to be if nothing shows it."""
    return Place(1 if output.ndim > 3 else output.ndim - 1, is_certain=False)


def _carried(before: torch.Tensor, place: Place, after: torch.Tensor, *, keeps_axes: bool = False) -> Place:
    """Returns where the channels of `before` are in `after`, which was computed from it in an unknown way.

    A view shows it by its strides; else it is the only axis of as many channels, or the only one that has changed.

    Args:
        before: A tensor with known channels.
        place: Where they are.
        after: The tensor computed from it.
        keeps_axes: Whether the axes are known to be the same.
    """
    if after is before or (keeps_axes and after.ndim == before.ndim):
        return place
    if not place.is_certain or place.axis >= before.ndim:
        return default_place(after)
    channels = before.shape[place.axis]
    axes = _axes_of_size(after, channels)
    if after.untyped_storage().data_ptr() == before.untyped_storage().data_ptr() and after.numel() == before.numel():
        strided = [axis for axis in axes if after.stride(axis) == before.stride(place.axis)]
        axes = strided if len(strided) == 1 else axes
        if len(strided) == 1:
            return Place(axes[0], is_certain=True)
    if len(axes) == 1 and (axes[0] == place.axis or len(_axes_of_size(before, channels)) == 1):
        return Place(axes[0], is_certain=True)
    if after.ndim == before.ndim and not axes:
        others = [axis for axis in range(after.ndim) if axis != place.axis]
        if all(after.shape[axis] == before.shape[axis] for axis in others):
            return place
    return Place(place.axis, is_certain=False) if axes and after.ndim == before.ndim else default_place(after)


def _derived(before: torch.Tensor, place: Place, after: torch.Tensor, *, is_made_of_it: bool) -> Place:
    """Returns the same where `after` is only likely to be computed from `before`, the latest module's output."""
    if before.ndim < 3 <= after.ndim:  # for example scores of what comes after them
        return default_place(after)
    reading = _carried(before, place, after)
    is_alike = reading.axis == place.axis or after.numel() == before.numel()
    return reading._replace(is_certain=reading.is_certain and (is_made_of_it or is_alike))


def _axes_of_size(tensor: torch.Tensor, size: int) -> list[int]:
    return [axis for axis in range(1, tensor.ndim) if tensor.shape[axis] == size]


def _axis_of_parameters(module: nn.Module, output: torch.Tensor) -> int | None:
    """Returns the only axis that the module's own parameters fit, one value per channel: a norm, a scale, a bias."""
    sizes = {len(parameter) for parameter in module.parameters(recurse=False) if parameter.ndim == 1}
    axes = [axis for size in sizes for axis in _axes_of_size(output, size)]
    return axes[0] if len(axes) == 1 else None


def _works_on_each_value(module: nn.Module) -> bool:
    """Whether PyTorch documents the axes of its output to be those of its input."""
    if isinstance(module, nn.Identity | nn.LayerNorm):
        return True
    home = type(module).__module__
    return home in {activation.__name__, dropout.__name__} and not isinstance(module, nn.MultiheadAttention)


def _first(inputs: Any) -> torch.Tensor | None:
    while isinstance(inputs, tuple | list) and inputs:
        inputs = inputs[0]
    return inputs if isinstance(inputs, torch.Tensor) else None


class Places:
    """Places of the channels of captured layers, by the first pass; a context in which modules are followed.

    Args:
        model: The model.
        targets: By layer name, what is captured of the model.
    """

    def __init__(self, model: nn.Module, targets: Mapping[str, Target]) -> None:
        self._model = model
        self._targets = targets
        self._steps_first = modules_with_steps_first(model)
        self._axes = ChannelAxes(self._steps_first)
        self._known: dict[tuple[str, int, int], Place] = {}
        self._open: dict[str, tuple[tuple[int, ...], int]] = {}
        self._hooks = ExitStack()
        self._is_following = False

    def __enter__(self) -> Self:
        modules = _modules_to_follow(self._model, self._targets, self._steps_first)
        for module in modules:
            self._hooks.callback(module.register_forward_hook(self._follow).remove)
        self._is_following = bool(modules)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the tracing: what a whole pass has not shown stays open."""
        self._hooks.close()
        self._axes.forget()
        self._is_following = False

    def of(self, spec: LayerSpec, call: int, inputs: Any, output: Output) -> Place:
        """Returns where the channels of a captured output are, the instances being first.

        Args:
            spec: The layer; its `channel_axis` takes precedence over the module.
            call: Which of the module's calls in this pass.
            inputs: Of the module's call.
            output: The captured tensor, of rank > 2.

        Raises:
            ArgumentError: There is no axis `channel_axis`.
        """
        tensor = output.tensor
        key = (spec.name, call, tensor.ndim)
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = self._find(self._targets[spec.name].module, inputs, output)
        if spec.channel_axis is not None:
            return place._replace(axis=_named_axis(spec, tuple(tensor.shape)))
        if not place.is_certain:
            self._open.setdefault(spec.name, (tuple(tensor.shape[1:]), place.axis))
        return place

    def remarks(self) -> dict[str, str]:
        """Returns by layer a warning, to be given once, where its channels are not known."""
        return {f"axis {name}": _open_axis(name, shape, axis) for name, (shape, axis) in self._open.items()}

    def _find(self, module: nn.Module, inputs: Any, output: Output) -> Place:
        if is_attention_weights(module, output):
            return default_place(output.tensor)
        if self._is_following:
            return self._axes.place(module, inputs, output.tensor)
        steps_first = module in self._steps_first
        return own_place(module, output.tensor, steps_first=steps_first) or default_place(output.tensor)

    def _follow(self, module: nn.Module, inputs: Any, output: Any) -> None:
        tensor = first_tensor(output)
        if tensor is not None and tensor.ndim > 1:
            self._axes.see(module, inputs, tensor)


def _modules_to_follow(model: nn.Module, targets: Mapping[str, Target], steps_first: set[nn.Module]) -> list[nn.Module]:
    """Returns the modules to trace for the channels of `targets`; none where their own classes show it."""
    chosen = {target.module for target in targets.values()}
    if not steps_first and all(kind_of(module) for module in chosen):
        return []
    followed: list[nn.Module] = []

    def collect(module: nn.Module) -> None:
        followed.append(module)
        if kind_of(module) is None or chosen.intersection(module.modules()) - {module}:
            for child in module.children():
                collect(child)

    collect(model)
    return [module for module in dict.fromkeys(followed) if not isinstance(module, torch.jit.ScriptModule)]


def _named_axis(spec: LayerSpec, shape: tuple[int, ...]) -> int:
    axis, rank = spec.channel_axis or 0, len(shape)
    if not -rank < axis < rank or axis == 0:
        got = f"channel_axis={spec.channel_axis} for {spec.name!r} of shape {shape}"
        raise ArgumentError("layers", got, f"an axis from 1 to {rank - 1}, or negative from the end")
    return axis


def _open_axis(name: str, shape: tuple[int, ...], axis: int) -> str:
    """The warning for a layer of which one instance has `shape`."""
    readings = sorted({1, len(shape), axis})
    read = "; or ".join(f"on axis {one}: {_reading(shape, one)}" for one in readings)
    specs = " or ".join(f"LayerSpec({name!r}, channel_axis={one})" for one in readings)
    question = f"nothing tells which axis of layer {name!r} has its neurons: {read}"
    return f"{question}. Axis {axis} is taken; say which by {specs}."


def _reading(shape: tuple[int, ...], axis: int) -> str:
    """The meaning of one instance's axes with its neurons on `axis`, counted with that of the instances."""
    positions = " × ".join(map(str, shape[: axis - 1] + shape[axis:]))
    return f"{shape[axis - 1]:,} neuron{'' if shape[axis - 1] == 1 else 's'}, each over {positions} positions"
