"""Routes of `http_api.md`: each reads its parameters, asks for data, and answers."""

import logging
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard import errors, plugin_util
from tensorboard.data.provider import DataProvider
from werkzeug.wrappers import Request, Response

from activis_tb.errors import ArgumentError, StoredDataError, shorten
from activis_tb.model import STATISTIC_NAMES, Attribute
from activis_tb.plugin import entries, http
from activis_tb.plugin.cache import Recent
from activis_tb.plugin.catalogue import Catalogue
from activis_tb.plugin.graphs import Graphs
from activis_tb.plugin.guard import come_back, not_imported, sentence
from activis_tb.plugin.http import NotFoundError, Parameters
from activis_tb.plugin.jobs import BusyError, Computations, QueueFullError
from activis_tb.plugin.resources import instances
from activis_tb.plugin.resources.comparisons import ComparisonRoutes, NothingInCommonError
from activis_tb.plugin.resources.layers import layer_health
from activis_tb.plugin.resources.projections import ProjectionRoutes
from activis_tb.plugin.snapshots import Finder, JoinedSnapshot, Snapshots
from activis_tb.storage import activis_pb2 as pb

if TYPE_CHECKING:
    from activis_tb.plugin.resources.subsets import Handler as SubsetHandler

_SUBSET_ROUTES = ("subset", "subset_statistics", "summaries")
_STATUS_CODES: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (ArgumentError, 400),
    (NothingInCommonError, 400),
    (StoredDataError, 422),
)
_MOST_PICTURE_COLUMNS = 4
_LOGGER = logging.getLogger(__name__)
UNFORESEEN = "This cannot be answered"
"""How the answer begins that stands for an error nobody has thought of."""
_WAY_OUT = "The recording may be damaged: record the step again. If that does not help, please report it."


