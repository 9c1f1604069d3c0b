"""Parser of conditions, by lark: a text becomes a syntax tree of `language.lark`, or an error says where it cannot."""

import re
from decimal import Decimal
from functools import cache
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from activis_tb.conditions.pasted import refuse_pasted, suggest_closed
from activis_tb.conditions.schema import GRAMMAR, KEYWORDS, ConditionError
from activis_tb.errors import shorten

Node = Token | Tree[Token]
"""An operand that is written as one token, or what a rule of the grammar joins."""

MOST_CHARACTERS = 4096
MOST_OPERANDS = 1000
MOST_DEPTH = 32
WIDE = 2**53
"""Up to here every whole number has a float."""
_FUNCTIONS = {
    "SCORE_OF": "score_of is written as score_of('class'): with a text.",
    "NEURON": "neuron is written as neuron('layer', 0): with a text and a number.",
}
_NAMES = {"NAME", "QUOTED", "ESCAPE", *_FUNCTIONS}
_OPERANDS = {*_NAMES, "TEXT", "NUMBER", "TRUE", "FALSE", "NULL"}
_ALLOWED = (
    "columns, 'text', numbers, TRUE, FALSE, = <> < <= > >= AND OR NOT IN BETWEEN LIKE ILIKE ESCAPE ~ IS NULL "
    "+ - * / % ( ), score_of('class') and neuron('layer', 0)"
)
_INSTEAD = {"==": "=", "&&": "AND", "&": "AND", "||": "OR", "|": "OR"}
_WITH_COMMA = re.compile(r"(?<![\w.,'\"])(?:0,[0-9]+|[0-9]+,(?![0-9]{3}\b)[0-9]+)(?![\w.,'\"])", re.ASCII)
"""A decimal fraction of other languages; not what may be thousands."""


class _Refused:
    """Keeps the tokens in the language that no rule has, so that they are refused with a place."""

    always_accept = ("COMMENT", "UNCLOSED", "FOREIGN", "OTHER")

    @staticmethod
    def process(stream: object) -> object:
        return stream


@cache
def language() -> Lark:
    """Returns the grammar, ready to read tokens and to parse them."""
    return Lark(
        GRAMMAR, parser="lalr", lexer="basic", postlex=_Refused(), propagate_positions=True, g_regex_flags=re.IGNORECASE
    )


def parse(text: str) -> Node:
    """Returns the syntax tree of a condition, at most `MOST_DEPTH` levels deep.

    Raises:
        ConditionError: It is empty, too long or too deep, or not a condition whatever the columns are.
    """
    _check_text(text)
    refuse_pasted(text)
    tokens = _tokens(text)
    for token in tokens:
        _check_token(text, token)
    _check_nesting(tokens)
    tree = _parse(text, tokens)
    _check_depth(text, tree)
    return tree


def position_of(node: Node) -> tuple[int, int]:
    """Returns start and end of a token or a tree, the end excluded, in characters."""
    place = node if isinstance(node, Token) else node.meta
    return cast("int", place.start_pos), cast("int", place.end_pos)


def value_of(operand: Token) -> str | float | Decimal | bool:
    """Returns the name, the text, the number or the truth that a token is written for."""
    written = str(operand)
    if operand.type in {"QUOTED", "TEXT"}:
        quote = written[0]
        return written[1:-1].replace(quote * 2, quote)
    if operand.type == "NUMBER":
        return exact_number(written)
    return operand.type == "TRUE" if operand.type in {"TRUE", "FALSE"} else written


def exact_number(written: str) -> float | Decimal:
    """Returns a number as float; beyond 2^53, where no float equals it, as int or Decimal.

    Whole numbers are meant exactly; a Decimal stands for the nearest float.
    """
    number = float(written)
    if abs(number) < WIDE or Decimal(written) == number:
        return number
    return int(written) if written.isdigit() else Decimal(written)


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


def _tokens(text: str) -> list[Token]:
    # Lark.lex builds its lexer again each time, which takes longer than everything else here.
    parser = language().parse_interactive(text)
    return list(parser.lexer_thread.lex(parser.parser_state))


def _check_token(text: str, token: Token) -> None:
    position = start, _ = position_of(token)
    shown = shorten(str(token), 40)
    if token.type == "COMMENT":
        raise ConditionError("Comments are not allowed here; remove it.", (start, start + len(token.rstrip())))
    if token.type == "UNCLOSED":
        quote = token[0]
        message = f"This quote is not closed; end it with {quote}, and double every {quote} inside."
        raise ConditionError(message, position, suggest_closed(text, start))
    if token == "!":
        raise ConditionError("! only stands before ~ and =; elsewhere write NOT.", position, "NOT")
    if token.type in _Refused.always_accept:
        message = f"{shown} is not allowed in a condition. Allowed: {_ALLOWED}."
        raise ConditionError(message, position, _INSTEAD.get(token))
    if token.type == "NUMBER" and not _is_number(token):
        message = f"{shown} is not a number as conditions know them; write e.g. 12, 0.5 or 1e-3."
        raise ConditionError(message, position)


