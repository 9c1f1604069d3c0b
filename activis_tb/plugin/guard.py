"""What every request must pass, and the plain sentences that answer one that does not."""

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
