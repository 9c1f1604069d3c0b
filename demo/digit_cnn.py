"""A convolutional network for digits, trained by a custom TensorFlow loop and recorded by the ActiVis summary op.

This is the part to imitate: `train` is an ordinary loop with one summary more.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import activis_tb.keras
import activis_tb.summary

SEED = 7
CLASSES = tuple("0123456789")
LAYERS = ("conv", "hidden", "output")


def train(directory: Path, epochs: int) -> keras.Model:
    """Returns a trained model; its scalars and a snapshot of the validation digits per epoch are below `directory`."""
    keras.utils.set_random_seed(SEED)
    x, x_validation, y, y_validation = digits()
    model = build_model()
    recorded = keras.Model(model.input, {layer: model.get_layer(layer).output for layer in LAYERS})
    graph = activis_tb.keras.forward_graph(model, LAYERS)
    attributes = {"image": pictures(x_validation), "ink": x_validation.mean(axis=(1, 2, 3))}
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=SEED).batch(32)
    train_step = make_train_step(model)
    train_writer = tf.summary.create_file_writer(str(directory / "train"))
    validation_writer = tf.summary.create_file_writer(str(directory / "validation"))

    for epoch in range(epochs):
        start = time.monotonic()
        loss = np.mean([train_step(*batch) for batch in batches])
        with train_writer.as_default(step=epoch):
            tf.summary.scalar("loss", loss)

        activations = recorded(x_validation)
        accuracy = np.mean(np.argmax(activations["output"], axis=1) == y_validation)
        with validation_writer.as_default(step=epoch):
            tf.summary.scalar("accuracy", accuracy)
            activis_tb.summary.activations(
                "validation",
                activations,
                labels=y_validation,
                scores=activations["output"],
                classes=CLASSES,
                attributes=attributes,
                subsets={"1, 7 or 9": is_1_7_or_9, "faint": is_faint},
                graph=graph,
                heads={"hidden": model.get_layer("output").get_weights()},
            )
        seconds = time.monotonic() - start
        print(
            f"  epoch {epoch + 1}/{epochs}   loss {loss:.3f}   validation {accuracy:6.1%}   {seconds:4.1f} s",
            flush=True,
        )

    train_writer.close()
    validation_writer.close()
    return model


def digits() -> list[np.ndarray]:
    """Returns images to train and to validate with, float32 (instances, 8, 8, 1) in 0..1, and the labels of both."""
    pixels, labels = load_digits(return_X_y=True)
    images = pixels.reshape(-1, 8, 8, 1).astype("float32") / 16
    return train_test_split(images, labels, test_size=0.25, random_state=SEED, stratify=labels)


def make_train_step(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """Returns a function that learns from one batch and gives its loss."""
    optimizer = keras.optimizers.Adam()
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def train_step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return train_step


def build_model() -> keras.Model:
    """Returns the model: 24 filters of 3 x 3 pixels, halved, a hidden layer."""
    image = keras.Input((8, 8, 1), name="image")
    conv = keras.layers.Conv2D(24, 3, padding="same", activation="relu", name="conv")(image)
    pool = keras.layers.MaxPooling2D(name="pool")(conv)
    flat = keras.layers.Flatten(name="flatten")(pool)
    hidden = keras.layers.Dense(32, activation="relu", name="hidden")(flat)
    output = keras.layers.Dense(len(CLASSES), activation="softmax", name="output")(hidden)
    return keras.Model(image, output, name="digits")


def pictures(images: np.ndarray) -> list[bytes]:
    """Returns PNG files of `images`, float32 (instances, 8, 8, 1) in 0..1, dark on white, 64 x 64 pixels."""
    large = np.kron(images, np.ones((1, 8, 8, 1)))
    return [tf.io.encode_png(image).numpy() for image in np.round(255 * (1 - large)).astype(np.uint8)]


def is_1_7_or_9(batch: Mapping[str, np.ndarray]) -> np.ndarray:
    """The subset of digits that are one stroke from each other, boolean (instances,)."""
    return np.isin(batch["label"], ["1", "7", "9"])


def is_faint(batch: Mapping[str, np.ndarray]) -> np.ndarray:
    """The subset of digits with little ink, boolean (instances,)."""
    return batch["ink"] < 0.27
