"""Rows of instances that the tab shows: the sampled ones, then the test cases.

Counts, averages and estimates read the sampled instances alone, from the snapshot's reader.
"""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.errors import StoredDataError
from activis_tb.model import ATTRIBUTE_TYPES, Attribute, Sample
from activis_tb.plugin import http
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.entries import ENCODED_TYPES, instance_columns
from activis_tb.plugin.http import NotFoundError
from activis_tb.plugin.snapshots import JoinedSnapshot

_PICTURES_LIMIT = 256 * MEBIBYTE


class InstanceRoutes:
    """Routes of single instances, with a cache of pictures and sounds."""

    def __init__(self) -> None:
        self._pictures: Recent[tuple[str, str], Attribute] = Recent(_PICTURES_LIMIT)

    def columns(self, context: Context) -> Response:
        snapshot, manifest = context.snapshot, context.snapshot.manifest
        columns = instance_columns(
            shown_columns(snapshot), manifest.examples, manifest.attributes, shown_media(snapshot)
        )
        return http.json_document(context.request, http.message_to_dict(columns))

    def image(self, context: Context) -> Response:
        name, snapshot = context.parameters.text("attribute"), context.snapshot
        row = context.row(shown_rows(snapshot))
        encoded = [other for other, type_ in snapshot.manifest.attributes if type_ in ENCODED_TYPES]
        if name not in encoded:
            raise NotFoundError("attribute of type image or audio", name, encoded)
        attribute = self._pictures.get_or_make((snapshot.identity, name), lambda: shown_attribute(snapshot, name))
        if not attribute.present[row]:
            raise NotFoundError(f"value of attribute {name!r} in row", row)
        return http.encoded(context.request, attribute.values[row], name, row)

    def scores(self, context: Context) -> Response:
        scores = shown_scores(context.snapshot)
        if context.parameters.has("row"):
            row = context.row(shown_rows(context.snapshot))
            scores = scores[row : row + 1]
        return http.npy(context.request, scores)

    def membership(self, context: Context) -> Response:
        return http.npy(context.request, shown_membership(context.snapshot).astype(np.uint8))


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
    """Returns the activations of a layer by row, float32 (rows, neurons).

    NaN for the test cases where an older session with other test cases recorded the layer.

    Raises:
        NotFoundError: There is no such layer.
    """
    reader = snapshot.reader_of(layer)
    activations = reader.activations(layer)
    if has_shown_examples(snapshot, layer):
        return np.concatenate([activations, reader.example_activations(layer)])
    return np.pad(activations, ((0, snapshot.reader.confirmed_examples()), (0, 0)), constant_values=np.nan)


def has_shown_examples(snapshot: JoinedSnapshot, layer: str) -> bool:
    """Returns whether the session that recorded `layer` had the test cases that are shown."""
    older, newest = snapshot.reader_of(layer), snapshot.reader
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
