"""TensorFlow summary op: one call writes one snapshot through the default writer, at the default step."""

import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.ops import control_flow_util, summary_ops_v2

from activis_tb.errors import ArgumentError
from activis_tb.model import AttributeType, ForwardGraph
from activis_tb.recording.api import encode
from activis_tb.recording.arguments import ClassArgument, SelectionArgument, SubsetArgument, read_settings, whole_number
from activis_tb.recording.arrays import check_from_logits
from activis_tb.recording.dataset import DatasetRecorder
from activis_tb.recording.heads import pair_of
from activis_tb.recording.recorder import Recorder, new_session
from activis_tb.storage.events import summary_metadata
from activis_tb.storage.metadata import SnapshotTag
from activis_tb.storage.parquet import check_duckdb
from activis_tb.storage.side_files import DatasetWriter

_written_graphs: "weakref.WeakKeyDictionary[Any, set[str]]" = weakref.WeakKeyDictionary()


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def activations(
    name: str,
    activations: Mapping[str, Any],
    *,
    labels: Any,
    scores: Any,
    classes: ClassArgument,
    attributes: Mapping[str, Any] | None = None,
    subsets: SubsetArgument | None = None,
    ids: Any = None,
    sample: int = 1000,
    always: SelectionArgument = (),
    keep: Literal["sample", "all"] = "sample",
    logdir: str | os.PathLike[str] | None = None,
    examples: Mapping[str, Any] | None = None,
    graph: Any = None,
    heads: Mapping[str, Any] | None = None,
    step: Any = None,
    attribute_types: Mapping[str, AttributeType] | None = None,
    from_logits: bool = False,
    mask: Any = None,
    tokens: Any = None,
) -> Any:
    """Writes one snapshot of the instances given; works eagerly and inside `tf.function`.

    Where the instances do not fit into one call, use `activis_tb.preprocess`, which streams.

    Args:
        name: What is recorded, e.g. `validation`.
        activations: By layer name: (instances, neurons), or of rank > 2, pooled by their maximum over all axes but the
            first and the last.
        labels: True classes (instances,): positions in `classes`, or names; None for data without labels.
        scores: Probabilities (instances, classes); or, with two classes, (instances,).
        classes: Names of the classes, by position.
        attributes: By name, one value per instance.
        subsets: By name, a condition, a function of the batch or ids, as in `activis_tb.preprocess`.
        ids: Text or integers (instances,), each one once.
        sample: About how many instances to keep individually.
        always: Instances to keep besides: a condition, a function of the batch, or ids.
        keep: `all` also writes every instance to files in `logdir`, as in `activis_tb.preprocess`.
        logdir: The writer's directory, which TensorFlow does not tell; for `keep="all"` only.
        examples: Test cases of your own, which are always shown and in no number: a mapping with `labels`, `scores` and
            `activations`, and perhaps `attributes`, `ids`, `mask` and `tokens`, each as here.
        graph: The forward graph, to be shown in the tab: a `tf.Graph`, `GraphDef` or concrete function, in which the
            activations' own names are looked up, or an `activis_tb.model.ForwardGraph`. Written once per writer.
        heads: By layer name, weights (neurons, classes) and bias (classes,) of the linear layer between it and the
            scores, as in `activis_tb.preprocess`.
        step: The step; the default is `tf.summary.experimental.get_step()`.
        attribute_types: The type of some attributes, where the values do not show it.
        from_logits: `scores`, those of the test cases too, are logits: softmax makes them probabilities, or sigmoid
            where there is one column.
        mask: Which steps of activations of rank > 2 are no padding, as in `SnapshotRecorder.process`.
        tokens: The texts of the positions of layers of rank 3, as in `SnapshotRecorder.process`.

    Returns:
        A boolean tensor: True where a snapshot was written, False where there is no default writer or
        `tf.summary.record_if` says no; nothing is computed then.

    Raises:
        ArgumentError: Something cannot be used. Values that are known only when a `tf.function` runs are checked then,
            and TensorFlow wraps the error in one of its own. Under `jit_compile=True` the op cannot work at all.
    """
    _refuse_xla()
    should_record = tf.summary.should_record_summaries()
    if tf.get_static_value(should_record) == np.False_:
        return tf.constant(False)
    settings: dict[str, Any] = {
        "name": name,
        "layers": list(_mapping("activations", activations)),
        "classes": classes,
        "subsets": subsets,
        "sample": sample,
        "always": always,
        "attribute_types": attribute_types,
        "graph": _forward_graph(graph, activations),
    }
    read_settings(**settings)
    directory = _directory(keep, logdir)
    batch = _flat(
        {
            "labels": labels,
            "scores": scores,
            "from_logits": check_from_logits(from_logits),
            "mask": mask,
            "tokens": tokens,
            "ids": ids,
            "activations": activations,
            "heads": _heads(heads),
            "attributes": _mapping("attributes", attributes or {}),
            "examples": _examples(examples),
        }
    )
    step_now = _step(step)
    return tf.cond(should_record, lambda: _write(settings, batch, step_now, directory), lambda: tf.constant(False))


