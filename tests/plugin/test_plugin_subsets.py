"""Subsets by condition equal an oracle: exactly, within the stated bound, or as an estimate; through both loaders."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.model import STATISTIC_NAMES
from activis_tb.plugin import populations
from activis_tb.plugin.cache import Recent
from activis_tb.plugin.catalogue import Catalogue
from activis_tb.plugin.http import SnapshotKey
from activis_tb.plugin.resources import statistics
from activis_tb.plugin.resources.subsets import TypedSubsets, describe
from activis_tb.plugin.snapshots import Snapshots
from activis_tb.recording import dataset
from activis_tb.storage import activis_pb2 as pb
from tests.plugin.populations import AGE, CONDITIONS, HIDDEN, KEY, LABEL, PREDICTED, ROWS, expected, record
from tests.plugin.server import read_array

KNOWN_BY_OUTCOME = {
    "label <> predicted": LABEL != PREDICTED,
    "correct AND label = 'bee'": (LABEL == PREDICTED) & (LABEL == 1),
    "NOT correct AND predicted IN ('ant', 'cat')": (LABEL != PREDICTED) & (PREDICTED != 1),
    "NOT (label = predicted OR label < 'bee')": (LABEL != PREDICTED) & (LABEL > 0),
    "label = 'cat'": LABEL == 2,
    "predicted IS NULL": LABEL < 0,
}
EVERYTHING = {"run": "all/activis", **KEY}
STORED = {"run": "stored/activis", **KEY}
SAMPLE = {"run": "sample/activis", **KEY}


@pytest.fixture
def logdir(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "PART_ROWS", 150)
    folder = tmp_path / "logs"
    record(folder, "all", sample=3 * ROWS)
    record(folder, "stored", sample=60, keep="all")
    record(folder, "sample", sample=60, always="index < 10")
    return folder


@pytest.fixture
def server(serve, logdir):
    return serve(logdir, snapshots=3)


@pytest.fixture
def slow(serve_slow, logdir):
    return serve_slow(logdir)


def index_of(server, key):
    return np.array(server.json("instances", **key)["index"], int)


@pytest.mark.parametrize(("key", "exactness"), [(EVERYTHING, "exact"), (STORED, "bound")])
def test_members_and_counts_equal_the_oracle(server, key, exactness):
    index = index_of(server, key)
    for condition, members in CONDITIONS.items():
        answer = server.json("subset", **key, condition=condition)
        ParseDict(answer, pb.SubsetDescription())
        right = members & (LABEL == PREDICTED)
        assert (answer["count"], answer["correct"], answer["total"]) == (members.sum(), right.sum(), ROWS), condition
        assert answer["predicted_counts"] == np.bincount(PREDICTED[members], minlength=3).tolist()
        assert answer["rows"] == np.flatnonzero(members[index]).tolist()
        assert (answer["exactness"], answer["over"], answer["note"]) == (exactness, ROWS, "")
        assert (answer["count_error"], answer["correct_error"]) == (0, 0)


@pytest.mark.parametrize("statistic", STATISTIC_NAMES)
def test_statistics_of_a_complete_sample_are_exact(slow, statistic):
    for condition, members in CONDITIONS.items():
        answer = slow.get("subset_statistics", **EVERYTHING, layer="hidden", statistic=statistic, condition=condition)
        assert_allclose(read_array(answer), [expected(statistic, members)], rtol=1e-6, err_msg=condition)
        assert answer.headers["Activis-Exactness"] == "exact"
        assert (answer.headers["Activis-Over"], answer.headers["Activis-Total"]) == (str(ROWS), str(ROWS))
        assert float(answer.headers["Activis-Count"]) == members.sum()
        assert (answer.headers["Activis-Bound"], answer.headers["Activis-Standard-Error"]) == ("0", "0")


@pytest.mark.parametrize("statistic", STATISTIC_NAMES)
def test_statistics_of_stored_instances_are_within_the_bound(server, statistic):
    widest = 0.0
    for condition, members in CONDITIONS.items():
        answer = server.get("subset_statistics", **STORED, layer="hidden", statistic=statistic, condition=condition)
        served, bound = read_array(answer), float(answer.headers["Activis-Bound"])
        assert served.dtype == np.dtype("<f8")
        assert_allclose(served, [expected(statistic, members)], rtol=1e-6, atol=bound, err_msg=condition)
        assert answer.headers["Activis-Exactness"] == "bound"
        assert served[0, 3] == 0 or statistic == "count" or not members.any()
        widest = max(widest, bound)
    blurred = statistic in {"mean", "std", "min", "max"}
    assert (0 < widest < 0.03) if blurred else widest == 0


def test_the_bound_of_every_neuron_is_served_as_well(slow):
    query = {**STORED, "layer": "hidden", "condition": "age > 20"}
    mean, bound = (slow.array("subset_statistics", **query, statistic=name)[0] for name in ("mean", "bound"))
    assert (np.abs(mean - expected("mean", CONDITIONS["age > 20"])) <= bound * (1 + 1e-6)).all()
    assert bound[3] == 0
    assert (bound[[0, 1, 2, 4]] > 0).all()
    assert_array_equal(slow.array("subset_statistics", **query, statistic="error"), np.zeros((1, 5)))


def test_a_sample_gives_an_estimate_with_its_error(server):
    columns = server.json("instances", **SAMPLE)
    index, drawn = np.array(columns["index"], int), np.array(columns["drawn"])
    assert (drawn.sum(), (~drawn).sum() > 0) == (60, True)
    weights = np.where(drawn, np.bincount(LABEL)[LABEL[index]] / 20, 0)
    for condition, members in CONDITIONS.items():
        if condition.startswith("id") or condition in KNOWN_BY_OUTCOME:
            continue
        answer = server.json("subset", **SAMPLE, condition=condition)
        found = members[index]
        assert answer["count"] == pytest.approx(weights[found].sum()), condition
        right = weights[found & (LABEL == PREDICTED)[index]].sum()
        assert answer["correct"] == pytest.approx(min(right, (LABEL == PREDICTED).sum()))
        # There cannot be more of a predicted class than were recorded of it.
        predicted = np.minimum(np.bincount(PREDICTED[index], weights * found, 3), np.bincount(PREDICTED))
        assert answer["predicted_counts"] == pytest.approx(predicted)
        assert answer["rows"] == np.flatnonzero(found).tolist()
        assert (answer["exactness"], answer["over"], answer["total"]) == ("estimate", 60, ROWS)
        assert answer["drawn"] == np.count_nonzero(found & drawn)
        assert answer["count_low"] <= members.sum() <= answer["count_high"]
        assert answer["correct_low"] <= (members & (LABEL == PREDICTED)).sum() <= answer["correct_high"]
        reach = max(answer["count_high"] - answer["count"], answer["count"] - answer["count_low"])
        assert answer["count_error"] == pytest.approx(reach / 1.959964)


@pytest.mark.parametrize("condition", KNOWN_BY_OUTCOME)
def test_what_labels_and_predictions_decide_is_counted_over_all_instances(slow, condition):
    """How many were predicted as what is recorded of all instances, so a sample need not be asked."""
    members = KNOWN_BY_OUTCOME[condition]
    answer, right = slow.json("subset", **SAMPLE, condition=condition), members & (LABEL == PREDICTED)
    assert [answer[f"count{end}"] for end in ("", "_low", "_high")] == [members.sum()] * 3
    assert [answer[f"correct{end}"] for end in ("", "_low", "_high")] == [right.sum()] * 3
    for end in ("counts", "low", "high"):
        assert answer[f"predicted_{end}"] == np.bincount(PREDICTED[members], minlength=3).tolist()
    accuracy = right.sum() / members.sum() if members.any() else None
    assert (answer["accuracy_low"], answer["accuracy_high"]) == ((0, 1) if accuracy is None else (accuracy, accuracy))


def test_what_labels_and_predictions_leave_open_is_estimated_within_the_rest(slow):
    condition, members = "NOT correct AND age > 20", (LABEL != PREDICTED) & (AGE > 20)
    answer = slow.json("subset", **SAMPLE, condition=condition)
    columns = slow.json("instances", **SAMPLE)
    index, drawn = np.array(columns["index"], int), np.array(columns["drawn"])
    wrong = drawn & (LABEL != PREDICTED)[index]
    strata = [wrong & (LABEL[index] == label) for label in range(3)]
    expected = sum(
        ((LABEL != PREDICTED) & (label == LABEL)).sum() * members[index][rows].mean()
        for label, rows in enumerate(strata)
    )
    assert answer["count"] == pytest.approx(expected)
    assert answer["count_low"] <= members.sum() <= answer["count_high"] <= (LABEL != PREDICTED).sum()
    assert (answer["correct"], answer["correct_high"], answer["accuracy_high"] < 0.5) == (0, 0, True)


def test_few_sampled_members_claim_nothing_and_none_have_an_upper_limit(slow):
    columns = slow.json("instances", **SAMPLE)
    index, drawn = np.array(columns["index"], int), np.array(columns["drawn"])
    one, nobody = index[drawn][0], min(set(range(ROWS)) - set(index.tolist()))
    for position, found in ((one, 1), (nobody, 0)):
        condition = f"index BETWEEN {position} AND {position}"
        answer = slow.json("subset", **SAMPLE, condition=condition)
        assert (answer["drawn"], answer["count_low"]) == (found, found)
        assert answer["count_high"] > 133 * (3 / 20) / 1.2
        query = {**SAMPLE, "layer": "hidden", "condition": condition}
        means = slow.get("subset_statistics", **query, statistic="mean")
        assert np.isnan(read_array(means)[0]).tolist() == [
            not found,
            not found,
            not found or one % 7 == 0,
            not found,
            not found,
        ]
        for name in ("error", "mean_interval", "std"):
            known = np.isfinite(slow.array("subset_statistics", **query, statistic=name))
            # Neuron 3 is zero in all instances, which is recorded.
            assert known.tolist() == [[False, False, False, bool(found), False]] * len(known), name


def test_means_of_an_estimate_are_within_their_interval(slow):
    members, query = CONDITIONS["age > 20"], {**SAMPLE, "layer": "hidden", "condition": "age > 20"}
    mean, error, interval = (
        slow.array("subset_statistics", **query, statistic=n) for n in ("mean", "error", "mean_interval")
    )
    assert interval.shape == (2, 5)
    assert (interval[0] <= expected("mean", members)).all()
    assert (interval[1] >= expected("mean", members)).all()
    assert_allclose(error[0], np.maximum(interval[1] - mean[0], mean[0] - interval[0]) / 1.959964, rtol=1e-6)
    shares = slow.array("subset_statistics", **query, statistic="active_interval")
    assert (shares[0] <= expected("active", members)).all()
    assert (shares[1] >= expected("active", members)).all()
    assert shares[:, 3].tolist() == [0, 0]


def test_averages_of_a_sample_are_weighted_by_class(slow):
    columns = slow.json("instances", **SAMPLE)
    index, drawn = np.array(columns["index"], int), np.array(columns["drawn"])
    members = CONDITIONS["age > 20"][index] & drawn
    values, weights = HIDDEN[index[members]].astype(np.float64), np.bincount(LABEL)[LABEL[index[members]]]
    answer = slow.get("subset_statistics", **SAMPLE, layer="hidden", statistic="mean", condition="age > 20")
    finite = np.isfinite(values)
    mean = [np.average(values[finite[:, one], one], weights=weights[finite[:, one]]) for one in range(5)]
    assert_allclose(read_array(answer), [mean], rtol=1e-6)
    assert (answer.headers["Activis-Exactness"], answer.headers["Activis-Over"]) == ("estimate", "60")
    assert "Activis-Bound" not in answer.headers
    query = {**SAMPLE, "layer": "hidden", "condition": "age > 20"}
    error = slow.array("subset_statistics", **query, statistic="error")
    assert float(answer.headers["Activis-Standard-Error"]) == pytest.approx(error.max(), rel=1e-5)
    assert (error[0, 3], (error[0, [0, 1, 2, 4]] > 0).all()) == (0, True)
    assert np.isnan(slow.array("subset_statistics", **query, statistic="bound")).all()


def record_uneven(logdir, **arguments):
    """380 ants and 20 bees, of which a bee in two is old."""
    label, age = np.repeat([0, 1], [380, 20]), np.arange(400) % 2
    with activis_tb.preprocess(
        logdir / "u", step=0, layers=["h"], classes=["ant", "bee"], quiet=True, **arguments
    ) as one:
        one.process(
            labels=label,
            scores=label * 0.8,
            activations={"h": age[:, None]},
            ids=np.arange(400),
            attributes={"age": age},
        )
    return {"run": "u/activis", **KEY}


@pytest.mark.parametrize("arguments", [{"sample": 400}, {"sample": 40, "always": "age >= 0"}])
def test_everything_in_the_sample_is_exact_however_uneven_the_classes_are(serve_slow, tmp_path, arguments):
    key = record_uneven(tmp_path, **arguments)
    answer = serve_slow(tmp_path).json("subset", **key, condition="age = 1")
    assert (answer["count"], answer["count_error"], answer["exactness"], answer["over"]) == (200, 0, "exact", 400)


@pytest.mark.parametrize("always", [(), "label = 'bee'"])
def test_a_class_that_is_in_the_sample_as_a_whole_has_no_error(serve_slow, tmp_path, always):
    """By its share of 100 it has 20 of 20; by a share of 5 and `always`, 20 of 20 as well."""
    key = record_uneven(tmp_path, sample=10 if always else 100, always=always)
    server = serve_slow(tmp_path)
    answer = server.json("subset", **key, condition="label = 'bee' AND age = 1")
    assert (answer["count"], answer["count_error"], answer["over"]) == (10, 0, 25 if always else 100)
    query = {**key, "layer": "h", "condition": "label = 'bee'"}
    assert server.array("subset_statistics", **query, statistic="mean").tolist() == [[0.5]]
    assert server.array("subset_statistics", **query, statistic="error").tolist() == [[0]]


def test_listed_instances_stand_for_nobody_but_those_that_were_sampled(server):
    columns = server.json("instances", **SAMPLE)
    index, always = np.array(columns["index"], int), np.array(columns["always"])
    listed = [*index[~always][:7].tolist(), *index[always][:2].tolist()]
    missing = min(set(range(ROWS)) - set(index.tolist()))
    for condition in (
        f"index IN ({', '.join(map(str, [*listed, missing]))})",
        f"id IN ({', '.join(repr(str(one)) for one in listed)}) AND score > 0",
        " OR ".join(f"id = '{one}'" for one in listed),
    ):
        answer = server.json("subset", **SAMPLE, condition=condition)
        assert (answer["exactness"], answer["over"], answer["total"]) == ("sample", len(index), ROWS)
        assert (answer["count"], answer["count_error"], answer["correct_error"]) == (9, 0, 0)
        assert answer["correct"] == (LABEL == PREDICTED)[listed].sum()
        assert answer["predicted_counts"] == np.bincount(PREDICTED[listed], minlength=3).tolist()
        assert index[answer["rows"]].tolist() == [one for one in index if one in listed]
        members = np.isin(np.arange(ROWS), listed)
        means = server.get("subset_statistics", **SAMPLE, layer="hidden", statistic="mean", condition=condition)
        assert means.headers["Activis-Exactness"] == "sample"
        assert (means.headers["Activis-Bound"], means.headers["Activis-Standard-Error"]) == ("0", "0")
        assert_allclose(read_array(means), [expected("mean", members)], rtol=1e-6)
    for condition in (f"index IN ({listed[0]}) OR age > 20", f"NOT (index IN ({listed[0]}))", "index < 5"):
        assert server.json("subset", **SAMPLE, condition=condition)["exactness"] == "estimate", condition


def test_averaging_that_takes_too_long_gives_way_to_the_sample(slow, monkeypatch):
    monkeypatch.setattr(statistics, "MOST_SECONDS", 0)
    for statistic in ("mean", "min"):
        query = {**STORED, "layer": "hidden", "statistic": statistic, "condition": "age > 20"}
        answer = slow.get("subset_statistics", **query)
        assert (answer.headers["Activis-Exactness"], answer.headers["Activis-Over"]) == ("estimate", "60")
        note = unquote(answer.headers["Activis-Note"])
        count = CONDITIONS["age > 20"].sum()
        assert note.startswith(f"Averaging hidden over {count} stored instances took longer than ")
        assert float(answer.headers["Activis-Count"]) == count


def test_a_condition_on_stored_activations_says_how_far_they_are_rounded(slow):
    answer = slow.json("subset", **STORED, condition="neuron('hidden', 0) > 0.5")
    uncertain = float(answer["note"].split("±")[1].split(";")[0])
    assert answer["note"].startswith("Stored activations are rounded: neuron('hidden', 0) ± ")
    inside, outside = (HIDDEN[:, 0] > 0.5 + uncertain).sum(), (HIDDEN[:, 0] > 0.5 - uncertain).sum()
    assert 0 < uncertain < 0.03
    assert inside <= answer["count"] <= outside
    exact = slow.json("subset", **EVERYTHING, condition="neuron('hidden', 0) > 0.5")
    assert (exact["count"], exact["note"]) == ((HIDDEN[:, 0] > 0.5).sum(), "")


def test_a_limit_between_two_codes_leaves_some_instances_in_doubt(slow):
    limit = np.sort(HIDDEN[:, 0])[ROWS // 2 : ROWS // 2 + 8].astype(float).mean()
    condition, members = f"neuron('hidden', 0) > {limit:.9f} AND age < 40", (HIDDEN[:, 0] > limit) & (AGE < 40)
    answer = slow.json("subset", **STORED, condition=condition)
    right = members & (LABEL == PREDICTED)
    assert answer["count_low"] <= members.sum() <= answer["count_high"]
    assert answer["correct_low"] <= right.sum() <= answer["correct_high"]
    assert answer["accuracy_low"] <= right.sum() / members.sum() <= answer["accuracy_high"]
    assert 0 < answer["count_high"] - answer["count_low"] < 20
    reach = max(answer["count_high"] - answer["count"], answer["count"] - answer["count_low"])
    assert answer["count_error"] == pytest.approx(reach / 1.959964)
    assert f"{answer['count_high'] - answer['count_low']:.0f} are so near to a limit" in answer["note"]
    for statistic in STATISTIC_NAMES:
        served = slow.get("subset_statistics", **STORED, layer="hidden", statistic=statistic, condition=condition)
        bound = float(served.headers["Activis-Bound"])
        assert (np.abs(read_array(served)[0] - expected(statistic, members)) <= bound).all(), statistic


@pytest.mark.parametrize(
    "condition", ["neuron('hidden', 0) > 0", "NOT (neuron('hidden', 1) = 0)", "neuron('hidden', 2) IS NULL"]
)
def test_signs_zeros_and_gaps_of_stored_activations_are_exact(slow, condition):
    members = {"0) > 0": HIDDEN[:, 0] > 0, "1) = 0)": HIDDEN[:, 1] != 0, "2) IS NULL": np.isnan(HIDDEN[:, 2])}
    answer = slow.json("subset", **STORED, condition=condition)
    count = next(found.sum() for end, found in members.items() if condition.endswith(end))
    assert (answer["count"], answer["count_low"], answer["count_high"], answer["count_error"]) == (
        count,
        count,
        count,
        0,
    )


def test_means_far_from_zero_keep_their_bound(serve_slow, tmp_path):
    generator = np.random.default_rng(0)
    activations = (1e6 + generator.integers(0, 33, (2000, 3)) / 16).astype(np.float32)
    activations[:, 1] = 1e6 + 0.1
    for keep in ("all", "sample"):
        with activis_tb.preprocess(
            tmp_path / keep,
            step=0,
            layers=["h"],
            classes=["a", "b"],
            sample=50 if keep == "all" else 2000,
            keep=keep,
            quiet=True,
        ) as one:
            one.process(labels=np.arange(2000) % 2, scores=np.full(2000, 0.5), activations={"h": activations})
    server = serve_slow(tmp_path)
    members = np.arange(2000) % 7 > 0
    for run in ("all/activis", "sample/activis"):
        query = {"run": run, **KEY, "layer": "h", "condition": "index % 7 > 0"}
        mean, bound, std = (
            server.array("subset_statistics", **query, statistic=name)[0] for name in ("mean", "bound", "std")
        )
        assert (np.abs(mean - activations[members].astype(float).mean(axis=0)) <= bound + 1e-9).all()
        assert (mean[1], bound[1], std[1]) == (np.float32(1e6 + 0.1), 0, 0)
        assert bound.max() < 0.01


def test_files_that_were_left_behind_are_missed_and_said(slow, logdir):
    (logdir / "stored" / "activis" / "plugins").rename(logdir / "elsewhere")
    answer = slow.json("subset", **STORED, condition="age > 20")
    assert (answer["exactness"], answer["over"]) == ("estimate", 60)
    assert "Were the side files left behind when the log was copied?" in answer["note"]
    response = slow.get("subset_statistics", **STORED, layer="hidden", statistic="mean", condition="age > 20")
    assert response.headers["Activis-Exactness"] == "estimate"
    assert "side files" in unquote(response.headers["Activis-Note"])
    (logdir / "elsewhere").rename(logdir / "stored" / "activis" / "plugins")
    assert slow.json("subset", **STORED, condition="age > 21")["exactness"] == "bound"


def test_a_damaged_layer_is_estimated_from_the_sample(slow, logdir):
    for path in logdir.rglob("layer-000.u8"):
        path.write_bytes(b"")
    assert slow.json("subset", **STORED, condition="age > 20")["count"] == (CONDITIONS["age > 20"]).sum()
    response = slow.get("subset_statistics", **STORED, layer="hidden", statistic="mean", condition="age > 20")
    assert (response.headers["Activis-Exactness"], response.headers["Activis-Over"]) == ("estimate", "60")
    assert "damaged" in unquote(response.headers["Activis-Note"])
    answer = slow.json("subset", **STORED, condition="neuron('hidden', 0) > 0.5")
    assert (answer["exactness"], "damaged" in answer["note"]) == ("estimate", True)


@pytest.mark.parametrize("damage", [b"", b"PAR1 and then something else", None])
def test_damaged_columns_are_missed_and_said(slow, logdir, damage):
    tables = sorted(logdir.rglob("instances.parquet"))
    for path in tables:
        # None: the rows of another part, which are not in their place.
        path.write_bytes(tables[0].read_bytes() if damage is None else damage)
    answer = slow.json("subset", **STORED, condition="age > 20")
    assert (answer["exactness"], answer["over"], answer["note"] != "") == ("estimate", 60, True)
    assert slow.json("summaries", **STORED)["source"] == "sample"


def test_without_a_log_directory_the_sample_answers(slow):
    snapshots = Snapshots(Catalogue(slow.provider))
    for logdir in ("", "gs://bucket/logs"):
        subset = TypedSubsets(logdir).subset(
            snapshots.get("", SnapshotKey("stored/activis", "validation", 0)), "age > 20"
        )
        description = describe(subset)
        assert (description.exactness, description.over) == ("estimate", 60)
        assert "start TensorBoard with --logdir=FOLDER" in description.note


def test_answers_keep_no_population_alive_that_others_have_taken_the_place_of(slow, logdir, monkeypatch):
    monkeypatch.setattr(populations, "_MOST_STORES", 1)
    monkeypatch.setattr(populations, "_MOST_SAMPLES", 1)
    record(logdir, "again", sample=60, keep="all")
    slow.reload()
    snapshots, subsets = Snapshots(Catalogue(slow.provider)), TypedSubsets(str(logdir))
    opened = [
        snapshots.get("", SnapshotKey(f"{run}/activis", "validation", 0)) for run in ("stored", "sample", "again")
    ]
    asked = [weakref.ref(subsets.subset(snapshot, "age > 20").population) for snapshot in opened]
    gc.collect()
    assert [population() is None for population in asked] == [True, False, False]
    assert subsets.subset(opened[2], "age > 20").population is asked[2]()


def test_an_older_session_that_went_another_way_is_estimated(serve_slow, tmp_path, monkeypatch):
    record(tmp_path, "cnn", sample=60, keep="all", layers=["first"], order=np.arange(ROWS)[::-1])
    record(tmp_path, "cnn", sample=60, keep="all", layers=["second"])
    server = serve_slow(tmp_path)
    query = {"run": "cnn/activis", **KEY, "layer": "first", "statistic": "mean", "condition": "age > 20"}
    answer = server.get("subset_statistics", **query)
    assert answer.headers["Activis-Exactness"] == "estimate"
    assert "went through the instances in another order" in unquote(answer.headers["Activis-Note"])


def test_layers_of_an_older_session_are_read_from_its_own_files(serve_slow, tmp_path):
    record(tmp_path, "cnn", sample=60, keep="all", layers=["first"])
    record(tmp_path, "cnn", sample=60, keep="all", layers=["second"])
    server = serve_slow(tmp_path)
    for layer in ("first", "second"):
        query = {"run": "cnn/activis", **KEY, "layer": layer, "statistic": "mean", "condition": "age > 20"}
        answer = server.get("subset_statistics", **query)
        bound = float(answer.headers["Activis-Bound"])
        assert answer.headers["Activis-Exactness"] == "bound"
        assert_allclose(read_array(answer), [expected("mean", CONDITIONS["age > 20"])], atol=bound)


def test_what_several_ask_for_at_once_is_made_once():
    recent: Recent[str, int] = Recent(1_000)
    begun, go_on, made = threading.Event(), threading.Event(), []

    def make():
        begun.set()
        go_on.wait()
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(recent.get_or_make, "key", make) for _ in range(4)]
        begun.wait()
        go_on.set()
        assert [answer.result() for answer in answers] == [1, 1, 1, 1]
    assert len(made) == 1


def test_what_could_not_be_made_is_made_by_the_next():
    recent: Recent[str, int] = Recent(1_000)
    with pytest.raises(ZeroDivisionError):
        recent.get_or_make("key", lambda: 1 // 0)
    assert recent.get_or_make("key", lambda: 7) == 7


def test_many_may_ask_at_once(slow):
    def ask(number):
        key = (EVERYTHING, STORED, SAMPLE)[number % 3]
        response = slow.get("subset", **key, condition=f"index < {number}")
        return response.status_code, response.get_json() if response.status_code == 200 else response.text

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(1, 97)))
    assert {status for status, _ in answers} == {200}
    for number, (_, answer) in enumerate(answers, start=1):
        if number % 3 != 2:
            assert answer["count"] == number
