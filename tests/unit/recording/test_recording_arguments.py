"""Every wrong argument is refused at the call that brings it: what was got, what was expected, the way out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec
from tests.unit.recording.helpers import CLASSES, batch, probabilities, record


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name: got ''; expected text that is neither empty nor has control characters"),
        ({"name": "a\nb"}, r"name: got 'a\\nb'"),
        ({"name": 'val "clean"'}, "name: got 'val \"clean\"'; expected text without double quotes, backslashes or"),
        ({"name": "a\\b"}, "TensorBoard's data server cannot serve them in the name of a recording"),
        ({"name": "a" * 1001}, "name: got 1,001 characters; expected at most 1,000"),
        ({"layers": ["a" * 1001]}, r"layers\[0\]: got 1,001 characters; expected at most 1,000"),
        ({"step": -1}, "step: got -1; expected a whole number from 0 on"),
        ({"step": 2**53 + 1}, r"step: got 9007199254740993; expected a whole number up to 2\^53"),
        ({"step": 1.5}, r"step: got float \(1.5\); expected a whole number. Use int"),
        ({"step": None}, r"step: got NoneType \(None\)"),
        ({"layers": "hidden"}, r"layers: got 'hidden'; expected a list of layer names. Write layers=\['hidden'\]"),
        ({"layers": []}, "layers: got 0 names; expected at least 1"),
        ({"layers": ["a", "a"]}, "layers: got 'a' more than once; expected different names"),
        ({"layers": [3]}, r"layers\[0\]: got 3; expected text"),
        (
            {"layers": [LayerSpec("a", pooling="sum")]},
            "pooling of layer \"a\": got 'sum'; expected 'max', 'mean', 'first' or 'last'",
        ),
        ({"classes": ["ant"]}, "classes: got 1 names; expected at least 2"),
        ({"classes": "ant"}, "classes: got 'ant'; expected a list of names"),
        ({"classes": ["ant", "bee", "ant"]}, "classes: got 'ant' more than once"),
        ({"classes": ["caf\u00e9", "cafe\u0301"]}, "classes: got 'café' more than once"),
        ({"classes": [0.0, 1.0]}, r"classes\[0\]: got 0\.0; expected text"),
        ({"sample": -5}, "sample: got -5"),
        ({"keep": "everything"}, 'keep: got \'everything\'; expected "sample" or "all". Raise sample='),
        (
            {"subsets": {"long": "length >"}},
            r'subsets\["long"\]: got the text \'length >\'; expected a condition .* is not complete around >',
        ),
        (
            {"always": "38; DROP"},
            r"always: got the text '38; DROP'; expected a condition .*for ids, write a list of them.*; is not allowed",
        ),
        ({"subsets": {"bee": ["1"]}}, "subsets: got 'bee'; expected names other than the classes'"),
        ({"subsets": {" ": ["1"]}}, "a name in subsets: got ' '"),
        ({"subsets": ["long"]}, "subsets: got list; expected a mapping"),
        ({"subsets": {"x": 3}}, r"got int; expected a condition, a function of the batch, or a list of ids"),
        ({"subsets": {"x": [1.5]}}, r'subsets\["x"\]: got float \(1.5\); expected text or integers'),
        (
            {"attribute_types": {"n": "integer"}},
            r"attribute_types\[\"n\"\]: got 'integer'; expected one of number, cate",
        ),
        ({"graph": b"graph"}, "graph: got bytes; expected an activis_tb.model.ForwardGraph. For a Keras model"),
    ],
)
def test_preprocess_refuses(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        activis_tb.preprocess(tmp_path, **{"step": 0, "layers": ["hidden"], "classes": CLASSES, **arguments})


@pytest.mark.parametrize("logdir", ["", 3, b"runs"])
def test_preprocess_refuses_what_is_no_directory(logdir: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^logdir: got .*; expected the path or the URL of a directory"):
        activis_tb.preprocess(logdir, step=0, layers=["hidden"], classes=CLASSES)


def test_preprocess_refuses_a_file_as_log_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="which is a file; expected a directory"):
        activis_tb.preprocess(tmp_path / "file", step=0, layers=["hidden"], classes=CLASSES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [0, 3]}, r"labels: got 3 at row 1; expected positions from 0 to 2, as classes has 3 names"),
        ({"labels": [-1, 0]}, r"labels: got -1 at row 0"),
        ({"labels": ["ant", "dog"]}, r"labels: got 'dog'; expected one of the classes: ant, bee, cat"),
        ({"labels": [0.0, 1.0]}, r"labels: got dtype float64; expected integers .* Pass labels.astype\(int\)"),
        (
            {"labels": np.eye(3)[:2]},
            r"labels: got shape \(2, 3\); expected \(instances,\).*np.argmax\(labels, axis=1\)",
        ),
        ({"labels": 0}, r"labels: got shape \(\); expected \(instances,\)"),
        ({"scores": np.ones((2, 4))}, r"scores: got shape \(2, 4\); expected \(2, 3\), as classes has 3 names\."),
        ({"scores": [0.5, 0.5]}, r"scores: got shape \(2,\); expected \(2, 3\)"),
        ({"scores": np.ones((3, 3))}, r"scores: got shape \(3, 3\); expected 2 instances on the first axis"),
        (
            {"scores": [[3.0, -1, 0]] * 2},
            r"got values from -1 to 3; expected probabilities from 0 to 1.*pass from_logits=True, or apply softmax",
        ),
        ({"scores": [[3.0, -1, 0], [np.nan, 1, 0]]}, r"got values from -1 to 3; expected probabilities from 0 to 1"),
        ({"labels": [None, None]}, r"labels: got None; expected one of .*For data without labels, pass labels=None"),
        ({"scores": [["a", "b", "c"]] * 2}, r"scores: got dtype <U1; expected probabilities, floating point"),
        ({"activations": np.ones((2, 1))}, r"activations: got ndarray; expected a mapping from layer names to arrays"),
        ({"activations": {"hiden": np.ones((2, 1))}}, r"activations: got the layers hiden; expected the layers hidden"),
        ({"ids": ["a"]}, r"ids: got shape \(1,\); expected 2 instances"),
        ({"ids": [1.5, 2.5]}, r"ids: got float \(1.5\); expected text or integers, one per instance"),
        ({"ids": ["a", None]}, r"ids: got NoneType \(None\); expected text or integers"),
        ({"ids": ["a", "\ud800"]}, r"ids: got '\\ud800'; expected text that UTF-8 can hold"),
    ],
)
def test_process_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1]) | changes])
    assert list(tmp_path.iterdir()) == []


def test_a_refused_batch_changes_nothing(tmp_path: Path) -> None:
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
    recorder.process(**batch([0], ids=["a"]))
    for wrong in (
        batch([0], ids=["b"]) | {"scores": [[7.0, 0, 0]]},
        batch([0]),
        batch([0], np.ones((1, 9)), ids=["c"]),
    ):
        with pytest.raises(ArgumentError):
            recorder.process(**wrong)
    recorder.process(**batch([1], ids=["b"]))
    recorder.postprocess()
    assert recorder_instances(tmp_path) == 2


def recorder_instances(logdir: Path) -> int:
    from tests.unit.recording.helpers import read_snapshots

    return read_snapshots(logdir / "activis")[0].manifest.instances


def test_ids_are_given_always_or_never(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"ids: got none; expected ids, as in the earlier batches"):
        record(tmp_path, [batch([0], ids=["a"]), batch([0])])
    with pytest.raises(ArgumentError, match=r"ids: got ids; expected none, as in the earlier batches"):
        record(tmp_path, [batch([0]), batch([0], ids=["a"])])


def test_lists_of_ids_need_ids(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r'ids: got none; expected ids, because subsets\["x"\] lists some'):
        record(tmp_path, [batch([0], attributes={"n": [1]})], subsets={"x": ["1"]})


def test_types_of_attributes_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"attribute_types: got the name 'm'; expected names in attributes: \['n'\]"
    ):
        record(tmp_path, [batch([0], attributes={"n": [1]})], attribute_types={"m": "text"})


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            [True],
            r'the result of subsets\["x"\]: got bool of shape \(1,\); expected one boolean per instance, shape \(2,\)',
        ),
        ([1, 0], r"got int64 of shape \(2,\); expected one boolean per instance"),
        (True, r"got bool of shape \(\)"),
        (None, r"got object of shape \(\)"),
    ],
)
def test_a_function_must_return_a_boolean_per_instance(tmp_path: Path, result: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [batch([0, 1])], subsets={"x": lambda batch: result})


def test_an_error_in_a_function_says_where_and_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError) as caught:
        record(tmp_path, [batch([0], attributes={"n": [1]})], subsets={"x": lambda batch: batch["m"] > 0})
    expected = (
        'Raised by subsets["x"]; its batch has the columns correct, id, index, label, n, predicted, score, scores.'
    )
    assert caught.value.__notes__ == [expected]


@pytest.mark.parametrize(
    "labels", [["ant", "cat"], [b"ant", b"cat"], np.array(["ant", "cat"]), np.array([0, 2], np.uint8)]
)
def test_labels_are_names_or_positions(tmp_path: Path, labels: Any) -> None:
    snapshot = record(tmp_path, [batch([0, 2]) | {"labels": labels}])
    assert [subset.count for subset in snapshot.manifest.subsets] == [1, 0, 1]


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_two_classes_may_be_scored_by_one_column(tmp_path: Path, shape: tuple[int, ...]) -> None:
    scores = np.array([0.5, 0.25, 0.75]).reshape(shape)
    instances = {"labels": [1, 1, 0], "scores": scores, "activations": {"hidden": np.ones((3, 1))}}
    sample = record(tmp_path, [instances], classes=["no", "yes"]).sample()
    order = np.argsort(sample.index)
    assert sample.predicted[order].tolist() == [1, 0, 1]
    assert sample.score[order].tolist() == [0.5, 0.75, 0.75]
    assert sample.scores[order].tolist() == [[0.5, 0.5], [0.75, 0.25], [0.25, 0.75]]


def test_scores_that_round_above_one_are_welcome(tmp_path: Path) -> None:
    scores = probabilities([0]) * 1.001
    assert record(tmp_path, [batch([0]) | {"scores": scores}]).sample().predicted.tolist() == [0]


NAMED = ["first", "second", "third"]


@pytest.mark.parametrize(
    ("classes", "labels", "names"),
    [
        ([0, 1, 2], [2, 0, 1], ["0", "1", "2"]),
        (np.arange(3), ["2", "0", "1"], ["0", "1", "2"]),
        (np.unique([5, 1, 3, 1]), [5, 1, 3], ["1", "3", "5"]),
        ([5, 1, 3], np.array([3, 5, 1], np.int8), ["5", "1", "3"]),
        ([-1, 0, 1], [1, -1, 0], ["-1", "0", "1"]),
        (range(3), [2, 0, 1], ["0", "1", "2"]),
        ({0: "first", 1: "second", 2: "third"}, [2, 0, 1], NAMED),
        ({2: "third", 0: "first", 1: "second"}, [2, 0, 1], NAMED),
        ({"0": "first", "1": "second", "2": "third"}, ["third", "first", "second"], NAMED),
        ({np.int64(0): "first", np.int64(1): "second", np.int64(2): "third"}, [2, 0, 1], NAMED),
        (np.array(NAMED), ["third", "first", "second"], NAMED),
    ],
)
def test_classes_are_names_integers_or_what_a_model_calls_them(
    tmp_path: Path, classes: Any, labels: Any, names: list[str]
) -> None:
    instances = {**batch([2, 0, 1], ids=range(3)), "labels": labels}
    snapshot = record(tmp_path, [instances], classes=classes)
    sample = snapshot.sample()
    assert list(snapshot.manifest.classes) == names
    assert sample.label[np.argsort(sample.index)].tolist() == [2, 0, 1]
    assert [subset.correct for subset in snapshot.manifest.subsets] == [1, 1, 1]


def test_truths_are_classes_in_either_order(tmp_path: Path) -> None:
    for classes, expected in (([False, True], [1, 0]), ([True, False], [0, 1])):
        instances = {**batch([1, 0], ids=range(2)), "labels": [True, False], "scores": np.full((2, 2), 0.5)}
        snapshot = record(tmp_path / str(classes), [instances], classes=classes)
        sample = snapshot.sample()
        assert snapshot.manifest.classes == tuple(map(str, classes))
        assert sample.label[np.argsort(sample.index)].tolist() == expected


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        ([1, 2, 3], [1, 0], r"labels: got 0 at row 1; expected one of the classes: 1, 2, 3\. Add it"),
        ([1, 1, 2], [1, 2], "classes: got '1' more than once"),
        ([1, "b", 2], [1, 2], r"classes: got \[1, 'b', 2\]; expected names alone, or integers alone"),
        ([0.5, 1.5], [0, 1], r"classes\[0\]: got 0\.5; expected text"),
        ([None, "b"], [0, 1], r"classes\[0\]: got None; expected text"),
        ({1: "a", 2: "b"}, [1, 2], r"a mapping with the keys 1, 2; expected the positions 0 to 1 as keys.*as a list"),
        ({"a": 0, "b": 1}, [0, 1], r"a mapping with the keys 'a', 'b'; expected the positions 0 to 1 as keys"),
        ({0: "a"}, [0, 0], "classes: got 1 names; expected at least 2"),
    ],
)
def test_classes_that_do_not_say_which_is_which_are_refused(
    tmp_path: Path, classes: Any, labels: Any, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path, [{**batch([0, 1]), "labels": labels, "scores": np.full((2, 3), 0.5)}], classes=classes)
