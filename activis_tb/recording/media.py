"""Pictures and sounds of instances, given as arrays or encoded, and kept as small PNG, JPEG or WAV."""

import io
import wave
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
    """Picture that is encoded when its instance is kept.

    Attributes:
        pixels: (height, width) or (height, width, channels).
        factor: By which they are multiplied to be from 0 to 255.
    """

    pixels: NDArray[Any]
    factor: float

    @property
    def content(self) -> bytes:
        """Bytes that identify it."""
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
    """Returns the pictures of a batch, None for a missing one; None where none of them is an array.

    Args:
        value: (instances, height, width) or (instances, height, width, channels); or a list of such without the first
            axis, of any sizes, among which may be encoded ones (bytes).
        rows: Instances of the batch.
        argument: Where the user wrote it.

    Raises:
        ArgumentError: Another shape, or values out of range.
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
    """Returns an encoded picture scaled down; one that is small already, or cannot be read, as it is."""
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
    """The factor to values from 0 to 255: 255 where none is above 1, unless they are integers."""
    wide = [array.astype(np.float32, copy=False) for array in arrays if array.dtype != np.uint8]
    if not wide:
        return 1.0
    low, high = min(float(array.min()) for array in wide), max(float(array.max()) for array in wide)
    if not (low >= 0 and high <= 255):
        way_out = "Undo the model's own scaling, or scale them: (x - x.min()) / (x.max() - x.min())."
        raise ArgumentError(argument, f"pictures with values from {low:.4g} to {high:.4g}", _VALUES, way_out)
    integers = all(array.dtype.kind in "iu" for array in arrays)
    return 255.0 if high <= 1 and not integers else 1.0


MOST_BYTES = 160_000
"""Bytes of one stored clip, at most: 5 seconds of 16 kHz."""

_LOUDEST = 2.0
_SAMPLES = "samples (instances, samples) or (instances, samples, channels): int16, or values from -1 to 1"


class Audio:
    """Attribute of sounds that are given as samples: `attributes={"sound": activis_tb.Audio(samples, 16_000)}`.

    A clip is kept in one channel of 16 bits, its first 160,000 bytes: 5 seconds of 16 kHz.

    Args:
        samples: (instances, samples) or (instances, samples, channels); or a list of such without the first axis, of
            any lengths, None where there is none. int16, or floating point from -1 to 1.
        sample_rate: Samples per second.

    Raises:
        ArgumentError: `sample_rate` is no whole number from 1 to 384,000.
    """

    def __init__(self, samples: Any, sample_rate: int) -> None:
        if not isinstance(sample_rate, int | np.integer) or not 1 <= sample_rate <= 384_000:
            raise ArgumentError("sample_rate", repr(sample_rate), "samples per second, from 1 to 384,000")
        self.samples = samples
        self.sample_rate = int(sample_rate)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, rows: slice) -> "Audio":
        """Returns some of the instances."""
        return Audio(self.samples[rows], self.sample_rate)


@dataclass(frozen=True, eq=False)
class Sound:
    """Clip that is encoded when its instance is kept.

    Attributes:
        samples: (samples,) or (samples, channels).
        sample_rate: Samples per second.
    """

    samples: NDArray[Any]
    sample_rate: int

    @property
    def content(self) -> bytes:
        """Bytes that identify it."""
        return repr((self.samples.shape, self.sample_rate)).encode() + self.samples.tobytes()

    def encoded(self) -> bytes:
        """Returns a WAV file of at most `MOST_BYTES` bytes."""
        samples = self.samples[: MOST_BYTES // 2].astype(np.float64)
        mono = samples.mean(axis=1) if samples.ndim == 2 else samples
        scale = 1 if self.samples.dtype.kind == "i" else 32_767
        values = np.clip(np.round(mono * scale), -32_768, 32_767).astype("<i2")
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(values.tobytes())
        return buffer.getvalue()


def read_sounds(value: Audio, rows: int, argument: str) -> list[Sound | None]:
    """Returns the clips of a batch, None for a missing one.

    Raises:
        ArgumentError: Another shape, or values that are no samples.
    """
    given = value.samples
    items = list(given if isinstance(given, list | tuple) else as_array(given, argument))
    check_rows(np.empty(len(items)), rows, argument)
    clips = [None if item is None else as_array(item, argument) for item in items]
    for clip in clips:
        if clip is not None:
            _check(clip, argument)
    return [None if clip is None else Sound(clip, value.sample_rate) for clip in clips]


def check_size(content: bytes, argument: str) -> None:
    """Raises ArgumentError where an encoded sound is too large to be kept."""
    if len(content) > MOST_BYTES:
        way_out = "Cut the clips, or give samples, which are cut: activis_tb.Audio(samples, sample_rate)."
        raise ArgumentError(argument, f"a sound of {len(content):,} bytes", f"at most {MOST_BYTES:,}", way_out)


def _check(clip: NDArray[Any], argument: str) -> None:
    if clip.ndim not in {1, 2} or clip.size == 0 or (clip.dtype != np.int16 and clip.dtype.kind != "f"):
        raise ArgumentError(argument, f"a clip of {clip.dtype} {clip.shape}", _SAMPLES)
    loudest = 0.0 if clip.dtype == np.int16 else float(np.abs(clip).max())
    if not loudest <= _LOUDEST:
        way_out = "Samples of 16 bits are given as int16."
        raise ArgumentError(argument, f"a clip with values up to {loudest:.4g}", _SAMPLES, way_out)
