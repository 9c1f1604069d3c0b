"""Jobs behind requests: few at a time, with progress, from the cache where finished, cancelled when nobody asks."""

import atexit
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from google.protobuf.message import DecodeError, Message
from numpy.typing import NDArray

from activis_tb.errors import ActivisError
from activis_tb.plugin.cache import ArrayCache, cache_folder


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


class Report(Protocol):
    """Is told how far work has come: the iterations done and, where there is one, the newest unfinished result."""

    def __call__(self, iteration: int, newest: NDArray[Any] | None = None, /) -> None: ...


Work = Callable[[Report], None]

_EXIT_SECONDS = 5.0


class QueueFullError(ActivisError):
    """More computations were asked for than are kept waiting."""

    def __init__(self, running: int, waiting: int) -> None:
        message = (
            f"{running} computations are running and {waiting} are waiting, which is the most. "
            "Ask again in a few seconds, or close panels that show t-SNE or another run."
        )
        super().__init__(message)


class JobCancelledError(ActivisError):
    """Nobody asked for the job's result for a while; ends the work that reports to it."""


class Job:
    """One computation under way.

    Attributes:
        iteration: Iterations done.
        newest: The unfinished result that was reported last, or None.
        finished: Set when the work has ended, in whatever way.
        error: What the work raised, or None.
    """

    def __init__(self, work: Work, now: float) -> None:
        self.iteration = 0
        self.newest: NDArray[Any] | None = None
        self.finished = threading.Event()
        self.error: Exception | None = None
        self.work = work
        self.asked = now


class JobQueue:
    """Runs work in threads of its own, at most `workers` at a time.

    They are daemons, which those of a ThreadPoolExecutor cannot be: at exit TensorBoard waits for a job until its next
    report, or a few seconds, and not until it is done.

    Args:
        workers: Computations that run at the same time.
        waiting: Computations that may wait for them.
        patience: Seconds after which a job that nobody asked for is given up.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, workers: int = 2, waiting: int = 16, patience: float = 15.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workers = workers
        self._waiting_limit = waiting
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[str] = deque()
        self._threads: set[threading.Thread] = set()
        self._closing = False
        atexit.register(self.close)

    def ask(self, key: str, work: Work) -> Job:
        """Returns the job of `key`, starting it if needed; to ask is what keeps it alive.

        A job that has ended is forgotten; the work itself keeps its result.

        Raises:
            QueueFullError: Too many are waiting.
            Exception: What the work raised since the last time; the next call starts it again.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = self._enqueue(key, work)
            elif job.error is not None:
                del self._jobs[key]
                raise job.error
            job.asked = self._clock()
            return job

    def close(self) -> None:
        """Gives all jobs up and waits for the running ones, so that the process can end in good order."""
        with self._lock:
            self._closing = True
            threads = list(self._threads)
        for thread in threads:
            thread.join(_EXIT_SECONDS)

    def _enqueue(self, key: str, work: Work) -> Job:
        for stale in [other for other in self._waiting if self._abandoned(self._jobs[other])]:
            self._waiting.remove(stale)
            del self._jobs[stale]
        if len(self._threads) >= self._workers and len(self._waiting) >= self._waiting_limit:
            raise QueueFullError(len(self._threads), len(self._waiting))
        job = self._jobs[key] = Job(work, self._clock())
        self._waiting.append(key)
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._run, name="activis-job", daemon=True)
            self._threads.add(thread)
            thread.start()
        return job

    def _abandoned(self, job: Job) -> bool:
        return self._closing or self._clock() - job.asked > self._patience

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                key = self._waiting.popleft()
                job = self._jobs[key]
            self._work(job)
            with self._lock:
                if job.error is None:
                    del self._jobs[key]
            job.finished.set()

    def _work(self, job: Job) -> None:
        def report(iteration: int, newest: NDArray[Any] | None = None, /) -> None:
            job.iteration, job.newest = iteration, newest
            if self._abandoned(job):
                raise JobCancelledError

        try:
            if not self._abandoned(job):
                job.work(report)
        except JobCancelledError:
            return
        except Exception as error:
            job.error = error


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
