"""Work beside the training loop: most of it is NumPy's and SciPy's, which let go of the interpreter."""

from collections.abc import Callable
from threading import Thread


class Aside:
    """One piece of work at a time, on a thread of its own; what it raises is raised by every later call here.

    Work that failed is lost, so nothing that is built on it may be used.
    """

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def begin(self, work: Callable[[], None]) -> None:
        """Waits for the piece before, and begins `work`."""
        self.settle()

        self._thread = Thread(target=self._attempt, args=(work,), name="activis-recording", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], None]) -> None:
        """Does `work` on this thread, and raises what it raises, now as later."""
        self.settle()
        self._attempt(work)
        self.settle()

    def settle(self) -> None:
        """Waits until nothing is under way."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            raise self._error

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error
