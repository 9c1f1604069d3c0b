"""Answers: `.npy` bodies, wire messages as JSON, encoded pictures, and errors as sentences."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from numpy.typing import NDArray
from tensorboard.backend import http_util
from werkzeug.wrappers import Request, Response

from activis_tb.errors import StoredDataError
from activis_tb.storage.media import AUDIO_FORMATS, IMAGE_FORMATS, media_type

_Headers = Sequence[tuple[str, str]]


def npy(request: Request, array: NDArray[Any], code: int = 200, headers: _Headers = ()) -> Response:
    """Returns `array` as an `.npy` file: version 1.0, little-endian, C order."""
    buffer = io.BytesIO()
    dtype = array.dtype.newbyteorder("<")
    np.lib.format.write_array(buffer, np.ascontiguousarray(array, dtype), version=(1, 0), allow_pickle=False)
    return _respond(request, buffer.getvalue(), "application/octet-stream", code, headers)


def message_to_dict(message: Message) -> dict[str, Any]:
    """Returns a wire message as the JSON of `http_api.md`: field names of the proto, defaults printed."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def json_document(request: Request, document: Mapping[str, Any], code: int = 200, headers: _Headers = ()) -> Response:
    """Returns `document`, whose numbers are all finite."""
    return json_body(request, encoded_document(document), code, headers)


def encoded_document(document: Mapping[str, Any]) -> bytes:
    """Returns `document` as the body that `json_body` answers with."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def json_body(request: Request, body: bytes, code: int = 200, headers: _Headers = ()) -> Response:
    """Returns a document that was encoded before."""
    return _respond(request, body, "application/json", code, headers)


def encoded(request: Request, content: bytes, attribute: str, row: int) -> Response:
    """Returns an encoded picture or sound, its type told by its first bytes.

    Raises:
        StoredDataError: It is none that a browser shows.
    """
    content_type = media_type(content)
    if content_type is None:
        text = (
            f"Attribute {attribute!r} of row {row} begins with {content[:8]!r}; expected a {IMAGE_FORMATS} "
            f"picture, or a {AUDIO_FORMATS} sound. Record it encoded as one of these."
        )
        raise StoredDataError(text)
    return _respond(request, content, content_type, 200, ())


def _respond(request: Request, content: str | bytes, content_type: str, code: int, headers: _Headers) -> Response:
    response: Response = http_util.Respond(request, content, content_type, code=code, headers=headers)
    return response