class Routes:
    """Answers requests for data.

    Args:
        data_provider: TensorBoard's.
        logdir: As TensorBoard was given it; names the run at its root; may be empty.
    """

    def __init__(self, data_provider: DataProvider, logdir: str) -> None:
        self._logdir = logdir
        self._catalogue = Catalogue(data_provider)
        self._snapshots = Snapshots(self._catalogue)
        self._graphs = Graphs(data_provider, self._snapshots)
        self._entries: Recent[str, dict[str, Any]] = Recent(2_000)
        self._health_documents: Recent[tuple[str, str], dict[str, Any]] = Recent(2_000)
        self._pictures: Recent[tuple[str, str], Attribute] = Recent(_MOST_PICTURE_COLUMNS)
        self._handlers: dict[str, Callable[[Request, Parameters, str], Response]] = {
            "runs": self._runs,
            "graph": self._graph,
            "instances": self._instances,
            "image": self._image,
            "membership": self._membership,
            "statistics": self._statistics,
            "activations": self._activations,
            "health": self._health,
            "scores": self._scores,
        }
        self._lock = Lock()
        self._subset_handlers: Mapping[str, SubsetHandler] = {}
        computations = Computations()
        comparing = ComparisonRoutes(computations, logdir)
        projecting = ProjectionRoutes(computations, comparing.comparisons)
        self._finding_handlers = {**comparing.handlers, "projection": projecting.projection}

    def answer(self, route: str, request: Request) -> Response:
        """Returns the answer of `route`; what is wrong with the request or the data becomes a sentence."""
        experiment = plugin_util.experiment_id(request.environ)
        try:
            parameters = Parameters(request.args)
            if route in _SUBSET_ROUTES:
                return self._subset_handler(route)(request, parameters, self._snapshot(parameters, experiment))
            if route in self._finding_handlers:
                return self._finding_handlers[route](request, parameters, Finder(self._snapshots, experiment))
            return self._handlers[route](request, parameters, experiment)
        except ImportError as error:
            return not_imported(request, error)
        except (QueueFullError, BusyError) as error:
            return come_back(request, str(error))
        except errors.PublicError as error:
            return sentence(request, str(error), error.http_code, error.headers)
        except tuple(kind for kind, _ in _STATUS_CODES) as error:
            code = next(code for kind, code in _STATUS_CODES if isinstance(error, kind))
            return sentence(request, str(error), code)
        except Exception as error:
            # The last line of defence: one odd recording must not look like a broken TensorBoard.
            _LOGGER.exception("activis-tb cannot answer %s", route)
            return sentence(request, f"{UNFORESEEN} ({type(error).__name__}: {shorten(str(error))}). {_WAY_OUT}", 422)

    def load(self) -> None:
        """Imports what the routes about conditions need, which the others do without."""
        self._subset_handler(_SUBSET_ROUTES[0])

    def _subset_handler(self, route: str) -> "SubsetHandler":
        with self._lock:
            if not self._subset_handlers:
                from activis_tb.plugin.resources.subsets import SubsetRoutes

                self._subset_handlers = SubsetRoutes(self._logdir).handlers
            return self._subset_handlers[route]

    def _snapshot(self, parameters: Parameters, experiment: str) -> JoinedSnapshot:
        return self._snapshots.get(experiment, parameters.snapshot())

    def _runs(self, request: Request, _: Parameters, experiment: str) -> Response:
        snapshots, warnings = self._snapshots.all(experiment)
        by_run: dict[str, list[JoinedSnapshot]] = {}
        for snapshot in snapshots:
            by_run.setdefault(snapshot.key.run, []).append(snapshot)
        labels = entries.run_labels(by_run, self._logdir)
        listing = http.message_to_dict(
            pb.RunList(
                total_runs=len(self._catalogue.run_names(experiment)),
                warnings=warnings,
                logdir=entries.base_name(self._logdir),
            )
        )
        listing["runs"] = [
            {"run": run, "label": labels[run], "snapshots": [self._entry(snapshot) for snapshot in found]}
            for run, found in by_run.items()
        ]
        return http.json_document(request, listing)

    def _entry(self, snapshot: JoinedSnapshot) -> dict[str, Any]:
        def make() -> dict[str, Any]:
            return {**http.message_to_dict(entries.snapshot_entry(snapshot)), "step": snapshot.key.step}

        return self._entries.get_or_make(snapshot.identity, make)

    def _graph(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        document = self._graphs.get(experiment, parameters.text("run"), parameters.text("source", ""))
        return http.json_body(request, document)

    def _instances(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        snapshot = self._snapshot(parameters, experiment)
        manifest = snapshot.manifest
        columns = entries.instance_columns(
            instances.shown_columns(snapshot), manifest.examples, manifest.attributes, instances.shown_media(snapshot)
        )
        return http.json_document(request, http.message_to_dict(columns))

    def _image(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        name = parameters.text("attribute")
        snapshot = self._snapshot(parameters, experiment)
        row = _row(snapshot, parameters)
        encoded = [other for other, type_ in snapshot.manifest.attributes if type_ in entries.ENCODED_TYPES]
        if name not in encoded:
            raise NotFoundError("attribute of type image or audio", name, encoded)
        key = (snapshot.identity, name)
        attribute = self._pictures.get_or_make(key, lambda: instances.shown_attribute(snapshot, name))
        if not attribute.present[row]:
            raise NotFoundError(f"value of attribute {name!r} in row", row)
        return http.encoded(request, attribute.values[row], name, row)

    def _scores(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        snapshot = self._snapshot(parameters, experiment)
        scores = instances.shown_scores(snapshot)
        if parameters.has("row"):
            row = _row(snapshot, parameters)
            scores = scores[row : row + 1]
        return http.npy(request, scores)

    def _membership(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        membership = instances.shown_membership(self._snapshot(parameters, experiment))
        return http.npy(request, membership.astype(np.uint8))

    def _statistics(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        layer, statistic = parameters.text("layer"), parameters.choice("statistic", STATISTIC_NAMES)
        reader = self._snapshot(parameters, experiment).reader_of(layer)
        return http.npy(request, reader.statistic(layer, statistic).astype(np.float32))

    def _activations(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        layer = parameters.text("layer")
        return http.npy(request, instances.shown_activations(self._snapshot(parameters, experiment), layer))

    def _health(self, request: Request, parameters: Parameters, experiment: str) -> Response:
        layer = parameters.text("layer")
        snapshot = self._snapshot(parameters, experiment)
        document = self._health_documents.get_or_make(
            (snapshot.identity, layer),
            lambda: http.message_to_dict(layer_health(snapshot, layer)),
        )
        return http.json_document(request, document)


def _row(snapshot: JoinedSnapshot, parameters: Parameters) -> int:
    row = parameters.integer("row")
    shown = instances.shown_rows(snapshot)
    if not 0 <= row < shown:
        raise NotFoundError("row", row, way_out=f"Rows are 0 to {shown - 1}.")
    return row
