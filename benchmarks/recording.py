"""What recording adds to an evaluation: the word CNN of Kim (2014) on the CPU, with and without it, in turns.

Both loops run the same compiled forward pass over the same batches and compute the accuracy. The recorded one hands the
scores, the labels and three layers to a snapshot with 20 subsets besides the classes.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import psutil
from _report import Figure, report

import activis_tb

CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
WORDS, LENGTH = 9_000, 37
LAYERS = ("concat", "hidden", "output")
SUBSETS = {f"word {number} below 450": number for number in range(20)}


def word_cnn():
    import keras
    from keras import layers

    tokens = keras.Input((LENGTH,), dtype="int32")
    embedded = layers.Embedding(WORDS, 128)(tokens)
    pools = [layers.GlobalMaxPooling1D()(layers.Conv1D(100, width, activation="relu")(embedded)) for width in (3, 4, 5)]
    concat = layers.Concatenate(name="concat")(pools)
    hidden = layers.Dense(128, activation="relu", name="hidden")(concat)
    output = layers.Dense(len(CLASSES), activation="softmax", name="output")(hidden)
    return keras.Model(tokens, [concat, hidden, output])


def evaluate(forward, tokens, labels, batch_size: int, snapshot=None) -> float:
    correct = 0
    for start in range(0, len(tokens), batch_size):
        rows = slice(start, start + batch_size)
        concat, hidden, output = forward(tokens[rows])
        scores = output.numpy()
        correct += int((scores.argmax(axis=1) == labels[rows]).sum())
        if snapshot is not None:
            snapshot.process(
                labels=labels[rows],
                scores=scores,
                ids=np.arange(start, start + len(scores)),
                attributes={f"word {number}": tokens[rows, number] for number in range(20)},
                activations={"concat": concat.numpy(), "hidden": hidden.numpy(), "output": scores},
            )
    return correct / len(tokens)


def snapshot_of(folder: str, step: int):
    subsets = {
        name: (lambda batch, number=number: batch[f"word {number}"] < WORDS // 20) for name, number in SUBSETS.items()
    }
    return activis_tb.preprocess(folder, step=step, layers=LAYERS, classes=CLASSES, subsets=subsets, quiet=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=50_000)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    import tensorflow as tf

    model = word_cnn()
    forward = tf.function(lambda tokens: model(tokens, training=False), reduce_retracing=True)
    generator = np.random.default_rng(0)
    tokens = generator.integers(1, WORDS, (options.instances, LENGTH), dtype=np.int32)
    labels = generator.integers(0, len(CLASSES), options.instances)
    evaluate(forward, tokens[:4096], labels[:4096], options.batch_size)

    plain: list[float] = []
    recorded: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for step in range(options.rounds):
            begun = time.perf_counter()
            evaluate(forward, tokens, labels, options.batch_size)
            plain.append(time.perf_counter() - begun)
            before = psutil.Process().memory_info().rss
            begun = time.perf_counter()
            with snapshot_of(folder, step) as snapshot:
                evaluate(forward, tokens, labels, options.batch_size, snapshot)
                memory.append((psutil.Process().memory_info().rss - before) / 1e6)
            recorded.append(time.perf_counter() - begun)
        written = sum(path.stat().st_size for path in Path(folder).rglob("*tfevents*")) / options.rounds / 1e6
    overhead = [100 * (with_it / without - 1) for with_it, without in zip(recorded, plain, strict=True)]
    report(
        [
            Figure.of(f"evaluation of {options.instances:,}, s", plain, None),
            Figure.of("with recording, s", recorded, None),
            Figure.of("recording overhead, %", overhead, 5),
            Figure.of("memory while recording, MB", memory, None),
            Figure("event file, MB", written, None, "lower"),
        ]
    )


if __name__ == "__main__":
    main()
