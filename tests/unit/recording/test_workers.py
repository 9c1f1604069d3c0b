"""Several workers record parts of one snapshot; merged, it is the one that a single process would have written."""

import io
import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError, RecordingClosedError
from activis_tb.recording import identity
from activis_tb.recording.workers import unpack
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, batch, permute, probabilities, read_snapshots, split

INSTANCES = 300
STATISTICS = ("count", "mean", "std", "min", "max", "active", "nonfinite")


def instances() -> dict[str, Any]:
    """A batch of instances with ids and every type of attribute; the neurons have mean 1e4 and std 1e-2."""
    generator = np.random.default_rng(11)
    labels = generator.integers(0, 3, INSTANCES)
    hidden = (1e4 + 1e-2 * generator.standard_normal((INSTANCES, 4))).astype(np.float32)
    hidden[::7, 3] = np.nan
    texts = [None if number % 11 == 0 else f"question {number} é" for number in range(INSTANCES)]
    picture = b"\x89PNG\r\n\x1a\n" + b"picture"
    return {
        "labels": labels,
        "scores": probabilities(generator.integers(0, 3, INSTANCES)),
        "ids": np.array([f"q{number}" for number in range(INSTANCES)]),
        "attributes": {
            "text": np.array(texts, object),
            "length": generator.normal(size=INSTANCES),
            "long": generator.random(INSTANCES) < 0.5,
            "picture": np.array([picture if number % 2 else None for number in range(INSTANCES)], object),
        },
        "activations": {"hidden": hidden, "signed": generator.standard_normal((INSTANCES, 2, 3)).astype(np.float32)},
    }


def with_ids(extracted: bytes, hashes: np.ndarray) -> bytes:
    """The same part with other hashes of its ids."""
    arrays = dict(np.load(io.BytesIO(extracted))) | {"ids": hashes}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def without_text() -> dict[str, Any]:
    one = instances()
    del one["attributes"]["text"]
    return one


def options(**others: Any) -> dict[str, Any]:
    subsets = {"long": "length > 0 AND long", "sure": lambda view: view["score"] > 0.5, "listed": ["q3", "q4", "q299"]}
    arguments = {"step": 2, "layers": ["hidden", "signed"], "classes": CLASSES, "subsets": subsets, "sample": 30}
    return arguments | {"always": ["q5", "q200"], "quiet": True} | others


def part(logdir: Path, *batches: dict[str, Any], **others: Any) -> bytes:
    """What a worker extracts from these batches; nothing is written."""
    with activis_tb.preprocess(logdir, **options(**others)) as snapshot:
        for one in batches:
            snapshot.process(**one)
        extracted = snapshot.extract()
    assert not logdir.exists()
    return extracted


def merged(logdir: Path, parts: list[bytes], *own: dict[str, Any]) -> SnapshotReader:
    with activis_tb.preprocess(logdir, **options()) as snapshot:
        for one in own:
            snapshot.process(**one)
        for one in parts:
            snapshot.merge(one)
    return read_snapshots(logdir / "activis")[-1]


def assert_same_snapshot(got: SnapshotReader, expected: SnapshotReader) -> None:
    assert got.manifest.instances == expected.manifest.instances
    assert got.manifest.layers == expected.manifest.layers
    assert got.manifest.subsets == expected.manifest.subsets
    assert got.manifest.attributes == expected.manifest.attributes
    for layer, name in itertools.product(("hidden", "signed"), STATISTICS):
        close = {"rtol": 1e-6} if name in {"mean", "std"} else {"rtol": 0}
        values, single = got.statistic(layer, name), expected.statistic(layer, name)
        assert_allclose(values, single, err_msg=f"{layer} {name}", **close)
    ours, theirs = got.sample(), expected.sample()
    assert sorted(ours.index) == sorted(set(ours.index)), "every instance has a position of its own"
    for column in ("ids", "label", "predicted", "score", "scores", "drawn", "always", "membership"):
        assert_array_equal(getattr(ours, column), getattr(theirs, column), err_msg=column)
    for attribute, single in zip(ours.attributes, theirs.attributes, strict=True):
        assert (attribute.name, attribute.type, attribute.categories) == (single.name, single.type, single.categories)
        assert_array_equal(attribute.values, single.values)
        assert_array_equal(attribute.present, single.present)
    assert_array_equal(got.activations("hidden"), expected.activations("hidden"))


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> SnapshotReader:
    """The snapshot of one process that has seen everything."""
    return merged(tmp_path_factory.mktemp("single"), [], instances())


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_merged_parts_are_the_snapshot_of_a_single_process(tmp_path: Path, single: SnapshotReader, order) -> None:
    parts = [part(tmp_path / "none", *split(one, [40])) for one in split(instances(), [50, 120])]
    assert_same_snapshot(merged(tmp_path, [parts[number] for number in order]), single)


