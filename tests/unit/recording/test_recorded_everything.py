"""What `keep="all"` writes is every instance that was processed, in side files that the snapshot points at."""

import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.analysis.codes import dequantise, half_step
from activis_tb.analysis.stored import stored_averages
from activis_tb.errors import StoredDataError
from activis_tb.recording import blocks, dataset
from activis_tb.storage.side_files import DatasetReader
from tests.unit.recording.helpers import CLASSES, batch, codes_of, permute, record, split

PICTURE = b"\x89PNG\r\n\x1a\n rest"


def instances(count: int) -> dict[str, Any]:
    generator = np.random.default_rng(count)
    labels = generator.integers(0, 3, count)
    activations = generator.normal(size=(count, 5)).astype(np.float32)
    activations[:, 1] = np.maximum(activations[:, 1], 0)
    activations[::4, 2] = np.nan
    activations[:, 3] = 2.5
    return {
        "labels": labels,
        "scores": generator.dirichlet(np.ones(3), count),
        "ids": [f"id {position}" for position in range(count)],
        "attributes": {"age": generator.integers(0, 90, count), "text": [f"number {n % 150}" for n in range(count)]},
        "activations": {"hidden": activations, "output": 100 * activations[:, :2] ** 2},
    }


def record_all(logdir: Path, batches: Sequence[Mapping[str, Any]], **arguments: Any) -> DatasetReader:
    layers = list(batches[0]["activations"])
    snapshot = record(logdir, batches, layers=layers, keep="all", **arguments)
    return DatasetReader(logdir / "activis", snapshot.manifest)


def attributes_of(stored: DatasetReader, count: int) -> dict[str, Any]:
    """The columns of so many attributes as DuckDB reads them, masked where a value is missing."""
    files = [str(path) for path in stored.parquet_files]
    columns = duckdb.read_parquet(files, union_by_name=True).fetchnumpy()
    nothing = np.ma.masked_all(stored.instances)
    return {name: columns.get(name, nothing) for name in (f"attribute_{position}" for position in range(count))}


@pytest.mark.parametrize("sizes", [[], [1, 2, 0, 30], [40, 40]], ids=["one batch", "odd batches", "even batches"])
@pytest.mark.parametrize("part_rows", [16, 100, 65_536])
def test_averages_of_any_subset_are_numpys_within_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], part_rows: int
) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", part_rows)
    everything = instances(100)
    stored = record_all(tmp_path, split(everything, sizes))
    assert [part.instances for part in stored.parts] == [min(part_rows, 100 - n) for n in range(0, 100, part_rows)]
    selected = everything["attributes"]["age"] > 40
    for layer, activations in everything["activations"].items():
        averages = stored_averages(stored.layer(layer), selected)
        exact = activations[selected].astype(np.float64)
        assert_array_equal(averages.nonfinite, np.isnan(exact).sum(axis=0))
        assert (np.abs(averages.mean - np.nanmean(exact, axis=0)) <= averages.mean_bound + 1e-12).all()
        assert_allclose(averages.active, np.nanmean(np.where(np.isnan(exact), np.nan, exact > 0), axis=0))


def test_every_activation_is_kept_within_half_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", 64)
    everything = instances(100)
    parts = record_all(tmp_path, [everything]).layer("hidden")
    exact = np.split(everything["activations"]["hidden"], [64])
    for part, activations in zip(parts, exact, strict=True):
        off = np.abs(dequantise(part, codes_of(part)) - activations)
        assert_array_equal(np.isnan(off), np.isnan(activations))
        assert (np.nan_to_num(off) <= half_step(part) + 1e-6).all()


def test_the_columns_are_those_of_the_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", 16)
    everything = instances(50)
    stored = record_all(tmp_path, split(everything, [7, 20]))
    columns = stored.columns("id", "index", "label", "predicted", "score", "score_of_1") | attributes_of(stored, 2)
    assert_array_equal(columns["id"], everything["ids"])
    assert_array_equal(columns["index"], np.arange(50))
    assert_array_equal(columns["label"], everything["labels"])
    assert_array_equal(columns["predicted"], everything["scores"].argmax(axis=1))
    assert_allclose(columns["score"], everything["scores"].max(axis=1), rtol=1e-6)
    assert_allclose(columns["score_of_1"], everything["scores"][:, 1], rtol=1e-6)
    assert_array_equal(columns["attribute_0"], everything["attributes"]["age"])
    assert_array_equal(columns["attribute_1"], everything["attributes"]["text"])


