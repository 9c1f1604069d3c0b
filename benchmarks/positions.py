"""What tokens cost while recording: words x neurons and the strongest positions, against the pass of a word CNN.

The CNN of the demo evaluates 5,452 questions of 10 words on average, padded to 37, the words as frequent as in a
language. Of conv3 (100 neurons), everything that tokens add is timed: their reading, the sums, the strongest positions
and what is made of them at the end. Time is that of the CPU, in turns, so that other work on the machine counts little.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from _report import Figure, report

import activis_tb
from activis_tb.model import LayerSpec
from activis_tb.recording.blocks import Block
from activis_tb.recording.positions import PositionRecorder
from activis_tb.recording.sampled_positions import LAYER_BYTES, SampledPositions
from activis_tb.recording.strongest_positions import Places, StrongestPositions
from activis_tb.recording.token_sums import TokenSums
from activis_tb.recording.tokens import TokenPositions, Unpooled, align, read_tokens

QUESTIONS, WORDS, LENGTH, BATCH = 5_452, 8_680, 37, 256


class Data:
    """Questions, their tokens and what conv3 does at them, batch by batch."""

    def __init__(self, questions: int) -> None:
        generator = np.random.default_rng(0)
        lengths = np.clip(generator.poisson(10.2, questions), 1, LENGTH)
        share = 1 / np.arange(1, WORDS)
        words = generator.choice(np.arange(1, WORDS), (questions, LENGTH), p=share / share.sum())
        self.inputs = np.where(np.arange(LENGTH) < lengths[:, None], words, 0)
        vocabulary = ["", *(f"word{number}" for number in range(1, WORDS))]
        self.tokens = [[vocabulary[number] for number in row] for row in self.inputs.tolist()]
        self.ids = np.array([str(number) for number in range(questions)], object)
        self.batches = [slice(start, start + BATCH) for start in range(0, questions, BATCH)]


def word_cnn() -> Callable[[np.ndarray], list[np.ndarray]]:
    """The forward pass of the demo's model; it returns conv3 and what is recorded besides."""
    import keras
    import tensorflow as tf
    from keras import layers

    tokens = keras.Input((LENGTH,), dtype="int64")
    embedded = layers.Embedding(WORDS, 128)(tokens)
    convolutions = [layers.Conv1D(100, width, activation="relu")(embedded) for width in (3, 4, 5)]
    concat = layers.Concatenate()([layers.GlobalMaxPooling1D()(one) for one in convolutions])
    hidden = layers.Dense(128, activation="relu")(concat)
    output = layers.Dense(6, activation="softmax")(hidden)
    model = keras.Model(tokens, [convolutions[0], concat, hidden, output])
    compiled = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    return lambda batch: [tensor.numpy() for tensor in compiled(batch)]


