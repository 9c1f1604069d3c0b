"""Whatever a framework hands over as NumPy arrays, or an error that says how to hand it over."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.model import PooledActivations

_UNCHANGING = {"tensorflow", "jax", "jaxlib"}
_PYTORCH_ONLY = ("torch.bfloat16", "torch.float8")
_LOW_PRECISION = ("bfloat16", "float8", "float6", "float4")


def as_array(value: object, argument: str) -> NDArray[Any]:
    """Returns `value` as a NumPy array; lists, and tensors of TensorFlow, JAX and PyTorch, are welcome.

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
    """Returns the values of a column that knows which of them are missing, and which are there, bool (instances,).

    So are the columns of pandas, polars and Arrow, and masked arrays; None for anything else. As a whole array NumPy
    would have whole numbers beside a missing one as floats, and dates as objects.
    """
    if isinstance(value, np.ma.MaskedArray):
        return (value.compressed(), ~np.ma.getmaskarray(value)) if value.ndim == 1 else None
    for nulls, drop, options in (
        ("isna", "dropna", {}),  # pandas
        ("is_null", "drop_nulls", {}),  # polars
        ("is_null", "drop_null", {"zero_copy_only": False}),  # Arrow
    ):
        if all(hasattr(value, name) for name in (nulls, drop, "to_numpy")) and getattr(value, "ndim", 1) == 1:
            missing = getattr(value, nulls)()
            missing = missing if isinstance(missing, np.ndarray) else missing.to_numpy(**options)
            values = _in_utc(getattr(value, drop)()).to_numpy(**options)
            return values, ~np.asarray(missing, np.bool_)
    return None


def _in_utc(column: Any) -> Any:
    """A column of pandas with a time zone as one of UTC; NumPy would have it as objects."""
    if getattr(getattr(column, "dtype", None), "tz", None) is None:
        return column
    return getattr(column, "dt", column).tz_convert(None)


def is_lasting(value: object, array: NDArray[Any]) -> bool:
    """Tells whether nobody can overwrite `array`, which is what NumPy reads of `value`.

    That is so of the tensors of TensorFlow and JAX, and of `PooledActivations` that are read-only; other read-only
    arrays may be views of some that are not.
    """
    is_unchanging = isinstance(value, PooledActivations) or type(value).__module__.partition(".")[0] in _UNCHANGING
    return is_unchanging and not array.flags.writeable


def _of_pytorch(tensor: Any) -> Any:
    """Returns a tensor, wherever it is and whether or not it has a gradient, as one that NumPy reads."""
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
