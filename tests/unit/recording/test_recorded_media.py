"""Pictures and sounds in every form that people have become small files that a browser shows."""

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording.media import MOST_BYTES
from activis_tb.storage.metadata import media_type
from tests.unit.recording.helpers import batch, record

GREY = np.arange(2 * 4 * 6, dtype=np.uint8).reshape(2, 4, 6) * 5
COLOUR = np.stack([GREY, 255 - GREY, np.full_like(GREY, 7)], axis=-1)
RGBA = np.concatenate([COLOUR, np.full_like(GREY, 128)[..., None]], axis=-1)


def recorded(logdir: Path, *parts: Any, **arguments: Any) -> tuple[str, list[bytes | None]]:
    """Records one attribute in one batch per part; returns its type and its values in the order of the stream."""
    batches = [batch([0] * len(part), attributes={"it": part}) for part in parts]
    sample = record(logdir, batches, **arguments).sample()
    (attribute,) = sample.attributes
    values = [value if present else None for value, present in zip(attribute.values, attribute.present, strict=True)]
    return attribute.type, [values[row] for row in np.argsort(sample.index)]


def encoded(pixels: np.ndarray, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def opened(content: bytes | None) -> Image.Image:
    return Image.open(io.BytesIO(content or b""))


@pytest.mark.parametrize(
    ("given", "mode", "expected"),
    [
        (GREY, "L", GREY),
        (GREY[..., None], "L", GREY),
        (COLOUR, "RGB", COLOUR),
        (RGBA, "RGBA", RGBA),
        (list(COLOUR), "RGB", COLOUR),
        (torch.from_numpy(COLOUR), "RGB", COLOUR),
        (GREY / np.float32(255), "L", GREY),
        (COLOUR / 255, "RGB", COLOUR),
        ((COLOUR / 255).astype(np.float16), "RGB", COLOUR),
        (GREY.astype(np.float64), "L", GREY),
        (GREY.astype(np.int64), "L", GREY),
        (GREY > 100, "L", np.where(GREY > 100, 255, 0)),
        (np.minimum(GREY, 1), "L", np.minimum(GREY, 1)),
    ],
)
def test_arrays_are_kept_as_png_with_the_same_pixels(tmp_path: Path, given: Any, mode: str, expected: Any) -> None:
    type_, values = recorded(tmp_path, given)
    assert type_ == "image"
    for value, pixels in zip(values, expected, strict=True):
        picture = opened(value)
        assert (picture.format, picture.mode) == ("PNG", mode)
        assert_array_equal(np.asarray(picture), pixels)


def test_pictures_of_different_sizes_and_missing_ones(tmp_path: Path) -> None:
    _, values = recorded(tmp_path, [GREY[0], None, COLOUR[0, :2], encoded(COLOUR[1], "PNG")])
    assert values[1] is None
    assert [opened(values[row]).size for row in (0, 2, 3)] == [(6, 4), (6, 2), (6, 4)]


def test_large_pictures_are_made_small_and_keep_their_form(tmp_path: Path) -> None:
    row, column = np.mgrid[:300, :600]
    large = np.stack([row % 256, column % 256, (row * column) % 256], axis=-1).astype(np.uint8)
    given = [encoded(large, "PNG"), encoded(large, "JPEG", quality=95), encoded(large, "WEBP", lossless=True)]
    assert min(map(len, given)) > 20_000
    _, values = recorded(tmp_path, [large, *given])
    assert [opened(value).format for value in values] == ["PNG", "PNG", "JPEG", "PNG"]
    assert [opened(value).size for value in values] == [(96, 48)] * 4
    reference = np.asarray(Image.fromarray(large).resize((96, 48)), float)[..., :2]
    for value in values:
        assert np.abs(np.asarray(opened(value), float)[..., :2] - reference).mean() < 25


def test_a_picture_lies_as_its_camera_says(tmp_path: Path) -> None:
    large = np.random.default_rng(0).integers(0, 256, (200, 400, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    _, (value,) = recorded(tmp_path, [encoded(large, "JPEG", exif=exif)])
    assert opened(value).size == (48, 96)


def test_small_and_unreadable_pictures_stay_as_they_are(tmp_path: Path) -> None:
    small = encoded(COLOUR[0], "JPEG")
    broken = b"\x89PNG\r\n\x1a\n" + bytes(30_000)
    assert recorded(tmp_path, [small, broken]) == ("image", [small, broken])


def test_only_pictures_that_may_be_kept_are_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encodings = []
    save = Image.Image.save
    monkeypatch.setattr(Image.Image, "save", lambda *arguments: (encodings.append(1), save(*arguments))[1])
    pictures = np.random.default_rng(0).integers(0, 256, (4000, 3, 3), np.uint8)
    batches = [
        batch([0] * 500, ids=range(start, start + 500), attributes={"it": pictures[start : start + 500]})
        for start in range(0, 4000, 500)
    ]
    sample = record(tmp_path, batches, sample=30, always=["3999"]).sample()
    (attribute,) = sample.attributes
    for row, value in enumerate(attribute.values):
        assert_array_equal(np.asarray(opened(value)), pixels_of(pictures, sample.ids[row]))
    assert len(sample.ids) in {30, 31}
    assert len(encodings) < 360


def pixels_of(pictures: np.ndarray, identity: str) -> np.ndarray:
    return pictures[int(identity)]


def test_test_cases_that_a_condition_finds_have_their_pictures(tmp_path: Path) -> None:
    instances = batch([0, 0, 0], attributes={"it": np.stack([GREY[0], GREY[1], GREY[0]]), "n": [1, 2, 3]})
    sample = record(tmp_path, [instances], sample=0, always="n = 2").sample()
    assert sample.index.tolist() == [1]
    assert_array_equal(np.asarray(opened(sample.attributes[0].values[0])), GREY[1])


def test_a_function_of_the_batch_sees_what_was_given(tmp_path: Path) -> None:
    sound = activis_tb.Audio(np.float32([[0, 0.5], [0.25, 0]]), 8000)
    seen: dict[str, Any] = {}

    def look(columns: Any) -> np.ndarray:
        seen.update(picture=columns["picture"], sound=columns["sound"])
        return np.array([picture.max() > 200 for picture in columns["picture"]])

    instances = batch([0, 1], attributes={"picture": GREY, "sound": sound})
    snapshot = record(tmp_path, [instances], subsets={"bright": look})
    assert_array_equal(np.stack(seen["picture"]), GREY)
    assert_array_equal(np.stack(seen["sound"]), sound.samples)
    assert snapshot.manifest.subsets[-1].count == 1


def test_the_same_pictures_have_the_same_ids_in_any_order(tmp_path: Path) -> None:
    first = record(tmp_path / "a", [batch([0, 0], attributes={"it": GREY})]).ids()
    second = record(tmp_path / "b", [batch([0, 0], attributes={"it": GREY[::-1]})]).ids()
    assert first.tolist() == second.tolist()
    assert len(set(first)) == 2


def frames(content: bytes | None) -> tuple[int, int, np.ndarray]:
    """Channels, rate and samples of a WAV file, the samples in -1..1."""
    with wave.open(io.BytesIO(content or b"")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getnchannels(), file.getframerate(), samples / 32_767


def test_samples_become_wav_clips_of_one_channel(tmp_path: Path) -> None:
    tone = np.sin(np.arange(800) / 10)
    stereo = np.column_stack([tone, np.zeros(800)])
    integers = np.int16([0, 16_384, -32_768])
    given = [tone, stereo, None, tone[:100].astype(np.float32), integers]
    type_, values = recorded(tmp_path, activis_tb.Audio(given, 8000))
    assert type_ == "audio"
    assert values[2] is None
    assert {media_type(value) for value in values if value} == {"audio/wav"}
    for row, expected in ((0, tone), (1, tone / 2), (3, tone[:100]), (4, integers / 32_767)):
        channels, rate, samples = frames(values[row])
        assert (channels, rate) == (1, 8000)
        assert_allclose(samples, expected, atol=1e-4)


def test_long_clips_are_cut(tmp_path: Path) -> None:
    _, (value,) = recorded(tmp_path, activis_tb.Audio(np.zeros((1, 200_000), np.float32), 16_000))
    assert len(frames(value)[2]) == 80_000
    assert len(value or b"") <= MOST_BYTES + 44


def test_audio_can_be_sliced_as_the_callback_does(tmp_path: Path) -> None:
    clips = activis_tb.Audio(np.float32([[0, 0.1], [0, 0.2], [0, 0.3]]), 4000)
    assert len(clips) == 3
    _, values = recorded(tmp_path, clips[:2], clips[2:])
    assert_allclose([frames(value)[2][1] for value in values], [0.1, 0.2, 0.3], atol=1e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 4, 5, 2)), r"got a picture of shape \(4, 5, 2\); expected pictures \(instances, height, width\)"),
        (np.zeros((2, 3, 8, 8)), r"\(3, 8, 8\).*Channels first\? Pass np\.moveaxis\(pictures, 1, -1\)"),
        (
            np.full((2, 4, 4), -0.5),
            r"values from -0\.5 to -0\.5; expected uint8, or values from 0 to 1 or",
        ),
        (np.full((2, 4, 4), 256), r"values from 256 to 256; expected uint8"),
        (np.full((2, 4, 4), np.nan), r"values from nan to nan"),
        (np.zeros((3, 4, 4)), r"expected 2 instances on the first axis"),
        ([GREY[0], "x"], r"expected pictures"),
        (activis_tb.Audio(np.zeros((2, 3, 4, 5)), 8000), r"got a clip of float64 \(3, 4, 5\); expected samples"),
        (activis_tb.Audio(np.full((2, 3), 400.0), 8000), r"values up to 400; .*Samples of 16 bits are given as int16"),
        (activis_tb.Audio(np.full((2, 3), np.nan), 8000), r"values up to nan"),
        (activis_tb.Audio(np.zeros((3, 3)), 8000), r"expected 2 instances on the first axis"),
        ([b"OggS" + bytes(200_000), None], r"a sound of 200,004 bytes; expected at most 160,000.*activis_tb\.Audio"),
    ],
)
def test_what_is_no_picture_and_no_sound_is_refused(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1], attributes={"it": given})])


@pytest.mark.parametrize("rate", [0, 44.1, "8000"])
def test_a_sample_rate_is_a_number_of_samples_per_second(rate: Any) -> None:
    with pytest.raises(ArgumentError, match=r"sample_rate: got .*; expected samples per second"):
        activis_tb.Audio([[0.0]], rate)


def test_arrays_of_another_declared_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="expected image, as attribute_types says"):
        recorded(tmp_path / "a", activis_tb.Audio([[0.0]], 8000), attribute_types={"it": "image"})
    with pytest.raises(ArgumentError, match=r"got shape \(2, 4, 6\)"):
        recorded(tmp_path / "b", GREY, attribute_types={"it": "number"})
