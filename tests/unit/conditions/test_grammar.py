"""Grammar of conditions: the front end's field offers what the grammar goes on with.

`frontend/test/completion_grammar.json` says what may follow some beginnings; the grammar is held against it here, the
field's completion in `frontend/test/completion.test.ts`.
"""

import json
from pathlib import Path

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