def test_the_worker_that_writes_may_have_instances_of_its_own(tmp_path: Path, single: SnapshotReader) -> None:
    shuffled = permute(instances(), np.random.default_rng(1).permutation(INSTANCES))
    own, other = split(shuffled, [170])
    assert_same_snapshot(merged(tmp_path, [part(tmp_path / "none", other)], *split(own, [9])), single)


def test_what_is_processed_after_a_merge_has_positions_of_its_own(tmp_path: Path, single: SnapshotReader) -> None:
    own, other = split(instances(), [100])
    with activis_tb.preprocess(tmp_path, **options()) as snapshot:
        snapshot.merge(part(tmp_path / "none", other))
        snapshot.process(**own)
    assert_same_snapshot(read_snapshots(tmp_path / "activis")[-1], single)


def test_a_worker_without_instances_adds_nothing(tmp_path: Path, single: SnapshotReader) -> None:
    assert_same_snapshot(merged(tmp_path, [part(tmp_path / "none")], instances()), single)


def test_ids_that_came_to_any_worker_are_not_said_to_be_missing(tmp_path: Path, recwarn) -> None:
    merged(tmp_path, [part(tmp_path / "none", one) for one in split(instances(), [100])])
    assert [str(warning.message) for warning in recwarn if "never came" in str(warning.message)] == []


def test_a_layer_of_variable_length_is_one_layer(tmp_path: Path) -> None:
    def layer(length: int, ids: list[str]) -> dict[str, Any]:
        return batch([0, 1], np.ones((2, length, 3)), ids=ids)

    arguments = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True}
    worker = activis_tb.preprocess(tmp_path, **arguments)
    worker.process(**layer(5, ["a", "b"]))
    with activis_tb.preprocess(tmp_path, **arguments) as snapshot:
        snapshot.process(**layer(4, ["c", "d"]))
        snapshot.merge(worker.extract())
    (reader,) = read_snapshots(tmp_path / "activis")
    assert reader.manifest.layers[0].shape == (-1, 3)


def test_a_part_is_closed_once_it_is_extracted(tmp_path: Path) -> None:
    worker = activis_tb.preprocess(tmp_path, **options())
    worker.process(**instances())
    worker.extract()
    with pytest.raises(RecordingClosedError):
        worker.postprocess()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: part(path, instances()), "part: got 300 instances that are here already, such as the id 'q"),
        (
            lambda path: part(path, instances()),
            "Merge every part once, and give every worker its own share of the data",
        ),
        (lambda path: part(path, instances(), sample=7), "part: got a recording with sample 7; expected sample 30"),
        (
            lambda path: part(path, layers=["signed", "hidden"]),
            "Call preprocess with the same arguments on every worker",
        ),
        (lambda path: b"nothing", "part: got 7 bytes; expected the bytes that extract() of another worker returned"),
        (lambda path: part(path, instances())[:-40], "expected the bytes that extract() of another worker returned"),
        (lambda path: 5, "part: got int; expected the bytes"),
        (lambda path: with_ids(part(path, instances()), np.zeros(INSTANCES, np.uint64)), "extract() of another worker"),
        (lambda path: with_ids(part(path, instances()), np.arange(7, dtype=np.uint64)), "extract() of another worker"),
        (lambda path: part(path, without_text()), "part: got attributes length (number), long (boolean), picture"),
    ],
    ids=[
        "twice",
        "as a whole",
        "another sample",
        "other layers",
        "no part",
        "cut",
        "a number",
        "equal",
        "few",
        "other attributes",
    ],
)
def test_what_does_not_belong_is_refused_and_changes_nothing(tmp_path: Path, single, make, message: str) -> None:
    with activis_tb.preprocess(tmp_path / "run", **options()) as snapshot:
        snapshot.process(**instances())
        bad = make(tmp_path / "none")
        with pytest.raises(ArgumentError, match=re.escape(message)):
            snapshot.merge(bad)
    assert_same_snapshot(read_snapshots(tmp_path / "run" / "activis")[-1], single)


