"""Tokenizer of conditions: limits, a whitelist, placeholders for operands, characters that were pasted.

Texts and quoted names may hold any of them; what is meant elsewhere is offered instead.

What the parser is given are operators, parentheses and numbered placeholders. So no name and no text can change how a
condition is parsed, columns may be called `select`, and every operand knows its position.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, NamedTuple
from unicodedata import decimal, normalize

from sqlglot import Token, Tokenizer, TokenType
from sqlglot.errors import TokenError

from activis_tb.conditions.schema import WORDS, ConditionError, quote_name, quote_text
from activis_tb.errors import shorten

_MOST_SUGGESTED = 1000

_SINGLE = "‘’‚‛′‵´ʼ‹›＇❛❜"
_DOUBLE = "“”„‟″‶«»＂〝〞〟❝❞「」『』`"
"""Around a text or a name, as its place tells."""
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
    """Refuses a condition with such characters, and offers the like of what stands from the first to the last one.

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
    """Returns what `text[opening:]`, which begins with a quote that nothing closes, is with the quote that is meant."""
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
    """Words have a space on either side, but not two."""
    if start == 0 or text[start - 1].isspace():
        instead = instead.lstrip()
    return instead.rstrip() if end == len(text) or text[end].isspace() else instead


def _ascii_word(word: str) -> str | None:
    """A number in other digits, or a word of conditions in full-width letters, as conditions have it."""
    if word.isascii():
        return None
    if word.isdecimal():
        return "".join(str(decimal(digit)) for digit in word)
    plain = normalize("NFKC", word).upper()
    return plain if plain in WORDS and word.upper() not in WORDS else None


def _in_sight(text: str, start: int, end: int) -> tuple[int, int]:
    """What is underlined and offered has something to be seen: invisible characters take along what they stand by."""
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


MOST_CHARACTERS = 4096
MOST_OPERANDS = 1000
MOST_DEPTH = 32
WIDE = 2**53
"""Up to here every whole number is a float."""
ALLOWED = (
    "columns, 'text', numbers, TRUE, FALSE, = <> < <= > >= AND OR NOT IN BETWEEN LIKE ILIKE ESCAPE ~ IS NULL "
    "+ - * / % ( ), score_of('class') and neuron('layer', 0)"
)

OperandKind = Literal["name", "text", "number", "boolean", "null", "score_of", "neuron"]


@dataclass(frozen=True)
class Operand:
    """One name, value or function call as it was written.

    Attributes:
        kind: What it is.
        value: The name, the text or the number, see `exact_number`; the arguments of a call, each an operand.
        position: Start and end in the text, in characters.
        escape: Of a pattern, the text after ESCAPE.
    """

    kind: OperandKind
    value: "str | float | Decimal | bool | tuple[Operand, ...]"
    position: tuple[int, int]
    escape: "Operand | None" = None


@dataclass(frozen=True)
class Words:
    """A condition ready to be parsed.

    Attributes:
        text: As the user wrote it.
        tokens: Operators, parentheses, and placeholders: quoted identifiers that are the numbers of `operands`.
        operands: In the order of the text.
    """

    text: str
    tokens: list[Token]
    operands: list[Operand]


class _Tokenizer(Tokenizer):
    KEYWORDS = {  # noqa: RUF012 - the library's own declaration
        "AND": TokenType.AND,
        "OR": TokenType.OR,
        "NOT": TokenType.NOT,
        "IN": TokenType.IN,
        "BETWEEN": TokenType.BETWEEN,
        "LIKE": TokenType.LIKE,
        "ILIKE": TokenType.ILIKE,
        "IS": TokenType.IS,
        "NULL": TokenType.NULL,
        "TRUE": TokenType.TRUE,
        "FALSE": TokenType.FALSE,
        "<=": TokenType.LTE,
        ">=": TokenType.GTE,
        "<>": TokenType.NEQ,
        "!=": TokenType.NEQ,
        "==": TokenType.NULLSAFE_EQ,
        "&&": TokenType.DAMP,
        "||": TokenType.DPIPE,
        "::": TokenType.DCOLON,
    }
    SINGLE_TOKENS = {**Tokenizer.SINGLE_TOKENS, "~": TokenType.RLIKE}  # noqa: RUF012


