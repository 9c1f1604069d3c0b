"""Arrays of a batch, checked: labels, scores, activations pooled to neurons, and padding masks, of any framework."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import Layer, LayerSpec, PooledActivations, Pooling

_UNCHANGING = {"tensorflow", "jax", "jaxlib"}
_PYTORCH_ONLY = ("torch.bfloat16", "torch.float8")
_LOW_PRECISION = ("bfloat16", "float8", "float6", "float4")
_ROUNDING = 1e-2
_SUM_ROUNDING = 1e-4


def as_array(value: object, argument: str) -> NDArray[Any]:
    """Returns `value`, also a list or a tensor of TensorFlow, JAX or PyTorch, as a NumPy array.

    Raises:
        ArgumentError: NumPy cannot read it.
    """
    try:
        return np.asarray(_of_pytorch(value) if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ArgumentError(
            argument,
            type(value).__name__,
            "something that numpy.asarray reads",
            f"NumPy said: {reason}",
        ) from error


def without_nulls(value: Any) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Returns the present values of a nullable column, and which are present, bool (instances,).

    Nullable are columns of pandas, polars and Arrow, and masked arrays; None for anything else. NumPy by itself would
    read whole numbers beside a missing one as floats, and dates as objects.
    """
    if isinstance(value, np.ma.MaskedArray):
        return (value.compressed(), ~np.ma.getmaskarray(value)) if value.ndim == 1 else None
    for nulls, drop, listed, options in (
        ("isna", "dropna", "tolist", {}),  # pandas
        ("is_null", "drop_nulls", "to_list", {}),  # polars
        ("is_null", "drop_null", "to_pylist", {"zero_copy_only": False}),  # Arrow
    ):
        if all(hasattr(value, name) for name in (nulls, drop, "to_numpy")) and getattr(value, "ndim", 1) == 1:
            split = _without_nulls(value, nulls, drop, options)
            return split or _as_objects(getattr(value, listed)())
    return None


def _without_nulls(
    value: Any, nulls: str, drop: str, options: Mapping[str, Any]
) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Returns None where NumPy has no such type, or only the type that it is stored as."""
    if hasattr(getattr(value, "type", None), "extension_name"):
        return None
    try:
        missing = getattr(value, nulls)()
        missing = missing if isinstance(missing, np.ndarray) else missing.to_numpy(**options)
        values = _in_utc(getattr(value, drop)()).to_numpy(**options)
    except Exception:  # each library has errors of its own for what it cannot convert
        return None
    present = ~np.asarray(missing, np.bool_)
    return (values, present) if len(values) == np.count_nonzero(present) else None


def _as_objects(items: Sequence[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    present = np.fromiter((item is not None for item in items), np.bool_, len(items))
    there = [item for item in items if item is not None]
    return np.fromiter(there, np.object_, len(there)), present


def _in_utc(column: Any) -> Any:
    """A column of pandas with a time zone as one of UTC; NumPy would read it as objects."""
    if getattr(getattr(column, "dtype", None), "tz", None) is None:
        return column
    return getattr(column, "dt", column).tz_convert(None)


def is_owned(value: object, array: NDArray[Any]) -> bool:
    """Tells whether `array`, as which NumPy reads `value`, is owned: nobody else can overwrite it.

    Immutable tensors of TensorFlow and JAX are, and read-only `PooledActivations`; any other read-only array may be a
    view of a writable one.
    """
    is_unchanging = isinstance(value, PooledActivations) or type(value).__module__.partition(".")[0] in _UNCHANGING
    return is_unchanging and not array.flags.writeable


def _of_pytorch(tensor: Any) -> Any:
    """Returns a tensor, on any device and with or without a gradient, as one that NumPy reads."""
    detached = tensor.detach().cpu()
    return detached.float() if str(detached.dtype).startswith(_PYTORCH_ONLY) else detached


def is_numeric(array: NDArray[Any]) -> bool:
    """Tells whether `array` holds real numbers or booleans, the low-precision types of ml_dtypes included."""
    return array.dtype.kind in "fiub" or array.dtype.name.startswith(_LOW_PRECISION)


def as_float32(array: NDArray[Any]) -> NDArray[np.float32]:
    """Returns `array` as float32; what is too large for it becomes infinite."""
    if array.dtype == np.float32:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def check_rows(array: NDArray[Any], rows: int, argument: str) -> None:
    """Raises ArgumentError unless the first axis of `array` has `rows` instances."""
    if array.ndim < 1 or len(array) != rows:
        raise ArgumentError(
            argument,
            f"shape {array.shape}",
            f"{rows} instances on the first axis, as labels (or else scores) has",
            "Pass whole batches.",
        )


def check_encodable(texts: Sequence[str], argument: str) -> None:
    """Raises ArgumentError where a text has no UTF-8 form (a lone surrogate)."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(
            argument, ascii(error.object[error.start]), "text that UTF-8 can hold", "Replace lone surrogates."
        ) from error


