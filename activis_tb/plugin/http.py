"""HTTP parameters, typed and checked, and answers: `.npy` bodies, JSON, pictures, and errors as sentences."""

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from numpy.typing import NDArray
from tensorboard.backend import http_util
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request, Response

from activis_tb.errors import ActivisError, ArgumentError, StoredDataError, shorten
from activis_tb.storage.metadata import AUDIO_FORMATS, IMAGE_FORMATS, media_type

_LONGEST = 4096
_MOST_VALUES = 512
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
_Choice = TypeVar("_Choice", bound=str)


class NotFoundError(ActivisError, LookupError):
    """A request names something that does not exist."""

    def __init__(self, what: str, name: object, there_is: Sequence[object] = (), way_out: str = "") -> None:
        shown = ", ".join(shorten(repr(item)) for item in there_is[:20])
        more = f" and {len(there_is) - 20:,} more" if len(there_is) > 20 else ""
        known = f"; there is {shown}{more}" if there_is else ""
        super().__init__(f"There is no {what} {shorten(repr(name))}{known}. {way_out}".rstrip())


class SnapshotKey(NamedTuple):
    """Which snapshot a request is about."""

    run: str
    name: str
    step: int


class Parameters:
    """The query parameters of one request.

    Every reader raises ArgumentError for a parameter that is missing, given twice or not of its kind.
    """

    def __init__(self, arguments: MultiDict[str, str]) -> None:
        self._arguments = arguments

    def snapshot(self, prefix: str = "") -> SnapshotKey:
        """Returns the parameters `run`, `name` and `step`, or those with `prefix` before their names."""
        return SnapshotKey(self.text(f"{prefix}run"), self.text(f"{prefix}name"), self.integer(f"{prefix}step"))

    def has(self, name: str) -> bool:
        return name in self._arguments

    def text(self, name: str, default: str | None = None) -> str:
        given = self._arguments.getlist(name)
        if not given and default is not None:
            return default
        if len(given) != 1:
            got = f"it {len(given)} times" if given else "no such parameter"
            raise ArgumentError(name, got, "it once", f"Add {name}=... to the query, percent-encoded.")
        if len(given[0]) > _LONGEST:
            raise ArgumentError(name, f"{len(given[0]):,} characters", f"at most {_LONGEST:,}")
        return given[0]

    def texts(self, name: str) -> list[str]:
        """Returns all values of a parameter that may be given several times, or not at all."""
        given = self._arguments.getlist(name)
        if len(given) > _MOST_VALUES:
            raise ArgumentError(name, f"it {len(given):,} times", f"it at most {_MOST_VALUES:,} times")
        return given

    def integer(self, name: str) -> int:
        """Returns an integer of 64 bits, written in decimal digits; `3.0` and `3e0` are 3."""
        text = self.text(name)
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
        if number is None or not -(2**63) <= number < 2**63 or number != int(number):
            raise ArgumentError(name, repr(text), "an integer")
        return int(number)

    def integer_within(self, name: str, low: int, high: int, default: int) -> int:
        """Returns an integer from `low` to `high`; `default` where the parameter is not given."""
        if not self.has(name):
            return default
        value = self.integer(name)
        if not low <= value <= high:
            raise ArgumentError(name, value, f"an integer from {low} to {high}")
        return value

    def choice(self, name: str, choices: Sequence[_Choice], default: _Choice | None = None) -> _Choice:
        text = self.text(name, default)
        for choice in choices:
            if choice == text:
                return choice
        raise ArgumentError(name, repr(text), f"one of {', '.join(choices)}")


_NUMBERS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_INT64)
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
    without quotes or a fraction.
    """
    document = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _with_plain_numbers(document, message.DESCRIPTOR)


def whole_if_possible(number: float) -> float | int:
    """Returns a number as an integer if it is one, and no other could be meant."""
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def json_document(request: Request, document: Mapping[str, Any], code: int = 200, headers: _Headers = ()) -> Response:
    """Returns `document`, whose numbers are all finite."""
    return json_body(request, encoded_document(document), code, headers)


def encoded_document(document: Mapping[str, Any]) -> bytes:
    """Returns `document` as the body that `json_body` answers with."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def with_encoded(document: Mapping[str, Any], name: str, items: Iterable[bytes]) -> bytes:
    """Returns `document`, which has a field, as `encoded_document` does, with one more: a list of encoded documents."""
    return b'%b,"%b":[%b]}' % (encoded_document(document)[:-1], name.encode(), b",".join(items))


def json_body(request: Request, body: bytes, code: int = 200, headers: _Headers = ()) -> Response:
    """Returns a document that was encoded before."""
    return _respond(request, body, "application/json", code, headers)


def computed(request: Request, message: Message, *, done: bool, iteration: int, iterations: int) -> Response:
    """Returns what a job makes: the finished message, or with 202 an unfinished one and how far the job is."""
    headers = [
        ("Activis-Iteration", str(iterations if done else iteration)),
        ("Activis-Iterations", str(iterations)),
    ]
    return json_document(request, message_to_dict(message), 200 if done else 202, headers)


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


def _with_plain_numbers(document: dict[str, Any], kind: Any) -> dict[str, Any]:
    return {name: _plain(value, kind.fields_by_name[name]) for name, value in document.items()}


def _plain(value: Any, field: FieldDescriptor) -> Any:
    if field.cpp_type in _NUMBERS:
        plain = int if field.cpp_type == FieldDescriptor.CPPTYPE_INT64 else whole_if_possible
        return [plain(item) for item in value] if isinstance(value, list) else plain(value)
    if field.message_type is None or field.message_type.GetOptions().map_entry:
        return value
    if isinstance(value, list):
        return [_with_plain_numbers(item, field.message_type) for item in value]
    return _with_plain_numbers(value, field.message_type)


def _respond(request: Request, content: str | bytes, content_type: str, code: int, headers: _Headers) -> Response:
    response: Response = http_util.Respond(request, content, content_type, code=code, headers=headers)
    return response
