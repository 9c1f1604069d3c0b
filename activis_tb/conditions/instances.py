"""The instances that conditions are evaluated over, as columns."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.schema import ColumnType, Schema
from activis_tb.errors import ArgumentError
from activis_tb.model import Attribute, Sample


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances by row, in whatever order the caller has them; answers are in that order.

    Attributes:
        ids: str, object array (rows,).
        index: Position in the stream, int64 (rows,).
        label: Position of the true class, int32 (rows,); -1 where it is not known.
        predicted: Position of the predicted class, int32 (rows,); -1 where it is not known.
        score: The predicted class's score, float (rows,); missing where it is not finite.
        attributes: The user's columns; numbers that are not finite are missing.

    Raises:
        ArgumentError: The columns have different lengths.
    """

    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    score: NDArray[np.floating[Any]]
    attributes: tuple[Attribute, ...] = ()

    def __post_init__(self) -> None:
        columns = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "attributes"}
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
        """Returns the sampled instances of a snapshot."""
        return cls(sample.ids, sample.index, sample.label, sample.predicted, sample.score, sample.attributes)


@dataclass(frozen=True)
class StoredColumn:
    """One column of stored instances.

    Attributes:
        name: As conditions call it.
        type: Of a picture or a sound there is a boolean, TRUE where there is one; of a class its position.
        source: As the files call it, a plain word; None where every value is missing.
    """

    name: str
    type: ColumnType
    source: str | None = None


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


def columns_of(instances: Instances, schema: Schema) -> Iterator[Attribute]:
    """Yields the outcomes and the attributes alike: classes are categories, numbers float64 and finite or missing."""
    everywhere = np.ones(instances.rows, np.bool_)
    known = instances.label >= 0, instances.predicted >= 0
    yield Attribute("id", "text", instances.ids, everywhere)
    yield Attribute("label", "category", instances.label, known[0], schema.classes)
    yield Attribute("predicted", "category", instances.predicted, known[1], schema.classes)
    yield Attribute("correct", "boolean", instances.label == instances.predicted, known[0] & known[1])
    numbers = (
        Attribute("score", "number", instances.score, everywhere),
        Attribute("index", "number", instances.index, everywhere),
    )
    for column in (*numbers, *instances.attributes):
        yield _finite(column) if column.type == "number" else column


def _finite(column: Attribute) -> Attribute:
    values = column.values.astype(np.float64)
    return Attribute(column.name, "number", values, column.present & np.isfinite(values))
