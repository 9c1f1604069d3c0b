"""An oracle: random conditions, each with a function that says in plain Python whether it holds for a row, or None.

It knows nothing of the code under test: texts are put together here, and evaluated by Python's own operators.
"""

import math
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis.strategies as st

from tests.unit.conditions import people


class Node(NamedTuple):
    text: str
    value: Callable[[int], Any]


def finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)


def known(number: float | None) -> float | None:
    return None if number is None or math.isnan(number) else float(number)


def calculated(node: "Node", row: int) -> float | None:
    """What overflows is missing; the infinite age is infinite."""
    number = known(node.value(row))
    return number if "age" in node.text and row == people.AGE.index(math.inf) else finite(number)


def column(text: str, values: list) -> Node:
    return Node(text, lambda row: values[row])


def classes(positions: list[int], nothing: str | None) -> list[str | None]:
    return [people.CLASSES[position] if position >= 0 else nothing for position in positions]


LABEL, PREDICTED = classes(people.LABEL, None), classes(people.PREDICTED, "")
CORRECT = [None if a is None else a == b for a, b in zip(LABEL, PREDICTED, strict=True)]

NUMBERS = [
    column("age", [known(age) for age in people.AGE]),
    column("SCORE", [finite(score) for score in people.SCORE]),
    column("index", [float(row) for row in range(8)]),
    column('"select"', [float(row) for row in range(8)]),
    column("neuron('hidden', 0)", [finite(value) for value in people.HIDDEN_0]),
    column("neuron('hidden', 2)", [finite(value + 2) for value in people.HIDDEN_0]),
    column("score_of('dog')", people.SCORE_OF_DOG),
]
TEXTS = [
    column("text", people.TEXT),
    column("Topic", people.TOPIC),
    column("id", people.IDS),
]
CLASSES = [column("label", LABEL), column("predicted", PREDICTED)]
BOOLEANS = [
    column('"is vip"', people.VIP),
    column("correct", CORRECT),
    column("TRUE", [True] * 8),
    column("false", [False] * 8),
]
FILES = [column("picture", people.PICTURE)]
REGULAR = ["", "a", "^W", "t$", "[0-9]+", "i.*t", "ä|Ö", "(wh)?at", "\\d{2}", "[^a-z]", "%", "s\\b"]

COMPARISONS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def lifted(function: Callable[..., Any], *nodes: Node) -> Callable[[int], Any]:
    """The function of the nodes' values; missing where one of them is."""

    def value(row: int) -> Any:
        values = [node.value(row) for node in nodes]
        return None if any(item is None for item in values) else function(*values)

    return value


