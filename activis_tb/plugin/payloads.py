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
from activis_tb.storage.metadata import AUDIO_FORMATS, IMAGE_FORMATS, media_type

_EXACT = 2**53
"""Integers up to here are floats as they are."""

_Headers = Sequence[tuple[str, str]]


def npy(request: Request, array: NDArray[Any], code: int = 200, headers: _Headers = ()) -> Response:
    """Returns `array` as an `.npy` file: version 1.0, little-endian, C order."""
    buffer = io.BytesIO()
    dtype = array.dtype.newbyteorder("<")
    np.lib.format.write_array(buffer, np.ascontiguousarray(array, dtype), version=(1, 0), allow_pickle=False)
    return _respond(request, buffer.getvalue(), "application/octet-stream", code, headers)


def message_to_dict(message: Message) -> dict[str, Any]:
    """Returns a wire message as the JSON of `http_api.md`: field names of the proto, defaults printed, whole numbers
    without a fraction.
    """
    document = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return {name: _with_whole_numbers(value) for name, value in document.items()}


def whole_if_possible(number: float) -> float | int:
    """Returns a number as an integer if it is one, and no other could be meant."""
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


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


def _with_whole_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return whole_if_possible(value)
    if isinstance(value, list) and value and not isinstance(value[0], str | bool | int):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_whole_numbers(item) for name, item in value.items()}
    return value


def _respond(request: Request, content: str | bytes, content_type: str, code: int, headers: _Headers) -> Response:
    response: Response = http_util.Respond(request, content, content_type, code=code, headers=headers)
    return response
