"""Positions of a layer as one neuron sees them: its tokens, its strongest positions, and where its maxima are."""

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.plugin import http
from activis_tb.plugin.context import Context
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.positions import UNKNOWN_POSITION, TokenTable, TopPositions
from activis_tb.storage import activis_pb2 as pb

MOST_TOKENS = 100
"""Of one neuron, that go into an answer."""


def positions(context: Context) -> Response:
    """Answers which tokens and which positions one neuron is strongest at."""
    snapshot, (layer, neuron) = context.snapshot, context.neuron()
    reader = snapshot.reader_of(layer)
    message = pb.NeuronPositions(kind=snapshot.layer(layer).positions, maxima=_maxima(snapshot, layer, neuron))
    table, top = reader.tokens(layer), reader.top_positions(layer)
    if table is not None and top is not None:
        message.tokens.CopyFrom(_tokens(table, neuron))
        message.before, message.after = top.before, top.after
        message.strongest.extend(_strongest(top, neuron, snapshot))
    return http.json_document(context.request, http.message_to_dict(message))


def _tokens(table: TokenTable, neuron: int) -> pb.NeuronTokens:
    mean = table.mean[:, neuron]
    known = np.flatnonzero(np.isfinite(mean))
    rows = known[np.argsort(-mean[known], kind="stable")][:MOST_TOKENS]
    return pb.NeuronTokens(
        text=table.tokens[rows].tolist(),
        count=table.count[rows].tolist(),
        mean=mean[rows].tolist(),
        max=[] if table.max is None else _finite(table.max[rows, neuron]).tolist(),
        positions=table.positions,
        distinct=table.distinct,
        listed=len(table.tokens),
        least=table.least,
        exact=table.exact,
    )


def _strongest(top: TopPositions, neuron: int, snapshot: JoinedSnapshot) -> list[pb.StrongestPosition]:
    rows = {identity: row for row, identity in enumerate(snapshot.reader.ids().tolist())}
    found = []
    for value, place in zip(top.value[neuron].tolist(), top.place[neuron].tolist(), strict=True):
        if place >= 0:
            instance = int(top.instance[place])
            found.append(
                pb.StrongestPosition(
                    value=value,
                    texts=top.texts[place].tolist(),
                    position=int(top.position[place]),
                    id=top.ids[instance],
                    index=int(top.index[instance]),
                    row=rows.get(top.ids[instance], -1),
                )
            )
    return found


def _maxima(snapshot: JoinedSnapshot, layer: str, neuron: int) -> list[int]:
    """By row of the instances, the position of the neuron's maximum, -1 where it is not known."""
    reader = snapshot.reader_of(layer)
    parts = (reader.arg_positions(layer), reader.example_arg_positions(layer))
    places = [part[:, neuron].astype(np.int32) for part in parts if part is not None]
    if not places:
        return []
    joined = np.concatenate(places)
    shown: list[int] = np.where(joined == UNKNOWN_POSITION, -1, joined).tolist()
    return shown


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isfinite(values), values, np.float32(0))
