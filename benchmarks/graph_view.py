"""The graph in headless Chromium without a GPU, beside TensorBoard's own Graphs tab on the same graphs.

First picture: from TensorBoard's list of plugins to the first drawn nodes, in a server that was asked for the graph
before, so that it is the browser that is measured; `first time` is in a server that was just started. Panning and
zooming is judged with as many nodes in sight as 200 opened groups bring; frames are rounded to 1/60 s.
"""

import argparse
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
from _chromium import PROBE, TIMEOUT, browser, tab
from _graphs import SIZES, foreign_graphs, layered_graph, write_run
from _report import Figure, report
from _runs import RUN
from _tensorboard import Server, start

BUDGETS = {5_000: 1_000}
GRAPHS_TIMEOUT = 90_000
FRAMES = 240
FRAME_SECONDS = 1 / 60
OPENED = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--foreign", action="store_true", help="measure the graphs of the test data too")
    options = parser.parse_args()
    graphs = {f"{size:,} nodes": (layered_graph(size), BUDGETS.get(size)) for size in options.sizes}
    if options.foreign:
        graphs |= {name: (graph, 1_000) for name, graph in foreign_graphs().items()}
    figures = []
    with browser() as chromium:
        for title, (graph, budget) in graphs.items():
            with tempfile.TemporaryDirectory() as folder:
                write_run(Path(folder), graph)
                with start(Path(folder)) as server:
                    wait_for_graph(server)
                    figures += measure(chromium, server, title, options.rounds, budget)
    report(figures)


def wait_for_graph(server: Server) -> None:
    """Waits until TensorBoard has loaded both the recording and the graph."""
    listing = f"{server.url}/data/plugin/graphs/info"
    while True:
        with urllib.request.urlopen(listing) as answer:
            if b"run_graph" in answer.read():
                break
        time.sleep(0.1)
    time.sleep(6)


def measure(chromium, server: Server, title: str, rounds: int, budget: float | None) -> list[Figure]:
    first = ours(chromium, server)
    again = [ours(chromium, server) for _ in range(rounds)]
    theirs = [graphs_tab(chromium, server) for _ in range(rounds)]
    figures = [
        Figure(f"{title}: first picture, first time, ms", first, None, "lower"),
        Figure.of(f"{title}: first picture, ms", again, budget),
        Figure.of(f"{title}: Graphs tab's first picture, ms", theirs, None),
        Figure(f"{title}: first picture / Graphs tab's", float(np.median(again) / np.median(theirs)), 1, "lower"),
    ]
    with graph_tab(chromium, server) as (page, frame):
        frame.evaluate("probe.graphPainted")
        opened = frame.evaluate("probe.openGroup()")
        frame.evaluate("count => probe.openGroups(count)", OPENED)
        page.wait_for_timeout(1_000)
        nodes = frame.evaluate("Number(document.querySelector('.graph-canvas').dataset.nodes)")
        figures.append(Figure(f"{title}: opening a group, ms", opened, None, "lower"))
        for name, action in {"pan": "probe.pan", "zoom": "probe.zoom"}.items():
            refreshes = np.round(np.array(frame.evaluate(f"{action}({FRAMES})")) / 1000 / FRAME_SECONDS)
            slow = float(np.percentile(refreshes, 95, method="higher") * FRAME_SECONDS * 1000)
            figures.append(
                Figure(f"{title}: {name} over {nodes:,} nodes, p95 frame, ms", round(slow, 1), 16.7, "lower")
            )
    return figures


def graph_tab(chromium, server: Server):
    return tab(chromium, server.url, RUN["run"], [], graph="tall")


def ours(chromium, server: Server) -> float:
    with graph_tab(chromium, server) as (page, frame):
        return frame.evaluate("probe.graphPainted") - page.evaluate("probe.listed")


def graphs_tab(chromium, server: Server) -> float:
    """Milliseconds until TensorBoard's own tab shows nodes; infinite where it takes longer than 90 s."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.add_init_script(path=PROBE)
    page.goto(f"{server.url}/#graphs&run=run%2Ftrain")
    painted = page.evaluate("limit => Promise.race([probe.graphsPainted(), probe.after(limit)])", GRAPHS_TIMEOUT)
    milliseconds = painted - page.evaluate("probe.listed")
    context.close()
    return float("inf") if milliseconds >= GRAPHS_TIMEOUT else milliseconds


if __name__ == "__main__":
    main()
