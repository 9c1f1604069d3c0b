"""The route `projection`: of one layer, by itself or laid onto that of another snapshot."""

from werkzeug.wrappers import Request, Response

from activis_tb.analysis.projection import PERPLEXITY
from activis_tb.plugin import payloads
from activis_tb.plugin.comparison_routes import Find
from activis_tb.plugin.comparisons import Comparisons, Pair
from activis_tb.plugin.computations import Computations
from activis_tb.plugin.layers import shown_layer
from activis_tb.plugin.params import Parameters
from activis_tb.plugin.projections import METHODS, Projection, Projections

_PERPLEXITIES = (5, 100)


class ProjectionRoutes:
    """Answers requests for projections.

    Args:
        computations: Run t-SNE and remember it.
        comparisons: Know which instances are in two snapshots.
    """

    def __init__(self, computations: Computations, comparisons: Comparisons) -> None:
        self._projections = Projections(computations)
        self._comparisons = comparisons

    def projection(self, request: Request, parameters: Parameters, find: Find) -> Response:
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

    def _find(self, parameters: Parameters, find: Find) -> Projection:
        layer, method = parameters.text("layer"), parameters.choice("method", METHODS)
        perplexity = parameters.integer_within("perplexity", *_PERPLEXITIES, default=PERPLEXITY)
        snapshot = find(parameters.snapshot())
        own = self._projections.get(shown_layer(snapshot, layer), method, perplexity)
        if not parameters.has("onto_run"):
            return own
        onto = find(parameters.snapshot("onto_"))
        onto_layer = shown_layer(onto, parameters.text("onto_layer", layer))
        fixed = self._projections.get(onto_layer, method, perplexity)
        return own.onto(fixed, self._comparisons.common(Pair(snapshot, onto)))
