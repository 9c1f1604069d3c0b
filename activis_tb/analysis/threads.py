"""Threads of the analysis: one for imports of big libraries, one for linear algebra, a few for tasks side by side.

Their modules import one another in circles. Where two threads come across such a circle, Python lets one of them see a
module that is not complete yet rather than have both wait for ever.

BLAS threads wait for one another by spinning: while another computation has their core, a product that takes
milliseconds alone takes seconds. Their number also changes the last bits of the result.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from math import inf
from threading import RLock
from time import monotonic
from traceback import walk_tb
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController


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


def one_thread() -> AbstractContextManager[Any]:
    """Returns a context in which NumPy's linear algebra uses one thread."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limit


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
    """Returns what `work` makes of every item, in their order.

    Args:
        work: Mostly long operations of NumPy, which let go of the interpreter; small ones are faster one by one. It
            must not call this function itself: it would wait for its own thread.
        items: Any number of them.
        at_once: How many, as far as there are cores and threads.
        most_seconds: Afterwards nothing more is begun.

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
    """The threads of all requests; they stay, and so does the memory that each of them works in."""
    return ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="activis-analysis")
