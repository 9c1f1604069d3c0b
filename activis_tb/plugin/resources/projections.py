"""Projections on request: PCA at once, t-SNE as a job; of one layer, over steps, or aligned to another's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.analysis import projection
from activis_tb.analysis.projection import PERPLEXITY, STEP_ITERATIONS, STEPS_VERSION, perplexity_of
from activis_tb.analysis.tsne import align
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.jobs import Computations, Report, content_key
from activis_tb.plugin.resources.comparisons import Comparisons, Pair
from activis_tb.plugin.resources.layers import RecordedLayer, shown_layer
from activis_tb.plugin.resources.words import words_layer
from activis_tb.plugin.snapshots import JoinedSnapshot

Method = Literal["pca", "tsne"]
METHODS: tuple[Method, ...] = ("tsne", "pca")
_SUBJECTS_LIMIT = 64 * MEBIBYTE


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates of a projection, final or intermediate.

    Attributes:
        coordinates: float32 (rows, 2); NaN where a row has no place.
        done: Whether they are final.
        iteration: Iterations done; 0 for PCA.
        iterations: Iterations in all; 0 for PCA.
        perplexity: In force; 0 for PCA.
        rows: Number of rows that have a place.
        neurons_left_out: Number of neurons that are not finite in most rows and are left out.
    """

    coordinates: NDArray[np.float32]
    done: bool
    iteration: int
    iterations: int
    perplexity: float
    rows: int
    neurons_left_out: int

    def onto(self, other: "Projection", rows: NDArray[np.int32]) -> "Projection":
        """Returns this projection aligned to `other`; it is final when both are.

        Args:
            other: The fixed projection.
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
    """Cached facts about a layer's activations, so that a poll need not read them again.

    Attributes:
        digest: Digest of their content.
        rows: Number of rows that have a place.
        neurons_left_out: Number of neurons that are left out.
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
    """Projections of single layers, cached.

    Args:
        computations: Background jobs with cached results.
    """

    def __init__(self, computations: Computations) -> None:
        self._computations = computations
        self._subjects: Recent[str, Subject] = Recent(_SUBJECTS_LIMIT)

    def subject(self, layer: RecordedLayer) -> Subject:
        """Returns the cached facts about `layer`."""
        return self._subjects.get_or_make(layer.identity, lambda: subject_of(layer.fetch()))

    def get(self, layer: RecordedLayer, method: Method, perplexity: float = projection.PERPLEXITY) -> Projection:
        """Returns the projection of a layer's activations, final or intermediate.

        Args:
            layer: What to project.
            method: `pca` or `tsne`.
            perplexity: Perplexity of t-SNE; reduced for few rows.

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


class Step(NamedTuple):
    """A layer at one step.

    Attributes:
        layer: What to project.
        before: The instances that the step before has too, (instances, 2): the row there, the row here.
    """

    layer: RecordedLayer
    before: NDArray[np.int32]


class _Link(NamedTuple):
    step: Step
    subject: Subject
    key: str


class StepProjections:
    """Chains of a layer's projections over steps, cached.

    Args:
        computations: Background jobs with cached results.
        projections: Projections of single layers.
    """

    def __init__(self, computations: Computations, projections: Projections) -> None:
        self._computations = computations
        self._projections = projections

    def get(self, steps: Sequence[Step], wanted: int, perplexity: float) -> Projection:
        """Returns the projection at one of the steps, final or intermediate.

        One job computes the chain from the first step on and ends after the last one, so that requests for several
        steps share it.

        Args:
            steps: In order.
            wanted: Position of the step in `steps`.
            perplexity: Perplexity; reduced for few rows.

        Raises:
            QueueFullError: Too many jobs are waiting.
        """
        links = self._links(steps, perplexity)
        _, subject, key = links[wanted]
        placed = {"rows": subject.rows, "neurons_left_out": subject.neurons_left_out}
        in_force, end = perplexity_of(subject.rows, perplexity), (wanted + 1) * STEP_ITERATIONS
        known = self._computations.known(key, subject.fits)
        if known is not None:
            return Projection(projection.in_frame(known), True, end, end, in_force, **placed)
        job = self._computations.work(f"{links[-1].key}-chain", lambda report: self._compute(links, perplexity, report))
        at = job.iteration // STEP_ITERATIONS
        fresh = job.newest is not None and at == wanted and subject.fits(job.newest)
        newest = job.newest if fresh and job.newest is not None else subject.start
        return Projection(projection.in_frame(newest), False, min(job.iteration, end), end, in_force, **placed)

    def _links(self, steps: Sequence[Step], perplexity: float) -> list[_Link]:
        links: list[_Link] = []
        for step in steps:
            subject = self._projections.subject(step.layer)
            in_force = f"{perplexity_of(subject.rows, perplexity):.3f}"
            earlier = links[-1].key if links else ""
            key = content_key("steps", STEPS_VERSION, in_force, earlier, subject.digest, step.before)
            links.append(_Link(step, subject, key))
        return links

    def _compute(self, links: Sequence[_Link], perplexity: float, report: Report) -> None:
        earlier: NDArray[np.float32] | None = None
        for position, (step, subject, key) in enumerate(links):
            begun = position * STEP_ITERATIONS
            layout = self._computations.known(key, subject.fits)
            if layout is None:
                predecessor = None if earlier is None else _moved(earlier, step.before, len(subject.start))
                layout = projection.tsne_step(
                    step.layer.fetch(),
                    predecessor,
                    lambda done, newest, begun=begun: report(begun + done, newest),  # type: ignore[misc]
                    perplexity,
                )
                self._computations.keep(key, layout)
            report(begun + STEP_ITERATIONS)
            earlier = layout


def _moved(earlier: NDArray[np.float32], before: NDArray[np.int32], rows: int) -> NDArray[np.float32]:
    """Returns the instances' previous coordinates, by the rows of this step, float32 (rows, 2)."""
    result = np.full((rows, 2), np.nan, np.float32)
    result[before[:, 1]] = earlier[before[:, 0]]
    return result


