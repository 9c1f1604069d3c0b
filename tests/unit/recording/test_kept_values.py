"""Attributes keep their values: whole numbers of 64 bits, infinity, times, gaps; what cannot be kept is said."""

import datetime as dt
import enum
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording import blocks, dataset
from activis_tb.storage import activis_pb2 as pb
from activis_tb.times import parse_time, time_texts
from tests.unit.recording.helpers import CLASSES, batch, read_events, read_snapshots, record
from tests.unit.recording.test_recorded_attributes import recorded, values

BIG = 1_267_890_123_456_789_012
BERLIN = dt.timezone(dt.timedelta(hours=1))


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Size(str, enum.Enum):  # noqa: UP042 - the older way, whose str() is another
    SMALL = "s"


@pytest.mark.parametrize(
    "part",
    [
        np.array([BIG, BIG + 1, -BIG]),
        [BIG, BIG + 1, -BIG],
        np.array([BIG, BIG + 1, -BIG], object),
        torch.tensor([BIG, BIG + 1, -BIG]),
        pd.Series([BIG, BIG + 1, -BIG]),
        pl.Series([BIG, BIG + 1, -BIG]),
        pa.array([BIG, BIG + 1, -BIG]),
        [Decimal(BIG), Decimal(BIG + 1), Decimal(-BIG)],
        [np.int64(BIG), np.int64(BIG + 1), np.int64(-BIG)],
    ],
    ids=lambda part: type(part).__name__,
)
def test_whole_numbers_keep_every_digit(tmp_path: Path, part: Any) -> None:
    attribute = recorded(tmp_path, part)
    assert (attribute.type, attribute.values.dtype, values(attribute)) == ("number", np.int64, [BIG, BIG + 1, -BIG])


@pytest.mark.parametrize(
    "part",
    [
        [BIG + 1, None, 5],
        np.array([BIG + 1, None, 5], object),
        np.ma.masked_array([BIG + 1, BIG, 5], [False, True, False]),
        pd.Series([BIG + 1, None, 5], dtype="Int64"),
        pd.Series([BIG + 1, None, 5], dtype=pd.ArrowDtype(pa.int64())),
        pl.Series([BIG + 1, None, 5]),
        pa.array([BIG + 1, None, 5]),
        pa.chunked_array([[BIG + 1, None], [5]]),
        [BIG + 1, float("nan"), 5.0],
    ],
    ids=lambda part: type(part).__name__,
)
def test_whole_numbers_keep_every_digit_beside_gaps(tmp_path: Path, part: Any) -> None:
    assert values(recorded(tmp_path, part)) == [BIG + 1, None, 5]


def test_whole_numbers_of_64_bits_without_a_sign_are_kept(tmp_path: Path) -> None:
    attribute = recorded(tmp_path, np.array([2**64 - 1, 3], np.uint64), [2**63 + 1, None], [7.0, 2.0**63])
    assert values(attribute) == [2**64 - 1, 3, 2**63 + 1, None, 7, 2**63]


def test_whole_numbers_that_float64_has_stay_float64(tmp_path: Path) -> None:
    attribute = recorded(tmp_path, np.array([2**53, 3 * 2**60, -(2**63)]), [2**64, 2**70])
    assert (attribute.values.dtype, values(attribute)) == (np.float64, [2**53, 3 * 2**60, -(2**63), 2**64, 2**70])


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_whole_numbers_are_kept_in_whichever_batch_the_wide_ones_come(tmp_path: Path, order: slice) -> None:
    parts = [[1, 2], np.array([3.0, np.nan]), [BIG + 1, 4], [None, None]][order]
    expected = [[1, 2], [3, None], [BIG + 1, 4], [None, None]][order]
    assert values(recorded(tmp_path, *parts)) == [value for part in expected for value in part]


WAY_OUT = r'attribute_types=\{"it": "text"\}'


