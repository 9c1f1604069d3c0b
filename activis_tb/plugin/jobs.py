"""Long computations behind requests: few at a time, with progress, given up when nobody asks any more."""

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from activis_tb.errors import ActivisError


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
