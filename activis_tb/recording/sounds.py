"""Sounds as users have them, samples or encoded, to clips that a browser plays."""

import io
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arrays import as_array, check_rows

MOST_BYTES = 160_000
"""Bytes of one stored clip, at most: 5 seconds of 16 kHz."""

_LOUDEST = 2.0
_SAMPLES = "samples (instances, samples) or (instances, samples, channels): int16, or values from -1 to 1"


class Audio:
    """An attribute of sounds that are given as samples: `attributes={"sound": activis_tb.Audio(samples, 16_000)}`.

    A clip is kept in one channel of 16 bits, its first 160,000 bytes: 5 seconds of 16 kHz.

    Args:
        samples: (instances, samples) or (instances, samples, channels); or a list of such without the first axis, of
            different lengths perhaps, None where there is none. int16, or floating point from -1 to 1.
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
    """One clip that is encoded when it is kept.

    Attributes:
        samples: (samples,) or (samples, channels).
        sample_rate: Samples per second.
    """

    samples: NDArray[Any]
    sample_rate: int

    @property
    def content(self) -> bytes:
        """What tells it from others."""
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