@pytest.mark.parametrize(
    ("parts", "got"),
    [
        ([[2**64 + 1, 1]], "the whole numbers 1 to 18446744073709551617"),
        ([[10**30 + 1, 1]], "the whole numbers 1 to"),
        ([[-1, 2**63 + 1]], "the whole numbers -1 to 9223372036854775809"),
        ([[BIG + 1, 0.5]], f"{BIG + 1} beside fractions or infinity"),
        ([[BIG + 1], [0.5]], "whole numbers beyond 2.53 beside fractions or infinity"),
        ([[0.5], [BIG + 1]], "whole numbers beyond 2.53 beside fractions or infinity"),
        ([[np.inf], [1.0], [BIG + 1]], "whole numbers beyond 2.53 beside fractions or infinity"),
        ([np.array([2**63 + 1], np.uint64), [-1]], "whole numbers from 2.63 on beside negative ones"),
        ([[-1.0], np.array([2**63 + 1], np.uint64)], "whole numbers from 2.63 on beside negative ones"),
        ([[Decimal("0.12345678901234567890123")]], "the decimal 0.12345678901234567890123"),
        ([[Decimal("1e999999")]], r"the decimal 1.000e\+999999"),
        ([[10**5000, 1]], "a whole number of more than 308 digits"),
    ],
)
def test_numbers_that_no_type_keeps_are_refused_with_the_way_out(tmp_path: Path, parts: list, got: str) -> None:
    with pytest.raises(ArgumentError, match=rf'attributes\["it"\]: got {got}.*{WAY_OUT}'):
        recorded(tmp_path, *parts)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is float64 here")
def test_long_doubles_that_float64_does_not_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=rf"the long double 1.267890123456789.*{WAY_OUT}"):
        recorded(tmp_path, np.array([0.5, BIG + 1], np.longdouble))


def test_decimals_keep_every_digit_as_text(tmp_path: Path) -> None:
    digits = ["0.12345678901234567890123", "1.10", "1E+999999"]
    assert values(recorded(tmp_path, [Decimal(text) for text in digits], declared="text")) == digits


def test_the_way_out_keeps_every_digit_as_text(tmp_path: Path) -> None:
    parts = [[2**64 + 1, 0.5], np.array([BIG, -1]), [10**30, None]]
    attribute = recorded(tmp_path, *parts, declared="text")
    assert values(attribute) == [str(2**64 + 1), "0.5", str(BIG), "-1", str(10**30), None]


DAY = dt.date(2024, 1, 2)
NOON = dt.datetime(2024, 1, 2, 12)
FAR = [dt.date(1, 1, 1), dt.date(9999, 12, 31)]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        *(
            (np.array(["2024-01-02", "NaT"], f"M8[{unit}]"), ["2024-01-02", None])
            for unit in ("D", "h", "m", "s", "ms", "us", "ns", "25s")
            if unit != "25s"
        ),
        (np.array(["2024-01", "NaT"], "M8[M]"), ["2024-01-01", None]),
        (np.array([3], "M8[25s]"), ["1970-01-01 00:01:15"]),
        (np.array(["1970-01-01T00:00:01.000000002"], "M8[ps]"), ["1970-01-01 00:00:01.000000002"]),
        (np.array(["0001-01-01", "9999-12-31"], "M8[D]"), ["0001-01-01", "9999-12-31"]),
        (FAR, ["0001-01-01", "9999-12-31"]),
        ([DAY, None], ["2024-01-02", None]),
        ([NOON, None, dt.datetime(2024, 1, 2)], ["2024-01-02 12:00", None, "2024-01-02 00:00"]),
        ([NOON.replace(tzinfo=BERLIN), NOON.replace(tzinfo=dt.UTC)], ["2024-01-02 11:00", "2024-01-02 12:00"]),
        ([np.datetime64("2024-01-02T00:00:00.000000001"), None], ["2024-01-02 00:00:00.000000001", None]),
        ([pd.Timestamp("2024-01-02 12:00:00.000000001"), pd.NaT], ["2024-01-02 12:00:00.000000001", None]),
        (pd.Series(pd.to_datetime(["2024-01-02", None])), ["2024-01-02", None]),
        (pd.Series(pd.to_datetime(["2024-01-02", None])).dt.tz_localize("Europe/Berlin"), ["2024-01-01 23:00", None]),
        (pd.DatetimeIndex(["2024-01-02"], tz="UTC"), ["2024-01-02"]),
        (pd.Series([DAY, None], dtype=pd.ArrowDtype(pa.date32())), ["2024-01-02", None]),
        (
            pd.Series([pd.Timestamp("2024-01-02", tz="UTC"), None], dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
            ["2024-01-02", None],
        ),
        (pl.Series([DAY, None]), ["2024-01-02", None]),
        (pl.Series([NOON, None]), ["2024-01-02 12:00", None]),
        (pl.Series([NOON]).dt.replace_time_zone("Europe/Berlin"), ["2024-01-02 11:00"]),
        (pa.array([1_704_153_600_000_000_001, None], pa.timestamp("ns")), ["2024-01-02 00:00:00.000000001", None]),
        (pa.array([1_704_153_600], pa.timestamp("s", "Europe/Berlin")), ["2024-01-02"]),
        (pa.array([DAY, None], pa.date64()), ["2024-01-02", None]),
        (np.ma.masked_array(np.array(["2024-01-02", "2024-01-03"], "M8[ns]"), [True, False]), [None, "2024-01-03"]),
    ],
)
def test_times_are_one_type_whatever_they_are_kept_in(tmp_path: Path, part: Any, expected: list[str | None]) -> None:
    attribute = recorded(tmp_path, part)
    assert attribute.type == "time"
    assert attribute.present.tolist() == [text is not None for text in expected]
    assert time_texts(attribute.values[attribute.present]) == [text for text in expected if text is not None]


