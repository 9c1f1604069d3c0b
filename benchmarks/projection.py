"""The projection: t-SNE against scikit-learn's, the time to the first picture, and whether it is always the same.

Both t-SNE get the same activations and perplexity, in turns. Neighbours kept: of an instance's 10 nearest in the layer,
the share that is among its 10 nearest in the picture. A busy machine slows scikit-learn's threads more than our single
one: there, look at the fastest rounds.
"""

import argparse
import io
import os
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from _report import Figure, report
from _runs import RUN, TREC, hidden_layer, questions, record, train_word_cnn
from _tensorboard import Server, start
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from activis_tb.analysis.projection import PERPLEXITY, tsne

NEIGHBOURS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--data", type=Path, default=TREC, help="folder with the TREC files; left out where it is absent"
    )
    options = parser.parse_args()
    digits = load_digits()
    figures = compare("digits", digits.data.astype(np.float32), options.rounds, budget=0.75)
    figures += over_http(digits.data.astype(np.float32), digits.target, options.rounds)
    if options.data.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            found = questions(options.data)
            hidden, _ = hidden_layer(train_word_cnn(Path(folder), found, epochs=3), found)
        figures += compare("TREC hidden", hidden, options.rounds, budget=None)
    report(figures)


def compare(name: str, activations: np.ndarray, rounds: int, budget: float | None) -> list[Figure]:
    tsne(activations[:100])
    ours, theirs, kept, kept_theirs = [], [], [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        picture = tsne(activations)
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        peer = TSNE(perplexity=PERPLEXITY, init="pca", random_state=0).fit_transform(activations)
        theirs.append(time.perf_counter() - begun)
        kept.append(neighbours_kept(activations, picture))
        kept_theirs.append(neighbours_kept(activations, peer))
    title = f"{name} {len(activations):,} x {activations.shape[1]}"
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    losses = [other - mine for mine, other in zip(kept, kept_theirs, strict=True)]
    return [
        Figure.of(f"{title}: t-SNE, s", ours, None),
        Figure.of(f"{title}: scikit-learn, s", theirs, None),
        Figure.of(f"{title}: time ratio", ratios, budget),
        Figure(f"{title}: time ratio of the fastest rounds", min(ours) / min(theirs), budget, "lower"),
        Figure.of(f"{title}: neighbours kept", kept, None, "higher"),
        Figure.of(f"{title}: neighbours kept by scikit-learn", kept_theirs, None, "higher"),
        Figure.of(f"{title}: neighbours lost against it", losses, 0.01),
    ]


def neighbours_kept(activations: np.ndarray, picture: np.ndarray) -> float:
    before, after = (
        NearestNeighbors(n_neighbors=NEIGHBOURS).fit(rows).kneighbors(return_distance=False)
        for rows in (activations, picture)
    )
    common = [len(np.intersect1d(*pair)) for pair in zip(before, after, strict=True)]
    return float(np.mean(common)) / NEIGHBOURS


def over_http(activations: np.ndarray, labels: np.ndarray, rounds: int) -> list[Figure]:
    """Asks a newly started TensorBoard each time: as the tab does, for the runs first."""
    seconds, pictures = [], []
    with tempfile.TemporaryDirectory() as folder:
        logdir = Path(folder) / "logs"
        record(logdir, {"hidden": activations}, labels, classes=10)
        for number in range(rounds):
            # The last round finds the pictures of the one before; the others compute anew.
            os.environ["ACTIVIS_CACHE"] = f"{folder}/cache{min(number, max(rounds - 2, 0))}"
            with start(logdir) as server:
                wait_for_run(server)
                begun = time.perf_counter()
                ask(server, "pca")
                seconds.append(time.perf_counter() - begun)
                pictures += [final(server), final(server)]
    differing = sum(picture != pictures[0] for picture in pictures)
    return [
        Figure.of("first picture over HTTP, newly started, s", seconds, 0.3),
        Figure(f"pictures that differ, of {len(pictures)} from {rounds} starts", float(differing), 0, "lower"),
    ]


def wait_for_run(server: Server) -> None:
    while True:
        with urllib.request.urlopen(f"{server.url}/data/plugin/activis/runs") as answer:
            if b'"snapshots":[{' in answer.read():
                return
        time.sleep(0.1)


def ask(server: Server, method: str) -> tuple[int, bytes]:
    query = urlencode({**RUN, "layer": "hidden", "method": method})
    with urllib.request.urlopen(f"{server.url}/data/plugin/activis/projection?{query}") as answer:
        return answer.status, answer.read()


def final(server: Server) -> bytes:
    """Returns the coordinates of t-SNE once they are final."""
    while True:
        code, body = ask(server, "tsne")
        if code == 200:
            return np.load(io.BytesIO(body), allow_pickle=False).tobytes()
        time.sleep(0.2)


if __name__ == "__main__":
    main()
