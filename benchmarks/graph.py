"""The graph on the server: from the GraphDef in an event file to the JSON that the tab asks for.

Each round starts TensorBoard anew and asks for the runs first, as the tab does; then the first answer of `graph` is
timed, and the second, which is remembered. Beside it, TensorBoard's own Graphs plugin gives the same graph as text.
"""

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from _graphs import SIZES, foreign_graphs, layered_graph, write_run
from _report import Figure, report
from _tensorboard import Server, start
from tensorboard.compat.proto import graph_pb2

PLUGINS = "data/plugin"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="operations of the layered graphs")
    options = parser.parse_args()
    graphs = {f"layered {size:,}": layered_graph(size) for size in options.sizes} | foreign_graphs()
    figures = []
    for name, graph in graphs.items():
        figures += measure(f"{name} ({len(graph.node):,} operations)", graph, options.rounds)
    report(figures)


def measure(name: str, graph: graph_pb2.GraphDef, rounds: int) -> list[Figure]:
    answer = b""
    times: dict[str, list[float]] = {"first answer": [], "second answer": [], "Graphs plugin": []}
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), graph)
        for _ in range(rounds):
            with start(Path(folder)) as server:
                wait_for_run(server)
                ours = ("activis/graph", {"run": "run/activis", "source": "run_graph"})
                for title, (route, query) in {
                    "first answer": ours,
                    "second answer": ours,
                    "Graphs plugin": ("graphs/graph", {"run": "run/train", "conceptual": "false"}),
                }.items():
                    begun = time.perf_counter()
                    body = ask(server, route, query)
                    times[title].append(time.perf_counter() - begun)
                    answer = body if title == "first answer" else answer
    nodes = json.loads(answer)["nodes"]
    seen = sum(not (node["parent"] or node["parameter"] or node["auxiliary"]) for node in nodes)
    return [
        *(Figure.of(f"{name}: {title}, s", samples, None) for title, samples in times.items()),
        Figure(f"{name}: JSON, MB", len(answer) / 1e6, None, "lower"),
        Figure(f"{name}: nodes at the top", float(seen), 80, "lower"),
    ]


def wait_for_run(server: Server) -> None:
    while b'"snapshots":[{' not in ask(server, "activis/runs", {}):
        time.sleep(0.1)


def ask(server: Server, route: str, query: Mapping[str, str]) -> bytes:
    with urllib.request.urlopen(f"{server.url}/{PLUGINS}/{route}?{urlencode(query)}") as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