def test_texts_are_times_where_the_user_says_so(tmp_path: Path) -> None:
    attribute = recorded(tmp_path, ["2024-01-02", None], ["2024-01-02T10:00:00+02:00", "2024"], declared="time")
    shown = ["2024-01-02 00:00", "2024-01-02 08:00", "2024-01-01 00:00"]
    assert (attribute.type, time_texts(attribute.values[attribute.present])) == ("time", shown)


def test_times_keep_their_nanoseconds_in_whichever_batch_they_come(tmp_path: Path) -> None:
    parts = [[None], np.array(["2024-01-02"], "M8[D]"), np.array(["1970-01-01T00:00:00.000000001"], "M8[ns]"), [NOON]]
    attribute = recorded(tmp_path, *parts)
    expected = [parse_time("2024-01-02"), 1, parse_time("2024-01-02T12:00")]
    assert attribute.values[attribute.present].astype("M8[ns]").astype(int).tolist() == expected


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([[np.timedelta64(1, "s")]], r"got timedelta64; expected numbers, texts or times.*as seconds"),
        ([np.array([1], "m8[ns]")], r"got dtype timedelta64\[ns\]; expected numbers"),
        ([pd.Series(pd.to_timedelta(["1s"]))], r"got dtype timedelta64\[.*as a duration has no type of its own"),
        ([[dt.timedelta(1)]], "got timedelta"),
        ([[dt.time(10)]], "got time; expected numbers, booleans, text, times"),
        ([np.array(["-0044-03-15"], "M8[D]")], r"the time -044.* expected times of the years 1 to 9999"),
        ([np.array([2**62], "M8[Y]")], "expected times of the years 1 to 9999"),
        ([np.array([1], "M8[ps]")], "got ps, finer than nanoseconds"),
        ([[NOON, NOON.replace(tzinfo=dt.UTC)]], "got times with and without a time zone; expected the same of all"),
        ([np.array(["2024-01-02T00:00:00.000000001"], "M8[ns]"), FAR], "times with nanoseconds beside years before"),
        ([FAR, np.array(["2024-01-02T00:00:00.000000001"], "M8[ns]")], "times with nanoseconds beside years before"),
        ([[NOON], [5]], r"got number; expected time, as in the earlier batches"),
        ([[NOON, "x"]], r"got time .* and text \(x\); expected values of one kind"),
    ],
)
def test_times_that_cannot_be_kept_are_refused(tmp_path: Path, parts: list, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        recorded(tmp_path, *parts)


@pytest.mark.parametrize(
    ("part", "declared", "message"),
    [
        (["2024-01-02", "soon"], "time", r"got the text 'soon'; expected times of ISO 8601, e\.g\. '2024-01-31'"),
        ([1, 2], "time", "got dtype int64; expected time, as attribute_types says"),
        ([NOON, NOON], "number", "got time; expected number, as attribute_types says"),
        (np.array(["2024", "2024"], "M8[ns]"), "number", r"got dtype datetime64\[ns\]; expected number"),
        ([0, 2], "boolean", "got numbers other than 0 and 1; expected boolean"),
    ],
)
def test_values_that_do_not_fit_what_the_user_says_are_refused(
    tmp_path: Path, part: Any, declared: str, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        recorded(tmp_path, part, declared=declared)


GAPS = [None, np.nan, pd.NA]


@pytest.mark.parametrize(
    "parts",
    [
        [[None, None], [True, False]],
        [[True, False], [None, np.nan]],
        [[True, np.nan], np.array([False, None], object)],
        [np.array([np.nan, np.nan]), np.array([np.True_, None], object)],
        [np.array([True, False]), np.array([None, True], object), [pd.NA, False]],
        [pd.Series([True, None], dtype="boolean"), pd.Series([None, None], dtype="boolean"), [True]],
        [pd.Series([True, None]), pd.Series([None, np.nan]), pl.Series([None, False], dtype=pl.Boolean)],
        [pl.Series([None, None], dtype=pl.Boolean), pa.array([True, None]), pa.nulls(2)],
        [np.ma.masked_array([True, False], [True, False]), [None]],
        [pd.Series([True, None], dtype=pd.ArrowDtype(pa.bool_())), [False]],
    ],
)
def test_booleans_with_gaps_are_booleans_in_any_order(tmp_path: Path, parts: list) -> None:
    for order, given in (("given", parts), ("reversed", parts[::-1])):
        attribute = recorded(tmp_path / order, *given)
        expected = [None if pd.isna(value) else bool(value) for part in given for value in _listed(part)]
        assert (attribute.type, values(attribute)) == ("boolean", expected)


def _listed(part: Any) -> list:
    lists = (getattr(part, name)() for name in ("to_pylist", "to_list", "tolist") if hasattr(part, name))
    return next(lists, part)


def test_zeros_and_ones_are_booleans_where_the_user_says_so(tmp_path: Path) -> None:
    attribute = recorded(tmp_path, np.array([1.0, np.nan, 0.0]), [1, None], np.array([True]), declared="boolean")
    assert (attribute.type, values(attribute)) == ("boolean", [True, None, False, True, None, True])


def test_a_type_is_that_of_the_stream_where_the_sample_misses_all_values(tmp_path: Path) -> None:
    parts = [batch([0] * 60, ids=range(60), attributes={"it": [None] * 60})]
    parts += [batch([0], ids=[1000 + number], attributes={"it": [True]}) for number in range(3)]
    (attribute,) = record(tmp_path, parts, sample=3).sample().attributes
    assert (attribute.type, attribute.present.tolist()) == ("boolean", [False] * 3)


@pytest.mark.parametrize(
    ("part", "expected_type", "expected"),
    [
        ([Decimal("12.30"), None, Decimal("NaN")], "number", [12.3, None, None]),
        (pl.Series([Decimal("1.25"), None]), "number", [1.25, None]),
        (pa.array([Decimal("1.25"), None]), "number", [1.25, None]),
        ([Decimal("sNaN"), Decimal("0.5")], "number", [None, 0.5]),
        (pl.Series([2**40, None], dtype=pl.Int128), "number", [2**40, None]),
        (pa.array(["a", None], pa.string_view()), "category", ["a", None]),
        (pa.RunEndEncodedArray.from_arrays([2, 3], ["a", None]), "category", ["a", "a", None]),
        (
            pa.array([uuid.UUID(int=5).bytes, None], pa.uuid()),
            "category",
            ["00000000-0000-0000-0000-000000000005", None],
        ),
        ([uuid.UUID(int=5), None], "category", ["00000000-0000-0000-0000-000000000005", None]),
        ([Colour.RED, Colour.BLUE], "category", ["RED", "BLUE"]),
        ([Size.SMALL, None], "category", ["s", None]),
        (pl.Series(["a", None, "b"], dtype=pl.Categorical), "category", ["a", None, "b"]),
        (pa.array(["a", None]).dictionary_encode(), "category", ["a", None]),
        (pa.chunked_array([pa.array(["a", None]).dictionary_encode()]), "category", ["a", None]),
        (pd.Series(["a", None], dtype="string"), "category", ["a", None]),
        (pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())), "category", ["a", None]),
        (pd.Series([1.5, None], dtype="Float64"), "number", [1.5, None]),
        (pd.Series([3, 4, None], dtype="Int64").astype("category"), "number", [3, 4, None]),
        (pa.array([b"caf\xc3\xa9", None]), "category", ["café", None]),
        ([pa.scalar(3), pa.scalar(None, pa.int64())], "number", [3, None]),
        (np.array([np.int64(3), np.float32(0.5), None], object), "number", [3, 0.5, None]),
        (pl.Series([1.5, None, float("nan")]), "number", [1.5, None, None]),
        (np.array([-np.inf, np.inf, 1]), "number", [-np.inf, np.inf, 1]),
    ],
)
def test_values_of_libraries_are_what_they_stand_for(
    tmp_path: Path, part: Any, expected_type: str, expected: list
) -> None:
    attribute = recorded(tmp_path, part)
    assert (attribute.type, values(attribute)) == (expected_type, expected)


