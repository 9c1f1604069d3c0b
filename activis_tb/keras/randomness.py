"""Random states that recording restores: of Python, NumPy, the frameworks, the model and the data."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state  # Keras has no public way to its own generator
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

Restore = Callable[[], object]


@contextmanager
def unchanged_randomness(model: keras.Model, source: Any) -> Iterator[None]:
    """Restores every random state after the block.

    So a training draws the same random numbers whether or not it is recorded: of `random`, NumPy, TensorFlow and
    PyTorch, of generators that `source` holds, and of Keras' seeds. Variables of `model` that are no trainable weights,
    such as moving statistics, are restored too.

    Args:
        model: Built or not.
        source: The data that the block iterates over.
    """
    restores = [*_of_process(), *_of_keras(model), *_of_holders(source)]
    try:
        yield
    finally:
        for restore in restores:
            restore()


def _of_process() -> Iterator[Restore]:
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 (what is kept is the state of the old one)
    yield lambda: (random.setstate(states[0]), np.random.set_state(states[1]))  # noqa: NPY002
    if torch := sys.modules.get("torch"):
        yield _restorer(torch.random.set_rng_state, torch.random.get_rng_state())
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            yield _restorer(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
    if "tensorflow" in sys.modules:
        yield from _of_tensorflow()


def _of_tensorflow() -> Iterator[Restore]:
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    eager = context.context()
    if seeds := getattr(eager, "_rng", None):
        # Operations with seeds of their own have a state per seed, so no seed may be drawn twice.
        state = seeds.getstate()
        eager._rng = random.Random(seeds.random())  # noqa: SLF001
        yield _restorer(seeds.setstate, state)
        yield lambda: setattr(eager, "_rng", seeds)
    generator = stateful_random_ops.global_generator
    if generator is None:
        yield lambda: setattr(stateful_random_ops, "global_generator", None)
    else:
        yield _restorer(generator.state.assign, generator.state.numpy())


def _of_keras(model: keras.Model) -> Iterator[Restore]:
    layers = model._flatten_layers()  # noqa: SLF001 (Keras has no public way)
    weights = {id(weight) for layer in layers for weight in layer._trainable_variables}  # noqa: SLF001
    kept = [variable for variable in model.variables if id(variable) not in weights]
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    if generator is None:
        yield lambda: global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
    else:
        kept.append(generator.state)
    for variable in kept:
        yield _variable_restorer(variable, np.array(keras.ops.convert_to_numpy(variable.value)))


def _variable_restorer(variable: Any, before: Any) -> Restore:
    def restore() -> None:
        if not np.array_equal(keras.ops.convert_to_numpy(variable.value), before, equal_nan=before.dtype.kind == "f"):
            variable.assign(before)

    return restore


def _of_holders(source: Any) -> Iterator[Restore]:
    """Of generators that an object of the user holds, directly or in what it holds, such as a DataLoader's sampler."""
    held = [source, *_parts(source), *(part for inner in _parts(source) for part in _parts(inner))]
    for value in {id(one): one for one in held}.values():
        if isinstance(value, np.random.Generator):
            yield _bit_restorer(value.bit_generator)
        elif isinstance(value, np.random.RandomState):
            yield _restorer(value.set_state, value.get_state())
        elif isinstance(value, random.Random):
            yield _restorer(value.setstate, value.getstate())
        elif (torch := sys.modules.get("torch")) and isinstance(value, torch.Generator):
            yield _restorer(value.set_state, value.get_state())


def _parts(value: Any) -> list[Any]:
    return list(vars(value).values()) if hasattr(value, "__dict__") and not isinstance(value, type) else []


def _bit_restorer(generator: Any) -> Restore:
    state = generator.state
    return lambda: setattr(generator, "state", state)


def _restorer(restore: Callable[[Any], object], state: Any) -> Restore:
    return lambda: restore(state)
