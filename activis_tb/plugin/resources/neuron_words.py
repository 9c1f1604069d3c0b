"""Words of a neuron's card: the tokens at which it is strongest on average, and its strongest single positions."""

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.neurons import largest_first
from activis_tb.model import Sample
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.positions import AROUND, TokenTable, TopPositions
from activis_tb.storage import activis_pb2 as pb

FEWEST_SIGHTINGS = 3
"""Of a rarer token no mean is listed."""
MOST_TOKENS = 20
MOST_SPANS = 10

_LIMIT = 32 * MEBIBYTE
_Key = tuple[str, str]


class Words:
    """Tokens of the layers whose positions have any, with a cache of what is stored of them."""

    def __init__(self) -> None:
        self._tables: Recent[_Key, TokenTable] = Recent(_LIMIT)
        self._tops: Recent[_Key, TopPositions] = Recent(_LIMIT)

    def add(self, message: pb.NeuronCard, snapshot: JoinedSnapshot, neuron: int, sample: Sample) -> None:
        """Adds the words of a neuron, where its layer has any.

        Raises:
            StoredDataError: What is stored of them is damaged.
        """
        layer = message.layer
        if snapshot.layer(layer).positions != "tokens":
            return
        reader, key = snapshot.reader_of(layer), (snapshot.identity, layer)

        def table() -> TokenTable:
            found = reader.tokens(layer)
            assert found is not None
            return found

        def top() -> TopPositions:
            found = reader.top_positions(layer)
            assert found is not None
            return found

        signed = message.min < 0
        message.words.CopyFrom(_words(self._tables.get_or_make(key, table), neuron, signed=signed))
        message.words.spans.extend(_spans(self._tops.get_or_make(key, top), neuron, sample, signed=signed))


def _words(table: TokenTable, neuron: int, *, signed: bool) -> pb.NeuronWords:
    fewest = max(FEWEST_SIGHTINGS, table.least)
    frequent = table.count >= fewest
    means = np.where(frequent, table.mean[:, neuron].astype(np.float64), np.nan)
    if not signed:
        means[means <= 0] = np.nan
    chosen = largest_first(means, np.arange(len(means)), MOST_TOKENS)
    return pb.NeuronWords(
        tokens=[
            pb.NeuronToken(
                text=str(table.tokens[at]),
                mean=float(means[at]),
                max=_finite(table.max, int(at), neuron),
                count=int(table.count[at]),
            )
            for at in chosen
        ],
        fewest=fewest,
        rarer=max(0, table.distinct - int(np.count_nonzero(frequent))),
        positions=table.positions,
        exact=table.exact,
    )


def _finite(largest: NDArray[np.float32] | None, token: int, neuron: int) -> float | None:
    return None if largest is None or not np.isfinite(largest[token, neuron]) else float(largest[token, neuron])


def _spans(top: TopPositions, neuron: int, sample: Sample, *, signed: bool) -> list[pb.NeuronSpan]:
    """The strongest positions with the tokens that they see; of the same tokens only the strongest."""
    spans: dict[tuple[str, ...], pb.NeuronSpan] = {}
    first, last = max(0, AROUND - top.before), min(2 * AROUND, AROUND + top.after)
    for value, place in zip(top.value[neuron].tolist(), top.place[neuron].tolist(), strict=True):
        if len(spans) == MOST_SPANS or place < 0 or not np.isfinite(value) or (value <= 0 and not signed):
            break
        texts = [str(text) for text in top.texts[place]]
        window = tuple(texts[first : last + 1])
        if window in spans:
            continue
        instance = int(top.instance[place])
        rows = np.flatnonzero(sample.ids == top.ids[instance])
        spans[window] = pb.NeuronSpan(
            before=" ".join(filter(None, texts[first:AROUND])),
            token=texts[AROUND],
            after=" ".join(filter(None, texts[AROUND + 1 : last + 1])),
            value=value,
            position=int(top.position[place]),
            row=int(rows[0]) if len(rows) else -1,
            id=str(top.ids[instance]),
            index=int(top.index[instance]),
        )
    return list(spans.values())
