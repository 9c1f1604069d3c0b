"""Recorder of the stored instances (`keep="all"`): every instance, in parts, to the side files."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import quantise
from activis_tb.model import Snapshot
from activis_tb.recording.blocks import MEDIA_KINDS, Block, Buffer, Column
from activis_tb.storage.side_files import MOST_ROWS, DatasetWriter, attribute_column, score_column, whole_column

PART_ROWS = MOST_ROWS
PART_BYTES = 64 * 2**20
"""Bytes of activations, of texts, and so of memory, that one part may take."""


class DatasetRecorder:
    """Recorder that joins blocks to parts; its memory does not grow with the number of instances."""

    def __init__(self, writer: DatasetWriter) -> None:
        self._writer = writer
        self._buffer = Buffer(PART_ROWS, PART_BYTES)
        self._text_bytes = 0

    def add(self, block: Block) -> None:
        """Adds the instances of `block`; raises OSError where they cannot be written."""
        attributes = {name: _presence(column) for name, column in block.attributes.items()}
        self._text_bytes += sum(map(_text_bytes, block.attributes.values()))
        rest: Block | None = replace(block, attributes=attributes)
        while rest is not None:
            rest = self._buffer.fill(rest)
            if self._buffer.full:
                self.flush()
        if self._text_bytes > PART_BYTES:
            self.flush()

    def finish(self, snapshot: Snapshot) -> Snapshot:
        """Writes the rest of the instances, and returns `snapshot` with their place; raises what `add` does."""
        self.flush()
        manifest = replace(snapshot.manifest, store=self._writer.store, stored=self._writer.instances)
        return replace(snapshot, manifest=manifest)

    def flush(self) -> None:
        """Writes the instances that are still in memory."""
        collected = self._buffer.drain()
        self._text_bytes = 0
        if collected is not None:
            block = collected()
            self._writer.write_part(_columns(block), [quantise(values) for values in block.activations.values()])


def _presence(column: Column) -> Column:
    """Of pictures and sounds, only whether there is one."""
    return Column("boolean", column.present, column.present) if column.kind in MEDIA_KINDS else column


def _text_bytes(column: Column) -> int:
    return sum(map(len, column.values)) if column.kind == "text" else 0


def _columns(block: Block) -> Mapping[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {
        "id": block.ids,
        "index": block.index,
        "label": block.label,
        "predicted": block.predicted,
        "score": block.score,
    }
    columns |= {score_column(position): scores for position, scores in enumerate(block.scores.T)}
    for position, column in enumerate(block.attributes.values()):
        if column.present.any():
            is_whole = column.kind == "number" and column.values.dtype.kind in "iu"
            name = whole_column(position) if is_whole else attribute_column(position)
            columns[name] = _with_gaps(column)
    return columns


def _with_gaps(column: Column) -> NDArray[Any]:
    if column.kind == "text":
        texts = column.values.copy()
        texts[~column.present] = None
        return texts
    values: NDArray[Any] = np.ma.masked_array(column.values, ~column.present)
    return values
