"""The accumulator alone, on one thread: 256 neurons and 64 overlapping subsets, against other ways to the same means.

Ten classes, and 54 subsets that hold a tenth of the instances each, so an instance is in about 6.4 of the 64. All ways
start from the same labels, memberships and float32 activations, and end with the same means (checked). Time is that of
the CPU, so that other work on the machine counts little.
"""

import time
from collections.abc import Callable

import duckdb
import numpy as np
import pandas as pd
from _report import Figure

from activis_tb.recording.blocks import MOST_ROWS, Block
from activis_tb.recording.statistics import Accumulator, Scratch, as_floats, membership_of

ROWS, NEURONS, CLASSES, SUBSETS = 32_768, 256, 10, 54


def measure(rounds: int) -> list[Figure]:
    """Returns rows per second of every way, in turns."""
    block = _block()
    ways: dict[str, Callable[[], np.ndarray]] = {
        "ours, means": lambda: _our_means(block),
        "ours, all statistics": lambda: _all_statistics(block),
        "a mask per subset": lambda: _masks(block),
        "pandas groupby": lambda: _pandas(block),
        "DuckDB avg": lambda: _duckdb(block),
    }
    expected = _masks(block)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            means = way()
            rates[name].append(ROWS / (time.process_time() - began))
            np.testing.assert_allclose(means, expected, rtol=1e-4)
    budgets = {"ours, means": 1.5e6}
    title = f"{NEURONS} neurons, {CLASSES + SUBSETS} subsets, rows per second of CPU"
    return [Figure.of(f"{title}: {name}", found, budgets.get(name), "higher") for name, found in rates.items()]


def _block() -> Block:
    generator = np.random.default_rng(0)
    scores = np.zeros((ROWS, CLASSES), np.float32)
    label = generator.integers(0, CLASSES, ROWS, dtype=np.int32)
    return Block(
        ids=np.arange(ROWS).astype(str).astype(object),
        index=np.arange(ROWS),
        label=label,
        predicted=label,
        score=np.ones(ROWS, np.float32),
        scores=scores,
        always=np.zeros(ROWS, np.bool_),
        membership=generator.random((ROWS, SUBSETS)) < 0.1,
        attributes={},
        activations={"layer": np.maximum(generator.normal(size=(ROWS, NEURONS)), 0).astype(np.float32)},
    )


def _blocks(block: Block) -> list[Block]:
    return [block.take(slice(start, start + MOST_ROWS)) for start in range(0, ROWS, MOST_ROWS)]


def _our_means(block: Block) -> np.ndarray:
    """What the accumulator does for sums and counts."""
    sums, counts = np.zeros((CLASSES + SUBSETS, NEURONS)), np.zeros(CLASSES + SUBSETS)
    scratch = Scratch()
    for part in _blocks(block):
        members = membership_of(part, CLASSES)
        sums += members.transposed @ as_floats(part.activations["layer"], scratch)
        counts += members.sizes
    return sums / counts[:, None]


def _all_statistics(block: Block) -> np.ndarray:
    """Count, mean, deviation, extremes, fraction active, non-finite, and the outcomes."""
    accumulator = Accumulator(CLASSES, SUBSETS, {"layer": NEURONS})
    for part in _blocks(block):
        accumulator.add(part)
    return accumulator.extract()["layer"].mean


def _masks(block: Block) -> np.ndarray:
    masks = [block.label == label for label in range(CLASSES)] + list(block.membership.T)
    return np.stack([block.activations["layer"][mask].mean(axis=0, dtype=np.float64) for mask in masks])


def _pandas(block: Block) -> np.ndarray:
    """A groupby per subset that is no class, as they overlap."""
    frame = pd.DataFrame(block.activations["layer"])
    classes = frame.groupby(block.label).mean().to_numpy()
    subsets = [frame.groupby(column).mean().loc[True].to_numpy() for column in block.membership.T]
    return np.concatenate([classes, subsets])


def _duckdb(block: Block) -> np.ndarray:
    """One query per kind of subset: averages by class, and averages with a filter."""
    activations = block.activations["layer"]
    columns = {f"n{neuron}": np.ascontiguousarray(activations[:, neuron]) for neuron in range(NEURONS)}
    members = {f"m{subset}": np.ascontiguousarray(block.membership[:, subset]) for subset in range(SUBSETS)}
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("instances", {"label": block.label, **columns, **members})
        means = ", ".join(f"avg({name}) AS {name}" for name in columns)
        by_class = connection.execute(f"SELECT {means} FROM instances GROUP BY label ORDER BY label").fetchnumpy()
        classes = np.stack([by_class[name] for name in columns], axis=1)
        subsets = [
            list(connection.execute(f"SELECT {means} FROM instances WHERE {member}").fetchone()) for member in members
        ]
    return np.concatenate([classes, subsets])