def written(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def divided(left: float, right: float) -> float | None:
    return None if right == 0 else left / right


def remainder(left: float, right: float) -> float | None:
    return None if right == 0 else math.nan if math.isinf(left) or math.isnan(right) else math.fmod(left, right)


ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": divided, "%": remainder}


def like(text: str, pattern: str) -> bool:
    translated = "".join({"%": ".*", "_": "."}.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(translated, text, re.DOTALL) is not None


def conjunction(values: list) -> bool | None:
    return False if False in values else None if None in values else True


def disjunction(values: list) -> bool | None:
    return True if True in values else None if None in values else False


def negation(value: bool | None) -> bool | None:
    return None if value is None else not value


number_literals = st.sampled_from([0, 1, 2, -1, -3, 0.5, 0.75, 20, 20.5, 1e308, 7, 0.1]).map(
    lambda number: Node(f"{number!r}", lambda row: float(number))
)


def escaped(pattern: str, escape: str) -> str:
    """The pattern that stands for the very text, whatever is in it."""
    return "".join(escape + letter if letter in {"%", "_", escape} else letter for letter in pattern)


def matching_itself(node: Node, text: str, escape: str, sign: str) -> Node:
    found = lifted(lambda other: (other == text) == (sign == "LIKE"), node)
    return Node(f"{node.text} {sign} {written(escaped(text, escape))} ESCAPE {written(escape)}", found)


letters = st.sampled_from(list("aitWx1_%' \nÄö\"?;-\\漢"))
words = st.sampled_from(["what is", "12", "sports", 'a "b"', "", "topic 7", "a", "it's 100%"]) | st.text(
    letters, max_size=4
)
text_literals = words.map(lambda text: Node(written(text), lambda row: text))
class_literals = st.sampled_from(people.CLASSES).map(lambda name: Node(written(name), lambda row: name))


def calculation(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def joined(left: Node, sign: str, right: Node) -> Node:
        return Node(f"({left.text} {sign} {right.text})", lifted(ARITHMETIC[sign], left, right))

    negative = inner.map(lambda node: Node(f"(- {node.text})", lifted(operator.neg, node)))
    return negative | st.builds(joined, inner, st.sampled_from(list(ARITHMETIC)), inner)


numbers = st.recursive(st.sampled_from(NUMBERS) | number_literals, calculation, max_leaves=4).map(
    lambda node: Node(node.text, lambda row: calculated(node, row))
)
texts = st.sampled_from(TEXTS + CLASSES) | text_literals


def comparison(left: Node, sign: str, right: Node) -> Node:
    return Node(f"{left.text} {sign} {right.text}", lifted(COMPARISONS[sign], left, right))


def between(node: Node, low: Node, high: Node, negated: bool) -> Node:
    word = "not between" if negated else "BETWEEN"
    inside = [lifted(operator.ge, node, low), lifted(operator.le, node, high)]

    def value(row: int) -> bool | None:
        found = conjunction([bound(row) for bound in inside])
        return negation(found) if negated else found

    return Node(f"{node.text} {word} {low.text} AND {high.text}", value)


def membership(node: Node, values: list[Node], negated: bool) -> Node:
    listed = ", ".join(value.text for value in values)
    found = lifted(lambda item: (item in [value.value(0) for value in values]) != negated, node)
    return Node(f"{node.text} {'NOT IN' if negated else 'in'} ({listed})", found)


def matching(node: Node, pattern: str, sign: str) -> Node:
    found = {
        "LIKE": lambda text: like(text, pattern),
        "NOT LIKE": lambda text: not like(text, pattern),
        "ilike": lambda text: like(text.lower(), pattern.lower()),
    }[sign]
    return Node(f"{node.text} {sign} {written(pattern)}", lifted(found, node))


def searching(node: Node, pattern: str, negated: bool) -> Node:
    found = lifted(lambda text: (re.search(pattern, text) is not None) != negated, node)
    return Node(f"{node.text} {'!~' if negated else '~'} {written(pattern)}", found)


def missing(node: Node, negated: bool) -> Node:
    """A prediction of nothing is missing here, and an empty text, unlike every class, anywhere else."""
    absent = ("", None) if node.text == "predicted" else (None,)
    return Node(f"{node.text} IS {'NOT ' if negated else ''}NULL", lambda row: (node.value(row) in absent) != negated)


signs = st.sampled_from(list(COMPARISONS))
equal = st.sampled_from(["=", "!=", "<>"])
flags = st.booleans()
leaves = st.one_of(
    st.sampled_from(BOOLEANS),
    st.builds(comparison, numbers, signs, numbers),
    st.builds(comparison, st.sampled_from(TEXTS), signs, texts),
    st.builds(comparison, text_literals, signs, st.sampled_from(TEXTS) | text_literals),
    st.builds(comparison, st.sampled_from(CLASSES), signs, st.sampled_from(TEXTS + CLASSES)),
    st.builds(comparison, st.sampled_from(CLASSES), equal, class_literals),
    st.builds(between, numbers, numbers, numbers, flags),
    st.builds(between, texts, texts, texts, flags),
    st.builds(membership, numbers, st.lists(number_literals, min_size=1, max_size=4), flags),
    st.builds(membership, st.sampled_from(TEXTS), st.lists(text_literals, min_size=1, max_size=4), flags),
    st.builds(membership, st.sampled_from(CLASSES), st.lists(class_literals, min_size=1, max_size=3), flags),
    st.builds(matching, texts, words, st.sampled_from(["LIKE", "NOT LIKE", "ilike"])),
    st.builds(matching_itself, texts, words, st.sampled_from("!\\'%é"), st.sampled_from(["LIKE", "NOT LIKE"])),
    st.builds(searching, texts, st.sampled_from(REGULAR), flags),
    st.builds(missing, numbers | texts | st.sampled_from(BOOLEANS + FILES), flags),
)


def joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Conditions joined to larger ones; whatever is joined stands in parentheses."""

    def junction(nodes: list[Node], word: str) -> Node:
        truth = conjunction if word.upper() == "AND" else disjunction
        text = f" {word} ".join(f"({node.text})" for node in nodes)
        return Node(text, lambda row: truth([node.value(row) for node in nodes]))

    negated = inner.map(lambda node: Node(f"NOT ({node.text})", lambda row: negation(node.value(row))))
    several = st.builds(junction, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "or", "Or"]))
    return negated | several


conditions = st.recursive(leaves, joined, max_leaves=8)
