"""Forward pass of a Keras model in inference mode: tracing by back end, pooling, all recorded layers in one pass."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common.masking import get_keras_mask  # Keras has no public way
from numpy.typing import NDArray
from tensorboard.backend import process_graph
from tensorboard.compat.proto import graph_pb2

from activis_tb.errors import ArgumentError, shorten
from activis_tb.keras.batches import Batches
from activis_tb.keras.layers import Target, find_layers, sublayers
from activis_tb.keras.outputs import DecidingOutput
from activis_tb.keras.watching import Outputs, first_tensor, watched
from activis_tb.model import SCOPES_ATTRIBUTE, ForwardGraph, LayerSpec, PooledActivations, Pooling

_LARGEST_ATTRIBUTE = 1024
_TRIAL = "scratch_graph"
"""Name of the graphs in which Keras tries a layer to learn its output's shape."""


def traced_graph(model: keras.Model, layers: Sequence[str], inputs: Any = None) -> ForwardGraph:
    """Traces `model` in inference mode, see `activis_tb.keras.forward_graph`."""
    trace = _Trace(model, find_layers(model, layers))
    is_known = inputs is None or getattr(model, "inputs", None)
    specs = _own_inputs(model) if is_known else keras.tree.map_structure(input_spec, inputs)
    concrete = tf.function(trace, autograph=False).get_concrete_function(_named(specs))
    graph_def = graph_pb2.GraphDef.FromString(concrete.graph.as_graph_def(add_shapes=True).SerializeToString())
    _name_variables(graph_def, _variable_names(model, concrete))
    process_graph.prepare_graph_for_ui(graph_def, _LARGEST_ATTRIBUTE)
    _mark_scopes(graph_def, trace.scopes)
    tensors = {name: tensor.name for name, tensor in trace.tensors.items()}
    return ForwardGraph(graph_def.SerializeToString(deterministic=True), tensors)


def outputs(model: keras.Model, targets: Mapping[str, Target]) -> Outputs:
    """Returns a collector of layers' outputs in the graph that is being traced."""
    graph = tf.compat.v1.get_default_graph()
    return Outputs(model, targets, partial(_is_in, graph=graph), _is_trial)


def specs(batches: Batches) -> Any:
    """Returns TensorSpecs in the structure of the inputs, for any number of instances."""
    if isinstance(batches.source, tf.data.Dataset):
        return keras.tree.map_structure(input_spec, batches.inputs_of(batches.source.element_spec))
    return keras.tree.map_structure(lambda value: input_spec(tf.convert_to_tensor(value)), batches.example())


def input_spec(value: Any) -> tf.TensorSpec:
    """Returns the TensorSpec of one input: any number of instances, the other axes as in `value`."""
    shape = tf.TensorShape(value.shape)
    dtype = value.dtype if isinstance(value, tf.TensorSpec) else tf.as_dtype(getattr(value, "dtype", None))
    return tf.TensorSpec([None, *shape[1:]] if shape.rank else shape, dtype, getattr(value, "name", None))


def _own_inputs(model: keras.Model) -> Any:
    if not getattr(model, "inputs", None):
        way_out = "Give one as inputs=, e.g. x[:1]."
        raise ArgumentError("inputs", "None", f"a batch, as the model {model.name!r} does not know its inputs", way_out)
    structure = model.inputs if isinstance(model, keras.Sequential) else model.input
    if isinstance(structure, list) and len(structure) == 1:
        structure = structure[0]
    return keras.tree.map_structure(lambda value: tf.TensorSpec(value.shape, value.dtype, value.name), structure)


def _named(specs: Any) -> Any:
    """Names inputs without a name, for the graph: by the key in a dict, else `input`."""
    flat = keras.tree.flatten_with_path(specs)
    named = [
        tf.TensorSpec(spec.shape, spec.dtype, spec.name or "_".join(map(str, path or ("input",))))
        for path, spec in flat
    ]
    return keras.tree.pack_sequence_as(specs, named)


