"""Positions of sampled instances survive the way into blobs and back; what cannot be is refused."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from activis_tb.errors import StoredDataError
from activis_tb.model import Snapshot
from activis_tb.positions import SamplePositions
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.encoding import encode_snapshot
from tests.snapshots import make_snapshot

WORDS = ["what", "", "is", "it", "é" * 150, "what", "?"]
KEPT = SamplePositions(
    rows=np.array([0, 2, 3], np.int32),
    starts=np.array([0, 2, 2, 5]),
    codes=np.array([[0, 255], [1, 2], [3, 4], [5, 6], [254, 0]], np.uint8),
    origin=np.array([-1.5, 0]),
    scale=np.array([0.25, 0]),
    text_starts=np.array([0, 3, 3, 7]),
    texts=np.array(WORDS, object),
    before=1,
    after=2,
)
NONE = replace(
    KEPT,
    rows=np.empty(0, np.int32),
    starts=np.zeros(1, np.int64),
    codes=np.empty((0, 2), np.uint8),
    text_starts=np.zeros(1, np.int64),
    texts=np.empty(0, object),
)


def snapshot(kept: SamplePositions = KEPT, cases: SamplePositions | None = None) -> Snapshot:
    whole = make_snapshot({"hidden": np.ones((4, 2)), "other": np.ones((4, 1))}, [0, 1, 0, 1])
    whole = replace(whole, sample_positions={"hidden": kept})
    if cases is None:
        return whole
    examples = replace(whole.sample.take(slice(2)), membership=np.zeros((2, 2), np.bool_))
    activations = {"hidden": np.ones((2, 2), np.float32), "other": np.ones((2, 1), np.float32)}
    manifest = replace(whole.manifest, examples=2)
    return replace(
        whole,
        manifest=manifest,
        examples=examples,
        example_activations=activations,
        example_positions={"hidden": cases},
    )


def opened(whole: Snapshot, *, many: bool = False) -> SnapshotReader:
    blobs = encode_snapshot(whole)
    fetch_many = (lambda numbers: [blobs[number] for number in numbers]) if many else None
    return SnapshotReader(blobs[0], blobs.__getitem__, fetch_many, len(blobs))


def check(found: SamplePositions | None, expected: SamplePositions) -> None:
    assert found is not None
    for name in ("rows", "starts", "codes", "origin", "scale"):
        assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
    assert (found.before, found.after) == (expected.before, expected.after)
    if expected.text_starts is None:
        assert found.text_starts is None
    else:
        assert_array_equal(found.text_starts, expected.text_starts)
    assert [text[:99] for text in found.texts] == [text[:99] for text in expected.texts]
    assert max(map(len, found.texts), default=0) <= 100


@pytest.mark.parametrize("many", [False, True])
def test_positions_come_back(many: bool) -> None:
    reader = opened(snapshot(), many=many)
    check(reader.sample_positions("hidden"), KEPT)
    check(reader.example_positions("hidden"), NONE)
    assert reader.sample_positions("other") is None
    assert reader.example_positions("other") is None
    assert reader._message.version == 1  # who knows nothing of them reads the rest


@pytest.mark.parametrize("many", [False, True])
def test_those_of_test_cases_come_back(many: bool) -> None:
    cases = replace(KEPT, rows=np.array([0, 1], np.int32), starts=np.array([0, 3, 5]), text_starts=np.array([0, 4, 7]))
    reader = opened(snapshot(NONE, cases), many=many)
    check(reader.sample_positions("hidden"), NONE)
    check(reader.example_positions("hidden"), cases)


def test_a_layer_without_tokens_has_none() -> None:
    grid = replace(KEPT, text_starts=None, texts=np.empty(0, object), before=0, after=0)
    reader = opened(snapshot(grid))
    check(reader.sample_positions("hidden"), grid)
    check(reader.example_positions("hidden"), replace(NONE, text_starts=None, before=0, after=0))


def test_an_unknown_layer_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        opened(snapshot()).sample_positions("nothing")


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (replace(KEPT, rows=np.array([0, 3, 4])), "rows of positions: got 4; expected 0 to 3"),
        (replace(KEPT, rows=np.array([0, 3, 3])), "rows of positions: got a row that is not behind the one before"),
        (replace(KEPT, starts=np.array([1, 2, 2, 5])), "positions: got offsets from 1 to 5"),
        (replace(KEPT, starts=np.array([0, 2, 1, 5])), "positions: got offsets from 0 to 5; expected ascending"),
        (replace(KEPT, starts=np.array([0, 2, 2, 2**62])), "positions: got offsets"),
        (replace(KEPT, text_starts=np.array([0, 3, 3, 6])), "tokens of positions: got offsets from 0 to 6"),
        (replace(KEPT, text_starts=np.array([0, 2, 3, 7])), "tokens of positions: got fewer than positions"),
        (replace(KEPT, before=2**62), "tokens of positions: got fewer than positions"),
        (replace(KEPT, scale=np.array([0.25, -1])), "scales of positions: got -1"),
        (replace(KEPT, scale=np.array([0.25, np.nan])), "scales of positions: got nan"),
        (replace(KEPT, origin=np.array([np.inf, 0])), "origins of positions: got inf"),
    ],
)
def test_values_that_cannot_be_are_refused(kept: SamplePositions, sentence: str) -> None:
    with pytest.raises(StoredDataError, match=sentence):
        opened(snapshot(kept)).sample_positions("hidden")


Change = Callable[[pb.StoredPositions], object]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda one: one.ClearField("origin"), "sample positions, origin.* declared as nothing"),
        (lambda one: one.ClearField("sample"), "sample positions, row.* declared as nothing"),
        (lambda one: setattr(one.sample.codes, "dtype", "<u2"), "sample positions, codes.* declared as <u2"),
        (lambda one: one.sample.codes.shape.__setitem__(0, 2**40), "arrays: got"),
        (lambda one: one.sample.codes.shape.__setitem__(1, 3), "sample positions, codes.* declared as"),
        (lambda one: one.sample.ClearField("word"), "sample positions, word.* declared as nothing"),
        (lambda one: setattr(one, "before", -1), "negative numbers of tokens around one"),
        (lambda one: setattr(one.sample.row, "blob", 10**6), "no blob 1000000"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(change: Change, sentence: str) -> None:
    manifest, *blobs = encode_snapshot(snapshot())
    message = pb.Snapshot.FromString(manifest)
    change(message.layers[0].sample_positions)
    with pytest.raises(StoredDataError, match=sentence):
        SnapshotReader(message.SerializeToString(), blobs.__getitem__, blobs=len(blobs) + 1)


def test_a_word_that_is_not_there_is_refused() -> None:
    blobs = encode_snapshot(snapshot())
    pointer = pb.Snapshot.FromString(blobs[0]).layers[0].sample_positions.sample.word
    blobs[pointer.blob] = np.array([9] * 7, np.int32).tobytes()
    with pytest.raises(StoredDataError, match="tokens of positions: got 9; expected -1 to 4"):
        SnapshotReader(blobs[0], blobs.__getitem__).sample_positions("hidden")
