"""Every statistic equals NumPy's on the instances themselves, however they were split into batches."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from activis_tb.recording import blocks
from activis_tb.recording.blocks import Block
from activis_tb.recording.statistics import Accumulator
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, batch, block, probabilities, record, split

SUBSETS = {
    "even": lambda batch: batch["index"] % 2 == 0,
    "wrong": lambda batch: batch["label"] != batch["predicted"],
    "all": lambda batch: batch["score"] > 0,
    "none": lambda batch: batch["score"] < 0,
    "some ids": ["3", "5", "11"],
}


def data(seed: int, instances: int = 60, neurons: int = 7) -> dict:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, instances)
    predicted = np.where(generator.random(instances) < 0.7, labels, (labels + 1) % 3)
    return {
        "labels": labels,
        "scores": probabilities(predicted),
        "activations": {"hidden": generator.normal(size=(instances, neurons)).astype(np.float32)},
        "ids": np.arange(instances),
    }


def membership(batch: dict) -> NDArray[np.bool_]:
    """(instances, subsets): the classes, then SUBSETS."""
    labels, predicted, ids = batch["labels"], batch["scores"].argmax(1), batch["ids"]
    columns = [labels == 0, labels == 1, labels == 2, ids % 2 == 0, labels != predicted, ids >= 0, ids < 0]
    return np.stack([*columns, np.isin(ids, [3, 5, 11])], axis=1)


def check_statistics(snapshot: SnapshotReader, batch: dict, relative: float = 1e-6) -> None:
    statistics = snapshot.statistics("hidden")
    for subset, members in enumerate(membership(batch).T):
        for neuron in range(batch["activations"]["hidden"].shape[1]):
            values = batch["activations"]["hidden"][members, neuron].astype(np.float64)
            finite = values[np.isfinite(values)]
            cell = (subset, neuron)
            assert statistics.count[cell] == len(finite)
            assert statistics.nonfinite[cell] == len(values) - len(finite)
            expected = (
                [finite.mean(), finite.std(), finite.min(), finite.max(), (finite > 0).mean()]
                if len(finite)
                else [np.nan] * 5
            )
            found = [getattr(statistics, name)[cell] for name in ("mean", "std", "min", "max", "active")]
            assert_allclose(found, expected, rtol=relative, atol=1e-7)


@pytest.mark.parametrize("sizes", [[], [1] * 59, [7, 0, 13, 1, 30], [59]], ids=["one", "singles", "odd", "last alone"])
def test_statistics_equal_numpy_for_every_split_into_batches(tmp_path: Path, sizes: list[int]) -> None:
    instances = data(1)
    check_statistics(record(tmp_path, split(instances, sizes), subsets=SUBSETS), instances)


def test_statistics_do_not_change_where_blocks_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instances = data(2)
    monkeypatch.setattr(blocks, "MOST_ROWS", 8)
    check_statistics(record(tmp_path, split(instances, [5, 21]), subsets=SUBSETS), instances)


def test_statistics_equal_numpy_for_a_batch_of_more_rows_than_a_block(tmp_path: Path) -> None:
    instances = data(3, instances=blocks.MOST_ROWS + 17, neurons=2)
    check_statistics(record(tmp_path, [instances], subsets=SUBSETS), instances)


def test_wide_layers_are_buffered_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instances = data(4, neurons=300)
    monkeypatch.setattr(blocks, "MOST_BYTES", 10 * 300 * 4)
    check_statistics(record(tmp_path, [instances], subsets=SUBSETS), instances)


def test_nonfinite_activations_are_counted_and_left_out(tmp_path: Path) -> None:
    values = [[1.0, np.nan], [np.nan, np.nan], [3.0, np.inf], [np.inf, -np.inf], [-np.inf, 2.0], [5.0, 4.0]]
    snapshot = record(tmp_path, split(batch([0, 0, 0, 0, 1, 1], np.array(values)), [2, 1]))
    statistics = snapshot.statistics("hidden")
    assert_array_equal(statistics.count, [[2, 0], [1, 2], [0, 0]])
    assert_array_equal(statistics.nonfinite, [[2, 4], [1, 0], [0, 0]])
    assert_array_equal(statistics.mean, [[2, np.nan], [5, 3], [np.nan, np.nan]])
    assert_array_equal(statistics.std, [[1, np.nan], [0, 1], [np.nan, np.nan]])
    assert_array_equal(statistics.min, [[1, np.nan], [5, 2], [np.nan, np.nan]])
    assert_array_equal(statistics.max, [[3, np.nan], [5, 4], [np.nan, np.nan]])
    assert_array_equal(statistics.active, [[1, np.nan], [1, 1], [np.nan, np.nan]])


def test_random_nonfinite_activations_leave_the_others_exact(tmp_path: Path) -> None:
    instances = data(5)
    values = instances["activations"]["hidden"]
    spoiled = np.random.default_rng(6).random(values.shape)
    values[spoiled < 0.1] = np.nan
    values[spoiled > 0.95] = np.inf
    check_statistics(record(tmp_path, split(instances, [31]), subsets=SUBSETS), instances)


@pytest.mark.parametrize("spoiled", [1, np.nan, np.inf])
def test_constant_neurons_have_no_deviation_at_all(tmp_path: Path, spoiled: float) -> None:
    values = np.tile(np.random.default_rng(0).uniform(0.1, 100, 200).astype(np.float32), (4095, 1))
    values[::7] *= np.float32(spoiled)
    labels = np.arange(len(values)) % 3
    whole = {"labels": labels, "scores": probabilities(labels), "activations": {"hidden": values}}
    statistics = record(tmp_path, [whole]).statistics("hidden")
    assert_array_equal(statistics.std, np.zeros((3, 200)))


def test_a_neuron_that_never_fires_has_zeros_not_missing_values(tmp_path: Path) -> None:
    statistics = record(tmp_path, [batch([0, 0], np.zeros((2, 1)))]).statistics("hidden")
    assert [statistics.mean[0, 0], statistics.std[0, 0], statistics.active[0, 0], statistics.count[0, 0]] == [
        0,
        0,
        0,
        2,
    ]
    assert np.isnan(statistics.mean[1, 0])


def test_standard_deviation_survives_a_mean_a_million_times_as_large(tmp_path: Path) -> None:
    values = (1e4 + 1e-2 * np.random.default_rng(7).normal(size=(9000, 2))).astype(np.float32)
    labels = np.arange(9000) % 3
    statistics = record(tmp_path, split(batch(labels, values), [1000, 5000])).statistics("hidden")
    for label in range(3):
        exact = values[labels == label].astype(np.float64)
        assert_allclose(statistics.std[label], exact.std(axis=0), rtol=1e-6)
        assert_allclose(statistics.mean[label], exact.mean(axis=0), rtol=1e-7)


def test_standard_deviation_survives_classes_that_are_far_apart(tmp_path: Path) -> None:
    labels = np.arange(300) % 3
    offsets = np.array([1e4, 0, -1e4])[labels]
    values = (offsets + 1e-2 * np.random.default_rng(8).normal(size=300)).astype(np.float32)[:, None]
    statistics = record(tmp_path, [batch(labels, values)]).statistics("hidden")
    assert_allclose(statistics.std[:, 0], [values[labels == label].std(dtype=float) for label in range(3)], rtol=1e-6)


def test_averages_of_tiny_scores_keep_their_digits(tmp_path: Path) -> None:
    values = np.array([[0.9], [0.8], [1e-12], [3e-12]], np.float32)
    statistics = record(tmp_path, [batch([0, 0, 1, 1], values)]).statistics("hidden")
    assert_allclose(statistics.mean[1, 0], 2e-12, rtol=1e-6)
    assert_allclose(statistics.std[1, 0], 1e-12, rtol=1e-6)


def test_outcomes_are_counted_per_class_and_subset(tmp_path: Path) -> None:
    instances = batch([0, 0, 0, 2, 2]) | {"scores": probabilities([0, 1, 1, 2, 0])}
    long = [True, True, False, False, True]
    snapshot = record(tmp_path, [instances], subsets={"long": lambda batch: np.array(long)})
    found = [(subset.name, subset.kind, subset.count, subset.correct, subset.predicted_counts)
             for subset in snapshot.manifest.subsets]  # fmt: skip
    assert found == [
        ("ant", "class", 3, 1, (1, 2, 0)),
        ("bee", "class", 0, 0, (0, 0, 0)),
        ("cat", "class", 2, 1, (1, 0, 1)),
        ("long", "function", 3, 1, (2, 1, 0)),
    ]
    assert snapshot.manifest.instances == 5


def test_a_layer_is_signed_only_where_an_activation_is_negative(tmp_path: Path) -> None:
    layers = {"relu": np.zeros((2, 1)), "tanh": np.array([[0.0], [-0.1]]), "broken": np.array([[-np.inf], [1.0]])}
    snapshot = record(tmp_path, [batch([0, 1]) | {"activations": layers}], layers=list(layers))
    assert [(layer.name, layer.signed) for layer in snapshot.manifest.layers] == [
        ("relu", False),
        ("tanh", True),
        ("broken", False),
    ]


def block_of(instances: dict) -> Block:
    return block(instances, membership(instances)[:, len(CLASSES) :])


def test_accumulators_of_several_workers_merge_to_that_of_one() -> None:
    parts = [block_of(data(seed, instances=count)) for seed, count in ((1, 30), (2, 1), (3, 64))]
    alone, merged = (Accumulator(3, len(SUBSETS), {"hidden": 7}) for _ in range(2))
    for part in parts:
        alone.add(part)
    for part in reversed(parts):
        worker = Accumulator(3, len(SUBSETS), {"hidden": 7})
        worker.add(part)
        merged.merge(worker)
    assert merged.instances == alone.instances == 95
    assert merged.outcomes() == alone.outcomes()
    for name, expected in vars(alone.extract()["hidden"]).items():
        assert_allclose(getattr(merged.extract()["hidden"], name), expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("seed", range(6))
def test_neither_batches_nor_workers_nor_the_order_of_merging_change_a_number(seed: int) -> None:
    generator = np.random.default_rng(seed)
    instances = data(seed, instances=3000)
    values = instances["activations"]["hidden"]
    values[:, 0] = 1e4 + 1e-2 * generator.normal(size=3000)
    values[:, 1] = 0
    values[:, 2] = np.where(instances["labels"] == 1, 1e4, -1e-3) * generator.random(3000)
    values[generator.random(3000) < 0.1, 3] = np.nan
    workers = [Accumulator(3, len(SUBSETS), {"hidden": 7}) for _ in range(1 + seed)]
    for part in split(instances, generator.integers(1, 300, 15)):
        if len(part["labels"]):
            workers[generator.integers(len(workers))].add(block_of(part))
    while len(workers) > 1:
        merged = workers.pop(generator.integers(len(workers)))
        workers[generator.integers(len(workers))].merge(merged)
    found = workers[0].extract()["hidden"]
    for subset, members in enumerate(membership(instances).T):
        for neuron in range(7):
            exact = values[members, neuron].astype(np.float64)
            exact = exact[np.isfinite(exact)]
            expected = [exact.mean(), exact.std(), exact.min(), exact.max()] if len(exact) else [np.nan] * 4
            numbers = [getattr(found, name)[subset, neuron] for name in ("mean", "std", "min", "max")]
            assert_allclose(numbers, expected, rtol=1e-6, atol=1e-12)


def test_an_empty_accumulator_is_neutral() -> None:
    full, empty = (Accumulator(3, len(SUBSETS), {"hidden": 7}) for _ in range(2))
    full.add(block_of(data(9)))
    before = full.extract()["hidden"]
    full.merge(empty)
    empty.merge(full)
    for name, expected in vars(before).items():
        assert_array_equal(getattr(full.extract()["hidden"], name), expected, name)
        assert_array_equal(getattr(empty.extract()["hidden"], name), expected, name)
