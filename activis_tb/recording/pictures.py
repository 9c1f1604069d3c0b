"""Pictures as users have them, arrays or encoded, to small encoded ones."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arrays import as_array, check_rows, is_numeric

LONGEST_SIDE = 96
"""Pixels of a stored picture's longer side, at most."""
SMALL = 16_384
"""Bytes up to which an encoded picture is stored as it is."""

_CHANNELS = {1, 3, 4}
_SHAPES = "pictures (instances, height, width), grey, or with 1, 3 or 4 channels on a last axis"
_VALUES = "uint8, or values from 0 to 1 or from 0 to 255"


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture that is encoded when it is kept.

    Attributes:
        pixels: (height, width) or (height, width, channels).
        factor: Makes values from 0 to 255 of them.
    """

    pixels: NDArray[Any]
    factor: float

    @property
    def content(self) -> bytes:
        """What tells it from others."""
        return repr(self.pixels.shape).encode() + self.pixels.tobytes()

    def encoded(self) -> bytes:
        """Returns a PNG of at most `LONGEST_SIDE` pixels."""
        from PIL import Image

        pixels = self.pixels if self.pixels.ndim == 2 or self.pixels.shape[2] > 1 else self.pixels[:, :, 0]
        if pixels.dtype != np.uint8:
            pixels = np.clip(np.round(pixels.astype(np.float32) * self.factor), 0, 255).astype(np.uint8)
        image = Image.fromarray(pixels)
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return _saved(image, "PNG")


def read_pictures(value: Any, rows: int, argument: str) -> list[Any] | None:
    """Returns the pictures of a batch that are given as arrays, None for a missing one; None where there is no array.

    Args:
        value: (instances, height, width) or (instances, height, width, channels); or a list of such without the first
            axis, of different sizes perhaps, among which may be encoded ones (bytes).
        rows: Instances of the batch.
        argument: Where the user wrote it.

    Raises:
        ArgumentError: Another shape, or values that are no brightness.
    """
    if getattr(value, "ndim", 0) > 2:
        items = list(as_array(value, argument))
    elif isinstance(value, list | tuple) or getattr(value, "dtype", None) == np.object_:
        if not any(getattr(item, "ndim", 0) > 1 for item in value):
            return None
        items = [item if item is None or isinstance(item, bytes) else as_array(item, argument) for item in value]
    else:
        return None
    check_rows(np.empty(len(items)), rows, argument)
    arrays = [item for item in items if isinstance(item, np.ndarray)]
    for array in arrays:
        _check_shape(array, argument)
    factor = _factor(arrays, argument)
    return [Picture(item, factor) if isinstance(item, np.ndarray) else item for item in items]


def thumbnail(content: bytes) -> bytes:
    """Returns an encoded picture in a small form; what is small already, or cannot be read, as it is."""
    from PIL import Image, ImageOps

    if len(content) <= SMALL:
        return content
    try:
        with Image.open(io.BytesIO(content)) as image:
            form = "JPEG" if image.format == "JPEG" else "PNG"
            image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _saved(upright, form)
    except (OSError, ValueError, Image.DecompressionBombError):
        return content


def _saved(image: Any, form: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def _check_shape(array: NDArray[Any], argument: str) -> None:
    if not is_numeric(array):
        raise ArgumentError(argument, f"dtype {array.dtype}", f"{_SHAPES}: {_VALUES}")
    if array.size == 0 or array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[2] not in _CHANNELS):
        channels_first = array.ndim == 3 and array.shape[0] in _CHANNELS
        way_out = "Channels first? Pass np.moveaxis(pictures, 1, -1)." if channels_first else ""
        raise ArgumentError(argument, f"a picture of shape {array.shape}", _SHAPES, way_out)


def _factor(arrays: Sequence[NDArray[Any]], argument: str) -> float:
    """What makes values from 0 to 255 of a batch: 255 where none is above 1, unless they are integers."""
    wide = [array.astype(np.float32, copy=False) for array in arrays if array.dtype != np.uint8]
    if not wide:
        return 1.0
    low, high = min(float(array.min()) for array in wide), max(float(array.max()) for array in wide)
    if not (low >= 0 and high <= 255):
        way_out = "Undo the model's own scaling, or scale them: (x - x.min()) / (x.max() - x.min())."
        raise ArgumentError(argument, f"pictures with values from {low:.4g} to {high:.4g}", _VALUES, way_out)
    integers = all(array.dtype.kind in "iu" for array in arrays)
    return 255.0 if high <= 1 and not integers else 1.0
