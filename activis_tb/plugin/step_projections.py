"""t-SNE of one layer over the steps of a run, each begun where the one before ended."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis import projection
from activis_tb.analysis.projection import STEP_ITERATIONS, STEPS_VERSION, perplexity_of
from activis_tb.plugin.computations import Computations, content_key
from activis_tb.plugin.jobs import Report
from activis_tb.plugin.layers import RecordedLayer
from activis_tb.plugin.projections import Projection, Projections, Subject


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
    """Computes and remembers the chain of a layer's projections.

    Args:
        computations: Run t-SNE and remember it.
        projections: Know the layers.
    """

    def __init__(self, computations: Computations, projections: Projections) -> None:
        self._computations = computations
        self._projections = projections

    def get(self, steps: Sequence[Step], wanted: int, perplexity: float) -> Projection:
        """Returns the projection at one of the steps, or how far the chain has come towards it.

        One job computes the chain from the first step on and ends after the last one, so that those who ask for several
        steps share it.

        Args:
            steps: In order.
            wanted: Position of the step in `steps`.
            perplexity: Wanted; few rows lower it.

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
    """Returns the coordinates that the instances had, by the rows of this step, float32 (rows, 2)."""
    result = np.full((rows, 2), np.nan, np.float32)
    result[before[:, 1]] = earlier[before[:, 0]]
    return result
