"""What a demo says while it trains."""

import time
from collections.abc import Mapping

import keras


class ProgressLine(keras.callbacks.Callback):
    """Prints one line per epoch."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_begin(self, *_: object) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        seconds = time.monotonic() - self._start
        print(
            f"  epoch {epoch + 1}/{self._epochs}   training {logs['accuracy']:6.1%}   "
            f"test {logs['val_accuracy']:6.1%}   {seconds:4.1f} s",
            flush=True,
        )