def _write(settings: Mapping[str, Any], batch: Mapping[tuple[str, ...], Any], step: Any, directory: Path | None) -> Any:
    """Writes the snapshot now, or traces what will; `batch` by argument and, where it has parts, their names."""
    writer = summary_ops_v2._summary_state.writer  # noqa: SLF001 (TensorFlow has no public getter)
    batch = {
        key: tf.convert_to_tensor(value) if isinstance(value, tf.Variable) else value for key, value in batch.items()
    }
    symbolic = {key: value for key, value in batch.items() if tf.is_symbolic_tensor(value)}

    def record(step_value: Any, *arrays: Any) -> tuple[bytes, NDArray[np.object_]]:
        values = {**batch, **dict(zip(symbolic, arrays, strict=True))}
        return _record(settings, values, whole_number(int(step_value), "step"), writer, directory)

    if tf.executing_eagerly():
        tag, blobs = record(step)
    else:
        tag, blobs = tf.numpy_function(record, [step, *symbolic.values()], [tf.string, tf.string])
        blobs.set_shape([None])
    return tf.summary.write(tag, tf.convert_to_tensor(blobs), step=step, metadata=summary_metadata())


def _record(
    settings: Mapping[str, Any],
    batch: Mapping[tuple[str, ...], Any],
    step: int,
    writer: Any,
    directory: Path | None,
) -> tuple[bytes, NDArray[np.object_]]:
    """Returns the tag and the blobs of one snapshot; writes the graph if `writer` has not got it yet.

    Every instance goes to `directory` where there is one. TensorFlow's writer does not tell when the event is on disk,
    so the files are committed before it: a process that is killed in between leaves files that nothing points at.
    """
    columns = _nested(batch)
    checked = read_settings(**settings, heads=_pairs(columns.pop("heads", {})))
    tag = SnapshotTag(checked.name, step, new_session())
    files = DatasetWriter(directory, tag) if directory else None
    dataset = DatasetRecorder(files) if files else None
    recorder = Recorder(checked, dataset.add if dataset else None)
    try:
        examples = columns.pop("examples", None)
        if examples:
            recorder.examples(**examples, from_logits=columns["from_logits"])
        recorder.process(**columns)
        snapshot = recorder.finish(tag.step, tag.session)
        encoded = encode(dataset.finish(snapshot) if dataset else snapshot)
        if files:
            files.commit()
    finally:
        recorder.close()
        if files:
            files.abandon()
    blobs = np.empty(len(encoded), np.object_)
    blobs[:] = encoded
    if checked.graph:
        _write_graph(checked.graph, writer)
    return str(tag).encode(), blobs


def _write_graph(graph: ForwardGraph, writer: Any) -> None:
    written = _written_graphs.setdefault(writer, set())
    if graph.digest not in written:
        with writer.as_default(step=0), tf.summary.record_if(True):
            tf.summary.graph(tf.compat.v1.GraphDef.FromString(graph.graph_def))
        written.add(graph.digest)


