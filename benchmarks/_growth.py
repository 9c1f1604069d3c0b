"""Memory, time and disk as the number of instances grows; every size is recorded in a process of its own.

The activations are cheap to make: the same 4,096 rows again and again, so that the recording's own memory shows.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _report import Figure

import activis_tb

BATCH, NEURONS, CLASSES = 4096, 64, 10


def measure(sizes: list[int]) -> list[Figure]:
    """Returns peak memory, seconds per million and bytes on disk for both values of `keep`."""
    figures: list[Figure] = []
    for keep in ("sample", "all"):
        found = [_in_a_process(size, keep) for size in sizes]
        base = found[0]["peak"]
        for size, one in zip(sizes, found, strict=True):
            title = f'keep="{keep}", {size:,} instances of {NEURONS} neurons'
            budget = 100.0 if size > sizes[0] else None
            figures.append(Figure(f"{title}: peak memory over the first, MB", one["peak"] - base, budget, "lower"))
            figures.append(Figure(f"{title}: CPU us per instance", 1e6 * one["seconds"] / size, None, "lower"))
        figures.append(Figure(f"{title}: bytes per instance and neuron", one["bytes"] / size / NEURONS, None, "lower"))
    return figures


def _in_a_process(size: int, keep: str) -> dict[str, float]:
    command = [sys.executable, __file__, str(size), keep]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _record(size: int, keep: str) -> dict[str, float]:
    generator = np.random.default_rng(0)
    activations = np.maximum(generator.normal(size=(BATCH, NEURONS)), 0).astype(np.float32)
    labels = np.arange(BATCH) % CLASSES
    scores = np.eye(CLASSES, dtype=np.float32)[labels]
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        with activis_tb.preprocess(
            folder,
            step=0,
            layers=["layer"],
            classes=[f"class {number}" for number in range(CLASSES)],
            subsets={"even": lambda batch: batch["index"] % 2 == 0},
            keep=keep,
            quiet=True,
        ) as snapshot:
            for start in range(0, size, BATCH):
                rows = slice(0, min(BATCH, size - start))
                snapshot.process(
                    labels=labels[rows],
                    scores=scores[rows],
                    ids=np.arange(start, start + rows.stop),
                    activations={"layer": activations[rows]},
                )
        seconds = time.process_time() - began
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {"peak": _peak_megabytes(), "seconds": seconds, "bytes": written}


def _peak_megabytes() -> float:
    """Of this program alone; what getrusage says begins with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int)
    parser.add_argument("keep")
    options = parser.parse_args()
    _record(BATCH, options.keep)  # loads what is needed
    print(json.dumps(_record(options.size, options.keep)))