_OPERATORS = {
    *(TokenType.AND, TokenType.OR, TokenType.NOT, TokenType.IN, TokenType.BETWEEN, TokenType.LIKE, TokenType.ILIKE),
    *(TokenType.IS, TokenType.RLIKE, TokenType.EQ, TokenType.NEQ, TokenType.LT, TokenType.LTE, TokenType.GT),
    *(TokenType.GTE, TokenType.PLUS, TokenType.DASH, TokenType.STAR, TokenType.SLASH, TokenType.MOD),
    *(TokenType.L_PAREN, TokenType.R_PAREN, TokenType.COMMA),
}
_OPERANDS: dict[TokenType, OperandKind] = {
    TokenType.VAR: "name",
    TokenType.IDENTIFIER: "name",
    TokenType.STRING: "text",
    TokenType.NUMBER: "number",
    TokenType.TRUE: "boolean",
    TokenType.FALSE: "boolean",
    TokenType.NULL: "null",
}
_ENDS = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING, TokenType.R_PAREN, TokenType.DOT}
"""What a point after it goes on from."""
_PATTERNS = {TokenType.LIKE, TokenType.ILIKE}
_OPERATORS_INSTEAD = {"==": "=", "&&": "AND", "&": "AND", "||": "OR", "|": "OR"}
_CALLS: dict[str, tuple[OperandKind, tuple[TokenType, ...], str]] = {
    "score_of": ("score_of", (TokenType.STRING,), "score_of('class')"),
    "neuron": ("neuron", (TokenType.STRING, TokenType.COMMA, TokenType.NUMBER), "neuron('layer', 0)"),
}


def read_words(text: str) -> Words:
    """Returns the tokens of a condition.

    Raises:
        ConditionError: It is empty, too long or too deep, or it holds something that is not allowed.
    """
    _check_text(text)
    refuse_pasted(text)
    tokens = _with_points(_tokenize(text))
    _check_gaps(text, tokens)
    for token in tokens:
        _check_token(text, token)
    _check_nesting(tokens)
    return _with_placeholders(text, tokens)


def position_of(token: Token) -> tuple[int, int]:
    """Returns start and end of a token, the end excluded."""
    return token.start, token.end + 1


