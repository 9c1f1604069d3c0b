"""Characters pasted from elsewhere, such as typographic quotes, and their replacements.

Texts and quoted names may hold any of them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple
from unicodedata import decimal, normalize

from activis_tb.conditions.schema import KEYWORDS, ConditionError, quote_name, quote_text
from activis_tb.errors import shorten

_MOST_SUGGESTED = 1000

_SINGLE = "‘’‚‛′‵´ʼ‹›＇❛❜"
_DOUBLE = "“”„‟″‶«»＂〝〞〟❝❞「」『』`"
"""Around a text or a name, depending on the place."""
_CHARACTERS_INSTEAD = {
    **dict.fromkeys("≤≦⩽", "<="),
    **dict.fromkeys("≥≧⩾", ">="),
    **dict.fromkeys("≠≢", "<>"),
    **dict.fromkeys("−–—‒―‐‑﹣", "-"),
    **dict.fromkeys("×✕✖∗⋅", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("∼˜", "~"),
    **dict.fromkeys("∧⋀", " AND "),
    **dict.fromkeys("∨⋁", " OR "),
    "¬": "NOT ",
    "∈": " IN ",
    "∉": " NOT IN ",
    "，": ", ",
    "、": ", ",
    **{chr(0xFEE0 + ord(letter)): letter for letter in "!%()*+-./<=>~"},
    **dict.fromkeys(("=<", "&lt;="), "<="),
    **dict.fromkeys(("=>", "&gt;="), ">="),
    **dict.fromkeys(("===",), "="),
    **dict.fromkeys(("!==", "&lt;&gt;"), "<>"),
    "&lt;": "<",
    "&gt;": ">",
    "&nbsp;": " ",
    "&#39;": "'",
    "&apos;": "'",
    "&quot;": '"',
    **dict.fromkeys(("&amp;&amp;", "&amp;"), " AND "),
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
}

_WRITTEN = r"(?P<written>'(?:[^']|'')*(?:'|$)|\"(?:[^\"]|\"\")*(?:\"|$))"
_QUOTED = r"(?P<{name}>(?<!\w)[{opening}](?P<{name}_content>.{{0,300}}?)[{closing}](?!\w))"
_OTHERS = "|".join(re.escape(one) for one in sorted(_CHARACTERS_INSTEAD, key=len, reverse=True))
_PASTED = re.compile(
    "|".join(
        (
            _WRITTEN,
            _QUOTED.format(name="single", opening=_SINGLE, closing=f"{_SINGLE}'"),
            _QUOTED.format(name="double", opening=_DOUBLE, closing=f'{_DOUBLE}"'),
            rf"(?P<other>{_OTHERS})",
            rf"(?P<quote>[{_SINGLE}{_DOUBLE}](?!\w)|(?<!\w)[{_SINGLE}{_DOUBLE}])",
            r"(?P<word>\w+)",
        )
    ),
    re.DOTALL,
)
_BEFORE_TEXT = re.compile(r"(?:[=<>~,]|\b(?:I?LIKE|BETWEEN|(?:IN|score_of|neuron)\s*\()|\bESCAPE)\s*$", re.IGNORECASE)
_IS_CONDITION = re.compile(r"[=<>~]|\b(?:BETWEEN|I?LIKE|IS\s+(?:NOT\s+)?NULL|IN\s*\()", re.IGNORECASE)
_INVISIBLE = {one for one, instead in _CHARACTERS_INSTEAD.items() if not instead}


class _Mended(NamedTuple):
    start: int
    end: int
    instead: str
    message: str


def refuse_pasted(text: str) -> None:
    """Refuses a condition with such characters; the suggestion replaces all of them, from the first to the last.

    Raises:
        ConditionError: There are some outside of texts and quoted names.
    """
    mended = list(_mended(text))
    if not mended:
        return
    first, last = mended[0], mended[-1]
    start, end = _in_sight(text, first.start, last.end)
    suggestion = _suggestion(text, mended, start, end)
    if len(suggestion) > _MOST_SUGGESTED:
        start, end = _in_sight(text, first.start, first.end)
        suggestion = _suggestion(text, mended[:1], start, end)
    raise ConditionError(first.message, (start, end), suggestion or None)


def suggest_closed(text: str, opening: int) -> str | None:
    """Returns `text[opening:]`, which begins with an unclosed quote, closed at the next typographic quote."""
    kind = "single" if text[opening] == "'" else "double"
    found = re.compile(rf"[{_SINGLE if kind == 'single' else _DOUBLE}](?!\w)").search(text, opening + 1)
    if found is None:
        return None
    return _requoted(text, opening, text[opening + 1 : found.start()], kind) + text[found.end() :]


def _mended(text: str) -> Iterator[_Mended]:
    for match in _PASTED.finditer(text):
        kind, written = match.lastgroup or "", match.group()
        start, end = match.span()
        if kind.startswith(("single", "double")):
            instead = _requoted(text, start, match["single_content"] or match["double_content"] or "", kind)
            message = f"{written[0]} and {written[-1]} are not the quotes of conditions: a text stands in straight "
            yield _Mended(start, end, instead, f"{message}single ones, 'a', a name in straight double ones.")
        elif kind == "other":
            shown = written if written.isprintable() else f"The invisible character U+{ord(written[0]):04X}"
            yield _Mended(start, end, _spaced(text, start, end, _CHARACTERS_INSTEAD[written]), _not_allowed(shown))
        elif kind == "quote":
            message = f"{written} is not a quote of conditions: a text stands in straight single ones, 'a'."
            yield _Mended(start, end, "'" if written in _SINGLE else '"', message)
        elif kind == "word" and (ascii_word := _ascii_word(written)):
            yield _Mended(start, end, ascii_word, _not_allowed(shorten(written, 40)))


def _not_allowed(shown: str) -> str:
    return f"{shown} is not allowed outside of texts and quoted names."


def _requoted(text: str, start: int, content: str, kind: str) -> str:
    content = content.strip("\u00a0\u202f ") if kind.startswith("double") else content
    if _IS_CONDITION.search(content) and text[:start].strip() == "" and text.rstrip().endswith(content, 0, -1):
        return content
    is_text = kind.startswith("single") or _BEFORE_TEXT.search(text, 0, start) is not None
    return quote_text(content) if is_text else quote_name(content)


def _spaced(text: str, start: int, end: int, instead: str) -> str:
    """A word as replacement has one space on either side."""
    if start == 0 or text[start - 1].isspace():
        instead = instead.lstrip()
    return instead.rstrip() if end == len(text) or text[end].isspace() else instead


def _ascii_word(word: str) -> str | None:
    """A number in non-ASCII digits or a keyword in full-width letters, in ASCII."""
    if word.isascii():
        return None
    if word.isdecimal():
        return "".join(str(decimal(digit)) for digit in word)
    plain = normalize("NFKC", word).upper()
    return plain if plain in KEYWORDS and word.upper() not in KEYWORDS else None


def _in_sight(text: str, start: int, end: int) -> tuple[int, int]:
    """Widens a range that begins or ends with an invisible character to the word beside it."""
    if text[start] in _INVISIBLE:
        while start > 0 and not text[start - 1].isspace():
            start -= 1
    if text[end - 1] in _INVISIBLE:
        while end < len(text) and not text[end].isspace():
            end += 1
    return start, end


def _suggestion(text: str, mended: list[_Mended], start: int, end: int) -> str:
    parts, at = [], start
    for one in mended:
        parts += [text[at : one.start], one.instead]
        at = one.end
    return "".join([*parts, text[at:end]])
