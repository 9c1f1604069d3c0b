"""Query parameters, read and checked: whatever a request says, it becomes a typed value or a sentence."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

from werkzeug.datastructures import MultiDict

from activis_tb.errors import ActivisError, ArgumentError

_LONGEST = 4096
_MOST_VALUES = 512
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
_Choice = TypeVar("_Choice", bound=str)


class NotFoundError(ActivisError, LookupError):
    """A request names something that does not exist."""

    def __init__(self, what: str, name: object, there_is: Sequence[object] = (), way_out: str = "") -> None:
        shown = ", ".join(repr(item) for item in there_is[:20])
        more = f" and {len(there_is) - 20:,} more" if len(there_is) > 20 else ""
        known = f"; there is {shown}{more}" if there_is else ""
        super().__init__(f"There is no {what} {name!r}{known}. {way_out}".rstrip())


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
