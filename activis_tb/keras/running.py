"""How each of Keras' back ends runs a model in inference mode, with the weights that it has at that time."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras

from activis_tb.errors import ArgumentError, shorten
from activis_tb.keras.batches import Batches
from activis_tb.keras.layers import Target
from activis_tb.keras.watching import Outputs

_STYLING = re.compile(r"\x1b\[[0-9;]*m")
"""What Keras writes into its messages for terminals."""
Forward = Callable[[Any], Any]
Run = Callable[[Forward, Any, Callable[[dict[str, Target]], Outputs]], Any]
"""Given the model as a function, its inputs, and what makes `Outputs` of this pass, returns tensors."""


def compiled(model: keras.Model, run: Run, batches: Batches) -> Callable[[Any], Any]:
    """Returns `run` as a function of inputs that yields NumPy arrays, compiled where the back end compiles.

    Args:
        model: Built or not.
        run: Traced once, or once per shape of the inputs; in PyTorch it runs every time.
        batches: The data that the function will be given.
    """
    make = {"tensorflow": _in_tensorflow, "jax": _in_jax, "torch": _in_torch}.get(keras.backend.backend())
    if make is None:
        message = f"Keras runs on {keras.backend.backend()!r}, which activis_tb.keras does not know."
        raise NotImplementedError(message)
    function = make(model, run, batches)

    def call(inputs: Any) -> Any:
        return keras.tree.map_structure(keras.ops.convert_to_numpy, function(inputs))

    return call


def run_once(model: keras.Model, function: Forward, inputs: Any) -> None:
    """Calls `function` with tensors of `inputs`; in JAX with abstract ones, which compute nothing."""
    tensors = keras.tree.map_structure(_tensor, inputs)
    if keras.backend.backend() == "jax":
        import jax

        _build(model, tensors)
        jax.eval_shape(_stateless(model, function), [variable.value for variable in model.variables], tensors)
        return
    import torch

    with torch.no_grad():
        function(tensors)


def _in_tensorflow(model: keras.Model, run: Run, batches: Batches) -> Callable[[Any], Any]:
    import tensorflow as tf

    from activis_tb.keras import tracing

    def traced(inputs: Any) -> Any:
        return run(partial(model, training=False), inputs, partial(tracing.outputs, model))

    function = tf.function(traced, autograph=False, reduce_retracing=True)
    function.get_concrete_function(tracing.specs(batches))
    return lambda inputs: function(keras.tree.map_structure(_tensor, inputs))


def _in_jax(model: keras.Model, run: Run, batches: Batches) -> Callable[[Any], Any]:
    import jax

    def traced(inputs: Any) -> Any:
        trace = keras.tree.flatten(inputs)[0]._trace  # noqa: SLF001 (JAX has no public name for what a tracer is of)

        def is_own(tensor: Any) -> bool:
            return isinstance(tensor, jax.core.Tracer) and tensor._trace is trace  # noqa: SLF001

        return run(partial(model, training=False), inputs, lambda targets: Outputs(model, targets, is_own))

    _build(model, batches.example())
    function = jax.jit(_stateless(model, traced))
    return lambda inputs: function([variable.value for variable in model.variables], inputs)


def _in_torch(model: keras.Model, run: Run, batches: Batches) -> Callable[[Any], Any]:
    import torch

    def outputs(targets: dict[str, Target]) -> Outputs:
        return Outputs(model, targets, lambda tensor: isinstance(tensor, torch.Tensor), keep=torch.clone)

    def function(inputs: Any) -> Any:
        with torch.no_grad():
            return run(partial(model, training=False), keras.tree.map_structure(_tensor, inputs), outputs)

    _build(model, batches.example())
    return function


def _stateless(model: keras.Model, function: Forward) -> Callable[[list[Any], Any], Any]:
    """Returns `function` with the values of the model's variables as an argument, as JAX wants it."""

    def pure(values: list[Any], inputs: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(model.variables, values, strict=True))):
            return function(inputs)

    return pure


def _build(model: keras.Model, inputs: Any) -> None:
    if not model.built:
        model(inputs, training=False)


def _tensor(values: Any) -> Any:
    return values if keras.ops.is_tensor(values) else keras.ops.convert_to_tensor(values)


def is_built(model: keras.Model, inputs: Any) -> bool:
    """Builds a model that learns its inputs in training, without computing anything; tells whether Keras can."""
    if not model.built:
        try:
            model(keras.tree.map_structure(_symbolic, inputs), training=False)
        except Exception:
            return False
    return bool(model.built)


@contextmanager
def explained(model: keras.Model, inputs: Any, argument: str = "x") -> Iterator[None]:
    """What Keras cannot put through the model is an argument that does not fit."""
    try:
        yield
    except ArgumentError:
        raise
    except Exception as error:
        shapes = [tuple(getattr(values, "shape", ())) for values in keras.tree.flatten(inputs)]
        known = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or []]
        expected = f"batches that the model {model.name!r} takes" + (f", of shape {_joined(known)}" if known else "")
        is_single = len(known) == len(shapes) and all(
            len(one) == len(other) - 1 for one, other in zip(shapes, known, strict=True)
        )
        reason = shorten(" ".join(_STYLING.sub("", str(error)).split()), 300)
        way_out = ("A dataset must be batched. " if is_single else "") + f"{type(error).__name__}: {reason}"
        raise ArgumentError(argument, f"a batch of shape {_joined(shapes)}", expected, way_out) from error


def _joined(shapes: list[tuple[Any, ...]]) -> str:
    return ", ".join(map(str, shapes))


def _symbolic(values: Any) -> keras.KerasTensor:
    dtype = keras.backend.standardize_dtype(values.dtype)
    return keras.KerasTensor((None, *values.shape[1:]), keras.config.floatx() if dtype == "float64" else dtype)
