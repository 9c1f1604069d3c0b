"""Guard that every request must pass, and the sentences that answer one that does not."""

from collections.abc import Sequence

from tensorboard.backend import http_util
from werkzeug.wrappers import Request, Response

METHODS = ("GET", "HEAD")


def refusal(request: Request) -> Response | None:
    """Returns the answer to a request that may not be served, or None for one that may.

    TensorBoard passes every method from every origin on to a plugin; reading is all there is to do here, and not for
    other sites.
    """
    if request.method not in METHODS:
        text = f"Got a {request.method} request; expected GET. Nothing here can be changed over HTTP."
        return sentence(request, text, 405, headers=[("Allow", ", ".join(METHODS))])
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        text = "Got a request from another site; expected one from TensorBoard's own page. Open TensorBoard itself."
        return sentence(request, text, 403)
    return None


def sentence(request: Request, text: str, code: int, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """Returns `text` as a plain-text answer with the given status."""
    response: Response = http_util.Respond(request, text, "text/plain", code=code, headers=headers)
    return response


def nothing_there(request: Request, path: str) -> Response:
    """Returns the answer to a request for something that there is not."""
    text = f"There is no file or route {path!r} in the ActiVis plugin; its documentation, docs/http_api.md, lists them."
    return sentence(request, text, 404)


_TITLES = {"duckdb": "DuckDB", "sklearn": "scikit-learn", "scipy": "SciPy", "google_crc32c": "google-crc32c"}


def not_imported(request: Request, error: ImportError) -> Response:
    """Returns the answer to a request that needs a library which cannot be imported."""
    return sentence(request, lacking(error), 503)


def lacking(error: ImportError) -> str:
    """Returns which library cannot be imported, and what to do about it, in sentences."""
    library = (error.name or "").partition(".")[0]
    if not library or library == "activis_tb":
        return f"activis-tb is not installed completely ({error}). Reinstall it where TensorBoard runs."
    title = _TITLES.get(library, library)
    return (
        f"This needs {title}, which cannot be imported where TensorBoard runs ({error}). Reinstall it there, by "
        f"pip install --force-reinstall {title.lower()}, and start TensorBoard again. Everything else works."
    )


def come_back(request: Request, text: str) -> Response:
    """Returns the answer to a request that may be answered if it is made again soon."""
    return sentence(request, text, 503, [("Retry-After", "1")])
