"""Tokens of the inputs of a Keras model: by a function of the inputs, or by the vocabulary that made them."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.keras.batches import as_numpy

TokenFunction = Callable[[Any], Any]
"""Given the inputs of a batch, returns what `process(tokens=...)` takes."""

_WAY_OUT = "Give a function of x that returns a list of texts per instance."


def read_token_function(tokens: Any) -> TokenFunction | None:
    """Returns what makes tokens of the inputs; None where `tokens` are texts by instance, or None.

    Args:
        tokens: A function of the inputs; a layer with a vocabulary (`TextVectorization`, `StringLookup`); a `Tokenizer`
            with its `index_word`; or texts.
    """
    if hasattr(tokens, "get_vocabulary"):
        return _Vocabulary(tokens, list(tokens.get_vocabulary()))
    if isinstance(getattr(tokens, "index_word", None), Mapping):
        words = {int(number): str(word) for number, word in tokens.index_word.items()}
        return _Vocabulary(None, [words.get(number, "") for number in range(max(words, default=0) + 1)])
    return tokens if callable(tokens) else None


class _Vocabulary:
    """Texts of ids, by a vocabulary.

    Args:
        layer: Makes ids of texts, where the model is fed with texts.
        vocabulary: By id; padding is empty.
    """

    def __init__(self, layer: Any, vocabulary: list[Any]) -> None:
        self._layer = layer
        texts = [word.decode(errors="replace") if isinstance(word, bytes) else str(word) for word in vocabulary]
        self._texts = np.fromiter(texts, np.object_, len(texts))

    def __call__(self, inputs: Any) -> list[list[str]]:
        """Returns the texts of the one input of a batch.

        Raises:
            ArgumentError: There are several inputs, or they are no ids of this vocabulary.
        """
        parts = keras.tree.flatten(inputs)
        if len(parts) != 1:
            raise ArgumentError("tokens", f"a vocabulary, and a model of {len(parts)} inputs", "one input", _WAY_OUT)
        ids = self._ids(parts[0])
        outside = (ids < 0) | (ids >= len(self._texts))
        if outside.any():
            expected = f"ids from 0 to {len(self._texts) - 1:,}, as the vocabulary has {len(self._texts):,} texts"
            raise ArgumentError("tokens", f"the id {ids[outside][0]} in x", expected, "Give the one that made x.")
        texts: list[list[str]] = self._texts[ids].tolist()
        return texts

    def _ids(self, given: Any) -> NDArray[np.int64]:
        values = as_numpy(given)
        if values.dtype.kind in "OSU" and self._layer is not None:
            values = as_numpy(self._layer(given))
        if values.ndim != 2 or values.dtype.kind not in "iuf" or (values != np.floor(values)).any():
            got = f"x of {values.dtype} and shape {values.shape}, and a vocabulary"
            raise ArgumentError("tokens", got, "x (instances, positions) of ids", _WAY_OUT)
        return values.astype(np.int64)
