"""Words of a layer as rows: the commonest tokens of its positions, their counts, and the means of the neurons there."""

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.errors import ArgumentError
from activis_tb.plugin import http
from activis_tb.plugin.context import Context
from activis_tb.plugin.resources.layers import RecordedLayer
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.positions import TokenTable
from activis_tb.storage import activis_pb2 as pb

MOST_WORDS = 300
_MOST_VALUES = 2**20
"""Of the means of one layer: a wide one has fewer words."""


def words(context: Context) -> Response:
    """Answers which words have a row; raises ArgumentError for a layer without."""
    layer = context.parameters.text("layer")
    table = _table(context.snapshot, layer)
    rows = slice(_rows(table))
    message = pb.WordList(
        text=table.tokens[rows].tolist(),
        count=table.count[rows].tolist(),
        positions=table.positions,
        distinct=table.distinct,
        least=table.least,
        exact=table.exact,
    )
    return http.json_document(context.request, http.message_to_dict(message))


def word_means(context: Context) -> Response:
    """Answers the means at the positions with each of `words`, <f4 (words, neurons); NaN where nothing is finite."""
    return http.npy(context.request, _means(context.snapshot, context.parameters.text("layer")))


def words_layer(snapshot: JoinedSnapshot, layer: str) -> RecordedLayer:
    """Returns the means of the words of `layer` in place of activations; raises ArgumentError for a layer without."""
    _check(snapshot, layer)
    neurons = snapshot.layer(layer).neurons
    return RecordedLayer(f"words {snapshot.identity}{layer}", lambda: _means(snapshot, layer), neurons)


def _means(snapshot: JoinedSnapshot, layer: str) -> NDArray[np.float32]:
    table = _table(snapshot, layer)
    return table.mean[: _rows(table)].astype(np.float32)


def _rows(table: TokenTable) -> int:
    neurons = int(table.mean.shape[1])
    return min(MOST_WORDS, max(1, _MOST_VALUES // max(1, neurons)))


def _table(snapshot: JoinedSnapshot, layer: str) -> TokenTable:
    _check(snapshot, layer)
    table = snapshot.reader_of(layer).tokens(layer)
    assert table is not None
    return table


def _check(snapshot: JoinedSnapshot, layer: str) -> None:
    kind = snapshot.layer(layer).positions
    if kind != "tokens":
        way_out = "Record it with tokens=, see the guide."
        raise ArgumentError("layer", f"{layer!r}, whose positions have no words", "a layer with words", way_out)
