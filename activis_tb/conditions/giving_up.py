"""Evaluations that nobody waits for any more, such as of what somebody has typed on since."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from activis_tb.errors import ActivisError


class GivenUpError(ActivisError):
    """An evaluation was stopped because nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__("A newer condition has taken the place of this one, which was given up. Ask again if needed.")


class GivingUp:
    """Lets one thread stop what another one evaluates."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._happened = False
        self._stops: list[Callable[[], None]] = []

    @property
    def happened(self) -> bool:
        """Whether the evaluation was given up."""
        return self._happened

    def give_up(self) -> None:
        """Stops what is under way and whatever would begin later."""
        with self._lock:
            self._happened = True
            for stop in self._stops:
                stop()

    def check(self) -> None:
        """Raises GivenUpError where the evaluation was given up."""
        if self._happened:
            raise GivenUpError

    @contextmanager
    def stopping_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """Has `stop` called, from the thread that gives up, where that happens in this block."""
        self.check()
        with self._lock:
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)
