"""Millions of stored instances: recorded by `preprocess(keep="all")`, and the same as Parquet for the others."""

import json
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np

import activis_tb

NEURONS, CLASSES, WORDS, AREAS = 128, 10, 1000, 10
KEY = {"run": "run/activis", "name": "validation", "step": "0"}
_BATCH = 32_768


def batches(instances: int) -> Iterator[dict]:
    """Instances with 128 activations, a third of them zero, and attributes.

    `number` is even over 0 to 1; `topic` (1,000), `area` (10) and `text` (10,000) repeat their values; every `title` is
    another one.
    """
    generator = np.random.default_rng(0)
    for start in range(0, instances, _BATCH):
        rows = min(_BATCH, instances - start)
        labels = generator.integers(0, CLASSES, rows)
        scores = np.full((rows, CLASSES), 0.05, np.float32)
        scores[np.arange(rows), labels] = 0.55
        words, areas = generator.integers(0, WORDS, rows).tolist(), generator.integers(0, AREAS, rows).tolist()
        texts = [f"What is w{word} in area {area}?" for word, area in zip(words, areas, strict=True)]
        yield {
            "labels": labels,
            "scores": scores,
            "ids": np.arange(start, start + rows),
            "attributes": {
                "number": generator.random(rows),
                "topic": [f"topic {word}" for word in words],
                "area": [f"area {area}" for area in areas],
                "text": texts,
                "title": [f"{number}: {text}" for number, text in enumerate(texts, start)],
            },
            "activations": {"hidden": np.maximum(generator.standard_normal((rows, NEURONS), np.float32) + 0.43, 0)},
        }


@contextmanager
def recorded(instances: int, folder: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yields a log directory and a folder of Parquet files with the same instances.

    Args:
        instances: How many.
        folder: Where they are, or where they are left for the next benchmark; by default nowhere.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)) / str(instances)
        logdir, table = place / "logs", place / "table"
        if not place.is_dir():
            table.mkdir(parents=True)
            write(logdir, instances, table)
        yield logdir, table


def write(logdir: Path, instances: int, table: Path) -> None:
    """Records the instances, and writes them as uncompressed Parquet with one float32 column per neuron."""
    connection = duckdb.connect()
    names = [f"class {label}" for label in range(CLASSES)]
    with activis_tb.preprocess(
        logdir / "run", step=0, layers=["hidden"], classes=names, keep="all", quiet=True
    ) as snapshot:
        for number, batch in enumerate(batches(instances)):
            snapshot.process(**batch)
            _write_parquet(connection, table / f"{number:05d}.parquet", batch)
    connection.close()


def _write_parquet(connection: duckdb.DuckDBPyConnection, path: Path, batch: dict) -> None:
    hidden = batch["activations"]["hidden"]
    columns = {f"n{neuron}": np.ascontiguousarray(hidden[:, neuron]) for neuron in range(NEURONS)}
    columns |= {name: np.asarray(values) for name, values in batch["attributes"].items()}
    connection.register("batch", columns)
    connection.execute(f"COPY (SELECT * FROM batch) TO '{path}' (FORMAT parquet, COMPRESSION uncompressed)")
    connection.unregister("batch")


def stored_codes(logdir: Path) -> list[np.ndarray]:
    """Maps the files with the activations, uint8 (instances, neurons) per part."""
    paths = sorted(logdir.rglob("layer-000.u8"))
    return [np.memmap(path, np.uint8, "r").reshape(-1, NEURONS) for path in paths]


def request(url: str, route: str, **query: str) -> tuple[bytes, dict[str, str]]:
    """Asks the plugin at `url` about the recording; returns the body and the headers."""
    address = f"{url}/data/plugin/activis/{route}?{urllib.parse.urlencode({**KEY, **query})}"
    with urllib.request.urlopen(address) as answer:
        return answer.read(), dict(answer.headers)


def wait(url: str) -> None:
    """Waits until the recording is listed."""
    while not json.loads(request(url, "runs")[0])["runs"]:
        time.sleep(0.1)
