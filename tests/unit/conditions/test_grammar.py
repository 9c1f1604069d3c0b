"""Grammar of conditions: the front end's field offers what the grammar goes on with.

`frontend/test/completion_grammar.json` says what may follow some beginnings; the grammar is held against it here, the
field's completion in `frontend/test/completion.test.ts`.
"""

import json
from pathlib import Path

import pytest

from activis_tb.conditions import ConditionError, check_syntax
from activis_tb.conditions.grammar import language
from activis_tb.conditions.schema import KEYWORDS

FOLLOWING = json.loads(
    (Path(__file__).parents[3] / "frontend" / "test" / "completion_grammar.json").read_text(encoding="utf-8")
)
"""By beginning of a condition the terminals of the grammar that may come next, `$END` among them."""


def following(text: str) -> list[str]:
    parser = language().parse_interactive()
    for token in language().lex(text):
        parser.feed_token(token)
    return sorted(parser.accepts())


def test_what_may_follow_a_beginning_is_what_the_completion_is_held_against() -> None:
    assert {text: following(text) for text in FOLLOWING} == FOLLOWING


def test_the_keywords_are_those_of_the_documentation() -> None:
    expected = {"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "TRUE", "FALSE"}
    assert expected == KEYWORDS


def test_what_is_said_to_be_allowed_is_what_the_grammar_has() -> None:
    with pytest.raises(ConditionError, match="Allowed: ") as caught:
        check_syntax("age ; 1")
    allowed = caught.value.message.partition("Allowed: ")[2]
    of_rules = {"FOREIGN", "COMMENT", "UNCLOSED", "OTHER", "NAME", "QUOTED", "TEXT", "NUMBER", "NOT_MATCHES"}
    written = [
        text
        for terminal in language().terminals
        if terminal.name not in of_rules and not terminal.name.startswith("__")
        for text in terminal.pattern.value.replace("\\", "").strip("(?:)").split("|")
    ]
    assert len(written) > 25
    assert [text for text in written if text and text != "!=" and text not in allowed] == []
