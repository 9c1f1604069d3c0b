"""What was recorded is what is served: whole numbers of 64 bits, infinity and times, of a sample and of everything."""

import json
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.json_format import ParseDict

import activis_tb
from activis_tb.recording import blocks, dataset
from activis_tb.storage import activis_pb2 as pb
from activis_tb.times import parse_time
from tests.plugin.server import Server

BIG = 1_267_890_123_456_789_012
ROWS = 12
NUMBERS = [1, 2, 3, None, *(BIG + number for number in range(8))]
HUGE = [np.inf, -np.inf, 1.0, None, *(float(number) for number in range(8))]
DAYS = np.arange("2024-01-01", "2024-01-13", dtype="M8[D]")
EXACT = DAYS.astype("M8[ns]") + np.arange(ROWS)


@pytest.fixture(scope="module", params=["sample", "all"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Server, dict]:
    logdir = tmp_path_factory.mktemp(request.param)
    arguments = {"keep": "all", "sample": 6} if request.param == "all" else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MOST_ROWS", 4)
        patch.setattr(dataset, "PART_ROWS", 4)
        record(logdir, **arguments)
    server = Server(logdir, "slow")
    server.wait_for_snapshots(1)
    return server, {"run": "run/activis", "name": "validation", "step": 0}


def record(logdir: Path, **arguments: object) -> None:
    arguments = {"step": 0, "layers": ["hidden"], "classes": [0, 1], "quiet": True, **arguments}
    with activis_tb.preprocess(logdir / "run", **arguments) as recorder:
        for start in range(0, ROWS, 4):
            rows = slice(start, start + 4)
            recorder.process(
                labels=np.arange(4) % 2,
                scores=np.full((4, 2), 0.5),
                ids=np.arange(ROWS)[rows],
                activations={"hidden": np.ones((4, 3))},
                attributes={"n": NUMBERS[rows], "x": HUGE[rows], "day": DAYS[rows], "exact": EXACT[rows]},
            )


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (f"n = {BIG}", 1),
        (f"n > {BIG} AND n <= {BIG + 5}", 5),
        (f"n IN ({BIG}, {BIG + 1}, 2, {BIG + 100})", 3),
        ("n < 3.5", 3),
        ("x = inf OR x < -1e308", 2),
        ("x > 1e308", 1),
        ("x IS NULL", 1),
        ("day > '2024-01-02'", 10),
        ("day BETWEEN '2024-01-02' AND '2024-01-04'", 3),
        ("day >= '2024-01-02' AND day < '2024-01-03T00:00:00Z'", 1),
        ("exact = '2024-01-03 00:00:00.000000002'", 1),
        ("exact > day", 11),
    ],
)
def test_counts_are_exact(served: tuple[Server, dict], condition: str, count: int) -> None:
    server, key = served
    answer = server.json("subset", **key, condition=condition)
    assert (answer["count"], answer["exactness"] in {"exact", "bound"}, answer["note"]) == (count, True, "")


def test_columns_say_what_doubles_cannot(served: tuple[Server, dict]) -> None:
    server, key = served
    response = server.get("instances", **key)
    columns = json.loads(response.text, parse_constant=pytest.fail)
    ParseDict(columns, pb.InstanceColumns())
    number, huge, day, exact = columns["attributes"]
    assert [column["type"] for column in columns["attributes"]] == ["number", "number", "time", "time"]
    for row, index in enumerate(map(int, columns["index"])):
        there = NUMBERS[index] is not None
        assert number["present"] == [] or number["present"][row] is there
        assert number["texts"][row] == (str(NUMBERS[index]) if there and NUMBERS[index] > 2**53 else "")
        assert number["numbers"][row] == float(NUMBERS[index] or 0)
        infinite = HUGE[index] is not None and np.isinf(HUGE[index])
        assert huge["texts"] == [] or huge["texts"][row] == (str(HUGE[index]) if infinite else "")
        assert np.isfinite(huge["numbers"][row])
        assert (day["texts"][row], day["numbers"][row]) == (str(DAYS[index]), DAYS[index].astype("M8[s]").astype(int))
        assert parse_time(exact["texts"][row]) == EXACT[index].astype(int)


def test_summaries_say_what_doubles_cannot(served: tuple[Server, dict]) -> None:
    server, key = served
    response = server.get("summaries", **key)
    summaries = json.loads(response.text, parse_constant=pytest.fail)
    ParseDict(summaries, pb.ColumnSummaries())
    columns = {column["name"]: column for column in summaries["columns"]}
    number, huge, day = columns["n"], columns["x"], columns["day"]
    assert (number["present"], number["distinct"], sum(number["counts"])) == (11, 11, 11)
    assert (number["quantile_texts"][-1], number["edge_texts"][-1]) == (str(BIG + 7), str(BIG + 7))
    assert huge["values"] == [{"value": "-inf", "count": 1}, {"value": "inf", "count": 1}]
    assert (huge["present"], sum(huge["counts"]), huge["edge_texts"]) == (11, 9, [])
    assert (huge["quantile_texts"][0], huge["quantile_texts"][3], huge["quantile_texts"][-1]) == ("-inf", "", "inf")
    assert (day["type"], day["present"], day["distinct"], day["values"]) == ("time", 12, 12, [])
    assert day["edge_texts"] == [*map(str, DAYS), "2024-01-13"]
    assert day["counts"] == [1] * 12
    assert day["quantile_texts"][0] == "2024-01-01"
    assert day["edges"][0] == 1_704_067_200


def test_a_mistake_about_a_time_has_a_place_and_a_suggestion(served: tuple[Server, dict]) -> None:
    server, key = served
    response = server.get("subset", **key, condition="day > 20240102")
    assert response.status_code == 400
    assert (response.headers["Activis-Error-Start"], response.headers["Activis-Error-End"]) == ("6", "14")
    assert response.headers["Activis-Suggestion"] == "%272024-01-02%27"
