"""Patterns of LIKE, ILIKE and `~`: bounded, and known to be right before anything is searched with them."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from activis_tb.conditions.errors import ConditionError

if TYPE_CHECKING:
    import duckdb

MOST_CHARACTERS = 256
MOST_REGULAR = 8
"""Regular expressions in one condition: each may hold some MB of automaton per thread."""

_lock = Lock()


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
        ":memory:", config={"threads": 1, "enable_external_access": False, "lock_configuration": True}
    )
