"""Projections on request: PCA at once, t-SNE as a job, finished ones from the cache."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis import projection
from activis_tb.analysis.tsne import align
from activis_tb.plugin.computations import Computations, content_key
from activis_tb.plugin.layers import RecordedLayer
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

    def onto(self, other: "Projection", rows: NDArray[np.int32]) -> "Projection":
        """Returns this projection laid onto `other`; it is done when both are.

        Args:
            other: The one that stays as it is.
            rows: The instances in both, (instances, 2): the row in this one, the row in `other`.
        """
        return replace(
            self,
            coordinates=align(self.coordinates, other.coordinates, rows),
            done=self.done and other.done,
            iteration=self.iteration + other.iteration,
            iterations=self.iterations + other.iterations,
        )


@dataclass(frozen=True, eq=False)
class Subject:
    """What is known about a layer's activations, so that a poll need not read them again.

    Attributes:
        digest: Names their content.
        rows: How many have a place.
        neurons_left_out: How many take no part.
        principal: PCA coordinates, float32 (rows, 2).
        start: The same in the scale of t-SNE.
    """

    digest: str
    rows: int
    neurons_left_out: int
    principal: NDArray[np.float32]
    start: NDArray[np.float32]

    def fits(self, coordinates: NDArray[Any]) -> bool:
        return coordinates.shape == self.start.shape and coordinates.dtype == np.float32


class Projections:
    """Computes and remembers projections.

    Args:
        computations: Run t-SNE and remember it.
    """

    def __init__(self, computations: Computations) -> None:
        self._computations = computations
        self._subjects: Recent[str, Subject] = Recent(_MOST_LAYERS)

    def subject(self, layer: RecordedLayer) -> Subject:
        """Returns what is known about `layer`."""
        return self._subjects.get_or_make(layer.identity, lambda: subject_of(layer.fetch()))

    def get(self, layer: RecordedLayer, method: Method, perplexity: float = projection.PERPLEXITY) -> Projection:
        """Returns the projection of a layer's activations, or how far it has come.

        Args:
            layer: What to project.
            method: `pca` or `tsne`.
            perplexity: Wanted for t-SNE; few rows lower it.

        Raises:
            QueueFullError: Too many t-SNE jobs are waiting.
        """
        subject = self.subject(layer)
        placed = {"rows": subject.rows, "neurons_left_out": subject.neurons_left_out}
        if method == "pca":
            return Projection(subject.principal, True, 0, 0, 0.0, **placed)
        in_force = projection.perplexity_of(subject.rows, perplexity)
        key = f"tsne-{projection.TSNE_VERSION}-{in_force:.3f}-{subject.digest}".replace(".", "-")
        end = projection.ITERATIONS
        found = self._computations.array(
            key, subject.fits, lambda report: projection.tsne(layer.fetch(), report, perplexity)
        )
        if found.result is not None:
            return Projection(found.result, True, end, end, in_force, **placed)
        newest = subject.start if found.newest is None else found.newest
        return Projection(newest, False, found.iteration, end, in_force, **placed)


def subject_of(activations: NDArray[np.float32]) -> Subject:
    places, neurons = projection.placed(activations)
    principal = projection.pca(activations)
    return Subject(
        digest=content_key("layer", activations),
        rows=int(np.count_nonzero(places)),
        neurons_left_out=int(np.count_nonzero(~neurons)),
        principal=principal,
        start=projection.tsne_start(principal),
    )
