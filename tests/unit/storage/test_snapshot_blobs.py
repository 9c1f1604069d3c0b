"""A snapshot survives the way into blobs and back; damaged blobs are refused with a sentence."""

import hashlib

import numpy as np
import pytest

from activis_tb.errors import NewerVersionError, SnapshotTooLargeError, StoredDataError
from activis_tb.model import STATISTIC_NAMES, Attribute, Layer, Manifest, Sample, Snapshot, Statistics, Subset
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage import encoding
from activis_tb.storage.decoding import SnapshotReader

PNG = b"\x89PNG\r\n\x1a\n\x00\xff"


MANIFEST = "929c5f59d42b76ca4403d95c70be97fb5e1683fcaf8cee466d792cdb50ec8c86"
"""SHA-256 of the manifest of `snapshot()` as 0.1.0 wrote it."""


def text_column(*values):
    return np.array(values, dtype=object)


def statistics() -> Statistics:
    grid = np.arange(6, dtype=np.float32).reshape(3, 2)
    return Statistics(
        count=np.array([[2, 2], [1, 0], [3, 2]]),
        mean=grid,
        std=grid / 10,
        min=-grid,
        max=grid * 2,
        active=np.array([[1, 0.5], [0, np.nan], [0.25, 1]], np.float32),
        nonfinite=np.array([[0, 0], [0, 1], [0, 1]]),
    )


def snapshot() -> Snapshot:
    all_present = np.ones(3, np.bool_)
    sample = Sample(
        ids=text_column("q-7", "ünï", "<img src=x>"),
        ids_given=True,
        index=np.array([7, 0, 2]),
        label=np.array([0, 1, 1], np.int32),
        predicted=np.array([0, 0, 1], np.int32),
        score=np.array([0.75, 0.5, 1], np.float32),
        scores=np.array([[0.75, 0.25], [0.5, 0.5], [0, 1]], np.float32),
        drawn=np.array([True, True, False]),
        always=np.array([False, True, True]),
        membership=np.array([[1, 0, 1], [0, 1, 0], [0, 1, 1]], np.bool_),
        attributes=(
            Attribute("length", "number", np.array([4.5, 0, -1]), np.array([True, False, True])),
            Attribute("long", "boolean", np.array([True, False, False]), all_present),
            Attribute("topic", "category", np.array([1, 0, 1], np.int32), all_present, ("ärt", "sport")),
            Attribute("text", "text", text_column("What is it ?", "", "Who\x00?"), all_present),
            Attribute("picture", "image", text_column(PNG, PNG + b"2", b""), np.array([True, True, False])),
        ),
    )
    manifest = Manifest(
        name="validation/a",
        step=2**40,
        session=1_790_000_000_000_000_001,
        classes=("NO", "YES"),
        instances=5_000_000_000,
        rows=3,
        layers=(Layer("hidden", 2, (-1, 2), "bfloat16", "m/hidden/Relu:0", signed=True, pooling="max"),),
        subsets=(
            Subset("NO", "class", "", 2, 2, (2, 0)),
            Subset("YES", "class", "", 4_999_999_998, 0, (4_999_999_998, 0)),
            Subset("what", "function", "", 3, 2, (3, 0)),
        ),
        attributes=tuple((attribute.name, attribute.type) for attribute in sample.attributes),
        graph_digest="0123456789abcdef",
    )
    return Snapshot(manifest, sample, {"hidden": statistics()}, {"hidden": np.array([[0, 1], [2, np.nan], [4, 5.5]])})


def reader(blobs) -> SnapshotReader:
    return SnapshotReader(blobs[0], blobs.__getitem__)


def test_a_manifest_has_the_bytes_that_it_always_had():
    manifest, *_ = encoding.encode_snapshot(snapshot())
    assert hashlib.sha256(manifest).hexdigest() == MANIFEST


def test_every_value_of_a_snapshot_comes_back() -> None:
    original = snapshot()
    read = reader(encoding.encode_snapshot(original))
    assert read.manifest == original.manifest
    np.testing.assert_array_equal(read.activations("hidden"), original.activations["hidden"])
    for name in STATISTIC_NAMES:
        np.testing.assert_array_equal(read.statistic("hidden", name), getattr(original.statistics["hidden"], name))
    sample = read.sample()
    for name in ("ids", "index", "label", "predicted", "score", "scores", "drawn", "always", "membership"):
        np.testing.assert_array_equal(getattr(sample, name), getattr(original.sample, name), err_msg=name)
    for got, expected in zip(sample.attributes, original.sample.attributes, strict=True):
        assert (got.name, got.type, got.categories) == (expected.name, expected.type, expected.categories)
        np.testing.assert_array_equal(got.values, expected.values)
        np.testing.assert_array_equal(got.present, expected.present)


def test_reading_one_array_fetches_one_blob() -> None:
    blobs = encoding.encode_snapshot(snapshot())
    fetched: list[int] = []

    def fetch(number: int) -> bytes:
        fetched.append(number)
        return blobs[number]

    read = SnapshotReader(blobs[0], fetch)
    assert fetched == []
    read.statistic("hidden", "mean")
    assert len(fetched) == 1


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    assert encoding.encode_snapshot(snapshot()) == encoding.encode_snapshot(snapshot())


def test_a_newer_version_is_refused_with_both_numbers() -> None:
    blobs = encoding.encode_snapshot(snapshot())
    manifest = pb.Snapshot.FromString(blobs[0])
    manifest.version = 7
    with pytest.raises(NewerVersionError, match=r"format version 7; this activis-tb reads up to version 2\. Upgrade"):
        SnapshotReader(manifest.SerializeToString(), blobs.__getitem__)


@pytest.mark.parametrize("blob", [b"", b"\xff\xff\xff", b"not a snapshot"])
def test_a_manifest_that_is_none_is_refused(blob: bytes) -> None:
    with pytest.raises(StoredDataError, match="damaged"):
        SnapshotReader(blob, lambda _: b"")


def test_a_truncated_array_is_refused() -> None:
    blobs = encoding.encode_snapshot(snapshot())
    number = pb.Snapshot.FromString(blobs[0]).layers[0].activations.blob
    blobs[number] = blobs[number][:-1]
    with pytest.raises(StoredDataError, match=r"has 23 bytes; float32 \(3, 2\) needs 24"):
        reader(blobs).activations("hidden")


@pytest.mark.parametrize(("field", "value"), [("dtype", "|O"), ("dtype", "<U4"), ("blob", 0), ("blob", -3)])
def test_a_pointer_that_cannot_be_right_is_refused(field: str, value: object) -> None:
    blobs = encoding.encode_snapshot(snapshot())
    manifest = pb.Snapshot.FromString(blobs[0])
    setattr(manifest.layers[0].mean, field, value)
    with pytest.raises(StoredDataError):
        SnapshotReader(manifest.SerializeToString(), blobs.__getitem__).statistic("hidden", "mean")


def test_a_shape_that_disagrees_with_the_manifest_is_refused() -> None:
    blobs = encoding.encode_snapshot(snapshot())
    manifest = pb.Snapshot.FromString(blobs[0])
    manifest.layers[0].neurons = 2**40
    with pytest.raises(StoredDataError, match=r"expected shape \(3, 1099511627776\)"):
        SnapshotReader(manifest.SerializeToString(), blobs.__getitem__).activations("hidden")


def test_a_snapshot_above_the_limit_is_refused_with_its_largest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LIMIT", 500)
    with pytest.raises(SnapshotTooLargeError, match=r"Largest part: .*Record fewer layers"):
        encoding.encode_snapshot(snapshot())
