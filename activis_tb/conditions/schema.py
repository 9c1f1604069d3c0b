"""Schema of a condition: columns, classes, neurons; and the error that says where a condition breaks it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Literal
from unicodedata import normalize

from activis_tb.errors import ActivisError
from activis_tb.model import AttributeType, Manifest


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


ColumnType = Literal["number", "category", "text", "class", "boolean", "time", "image", "audio"]
"""As the types of attributes; `class` is a text that is one of the class names."""

OUTCOME_TYPES: Mapping[str, ColumnType] = MappingProxyType(
    {"id": "text", "label": "class", "predicted": "class", "score": "number", "correct": "boolean", "index": "number"}
)
OF_LABELS = frozenset({"label", "correct"})
"""Outcomes that data without labels lacks."""
GRAMMAR = files(__package__).joinpath("language.lark").read_text(encoding="utf-8")
_NAMES = re.findall(r"^\?name: (.+)$", GRAMMAR, re.MULTILINE)[0].split(" | ")
KEYWORDS = frozenset(re.findall(r'^(\w+): "\1"$', GRAMMAR, re.MULTILINE)).difference(_NAMES)
"""Words that are no names unless they are quoted."""


@dataclass(frozen=True)
class Schema:
    """The names that conditions are checked against.

    Attributes:
        classes: Names, by position.
        attributes: Name and type.
        layers: Name and number of neurons.
        labelled: Whether the instances have true classes; if not, there is neither `label` nor `correct`.
    """

    classes: tuple[str, ...]
    attributes: tuple[tuple[str, AttributeType], ...] = ()
    layers: tuple[tuple[str, int], ...] = ()
    labelled: bool = True

    @classmethod
    def of(cls, manifest: Manifest) -> "Schema":
        """Returns the schema of a recorded snapshot."""
        layers = tuple((layer.name, layer.neurons) for layer in manifest.layers)
        return cls(manifest.classes, manifest.attributes, layers, manifest.labelled)

    @cached_property
    def columns(self) -> Mapping[str, ColumnType]:
        """Type by name: the outcomes, then the attributes."""
        outcomes = {name: type_ for name, type_ in OUTCOME_TYPES.items() if self.labelled or name not in OF_LABELS}
        return MappingProxyType({**outcomes, **dict(self.attributes)})

    @cached_property
    def neurons(self) -> Mapping[str, int]:
        """Number of neurons by layer."""
        return MappingProxyType(dict(self.layers))

    def find_column(self, name: str) -> tuple[str, ...]:
        """Returns the columns that `name` may mean: itself, else those that differ in case or normal form only."""
        if name in self.columns:
            return (name,)
        return tuple(column for column in self.columns if _folded(column) == _folded(name))


def find_alike(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Returns those of `names` that equal a text in normal form."""
    return tuple(known for known in names if normal_form(known) == normal_form(name))


def normal_form(text: str) -> str:
    """Returns a text as it is compared: letters and their marks in one piece where there is one (Unicode's NFC)."""
    return text if text.isascii() else normalize("NFC", text)


def _folded(name: str) -> str:
    return normal_form(name).casefold()


def closest(name: str, names: Iterable[str]) -> str | None:
    """Returns the one of `names` that a person who wrote `name` may have meant, or None."""
    by_folded = {candidate.casefold(): candidate for candidate in names}
    matches = get_close_matches(name.casefold(), by_folded, n=1)
    return by_folded[matches[0]] if matches else None


def quote_name(name: str) -> str:
    """Returns a column's name as it is written in a condition: in double quotes where it is not a plain word."""
    plain = re.fullmatch(r"[^\W\d]\w*", name) and name.upper() not in KEYWORDS
    return name if plain else '"{}"'.format(name.replace('"', '""'))


def quote_text(text: str) -> str:
    """Returns a text as it is written in a condition: in single quotes, which are doubled inside."""
    return "'{}'".format(text.replace("'", "''"))
