"""A few things at once, for as long as somebody waits."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from math import inf
from time import monotonic
from typing import TypeVar

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