@pytest.mark.parametrize("count", [5, 401, 2_001, 9_001])
def test_instances_that_two_workers_have_are_refused_whatever_their_number(tmp_path: Path, count: int) -> None:
    """As DistributedSampler pads an odd number of instances: the first one comes to both workers."""
    numbers = np.arange(count)
    workers = []
    for rank in range(2):
        own = np.append(numbers, 0)[rank::2]
        worker = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, sample=3, quiet=True)
        worker.process(**batch(own % 3, own[:, None], ids=own))
        workers.append(worker)
    extracted = workers[1].extract()
    with pytest.raises(ArgumentError, match="part: got 1 instances that are here already") as caught:
        workers[0].merge(extracted)
    assert "activis_tb.torch.positions(loader) says which it is" in str(caught.value)
    workers[0].postprocess()
    (reader,) = read_snapshots(tmp_path / "activis")
    assert reader.manifest.instances == (count + 1) // 2


def test_a_part_has_eight_bytes_more_per_instance(tmp_path: Path) -> None:
    arguments = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "sample": 30, "quiet": True}
    sizes = []
    for count in (2_000, 22_000):
        worker = activis_tb.preprocess(tmp_path, **arguments)
        worker.process(**batch(np.arange(count) % 3, ids=np.arange(10_000, 10_000 + count)))
        sizes.append(len(worker.extract()))
    assert sizes[1] - sizes[0] == pytest.approx(8 * 20_000, abs=200)


def test_a_worker_with_too_many_instances_has_its_repeats_unchecked_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MOST_CHECKED", 250)
    own, other = split(instances(), [120])
    with pytest.warns(UserWarning, match="of more than 250 instances, ids that come twice are not looked for"):
        reader = merged(tmp_path, [part(tmp_path / "none", other)], own)
    assert reader.manifest.instances == INSTANCES
    with pytest.warns(UserWarning, match="ids that come twice are not looked for"):
        large = part(tmp_path / "none", instances())
    assert unpack(large).ids is None
    assert len(unpack(part(tmp_path / "none", other)).ids) == INSTANCES - 120


def test_workers_need_ids(tmp_path: Path) -> None:
    worker = activis_tb.preprocess(tmp_path, **options(always=[], subsets={}))
    worker.process(**{key: value for key, value in instances().items() if key != "ids"})
    with pytest.raises(ArgumentError, match="ids: got none; expected ids, as several workers record"):
        worker.extract()


def test_everything_is_written_by_one_process(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="expected 'sample', as several workers record"):
        activis_tb.preprocess(tmp_path, **options(keep="all")).extract()


GATHERING = """
import sys
import torch.distributed as distributed
import activis_tb
from tests.unit.recording.helpers import split
from tests.unit.recording.test_workers import instances, options

rank, folder = int(sys.argv[1]), sys.argv[2]
distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
with activis_tb.preprocess(f"{folder}/run", **options()) as snapshot:
    snapshot.process(**split(instances(), [130])[rank])
    parts = [None, None] if rank == 0 else None
    distributed.gather_object(snapshot.extract() if rank else None, parts)
    if rank == 0:
        snapshot.merge(parts[1])
distributed.destroy_process_group()
"""


def test_two_processes_of_torch_distributed_write_one_snapshot(tmp_path: Path, single: SnapshotReader) -> None:
    commands = [[sys.executable, "-c", GATHERING, str(rank), str(tmp_path)] for rank in range(2)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for worker in workers:
        _, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors[-3000:]
    (reader,) = read_snapshots(tmp_path / "run" / "activis")
    assert_same_snapshot(reader, single)
