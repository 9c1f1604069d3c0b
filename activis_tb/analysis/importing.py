"""One thread at a time imports the big libraries.

Their modules import one another in circles. Where two threads come across such a circle, Python lets one of them see a
module that is not complete yet rather than have both wait for ever.
"""

from threading import RLock
from traceback import walk_tb
from types import TracebackType


class _Importing:
    """A lock; what else goes wrong in it than an import is one that failed."""

    def __init__(self) -> None:
        self._lock = RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
        if isinstance(error, Exception) and not isinstance(error, ImportError):
            # Extensions that were built for another NumPy raise ValueError or AttributeError.
            raise ImportError(str(error), name=_imported(traceback)) from error


def _imported(traceback: TracebackType | None) -> str | None:
    """The first library that was being imported when an error was raised."""
    modules = (str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in walk_tb(traceback))
    return next((name for name in modules if name not in {"activis_tb", "importlib"}), None)


IMPORTING = _Importing()
"""To be held around each import of scikit-learn, openTSNE and SciPy that is not at the top of a file."""
