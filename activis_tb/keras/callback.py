"""Records one snapshot per epoch while Keras trains."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras

from activis_tb.errors import ArgumentError
from activis_tb.keras.evaluation import BatchFunction, Evaluation, Selection, check_count
from activis_tb.keras.examples import ExampleData
from activis_tb.model import AttributeType, LayerSpec, Pooling
from activis_tb.recording.progress import ProgressFunction


class ActivisCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Records activations of the validation instances at the end of every epoch, for the ACTIVIS tab.

    The step of a snapshot is the number of the epoch from 0 on, as in the scalars of `keras.callbacks.TensorBoard`. The
    model runs in inference mode; one pass yields the layers and the scores. Layers of rank > 2 are pooled, padding left
    out where Keras carries a mask, and low precision is converted where they were computed. Scores are a probability
    per class, or (instances, 1) for two classes; logits where the loss says `from_logits=True`.

    What goes wrong once training has begun does not end it: the callback warns and records nothing any more.

    Args:
        logdir: The run's directory, the same as for `keras.callbacks.TensorBoard`.
        x: What the model is fed with: an array, a list or dict of arrays, (instances, ...); or batches (x, y) in the
            same order every time: a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`.
        y: Labels (instances,): positions in `classes` or names; or one-hot (instances, classes). None where `x` brings
            them. Where every output has its own labels, a dict of them by output.
        layers: Names of layers, the path of nested ones (`encoder/dense`), or, where the model is a class, attributes;
            `dense:2` is the second call of a layer that is called several times. A `LayerSpec` says how to pool one.
        classes: Names of the classes, by position.
        attributes: By name, a column (instances,) in the order of `x`: numbers, booleans, text, encoded pictures.
        subsets: By name, a condition, a function of the batch that returns a boolean per instance, or a list of ids.
        ids: One per instance, in the order of `x`.
        name: What is recorded here; two recordings of one run need two names.
        every: Record after every so many epochs.
        sample: Instances whose activations are kept one by one, about.
        always: Instances to keep besides: a condition, a function of the batch, or ids.
        examples: Test cases of your own beside the data, `(x, y)`, `(x, y, attributes)` or `(x, y, attributes, ids)`:
            always shown, right or wrong, in no average or subset.
        keep: `all` writes every instance to files beside the event file, as in `activis_tb.preprocess`.
        output: Name or position of the output that decides, where several fit the classes.
        batch_size: Instances per forward pass where `x` is arrays.
        pooling: `max`, `mean`, or the `first` or `last` unmasked position, for layers of rank > 2.
        attribute_types: By name, the type of an attribute where its values leave that open.
        progress: Is called every few seconds of a long recording, as in `activis_tb.preprocess`.
        strict: Let errors through, also in the midst of training.
        quiet: Do not print where the first snapshot is to be seen.

    Raises:
        ArgumentError: An argument cannot be used. What only the model tells (layers, outputs) is refused when training
            begins, before the first step.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str],
        x: Any,
        y: Any = None,
        *,
        layers: Sequence[str | LayerSpec],
        classes: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
        subsets: Mapping[str, str | BatchFunction | Iterable[Any]] | None = None,
        ids: Sequence[Any] | None = None,
        name: str = "validation",
        every: int = 1,
        sample: int = 1000,
        always: Selection = (),
        examples: ExampleData | None = None,
        keep: Literal["sample", "all"] = "sample",
        output: str | int | None = None,
        batch_size: int = 256,
        pooling: Pooling = "max",
        attribute_types: Mapping[str, AttributeType] | None = None,
        progress: ProgressFunction | None = None,
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
            pooling=pooling,
            output=output,
            batch_size=batch_size,
            examples=examples,
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
        self._every = every
        self._strict = strict
        self._quiet = quiet
        self._is_disabled = False

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 (the name is Keras')
        """Refuses layers that the model has not, before the first step."""
        try:
            if self.model.built:
                self._evaluation.prepare(self.model)
            else:
                self._evaluation.find_layers(self.model)
        except ArgumentError:
            raise
        except Exception as error:
            self._disable(error)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Records a snapshot if this epoch is one of `every`."""
        if self._is_disabled or (epoch + 1) % self._every:
            return
        try:
            self.record(epoch)
        except Exception as error:
            self._disable(error)

    def record(self, step: int) -> None:
        """Records one snapshot now; outside of `fit`, call `set_model` first.

        Raises:
            ArgumentError: The data does not fit together; nothing is written then.
            OSError: The log directory cannot be written.
        """
        self._evaluation.record(self.model, step, quiet=self._quiet)
        self._quiet = True

    def _disable(self, error: Exception) -> None:
        """Warns that nothing is recorded from now on, unless errors are to be let through."""
        if self._strict:
            raise error
        self._is_disabled = True
        message = (
            f"ActiVis records nothing any more, the training goes on: {type(error).__name__}: {error} "
            "(strict=True of ActivisCallback lets the error through.)"
        )
        warnings.warn(message, RuntimeWarning, stacklevel=3)
