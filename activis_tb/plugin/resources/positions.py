"""Positions of a layer inside of instances: their tokens, what each neuron does there, and where its maxima are."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.plugin import http
from activis_tb.plugin.context import Context
from activis_tb.plugin.resources.instances import has_shown_examples, shown_rows
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.positions import UNKNOWN_POSITION, SamplePositions
from activis_tb.storage import activis_pb2 as pb


def positions(context: Context) -> Response:
    """Answers of which rows the positions are kept, and their tokens; nothing for a layer without positions."""
    snapshot, layer = context.snapshot, context.parameters.text("layer")
    message = pb.LayerPositions(kind=snapshot.layer(layer).positions)
    parts = _parts(snapshot, layer)
    if parts:
        first = parts[0]
        message.before, message.after = first.before, first.after
        message.rows.extend(np.concatenate([part.rows for part in parts]).tolist())
        message.starts.extend(_joined([part.starts for part in parts]))
        if first.text_starts is not None:
            message.text_starts.extend(_joined([part.text_starts for part in parts if part.text_starts is not None]))
            message.texts.extend(chain.from_iterable(part.texts.tolist() for part in parts))
        message.origin.extend(first.origin.tolist())
        message.scale.extend(first.scale.tolist())
    return http.json_document(context.request, http.message_to_dict(message))


def position_codes(context: Context) -> Response:
    """Answers what each neuron does at the positions of `positions`, |u1 (positions, neurons)."""
    snapshot, layer = context.snapshot, context.parameters.text("layer")
    nothing = np.empty((0, snapshot.layer(layer).neurons), np.uint8)
    return http.npy(context.request, np.concatenate([nothing, *(part.codes for part in _parts(snapshot, layer))]))


def position_maxima(context: Context) -> Response:
    """Answers by row at which position each neuron's maximum is, <u2 (rows, neurons); no rows where not recorded."""
    snapshot, layer = context.snapshot, context.parameters.text("layer")
    reader, neurons = snapshot.reader_of(layer), snapshot.layer(layer).neurons
    sampled = reader.arg_positions(layer)
    if sampled is None:
        return http.npy(context.request, np.empty((0, neurons), np.uint16))
    cases = reader.example_arg_positions(layer) if has_shown_examples(snapshot, layer) else None
    if cases is None:
        cases = np.full((shown_rows(snapshot) - len(sampled), neurons), UNKNOWN_POSITION, np.uint16)
    return http.npy(context.request, np.concatenate([sampled, cases]))


def _parts(snapshot: JoinedSnapshot, layer: str) -> Sequence[SamplePositions]:
    """Returns the positions of sampled instances and of test cases, by row of the shown; none where none are kept."""
    snapshot.layer(layer)
    reader = snapshot.reader_of(layer)
    sampled = reader.sample_positions(layer)
    if sampled is None:
        return ()
    cases = reader.example_positions(layer) if has_shown_examples(snapshot, layer) else None
    if cases is None:
        return (sampled,)
    return sampled, replace(cases, rows=cases.rows + snapshot.manifest.rows)


def _joined(offsets: Sequence[NDArray[np.int64]]) -> list[int]:
    """Returns the offsets of parts that stand behind each other."""
    ends = np.cumsum([0, *(one[-1] for one in offsets)])
    return [0, *np.concatenate([one[1:] + end for one, end in zip(offsets, ends[:-1], strict=True)]).tolist()]
