"""The tab in headless Chromium without a GPU: how soon it is of use, how smoothly it moves, and its memory.

Headless Chromium has 60 frames a second: one takes 16.7 ms or a multiple of that, and is rounded to it here. Sorting is
judged by the longest of the three frames after a click. Work is the processor time of the page's main thread for one
step of a real mouse, drawing included; a blank page's stands beside it. A hover over a new row is compared with a move
over nothing on the same page.
"""

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import bundle
import numpy as np
from _chromium import blank, browser, heap, painted_after, tab
from _report import Figure, report
from _runs import RUN, TREC, questions, record, train_word_cnn
from _tensorboard import Server, start

FRAMES = 240
FRAME_SECONDS = 1 / 60
OPENINGS = 200
STEPS = 40
PAUSE = 3 * FRAME_SECONDS
"""After a step, for what follows it to be drawn."""
FRAME_BUDGET = 16.7
WORK_BUDGET = 10
TASK_BUDGET = 50
HOVER_BUDGET = 15


class Subject(NamedTuple):
    """What is looked at.

    Attributes:
        title: As it is reported.
        folder: Log directory.
        run: Of what is shown; empty for the tab as it opens by itself.
        layers: Open ones.
        scrolls: Which of rows and columns are more than there is room for.
    """

    title: str
    folder: Path
    run: str
    layers: Sequence[str] = ("hidden",)
    scrolls: Sequence[str] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, default=TREC, help="folder with the TREC files; generated questions else")
    parser.add_argument("--subjects", nargs="*", help="parts of the titles of what is looked at; everything else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        subjects = {
            subject.title: subject for subject in recorded(Path(folder), options.data, options.subjects or [""])
        }
        figures = blank_page(chromium, options.rounds)
        if "TREC" in subjects:
            figures += opening(chromium, subjects["TREC"].folder, options.rounds)
        for subject in subjects.values():
            with start(subject.folder) as server:
                wait_for_recordings(server)
                figures += smoothness(chromium, server, subject, options.rounds)
    report([*figures, *bundle.figures()])


def recorded(folder: Path, data: Path, wanted: Sequence[str]) -> Iterator[Subject]:
    """Records what is wanted and yields it."""
    generator = np.random.default_rng(0)
    run = RUN["run"]
    makers: dict[Subject, Callable[[Path], object]] = {
        Subject("TREC", folder / "trec", "cnn/activis", ("hidden", "output")): lambda path: train_word_cnn(
            path / "cnn", questions(data), epochs=2
        ),
        Subject("78 rows", folder / "rows", run, scrolls=("rows",)): lambda path: record_noise(
            path, generator, instances=2_000, neurons=128, classes=2, subsets=76
        ),
        Subject("100 x 4,096", folder / "wide", run, scrolls=("rows", "columns")): lambda path: record_noise(
            path, generator, instances=200, neurons=4_096, classes=100
        ),
        Subject("50,000 dots", folder / "dots", run): lambda path: record_noise(
            path, generator, instances=50_000, neurons=16, classes=6
        ),
        Subject("1,000 classes", folder / "classes", run, scrolls=("rows",)): lambda path: record_noise(
            path, generator, instances=2_000, neurons=128, classes=1_000
        ),
        Subject("250 subsets", folder / "subsets", run, scrolls=("rows",)): lambda path: record_noise(
            path, generator, instances=2_000, neurons=128, classes=6, subsets=250
        ),
    }
    for subject, make in makers.items():
        if any(part in subject.title for part in wanted):
            make(subject.folder)
            yield subject


def record_noise(
    logdir: Path, generator: np.random.Generator, instances: int, neurons: int, classes: int, subsets: int = 0
) -> None:
    """Records activations as a ReLU gives them, with a strongest class for every neuron, and subsets by chance."""
    labels = np.arange(instances) % classes
    strength = 1.0 * (labels[:, None] == np.arange(neurons) % classes)
    activations = np.maximum(generator.normal(size=(instances, neurons)) + strength, 0).astype(np.float32)
    chosen = {
        f"subset {number}": np.flatnonzero(generator.random(instances) < generator.uniform(0.02, 0.5)).tolist()
        for number in range(subsets)
    }
    record(logdir, {"hidden": activations}, labels, classes, chosen)


def wait_for_recordings(server: Server) -> None:
    """Waits until TensorBoard shows the tab, without asking the plugin for anything."""
    while True:
        with urllib.request.urlopen(f"{server.url}/data/plugins_listing") as answer:
            if json.load(answer)["activis"]["enabled"]:
                return
        time.sleep(0.1)