def _is_number(written: str) -> bool:
    known = re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", written)
    return known is not None and float(written) < float("inf")


def _check_nesting(tokens: list[Token]) -> None:
    """Pairs the parentheses, and bounds how many are open plus the signs and NOTs in a row."""
    opened: list[Token] = []
    prefixes = 0
    for token in tokens:
        if token == "(":
            opened.append(token)
        elif token == ")":
            if not opened:
                raise ConditionError("This parenthesis closes nothing; remove it.", position_of(token))
            opened.pop()
        if token.type in {"NOT", "MINUS", "PLUS"}:
            prefixes += 1
        elif token != "(":
            prefixes = 0
        if len(opened) + prefixes > MOST_DEPTH:
            raise _too_deep(position_of(token))
    if opened:
        raise ConditionError("This parenthesis is not closed; add ).", position_of(opened[-1]))


def _check_depth(text: str, tree: Node) -> None:
    """Bounds the recursion over the tree: a chain of AND or of OR is one level deep, other chains are not."""
    depths: dict[int, int] = {}
    for subtree in tree.iter_subtrees() if isinstance(tree, Tree) else ():
        depths[id(subtree)] = 1 + max(depths.get(id(child), 1) for child in subtree.children)
    if max(depths.values(), default=1) > MOST_DEPTH:
        raise _too_deep((0, len(text)))


def _too_deep(position: tuple[int, int]) -> ConditionError:
    message = f"The condition is nested more than {MOST_DEPTH} levels deep here; at most {MOST_DEPTH} are read."
    return ConditionError(message, position)


def _parse(text: str, tokens: list[Token]) -> Node:
    parser = language().parse_interactive()
    for index, token in enumerate(tokens):
        try:
            parser.feed_token(token)
        except UnexpectedToken as error:
            raise _misplaced(text, tokens, index, parser.accepts()) from error
    try:
        return cast("Node", parser.feed_eof(tokens[-1]))
    except UnexpectedToken as error:
        raise _misplaced(text, tokens, len(tokens), parser.accepts()) from error


def _misplaced(text: str, tokens: list[Token], index: int, expected: set[str]) -> ConditionError:
    """The refusal of `tokens[index]`, or of the end, where the grammar goes on with one of `expected`."""
    before, after = tokens[:index], tokens[index:]
    previous, token = before[-1].type if before else "", after[0] if after else None
    if previous == "ESCAPE" and expected == {"TEXT"}:
        message = "After ESCAPE there is the one character that takes the meaning from % and _, e.g. ESCAPE '!'."
        return ConditionError(message, position_of(before[-1]))
    if (call := _open_call(before)) is not None:
        closing = next(one for one in after if one == ")")
        return ConditionError(_FUNCTIONS[call.type], (position_of(call)[0], position_of(closing)[1]))
    if token == "(" and previous in _NAMES:
        name = shorten(str(before[-1]), 40)
        message = f"{name} is not a function of conditions; there are score_of('class') and neuron('layer', 0)."
        return ConditionError(message, position_of(before[-1]))
    if token is not None and "NAME" in expected and _is_meant_as_name(after):
        message = f'{token} is a keyword of conditions; write "{token}" for a column of that name.'
        return ConditionError(message, position_of(token))
    if token is None or _lacks_an_operand(tokens):
        last = shorten(str(tokens[-1]), 40)
        message = f"The condition is not complete around {last}: a value, a column or an operator is missing."
        return ConditionError(message, position_of(tokens[-1]))
    start, _ = position = position_of(token)
    if decimal := next((one for one in _WITH_COMMA.finditer(text) if one.start() < start < one.end()), None):
        message = f"{decimal.group()} is not a number of conditions; write it with a point."
        return ConditionError(message, decimal.span(), decimal.group().replace(",", "."))
    if "NAME" in expected:
        return ConditionError(f"A column or a value is missing before {shorten(str(token), 40)}.", position)
    message = (
        f"{shorten(str(token), 40)} does not fit here. "
        "A condition compares values and joins the comparisons by AND and OR, e.g. score < 0.6 AND label = predicted."
    )
    return ConditionError(message, position)


def _is_meant_as_name(after: list[Token]) -> bool:
    """Whether the keyword that `after` begins with is alone or compared with something, as a column would be."""
    return after[0].upper() in KEYWORDS and (len(after) == 1 or after[1].type in {"EQUALITY", "RELATION", "IS"})


def _open_call(before: list[Token]) -> Token | None:
    """The name of the function whose parenthesis is still open after `before`."""
    opened = [index for index, token in enumerate(before) if token == "(" and ")" not in before[index:]]
    call = before[opened[-1] - 1] if opened and opened[-1] else None
    return call if call is not None and call.type in _FUNCTIONS else None


def _lacks_an_operand(tokens: list[Token]) -> bool:
    """Whether the condition ends with an operator, closing parentheses aside."""
    last = next((token for token in reversed(tokens) if token != ")"), None)
    return last is None or last.type not in _OPERANDS
