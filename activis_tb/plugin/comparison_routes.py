"""The routes that compare two snapshots, and `separation`, which compares the classes of one."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from werkzeug.wrappers import Request, Response

from activis_tb.plugin import payloads, separations
from activis_tb.plugin.agreement import agreement
from activis_tb.plugin.comparisons import METHODS, Comparisons, Pair
from activis_tb.plugin.computations import Computations
from activis_tb.plugin.layers import Digests
from activis_tb.plugin.params import Parameters
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.separations import Separations
from activis_tb.plugin.snapshots import Finder
from activis_tb.storage import activis_pb2 as pb

if TYPE_CHECKING:
    from activis_tb.plugin.stored_outcomes import StoredOutcomes

Handler = Callable[[Request, Parameters, Finder], Response]
_MOST_AGREEMENTS = 200


class ComparisonRoutes:
    """Answers requests that compare.

    Args:
        computations: Runs and remembers what takes long.
        logdir: As TensorBoard was given it; may be empty.

    Attributes:
        comparisons: Of two snapshots.
        handlers: By route; they raise what `Comparisons` raises.
    """

    def __init__(self, computations: Computations, logdir: str) -> None:
        digests = Digests()
        self.comparisons = Comparisons(computations, digests)
        self._separations = Separations(computations, digests)
        self._computations = computations
        self._logdir = logdir
        self._lock = Lock()
        self._stored_outcomes: StoredOutcomes | None = None
        self._agreements: Recent[tuple[str, str], dict[str, Any]] = Recent(_MOST_AGREEMENTS)
        self.handlers: Mapping[str, Handler] = {
            "common": self._common,
            "agreement": self._agreement,
            "outcomes": self._outcomes,
            "matching": self._matching,
            "separation": self._separation,
            "similarity": self._similarity,
        }

    def _common(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        return payloads.npy(request, self.comparisons.common(_pair(parameters, find)))

    def _agreement(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        pair = _pair(parameters, find)
        document = self._agreements.get_or_make(
            (pair.base.identity, pair.other.identity),
            lambda: payloads.message_to_dict(agreement(pair.base, pair.other, self.comparisons.common(pair))),
        )
        return payloads.json_document(request, document)

    def _outcomes(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        from activis_tb.plugin.stored_outcomes import ITERATIONS, StoredOutcomes

        with self._lock:
            if self._stored_outcomes is None:
                self._stored_outcomes = StoredOutcomes(self._computations, self._logdir)
        found = self._stored_outcomes.get(_pair(parameters, find))
        return _answer(request, found or pb.OutcomeCounts(), found is not None, 0, ITERATIONS)

    def _matching(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        layer = parameters.text("layer")
        other_layer = parameters.text("other_layer", layer)
        method = parameters.choice("method", METHODS)
        found, done = self.comparisons.matching(_pair(parameters, find), layer, other_layer, method)
        return _answer(request, found or pb.NeuronMatching(), found is not None, done, 1)

    def _separation(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        found, done = self._separations.get(find.get(parameters.snapshot()), parameters.text("layer"))
        return _answer(request, found or pb.LayerSeparation(), found is not None, done, separations.ITERATIONS)

    def _similarity(self, request: Request, parameters: Parameters, find: Finder) -> Response:
        pair = _pair(parameters, find)
        layers = parameters.texts("layer") or [layer.name for layer in pair.base.layers]
        other_layers = parameters.texts("other_layer") or [layer.name for layer in pair.other.layers]
        found, done = self.comparisons.similarity(pair, layers, other_layers)
        pairs = len(layers) * len(other_layers)
        return _answer(request, found or pb.LayerSimilarity(), found is not None, done, pairs)


def _pair(parameters: Parameters, find: Finder) -> Pair:
    return Pair(find.get(parameters.snapshot()), find.get(parameters.snapshot("other_")))


def _answer(request: Request, message: Message, done: bool, iteration: int, iterations: int) -> Response:
    """Returns a finished message, or the empty one with 202 and how far it is."""
    headers = [
        ("Activis-Iteration", str(iterations if done else iteration)),
        ("Activis-Iterations", str(iterations)),
    ]
    return payloads.json_document(request, payloads.message_to_dict(message), 200 if done else 202, headers)
