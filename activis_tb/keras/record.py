"""Recording of a trained Keras model, without training."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from activis_tb.keras.evaluation import BatchFunction, Evaluation, ExampleData, Selection
from activis_tb.model import AttributeType, LayerSpec, Pooling
from activis_tb.recording.arguments import ClassArgument
from activis_tb.recording.progress import ProgressFunction


def record(
    model: keras.Model,
    data: Any,
    logdir: str | os.PathLike[str],
    *,
    layers: Sequence[str | LayerSpec],
    classes: ClassArgument,
    name: str = "validation",
    step: int = 0,
    attributes: Any = None,
    subsets: Mapping[str, Selection | BatchFunction] | None = None,
    ids: Any = None,
    tokens: Any = None,
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
    quiet: bool = False,
) -> Path | str:
    """Records one snapshot of a model as it is, and returns its event file.

    Called again with the `name` and `step` of an earlier snapshot and the same instances and subsets, it adds layers to
    that one: the tab shows both as one.

    Args:
        model: Functional, Sequential or subclassed, compiled or not.
        data: `(x, y)` or `(x, y, sample_weight)` of arrays, or batches, see `ActivisCallback`: a `tf.data.Dataset`, a
            `keras.utils.PyDataset`, a PyTorch `DataLoader`, a generator.
        logdir: The run's directory.
        layers: See `ActivisCallback`, as for everything below.
        classes: Names of the classes, by position; or integers, which labels are then, or an `id2label`.
        name: Of what is recorded.
        step: The training step or epoch that the weights are of.
        attributes: By name, (instances,), beside the data.
        subsets: By name.
        ids: One per instance.
        tokens: Texts of the positions of layers of rank 3.
        sample: Instances to keep individually, about.
        always: Instances that are always kept besides.
        examples: Test cases of your own beside the data.
        keep: What to keep individually.
        output: Of several outputs, the one that decides.
        batch_size: Instances per forward pass where the data is arrays.
        pooling: `max`, `mean`, or the `first` or `last` unmasked position, for layers of rank > 2.
        attribute_types: By name.
        progress: Called every few seconds of a long recording, as in `activis_tb.preprocess`.
        from_logits: Whether the model returns logits.
        labels: None records data without labels, `data` being `x` alone: arrays or batches.
        quiet: Do not print a link to the snapshot.

    Raises:
        ArgumentError: An argument cannot be used, data and model do not fit together, or the log directory cannot be
            written; nothing is written then.
        OSError: The disk is full.
    """
    is_of_arrays = isinstance(data, tuple) and len(data) in {2, 3}
    x, y = data[:2] if is_of_arrays and labels is not None else (data, None)
    evaluation = Evaluation(
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
    evaluation.try_out(model)
    return evaluation.record(model, step, quiet=quiet)
