"""Work beside the training loop: most of it is NumPy's and SciPy's, which let go of the interpreter."""

from collections.abc import Callable
from threading import Thread


class Aside:
    """One piece of work at a time, on a thread of its own; what it raises is raised by the next call here."""

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Waits for the piece before, and begins `work`."""
        self.settle()

        def attempt() -> None:
            try:
                work()
            except BaseException as error:
                self._error = error

        self._thread = Thread(target=attempt, name="activis-recording", daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Waits until nothing is under way."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error