def test_ids_that_are_derived_of_values_of_old_are_those_of_old(tmp_path: Path) -> None:
    attributes = {
        "n": [1, 2.5, None, 2**53],
        "t": ["a", None, "ü", "long " * 20],
        "b": [True, None, False, True],
        "i": np.array([3, -4, 2**60, 0]),
    }
    sample = record(tmp_path, [batch([0, 1, 2, 0], attributes=attributes)]).sample()
    expected = ["02c111354a786cb5", "0a776ebb185ec8c3", "e880de2443f448f1", "7757bf16de1c1dc4"]
    assert sample.ids[np.argsort(sample.index)].tolist() == expected


def test_ids_that_are_derived_of_new_values_do_not_depend_on_what_is_beside_them(tmp_path: Path) -> None:
    numbers, times = [5, BIG + 1, BIG, -BIG], np.array(["2024-01-02", "2024-01-02T00:00:00.000000001"] * 2, "M8[ns]")
    times[2:] += np.timedelta64(1, "D")
    together = batch([0] * 4, attributes={"n": numbers, "t": times})
    alone = [batch([0], attributes={"n": numbers[row : row + 1], "t": times[row : row + 1]}) for row in range(4)]
    kept = [record(tmp_path / name, parts).sample() for name, parts in (("a", [together]), ("b", alone))]
    assert_array_equal(kept[0].ids, kept[1].ids)
    assert len(set(kept[0].ids)) == 4


