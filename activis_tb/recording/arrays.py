"""NumPy arrays from whatever a framework hands over, and numbers as float64 or 64-bit integers without loss."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
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
    """Returns None where NumPy has no such type, or only what it is stored as."""
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


Demand = str
"""What the values of a column need: `exact` integers, or room for a `fraction`, for a `negative` one, for one `beyond`
int64; `nanoseconds`, or years too `far` for them."""

WIDE = 2**53
"""Up to here every whole number is one of float64's."""
_ROOM = 2.0**64
_LARGEST = 308
"""Float64 holds no number of more digits."""
_NOTHING: frozenset[Demand] = frozenset()
_SIGN: frozenset[Demand] = frozenset({"negative"})


def narrowed(values: NDArray[Any]) -> tuple[NDArray[Any], frozenset[Demand] | None]:
    """Returns real numbers as float64, unless that would change a whole one: then as int64, or uint64 beyond that.

    With them what integers need of their type, see `demands_of`; None where the values themselves have to be asked.
    """
    if values.dtype.kind not in "iu" or not len(values):
        return values.astype(np.float64), None
    low, high = np.minimum.reduce(values), np.maximum.reduce(values)
    demands = _SIGN if low < 0 else _NOTHING
    if values.dtype.itemsize < 8 or (high <= WIDE and low >= -WIDE):
        return values.astype(np.float64), demands
    if not is_wide(values).any():
        return values.astype(np.float64), None
    return values.astype(np.uint64 if high >= 2**63 else np.int64), None


def is_wide(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which 64-bit integers are no float64: those with more than 53 digits in base 2, trailing zeros aside."""
    magnitudes = values.view(np.uint64)
    if values.dtype.kind == "i":
        magnitudes = np.where(values < 0, ~magnitudes + np.uint64(1), magnitudes)
    lowest = magnitudes & (~magnitudes + np.uint64(1))
    return magnitudes // np.maximum(lowest, 1) >= np.uint64(WIDE)


def numbers_of(items: Sequence[int | float], argument: str) -> NDArray[Any]:
    """Returns numbers of Python as `narrowed` does.

    Raises:
        ArgumentError: A whole number that is none of float64's is beyond 64 bits, or beside fractions.
    """
    wide = [item for item in items if isinstance(item, int) and abs(item) > WIDE and not _is_float(item)]
    if not wide:
        return np.array(items, np.float64)
    if max(item.bit_length() for item in wide) > 1024:
        raise unlike_numbers(argument, f"a whole number of more than {_LARGEST} digits")
    if any(isinstance(item, float) and not item.is_integer() for item in items):
        raise unlike_numbers(argument, f"{wide[0]} beside fractions or infinity")
    whole = list(map(int, items))
    if min(whole) >= -(2**63) and max(whole) < 2**63:
        return np.array(whole, np.int64)
    if min(whole) >= 0 and max(whole) < 2**64:
        return np.array(whole, np.uint64)
    raise unlike_numbers(argument, f"the whole numbers {min(whole)} to {max(whole)}")


def check_room(values: NDArray[Any], argument: str) -> None:
    """Raises ArgumentError where a long double is a whole number, or a size, that float64 does not hold."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 8:
        return
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float64)
    changed = (numbers != values) & np.isfinite(values) & ((np.rint(values) == values) | np.isinf(numbers))
    if changed.any():
        raise unlike_numbers(argument, f"the long double {values[changed][0]}")


def _is_float(number: int) -> bool:
    try:
        return float(number) == number
    except OverflowError:
        return False


def unlike_numbers(argument: str, got: str) -> ArgumentError:
    """Returns the error for numbers that no one type keeps."""
    name = argument.partition('"')[2].partition('"')[0] or argument
    return ArgumentError(
        argument,
        got,
        "numbers that float64 holds, or whole numbers of 64 bits alone (whole numbers beyond 2^53 are kept exactly)",
        f'To keep every digit, record them as text: attribute_types={{"{name}": "text"}}.',
    )


def decimal_number(value: Decimal, argument: str) -> int | float:
    """Returns a decimal as the number it is written as; raises ArgumentError where that has more digits than kept."""
    if not value.is_finite():
        return np.nan if value.is_nan() else float(value)
    if value.adjusted() > _LARGEST:
        raise unlike_numbers(argument, f"the decimal {value:.3e}")
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise unlike_numbers(argument, f"the decimal {value}")
    return number


def joined_numbers(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Returns numbers one after the other; whole floats become integers beside integers (see `demands_of`)."""
    types = {part.dtype for part in parts}
    if len(types) > 1:
        target = np.uint64 if np.dtype(np.uint64) in types else np.int64
        parts = [part.astype(target) for part in parts]
    return np.concatenate(parts)


def demands_of(values: NDArray[Any], known: frozenset[Demand]) -> frozenset[Demand]:
    """Returns what numbers need of their type, `known` of earlier ones included."""
    if not len(values) or (values.dtype.kind == "f" and "fraction" in known):
        return known
    low, high = np.minimum.reduce(values), np.maximum.reduce(values)
    found = {"negative"} if low < 0 else set()
    if values.dtype.kind != "f":
        found |= {"exact"} | ({"beyond"} if high >= 2**63 else set())
    elif low < -(2.0**63) or high >= _ROOM or np.logical_or.reduce(np.rint(values) != values):
        found |= {"fraction"}
    elif high >= 2.0**63:
        found |= {"beyond"}
    return known | found


def clash(demands: Iterable[Demand]) -> str:
    """Returns what no one type keeps, in words; empty where there is nothing of the kind."""
    needed = set(demands)
    if {"exact", "fraction"} <= needed:
        return "whole numbers beyond 2^53 beside fractions or infinity"
    if {"exact", "negative", "beyond"} <= needed:
        return "whole numbers from 2^63 on beside negative ones"
    return "times with nanoseconds beside years before 1678 or after 2262" if {"nanoseconds", "far"} <= needed else ""