def test_missing_values_are_masked_and_text_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", 2)
    texts = ["O'Brien", 'say "x"', None, None, "日本\n;--", "\x00 nul"]
    attributes = {
        "Text": texts,
        "text": [None] * 6,
        "age": [np.nan, None, 3.5, np.inf, -1.0, 0.0],
        "member": [True, None, None, None, False, True],
        "picture": [PICTURE, None, PICTURE, None, None, PICTURE],
        "topic": ["a", "b", None, "a", "", "b"],
    }
    stored = record_all(
        tmp_path, [batch([0, 1, 2, 0, 1, 2], attributes=attributes)], attribute_types={"topic": "category"}
    )
    columns = attributes_of(stored, 6)
    missing = {name: np.ma.getmaskarray(column).tolist() for name, column in columns.items()}
    values = [column.tolist() for column in columns.values()]
    assert values[0] == texts
    assert values[1] == [None] * 6
    assert values[2] == [None, None, 3.5, np.inf, -1.0, 0.0]
    assert values[3] == [True, None, None, None, False, True]
    assert missing["attribute_4"] == [False, True, False, True, True, False]
    assert values[5] == ["a", "b", None, "a", "", "b"]
    assert all(PICTURE not in path.read_bytes() for path in (tmp_path / "activis" / "plugins").rglob("*.*"))


def test_the_manifest_says_what_is_stored_and_a_sample_is_there_as_ever(tmp_path: Path) -> None:
    everything = record(tmp_path / "all", [instances(50)], layers=["hidden", "output"], keep="all", sample=6)
    sampled = record(tmp_path / "sample", [instances(50)], layers=["hidden", "output"], sample=6)
    assert (everything.manifest.stored, sampled.manifest.stored, sampled.manifest.store) == (50, 0, "")
    assert_array_equal(everything.ids(), sampled.ids())
    assert_array_equal(everything.statistic("hidden", "mean"), sampled.statistic("hidden", "mean"))
    with pytest.raises(StoredDataError, match="store is ''"):
        DatasetReader(tmp_path / "sample" / "activis", sampled.manifest)


@pytest.mark.parametrize("name", ["../../escape", "a/b", "run.tfevents.1", "Ünïcode ☃", "x" * 300, "."])
def test_no_name_leads_elsewhere_or_looks_like_an_event_file(tmp_path: Path, name: str) -> None:
    stored = record_all(tmp_path / "log", [instances(5)], name=name)
    assert stored.columns("index")["index"].tolist() == [0, 1, 2, 3, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["activis"]
    side_files = list((tmp_path / "log" / "activis" / "plugins").rglob("*"))
    assert len(side_files) == 13
    assert not any("tfevents" in path.name.lower() or not path.name.isascii() for path in side_files)


def test_parts_end_where_their_bytes_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_BYTES", 10 * 4 * (5 + 2 + 3))
    stored = record_all(tmp_path, [instances(25)])
    assert [part.instances for part in stored.parts] == [10, 10, 5]
    monkeypatch.setattr(blocks, "MOST_ROWS", 2)
    long = batch([0, 1, 2], attributes={"text": ["x" * 300, "y" * 300, "z"]})
    assert [part.instances for part in record_all(tmp_path / "long", [long]).parts] == [2, 1]


def test_the_order_is_that_of_the_stream_whatever_the_sample_does(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(30)
    everything = {**instances(30), "ids": np.array([f"id {position}" for position in range(30)]), "attributes": {}}
    shuffled = permute(everything, order)
    stored = record_all(tmp_path, [shuffled], sample=3)
    assert_array_equal(stored.columns("id")["id"], everything["ids"][order])
    (part,) = stored.layer("output")
    assert_allclose(
        dequantise(part, codes_of(part)), shuffled["activations"]["output"], atol=float(half_step(part).max()) + 1e-4
    )


def test_two_layers_of_one_instance_with_binary_scores(tmp_path: Path) -> None:
    one = {"labels": [1], "scores": [0.25], "activations": {"a": [[1.0]], "b": [[0.0, -2.0]]}}
    stored = record_all(tmp_path, [one], classes=["no", "yes"])
    assert stored.columns("predicted", "score")["score"].tolist() == [0.75]
    averages = stored_averages(stored.layer("b"), np.array([True]))
    assert_array_equal(averages.mean, [0, -2])


def test_memory_does_not_grow_with_the_number_of_instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "PART_ROWS", 1024)
    monkeypatch.setattr(blocks, "MOST_ROWS", 256)

    def peak(count: int) -> int:
        batches = (batch([0, 1, 2] * 100, np.full((300, 16), step)) for step in range(count // 300))
        tracemalloc.start()
        with activis_tb.preprocess(
            tmp_path / str(count), step=0, layers=["hidden"], classes=CLASSES, keep="all", sample=30, quiet=True
        ) as recorder:
            for instances_of_step in batches:
                recorder.process(**instances_of_step)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1200)
    assert peak(36_000) < 1.2 * peak(3_600)