def opening(chromium, logdir: Path, rounds: int) -> list[Figure]:
    """Opens the tab by its bare link: in TensorBoards that were just started, then in one that was asked before."""
    first, again, sizes = [], [], []
    for _ in range(rounds):
        with start(logdir) as server:
            wait_for_recordings(server)
            for milliseconds in (first, again):
                with tab(chromium, server.url) as (page, frame):
                    milliseconds.append(painted_after(page, frame))
    with start(logdir) as server:
        wait_for_recordings(server)
        with tab(chromium, server.url, run="cnn/activis", panels="closed") as (page, frame):
            frame.wait_for_selector("[data-testid=graph-tensor][data-layer=hidden]")
            for count in (OPENINGS // 10, OPENINGS - OPENINGS // 10):
                frame.evaluate("([layer, count]) => probe.openings(layer, count)", ["hidden", count])
                sizes.append(heap(page))
    return [
        Figure.of("TREC: tab to matrices and projections, first time, ms", first, 800),
        Figure.of("TREC: tab to matrices and projections, again, ms", again, 800),
        Figure(f"heap after {OPENINGS // 10} openings of a panel, MB", sizes[0], None, "lower"),
        Figure(f"heap after {OPENINGS} openings / before, ratio", sizes[1] / sizes[0], 1.1, "lower"),
    ]


class Measured:
    """What is measured in several rounds, by name.

    Attributes:
        samples: The figure of each round.
        budgets: What it is held against; None where it is only said.
    """

    def __init__(self) -> None:
        self.samples: dict[str, list[float]] = {}
        self.budgets: dict[str, float | None] = {}

    def add(self, name: str, value: float, budget: float | None = None) -> None:
        self.samples.setdefault(name, []).append(value)
        self.budgets[name] = budget

    def figures(self, title: str) -> list[Figure]:
        return [Figure.of(f"{title}: {name}", found, self.budgets[name]) for name, found in self.samples.items()]


def percentile(values: Iterable[float]) -> float:
    return float(np.percentile(list(values), 95, method="higher"))


def blank_page(chromium, rounds: int) -> list[Figure]:
    """Moves over a page that has nothing on it, in as large a window."""
    measured = Measured()
    places = [(100 + 6 * number, 300) for number in range(STEPS)]
    for _ in range(rounds):
        with blank(chromium) as page, counted(page) as work:
            measured.add("p95 frame, ms", frames_of(page.evaluate(f"probe.frames({FRAMES}, () => {{}})")))
            measured.add(
                "p95 main-thread work, ms", percentile(work(lambda at=at: page.mouse.move(*at)) for at in places)
            )
    return measured.figures("blank page")


def smoothness(chromium, server: Server, subject: Subject, rounds: int) -> list[Figure]:
    """Returns the 95th percentiles of frames and work of every action, the longest task, and what a hover costs."""
    measured = Measured()
    for _ in range(rounds):
        with (
            tab(chromium, server.url, run=subject.run, layers=subject.layers, projection="pca") as (page, frame),
            counted(page) as work,
        ):
            measured.add("first picture, ms", painted_after(page, frame))
            page.wait_for_timeout(3_000)
            for name, action in frame_actions(subject).items():
                measured.add(f"{name}, p95 frame, ms", frames_of(frame.evaluate(action)), FRAME_BUDGET)
                page.wait_for_timeout(300)
            offset = frame.frame_element().bounding_box()
            costs = {
                name: [work(step) for step in steps]
                for name, steps in mouse_actions(page, frame, offset, subject).items()
            }
            for name, milliseconds in costs.items():
                if name != "nothing":
                    measured.add(f"{name}, p95 main-thread work, ms", percentile(milliseconds), WORK_BUDGET)
            ratio = np.mean(costs["hover rows"]) / np.mean(costs["nothing"])
            measured.add("hover over a new row / move over nothing, ratio", float(ratio), HOVER_BUDGET)
            tasks = frame.evaluate("probe.painted.then((at) => probe.tasksAfter(at))")
            measured.add("longest task after the first picture, ms", max(tasks, default=0.0), TASK_BUDGET)
    return measured.figures(subject.title)


def frame_actions(subject: Subject) -> Mapping[str, str]:
    """Scripts that return the milliseconds of frames."""
    actions = {
        "hover": f"probe.hover('matrix', {FRAMES})",
        "hover dots": f"probe.hover('projection', {FRAMES})",
        "sort": f"probe.sort({FRAMES // 4})",
    }
    scrolls = {f"scroll {what}": f"probe.scroll{what.title()}({FRAMES})" for what in subject.scrolls}
    return actions | scrolls


def frames_of(milliseconds: Sequence[float]) -> float:
    refreshes = np.round(np.array(milliseconds) / 1000 / FRAME_SECONDS)
    return round(percentile(refreshes) * FRAME_SECONDS * 1000, 1)


Step = Callable[[], object]


def mouse_actions(page, frame, offset: Mapping[str, float], subject: Subject) -> Mapping[str, list[Step]]:
    """Steps of a real mouse, by what it does."""

    def moves(script: str) -> list[Step]:
        places = [(offset["x"] + x, offset["y"] + y) for x, y in frame.evaluate(script)]
        return [lambda at=at: page.mouse.move(*at) for at in islice(cycle(places), STEPS)]

    def clicks() -> Iterator[Step]:
        for number in range(STEPS // 2):
            yield lambda number=number: frame.evaluate("(number) => probe.sortBy(number)", number)

    def turns(x: float, y: float) -> Iterator[Step]:
        for number in range(STEPS):
            yield lambda number=number: page.mouse.wheel(x, y if number < STEPS // 2 else -y)

    actions = {
        "nothing": moves("probe.emptyPlaces()"),
        "hover": moves(f"probe.cellPlaces({STEPS})"),
        "hover rows": moves("probe.rowPlaces()"),
        "hover dots": moves(f"probe.dotPlaces({STEPS})"),
        "sort": list(clicks()),
    }
    over_rows = moves("probe.rowPlaces()")[:1]
    if "rows" in subject.scrolls:
        actions["scroll rows"] = [*over_rows, *turns(0, 40)][1:]
    if "columns" in subject.scrolls:
        actions["scroll columns"] = list(turns(40, 0))
    return actions


@contextmanager
def counted(page) -> Iterator[Callable[[Step], float]]:
    """Yields what does a step and returns the milliseconds of the main thread's processor time that it takes."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def total() -> float:
        metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"]

    def work(step: Step) -> float:
        before = total()
        step()
        time.sleep(PAUSE)
        return 1000 * (total() - before)

    yield work
    session.detach()


if __name__ == "__main__":
    main()
