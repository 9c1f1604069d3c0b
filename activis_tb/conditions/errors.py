"""Why a condition is refused, and where: enough for a user interface to underline the word and offer another one."""

from activis_tb.errors import ActivisError


class ConditionError(ActivisError, ValueError):
    """A condition cannot be used.

    Attributes:
        message: What is wrong and what would be right, a sentence.
        position: Start and end of the offending part of the text, in characters; `text[start:end]` is that part.
        suggestion: What to write in its place; None where there is no good guess.
    """

    def __init__(self, message: str, position: tuple[int, int], suggestion: str | None = None) -> None:
        self.message = message
        self.position = position
        self.suggestion = suggestion
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"{message}{hint}")


class CostlyConditionError(ConditionError):
    """A condition was stopped because it took too much time or memory."""
