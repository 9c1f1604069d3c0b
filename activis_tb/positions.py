"""Nouns of positions as frozen dataclasses: what a layer does at the words, steps or places inside of an instance.

And which instances its neurons answer to most.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TokenTable:
    """Tokens of a layer's positions, and the layer's activations there, over the positions of all streamed instances.

    Positions without a token, padding among them, take no part.

    Attributes:
        tokens: str, object array (tokens,), the most frequent first; none is empty.
        count: Positions that have it, int64 (tokens,).
        mean: Of its finite activations, float32 (tokens, neurons); NaN where there is none.
        max: The largest of them, likewise; None unless it was asked for.
        positions: All positions that have a token, listed here or not.
        distinct: Different tokens of them; an estimate unless `exact`.
        least: Every counted token that came so often is listed.
        exact: Whether all tokens were counted. Else those of smallest hash were, a random part of them.
    """

    tokens: NDArray[np.object_]
    count: NDArray[np.int64]
    mean: NDArray[np.float32]
    max: NDArray[np.float32] | None
    positions: int
    distinct: int
    least: int
    exact: bool


UNKNOWN_POSITION = 65_535
"""Of an activation that no position has that can be told: all were padding, none finite, or it lies beyond."""
AROUND = 3
"""Tokens on either side of a strongest position that are kept."""


@dataclass(frozen=True, eq=False)
class TopPositions:
    """The positions with a token at which each neuron of a layer is strongest, over all streamed instances.

    Attributes:
        value: float32 (neurons, top), descending; NaN behind the last.
        place: Which of the places below, int32 (neurons, top); -1 behind the last.
        position: The token's number in its instance, from 0 on, int32 (places,).
        texts: The token in the middle, and `AROUND` on either side, str, object array (places, 2 * AROUND + 1); empty
            where there is none.
        instance: Which of the instances below, int32 (places,).
        ids: Of the instances, sampled or not, str, object array (instances,).
        index: Their positions in the stream, int64 (instances,).
        before: Tokens before its own that a position of the layer sees.
        after: Tokens after it.
    """

    value: NDArray[np.float32]
    place: NDArray[np.int32]
    position: NDArray[np.int32]
    texts: NDArray[np.object_]
    instance: NDArray[np.int32]
    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class SamplePositions:
    """What a layer does at every position of some sampled instances, or test cases, in one byte each.

    Code 0 is an activation of exactly zero, 255 none: it was padding, or not finite. Any other code c stands for
    `origin + (c - 0.5) * scale`, as in `CodedActivations`.

    Position p of an instance belongs to its token p + `before` and sees the tokens p to p + `before` + `after`. Of
    a layer with tokens there are the positions up to the last token; of any other all, row-major over the pooled axes.

    Attributes:
        rows: Rows of these instances, ascending, int32 (kept,).
        starts: Where the positions of each begin, and the end, int64 (kept + 1,).
        codes: uint8 (positions, neurons).
        origin: float64 (neurons,).
        scale: float64 (neurons,); 0 where all coded activations are `origin`.
        text_starts: Where the tokens of each begin, and the end, int64 (kept + 1,); None for a layer without tokens.
        texts: Tokens, str, object array (tokens,); empty where one is padding.
        before: Tokens before its own that a position sees.
        after: Tokens after it.
    """

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]
    codes: NDArray[np.uint8]
    origin: NDArray[np.float64]
    scale: NDArray[np.float64]
    text_starts: NDArray[np.int64] | None
    texts: NDArray[np.object_]
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class TopRows:
    """Which of the `TopInstances` each neuron of a layer answers to most, and of a signed layer, least.

    Attributes:
        strongest: Their rows, the largest activation first, int32 (neurons, top); -1 behind the last.
        largest: These activations, float32 (neurons, top); NaN behind the last.
        weakest: Rows of those with negative activations, the smallest first, likewise; (neurons, 0) without any.
        smallest: These activations, likewise.
    """

    strongest: NDArray[np.int32]
    largest: NDArray[np.float32]
    weakest: NDArray[np.int32]
    smallest: NDArray[np.float32]
