"""Patterns of LIKE, ILIKE and `~`: bounded, and known to be right before anything is searched with them."""

from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from activis_tb.conditions.errors import ConditionError
from activis_tb.conditions.schema import quote_text

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 256
MOST_REGULAR = 8
"""Regular expressions in one condition: each may hold some MB of automaton per thread."""

ESCAPE = "\\"
"""What takes the meaning from `%` and `_` in a `LikePattern`."""

_lock = Lock()


@dataclass(frozen=True)
class LikePattern:
    """A pattern of LIKE and ILIKE.

    Attributes:
        text: Where `is_escaped`, with `ESCAPE` before every `%`, `_` and `ESCAPE` that stands for itself.
        is_escaped: Whether there is any.
    """

    text: str
    is_escaped: bool


def read_pattern(pattern: str, escape: str, position: tuple[int, int]) -> LikePattern:
    """Returns a pattern in which `escape`, unless it is empty, takes the meaning from the character after it.

    Raises:
        ConditionError: There is no character after it.
    """
    letters: list[str] = []
    wildcards: list[bool] = []
    rest = iter(pattern)
    for letter in rest:
        is_escaped = bool(escape) and letter == escape
        following = next(rest, None) if is_escaped else letter
        if following is None:
            message = f"The pattern ends with {escape}, which takes the meaning from the character after it; add one."
            raise ConditionError(message, position, quote_text(f"{pattern}{escape}"))
        letters.append(following)
        wildcards.append(not is_escaped and following in "%_")
    if all(wildcard or letter not in "%_" for letter, wildcard in zip(letters, wildcards, strict=True)):
        return LikePattern("".join(letters), is_escaped=False)
    kept = (
        f"{ESCAPE}{letter}" if letter in {"%", "_", ESCAPE} and not wildcard else letter
        for letter, wildcard in zip(letters, wildcards, strict=True)
    )
    return LikePattern("".join(kept), is_escaped=True)


def wildcards_of(pattern: str, escape: str) -> list[int]:
    """Returns where the `%` are that stand for any text; `escape` is that of the pattern, or empty."""
    found, position = [], 0
    while position < len(pattern):
        if escape and pattern[position] == escape:
            position += 1
        elif pattern[position] == "%":
            found.append(position)
        position += 1
    return found


def check_pattern(pattern: str, position: tuple[int, int], *, regular: bool) -> None:
    """Refuses a pattern that is too long, or one of `~` that is no regular expression.

    Raises:
        ConditionError: With RE2's reason.
    """
    if len(pattern) > MOST_CHARACTERS:
        message = (
            f"The pattern has {len(pattern):,} characters; at most {MOST_CHARACTERS} are searched for. Shorten it."
        )
        raise ConditionError(message, position)
    if regular and (reason := _fault(pattern)):
        message = f"This is not a regular expression (RE2): {reason}. For plain texts there is LIKE '%part%'."
        raise ConditionError(message, position)


def _fault(pattern: str) -> str:
    """Why RE2 refuses a pattern; empty where it does not."""
    import duckdb

    with _lock:
        try:
            _connection().execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).split("Error: ", 1)[-1].splitlines()[0].rstrip(".")
    return ""


@cache
def _connection() -> "duckdb.DuckDBPyConnection":
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={"threads": 1, "async_threads": 1, "enable_external_access": False, "lock_configuration": True},
    )
