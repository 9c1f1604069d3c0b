"""What takes long to compute: from the cache where it is there, else by a job that can be asked how far it is."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from activis_tb.plugin.cache import ArrayCache, cache_folder
from activis_tb.plugin.jobs import Job, JobQueue, Report, Work

_Document = TypeVar("_Document", bound=Message)


class Computed(NamedTuple):
    """An array as it is now.

    Attributes:
        result: The finished array, or None.
        iteration: Iterations done, where it is not finished.
        newest: What was reported last, or None.
    """

    result: NDArray[Any] | None
    iteration: int
    newest: NDArray[Any] | None


class Computations:
    """Computes in jobs and remembers the results in memory and on disk.

    Args:
        cache: Of finished results.
        jobs: Runs the work.
    """

    def __init__(self, cache: ArrayCache | None = None, jobs: JobQueue | None = None) -> None:
        self._cache = cache or ArrayCache(cache_folder())
        self._jobs = jobs or JobQueue()

    def array(
        self,
        key: str,
        fits: Callable[[NDArray[Any]], bool],
        compute: Callable[[Report], NDArray[Any]],
        wait: float = 0,
    ) -> Computed:
        """Returns the array of `key`, or how far its job has come; to ask is what keeps the job alive.

        Args:
            key: Names the content, letters, digits and dashes: see `content_key`.
            fits: Whether a cached array can be what is expected; another one is computed again.
            compute: Returns the array; runs in a thread.
            wait: Seconds to wait for a job that may be a short one.

        Raises:
            QueueFullError: Too many jobs are waiting.
        """
        known = self.known(key, fits)
        if known is not None:
            return Computed(known, 0, None)
        job = self.work(key, lambda report: self.keep(key, compute(report)))
        ended = job.finished.wait(wait) if wait else False
        return Computed(self.known(key, fits) if ended else None, job.iteration, job.newest)

    def document(
        self, key: str, kind: type[_Document], compute: Callable[[Report], _Document], wait: float
    ) -> tuple[_Document | None, int]:
        """Returns a wire message that is computed as `array` computes one, or None and the iterations done."""

        def content(report: Report) -> NDArray[np.uint8]:
            return np.frombuffer(compute(report).SerializeToString(), np.uint8)

        computed = self.array(key, lambda cached: _parsed(kind, cached) is not None, content, wait)
        return (None if computed.result is None else _parsed(kind, computed.result)), computed.iteration

    def known(self, key: str, fits: Callable[[NDArray[Any]], bool]) -> NDArray[Any] | None:
        """Returns the array of `key` if it is there."""
        cached = self._cache.get(key)
        return cached if cached is not None and fits(cached) else None

    def keep(self, key: str, array: NDArray[Any]) -> None:
        """Keeps an array, which must not be changed from then on."""
        self._cache.put(key, array)

    def work(self, key: str, work: Work) -> Job:
        """Returns the job of `key`, for work that keeps several arrays; raises what `JobQueue.ask` raises."""
        return self._jobs.ask(key, work)


def content_key(kind: str, *contents: NDArray[Any] | str | int) -> str:
    """Returns a key for what is computed from `contents`: the same for the same content alone."""
    digest = hashlib.sha256()
    for content in contents:
        if isinstance(content, np.ndarray):
            digest.update(repr((content.shape, content.dtype.str)).encode())
            digest.update(np.ascontiguousarray(content).data)
        else:
            digest.update(f"{type(content).__name__}{content}\0".encode())
    return f"{kind}-{digest.hexdigest()[:32]}"


def _parsed(kind: type[_Document], cached: NDArray[Any]) -> _Document | None:
    message = kind()
    try:
        message.ParseFromString(cached.tobytes())
    except DecodeError:
        return None
    return message
