"""Columns of the instances that conditions are evaluated over, in memory or in Parquet files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from unicodedata import combining

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.schema import ColumnType, Schema, normal_form
from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute, Sample, is_cut, is_right, kept_text


@dataclass(frozen=True, eq=False)
class Instances:
    """A table of instances in memory; answers are in the order of its rows.

    Attributes:
        ids: str, object array (rows,).
        index: Position in the stream, int64 (rows,).
        label: Position of the true class, int32 (rows,); -1 where there is none.
        predicted: Position of the predicted class, int32 (rows,); -1 where it is predicted as nothing.
        score: The predicted class's score, float (rows,); missing where it is not finite.
        attributes: The user's columns; numbers that are NaN are missing.
        cut: By name of attribute, which texts were cut to their beginning, bool (rows,); absent where none were.

    Raises:
        ArgumentError: The columns have different lengths.
    """

    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    score: NDArray[np.floating[Any]]
    attributes: tuple[Attribute, ...] = ()
    cut: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        columns = {
            field.name: getattr(self, field.name) for field in fields(self) if field.name not in {"attributes", "cut"}
        }
        columns |= {f'attributes["{attribute.name}"]': attribute.values for attribute in self.attributes}
        for name, values in columns.items():
            if values.shape != (self.rows,):
                raise ArgumentError(name, f"shape {values.shape}", f"({self.rows},), a value per instance")

    @property
    def rows(self) -> int:
        """How many instances there are."""
        return len(self.ids)

    @classmethod
    def of_sample(cls, sample: Sample) -> "Instances":
        """Returns the sampled instances of a snapshot; cut texts lack their last, uncertain letter."""
        attributes, cut = list(sample.attributes), {}
        for position, attribute in enumerate(sample.attributes):
            texts: Any = {"text": attribute.values, "category": attribute.categories}.get(attribute.type, ())
            if any(map(is_cut, texts)):
                attributes[position], cut[attribute.name] = _without_marks(attribute)
        columns = (sample.ids, sample.index, sample.label, sample.predicted, sample.score)
        return cls(*columns, tuple(attributes), cut)


@dataclass(frozen=True)
class StoredColumn:
    """One column of stored instances.

    Attributes:
        name: As conditions call it.
        type: Of a picture or a sound there is a boolean, TRUE where there is one; of a class its position.
        source: As the files call it, a plain word; None where every value is missing.
        whole: As the files call it where whole numbers come that are no float; None where none do.
    """

    name: str
    type: ColumnType
    source: str | None = None
    whole: str | None = None


@dataclass(frozen=True)
class StoredInstances:
    """Instances in Parquet files, in the order of their index.

    Attributes:
        paths: The files, one after the other; a file without a column misses all its values.
        rows: How many instances they hold.
        classes: Names, by position.
        columns: The outcomes and the attributes.
    """

    paths: tuple[Path, ...]
    rows: int
    classes: tuple[str, ...]
    columns: tuple[StoredColumn, ...]


def _without_marks(attribute: Attribute) -> tuple[Attribute, NDArray[np.bool_]]:
    """The texts without their last, uncertain letter, and which of them were cut, bool (rows,)."""
    texts = attribute.values
    if attribute.type == "category":
        texts = np.array(["", *attribute.categories], np.object_)[np.where(attribute.present, texts + 1, 0)]
    cut = np.fromiter(map(is_cut, texts), np.bool_, len(texts))
    kept = texts.copy()
    kept[cut] = [_certain(text) for text in texts[cut]]
    return Attribute(attribute.name, "text", kept, attribute.present), cut


def _certain(text: str) -> str:
    """A cut text without its last letter, to which a combining mark may have belonged that was cut off."""
    kept = normal_form(kept_text(text))
    last = len(kept) - 1
    while last > 0 and combining(kept[last]):
        last -= 1
    return kept[:last]


def columns_of(instances: Instances, schema: Schema) -> Iterator[Attribute]:
    """Yields the outcomes and the attributes alike: classes are categories, scores finite or missing."""
    everywhere = np.ones(instances.rows, np.bool_)
    labelled, predicted = instances.label >= 0, instances.predicted >= 0
    yield Attribute("id", "text", instances.ids, everywhere)
    yield Attribute("label", "category", instances.label, labelled, schema.classes)
    yield Attribute("predicted", "category", instances.predicted, predicted, schema.classes)
    yield Attribute("correct", "boolean", is_right(instances.label, instances.predicted), labelled)
    yield Attribute("score", "number", instances.score.astype(np.float64), np.isfinite(instances.score))
    yield Attribute("index", "number", instances.index.astype(np.float64), everywhere)
    for column in instances.attributes:
        yield _known(column) if column.type == "number" else column


def _known(column: Attribute) -> Attribute:
    values = column.values if column.values.dtype.kind in "iu" else column.values.astype(np.float64)
    return Attribute(column.name, "number", values, column.present & ~np.isnan(values))
