"""Progress of a long recording: lines for people, or calls for programs."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

SECONDS = 5.0
"""Between two reports; a recording that is done sooner prints nothing."""


@dataclass(frozen=True)
class Progress:
    """Progress of a recording; as text, one line for people.

    Attributes:
        name: The recording's name.
        step: Its step.
        instances: Processed so far.
        total: Instances there will be, or None where that is not known.
        seconds: Since the recording began.
        finished: Whether the snapshot is written.
    """

    name: str
    step: int
    instances: int
    total: int | None
    seconds: float
    finished: bool = False

    @property
    def per_second(self) -> float:
        """Instances per second, the user's own work included."""
        return self.instances / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds left at this rate; None where the total is not known, or nothing was processed."""
        if self.total is None or not self.per_second:
            return None
        return max(self.total - self.instances, 0) / self.per_second

    def __str__(self) -> str:
        total = "" if self.total is None else f" of {self.total:,}"
        line = f"ActiVis: {self.name}, step {self.step}: {self.instances:,}{total} instances, {self.per_second:,.0f}/s"
        if self.finished:
            return f"{line}, written after {_clock_text(self.seconds)}"
        return line if self.seconds_left is None else f"{line}, {_clock_text(self.seconds_left)} left"


ProgressFunction = Callable[[Progress], object]


class ProgressReporter:
    """Reporter of the progress, every `SECONDS` and at the end.

    Args:
        name: Of the recording.
        step: Of the recording.
        total: Instances there will be, or None.
        report: The user's function; None prints lines on stderr, none of them where the recording is short.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        name: str,
        step: int,
        total: int | None,
        report: ProgressFunction | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._step, self._total = name, step, total
        self._report = report or _print_line
        self._is_due_at_the_end = report is not None
        self._clock = clock
        self._began = self._reported = clock()

    def update(self, instances: int) -> None:
        """Updates the number of instances processed so far."""
        if self._clock() - self._reported >= SECONDS:
            self._is_due_at_the_end = True
            self._call(instances, finished=False)

    def finish(self, instances: int) -> None:
        """Reports that the snapshot is written."""
        if self._is_due_at_the_end:
            self._call(instances, finished=True)

    def _call(self, instances: int, *, finished: bool) -> None:
        self._reported = self._clock()
        seconds = self._reported - self._began
        self._report(Progress(self._name, self._step, instances, self._total, seconds, finished))


def _clock_text(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _print_line(progress: Progress) -> None:
    print(progress, file=sys.stderr, flush=True)  # noqa: T201 (the user's terminal is where it belongs)
