"""The summary op: one call, one snapshot, through the writer and step that TensorFlow users already have."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from tensorboard.compat.proto import event_pb2, graph_pb2

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import ForwardGraph
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.events import summary_metadata
from activis_tb.storage.metadata import parse_tag
from tests.plugin.server import Server
from tests.unit.recording.helpers import read_events, read_snapshots

CLASSES = ["no", "yes"]
HIDDEN = np.array([[1.0, -2.0], [3.0, 0.0], [-5.0, 4.0]], np.float32)
LABELS = [0, 1, 1]
SCORES = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]
BATCH = {
    "labels": LABELS,
    "scores": SCORES,
    "classes": CLASSES,
    "attributes": {"text": ["a", "b", "c"]},
    "ids": [7, 8, 9],
}


def write(hidden: Any = HIDDEN, name: str = "validation", **arguments: Any) -> Any:
    return activis_tb.summary.activations(name, {"hidden": hidden}, **{**BATCH, **arguments})


def writer(tmp_path: Path) -> Any:
    return tf.summary.create_file_writer(str(tmp_path))


def only_snapshot(tmp_path: Path) -> SnapshotReader:
    (snapshot,) = read_snapshots(tmp_path)
    return snapshot


def check_values(snapshot: SnapshotReader, hidden: np.ndarray = HIDDEN) -> None:
    sample = snapshot.sample()
    order = np.argsort(sample.index)
    assert sample.ids[order].tolist() == ["7", "8", "9"]
    assert sample.label[order].tolist() == LABELS
    assert sample.predicted[order].tolist() == [0, 1, 0]
    assert_array_equal(snapshot.activations("hidden")[order], hidden)
    assert_allclose(snapshot.statistic("hidden", "mean")[:2], [hidden[0], hidden[1:].mean(axis=0)])
    (text,) = sample.attributes
    assert [text.categories[code] for code in text.values[order]] == ["a", "b", "c"]


def test_a_call_writes_one_snapshot_at_the_default_step(tmp_path: Path) -> None:
    with writer(tmp_path).as_default(step=5):
        assert write().numpy() is np.True_
    snapshot = only_snapshot(tmp_path)
    assert (snapshot.manifest.name, snapshot.manifest.step) == ("validation", 5)
    check_values(snapshot)


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "tf.function"])
def test_every_instance_is_kept_on_request(tmp_path: Path, wrap: Any) -> None:
    with writer(tmp_path).as_default(step=1):
        wrap(lambda hidden: write(hidden, keep="all", logdir=tmp_path, sample=2))(tf.constant(HIDDEN))
    manifest = only_snapshot(tmp_path).manifest
    assert (manifest.stored, manifest.rows) == (3, 2)
    server = Server(tmp_path, "slow")
    (run,) = server.json("runs")["runs"]
    subset = server.json("subset", run=run["run"], name="validation", step=1, condition="text <> 'a'")
    assert (subset["count"], subset["over"], subset["exactness"]) == (2, 3, "bound")
    assert not list(tmp_path.rglob("recording*")), "nothing says that it is still being written"


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "tf.function"])
def test_the_weights_to_the_scores_are_kept(tmp_path: Path, wrap: Any) -> None:
    weights, bias = tf.Variable([[0.5, -1.0], [2.0, 0.25]]), tf.Variable([0.1, -0.2])

    def forward(hidden: Any) -> Any:
        return write(hidden, scores=tf.nn.softmax(hidden @ weights + bias), heads={"hidden": (weights, bias)})

    with writer(tmp_path).as_default(step=1):
        wrap(forward)(tf.constant(HIDDEN))
    head = only_snapshot(tmp_path).head("hidden")
    assert head is not None
    assert_array_equal(head.weights, weights.numpy())
    assert_array_equal(head.bias, bias.numpy())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"heads": {"hidden": HIDDEN}}, 'heads["hidden"]: got ndarray; expected a pair of weights'),
        ({"keep": "some"}, """keep: got 'some'; expected "sample" or "all"."""),
        ({"keep": "all"}, "logdir: got None; expected the directory of the summary writer"),
        ({"keep": "all", "logdir": "gs://bucket/run"}, "on this machine"),
    ],
)
def test_where_every_instance_goes_has_to_be_said(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with writer(tmp_path).as_default(step=1), pytest.raises(ArgumentError, match=re.escape(message)):
        write(**arguments)


def test_the_event_is_as_tensorboard_lists_it(tmp_path: Path) -> None:
    with writer(tmp_path).as_default():
        write(step=tf.Variable(2, dtype=tf.int64))
    (event,) = read_events(tmp_path)
    (value,) = event.summary.value
    assert value.metadata == summary_metadata()
    assert (event.step, parse_tag(value.tag).step, parse_tag(value.tag).name) == (2, 2, "validation")
    assert [dimension.size for dimension in value.tensor.tensor_shape.dim] == [len(value.tensor.string_val)]


def test_it_works_inside_tf_function_with_tensors_known_only_then(tmp_path: Path) -> None:
    @tf.function
    def step(hidden: Any, labels: Any, scores: Any, texts: Any, ids: Any, number: Any) -> Any:
        return write(
            tf.nn.relu(hidden), labels=labels, scores=scores, attributes={"text": texts}, ids=ids, step=number,
            subsets={"second": lambda batch: batch["text"] == "b", "b": "text = 'b'"}, always="id = '9'",
        )  # fmt: skip

    with writer(tmp_path).as_default():
        for number in (1, 2):
            hidden = tf.constant(HIDDEN * number)
            inputs = (tf.constant(LABELS), tf.constant(SCORES), tf.constant(["a", "b", "c"]), tf.constant([7, 8, 9]))
            assert step(hidden, *inputs, tf.constant(number, tf.int64)).numpy()
    first, second = read_snapshots(tmp_path)
    assert (first.manifest.step, second.manifest.step) == (1, 2)
    assert first.manifest.session < second.manifest.session
    check_values(first, np.maximum(HIDDEN, 0))
    check_values(second, np.maximum(2 * HIDDEN, 0))
    assert [subset.predicted_counts for subset in second.manifest.subsets[-2:]] == [(0, 1), (0, 1)]
    assert second.manifest.subsets[-1].condition == "text = 'b'"
    assert second.sample().ids[second.sample().always].tolist() == ["9"]


def test_low_precision_and_higher_rank_pass_through_tf_function(tmp_path: Path) -> None:
    @tf.function
    def step(hidden: Any) -> Any:
        return write(tf.cast(hidden, tf.bfloat16), step=0)

    images = np.arange(24, dtype=np.float32).reshape(3, 2, 2, 2)
    with writer(tmp_path).as_default():
        step(tf.constant(images))
    layer = only_snapshot(tmp_path).manifest.layers[0]
    assert (layer.dtype, layer.shape, layer.pooling) == ("bfloat16", (2, 2, 2), "max")
    check_values(only_snapshot(tmp_path), images.max(axis=(1, 2)))


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_without_a_writer_nothing_is_written(traced: bool) -> None:
    call = tf.function(write) if traced else write
    assert not call().numpy()


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_record_if_is_respected_every_time(tmp_path: Path, traced: bool) -> None:
    def step(number: Any) -> Any:
        with tf.summary.record_if(number % 2 == 0):
            return write(step=number)

    call = tf.function(step) if traced else step
    with writer(tmp_path).as_default():
        written = [bool(call(tf.constant(number, tf.int64))) for number in range(4)]
    assert written == [True, False, True, False]
    assert [snapshot.manifest.step for snapshot in read_snapshots(tmp_path)] == [0, 2]


def test_compilation_by_xla_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with writer(tmp_path).as_default(step=0), pytest.raises(Exception, match=r"jit_compile: got True.*outside of it"):
        tf.function(lambda: write(), jit_compile=True)()
    assert read_events(tmp_path) == []


def test_a_missing_step_is_refused(tmp_path: Path) -> None:
    with writer(tmp_path).as_default(), pytest.raises(ArgumentError, match="step: got None; expected a whole number"):
        write()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": [[3.0, 1.0]] * 3}, "scores: got values from 1 to 3; .*softmax"),
        ({"classes": ["no"]}, "classes: got 1 names; expected at least 2"),
        ({"name": ""}, "name: got ''"),
        ({"graph": "model"}, "graph: got str; expected a tf.Graph, GraphDef, concrete function or ForwardGraph"),
        ({"attributes": ["a"]}, "attributes: got list; expected a mapping"),
        ({"step": -1}, "step: got -1; expected a whole number from 0 on"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(tmp_path: Path, arguments: dict, message: str) -> None:
    with writer(tmp_path).as_default(step=0), pytest.raises(ArgumentError, match=message):
        write(**arguments)
    assert read_events(tmp_path) == []


def test_wrong_values_known_only_when_a_function_runs_are_named_too(tmp_path: Path) -> None:
    step = tf.function(lambda scores: write(scores=scores))
    with (
        writer(tmp_path).as_default(step=0),
        pytest.raises(tf.errors.InvalidArgumentError, match=r"ArgumentError: scores: got values from -9 to 9.*softmax"),
    ):
        step(tf.constant([[9.0, -9.0]] * 3))
    assert read_events(tmp_path) == []


def graphs_in(tmp_path: Path) -> list[graph_pb2.GraphDef]:
    return [graph_pb2.GraphDef.FromString(event.graph_def) for event in read_graph_events(tmp_path)]


def read_graph_events(tmp_path: Path) -> list[event_pb2.Event]:
    return [event for event in read_events(tmp_path) if event.WhichOneof("what") == "graph_def"]


def test_the_graph_is_written_once_and_the_layers_carry_their_names(tmp_path: Path) -> None:
    @tf.function
    def step(hidden: Any, number: Any) -> Any:
        active = tf.nn.relu(hidden, name="model/hidden/Relu")
        return write(active, step=number, graph=tf.compat.v1.get_default_graph())

    with writer(tmp_path).as_default():
        for number in range(3):
            step(tf.constant(HIDDEN), tf.constant(number, tf.int64))
    (graph,) = graphs_in(tmp_path)
    assert "model/hidden/Relu" in {node.name for node in graph.node}
    for snapshot in read_snapshots(tmp_path):
        assert snapshot.manifest.layers[0].tensor == "model/hidden/Relu:0"
        assert len(snapshot.manifest.graph_digest) == 16


@pytest.mark.parametrize("form", ["concrete function", "graph", "definition", "forward graph"])
def test_every_form_of_graph_is_taken(tmp_path: Path, form: str) -> None:
    concrete = tf.function(lambda x: tf.identity(x, name="out")).get_concrete_function(tf.TensorSpec([None, 2]))
    definition = concrete.graph.as_graph_def()
    graph: Any = {
        "concrete function": concrete,
        "graph": concrete.graph,
        "definition": definition,
        "forward graph": ForwardGraph(definition.SerializeToString(), {"hidden": "out:0"}),
    }[form]
    with writer(tmp_path).as_default(step=0):
        write(graph=graph)
        write(graph=graph)
    (written,) = graphs_in(tmp_path)
    assert [node.name for node in written.node] == [node.name for node in definition.node]
    expected = "out:0" if form == "forward graph" else ""
    assert [snapshot.manifest.layers[0].tensor for snapshot in read_snapshots(tmp_path)] == [expected] * 2


def test_the_users_other_summaries_stay_in_the_same_file(tmp_path: Path) -> None:
    with writer(tmp_path).as_default(step=0):
        tf.summary.scalar("loss", 0.5)
        write()
        tf.summary.scalar("accuracy", 0.9)
    tags = [event.summary.value[0].tag.partition("/")[0] for event in read_events(tmp_path)]
    assert tags == ["loss", "activis", "accuracy"]


CASES = {"labels": ["yes", "no"], "scores": [[0.4, 0.6], [0.1, 0.9]], "attributes": {"text": ["cab", "taxi"]}}


@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "tf.function"])
def test_test_cases_stand_beside_the_instances_and_in_no_number(tmp_path: Path, wrap: Any) -> None:
    def record(hidden: tf.Tensor, of_cases: tf.Tensor) -> None:
        write(hidden, examples={**CASES, "activations": {"hidden": of_cases}})

    with writer(tmp_path).as_default(step=1):
        wrap(record)(tf.constant(HIDDEN), tf.constant([[100.0, 200.0], [300.0, 400.0]]))
    snapshot = only_snapshot(tmp_path)
    examples = snapshot.examples()
    assert examples is not None
    assert (examples.ids.tolist(), examples.label.tolist()) == (["test case 1", "test case 2"], [1, 0])
    assert_array_equal(snapshot.example_activations("hidden"), [[100, 200], [300, 400]])
    assert snapshot.manifest.instances == 3
    assert_array_equal(snapshot.statistic("hidden", "max")[:2], [HIDDEN[0], HIDDEN[1:].max(axis=0)])


@pytest.mark.parametrize(
    ("examples", "got"),
    [
        (CASES, "the keys attributes, labels, scores"),
        ({**CASES, "activations": {}, "weight": [1, 1]}, "the keys activations, attributes, labels, scores, weight"),
        ([1], "list"),
    ],
)
def test_test_cases_that_are_none_are_refused(tmp_path: Path, examples: Any, got: str) -> None:
    with writer(tmp_path).as_default(step=1), pytest.raises(ArgumentError, match=f"examples: got {got}; expected"):
        write(examples=examples)


@pytest.mark.parametrize("in_graph", [False, True])
def test_padding_is_left_out_by_a_mask(tmp_path: Path, in_graph: bool) -> None:
    steps = np.stack([HIDDEN, HIDDEN + 100], axis=1)
    mask = np.array([[True, False]] * 3)

    def call(steps: Any, mask: Any) -> Any:
        return write(steps, mask={"hidden": mask} if in_graph else mask)

    function = tf.function(call) if in_graph else call
    with writer(tmp_path).as_default(step=1):
        function(tf.constant(steps), tf.constant(mask))
    check_values(only_snapshot(tmp_path))
