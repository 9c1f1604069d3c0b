"""Threads of the analysis: a lock for imports of large libraries, single-threaded BLAS, and a thread pool.

The libraries have circular imports. When two threads meet in such a circle, Python lets one of them see a partially
initialised module to avoid a deadlock.

BLAS threads spin while they wait for one another: when another computation occupies their core, a product of
milliseconds takes seconds. Their number also changes the last bits of the result.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from math import inf
from threading import Lock, RLock
from time import monotonic
from traceback import walk_tb
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


class _Importing:
    """Lock around imports; any error of a failed import is raised as ImportError."""

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
"""Hold this around each import of scikit-learn, openTSNE and SciPy that is not at the top of a file."""


class _OneThread:
    """Limit of NumPy's linear algebra to one thread, for all who ask at once: the last to leave lifts it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


_ONE_THREAD = _OneThread()


def one_thread() -> AbstractContextManager[None]:
    """Returns a context in which NumPy's linear algebra uses one thread."""
    return _ONE_THREAD


@cache
def _controller() -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


_MOST_THREADS = 4

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def work_on_each(
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, at_once: int = _MOST_THREADS, most_seconds: float = inf
) -> list[_Result]:
    """Maps `work` over the items by the thread pool; results are in the order of the items.

    Args:
        work: Mostly long NumPy operations, which release the GIL; short ones are faster in sequence. It must not
            call this function itself, which would deadlock.
        items: Any number of them.
        at_once: At most so many in parallel.
        most_seconds: After this no further item is begun.

    Raises:
        TimeoutError: It took longer than `most_seconds`; what was begun goes on.
    """
    end = monotonic() + most_seconds

    def timed(item: _Item) -> _Result:
        if monotonic() > end:
            raise TimeoutError
        return work(item)

    waiting = list(items)
    threads = min(at_once, _MOST_THREADS, os.cpu_count() or 1, len(waiting))
    if threads < 2:
        return [timed(item) for item in waiting]
    return list(_pool().map(timed, waiting))


@cache
def _pool() -> ThreadPoolExecutor:
    """The thread pool of all requests; threads keep their scratch memory."""
    return ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="activis-analysis")
