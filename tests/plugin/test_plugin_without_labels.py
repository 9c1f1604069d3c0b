"""Instances without a prediction and data without labels, as the plugin tells of them: counted, nothing claimed."""

import time
import warnings

import numpy as np
import pytest

import activis_tb
from tests.plugin.populations import AGE, CLASSES, HIDDEN, KEY, LABEL, PREDICTED, ROWS, SCORES
from tests.plugin.server import DEADLINE, read_array

BROKEN = np.arange(ROWS) % 7 == 0
FOUND = np.where(BROKEN, -1, PREDICTED)
RIGHT = FOUND == LABEL


def record(logdir, run, *, labels=LABEL, scores=SCORES, ids=None, cases=None, **arguments):
    begin = {"step": 0, "layers": ["hidden"], "classes": CLASSES, "quiet": True, "sample": ROWS, **arguments}
    with warnings.catch_warnings(), activis_tb.preprocess(logdir / run, **begin) as one:
        warnings.simplefilter("ignore")
        if cases:
            one.examples(**cases, activations={"hidden": HIDDEN[: len(cases["scores"])]})
        for start in range(0, ROWS, 150):
            rows = slice(start, start + 150)
            one.process(
                labels=labels if labels is None else labels[rows],
                scores=scores[rows],
                ids=np.arange(ROWS)[rows] if ids is None else ids[rows],
                attributes={"age": AGE[rows]},
                activations={"hidden": HIDDEN[rows]},
            )
        one.postprocess()
    return {"run": f"{run}/activis", **KEY}


def broken_scores():
    scores = SCORES.copy()
    scores[BROKEN, np.arange(BROKEN.sum()) % 3] = np.nan
    scores[7, 0] = np.inf
    return scores


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    for name, keep in (("sample", "sample"), ("stored", "all")):
        sample = 30 if keep == "all" else ROWS
        record(folder, f"broken-{name}", scores=broken_scores(), keep=keep, sample=sample)
        record(folder, f"bare-{name}", labels=None, keep=keep, sample=sample)
    record(folder, "labelled-stored", keep="all", sample=ROWS)
    cases = {"labels": ["bee", "ant"], "scores": [[0.1, 0.8, 0.1], [np.nan, 0, 1]]}
    record(folder, "bare-cases", labels=None, cases=cases, scores=broken_scores(), sample=60)
    return folder


@pytest.fixture
def slow(serve_slow, logdir):
    return serve_slow(logdir)


def final(server, route, **query):
    """The answer, when it is no longer being computed."""
    deadline = time.monotonic() + DEADLINE
    while (answer := server.get(route, **query)).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def key(run):
    return {"run": f"{run}/activis", **KEY}


def entry(server, run):
    (found,) = [one for one in server.json("runs")["runs"] if one["run"] == f"{run}/activis"]
    return found["snapshots"][0]


CONDITIONS = {
    "NOT correct": ~RIGHT,
    "label <> predicted": ~RIGHT,
    "label = predicted": RIGHT,
    "predicted = 'ant'": FOUND == 0,
    "predicted <> 'ant'": FOUND != 0,
    "NOT (predicted IN ('bee', 'cat'))": FOUND <= 0,
    "predicted IS NULL": BROKEN,
    "predicted IS NOT NULL AND NOT correct": (FOUND >= 0) & ~RIGHT,
    "score IS NULL": BROKEN,
    "score_of('ant') IS NULL OR score_of('bee') IS NULL OR score_of('cat') IS NULL": BROKEN,
    "age > 20 AND predicted IS NULL": (AGE > 20) & BROKEN,
}


@pytest.mark.parametrize("run", ["broken-sample", "broken-stored"])
def test_instances_without_prediction_are_counted_and_found(slow, run):
    subsets = entry(slow, run)["subsets"]
    for label, subset in enumerate(subsets):
        members = label == LABEL
        assert (subset["count"], subset["correct"]) == (members.sum(), (members & RIGHT).sum())
        assert subset["predicted_counts"] == np.bincount(FOUND[members & ~BROKEN], minlength=3).tolist()
        assert subset["without_prediction"] == (members & BROKEN).sum()
    for condition, members in CONDITIONS.items():
        answer = slow.json("subset", **key(run), condition=condition)
        assert (answer["count"], answer["correct"]) == (members.sum(), (members & RIGHT).sum()), condition
        assert answer["predicted_counts"] == np.bincount(FOUND[members & ~BROKEN], minlength=3).tolist(), condition
        assert answer["without_prediction"] == (members & BROKEN).sum(), condition
        assert answer["exactness"] == ("exact" if run == "broken-sample" else "bound")
    predicted = next(one for one in slow.json("summaries", **key(run))["columns"] if one["name"] == "predicted")
    assert predicted["present"] == (~BROKEN).sum()


def test_the_columns_say_that_there_is_no_prediction(serve, logdir):
    server = serve(logdir, snapshots=6)
    columns = server.json("instances", **key("broken-sample"))
    index = np.array(columns["index"], int)
    assert columns["predicted"] == FOUND[index].tolist()
    assert np.array(columns["score"])[FOUND[index] < 0].tolist() == [0] * BROKEN.sum()
    assert np.isfinite(columns["scores"]).all()
    scores = server.array("scores", **key("broken-sample"))
    np.testing.assert_array_equal(scores, broken_scores()[index].astype(np.float32))