def test_functions_see_exact_numbers_and_times(tmp_path: Path) -> None:
    attributes = {"n": [BIG, BIG + 1, None], "t": [DAY, None, DAY], "w": [BIG + 1, 1, 2]}
    subsets = {
        "n": lambda columns: columns["n"] == BIG,
        "t": lambda columns: columns["t"] == np.datetime64("2024-01-02"),
        "w": lambda columns: columns["w"] > BIG,
    }
    sample = record(tmp_path, [batch([0, 1, 2], attributes=attributes)], subsets=subsets).sample()
    expected = [[True, True, True], [False, False, False], [False, True, False]]
    assert sample.membership[np.argsort(sample.index), 3:].tolist() == expected


def test_conditions_of_a_recording_are_exact(tmp_path: Path) -> None:
    subsets = {"n": f"n > {BIG}", "t": "t < '2024-01-02T00:00:00.000000001'", "inf": "x > 1e308"}
    parts = [
        batch([0, 1], attributes={"n": [None, 1], "t": [None, DAY], "x": [np.inf, 1]}),
        batch([2, 0], attributes={"n": [BIG, BIG + 1], "t": np.array([1, 2], "M8[ns]"), "x": [np.nan, -np.inf]}),
    ]
    snapshot = record(tmp_path, parts, subsets=subsets)
    assert [subset.count for subset in snapshot.manifest.subsets[3:]] == [1, 3, 1]


