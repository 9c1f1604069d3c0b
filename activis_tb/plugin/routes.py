"""Routes of `docs/http_api.md`: one table of handlers, and the one place where errors become answers."""

import logging
import sys
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

from tensorboard import errors
from tensorboard.data.provider import DataProvider
from werkzeug.wrappers import Request, Response

from activis_tb.errors import ActivisError, ArgumentError, StoredDataError, shorten
from activis_tb.plugin.catalogue import Catalogue
from activis_tb.plugin.context import Context, Handler
from activis_tb.plugin.entries import RunRoute
from activis_tb.plugin.graphs import Graphs
from activis_tb.plugin.guard import come_back, not_imported, nothing_there, sentence
from activis_tb.plugin.http import NotFoundError
from activis_tb.plugin.jobs import BusyError, Computations, QueueFullError
from activis_tb.plugin.resources.comparisons import ComparisonRoutes, Comparisons, NothingInCommonError
from activis_tb.plugin.resources.instances import InstanceRoutes
from activis_tb.plugin.resources.layers import Digests, LayerRoutes
from activis_tb.plugin.resources.neurons import NeuronRoutes
from activis_tb.plugin.resources.positions import position_codes, position_maxima, positions
from activis_tb.plugin.resources.projections import ProjectionRoutes
from activis_tb.plugin.resources.words import word_means, words
from activis_tb.plugin.snapshots import Snapshots

if TYPE_CHECKING:
    from activis_tb.plugin.resources.subsets import SubsetRoutes

_LOGGER = logging.getLogger(__name__)
UNFORESEEN = "This cannot be answered"
"""How the answer begins that stands for an error nobody has thought of."""
_WAY_OUT = "That is a fault of activis-tb: please report it, with what TensorBoard's terminal shows."


class Routes:
    """Answers requests for data.

    Args:
        data_provider: TensorBoard's.
        logdir: As TensorBoard was given it; names the run at its root; may be empty.
    """

    def __init__(self, data_provider: DataProvider, logdir: str) -> None:
        self._logdir = logdir
        self._lock = Lock()
        self._subset_routes: SubsetRoutes | None = None
        catalogue, computations, digests = Catalogue(data_provider), Computations(), Digests()
        self._snapshots = Snapshots(catalogue)
        comparisons = Comparisons(computations, digests)
        instances, layers = InstanceRoutes(), LayerRoutes(computations, digests)
        comparing = ComparisonRoutes(computations, comparisons, logdir)
        self._handlers: Mapping[str, Handler] = {
            "runs": RunRoute(catalogue, logdir).answer,
            "graph": Graphs(data_provider, self._snapshots).answer,
            "instances": instances.columns,
            "image": instances.image,
            "scores": instances.scores,
            "membership": instances.membership,
            "statistics": layers.statistics,
            "activations": layers.activations,
            "health": layers.health,
            "separation": layers.separation,
            "positions": positions,
            "position_codes": position_codes,
            "position_maxima": position_maxima,
            "words": words,
            "word_means": word_means,
            "neuron": NeuronRoutes(computations, lambda: self._about_conditions().populations).answer,
            "projection": ProjectionRoutes(computations, comparisons).answer,
            "agreement": comparing.agreement,
            "matching": comparing.matching,
            "similarity": comparing.similarity,
            "subset": lambda context: self._about_conditions().subset(context),
            "subset_statistics": lambda context: self._about_conditions().statistics(context),
            "summaries": lambda context: self._about_conditions().summaries(context),
        }

    def answer(self, route: str, request: Request) -> Response:
        """Returns the answer of `route`; what is wrong with the request or the data becomes a sentence."""
        if route not in self._handlers:
            return nothing_there(request, route)
        try:
            return self._handlers[route](Context(request, self._snapshots))
        except Exception as error:
            return _failure(route, request, error)

    def load(self) -> None:
        """Imports what the routes about conditions need, which the others do without."""
        self._about_conditions()

    def _about_conditions(self) -> "SubsetRoutes":
        with self._lock:
            if self._subset_routes is None:
                from activis_tb.plugin.resources.subsets import SubsetRoutes

                self._subset_routes = SubsetRoutes(self._logdir)
            return self._subset_routes


def _failure(route: str, request: Request, error: Exception) -> Response:
    """Returns the answer that an error stands for; one that is not ours is a fault of the program."""
    match error:
        case ImportError():
            return not_imported(request, error)
        case QueueFullError() | BusyError():
            return come_back(request, str(error))
        case errors.PublicError():
            return sentence(request, str(error), error.http_code, error.headers)
        case NotFoundError():
            return sentence(request, str(error), 404)
        case ArgumentError() | NothingInCommonError():
            return sentence(request, str(error), 400)
        case ActivisError() if hasattr(error, "position") and hasattr(error, "suggestion"):
            # A ConditionError; its type is only imported with the library that parses conditions.
            headers = [("Activis-Error-Start", str(error.position[0])), ("Activis-Error-End", str(error.position[1]))]
            headers += [("Activis-Suggestion", quote(error.suggestion))] if error.suggestion else []
            return sentence(request, str(error), 400, headers)
        case StoredDataError():
            return sentence(request, str(error), 422)
    if (passing := _passing(error)) is not None:
        return come_back(request, f"TensorBoard's data server did not answer ({passing}). It will be asked again.")
    _LOGGER.error("activis-tb cannot answer %s", route, exc_info=error)
    return sentence(request, f"{UNFORESEEN} ({type(error).__name__}: {shorten(str(error))}). {_WAY_OUT}", 500)


def _passing(error: Exception) -> str | None:
    """Returns what gRPC calls an error of TensorBoard's data server that passes; None for other errors."""
    # Whoever serves without a data server may lack gRPC.
    grpc = sys.modules.get("grpc")
    if grpc is None or not isinstance(error, grpc.RpcError):
        return None
    status = grpc.StatusCode
    code = error.code()
    return str(code.name) if code in {status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED} else None