def read_labels(value: object, classes: Sequence[str], class_values: Mapping[int, int]) -> NDArray[np.int32]:
    """Returns the true classes by position, int32 (instances,).

    Args:
        value: Integers are positions in `classes`, text (str or UTF-8 bytes) is a class's name.
        classes: Names, by position.
        class_values: By integer, the position that it stands for; empty where integers are positions.

    Raises:
        ArgumentError: Another shape or type, an unknown name, or a position out of range.
    """
    array = as_array(value, "labels")
    if array.ndim != 1:
        way_out = "One-hot labels: pass np.argmax(labels, axis=1)." if array.ndim == 2 else "Pass one batch."
        raise ArgumentError("labels", f"shape {array.shape}", "(instances,)", way_out)
    if array.dtype.kind in "iub" and class_values:
        return _valued(array, class_values)
    if array.dtype.kind in "iub" or len(array) == 0:
        return _positions(array, classes)
    if array.dtype.kind in "OUS":
        return _named(array.tolist(), classes)
    raise ArgumentError(
        "labels", f"dtype {array.dtype}", "integers (positions in classes) or class names", "Pass labels.astype(int)."
    )


def _positions(array: NDArray[Any], classes: Sequence[str]) -> NDArray[np.int32]:
    outside = (array < 0) | (array >= len(classes)) if array.dtype.kind != "b" else np.zeros(len(array), np.bool_)
    if outside.any():
        raise ArgumentError(
            "labels",
            f"{array[outside][0]} at row {np.argmax(outside)}",
            f"positions from 0 to {len(classes) - 1}, as classes has {len(classes)} names",
            "Give every class a name in classes=.",
        )
    return array.astype(np.int32)


def _valued(array: NDArray[Any], class_values: Mapping[int, int]) -> NDArray[np.int32]:
    values, codes = np.unique(array, return_inverse=True)
    if unknown := [value for value in values.tolist() if value not in class_values]:
        row = np.argmax(array == unknown[0])
        expected = f"one of the classes: {', '.join(map(str, class_values))}"
        raise ArgumentError("labels", f"{unknown[0]} at row {row}", expected, "Add it to classes=.")
    positions = np.array([class_values[value] for value in values.tolist()], np.int32)
    return positions[codes]


def _named(names: list[Any], classes: Sequence[str]) -> NDArray[np.int32]:
    positions = {name: position for position, name in enumerate(classes)}
    positions_of_values: dict[Any, int] = {**positions, **{name.encode(): at for name, at in positions.items()}}
    try:
        return np.fromiter((positions_of_values[name] for name in names), np.int32, len(names))
    except (KeyError, TypeError) as error:
        unknown = next(name for name in names if not isinstance(name, str | bytes) or name not in positions_of_values)
        way_out = "Add it to classes=." if unknown is not None else "For data without labels, pass labels=None."
        raise ArgumentError("labels", repr(unknown), f"one of the classes: {', '.join(classes)}", way_out) from error


