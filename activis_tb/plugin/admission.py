"""How many computations may go on at once inside of requests: a few, the next ones wait a little."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from activis_tb.errors import ActivisError


class BusyError(ActivisError):
    """Too many computations are going on."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} subsets are being computed, which is the most at a time. Ask again in a second.")


class Admission:
    """Lets a few in at a time.

    Args:
        most: How many.
        patience: Seconds that one more may wait.
    """

    def __init__(self, most: int = 4, patience: float = 4.0) -> None:
        self._most = most
        self._patience = patience
        self._free = BoundedSemaphore(most)

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Raises BusyError where the others do not make room in time."""
        if not self._free.acquire(timeout=self._patience):
            raise BusyError(self._most)
        try:
            yield
        finally:
            self._free.release()