def _check_text(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        message = f"The condition has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read. Shorten it."
        raise ConditionError(message, (MOST_CHARACTERS, len(text)))
    if not text.strip():
        raise ConditionError("The condition is empty; write e.g. score < 0.6 AND label <> predicted.", (0, len(text)))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "This is half of a character (a lone surrogate); remove it."
        raise ConditionError(message, (error.start, error.end)) from error


def _tokenize(text: str) -> list[Token]:
    try:
        return _Tokenizer().tokenize(text)
    except TokenError as error:
        opening, quote = _unclosed(text)
        message = f"This quote is not closed; end it with {quote}, and double every {quote} inside."
        raise ConditionError(message, (opening, len(text)), suggest_closed(text, opening)) from error


def _with_points(tokens: list[Token]) -> list[Token]:
    """Joins the point and the digits of numbers such as .5, unless they go on from something before them."""
    joined: list[Token] = []
    for token in tokens:
        point = joined[-1] if joined else None
        if token.token_type == TokenType.NUMBER and point and _begins_number(point, token, joined[:-1]):
            joined[-1] = Token(TokenType.NUMBER, f".{token.text}", start=point.start, end=token.end)
        else:
            joined.append(token)
    return joined


def _begins_number(point: Token, digits: Token, before: list[Token]) -> bool:
    adjacent = point.token_type == TokenType.DOT and point.end + 1 == digits.start
    continues = before and before[-1].end + 1 == point.start and before[-1].token_type in _ENDS
    return adjacent and not continues


def _unclosed(text: str) -> tuple[int, str]:
    """Where the quote begins that nothing closes."""
    rest = re.sub(r"'[^']*'|\"[^\"]*\"", lambda match: " " * len(match.group()), text)
    match = re.search("['\"]", rest)
    return (match.start(), match.group()) if match else (0, "'")


def _check_gaps(text: str, tokens: list[Token]) -> None:
    """Refuses what the tokenizer left out, unless it is blank: comments, of whatever dialect."""
    start = 0
    for token in [*tokens, None]:
        gap = text[start : token.start if token else len(text)]
        if comment := gap.strip():
            begin = start + gap.index(comment)
            raise ConditionError("Comments are not allowed here; remove it.", (begin, begin + len(comment)))
        start = token.end + 1 if token else start


def _check_token(text: str, token: Token) -> None:
    start, end = position_of(token)
    written = text[start:end]
    if written == "!" and not text[end:].lstrip().startswith("~"):
        raise ConditionError("! only stands before ~ and =; elsewhere write NOT.", (start, end), "NOT")
    if token.token_type not in _OPERATORS and token.token_type not in _OPERANDS:
        message = f"{shorten(written, 40)} is not allowed in a condition. Allowed: {ALLOWED}."
        raise ConditionError(message, (start, end), _OPERATORS_INSTEAD.get(written))
    if token.token_type == TokenType.NUMBER and not _is_number(written):
        message = f"{shorten(written, 40)} is not a number as conditions know them; write e.g. 12, 0.5 or 1e-3."
        raise ConditionError(message, (start, end))


def _is_number(written: str) -> bool:
    known = re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", written)
    return known is not None and float(written) < float("inf")


def _check_nesting(tokens: list[Token]) -> None:
    """Bounds the recursion of the parser: open parentheses plus the signs and NOTs in a row."""
    opened: list[Token] = []
    prefixes = 0
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            opened.append(token)
        elif token.token_type == TokenType.R_PAREN:
            if not opened:
                raise ConditionError("This parenthesis closes nothing; remove it.", position_of(token))
            opened.pop()
        if token.token_type in {TokenType.NOT, TokenType.DASH, TokenType.PLUS}:
            prefixes += 1
        elif token.token_type != TokenType.L_PAREN:
            prefixes = 0
        if len(opened) + prefixes > MOST_DEPTH:
            raise too_deep(position_of(token))
    if opened:
        raise ConditionError("This parenthesis is not closed; add ).", position_of(opened[-1]))


def too_deep(position: tuple[int, int]) -> ConditionError:
    """Returns the refusal of what is nested too deeply at `position`."""
    message = f"The condition is nested more than {MOST_DEPTH} levels deep here; at most {MOST_DEPTH} are read."
    return ConditionError(message, position)


def _with_placeholders(text: str, tokens: list[Token]) -> Words:
    words = Words(text, [], [])
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.token_type in _OPERATORS:
            words.tokens.append(token)
            index += 1
            continue
        size = 1
        operand = _operand(token)
        if operand.kind == "text" and index and tokens[index - 1].token_type in _PATTERNS:
            operand, size = _pattern(operand, tokens[index + 1 :])
        if operand.kind == "name" and index + 1 < len(tokens) and tokens[index + 1].token_type == TokenType.L_PAREN:
            operand, size = _call(tokens[index:])
        end = tokens[index + size - 1].end
        placeholder = Token(TokenType.IDENTIFIER, str(len(words.operands)), start=token.start, end=end)
        words.tokens.append(placeholder)
        words.operands.append(operand)
        index += size
        if len(words.operands) > MOST_OPERANDS:
            message = (
                f"The condition has more than {MOST_OPERANDS:,} names and values; at most {MOST_OPERANDS:,} are read."
            )
            raise ConditionError(message, operand.position)
    return words


def _operand(token: Token) -> Operand:
    kind = _OPERANDS[token.token_type]
    value: str | float | Decimal | bool = token.text
    if kind == "number":
        value = exact_number(token.text)
    elif kind == "boolean":
        value = token.token_type == TokenType.TRUE
    return Operand(kind, value, position_of(token))


def _pattern(pattern: Operand, after: list[Token]) -> tuple[Operand, int]:
    """The pattern with what ESCAPE says of it, and how many tokens that takes; a column may be called escape."""
    if not after or after[0].token_type != TokenType.VAR or after[0].text.upper() != "ESCAPE":
        return pattern, 1
    if len(after) < 2 or after[1].token_type != TokenType.STRING:
        message = "After ESCAPE there is the one character that takes the meaning from % and _, e.g. ESCAPE '!'."
        raise ConditionError(message, position_of(after[0]))
    return replace(pattern, escape=_operand(after[1])), 3


def exact_number(written: str) -> float | Decimal:
    """Returns a number: as float, or as int or Decimal where it is beyond 2^53 and is none.

    What is written by digits alone is meant exactly, a Decimal is for the floats the nearest of them.
    """
    number = float(written)
    if abs(number) < WIDE or Decimal(written) == number:
        return number
    return int(written) if written.isdigit() else Decimal(written)


def _call(tokens: list[Token]) -> tuple[Operand, int]:
    """The function call that `tokens` begin with, and how many of them it takes."""
    name = tokens[0].text
    if name.casefold() not in _CALLS:
        message = (
            f"{shorten(name, 40)} is not a function of conditions; there are score_of('class') and neuron('layer', 0)."
        )
        raise ConditionError(message, position_of(tokens[0]))
    kind, form, example = _CALLS[name.casefold()]
    size = len(form) + 3
    expected = (TokenType.L_PAREN, *form, TokenType.R_PAREN)
    if tuple(token.token_type for token in tokens[1:size]) != expected:
        closing = next(token for token in tokens if token.token_type == TokenType.R_PAREN)
        message = f"{kind} is written as {example}: with {'a text' if kind == 'score_of' else 'a text and a number'}."
        raise ConditionError(message, (tokens[0].start, closing.end + 1))
    arguments = tuple(_operand(token) for token in tokens[2 : size - 1] if token.token_type in _OPERANDS)
    return Operand(kind, arguments, (tokens[0].start, tokens[size - 1].end + 1)), size
