"""Serves the built front end, and nothing but files that are in its folder."""

from pathlib import Path

from tensorboard.backend import http_util
from werkzeug.wrappers import Request, Response

from activis_tb.plugin.guard import sentence

STATIC = Path(__file__).parent.parent / "static"

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
    text = f"There is no file or route {path!r} in the ActiVis plugin; http_api.md in its folder lists the routes."
    return sentence(request, text, 404)


def _files(folder: Path) -> frozenset[str]:
    """Names of what may be served: a request can only choose among them, so it cannot leave the folder."""
    root = folder.resolve()
    found = (path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root))
    return frozenset(path.relative_to(root).as_posix() for path in found)
