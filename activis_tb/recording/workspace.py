"""Memory that is used again and again: asking the system for megabytes takes longer than adding them up."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Workspace:
    """Arrays for intermediate results, one per dtype and purpose; each is valid until the next of its kind."""

    def __init__(self) -> None:
        self._memory: dict[tuple[np.dtype[Any], str], NDArray[Any]] = {}

    def array(self, shape: tuple[int, ...], dtype: DTypeLike, purpose: str = "") -> NDArray[Any]:
        """Returns an array of any content, contiguous.

        Args:
            shape: Of any size; the memory grows to the largest.
            dtype: Of its values.
            purpose: Keeps arrays of one dtype apart that are used at the same time.
        """
        size, key = prod(shape), (np.dtype(dtype), purpose)
        memory = self._memory.get(key)
        if memory is None or len(memory) < size:
            memory = self._memory[key] = np.empty(size, dtype)
        return memory[:size].reshape(shape)
