"""Long texts are cut when they are sampled: what a condition asks about the rest is answered as open."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.model import STATISTIC_NAMES
from tests.plugin.server import Server, read_array

ROWS = 60
KEY = {"name": "validation", "step": 0}
EVERYTHING, STORED, SAMPLE = ({"run": f"{run}/activis", **KEY} for run in ("all", "stored", "sample"))
LABEL = np.arange(ROWS) % 2
PREDICTED = np.where(np.arange(ROWS) % 5 == 0, 1 - LABEL, LABEL)
TEXTS = [f"short needle {row}" for row in range(ROWS)]
TEXTS[3::10] = ["x" * 12_000 + "needle"] * 6
TEXTS[7::10] = ["needle" + "y" * 12_000] * 6
HIDDEN = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
CONDITIONS = {
    "text LIKE '%needle'": [text.endswith("needle") for text in TEXTS],
    "text NOT LIKE '%needle%'": ["needle" not in text for text in TEXTS],
    "text ~ '^x+needle$'": [text.startswith("x") for text in TEXTS],
    "text LIKE '%more characters were%'": [False] * ROWS,
    "text LIKE 'x%'": [text.startswith("x") for text in TEXTS],
    "text = 'short needle 0'": [row == 0 for row in range(ROWS)],
}
DECIDED = {"text LIKE 'x%'", "text = 'short needle 0'"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("logs")
    for run, arguments in (("all", {}), ("stored", {"keep": "all"}), ("sample", {"sample": 40})):
        scores = np.full((ROWS, 2), 0.25)
        scores[np.arange(ROWS), PREDICTED] = 0.75
        options = {"step": 0, "layers": ["hidden"], "classes": ["a", "b"], "subsets": {c: c for c in CONDITIONS}}
        with activis_tb.preprocess(tmp_path / run, **options, **arguments, quiet=True) as snapshot:
            snapshot.process(
                labels=LABEL,
                scores=scores,
                ids=np.arange(ROWS),
                activations={"hidden": HIDDEN},
                attributes={"text": TEXTS},
            )
    one = Server(tmp_path, "slow")
    yield one
    one.close()


def test_counts_and_averages_are_within_what_the_rest_of_the_texts_leaves_open(server):
    for condition, holds in CONDITIONS.items():
        members = np.array(holds)
        answer = server.json("subset", **EVERYTHING, condition=condition)
        assert answer["count_low"] <= members.sum() <= answer["count_high"]
        right = (members & (LABEL == PREDICTED)).sum()
        assert answer["correct_low"] <= right <= answer["correct_high"]
        if members.any():
            assert answer["accuracy_low"] <= right / members.sum() <= answer["accuracy_high"]
        assert "Of long texts (12 of text) only the first 10,000 characters were kept" in answer["note"]
        assert (answer["exactness"] == "exact") == (condition in DECIDED)
        assert (answer["count_low"] == answer["count_high"]) == (condition in DECIDED)
        for statistic in STATISTIC_NAMES if members.any() else ():
            response = server.get(
                "subset_statistics", **EVERYTHING, condition=condition, layer="hidden", statistic=statistic
            )
            values, bound = read_array(response)[0], float(response.headers["Activis-Bound"])
            assert response.headers["Activis-Exactness"] == ("exact" if condition in DECIDED else "bound")
            found = HIDDEN[members].astype(float)
            expected = {
                "count": np.full(3, len(found)),
                "mean": found.mean(0),
                "std": found.std(0),
                "min": found.min(0),
                "max": found.max(0),
                "active": (found > 0).mean(0),
                "nonfinite": np.zeros(3),
            }[statistic]
            assert (np.isnan(values) | (np.abs(values - expected) <= bound * (1 + 1e-5) + 1e-6)).all()


def test_where_everything_is_stored_the_whole_texts_are_asked(server):
    for condition, holds in CONDITIONS.items():
        answer = server.json("subset", **STORED, condition=condition)
        assert (answer["count"], answer["exactness"], answer["note"]) == (sum(holds), "bound", "")


def test_an_estimate_takes_in_what_is_open(server):
    rows = np.array(server.json("instances", **SAMPLE)["index"], int)
    for condition, holds in CONDITIONS.items():
        answer = server.json("subset", **SAMPLE, condition=condition)
        assert answer["exactness"] == "estimate"
        assert "only the first 10,000 characters were kept" in answer["note"]
        members = np.array(holds)[rows]
        assert not set(answer["rows"]) - set(np.flatnonzero(members))
        assert answer["count_low"] <= sum(holds) <= answer["count_high"]


def test_no_column_summary_knows_the_mark(server):
    answer = server.json("summaries", **EVERYTHING)
    (text,) = (column for column in answer["columns"] if column["name"] == "text")
    assert text["distinct"] == ROWS - 12 + 2
    assert not [one for one in (*text["values"], *text["beginnings"]) if "…" in str(one)]
    assert "Of 12 long texts in text only the first 10,000 characters were kept" in answer["note"]
    assert server.json("summaries", **STORED)["note"] != ""


def test_an_instance_shows_that_its_text_was_cut(server):
    (column,) = server.json("instances", **EVERYTHING)["attributes"]
    cut = [text for text in column["texts"] if text.endswith(" … (2,006 more characters were not kept)")]
    assert_array_equal([len(text) for text in cut], [10_000 + len(" … (2,006 more characters were not kept)")] * 12)
