"""A subset that was just thought of, over every stored instance: condition, count and the averages of 128 neurons.

The instances are recorded by `preprocess(keep="all")` and asked for over HTTP from a running TensorBoard, warm; a
condition never comes twice. In the same run DuckDB averages the same 128 columns from Parquet (float32, uncompressed),
pandas does if it is installed, and the bytes of the selected rows are read once.
"""

import argparse
import importlib.util
import io
import json
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import _tensorboard
import duckdb
import numpy as np
from _report import Figure, report

import activis_tb

NEURONS, CLASSES, WORDS, AREAS = 128, 10, 1000, 10
BATCH = 32_768
SHARES = {"0.1 %": 0.001, "10 %": 0.1, "50 %": 0.5}
KEY = {"run": "run/activis", "name": "validation", "step": "0"}


class Question(NamedTuple):
    """A kind of condition at one selectivity; `condition` and `sql` give the one of a round."""

    name: str
    condition: Callable[[int], str]
    sql: Callable[[int], str]


def questions() -> Iterator[Question]:
    for label, share in SHARES.items():

        def number(round_: int, share: float = share) -> str:
            low = 0.01 * (round_ % 50)
            return f"number BETWEEN {low:.4f} AND {low + share:.4f}"

        yield Question(f"number, {label}", number, number)

    def areas(round_: int) -> str:
        return ", ".join(f"'area {(round_ + step) % AREAS}'" for step in range(AREAS // 2))

    topic = "topic = 'topic {}'".format
    yield Question("category, 0.1 %", lambda k: topic(k % WORDS), lambda k: topic(k % WORDS))
    yield Question("category, 10 %", lambda k: f"area = 'area {k % AREAS}'", lambda k: f"area = 'area {k % AREAS}'")
    yield Question("category, 50 %", lambda k: f"area IN ({areas(k)})", lambda k: f"area IN ({areas(k)})")
    word = "text LIKE '% w{} %'".format
    yield Question("text LIKE, 0.1 %", lambda k: word(k % WORDS), lambda k: word(k % WORDS))
    found = "text ILIKE '%area {}?'".format
    yield Question("text ILIKE, 10 %", lambda k: found(k % AREAS), lambda k: found(k % AREAS))
    pattern = "area [0-4][?]$"
    yield Question("text ~, 50 %", lambda _: f"text ~ '{pattern}'", lambda _: f"regexp_matches(text, '{pattern}')")


def batches(instances: int) -> Iterator[dict]:
    """Instances with the attributes number, topic, area and text, and 128 activations, a third of them zero."""
    generator = np.random.default_rng(0)
    for start in range(0, instances, BATCH):
        rows = min(BATCH, instances - start)
        labels = generator.integers(0, CLASSES, rows)
        scores = np.full((rows, CLASSES), 0.05, np.float32)
        scores[np.arange(rows), labels] = 0.55
        words, areas = generator.integers(0, WORDS, rows).tolist(), generator.integers(0, AREAS, rows).tolist()
        yield {
            "labels": labels,
            "scores": scores,
            "ids": np.arange(start, start + rows),
            "attributes": {
                "number": generator.random(rows),
                "topic": [f"topic {word}" for word in words],
                "area": [f"area {area}" for area in areas],
                "text": [f"What is w{word} in area {area}?" for word, area in zip(words, areas, strict=True)],
            },
            "activations": {"hidden": np.maximum(generator.standard_normal((rows, NEURONS), np.float32) + 0.43, 0)},
        }


def write(logdir: Path, table: Path, instances: int) -> None:
    """Records the instances, and writes the same as Parquet with one float32 column per neuron."""
    table.mkdir()
    connection = duckdb.connect()
    names = [f"class {label}" for label in range(CLASSES)]
    with activis_tb.preprocess(
        logdir / "run", step=0, layers=["hidden"], classes=names, keep="all", quiet=True
    ) as snapshot:
        for number, batch in enumerate(batches(instances)):
            snapshot.process(**batch)
            hidden = batch["activations"]["hidden"]
            columns = {f"n{neuron}": np.ascontiguousarray(hidden[:, neuron]) for neuron in range(NEURONS)}
            columns |= {name: np.asarray(values) for name, values in batch["attributes"].items()}
            connection.register("batch", columns)
            path = str(table / f"{number:05d}.parquet")
            connection.execute(f"COPY (SELECT * FROM batch) TO '{path}' (FORMAT parquet, COMPRESSION uncompressed)")
            connection.unregister("batch")
    connection.close()


def fetch(url: str, route: str, **query: str) -> bytes:
    address = f"{url}/data/plugin/activis/{route}?{urllib.parse.urlencode({**KEY, **query})}"
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def ask(url: str, condition: str) -> tuple[float, float, np.ndarray]:
    """Returns seconds, the count, and the means."""
    begun = time.perf_counter()
    description = json.loads(fetch(url, "subset", condition=condition))
    body = fetch(url, "subset_statistics", condition=condition, layer="hidden", statistic="mean")
    seconds = time.perf_counter() - begun
    return seconds, description["count"], np.load(io.BytesIO(body), allow_pickle=False)[0]


def wait(url: str) -> None:
    while not json.loads(fetch(url, "runs"))["runs"]:
        time.sleep(0.1)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def read_once(codes: list[np.ndarray], rows: np.ndarray) -> None:
    """Reads the bytes of the selected rows, a cacheful at a time."""
    start = 0
    for part in codes:
        inside = rows[(rows >= start) & (rows < start + len(part))] - start
        for begin in range(0, len(inside), 4096):
            part.take(inside[begin : begin + 4096], axis=0)
        start += len(part)


def stored_codes(logdir: Path) -> list[np.ndarray]:
    paths = sorted(logdir.rglob("layer-000.u8"))
    return [np.memmap(path, np.uint8, "r").reshape(-1, NEURONS) for path in paths]


class DuckDB:
    """Averages the 128 columns from Parquet."""

    def __init__(self, table: Path) -> None:
        self._connection = duckdb.connect()
        averages = ", ".join(f"avg(n{neuron})" for neuron in range(NEURONS))
        self._select = f"SELECT count(*), {averages} FROM read_parquet('{table}/*.parquet') WHERE "

    def ask(self, condition: str) -> tuple[float, float, np.ndarray]:
        """Returns seconds, the count, and the means."""
        begun = time.perf_counter()
        count, *means = self._connection.execute(self._select + condition).fetchone()
        return time.perf_counter() - begun, count, np.array(means)


def measure(question: Question, url: str, database: DuckDB, codes: list[np.ndarray], options, budget) -> list[Figure]:
    ours, theirs, once = [], [], []
    generator = np.random.default_rng(0)
    for round_ in range(options.rounds):
        # Answers are remembered by text; one more space makes it another one.
        seconds, count, means = ask(url, question.condition(round_) + " " * (round_ + 1))
        ours.append(1000 * seconds)
        if round_ < options.others:
            seconds, expected_count, expected_means = database.ask(question.sql(round_))
            assert count == expected_count, (question.name, count, expected_count)
            assert np.abs(means - expected_means).max() < 0.02, question.name
            theirs.append(1000 * seconds)
            rows = np.flatnonzero(generator.random(options.instances) < count / options.instances)
            once.append(1000 * timed(lambda rows=rows: read_once(codes, rows)))
    return [
        Figure.of(f"{question.name}: p50, ms", ours, None),
        Figure(f"{question.name}: p95, ms", float(np.quantile(ours, 0.95)), budget, "lower"),
        Figure.of(f"{question.name}: DuckDB over Parquet, ms", theirs, None),
        Figure(f"{question.name}: DuckDB / p50", float(np.median(theirs) / np.median(ours)), 10, "higher"),
        Figure(
            f"{question.name}: p50 / reading the bytes once", float(np.median(ours) / np.median(once)), None, "lower"
        ),
    ]


def with_pandas(table: Path, options) -> list[Figure]:
    """`DataFrame.query` and the means, on a frame in memory."""
    if importlib.util.find_spec("pandas") is None or importlib.util.find_spec("pyarrow") is None:
        print("pandas.query is not measured: pandas with pyarrow is not installed.")
        return []
    import pandas

    frame = pandas.read_parquet(table)
    neurons = [f"n{neuron}" for neuron in range(NEURONS)]
    figures = []
    for label, share in SHARES.items():
        condition = f"number >= 0.2 and number <= {0.2 + share}"
        samples = [1000 * timed(lambda c=condition: frame.query(c)[neurons].mean()) for _ in range(options.others)]
        figures.append(Figure.of(f"number, {label}: pandas.query in memory, ms", samples, None))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--others", type=int, default=3, help="rounds of what is compared with")
    options = parser.parse_args()
    budget = 300.0 if options.instances <= 1_000_000 else 1000.0
    with tempfile.TemporaryDirectory() as folder:
        logdir, table = Path(folder) / "logs", Path(folder) / "table"
        recording = timed(lambda: write(logdir, table, options.instances))
        stored = sum(path.stat().st_size for path in logdir.rglob("*") if path.is_file()) / 1e6
        with _tensorboard.start(logdir) as server:
            wait(server.url)
            before = server.process.memory_info().rss / 1e6
            first = ask(server.url, "number < 0.5")[0]
            codes, database = stored_codes(logdir), DuckDB(table)
            figures = [
                figure
                for question in questions()
                for figure in measure(question, server.url, database, codes, options, budget)
            ]
            after = server.process.memory_info()
        figures += with_pandas(table, options)
    report(
        [
            *figures,
            Figure(f"recording {options.instances:,} and writing Parquet, s", recording, None, "lower"),
            Figure("files of the recording, MB", stored, None, "lower"),
            Figure("first subset, s", first, None, "lower"),
            Figure("TensorBoard before, MB", before, None, "lower"),
            Figure("TensorBoard after, MB", after.rss / 1e6, None, "lower"),
            Figure("of it mapped files, MB", getattr(after, "shared", 0) / 1e6, None, "lower"),
        ]
    )


if __name__ == "__main__":
    main()
