"""The tab in headless Chromium without a GPU: how soon it is of use, how smoothly it moves, and its memory.

Headless Chromium has 60 frames a second: one takes 16.7 ms or a multiple of that, and is rounded to it here. Sorting is
judged by the longest of the three frames after a click.
"""

import argparse
import json
import tempfile
import time
import urllib.request
from pathlib import Path

import bundle
import numpy as np
from _chromium import browser, heap, painted_after, tab
from _report import Figure, report
from _runs import RUN, TREC, questions, record, train_word_cnn
from _tensorboard import Server, start

FRAMES = 240
FRAME_SECONDS = 1 / 60
OPENINGS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=TREC, help="folder with the TREC files; generated questions else")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        trained, wide, many = (Path(folder) / name for name in ("questions", "wide", "many"))
        train_word_cnn(trained / "cnn", questions(options.data), epochs=2)
        record_noise(wide, generator, instances=200, neurons=4_096, classes=100)
        record_noise(many, generator, instances=50_000, neurons=16, classes=6)
        figures = opening(chromium, trained, options.rounds)
        with start(wide) as server:
            wait_for_recordings(server)
            figures += matrix(chromium, server)
        with start(many) as server:
            wait_for_recordings(server)
            figures += dots(chromium, server)
    report([*figures, *bundle.figures()])


def record_noise(logdir: Path, generator: np.random.Generator, instances: int, neurons: int, classes: int) -> None:
    """Records activations as a ReLU gives them, with a strongest class for every neuron."""
    labels = np.arange(instances) % classes
    strength = 1.0 * (labels[:, None] == np.arange(neurons) % classes)
    activations = np.maximum(generator.normal(size=(instances, neurons)) + strength, 0).astype(np.float32)
    record(logdir, {"hidden": activations}, labels, classes)


def wait_for_recordings(server: Server) -> None:
    """Waits until TensorBoard shows the tab, without asking the plugin for anything."""
    while True:
        with urllib.request.urlopen(f"{server.url}/data/plugins_listing") as answer:
            if json.load(answer)["activis"]["enabled"]:
                return
        time.sleep(0.1)


def opening(chromium, logdir: Path, rounds: int) -> list[Figure]:
    """Opens three panels at once: in TensorBoards that were just started, then in one that was asked before."""
    layers = ("concat", "hidden", "output")
    first, again, sizes = [], [], []
    for _ in range(rounds):
        with start(logdir) as server:
            wait_for_recordings(server)
            for milliseconds in (first, again):
                with tab(chromium, server.url, "cnn/activis", layers) as (page, frame):
                    milliseconds.append(painted_after(page, frame))
    with start(logdir) as server:
        wait_for_recordings(server)
        with tab(chromium, server.url, "cnn/activis", ()) as (page, frame):
            frame.wait_for_selector("[data-testid=graph-tensor][data-layer=hidden]")
            for count in (OPENINGS // 10, OPENINGS - OPENINGS // 10):
                frame.evaluate("([layer, count]) => probe.openings(layer, count)", ["hidden", count])
                sizes.append(heap(page))
    return [
        Figure.of("tab to matrices and projections, first time, ms", first, 1_000),
        Figure.of("tab to matrices and projections, again, ms", again, 1_000),
        Figure(f"heap after {OPENINGS // 10} openings of a panel, MB", sizes[0], None, "lower"),
        Figure(f"heap after {OPENINGS} openings / before, ratio", sizes[1] / sizes[0], 1.1, "lower"),
    ]


def matrix(chromium, server: Server) -> list[Figure]:
    actions = {
        "hover": f"probe.hover('matrix', {FRAMES})",
        "sort": f"probe.sort({FRAMES // 4})",
        "scroll rows": f"probe.scrollRows({FRAMES})",
        "scroll columns": f"probe.scrollColumns({FRAMES})",
    }
    return smoothness(chromium, server, "100 x 4,096 matrix", actions)


def dots(chromium, server: Server) -> list[Figure]:
    return smoothness(chromium, server, "50,000 dots", {"hover": f"probe.hover('projection', {FRAMES})"})


def smoothness(chromium, server: Server, title: str, actions: dict[str, str]) -> list[Figure]:
    """Returns the 95th percentile of the frames of every action, and the longest task of all of them."""
    figures = []
    with tab(chromium, server.url, RUN["run"], ["hidden"], projection="pca") as (page, frame):
        figures.append(Figure(f"{title}: first picture, ms", painted_after(page, frame), None, "lower"))
        page.wait_for_timeout(1_500)
        title += f" ({frame.evaluate('__activis.state().projection.hidden.method')})"
        frame.evaluate("probe.longTasks.length = 0")
        for name, action in actions.items():
            refreshes = np.round(np.array(frame.evaluate(action)) / 1000 / FRAME_SECONDS)
            slow = np.percentile(refreshes, 95, method="higher") * FRAME_SECONDS * 1000
            figures.append(Figure(f"{title}: {name}, p95 frame, ms", round(float(slow), 1), 16.7, "lower"))
            page.wait_for_timeout(300)
        tasks = [task["duration"] for task in frame.evaluate("probe.longTasks")]
    return [
        *figures,
        Figure(f"{title}: longest task after the first picture, ms", max(tasks, default=0.0), 50, "lower"),
    ]


if __name__ == "__main__":
    main()
