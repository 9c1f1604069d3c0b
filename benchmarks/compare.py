"""Steps and runs side by side: pictures over steps, matching and likeness, and how soon the tab shows them.

Alignment: the word CNN's layers over its epochs. Displacement: how far an instance moves from one epoch to the next, on
average, in pictures that are centred and equally wide. Separate t-SNE is measured twice: from random starts, and from
PCA as the tab shows a step by itself. Divergence: Kullback-Leibler, of the picture in the frame over that from PCA.

The tab: a step is switched, or a run added, on caches that a visit before has warmed; headless Chromium without a GPU.
"""

import argparse
import tempfile
import time
import urllib.request
from itertools import pairwise
from pathlib import Path

import numpy as np
from _chromium import browser, tab
from _report import Figure, report
from _runs import TREC, questions, recorded_layers, train_word_cnn
from _tensorboard import start

from activis_tb.analysis.comparison import linear_cka, match_best
from activis_tb.analysis.projection import PERPLEXITY, in_frame, pca, tsne_step
from activis_tb.analysis.tsne import Affinities, Layout, Phase

PHASES = (Phase(250, exaggeration=12, momentum=0.5), Phase(500))
EPOCHS = 10
LAYERS = ("hidden", "output")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--data", type=Path, default=TREC, help="folder with the TREC files; generated questions else")
    options = parser.parse_args()
    figures = computing(options.rounds)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        logdir = Path(folder) / "runs"
        for run in ("a", "b"):
            train_word_cnn(logdir / run, questions(options.data), options.epochs)
        for layer in LAYERS:
            figures += alignment(layer, recorded_layers(logdir / "a", layer))
        figures += showing(chromium, logdir, options.rounds, options.epochs)
    report(figures)


def computing(rounds: int) -> list[Figure]:
    """Times the matching and the likeness of layers that share noise, over 1,000 instances."""
    generator = np.random.default_rng(0)
    everyone = np.repeat(np.arange(1_000, dtype=np.int32)[:, None], 2, axis=1)
    figures = []
    for neurons in (128, 1_024, 4_096):
        base = generator.normal(size=(1_000, neurons)).astype(np.float32)
        other = base[:, generator.permutation(neurons)] + generator.normal(size=base.shape).astype(np.float32)
        matched = [seconds(lambda: match_best(base, other, everyone)) for _ in range(rounds)]  # noqa: B023
        figures.append(Figure.of(f"best match of {neurons:,} neurons, s", matched, None))
        alike = [seconds(lambda: linear_cka([base], [other], everyone)) for _ in range(rounds)]  # noqa: B023
        figures.append(Figure.of(f"linear CKA of {neurons:,} neurons, s", alike, None))
    return figures


def seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def alignment(layer: str, steps: list[np.ndarray]) -> list[Figure]:
    framed, framed_divergence, own, own_divergence, random = [], [], [], [], []
    earlier = None
    for number, activations in enumerate(steps):
        affinities = Affinities(activations.astype(np.float64), PERPLEXITY)
        earlier = tsne_step(activations, earlier, lambda *_: None)
        framed.append(earlier)
        framed_divergence.append(divergence(earlier.astype(np.float64), affinities))
        layout = separate(Layout.spread(pca(activations).astype(np.float64), affinities))
        own.append(layout.coordinates)
        own_divergence.append(layout.divergence)
        noise = np.random.default_rng(number).normal(0, 1e-4, (len(activations), 2))
        random.append(separate(Layout(noise, affinities)).coordinates)
    moved, separately, randomly = map(displacement, (framed, own, random))
    ratios = [mine / other for mine, other in zip(framed_divergence, own_divergence, strict=True)]
    title = f"{layer} over {len(steps)} epochs"
    return [
        Figure(f"{title}: displacement in one frame", moved, None, "lower"),
        Figure(f"{title}: displacement / that of separate t-SNE", moved / randomly, 0.2, "lower"),
        Figure(f"{title}: displacement / that of separate t-SNE from PCA", moved / separately, None, "lower"),
        Figure(f"{title}: mean divergence / that of separate t-SNE", float(np.mean(ratios)), 1.02, "lower"),
    ]


def separate(layout: Layout) -> Layout:
    for phase in PHASES:
        layout.optimise(phase, lambda *_: None)
    return layout


def divergence(coordinates: np.ndarray, affinities: Affinities) -> float:
    """Returns the Kullback-Leibler divergence of a finished layout, which one iteration hardly moves."""
    layout = Layout(coordinates, affinities)
    layout.optimise(Phase(1), lambda *_: None)
    return layout.divergence


def displacement(pictures: list[np.ndarray]) -> float:
    shown = [in_frame(np.asarray(picture, np.float32)) for picture in pictures]
    return float(np.mean([np.linalg.norm(one - other, axis=1) for one, other in pairwise(shown)]))


def showing(chromium, logdir: Path, rounds: int, epochs: int) -> list[Figure]:
    """Switches steps, plays them and adds a run in a tab that did so before."""
    switched, added = [], []
    with start(logdir) as server:
        wait_for_snapshots(server.url, 2 * epochs)
        state = {"step": "0", "projection": f"steps-{PERPLEXITY}"}
        with tab(chromium, server.url, "a/activis", LAYERS, **state) as (page, frame):
            frame.evaluate("() => probe.play()")
            for number in range(rounds):
                switched += [frame.evaluate("step => probe.switchStep(step)", step) for step in (number % epochs, 0)]
            alone = plays(frame, rounds)
            for _ in range(rounds + 1):
                added.append(frame.evaluate("run => probe.addRun(run)", "b"))
                page.wait_for_timeout(300)
            frame.evaluate("run => probe.keepRun(run)", "b")
            frame.evaluate("() => probe.play()")
            beside = plays(frame, rounds)
    return [
        Figure.of("step switched, to painted, ms", switched, 200),
        Figure.of("run added, to painted, ms", added[1:], 200),
        Figure(f"playing {epochs} steps: longest frame, ms", max(alone), 50, "lower", tuple(alone)),
        Figure("the same beside another run: longest frame, ms", max(beside), 50, "lower", tuple(beside)),
    ]


def plays(frame, rounds: int) -> list[float]:
    """Returns the longest frame of each time that all steps were played, ms."""
    return [max(frame.evaluate("() => probe.play()")) for _ in range(rounds)]


def wait_for_snapshots(url: str, count: int) -> None:
    while True:
        with urllib.request.urlopen(f"{url}/data/plugin/activis/runs") as answer:
            if answer.read().count(b'"step":') >= count:
                return
        time.sleep(0.2)


if __name__ == "__main__":
    main()
