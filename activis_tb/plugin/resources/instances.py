"""Instances that the tab shows one by one: the sampled ones, then the test cases.

Whatever counts, averages or estimates reads the sampled instances alone, from the snapshot's reader.
"""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES, Attribute, Sample
from activis_tb.plugin.entries import ENCODED_TYPES
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage.decoding import SnapshotReader


def shown_rows(snapshot: JoinedSnapshot) -> int:
    """Returns how many rows are shown."""
    return snapshot.manifest.rows + snapshot.manifest.examples


def shown_columns(snapshot: JoinedSnapshot) -> Sample:
    """Returns the columns of all rows, without pictures and sounds; the test cases are members of no subset."""
    sample = snapshot.reader.sample(without=ENCODED_TYPES)
    examples = snapshot.reader.examples(without=ENCODED_TYPES)
    if examples is None:
        return sample
    columns = {
        field.name: np.concatenate([getattr(sample, field.name), getattr(examples, field.name)])
        for field in fields(Sample)
        if field.name not in {"ids_given", "attributes"}
    }
    attributes = map(_join, sample.attributes, examples.attributes)
    return Sample(**columns, ids_given=sample.ids_given, attributes=tuple(attributes))


def shown_media(snapshot: JoinedSnapshot) -> dict[str, NDArray[np.bool_]]:
    """Returns by name of a picture or sound which rows have one, bool (rows,)."""
    return {
        name: snapshot.reader.presence(name) for name, type_ in snapshot.manifest.attributes if type_ in ENCODED_TYPES
    }


def shown_attribute(snapshot: JoinedSnapshot, name: str) -> Attribute:
    """Returns the values of one attribute by row; raises KeyError where there is none of that name."""
    sampled = snapshot.reader.attribute(name)
    if not snapshot.manifest.examples:
        return sampled
    return _join(sampled, snapshot.reader.example_attribute(name))


def shown_scores(snapshot: JoinedSnapshot) -> NDArray[np.float32]:
    """Returns the scores by row, float32 (rows, classes)."""
    scores = snapshot.reader.scores()
    examples = snapshot.reader.examples(without=ATTRIBUTE_TYPES)
    return scores if examples is None else np.concatenate([scores, examples.scores])


def shown_membership(snapshot: JoinedSnapshot) -> NDArray[np.bool_]:
    """Returns the mapping S by row, bool (rows, subsets)."""
    return np.pad(snapshot.reader.membership(), ((0, snapshot.reader.confirmed_examples()), (0, 0)))


def shown_activations(snapshot: JoinedSnapshot, layer: str) -> NDArray[np.float32]:
    """Returns what a layer does by row, float32 (rows, neurons).

    NaN for the test cases where an older session recorded the layer, with other ones.

    Raises:
        NotFoundError: There is no such layer.
    """
    reader = snapshot.reader_of(layer)
    activations = reader.activations(layer)
    if _has_these_examples(reader, snapshot.reader):
        return np.concatenate([activations, reader.example_activations(layer)])
    return np.pad(activations, ((0, snapshot.reader.confirmed_examples()), (0, 0)), constant_values=np.nan)


def _has_these_examples(older: SnapshotReader, newest: SnapshotReader) -> bool:
    if older is newest:
        return True
    found, expected = (reader.examples(without=ATTRIBUTE_TYPES) for reader in (older, newest))
    return found is not None and expected is not None and np.array_equal(found.ids, expected.ids)


def _join(sampled: Attribute, examples: Attribute) -> Attribute:
    if (sampled.name, sampled.type, sampled.categories) != (examples.name, examples.type, examples.categories):
        message = f"The test cases have {examples.name!r} where the sample has {sampled.name!r}. Record the step again."
        raise StoredDataError(message)
    values = np.concatenate([sampled.values, examples.values])
    return replace(sampled, values=values, present=np.concatenate([sampled.present, examples.present]))