def _forward_graph(graph: Any, activations: Mapping[str, Any]) -> ForwardGraph | None:
    if graph is None or isinstance(graph, ForwardGraph):
        return graph
    definition = getattr(graph, "graph", graph)
    if isinstance(definition, tf.Graph):
        definition = definition.as_graph_def(add_shapes=True)
    if not isinstance(definition, tf.compat.v1.GraphDef):
        raise ArgumentError(
            "graph",
            type(graph).__name__,
            "a tf.Graph, GraphDef, concrete function or ForwardGraph",
            "Of a tf.function: f.get_concrete_function(...).",
        )
    nodes = {node.name for node in definition.node}
    names = {layer: value.name for layer, value in activations.items() if tf.is_symbolic_tensor(value)}
    tensors = {layer: tensor for layer, tensor in names.items() if tensor.partition(":")[0] in nodes}
    return ForwardGraph(definition.SerializeToString(deterministic=True), tensors)


def _directory(keep: str, logdir: str | os.PathLike[str] | None) -> Path | None:
    """Returns where every instance is to be written, None for the sample alone."""
    if keep not in {"sample", "all"}:
        raise ArgumentError("keep", repr(keep), '"sample" or "all"', "Raise sample= to keep a larger sample.")
    if keep == "sample":
        return None
    if logdir is None or "://" in os.fspath(logdir):
        raise ArgumentError(
            "logdir", repr(logdir), 'the directory of the summary writer, on this machine, for keep="all"'
        )
    check_duckdb("keep", '"all"')
    return Path(logdir).expanduser()


def _step(step: Any) -> Any:
    step = tf.summary.experimental.get_step() if step is None else step
    if step is None:
        raise ArgumentError(
            "step",
            "None",
            "a whole number",
            "Pass step=, call tf.summary.experimental.set_step, or writer.as_default(step=...).",
        )
    return tf.cast(step, tf.int64)


def _heads(heads: Any) -> dict[str, dict[str, Any]]:
    """Returns pairs of weights and bias as mappings, as batches have them."""
    found = {}
    for name, pair in _mapping("heads", heads or {}).items():
        named = zip(("weights", "bias"), pair_of(pair, f'heads["{name}"]'), strict=True)
        found[name] = {key: value for key, value in named if value is not None}
    return found


def _pairs(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Any, Any]]:
    return {name: (head["weights"], head.get("bias")) for name, head in heads.items()}


def _examples(examples: Any) -> Mapping[str, Any]:
    """Returns the arguments of `SnapshotRecorder.examples`, nothing where there are no test cases."""
    if examples is None:
        return {}
    needed, possible = (
        {"labels", "scores", "activations"},
        {"labels", "scores", "activations", "ids", "attributes", "mask", "tokens"},
    )
    given = set(_mapping("examples", examples))
    if not needed <= given <= possible:
        got = f"the keys {', '.join(sorted(map(str, given))) or 'none'}"
        expected = "labels, scores and activations, and perhaps attributes, ids, mask and tokens"
        raise ArgumentError("examples", got, expected)
    for name in given & {"activations", "attributes"}:
        _mapping(f'examples["{name}"]', examples[name])
    return {name: values for name, values in examples.items() if values is not None or name == "labels"}


def _flat(nested: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Returns the values of mappings within mappings, by the keys that lead to them."""
    flat: dict[tuple[str, ...], Any] = {}
    for key, value in nested.items():
        inner = _flat(value) if isinstance(value, Mapping) else {(): value}
        flat |= {(key, *rest): found for rest, found in inner.items()}
    return flat


def _nested(flat: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Returns what `_flat` was given, but for empty mappings."""
    nested: dict[str, Any] = {}
    for (*path, last), value in flat.items():
        place = nested
        for key in path:
            place = place.setdefault(key, {})
        place[last] = value
    return nested


def _mapping(argument: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ArgumentError(argument, type(value).__name__, "a mapping from names to arrays")


def _refuse_xla() -> None:
    if control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
        raise ArgumentError(
            "jit_compile",
            "True",
            "a function that XLA does not compile: writing is nothing that XLA can do",
            "Return the activations from the compiled function and call activis_tb.summary.activations outside of it.",
        )