class _Trace:
    """Trace of a model with all its layers watched; fills `tensors` and `scopes`."""

    def __init__(self, model: keras.Model, layers: Mapping[str, Target]) -> None:
        self._model = model
        self._layers = layers
        self._ids = {id(target.layer) for target in layers.values()}
        self.tensors: dict[str, tf.Tensor] = {}
        self.scopes: dict[str, tuple[str, str]] = {}

    def __call__(self, inputs: Any) -> Any:
        self._graph = tf.compat.v1.get_default_graph()
        self._taken: set[str] = set()
        self._outputs = outputs(self._model, self._layers)
        with watched([self._model, *(layer for _, layer in sublayers(self._model))], self._see):
            results = self._model(inputs, training=False)
        self.tensors = self._outputs.result()
        return results, list(self.tensors.values())

    def _see(self, layer: keras.Layer, inputs: Any, output: Any) -> Any:
        tensor = first_tensor(output)
        if not _is_in(tensor, self._graph):
            return output
        self.scopes.setdefault(tf.get_current_name_scope(), (type(layer).__name__, layer.name))
        if self._is_shared(layer, inputs, tensor) and tensor is output:
            # A layer that returns its input (dropout when not training) has no tensor of its own in the graph.
            output = tensor = tf.identity(output)
        if id(layer) in self._ids:
            self._taken.add(tensor.name)
        return self._outputs.see(layer, inputs, output)

    def _is_shared(self, layer: keras.Layer, inputs: Any, tensor: tf.Tensor) -> bool:
        passed_on = any(tensor is value for value in keras.tree.flatten(inputs))
        return passed_on or (id(layer) in self._ids and tensor.name in self._taken)


def _is_in(tensor: Any, graph: Any) -> bool:
    """Whether `tensor` is a dense tensor of `graph`, not of a loop or function inside of it."""
    return isinstance(tensor, tf.Tensor) and getattr(tensor, "graph", None) is graph


def _is_trial(tensor: Any) -> bool:
    """Whether Keras made `tensor` only to infer its shape; eager tensors are the model's own."""
    graph = getattr(tensor, "graph", None)
    return graph is None or getattr(graph, "name", "").startswith(_TRIAL)


def _variable_names(model: keras.Model, concrete: Any) -> dict[str, str]:
    """Returns by placeholder of the trace the path of its variable, e.g. `hidden/kernel`."""
    paths = {
        id(variable.value.handle): variable.path for variable in model.variables if hasattr(variable.value, "handle")
    }
    captures = zip(concrete.captured_inputs, concrete.graph.internal_captures, strict=True)
    return {inner.op.name: paths[id(outer)] for outer, inner in captures if id(outer) in paths}


def _name_variables(graph_def: graph_pb2.GraphDef, names: Mapping[str, str]) -> None:
    for node in graph_def.node:
        if node.name in names:
            node.attr["_user_specified_name"].s = names[node.name].encode()


def _mark_scopes(graph_def: graph_pb2.GraphDef, scopes: Mapping[str, tuple[str, str]]) -> None:
    """Notes each layer's scope at the first node inside of it."""
    marked = set()
    for node in graph_def.node:
        parts = node.name.split("/")
        for scope in ("/".join(parts[:length]) for length in range(1, len(parts))):
            if scope in scopes and scope not in marked:
                marked.add(scope)
                node.attr[SCOPES_ATTRIBUTE].list.s.append(json.dumps([scope, *scopes[scope]]).encode())


_STYLING = re.compile(r"\x1b\[[0-9;]*m")
"""What Keras writes into its messages for terminals."""
Forward = Callable[[Any], Any]
Run = Callable[[Forward, Any, Callable[[dict[str, Target]], Outputs]], Any]
"""Given the model as a function, its inputs, and what makes `Outputs` of this pass, returns tensors."""


def compiled(model: keras.Model, run: Run, batches: Batches) -> Callable[[Any], Any]:
    """Returns `run` as a function of inputs that yields NumPy arrays, compiled where the back end compiles.

    The last of several results stays on the device.

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
        *results, left = function(inputs)
        return *keras.tree.map_structure(keras.ops.convert_to_numpy, results), left

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

    def traced(inputs: Any) -> Any:
        return run(partial(model, training=False), inputs, partial(outputs, model))

    function = tf.function(traced, autograph=False, reduce_retracing=True)
    function.get_concrete_function(specs(batches))
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
    """Returns `function` with the values of the model's variables as an argument, as JAX requires."""

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
    """Builds a model that would be built by training, without computing anything; returns whether Keras can."""
    if not model.built:
        try:
            model(keras.tree.map_structure(_symbolic, inputs), training=False)
        except Exception:
            return False
    return bool(model.built)


