"""Of every kept activation that is a maximum over positions, the snapshot knows at which one it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.model import LayerSpec, PooledActivations
from activis_tb.positions import UNKNOWN_POSITION
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, permute, probabilities, read_snapshots, record, split

ROWS = 80
LAYERS = [LayerSpec("series"), LayerSpec("picture", channel_axis=1), "dense", LayerSpec("mean", "mean")]


def instances(rows: int = ROWS, seed: int = 2) -> dict[str, Any]:
    """A batch of layers of every rank; few different values, so that many positions are equally strong."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, rows)
    mask = np.arange(7) < generator.integers(0, 8, rows)[:, None]
    return {
        "labels": labels,
        "scores": probabilities(labels),
        "ids": np.array([f"q{number}" for number in range(rows)]),
        "activations": {
            "series": generator.integers(0, 5, (rows, 7, 3)).astype(np.float64),
            "picture": generator.normal(size=(rows, 4, 5, 6)).astype(np.float16),
            "dense": generator.normal(size=(rows, 2)),
            "mean": generator.normal(size=(rows, 7, 2)),
        },
        "mask": {"series": mask},
    }


def expected(one: dict[str, Any]) -> dict[str, np.ndarray]:
    series = np.where(one["mask"]["series"][..., None], one["activations"]["series"], -1).argmax(axis=1)
    series[~one["mask"]["series"].any(axis=1)] = UNKNOWN_POSITION
    pictures = one["activations"]["picture"]
    return {"series": series, "picture": pictures.reshape(len(pictures), 4, -1).argmax(axis=2)}


def check(reader: SnapshotReader, one: dict[str, Any]) -> None:
    places = {identity: row for row, identity in enumerate(one["ids"].tolist())}
    rows = [places[identity] for identity in reader.ids()]
    for name, positions in expected(one).items():
        assert_array_equal(reader.arg_positions(name), positions[rows])
    assert reader.arg_positions("dense") is None
    assert reader.arg_positions("mean") is None
    assert reader.tokens("series") is None
    assert reader.top_positions("series") is None
    assert [layer.positions for layer in reader.manifest.layers] == ["steps", "grid", "", "steps"]


@pytest.mark.parametrize("sample", [1000, 30])
def test_the_position_of_every_maximum_is_kept(tmp_path: Path, sample: int) -> None:
    one = instances()
    check(record(tmp_path / "one", [one], LAYERS, sample=sample), one)
    order = np.random.default_rng(1).permutation(ROWS)
    check(record(tmp_path / "parts", split(permute(one, order), [20, 1, 0, 30]), LAYERS, sample=sample), one)


def test_workers_and_those_always_kept_have_it_too(tmp_path: Path) -> None:
    one = instances()

    def begin(folder: str) -> Any:
        always = 'score < 2 AND "index" < 50'
        options: dict[str, Any] = {"step": 0, "classes": CLASSES, "sample": 9, "always": always, "quiet": True}
        return activis_tb.preprocess(tmp_path / folder, layers=LAYERS, **options)

    first, second = split(one, [50])
    with begin("worker") as worker:
        worker.process(**second)
        part = worker.extract()
    with begin("one") as snapshot:
        snapshot.process(**first)
        snapshot.merge(part)
    reader = read_snapshots(tmp_path / "one" / "activis")[-1]
    assert reader.manifest.rows > 50
    check(reader, one)


def test_test_cases_have_it_too(tmp_path: Path) -> None:
    one, cases = instances(), instances(5, seed=9)
    options: dict[str, Any] = {"step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path, layers=LAYERS, **options) as snapshot:
        snapshot.examples(**cases)
        snapshot.process(**one)
    reader = read_snapshots(tmp_path / "activis")[-1]
    check(reader, one)
    for name, positions in expected(cases).items():
        assert_array_equal(reader.example_arg_positions(name), positions)
    assert reader.example_arg_positions("dense") is None


def test_what_is_not_finite_and_what_was_pooled_before_is_unknown(tmp_path: Path) -> None:
    values = np.array([[[np.nan], [1.0]], [[2.0], [3.0]]])
    one = {"labels": [0, 1], "scores": probabilities([0, 1]), "activations": {"hidden": values}}
    reader = record(tmp_path / "nan", [one], ["hidden"])
    assert reader.arg_positions("hidden")[np.argsort(reader.sample().index)].tolist() == [[UNKNOWN_POSITION], [1]]
    pooled = PooledActivations(np.ones((2, 1), np.float32), (2, 1), "float32", "max")
    reader = record(tmp_path / "pooled", [{**one, "activations": {"hidden": pooled}}], ["hidden"])
    assert reader.arg_positions("hidden") is None
    assert reader.manifest.layers[0].positions == ""


def test_tokens_and_positions_stand_side_by_side(tmp_path: Path) -> None:
    values = np.array([[[0.0], [5], [2]], [[7], [1], [9]]])
    one = {"labels": [0, 1], "scores": probabilities([0, 1]), "activations": {"hidden": values}}
    tokens = [["what", "is", "it"], ["name", "it", None]]
    reader = record(tmp_path, [{**one, "tokens": tokens}], ["hidden"])
    assert reader.arg_positions("hidden")[np.argsort(reader.sample().index)].tolist() == [[1], [2]]  # padding won
    assert reader.manifest.layers[0].positions == "tokens"
    assert reader.example_arg_positions("hidden").shape == (0, 1)
