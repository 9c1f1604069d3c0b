"""Keras callback that records one snapshot per epoch."""

import os
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from activis_tb.errors import ArgumentError
from activis_tb.keras.evaluation import BatchFunction, Evaluation, ExampleData, Selection, check_count
from activis_tb.model import AttributeType, LayerSpec, Pooling
from activis_tb.recording.arguments import ClassArgument
from activis_tb.recording.progress import ProgressFunction


class ActivisCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Keras callback that records a snapshot of the validation instances at the end of every epoch.

    The step of a snapshot is the number of the epoch from 0 on, as in the scalars of `keras.callbacks.TensorBoard`. The
    model runs in inference mode; one pass yields the layers and the scores. Layers of rank > 2 are pooled, without
    padding where Keras carries a mask, and low precision is converted, both on the device. Scores are a probability per
    class, or (instances, 1) for two classes; or logits, see `from_logits`.

    When training begins, one batch goes through everything, and what cannot be recorded is refused. An error later
    does not end the training: the callback warns and records nothing more. Recording changes no random state and no
    state of the model.

    Where `attributes` or `ids` are given beside the data, instances are known by their position, and have to come in
    the same order in every pass: data that is reshuffled is refused then. With batches (x, y, attributes) or (x, y,
    attributes, ids), any order will do.

    Args:
        logdir: The run's directory, the same as for `keras.callbacks.TensorBoard`.
        x: What the model is fed with: an array, a list or dict of arrays, (instances, ...); or batches: a
            `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`; or what `fit` takes as
            `validation_data`, (x, y) or (x, y, sample_weight). Batches are (x, y), perhaps with weights, or (x, y,
            attributes) or (x, y, attributes, ids), `attributes` being a mapping. Weights do not count.
        y: Labels (instances,): positions in `classes` or names; or one-hot (instances, classes). None where `x` brings
            them. Where every output has its own labels, a dict, list or tuple of them by output.
        layers: Names of layers, the path of nested ones (`encoder/dense`), or, where the model is a class, attributes;
            `dense:2` is the second call of a layer that is called several times. A `LayerSpec` says how to pool one.
        classes: Names of the classes, by position; or integers, which labels are then, or an `id2label`.
        attributes: By name, a column (instances,) in the order of `x`: numbers, booleans, text, encoded pictures. A
            mapping, or a data frame of pandas or polars.
        subsets: By name, a condition, a function of the batch that returns a boolean per instance, or a list of ids.
        ids: One per instance, in the order of `x`.
        tokens: The texts of the positions of layers of rank 3, as in `process`: a function of a batch of `x`; what made
            `x` of texts, with its vocabulary (`TextVectorization`, `StringLookup`, a `Tokenizer` with `index_word`); or
            a list of texts per instance, in the order of `x`.
        name: Of what is recorded; two recordings of one run need two names.
        every: Epochs from one snapshot to the next.
        sample: Instances whose activations are kept individually, about.
        always: Instances that are always kept besides: a condition, a function of the batch, or ids.
        examples: Test cases of your own beside the data, `(x, y)`, `(x, y, attributes)` or `(x, y, attributes, ids)`:
            always shown, right or wrong, in no average or subset.
        keep: `all` writes every instance to files beside the event file, as in `activis_tb.preprocess`.
        output: The output that decides, where several fit the classes: its name or position, or the layer that returns
            it, or that layer's name.
        batch_size: Instances per forward pass where `x` is arrays.
        pooling: `max`, `mean`, or the `first` or `last` unmasked position, for layers of rank > 2.
        attribute_types: By name, the type of an attribute where its values leave that open.
        from_logits: Whether the model returns logits, which softmax makes probabilities, or sigmoid where there is one
            column. None: where the loss of the output says so.
        labels: None records data without labels: `x` alone, arrays or batches; anything in the place of labels, as in
            the (x, x) of an autoencoder, is ignored. All instances are one row, and none is right or wrong.
        progress: Called every few seconds of a long recording, as in `activis_tb.preprocess`.
        strict: Raise errors, also in the midst of training.
        quiet: Do not print a link to the first snapshot.

    Raises:
        ArgumentError: An argument cannot be used. What only the model and a batch show (layers, outputs, logits,
            shapes, conditions on neurons, a directory that cannot be written) is refused when training begins, before
            the first step.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        x: Any,
        y: Any = None,
        *,
        layers: Sequence[str | LayerSpec],
        classes: ClassArgument,
        attributes: Any = None,
        subsets: Mapping[str, str | BatchFunction | Iterable[Any]] | None = None,
        ids: Any = None,
        tokens: Any = None,
        name: str = "validation",
        every: int = 1,
        sample: int = 1000,
        always: Selection = (),
        examples: ExampleData | None = None,
        keep: Literal["sample", "all"] = "sample",
        output: str | int | keras.Layer | None = None,
        batch_size: int = 256,
        pooling: Pooling = "max",
        attribute_types: Mapping[str, AttributeType] | None = None,
        progress: ProgressFunction | None = None,
        from_logits: bool | None = None,
        labels: Literal["data"] | None = "data",
        strict: bool = False,
        quiet: bool = False,
    ) -> None:
        super().__init__()
        check_count(every, "every")
        self._evaluation = Evaluation(
            logdir,
            x,
            y,
            layers=layers,
            classes=classes,
            attributes=attributes,
            ids=ids,
            tokens=tokens,
            pooling=pooling,
            output=output,
            batch_size=batch_size,
            examples=examples,
            from_logits=from_logits,
            labels=labels,
            name=name,
            subsets=subsets,
            sample=sample,
            always=always,
            keep=keep,
            attribute_types=attribute_types,
            progress=progress,
        )
        if self._evaluation.batches.is_spent_after_one_pass:
            expected = "data that can be walked through after every epoch: arrays, a dataset or a DataLoader"
            raise ArgumentError("x", type(x).__name__, expected, "activis_tb.keras.record walks through it once.")
        self.place = f"{name!r} in {_canonical(logdir)}"
        self._every = every
        self._strict = strict
        self._quiet = quiet
        self._is_disabled = False
        self._is_training = False
        self._snapshots = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (the name is Keras')
        """Runs one batch through everything and refuses what cannot be recorded, before the first step."""
        self._refuse_another()
        self._is_disabled, self._is_training, self._snapshots = False, True, 0
        epochs = (self.params or {}).get("epochs")
        if isinstance(epochs, int) and epochs < self._every:
            _warn(f"nothing will be recorded: every={self._every}, and the training has {epochs} epochs.")
            self._is_disabled = True
        try:
            self._evaluation.try_out(self.model)
        except Exception as error:
            self._is_training = False
            _beginning.discard(self)
            if not isinstance(error, ArgumentError):
                error.add_note("Raised while ActivisCallback tried one batch, before the training.")
            raise

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Ends the time in which another callback of this training may begin."""
        _beginning.discard(self)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Records a snapshot if this epoch is one of `every`."""
        if self._is_disabled or (epoch + 1) % self._every:
            return
        try:
            self.record(epoch)
        except Exception as error:
            self._disable(error)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Warns where nothing was recorded."""
        _beginning.discard(self)
        self._is_training = False
        if not self._snapshots and not self._is_disabled:
            _warn(f"nothing was recorded: no epoch of this training had a number divisible by every={self._every}.")

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Warns that an evaluation outside of training is not recorded."""
        self._say_what_records("evaluate")

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Warns that a prediction is not recorded."""
        self._say_what_records("predict")

    def record(self, step: int) -> None:
        """Records one snapshot now; outside of `fit`, call `set_model` first.

        Raises:
            ArgumentError: The data does not fit together, or comes in another order than before; nothing is written.
            OSError: The log directory cannot be written.
        """
        self._evaluation.record(self.model, step, quiet=self._quiet)
        self._quiet = True
        self._snapshots += 1

    def _refuse_another(self) -> None:
        """Raises ArgumentError where another callback of this training writes snapshots of the same name there."""
        for other in list(_beginning):
            is_known = other is not self or self.params is not None
            if is_known and other.params is self.params and other.model is self.model and other.place == self.place:
                got = f"two callbacks that record {self.place}"
                raise ArgumentError("name", got, "another name= or logdir for each of them in one training")
        _beginning.add(self)

    def _say_what_records(self, method: str) -> None:
        if not self._is_training:
            way_out = "activis_tb.keras.record(model, data, logdir, ...) records a trained model."
            _warn(f"model.{method} records nothing. {way_out}")

    def _disable(self, error: Exception) -> None:
        """Warns that nothing is recorded from now on, or raises `error` where `strict`."""
        if self._strict:
            raise error
        self._is_disabled = True
        message = (
            f"ActiVis records nothing any more, the training goes on: {type(error).__name__}: {error} "
            "(strict=True of ActivisCallback lets the error through.)"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=3)


_beginning: "weakref.WeakSet[ActivisCallback]" = weakref.WeakSet()
"""Callbacks whose training has begun, but not its first epoch: those of one training are in it together."""


def _canonical(logdir: str | os.PathLike[str]) -> str:
    """Returns the same text for every way to write a directory."""
    path = os.fspath(logdir)
    return path.rstrip("/") if "://" in path else str(Path(path).expanduser().resolve())


def _warn(message: str) -> None:
    warnings.warn(f"ActiVis: {message}", UserWarning, stacklevel=3)
