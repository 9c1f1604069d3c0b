"""The plugin as TensorBoard sees it: its name, its tab, its routes.

TensorBoard loads this module when it starts and dies if the import fails, so everything that is not needed for the
route table is imported when the tab is opened.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tensorboard.plugins import base_plugin
from werkzeug.wrappers import Request, Response

from activis_tb.plugin.guard import not_imported, refusal
from activis_tb.plugin.static_files import serve_static
from activis_tb.storage.metadata import PLUGIN_NAME

if TYPE_CHECKING:
    from activis_tb.plugin.routes import Routes

_WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ActivisPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """ActiVis: which neurons respond to which classes, subsets and instances.

    Args:
        context: TensorBoard's `TBContext`; of it the data provider and the name of the log directory are used.
    """

    plugin_name = PLUGIN_NAME

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._context = context
        self._routes: Routes | None = None
        self._lock = threading.Lock()

    def get_plugin_apps(self) -> dict[str, _WsgiApplication]:
        return {
            "/runs": self._data("runs"),
            "/graph": self._data("graph"),
            "/instances": self._data("instances"),
            "/image": self._data("image"),
            "/membership": self._data("membership"),
            "/statistics": self._data("statistics"),
            "/activations": self._data("activations"),
            "/projection": self._data("projection"),
            "/health": self._data("health"),
            "/scores": self._data("scores"),
            "/subset": self._data("subset"),
            "/subset_statistics": self._data("subset_statistics"),
            "/summaries": self._data("summaries"),
            "/common": self._data("common"),
            "/agreement": self._data("agreement"),
            "/outcomes": self._data("outcomes"),
            "/matching": self._data("matching"),
            "/separation": self._data("separation"),
            "/similarity": self._data("similarity"),
            "/index.js": self._static,
            "/*": self._static,
        }

    def is_active(self) -> bool:
        # The tab is shown when the data provider lists data of ours.
        return False

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="ActiVis")

    def _data(self, route: str) -> _WsgiApplication:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            request = Request(environ)
            response = refusal(request) or self._answer(route, request)
            return response(environ, start_response)

        return application

    def _answer(self, route: str, request: Request) -> Response:
        try:
            routes = self._load()
        except ImportError as error:
            return not_imported(request, error)
        return routes.answer(route, request)

    def _load(self) -> "Routes":
        with self._lock:
            if self._routes is None:
                from activis_tb.plugin.routes import Routes

                self._routes = Routes(self._context.data_provider, self._context.logdir or "")
            return self._routes

    def _load_ahead(self) -> None:
        # What is missing is told by the first request for data.
        with contextlib.suppress(ImportError):
            self._load().load()

    def _static(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        path = request.path.rpartition(f"/plugin/{PLUGIN_NAME}/")[2]
        if path == "index.js" and self._routes is None:
            # The browser reads the script meanwhile; the request for data that follows finds everything imported.
            threading.Thread(target=self._load_ahead, name="activis-load", daemon=True).start()
        response = refusal(request) or serve_static(request, path)
        return response(environ, start_response)