@contextmanager
def explained(model: keras.Model, inputs: Any, argument: str = "x") -> Iterator[None]:
    """Raises ArgumentError for an error of Keras in the block: the inputs do not fit the model."""
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


ops = keras.ops
_REDUCE = {"max": ops.max, "mean": ops.mean}
"""By pooling; others take one position."""


def channel_axis(layer: keras.Layer, spec: LayerSpec, rank: int) -> int:
    """Returns the axis of the neurons in the output of `layer`, from 1 to `rank` - 1.

    It is the one that `spec` names, else that of the layer's `data_format`, else, for pictures and volumes from layers
    without one (an activation, say), that of Keras' setting.

    Raises:
        ArgumentError: There is no axis as `spec` names it.
    """
    if spec.channel_axis is not None and rank > 1:
        axis = spec.channel_axis % rank
        if not -rank < spec.channel_axis < rank or axis == 0:
            expected = f"an axis from 1 to {rank - 1}, or negative from the end"
            raise ArgumentError("layers", f"channel_axis={spec.channel_axis} for {spec.name!r}", expected)
        return axis
    if rank < 3:
        return rank - 1
    default = keras.config.image_data_format() if rank > 3 else "channels_last"
    order = getattr(layer, "data_format", None) or default
    return 1 if order == "channels_first" else rank - 1


def pooled(tensor: Any, mask: Any, axis: int, pooling: Pooling) -> Any:
    """Returns float32 (instances, neurons): `tensor` pooled over all axes but the first and that of the neurons.

    Args:
        tensor: (instances, ...), of rank 1 or higher.
        mask: Keras' mask, bool (instances, steps), False where a step is padding and is left out; or None. An instance
            that is all padding becomes NaN.
        axis: Of the neurons.
        pooling: One of `POOLINGS`.
    """
    values = ops.cast(tensor, "float32")
    rank = len(values.shape)
    if rank < 3:
        return values if rank == 2 else values[:, None]
    values = ops.moveaxis(values, axis, -1)
    axes = tuple(range(1, rank - 1))
    if mask is None or not _fits(mask, values):
        return _REDUCE[pooling](values, axis=axes) if pooling in _REDUCE else _end(values, pooling)
    for _ in range(rank - len(mask.shape)):
        mask = ops.expand_dims(mask, -1)
    mask = ops.logical_and(mask, ops.ones_like(values, dtype="bool"))
    count = ops.sum(ops.cast(mask, "float32"), axis=axes)
    if pooling == "mean":
        return ops.sum(ops.where(mask, values, 0.0), axis=axes) / count
    if pooling == "max":
        found = ops.max(ops.where(mask, values, -np.inf), axis=axes)
    else:
        found = _end_where(values, mask, pooling)
    return ops.where(count > 0, found, np.nan)


def _end(values: Any, pooling: Pooling) -> Any:
    """Returns the first or the last position of (instances, ..., neurons)."""
    while len(values.shape) > 2:
        values = values[:, 0 if pooling == "first" else -1]
    return values


def _end_where(values: Any, mask: Any, pooling: Pooling) -> Any:
    """Returns the same of the positions where `mask`, bool like `values`, is True; 0 where there are none."""
    flat = (ops.shape(values)[0], -1, values.shape[-1])
    kept = ops.reshape(mask, flat)
    count = ops.cumsum(ops.cast(kept, "int32"), axis=1)
    is_end = count == (1 if pooling == "first" else count[:, -1:])
    return ops.sum(ops.where(ops.logical_and(kept, is_end), ops.reshape(values, flat), 0.0), axis=1)


def _fits(mask: Any, values: Any) -> bool:
    """Whether the mask fits these values' steps: a layer that shortens sequences may pass on that of its input."""
    steps = zip(mask.shape[1:], values.shape[1:-1], strict=False)
    return 2 <= len(mask.shape) < len(values.shape) and all(None in pair or pair[0] == pair[1] for pair in steps)


