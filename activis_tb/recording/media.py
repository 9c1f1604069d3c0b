"""Pictures and sounds of a batch, encoded where they may be kept: to encode all would cost more than the rest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.recording.attributes import MEDIA_KINDS, Column
from activis_tb.recording.block import Block
from activis_tb.recording.pictures import Picture, thumbnail
from activis_tb.recording.sounds import Sound


def has_media(block: Block) -> bool:
    """Whether there is anything to encode."""
    return any(column.kind in MEDIA_KINDS for column in block.attributes.values())


def encode_media(block: Block, wanted: NDArray[np.bool_]) -> Block:
    """Returns `block` with pictures and sounds encoded (bytes) where `wanted`, (instances,), and empty elsewhere."""
    attributes: Mapping[str, Column] = {
        name: _encoded(column, wanted) if column.kind in MEDIA_KINDS else column
        for name, column in block.attributes.items()
    }
    return replace(block, attributes=attributes)


def _encoded(column: Column, wanted: NDArray[np.bool_]) -> Column:
    values = np.full(len(column.values), b"", np.object_)
    for row in np.flatnonzero(wanted & column.present):
        values[row] = _encode(column.kind, column.values[row])
    return replace(column, values=values)


def _encode(kind: str, value: Any) -> bytes:
    if isinstance(value, Picture | Sound):
        return value.encoded()
    return thumbnail(value) if kind == "image" else bytes(value)
