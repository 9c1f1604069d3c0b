"""Projections on request: PCA at once, t-SNE as a job, finished ones from the cache."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis import projection
from activis_tb.plugin.cache import ArrayCache, cache_folder
from activis_tb.plugin.jobs import JobQueue, Report
from activis_tb.plugin.recent import Recent

Method = Literal["pca", "tsne"]
METHODS: tuple[Method, ...] = ("tsne", "pca")
_MOST_LAYERS = 500


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates as they are now.

    Attributes:
        coordinates: float32 (rows, 2); NaN where a row has no place.
        done: Whether they are final.
        iteration: Iterations done; 0 for PCA.
        iterations: Iterations in all; 0 for PCA.
        perplexity: In force; 0 for PCA.
    """

    coordinates: NDArray[np.float32]
    done: bool = True
    iteration: int = 0
    iterations: int = 0
    perplexity: float = 0.0


@dataclass(frozen=True, eq=False)
class _Subject:
    """What is known about a layer's activations, so that a poll need not read them again."""

    digest: str
    perplexity: float
    start: NDArray[np.float32]


class Projections:
    """Computes and remembers projections.

    Args:
        cache: Of finished t-SNE coordinates.
        jobs: Runs t-SNE.
    """

    def __init__(self, cache: ArrayCache | None = None, jobs: JobQueue | None = None) -> None:
        self._cache = cache or ArrayCache(cache_folder())
        self._jobs = jobs or JobQueue()
        self._subjects: Recent[str, _Subject] = Recent(_MOST_LAYERS)
        self._principal: Recent[str, NDArray[np.float32]] = Recent(_MOST_LAYERS)

    def get(self, identity: str, fetch: Callable[[], NDArray[np.float32]], method: Method) -> Projection:
        """Returns the projection of a layer's activations, or how far it has come.

        Args:
            identity: Names the activations; they must not change under it.
            fetch: Returns them, float32 (rows, neurons).
            method: `pca` or `tsne`.

        Raises:
            QueueFullError: Too many t-SNE jobs are waiting.
        """
        if method == "pca":
            return Projection(self._principal.get_or_make(identity, lambda: projection.pca(fetch())))
        subject = self._subjects.get_or_make(identity, lambda: _subject(fetch()))
        key = f"tsne-{projection.TSNE_VERSION}-{subject.digest}"
        coordinates = self._finished(key, subject)
        if coordinates is not None:
            return _tsne(coordinates, True, projection.ITERATIONS, subject)

        def work(report: Report) -> None:
            self._cache.put(key, projection.tsne(fetch(), report))

        job = self._jobs.ask(key, work)
        newest = subject.start if job.coordinates is None else job.coordinates
        return _tsne(newest, False, job.iteration, subject)

    def _finished(self, key: str, subject: _Subject) -> NDArray[np.float32] | None:
        """Returns the cached coordinates, unless a file of another kind stands in their place."""
        cached = self._cache.get(key)
        if cached is None or cached.shape != subject.start.shape or cached.dtype != np.float32:
            return None
        return cached


def _tsne(coordinates: NDArray[np.float32], done: bool, iteration: int, subject: _Subject) -> Projection:
    return Projection(coordinates, done, iteration, projection.ITERATIONS, subject.perplexity)


def _subject(activations: NDArray[np.float32]) -> _Subject:
    content = np.ascontiguousarray(activations)
    digest = hashlib.sha256(repr(content.shape).encode())
    digest.update(content.data)
    rows = int(projection.finite_rows(activations).sum())
    return _Subject(digest.hexdigest()[:32], projection.perplexity_of(rows), projection.tsne_start(activations))