def test_everything_is_kept_exactly_over_parts_of_other_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 2)
    monkeypatch.setattr(dataset, "PART_ROWS", 2)
    columns = {
        "n": [1, 2, BIG + 1, None, None, None],
        "x": [np.inf, 0.5, None, -np.inf, 1.0, 2.0],
        "t": np.array(["0001-01-01", "NaT", "2024-01-02", "2024-01-03", "2024-01-04", "NaT"], "M8[us]"),
        "e": np.array(["2024-01-02", "NaT", "2024-01-02T00:00:00.000000001", "NaT", "NaT", "NaT"], "M8[ns]"),
    }
    parts = [
        batch([0, 1], attributes={name: column[start : start + 2] for name, column in columns.items()})
        for start in (0, 2, 4)
    ]
    record(tmp_path, parts, keep="all")
    paths = sorted((tmp_path / "activis").glob("plugins/activis/validation/0/*/part-*/instances.parquet"))
    tables = [parquet.read_table(path) for path in paths]
    stored = {
        name: [None if name not in table.column_names else table[name].to_pylist() for table in tables]
        for name in ("attribute_0", "attribute_0_whole", "attribute_1", "attribute_2")
    }
    assert stored["attribute_0"] == [[1, 2], None, None]
    assert stored["attribute_0_whole"] == [None, [BIG + 1, None], None]
    assert stored["attribute_1"] == [[np.inf, 0.5], [None, -np.inf], [1, 2]]
    assert [[time and time.year for time in part] for part in stored["attribute_2"]] == [
        [1, None],
        [2024] * 2,
        [2024, None],
    ]
    assert [table["attribute_3"].cast(pa.int64()).to_pylist()[0] for table in tables[:2]] == [
        columns["e"][0].astype("M8[us]").astype(int),
        columns["e"][2].astype(int),
    ]
    versions = [json.loads((path.parent / "part.json").read_text())["version"] for path in paths]
    assert versions == [1, 2, 1]


def test_workers_keep_values_and_say_where_they_do_not_fit(tmp_path: Path) -> None:
    def begin(folder: str, values: dict[str, Any], first: int) -> Any:
        worker = activis_tb.preprocess(tmp_path / folder, step=0, layers=["hidden"], classes=CLASSES, quiet=True)
        worker.process(**batch([0, 1], ids=[first, first + 1], attributes=values))
        return worker

    whole, fractions = {"n": [BIG + 1, 1], "t": np.array([1, 2], "M8[ns]")}, {"n": [0.5, 1], "t": [DAY, None]}
    part = begin("other", whole, 2).extract()
    with begin("merged", {"n": [3.0, None], "t": [DAY, None]}, 0) as writer:
        writer.merge(part)
    sample = read_snapshots(tmp_path / "merged" / "activis")[-1].sample()
    order = np.argsort(sample.index)
    number, time = sample.attributes
    assert number.values[order].tolist() == [3, 0, BIG + 1, 1]
    assert time.values[order].astype(int).tolist() == [parse_time("2024-01-02"), 0, 1, 2]
    with (
        begin("refused", fractions, 0) as writer,
        pytest.raises(ArgumentError, match=r"beside fractions.*every worker"),
    ):
        writer.merge(part)


def test_test_cases_of_another_type_of_number_are_refused(tmp_path: Path) -> None:
    with activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as recorder:
        recorder.examples(**batch([0], attributes={"n": [0.5]}))
        with pytest.raises(ArgumentError, match="beside fractions or infinity of process"):
            recorder.process(**batch([0], attributes={"n": [BIG + 1]}))
        recorder.process(**batch([0], attributes={"n": [1]}))


def test_a_snapshot_needs_a_newer_reader_only_where_it_has_new_values(tmp_path: Path) -> None:
    old = {"n": [1, 2.5], "t": ["a", "b"], "b": [True, None], "x": [np.inf, 1]}
    cases = [old, {"n": [BIG, 1]}, {"t": [DAY, None]}]
    versions = []
    for number, attributes in enumerate(cases):
        record(tmp_path / str(number), [batch([0, 1], attributes=attributes)])
        (event,) = read_events(tmp_path / str(number) / "activis")
        versions.append(pb.Snapshot.FromString(event.summary.value[0].tensor.string_val[0]).version)
    assert versions == [1, 2, 2]
