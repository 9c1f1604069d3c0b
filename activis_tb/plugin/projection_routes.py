"""The route `projection`: of one layer, by itself, in the frame of its steps, or laid onto that of another snapshot."""

from typing import Literal

import numpy as np
from werkzeug.wrappers import Request, Response

from activis_tb.analysis.projection import PERPLEXITY
from activis_tb.plugin import payloads
from activis_tb.plugin.comparisons import Comparisons, Pair
from activis_tb.plugin.computations import Computations
from activis_tb.plugin.layers import shown_layer
from activis_tb.plugin.params import Parameters
from activis_tb.plugin.projections import METHODS, Projection, Projections
from activis_tb.plugin.snapshots import Finder, JoinedSnapshot
from activis_tb.plugin.step_projections import Step, StepProjections

Frame = Literal["own", "steps"]
FRAMES: tuple[Frame, ...] = ("own", "steps")
_PERPLEXITIES = (5, 100)
_NOBODY = np.empty((0, 2), np.int32)


class ProjectionRoutes:
    """Answers requests for projections.

    Args:
        computations: Run t-SNE and remember it.
        comparisons: Know which instances are in two snapshots.
    """

    def __init__(self, computations: Computations, comparisons: Comparisons) -> None:
        self._projections = Projections(computations)
        self._step_projections = StepProjections(computations, self._projections)
        self._comparisons = comparisons

    def projection(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        """Returns coordinates, final ones with 200 and others with 202; raises what `Projections` raises."""
        projection = self._find(parameters, find)
        headers = [
            ("Activis-Iteration", str(projection.iteration)),
            ("Activis-Iterations", str(projection.iterations)),
            ("Activis-Perplexity", f"{projection.perplexity:g}"),
            ("Activis-Rows", str(projection.rows)),
            ("Activis-Neurons-Left-Out", str(projection.neurons_left_out)),
        ]
        return payloads.npy(request, projection.coordinates, 200 if projection.done else 202, headers)

    def _find(self, parameters: Parameters, find: Finder) -> Projection:
        layer = parameters.text("layer")
        snapshot = find.get(parameters.snapshot())
        own = self._project(parameters, find, snapshot, layer)
        if not parameters.has("onto_run"):
            return own
        onto = find.get(parameters.snapshot("onto_"))
        fixed = self._project(parameters, find, onto, parameters.text("onto_layer", layer))
        return own.onto(fixed, self._comparisons.common(Pair(snapshot, onto)))

    def _project(self, parameters: Parameters, find: Finder, snapshot: JoinedSnapshot, layer: str) -> Projection:
        method = parameters.choice("method", METHODS)
        perplexity = parameters.integer_within("perplexity", *_PERPLEXITIES, default=PERPLEXITY)
        shown = shown_layer(snapshot, layer)
        if parameters.choice("frame", FRAMES, default="own") == "own" or method == "pca":
            return self._projections.get(shown, method, perplexity)
        others = find.steps(snapshot.key)
        snapshots = [other for other in others if layer in other.readers]
        steps = [
            Step(shown_layer(this, layer), self._comparisons.common(Pair(earlier, this)) if earlier else _NOBODY)
            for earlier, this in zip([None, *snapshots], snapshots, strict=False)
        ]
        wanted = [one.key for one in snapshots].index(snapshot.key)
        return self._step_projections.get(steps, wanted, perplexity)
