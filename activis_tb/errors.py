"""Errors as types: each message says what was got, what was expected, and the way out."""

from collections.abc import Collection


class ActivisError(Exception):
    """Base of every error that activis_tb raises on purpose."""


class ArgumentError(ActivisError, ValueError):
    """A public call was given something it cannot use.

    Attributes:
        argument: Name of the argument as the caller wrote it, e.g. `labels` or `activations["hidden"]`.
        got: The offending value or shape, shortened.
        expected: What would have been accepted.
        way_out: What to do about it; may be empty.
    """

    def __init__(self, argument: str, got: object, expected: str, way_out: str = "") -> None:
        self.argument = argument
        self.got = shorten(got)
        self.expected = expected
        self.way_out = way_out
        message = f"{argument}: got {self.got}; expected {expected}."
        super().__init__(f"{message} {way_out}".rstrip())


def check_choice(argument: str, value: object, choices: Collection[str], way_out: str = "") -> None:
    """Raises ArgumentError unless `value` is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        *others, last = map(repr, choices)
        raise ArgumentError(argument, repr(value), f"{', '.join(others)} or {last}", way_out)


class SnapshotTooLargeError(ActivisError):
    """A snapshot would not fit into an event that TensorBoard can load."""

    def __init__(self, size: int, limit: int, largest: str) -> None:
        self.size = size
        self.limit = limit
        message = (
            f"The snapshot has {size / 2**20:,.0f} MB; at most {limit / 2**20:,.0f} MB fit into one event. "
            f"Largest part: {largest}. Record fewer layers, pool them, or lower sample=."
        )
        super().__init__(message)


class StoredDataError(ActivisError):
    """Stored data cannot be read: truncated, damaged, or not ours."""


class NewerVersionError(StoredDataError):
    """Stored data was written by a newer activis-tb than this one."""

    def __init__(self, what: str, found: int, supported: int) -> None:
        self.found = found
        self.supported = supported
        message = (
            f"{what} has format version {found}; this activis-tb reads up to version {supported}. "
            "Upgrade activis-tb where TensorBoard runs."
        )
        super().__init__(message)


class RecordingClosedError(ActivisError, RuntimeError):
    """A recording was used after it had been written or abandoned."""


def shorten(value: object, limit: int = 120) -> str:
    """Returns `value` as text of at most `limit` characters, for a message."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