def read_scores(
    value: object, rows: int | None, classes: int, *, from_logits: bool = False
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Returns the predicted classes (instances,), their scores (instances,), and the scores (instances, classes).

    An instance with a score that is NaN or infinite is predicted as nothing: class -1, score NaN.

    Args:
        value: Probabilities (instances, classes): predicted is the largest. Or, with two classes, (instances,) or
            (instances, 1), the probability of the second: predicted from 0.5 upwards.
        rows: Instances of the batch, None where the labels do not tell.
        classes: Number of classes.
        from_logits: Whether `value` holds logits: softmax makes them probabilities, sigmoid where there is one column.

    Raises:
        ArgumentError: Another shape, or values that are no probabilities; or `from_logits` of probabilities.
    """
    array = as_array(value, "scores")
    if not is_numeric(array):
        raise ArgumentError("scores", f"dtype {array.dtype}", "probabilities, floating point")
    if rows is None:
        rows = len(array) if array.ndim else 0
    check_rows(array, rows, "scores")
    if check_from_logits(from_logits):
        array = _probabilities(array)
    if classes == 2 and array.shape in {(rows,), (rows, 1)}:
        second = array.reshape(rows).astype(np.float64)
        complete = _check_probabilities(second)
        scores = np.stack([1 - second, second], axis=1)
        predicted = (second >= 0.5).astype(np.int32)
    elif array.shape == (rows, classes):
        scores = array.astype(np.float32 if array.dtype == np.float32 else np.float64)
        complete = _check_probabilities(scores)
        predicted = scores.argmax(axis=1).astype(np.int32)
    else:
        expected = f"({rows}, {classes}), as classes has {classes} names" + (f", or ({rows},)" if classes == 2 else "")
        raise ArgumentError("scores", f"shape {array.shape}", expected, "Pass a probability for every class.")
    score = scores[np.arange(rows), predicted]
    if not complete:
        predicted[~np.isfinite(scores).all(axis=1)] = -1
        score = np.where(predicted < 0, np.nan, score)
    return predicted, as_float32(score), as_float32(scores)


def check_from_logits(from_logits: object) -> bool:
    """Returns whether scores are logits; raises ArgumentError where that is neither True nor False."""
    if not isinstance(from_logits, bool | np.bool_):
        raise ArgumentError("from_logits", repr(from_logits), "True or False")
    return bool(from_logits)


def are_distributions(scores: NDArray[Any]) -> bool:
    """Tells whether every finite row of (instances, classes) is a distribution, as rows of logits are not by chance."""
    if scores.ndim != 2 or scores.shape[1] < 2 or not is_numeric(scores):
        return False
    values = scores.astype(np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return False
    is_distribution = (values >= 0).all() and (np.abs(values.sum(axis=1) - 1) <= _SUM_ROUNDING).all()
    return bool(is_distribution and not np.isin(values, (0, 1)).all())


def _probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Returns the softmax over the classes, (instances, classes), or the sigmoid of a single column."""
    if are_distributions(logits):
        way_out = "Leave from_logits out: these are probabilities already."
        raise ArgumentError("from_logits", "True for scores whose rows sum to 1", "logits", way_out)
    values = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        if values.ndim < 2 or values.shape[1] == 1:
            return np.exp(-np.logaddexp(0, -values))
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def _check_probabilities(scores: NDArray[np.floating[Any]]) -> bool:
    """Tells whether all are finite; raises ArgumentError where a finite one is no probability."""
    if scores.size == 0 or (scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING):
        return True
    finite = scores[np.isfinite(scores)]
    if finite.size == 0 or (finite.min() >= -_ROUNDING and finite.max() <= 1 + _ROUNDING):
        return False
    raise ArgumentError(
        "scores",
        f"values from {finite.min():.4g} to {finite.max():.4g}",
        "probabilities from 0 to 1",
        "These look like logits: pass from_logits=True, or apply softmax (sigmoid for two classes in one column).",
    )


def layer_of(pooled: PooledActivations, name: str, earlier: Layer | None) -> Layer:
    """Returns the layer as this batch and the earlier ones show it; an axis that varies is -1.

    Raises:
        ArgumentError: This batch has another rank or number of neurons than the earlier ones.
    """
    neurons = pooled.values.shape[1]
    if earlier is None:
        return Layer(name, neurons, pooled.shape, pooled.dtype, pooling=pooled.pooling)
    if (earlier.neurons, earlier.shape) == (neurons, pooled.shape):
        return earlier
    return replace(earlier, shape=common_shape(earlier, Layer(name, neurons, pooled.shape, pooled.dtype)))


def common_shape(earlier: Layer, later: Layer) -> tuple[int, ...]:
    """Returns the shape of one instance in both, -1 for an axis that varies; raises ArgumentError where they differ."""
    if later.neurons != earlier.neurons or len(later.shape) != len(earlier.shape):
        raise ArgumentError(
            f'activations["{later.name}"]',
            f"{later.neurons} neurons from instances of shape {later.shape}",
            f"{earlier.neurons} neurons from instances of shape {earlier.shape}, as in the earlier batches",
            "Another layer, or channel_axis= is not the axis of the channels.",
        )
    return tuple(old if old == new else -1 for old, new in zip(earlier.shape, later.shape, strict=True))


def read_masks(mask: object, layers: Sequence[str], rows: int) -> Mapping[str, NDArray[np.bool_]]:
    """Returns the padding masks of a batch by layer, bool (instances, steps), True where there is no padding.

    Args:
        mask: One for all layers, or masks by layer name: booleans or 1 and 0. None for no mask.
        layers: Names of the layers with activations.
        rows: Instances of the batch.

    Raises:
        ArgumentError: Another type, shape or number of instances, or a layer without activations.
    """
    if mask is None:
        return {}
    if not isinstance(mask, Mapping):
        return dict.fromkeys(layers, _read_mask(mask, "mask", rows))
    if unknown := [name for name in mask if name not in layers]:
        raise ArgumentError("mask", f"the layer {unknown[0]!r}", f"layers of activations: {', '.join(layers)}")
    return {name: _read_mask(value, f'mask["{name}"]', rows) for name, value in mask.items()}


def _read_mask(mask: object, argument: str, rows: int) -> NDArray[np.bool_]:
    array = as_array(mask, argument)
    expected = "booleans, or 1 and 0, of shape (instances, steps); False where a step is padding"
    if array.ndim != 2 or not is_numeric(array):
        raise ArgumentError(argument, f"{array.dtype} of shape {array.shape}", expected)
    check_rows(array, rows, argument)
    kept: NDArray[np.bool_] = array != 0
    if (array < 0).any() or (array.dtype.kind not in "iub" and (kept & (array != 1)).any()):
        raise ArgumentError(argument, f"values from {array.min()} to {array.max()}", expected)
    return kept


def pool(
    value: object, spec: LayerSpec, rows: int, mask: NDArray[np.bool_] | None = None, *, is_own_mask: bool = False
) -> PooledActivations:
    """Returns one batch of the layer `spec`, pooled over all axes but the instances and the channels.

    Args:
        value: (instances, neurons), (instances,) for one neuron, or of rank > 2 with the channels on
            `spec.channel_axis`; other axes may be of any length, another one in every batch. Any real type; it becomes
            float32. `PooledActivations` stay as they are.
        spec: The layer.
        rows: Instances of the batch.
        mask: (instances, steps), False where a step, on the first of the axes that are pooled away, is padding. An
            instance that is all padding becomes NaN.
        is_own_mask: Whether the mask is for this layer alone, not for all layers of rank > 2.

    Raises:
        ArgumentError: It is not numeric, has another number of instances, no channel axis or an empty axis, or other
            steps than its mask.
    """
    argument = f'activations["{spec.name}"]'
    array = as_array(value, argument)
    if not is_numeric(array):
        raise ArgumentError(argument, f"dtype {array.dtype}", "real numbers", "Pass the layer's output tensor.")
    check_rows(array, rows, argument)
    if array.ndim < 3 and is_own_mask:
        expected = "a mask of a layer of rank > 2, which is yet to be pooled"
        raise ArgumentError(f'mask["{spec.name}"]', f"one for activations of shape {array.shape}", expected)
    if isinstance(value, PooledActivations):
        return replace(value, values=as_float32(array))
    if 0 in array.shape[1:]:
        expected = "(instances, neurons) or (instances, ..., channels) without an empty axis"
        raise ArgumentError(argument, f"shape {array.shape}", expected)
    if array.ndim < 3:
        values = as_float32(array if array.ndim == 2 else array[:, None])
        return PooledActivations(values, values.shape[1:], _name(array.dtype))
    positions = channels_last(array, spec)
    if mask is None:
        values = _pooled(positions, spec.pooling)
    else:
        if mask.shape != positions.shape[:2]:
            expected = f"{positions.shape[:2]}, the instances and steps of layer {spec.name!r}"
            way_out = "" if is_own_mask else "Give masks by layer name where layers have other steps."
            raise ArgumentError("mask", f"shape {mask.shape}", expected, way_out)
        values = _pooled_where(positions, mask, spec.pooling)
    return PooledActivations(values, tuple(array.shape[1:]), _name(array.dtype), spec.pooling)


def _pooled(values: NDArray[Any], pooling: Pooling) -> NDArray[np.float32]:
    """Returns `values` (instances, ..., channels) pooled over all axes but the first and the last."""
    axes = tuple(range(1, values.ndim - 1))
    if pooling == "max":
        largest: NDArray[np.float32] = as_float32(values).max(axis=axes)
        return largest
    if pooling == "mean":
        return as_float32(as_float32(values).mean(axis=axes, dtype=np.float64))
    return as_float32(values[(slice(None), *[0 if pooling == "first" else -1 for _ in axes])])


def _pooled_where(values: NDArray[Any], mask: NDArray[np.bool_], pooling: Pooling) -> NDArray[np.float32]:
    """Returns the same over the positions where `mask` (instances, steps) is True; NaN where there are none."""
    flat = as_float32(values).reshape(len(values), prod(values.shape[1:-1]), values.shape[-1])
    kept = np.repeat(mask, flat.shape[1] // mask.shape[1], axis=1)
    count = kept.sum(axis=1, keepdims=True)
    if pooling == "mean":
        total = np.where(kept[..., None], flat, 0).sum(axis=1, dtype=np.float64)
        return as_float32(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
    if pooling == "max":
        pooled = np.where(kept[..., None], flat, -np.inf).max(axis=1)
    else:
        last = kept.shape[1] - 1 - kept[:, ::-1].argmax(axis=1)
        pooled = flat[np.arange(len(flat)), kept.argmax(axis=1) if pooling == "first" else last]
    return as_float32(np.where(count > 0, pooled, np.nan))


@lru_cache
def _name(dtype: np.dtype[Any]) -> str:
    """NumPy builds the name anew each time."""
    return dtype.name


def channels_last(array: NDArray[Any], spec: LayerSpec) -> NDArray[Any]:
    """Returns activations of rank > 2 as (instances, ..., neurons); raises ArgumentError without such an axis."""
    axis = -1 if spec.channel_axis is None else spec.channel_axis
    axis += array.ndim if axis < 0 else 0
    if 1 <= axis < array.ndim:
        return np.moveaxis(array, axis, -1)
    raise ArgumentError(
        f'activations["{spec.name}"]',
        f"channel_axis={spec.channel_axis} for shape {array.shape}",
        f"an axis from 1 to {array.ndim - 1}, or negative from the end",
        "Axis 0 is the instances.",
    )
