"""What the benchmarks look at: recordings of given activations, and the questions of the demo."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import activis_tb

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ACTIVIS_TEST_DATA") or ROOT.parent / "shared" / "data")
TREC = DATA / "trec"
RUN = {"run": "run/activis", "name": "validation", "step": "0"}

sys.path.append(str(ROOT / "demo"))


def record(
    logdir: Path,
    layers: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: int,
    subsets: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Records all instances as the run `run` of `logdir`, all of them in the sample; one in ten is misclassified.

    Args:
        logdir: A folder.
        layers: Activations by layer, (instances, neurons).
        labels: Classes by number, (instances,).
        classes: How many there are.
        subsets: The instances of each, by number.
    """
    predicted = np.where(np.arange(len(labels)) % 10 == 0, (labels + 1) % classes, labels)
    scores = np.full((len(labels), classes), 0.4 / classes, np.float32)
    scores[np.arange(len(labels)), predicted] = 0.6
    names = [f"class {label}" for label in range(classes)]
    with activis_tb.preprocess(
        str(logdir / "run"),
        name=RUN["name"],
        step=0,
        layers=list(layers),
        classes=names,
        subsets=subsets,
        sample=len(labels) * classes,
        quiet=True,
    ) as snapshot:
        snapshot.process(labels=labels, scores=scores, ids=np.arange(len(labels)), activations=layers)


def questions(data: Path):
    """Returns the TREC questions where they are in `data`, else those of the demo's grammar."""
    import question_grammar
    import trec

    return trec.read(data) if data.is_dir() else question_grammar.generate()


def train_word_cnn(directory: Path, found, epochs: int):
    """Trains and records the demo's word CNN without a word; returns the model."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import word_cnn

    with contextlib.redirect_stdout(io.StringIO()):
        return word_cnn.train(directory, found, 0.5, epochs)


def hidden_layer(model, found) -> tuple[np.ndarray, np.ndarray]:
    """Returns the hidden activations of the training questions, float32 (instances, 128), and their labels."""
    import keras

    import word_cnn

    vectorise = word_cnn.word_numbers([question.text for question in found.training])
    tokens, labels = word_cnn.examples(found.training, vectorise)
    hidden = keras.Model(model.input, model.get_layer("hidden").output)
    return hidden.predict(tokens, batch_size=512, verbose=0), labels


def recorded_layers(directory: Path, layer: str) -> list[np.ndarray]:
    """Returns what a run recorded of `layer` at each step, by step, float32 (rows, neurons)."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    from activis_tb.storage.decoding import SnapshotReader

    found = {}
    for path in directory.rglob("*.activis"):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "activis":
                    blobs = list(value.tensor.string_val)
                    reader = SnapshotReader(blobs[0], blobs.__getitem__)
                    found[reader.manifest.step] = reader.activations(layer)
    return [found[step] for step in sorted(found)]
