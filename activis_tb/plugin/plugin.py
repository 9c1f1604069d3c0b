"""Plugin as TensorBoard sees it: its name, its tab, its files and the door to its routes.

TensorBoard loads this module when it starts and dies if the import fails, so the routes, and all that they need, are
imported when the tab is opened.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug.wrappers import Request, Response

from activis_tb.plugin.guard import not_imported, nothing_there, refusal
from activis_tb.storage.metadata import PLUGIN_NAME

if TYPE_CHECKING:
    from activis_tb.plugin.routes import Routes


STATIC = Path(__file__).parent.parent / "static"
_ROUTE = re.compile(r"[a-z_]+")

_CONTENT_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".map": "application/json",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".txt": "text/plain",
    ".html": "text/html",
}

_NOT_BUILT = """\
export function render() {
  document.body.textContent =
    "The front end of activis-tb was not built. In the checkout run: python setup.py build_frontend " +
    "(or: cd frontend && npm ci && npm run build), then reload this page.";
}
"""


def serve_static(request: Request, path: str, folder: Path = STATIC) -> Response:
    """Returns the file of the front end that `path` names, relative to `folder`.

    Where the front end was not built, `index.js` is a module that says so in the tab.
    """
    content_type = _CONTENT_TYPES.get(Path(path).suffix)
    if content_type is not None and path in _files(folder):
        content = (folder / path).read_bytes()
        response: Response = http_util.Respond(request, content, content_type)
        return response
    if path == "index.js":
        missing: Response = http_util.Respond(request, _NOT_BUILT, "text/javascript")
        return missing
    return nothing_there(request, path)


def _files(folder: Path) -> frozenset[str]:
    """Names of what may be served: a request can only choose among them, so it cannot leave the folder."""
    root = folder.resolve()
    found = (path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root))
    return frozenset(path.relative_to(root).as_posix() for path in found)


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
        # A name without a dot or a slash is a route of `activis_tb.plugin.routes`, anything else a file.
        return {"/index.js": self._application, "/*": self._application}

    def is_active(self) -> bool:
        # The tab is shown when the data provider lists data of ours.
        return False

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        return base_plugin.FrontendMetadata(es_module_path="/index.js", tab_name="ActiVis")

    def _application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        path = request.path.rpartition(f"/plugin/{PLUGIN_NAME}/")[2]
        is_route = _ROUTE.fullmatch(path)
        response = refusal(request) or (self._answer(path, request) if is_route else self._file(path, request))
        return response(environ, start_response)

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

    def _file(self, path: str, request: Request) -> Response:
        if path == "index.js" and self._routes is None:
            # The browser reads the script meanwhile; the request for data that follows finds everything imported.
            threading.Thread(target=self._load_ahead, name="activis-load", daemon=True).start()
        return serve_static(request, path)
