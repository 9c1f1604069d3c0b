"""What is damaged in the side files is said, with the name of the file, and not served."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

import activis_tb
from activis_tb.errors import NewerVersionError, StoredDataError
from activis_tb.model import Manifest
from activis_tb.recording import dataset
from activis_tb.storage.side_files import DatasetReader
from tests.unit.recording.helpers import batch, record


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Of five instances in two parts."""
    monkeypatch.setattr(dataset, "PART_ROWS", 3)
    activations = np.arange(10.0).reshape(5, 2)
    return record(tmp_path, [batch([0, 1, 2, 0, 1], activations)], keep="all").manifest


def read_everything(logdir: Path, manifest: Manifest) -> None:
    reader = DatasetReader(logdir / "activis", manifest)
    reader.layer("hidden")
    reader.columns("id", "score")


def part(logdir: Path, manifest: Manifest, number: int = 1) -> Path:
    return logdir / "activis" / manifest.store / f"part-0000{number}"


def test_what_is_whole_is_read(tmp_path: Path, manifest: Manifest) -> None:
    read_everything(tmp_path, manifest)


DAMAGES = ["absent", "empty", "cut", "longer", "noise"]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in ("layer-000.u8", "part.json") for damage in DAMAGES),
        *(
            (f"layer-000.{kind}.npy", damage)
            for kind in ("scales", "tallies")
            for damage in DAMAGES
            if damage != "longer"
        ),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, manifest: Manifest, name: str, damage: str) -> None:
    path = part(tmp_path, manifest) / name
    content = path.read_bytes()
    changed = {"empty": b"", "cut": content[:-1], "longer": content + b"}", "noise": b"\xff" * (len(content) + 1)}
    path.unlink()
    if damage != "absent":
        path.write_bytes(changed[damage])
    with pytest.raises(StoredDataError, match=name):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize("damage", ["absent", "empty", "cut", "noise"])
def test_a_damaged_table_is_named(tmp_path: Path, manifest: Manifest, damage: str) -> None:
    path = part(tmp_path, manifest) / "instances.parquet"
    content = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes({"empty": b"", "cut": content[:-9], "noise": b"\x00" * 99}[damage])
    with pytest.raises(StoredDataError, match=r"Cannot read .*instances\.parquet"):
        read_everything(tmp_path, manifest)


def test_a_table_of_another_part_is_noticed(tmp_path: Path, manifest: Manifest) -> None:
    shutil.copy(part(tmp_path, manifest, 0) / "instances.parquet", part(tmp_path, manifest) / "instances.parquet")
    with pytest.raises(StoredDataError, match="has 3 rows; expected 2"):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 0}, "is damaged"),
        ({"version": "one"}, "is damaged"),
        ({"instances": 0}, "is damaged"),
        ({"instances": -1}, "is damaged"),
        ({"instances": 10**9}, "is damaged"),
        ({"instances": 3}, "6 instances; expected 5"),
        ({"neurons": [3]}, "is damaged"),
        ({"neurons": None}, "is damaged"),
        ({"columns": 7}, "is damaged"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, manifest: Manifest, change: dict[str, object], sentence: str
) -> None:
    path = part(tmp_path, manifest) / "part.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(StoredDataError, match=sentence):
        read_everything(tmp_path, manifest)


def test_a_newer_version_is_refused_with_both_numbers(tmp_path: Path, manifest: Manifest) -> None:
    path = part(tmp_path, manifest) / "part.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(NewerVersionError, match="version 99; this activis-tb reads up to version 2"):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize("row", [0, 1])
def test_scales_that_are_no_numbers_are_refused(tmp_path: Path, manifest: Manifest, row: int) -> None:
    path = part(tmp_path, manifest) / "layer-000.scales.npy"
    scales = np.load(path)
    scales[row, 1] = np.nan
    np.save(path, scales)
    with pytest.raises(StoredDataError, match=r"layer-000\.scales\.npy is damaged"):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize(
    "store", ["", "/etc", "../../etc", "plugins/activis/../../x/1/2", "plugins/activis/x/1", "plugins/activis/x/1/2\n"]
)
def test_a_store_that_lies_elsewhere_is_refused(tmp_path: Path, manifest: Manifest, store: str) -> None:
    with pytest.raises(StoredDataError, match="expected a folder below plugins/activis"):
        DatasetReader(tmp_path / "activis", replace(manifest, store=store))


def test_side_files_that_were_left_behind_are_missed(tmp_path: Path, manifest: Manifest) -> None:
    shutil.rmtree(tmp_path / "activis" / "plugins")
    with pytest.raises(StoredDataError, match="Were the side files left behind when the log was copied"):
        read_everything(tmp_path, manifest)


def test_more_instances_than_the_parts_have_are_missed(tmp_path: Path, manifest: Manifest) -> None:
    with pytest.raises(StoredDataError, match="part-00002"):
        read_everything(tmp_path, replace(manifest, stored=6))


def test_a_recording_without_instances_leaves_nothing(tmp_path: Path) -> None:
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["a"], classes=["b", "c"], keep="all")
    with pytest.raises(ValueError, match="no instance"):
        recorder.postprocess()
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ["layer-000.u8", "layer-000.scales.npy", "part.json"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "circle"])
def test_what_is_no_file_of_the_run_is_not_read(tmp_path: Path, manifest: Manifest, name: str, kind: str) -> None:
    path = part(tmp_path, manifest) / name
    outside = path.rename(tmp_path / "outside")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(outside if kind == "link" else path)
    with pytest.raises(StoredDataError, match=name):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize("tally", range(5))
def test_tallies_of_more_than_there_is_are_refused(tmp_path: Path, manifest: Manifest, tally: int) -> None:
    path = part(tmp_path, manifest) / "layer-000.tallies.npy"
    tallies = np.load(path)
    tallies[0, tally, 1] = 2**32 - 1
    np.save(path, tallies)
    with pytest.raises(StoredDataError, match=r"tallies\.npy is damaged: it counts more than there is"):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize("description", ["[" * 100_000, '{"version": 1, "instances": 1e999}', '{"version": 1e400}'])
def test_json_that_cannot_be_taken_is_refused(tmp_path: Path, manifest: Manifest, description: str) -> None:
    (part(tmp_path, manifest) / "part.json").write_text(description)
    with pytest.raises(StoredDataError, match="is damaged: it is no description of a part"):
        read_everything(tmp_path, manifest)


@pytest.mark.parametrize("score", ["'a text'", "[1.5]"])
def test_a_column_of_another_type_is_refused(tmp_path: Path, manifest: Manifest, score: str) -> None:
    path = part(tmp_path, manifest) / "instances.parquet"
    with duckdb.connect() as connection:
        changed = f"SELECT * REPLACE ({score} AS score) FROM read_parquet('{path}')"
        connection.execute(f"COPY ({changed}) TO '{tmp_path / 'new'}' (FORMAT parquet)")
    (tmp_path / "new").replace(path)
    with pytest.raises(StoredDataError, match=r"score|type"):
        read_everything(tmp_path, manifest)
