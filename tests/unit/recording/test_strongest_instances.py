"""The strongest instances of every neuron are those of a full sort over all instances, however the data came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.recording import strongest_instances
from activis_tb.recording.identity import hash_texts
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, permute, probabilities, read_snapshots, record, split

ROWS = 700
LAYERS = ["signed", "relu", "ties"]


def instances(rows: int = ROWS, seed: int = 2) -> dict[str, Any]:
    """A batch of a signed layer, one that is mostly zero, and one of few different values, some not finite."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, rows)
    ties = generator.integers(-2, 3, (rows, 4)).astype(np.float32)
    ties[generator.random(ties.shape) < 0.02] = np.nan
    ties[generator.random(ties.shape) < 0.02] = np.inf
    ties[:, 3] = -1
    relu = np.maximum(generator.normal(size=(rows, 5)) - 1.5, 0).astype(np.float32)
    relu[:, 4] = 0
    return {
        "labels": labels,
        "scores": probabilities((labels + (np.arange(rows) % 5 == 0)) % 3),
        "ids": np.array([f"q{number}" for number in range(rows)]),
        "attributes": {
            "text": np.array([f"What is number {number}?" + " so" * (number % 300) for number in range(rows)], object),
            "topic": np.array([("sport", "art", None)[number % 3] for number in range(rows)], object),
            "length": np.arange(rows) / 2,
            "photo": np.array([b"\x89PNG\r\n\x1a\n"] * rows, object),
        },
        "activations": {"signed": generator.normal(size=(rows, 3)), "relu": relu, "ties": ties},
    }


def expected(values: np.ndarray, keys: np.ndarray, top: int) -> tuple[list[int], list[float]]:
    """Rows of the largest finite values, and these."""
    order = np.lexsort((keys, -values))
    order = order[np.isfinite(values[order])][:top]
    return order.tolist(), values[order].tolist()


def check(reader: SnapshotReader, one: dict[str, Any], top: int = 20) -> None:
    found = reader.top_instances()
    assert found is not None
    places = {identity: row for row, identity in enumerate(one["ids"].tolist())}
    rows = np.array([places[identity] for identity in found.ids])
    assert_array_equal(found.index, rows)
    assert_array_equal(found.label, np.asarray(one["labels"])[rows])
    assert_array_equal(found.predicted, one["scores"].argmax(1)[rows])
    text, topic, length = found.attributes
    assert [attribute.name for attribute in found.attributes] == ["text", "topic", "length"]
    whole = [one["attributes"]["text"][row] for row in rows]
    assert text.values.tolist() == [own if len(own) <= 400 else own[:399] + "…" for own in whole]
    named = [topic.categories[code] if code >= 0 else None for code in topic.values]
    assert named == [one["attributes"]["topic"][row] for row in rows]
    assert_array_equal(length.values, one["attributes"]["length"][rows])
    keys = hash_texts(one["ids"].tolist())
    for name, values in one["activations"].items():
        values = np.asarray(values, np.float32)
        best = reader.top_rows(name)
        for neuron in range(values.shape[1]):
            ours = best.strongest[neuron][best.strongest[neuron] >= 0]
            assert (rows[ours].tolist(), best.largest[neuron, : len(ours)].tolist()) == expected(
                values[:, neuron], keys, top
            )
            if name == "relu":
                assert best.weakest.shape[1] == 0
                continue
            ours = best.weakest[neuron][best.weakest[neuron] >= 0]
            negative = np.where(values[:, neuron] < 0, -values[:, neuron], np.nan)
            row, value = expected(negative, keys, top)
            assert (rows[ours].tolist(), (-best.smallest[neuron, : len(ours)]).tolist()) == (row, value)


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_a_full_sort(tmp_path: Path, seed: int) -> None:
    one = instances(seed=seed)
    check(record(tmp_path / "one", [one], LAYERS, sample=30), one)
    generator = np.random.default_rng(seed)
    other = permute(one, generator.permutation(ROWS))
    check(record(tmp_path / "other", split(other, generator.integers(0, 120, 8).tolist()), LAYERS, sample=30), other)


def test_ones_that_come_late_and_blocks_of_the_stream_change_nothing(tmp_path: Path) -> None:
    one = instances(9_000)
    one["activations"]["signed"] = np.sort(one["activations"]["signed"], axis=0)
    check(record(tmp_path, split(one, [100] * 80), LAYERS, sample=30), one)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_workers_find_what_one_process_would(tmp_path: Path, workers: int) -> None:
    one = instances()
    options: dict[str, Any] = {"layers": LAYERS, "step": 0, "classes": CLASSES, "quiet": True, "sample": 30}
    parts = split(one, [ROWS // workers] * (workers - 1))
    packed = []
    for number, part in enumerate(parts[1:]):
        with activis_tb.preprocess(tmp_path / f"worker {number}", **options) as worker:
            worker.process(**part)
            packed.append(worker.extract())
    with activis_tb.preprocess(tmp_path / "merged", **options) as snapshot:
        snapshot.process(**parts[0])
        for part in packed:
            snapshot.merge(part)
    check(read_snapshots(tmp_path / "merged" / "activis")[-1], one)


def test_where_everything_is_sampled_nothing_is_kept_twice(tmp_path: Path) -> None:
    reader = record(tmp_path, [instances()], LAYERS)
    assert reader.top_instances() is None
    assert reader.top_rows("relu") is None
    with pytest.raises(KeyError):
        reader.top_rows("nothing")


def test_they_take_at_most_their_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = instances()
    plain = record(tmp_path / "plain", [one], LAYERS, sample=30)
    monkeypatch.setattr(strongest_instances, "TOP_BYTES", 12_000)
    reader = record(tmp_path / "small", [one], LAYERS, sample=30)
    top = reader.top_rows("signed").strongest.shape[1]
    assert 1 <= top < plain.top_rows("signed").strongest.shape[1] == 20
    check(reader, one, top)
    sizes = [
        sum(path.stat().st_size for path in (tmp_path / name / "activis").iterdir()) for name in ("plain", "small")
    ]
    assert sizes[0] - sizes[1] > 10_000


def test_of_many_neurons_fewer_are_kept_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strongest_instances, "_MOST_SLOTS", 60)
    one = instances()
    reader = record(tmp_path, [one], LAYERS, sample=30)
    assert reader.top_rows("signed").strongest.shape == (3, 5)
    check(reader, one, 5)


def test_data_without_attributes_and_labels_has_them_too(tmp_path: Path) -> None:
    one = {**instances(), "labels": None, "attributes": None}
    reader = record(tmp_path, [one], LAYERS, sample=30)
    found = reader.top_instances()
    assert found.attributes == ()
    assert (found.label == -1).all()
    assert reader.top_rows("signed").strongest.shape == (3, 20)
