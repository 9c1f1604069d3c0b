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
        rows: How many have a place.
        neurons_left_out: How many were not finite in most rows and take no part.
    """

    coordinates: NDArray[np.float32]
    done: bool
    iteration: int
    iterations: int
    perplexity: float
    rows: int
    neurons_left_out: int


@dataclass(frozen=True, eq=False)
class _Subject:
    """What is known about a layer's activations, so that a poll need not read them again."""

    digest: str
    rows: int
    neurons_left_out: int
    principal: NDArray[np.float32]
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

    def get(
        self,
        identity: str,
        fetch: Callable[[], NDArray[np.float32]],
        method: Method,
        perplexity: float = projection.PERPLEXITY,
    ) -> Projection:
        """Returns the projection of a layer's activations, or how far it has come.

        Args:
            identity: Names the activations; they must not change under it.
            fetch: Returns them, float32 (rows, neurons).
            method: `pca` or `tsne`.
            perplexity: Wanted for t-SNE; few rows lower it.

        Raises:
            QueueFullError: Too many t-SNE jobs are waiting.
        """
        subject = self._subjects.get_or_make(identity, lambda: _subject(fetch()))
        placed = {"rows": subject.rows, "neurons_left_out": subject.neurons_left_out}
        if method == "pca":
            return Projection(subject.principal, True, 0, 0, 0.0, **placed)
        in_force = projection.perplexity_of(subject.rows, perplexity)
        key = f"tsne-{projection.TSNE_VERSION}-{in_force:.3f}-{subject.digest}".replace(".", "-")
        end = projection.ITERATIONS
        coordinates = self._finished(key, subject)
        if coordinates is not None:
            return Projection(coordinates, True, end, end, in_force, **placed)

        def work(report: Report) -> None:
            self._cache.put(key, projection.tsne(fetch(), report, perplexity))

        job = self._jobs.ask(key, work)
        newest = subject.start if job.coordinates is None else job.coordinates
        return Projection(newest, False, job.iteration, end, in_force, **placed)

    def _finished(self, key: str, subject: _Subject) -> NDArray[np.float32] | None:
        """Returns the cached coordinates, unless a file of another kind stands in their place."""
        cached = self._cache.get(key)
        if cached is None or cached.shape != subject.start.shape or cached.dtype != np.float32:
            return None
        return cached


def _subject(activations: NDArray[np.float32]) -> _Subject:
    content = np.ascontiguousarray(activations)
    digest = hashlib.sha256(repr(content.shape).encode())
    digest.update(content.data)
    places, neurons = projection.placed(activations)
    principal = projection.pca(activations)
    return _Subject(
        digest=digest.hexdigest()[:32],
        rows=int(np.count_nonzero(places)),
        neurons_left_out=int(np.count_nonzero(~neurons)),
        principal=principal,
        start=projection.tsne_start(principal),
    )