def recorded(data: Data, values: list[np.ndarray], spec: LayerSpec) -> None:
    """Everything that tokens add to a recording."""
    recorder = PositionRecorder([spec])
    surplus = None
    for rows, activations in zip(data.batches, values, strict=True):
        texts = read_tokens(data.tokens[rows], [spec], len(activations))
        found, surplus = align(activations, spec, texts["conv3"], None, surplus)
        index = np.arange(rows.start, rows.start + len(activations))
        for work in recorder.collect({"conv3": found}, data.ids[rows], index):
            work()
    for work in recorder.drain():
        work()
    recorder.extract("conv3", surplus or 0, LAYER_BYTES // 2)


def stored_bytes(data: Data, values: list[np.ndarray], spec: LayerSpec, *, with_tokens: bool) -> int:
    """Bytes of a snapshot of conv3 alone."""
    with tempfile.TemporaryDirectory() as folder:
        with activis_tb.preprocess(folder, step=0, layers=[spec], classes=["a", "b"], quiet=True) as snapshot:
            for rows, activations in zip(data.batches, values, strict=True):
                label = np.arange(rows.start, rows.start + len(activations)) % 2
                snapshot.process(
                    labels=label,
                    scores=np.eye(2)[label],
                    ids=data.ids[rows],
                    activations={"conv3": activations},
                    tokens=data.tokens[rows] if with_tokens else None,
                )
            path = snapshot.postprocess()
        return Path(path).stat().st_size


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    data, forward = Data(options.questions), word_cnn()
    values = [forward(data.inputs[rows])[0] for rows in data.batches]
    mean, largest = LayerSpec("conv3", offset=1), LayerSpec("conv3", tokens="max", offset=1)
    parts = _parts(data, values, mean)
    ways: dict[str, Callable[[], object]] = {
        "words x neurons and top 20": lambda: recorded(data, values, mean),
        "the same with maxima": lambda: recorded(data, values, largest),
        **parts,
    }
    budgets = {"words x neurons and top 20": 3.0, "the same with maxima": 10.0}
    shares: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds + 1):
        plain = cpu_seconds(lambda: [forward(data.inputs[rows]) for rows in data.batches])
        for name, way in ways.items():
            share = 100 * cpu_seconds(way) / plain
            if turn:
                shares[name].append(share)
    figures = [Figure.of(f"{name}, % of the forward pass", found, budgets.get(name)) for name, found in shares.items()]
    plain_bytes = stored_bytes(data, values, replace(mean, positions=False), with_tokens=False)
    tokens_alone = stored_bytes(data, values, replace(mean, positions=False), with_tokens=True) - plain_bytes
    everything = stored_bytes(data, values, mean, with_tokens=True) - plain_bytes
    report(
        [
            *figures,
            Figure("tokens and top 20 in a snapshot, kB", tokens_alone / 1000, 525, "lower"),
            Figure("the same and positions of the sample, kB", everything / 1000, 1_049, "lower"),
        ]
    )


def _parts(data: Data, values: list[np.ndarray], spec: LayerSpec) -> dict[str, Callable[[], object]]:
    """The two accumulators alone, over positions that were read already."""
    found = []
    for rows, activations in zip(data.batches, values, strict=True):
        texts = read_tokens(data.tokens[rows], [spec], len(activations))
        found.append(align(activations, spec, texts["conv3"], None, None)[0])
    together = np.concatenate([one.array.reshape(-1, one.array.shape[2])[one.place] for one in found])
    words = [one.texts.flat[token] for one in found for token in one.token.tolist()]
    keys = np.random.default_rng(1).integers(0, 2**63, len(words)).astype(np.uint64)

    def read() -> None:
        for rows, activations in zip(data.batches, values, strict=True):
            align(activations, spec, read_tokens(data.tokens[rows], [spec], len(activations))["conv3"], None, None)

    neurons = together.shape[1]
    return {
        "  reading the tokens alone": read,
        "  words x neurons alone": lambda: TokenSums(neurons).add(together, words),
        "  positions of the sample alone": lambda: _sampled(data, together, found, spec),
        "  top 20 alone": lambda: StrongestPositions(neurons).add(together, keys, _no_places),
    }


def _sampled(data: Data, together: np.ndarray, found: list[TokenPositions], spec: LayerSpec) -> None:
    """Positions of 1,000 sampled instances, besides what is read anyway."""
    recorder, neurons = SampledPositions([spec], 2, 1_000), together.shape[1]
    for rows, one in zip(data.batches, found, strict=True):
        unpooled = Unpooled(one.array.__getitem__, one.array.shape[1], neurons, None, None, one, is_kept=True)
        label = np.zeros(rows.stop - rows.start, np.int32)[: len(one.array)]
        block = Block(
            data.ids[rows], label, label, label, label, label, label > 0, label, {}, {}, unpooled={"conv3": unpooled}
        )
        chosen = recorder.offer(block)
        recorder.keep(unpooled, "conv3", chosen, unpooled.values(chosen))
    recorder.extract("conv3", data.ids.tolist(), [], LAYER_BYTES // 2, (1, 1))


def _no_places(rows: np.ndarray) -> Places:
    ids, texts = np.empty(len(rows), object), np.empty((len(rows), 7), object)
    return Places(ids, np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64), texts)


if __name__ == "__main__":
    main()
