"""The sampled attributes as typed columns: decided at the end, when all their values are there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.model import Attribute, AttributeType, cut_text
from activis_tb.recording.attributes import Column, Kind
from activis_tb.recording.numbers import narrowed
from activis_tb.times import canonical_times

MOST_CATEGORIES = 100
LONGEST_CATEGORY = 100
"""A text attribute with at most so many distinct values in the sample, none with more characters, is a category,
unless the user says otherwise."""

TYPE_OF_KIND: dict[Kind, AttributeType] = {
    "number": "number",
    "boolean": "boolean",
    "text": "text",
    "time": "time",
    "image": "image",
    "audio": "audio",
    "": "text",
}
KIND_OF_TYPE: dict[AttributeType, Kind] = {
    "number": "number",
    "boolean": "boolean",
    "text": "text",
    "category": "text",
    "time": "time",
    "image": "image",
    "audio": "audio",
}


def typed_attribute(name: str, column: Column, declared: AttributeType | None) -> Attribute:
    """Returns the sampled values of one attribute with their type: the declared one, else the one they show.

    Categories are in alphabetical order, so that every step of a run has the same ones as long as the values are.
    """
    kind = KIND_OF_TYPE[declared] if declared else column.kind or "text"
    filled = column.as_kind(kind)
    if kind == "text":
        filled = replace(filled, values=_cut(filled.values))
    if kind == "text" and declared != "text":
        distinct = sorted(set(filled.values[filled.present]))
        if declared == "category" or _are_categories(distinct):
            codes = {value: code for code, value in enumerate(distinct)}
            values = np.fromiter((codes.get(value, -1) for value in filled.values), np.int32, len(filled.values))
            values[~filled.present] = -1
            return Attribute(name, "category", values, filled.present, tuple(distinct))
    return Attribute(name, declared or TYPE_OF_KIND[kind], _fitted(filled), filled.present)


def _fitted(column: Column) -> NDArray[Any]:
    """Numbers and times in the type that the sampled ones need, whatever those beside them were."""
    if column.kind == "number":
        return narrowed(column.values)
    return canonical_times(column.values) if column.kind == "time" else column.values


def _are_categories(distinct: Sequence[str]) -> bool:
    return 0 < len(distinct) <= MOST_CATEGORIES and max(map(len, distinct)) <= LONGEST_CATEGORY


def _cut(texts: NDArray[np.object_]) -> NDArray[np.object_]:
    cut = texts.copy()
    cut[:] = [cut_text(text) for text in texts]
    return cut
