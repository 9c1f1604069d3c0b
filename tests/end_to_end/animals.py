"""A small run whose numbers one can check by eye: 12 animals of three classes, a wide and an output layer."""

from pathlib import Path

import numpy as np

from activis_tb.model import Snapshot
from tests.snapshots import column, make_snapshot, write_graph, write_snapshot

RUN = "animals/activis"
CLASSES = ("cat", "dog", "bird")
NEURONS = 20
TEXTS = [f"{name} number {row}" for row, name in enumerate(CLASSES * 4)]
TEXTS[1] = '=SUM(A1), "quoted"'
WRONG = 4
"""Row of the one misclassified animal: a dog taken for a cat."""


def animals(step: int = 1) -> Snapshot:
    """Returns the snapshot of a step; its activations are those of the first step plus the step."""
    rng = np.random.default_rng(7)
    hidden = rng.random((12, NEURONS)).astype(np.float32) + step
    hidden[:, 0] = 0
    scores = np.full((12, 3), 0.1, np.float32)
    labels = [0, 1, 2] * 4
    scores[np.arange(12), labels] = 0.8
    scores[WRONG] = [0.6, 0.3, 0.1]
    return make_snapshot(
        {"hidden": hidden, "output": scores},
        labels,
        step=step,
        classes=CLASSES,
        scores=scores,
        ids=[f"animal{row}" for row in range(12)],
        attributes=[column("text", "text", TEXTS), column("age", "number", list(range(12)))],
        subsets={"young": [row < 6 for row in range(12)]},
        tensors={"hidden": "hidden/Relu:0", "output": "output/Softmax:0"},
    )


def graph() -> bytes:
    from tensorboard.compat.proto.graph_pb2 import GraphDef

    graph = GraphDef()
    graph.node.add(name="animal", op="Placeholder")
    graph.node.add(name="hidden/Relu", op="Relu", input=["animal"])
    graph.node.add(name="output/Softmax", op="Softmax", input=["hidden/Relu"])
    return graph.SerializeToString()


def write_animals(logdir: Path, *steps: int) -> None:
    if not (logdir / RUN).exists():
        write_graph(logdir, RUN, graph())
    for step in steps:
        write_snapshot(logdir, RUN, animals(step))
