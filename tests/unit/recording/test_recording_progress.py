"""Long recordings say how far they are; short ones say nothing."""

from pathlib import Path

import pytest

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording import progress
from activis_tb.recording.progress import Progress, ProgressReporter
from tests.unit.recording.helpers import batch, record


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_function_is_told_when_the_snapshot_is_written(tmp_path: Path) -> None:
    told: list[Progress] = []
    record(tmp_path, [batch([0, 1]), batch([2])], step=7, total=3, progress=told.append)
    assert [(one.name, one.step, one.instances, one.total, one.finished) for one in told] == [
        ("validation", 7, 3, 3, True)
    ]


def test_a_function_is_told_how_far_a_long_recording_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    told: list[Progress] = []
    record(tmp_path, [batch([0, 1]), batch([2])], progress=told.append)
    assert [(one.instances, one.finished) for one in told] == [(2, False), (3, False), (3, True)]
    assert [one.seconds_left for one in told] == [None] * 3


def test_nothing_is_said_about_a_short_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, [batch([0, 1])], quiet=False)
    assert capsys.readouterr().err == ""


def test_a_long_recording_prints_lines_unless_it_is_to_be_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    record(tmp_path, [batch([0, 1])], total=4, quiet=False)
    assert capsys.readouterr().err.startswith("ActiVis: validation, step 0: 2 of 4 instances, ")
    record(tmp_path, [batch([0, 1])], total=4, quiet=True)
    assert capsys.readouterr().err == ""


def test_lines_come_every_few_seconds_with_the_rate_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    reporter = ProgressReporter("validation", 3, 500_000, None, clock)
    for instances in range(10_000, 130_000, 10_000):
        clock.now += 1
        reporter.update(instances)
    clock.now += 38
    reporter.finish(500_000)
    assert capsys.readouterr().err.splitlines() == [
        "ActiVis: validation, step 3: 50,000 of 500,000 instances, 10,000/s, 0:00:45 left",
        "ActiVis: validation, step 3: 100,000 of 500,000 instances, 10,000/s, 0:00:40 left",
        "ActiVis: validation, step 3: 500,000 of 500,000 instances, 10,000/s, written after 0:00:50",
    ]


def test_no_time_is_left_where_there_are_more_instances_than_were_announced() -> None:
    assert Progress("validation", 0, instances=30, total=20, seconds=3.0).seconds_left == 0
    assert Progress("validation", 0, instances=0, total=20, seconds=0.0).seconds_left is None


@pytest.mark.parametrize(("argument", "value"), [("progress", True), ("total", -1), ("total", "many")])
def test_what_is_no_function_or_number_is_refused(tmp_path: Path, argument: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=f"^{argument}: got "):
        activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=["ant", "bee"], **{argument: value})
