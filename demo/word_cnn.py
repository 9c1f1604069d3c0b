"""The word CNN of Kim (2014), "Convolutional Neural Networks for Sentence Classification", recorded by ActiVis.

This is the part to imitate: `train` is ordinary Keras with one callback more.
"""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from activis_tb import LayerSpec
from activis_tb.keras import ActivisCallback
from progress_line import ProgressLine
from trec import CLASSES, Question, Questions

SEED = 7
OFFSETS = {"conv3": 1, "conv4": 2, "conv5": 2}
"""By convolution, how many words it sees before the one that its position belongs to."""
LAYERS = (*OFFSETS, "concat", "hidden", "output")


def train(directory: Path, questions: Questions, dropout: float, epochs: int) -> keras.Model:
    """Returns a trained model; its scalars and a snapshot of the test questions per epoch are in `directory`."""
    keras.utils.set_random_seed(SEED)
    vectorise = word_numbers([question.text for question in questions.training])
    (x, y), (x_test, y_test) = (examples(part, vectorise) for part in (questions.training, questions.test))
    model = build_model(vocabulary=vectorise.vocabulary_size(), words=x.shape[1], dropout=dropout)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    texts = [question.text for question in questions.test]
    model.fit(
        x,
        y,
        batch_size=64,
        epochs=epochs,
        validation_data=(x_test, y_test),
        verbose=0,
        callbacks=[
            keras.callbacks.TensorBoard(directory, write_graph=False),
            ActivisCallback(
                directory,
                x_test,
                y_test,
                layers=[LayerSpec(layer, offset=OFFSETS.get(layer, 0)) for layer in LAYERS],
                classes=CLASSES,
                attributes={"text": texts, "words": [len(text.split()) for text in texts]},
                subsets={"What is": starts_with_what_is},
                tokens=vectorise,
                name="test",
                sample=len(texts) * len(CLASSES),  # every class may give as many as there are: all are kept
                quiet=True,
            ),
            ProgressLine(epochs),
        ],
    )
    return model


def starts_with_what_is(batch: Mapping[str, np.ndarray]) -> list[bool]:
    """The subset of questions that tell least about what they ask for; a boolean per instance."""
    return [text.lower().startswith("what is ") for text in batch["text"]]


def word_numbers(texts: list[str]) -> keras.layers.TextVectorization:
    """Returns what turns a question into the numbers of its words, padded to the longest of `texts`."""
    longest = max(len(text.split()) for text in texts)
    vectorise = keras.layers.TextVectorization(standardize="lower", output_sequence_length=longest)
    vectorise.adapt(texts)
    return vectorise


def examples(questions: list[Question], vectorise: keras.layers.TextVectorization) -> tuple[np.ndarray, np.ndarray]:
    """Returns word numbers, int64 (instances, words), and positions in CLASSES, int64 (instances,)."""
    x = np.asarray(vectorise([question.text for question in questions]))
    return x, np.array([CLASSES.index(question.label) for question in questions])


def build_model(vocabulary: int, words: int, dropout: float) -> keras.Model:
    """Returns the model: filters as wide as 3, 4 and 5 words, the strongest answer of each, a hidden layer."""
    tokens = keras.Input((words,), dtype="int64", name="tokens")
    embedding = keras.layers.Embedding(vocabulary, 128, name="embedding")(tokens)
    pools = []
    for width in (3, 4, 5):
        features = keras.layers.Conv1D(100, width, activation="relu", name=f"conv{width}")(embedding)
        pools.append(keras.layers.GlobalMaxPooling1D(name=f"pool{width}")(features))
    concat = keras.layers.Concatenate(name="concat")(pools)
    dropped = keras.layers.Dropout(dropout, name="dropout")(concat)
    hidden = keras.layers.Dense(128, activation="relu", name="hidden")(dropped)
    output = keras.layers.Dense(len(CLASSES), activation="softmax", name="output")(hidden)
    return keras.Model(tokens, output, name="textcnn")