def _take(tensor: Any, rows: NDArray[np.intp]) -> NDArray[Any]:
    """Returns some instances of a tensor on its device."""
    # JAX compiles for every number of rows anew: few different ones are asked for.
    padded = np.resize(rows, 1 << (len(rows) - 1).bit_length()) if keras.backend.backend() == "jax" else rows
    taken: NDArray[Any] = ops.convert_to_numpy(ops.take(tensor, padded, axis=0))[: len(rows)]
    return taken


class ForwardPass:
    """Forward pass of a model in inference mode, with the outputs of chosen layers.

    Args:
        model: Functional, Sequential or subclassed.
        layers: By their names in the model.
        batches: The data that it will run on.
        output: The output that decides on the class.
        with_tokens: Whether the positions of the inputs have tokens, so that those of layers of rank 3 are needed.

    Raises:
        ArgumentError: A layer cannot be recorded, or the deciding output is not one row of scores per instance.
    """

    def __init__(
        self,
        model: keras.Model,
        layers: Sequence[LayerSpec],
        batches: Batches,
        output: DecidingOutput,
        *,
        with_tokens: bool = False,
    ) -> None:
        self._targets = find_layers(model, [layer.name for layer in layers])
        self._layers = {layer.name: layer for layer in layers}
        self._output = output
        self._with_tokens = with_tokens
        self._dtypes: dict[str, str] = {}
        self._function = compiled(model, self._run, batches)

    def __call__(self, inputs: Any) -> tuple[dict[str, PooledActivations], NDArray[np.float32]]:
        """Returns the activations by layer, and the scores.

        The scores, or logits, are float32 (instances, classes) or, for a single output, (instances,).
        """
        activations, scores, unpooled = self._function(inputs)
        return {
            name: self._activations(name, **arrays, left=unpooled.get(name)) for name, arrays in activations.items()
        }, scores

    def _activations(
        self, name: str, values: NDArray[np.float32], shape: NDArray[np.int32], left: Any, **others: NDArray[Any]
    ) -> PooledActivations:
        return PooledActivations(
            values,
            shape=tuple(shape[1:].tolist()) or (1,),
            dtype=self._dtypes[name],
            pooling=self._layers[name].pooling if len(shape) > 2 else "",
            take=None if left is None else partial(_take, left),
            **others,
        )

    def _run(self, forward: Forward, inputs: Any, outputs: Callable[[dict[str, Target]], Outputs]) -> Any:
        seen = outputs(self._targets)

        def see(layer: keras.Layer, given: Any, output: Any) -> Any:
            self._output.see(layer, output)
            return seen.see(layer, given, output)

        deciding = [] if self._output.layer is None else [self._output.layer]
        with watched([*(target.layer for target in self._targets.values()), *deciding], see):
            results = forward(inputs)
        found = {name: self._pooled(name, tensor) for name, tensor in seen.result().items()}
        unpooled = {name: arrays.pop("left") for name, arrays in found.items() if "left" in arrays}
        return found, self._output.scores(results), unpooled

    def _pooled(self, name: str, tensor: Any) -> dict[str, Any]:
        """Returns the pooled activations, their shape before, and what there was before they were pooled, with a mask.

        Where there are tokens, all of that leaves the device, else what is asked for of what is `left` there.
        """
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        rank = None if getattr(tensor.shape, "rank", 0) is None else len(tensor.shape)
        if not rank or not dtype.startswith(("float", "bfloat", "int", "uint")):
            expected = "a layer that returns numbers of a known rank, the instances on the first axis"
            raise ArgumentError("layers", f"{name!r}, which returns {dtype} {tensor.shape}", expected)
        self._dtypes[name] = dtype
        spec = self._layers[name]
        axis = channel_axis(self._targets[name].layer, spec, rank)
        mask = get_keras_mask(tensor)
        arrays = {
            "values": pooled(tensor, mask, axis, spec.pooling),
            "shape": keras.ops.stack([keras.ops.cast(size, "int32") for size in keras.ops.shape(tensor)]),
        }
        has_tokens = rank == 3 and self._with_tokens and spec.tokens is not False
        is_kept = spec.pooling in _REDUCE if spec.positions is None else spec.positions
        if rank < 3 or not (has_tokens or is_kept):
            return arrays
        positions = ops.moveaxis(ops.cast(tensor, "float32"), axis, -1)
        if mask is not None and _fits(mask, positions):
            arrays["mask"] = ops.cast(mask, "bool")
        return arrays | {"positions" if has_tokens else "left": positions}