@pytest.mark.parametrize("run", ["bare-sample", "bare-stored"])
def test_data_without_labels_is_one_row_of_which_nothing_is_claimed(slow, run):
    shown = entry(slow, run)
    assert (shown["unlabelled"], shown["classes"]) == (True, list(CLASSES))
    assert shown["subsets"] == [
        {
            "name": "unlabelled",
            "kind": "all",
            "condition": "",
            "count": ROWS,
            "predicted_counts": np.bincount(PREDICTED).tolist(),
            "without_prediction": 0,
        }
    ]
    answer = slow.json("subset", **key(run), condition="age > 20")
    members = AGE > 20
    assert "correct" not in answer
    assert (answer["count"], answer["count_error"]) == (members.sum(), 0)
    assert answer["predicted_counts"] == np.bincount(PREDICTED[members], minlength=3).tolist()
    means = slow.get("subset_statistics", **key(run), layer="hidden", statistic="mean", condition="predicted = 'bee'")
    expected = np.nanmean(HIDDEN[PREDICTED == 1].astype(np.float64), axis=0)
    bound = float(means.headers["Activis-Bound"])
    assert (np.abs(read_array(means)[0] - expected) <= bound + 1e-6).all()
    names = [one["name"] for one in slow.json("summaries", **key(run))["columns"]]
    assert names == ["predicted", "score", "age"]
    health = slow.json("health", **key(run), layer="hidden")
    assert (health["dead"], health["dead_over"], health["nonfinite"]) == (1, ROWS, 1)


@pytest.mark.parametrize("run", ["bare-sample", "bare-stored"])
@pytest.mark.parametrize("condition", ["label = 'ant'", "correct", "age > 3 AND label <> predicted"])
def test_conditions_about_labels_are_refused(slow, run, condition):
    answer = slow.get("subset", **key(run), condition=condition)
    assert answer.status_code == 400
    assert "these instances were recorded without labels" in answer.text
    word = "correct" if condition == "correct" else "label"
    assert int(answer.headers["Activis-Error-Start"]) == condition.index(word)


def test_estimates_and_separation_without_labels(slow):
    columns = slow.json("instances", **key("bare-cases"))
    drawn, index = np.array(columns["drawn"]), np.array(columns["index"], int)
    answer = slow.json("subset", **key("bare-cases"), condition="age > 20")
    assert (answer["exactness"], answer["over"], drawn.sum()) == ("estimate", 60, 60)
    members = (AGE[index] > 20) & drawn
    assert answer["count"] == pytest.approx(members.sum() / 60 * ROWS)
    broken = (np.array(columns["predicted"])[members] < 0).sum()
    assert answer["without_prediction"] == pytest.approx(broken / 60 * ROWS)
    assert [name for name in ("correct", "correct_low", "correct_high") if name in answer] == []
    known = slow.json("subset", **key("bare-cases"), condition="predicted IS NULL")
    assert (known["count_low"], known["count_high"], known["without_prediction"]) == (BROKEN.sum(),) * 3
    separation = slow.get("separation", **key("bare-cases"), layer="hidden")
    assert separation.status_code == 400
    assert "recorded without labels; expected a snapshot with true classes" in separation.text


def test_test_cases_with_labels_stand_beside_data_without(slow):
    columns = slow.json("instances", **key("bare-cases"))
    example = np.array(columns["example"])
    assert np.array(columns["label"])[example].tolist() == [1, 0]
    assert np.array(columns["predicted"])[example].tolist() == [1, -1]
    assert set(np.array(columns["label"])[~example].tolist()) == {-1}


def pair(base, other):
    return {**key(base), "other_run": f"{other}/activis", "other_name": "validation", "other_step": 0}


@pytest.mark.parametrize(("base", "other"), [("bare-stored", "labelled-stored"), ("labelled-stored", "bare-stored")])
def test_a_run_without_labels_is_compared_by_its_predictions(slow, base, other):
    found = final(slow, "agreement", **pair(base, other))
    outcomes = ("both_right", "only_base", "only_other", "both_wrong")
    assert (found["unlabelled"], found["over"], found["same_prediction"]) == (True, ROWS, ROWS)
    assert [found[name] for name in outcomes] == [0] * 4
    assert [found[f"{name}_rows"] for name in outcomes] == [[]] * 4
    assert (found["sampled"], len(found["same_rows"]), found["different_rows"]) == (30, 30, [])
    for note in ("note", "sampled_note"):
        assert "Recorded without labels: 'validation' at step 0 of run 'bare-stored/activis'" in found[note]
    matching = final(slow, "matching", **pair(base, other), layer="hidden", method="best")
    assert matching["over"] > 0


@pytest.mark.parametrize(
    ("base", "other"), [("broken-stored", "labelled-stored"), ("labelled-stored", "broken-stored")]
)
def test_predicting_nothing_agrees_with_nobody(slow, base, other):
    counts = final(slow, "agreement", **pair(base, other))
    right = PREDICTED == LABEL
    alone = (right & ~RIGHT).sum()
    expected = (
        {"only_base": 0, "only_other": alone} if base.startswith("broken") else {"only_base": alone, "only_other": 0}
    )
    assert {name: counts[name] for name in expected} == expected
    assert (counts["over"], counts["both_right"], counts["both_wrong"]) == (ROWS, RIGHT.sum(), (~right).sum())
    assert counts["same_prediction"] == (~BROKEN).sum()
    itself = final(slow, "agreement", **pair("broken-stored", "broken-stored"))
    assert (itself["same_prediction"], itself["both_right"]) == ((~BROKEN).sum(), RIGHT.sum())
    agreement = slow.json("agreement", **pair("broken-sample", "broken-sample"))
    assert (agreement["same_prediction"], agreement["both_right"]) == ((~BROKEN).sum(), RIGHT.sum())
    assert (len(agreement["both_right_rows"]), agreement["exactness"]) == (RIGHT.sum(), "exact")