Frame = Literal["own", "steps"]
FRAMES: tuple[Frame, ...] = ("own", "steps")
_SUBJECTS = ("instances", "words")
_PERPLEXITIES = (5, 100)
_NOBODY = np.empty((0, 2), np.int32)


class ProjectionRoutes:
    """Routes of projections.

    Args:
        computations: Background jobs with cached results.
        comparisons: Comparisons, for the instances that are in two snapshots.
    """

    def __init__(self, computations: Computations, comparisons: Comparisons) -> None:
        self._projections = Projections(computations)
        self._step_projections = StepProjections(computations, self._projections)
        self._comparisons = comparisons

    def answer(self, context: Context) -> Response:
        """Returns coordinates, final ones with 200 and others with 202; raises what `Projections` raises."""
        projection = self._find(context)
        headers = [
            ("Activis-Iteration", str(projection.iteration)),
            ("Activis-Iterations", str(projection.iterations)),
            ("Activis-Perplexity", f"{projection.perplexity:g}"),
            ("Activis-Rows", str(projection.rows)),
            ("Activis-Neurons-Left-Out", str(projection.neurons_left_out)),
        ]
        return http.npy(context.request, projection.coordinates, 200 if projection.done else 202, headers)

    def _find(self, context: Context) -> Projection:
        layer = context.parameters.text("layer")
        if context.parameters.choice("of", _SUBJECTS, default="instances") == "words":
            method, perplexity = self._method(context)
            return self._projections.get(words_layer(context.snapshot, layer), method, perplexity)
        own = self._project(context, context.snapshot, layer)
        if not context.parameters.has("onto_run"):
            return own
        onto = context.find("onto_")
        fixed = self._project(context, onto, context.parameters.text("onto_layer", layer))
        return own.onto(fixed, self._comparisons.common(Pair(context.snapshot, onto)))

    @staticmethod
    def _method(context: Context) -> tuple[Method, int]:
        perplexity = context.parameters.integer_within("perplexity", *_PERPLEXITIES, default=PERPLEXITY)
        return context.parameters.choice("method", METHODS), perplexity

    def _project(self, context: Context, snapshot: JoinedSnapshot, layer: str) -> Projection:
        parameters = context.parameters
        method, perplexity = self._method(context)
        shown = shown_layer(snapshot, layer)
        if parameters.choice("frame", FRAMES, default="own") == "own" or method == "pca":
            return self._projections.get(shown, method, perplexity)
        snapshots = [other for other in context.steps(snapshot) if layer in other.readers]
        steps = [
            Step(shown_layer(this, layer), self._comparisons.common(Pair(earlier, this)) if earlier else _NOBODY)
            for earlier, this in zip([None, *snapshots], snapshots, strict=False)
        ]
        wanted = [one.key for one in snapshots].index(snapshot.key)
        return self._step_projections.get(steps, wanted, perplexity)
