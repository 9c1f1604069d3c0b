"""`.npy` arrays from bytes that may be damaged: the header is believed only where the number of bytes confirms it."""

import io
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST_HEADER = 16_384
"""Bytes before the values: NumPy itself refuses longer headers."""


def parse_npy(content: bytes) -> NDArray[Any]:
    """Returns the array in the bytes of an `.npy` file of version 1.0 or 2.0; nothing is copied.

    Raises:
        ValueError: It is nothing of the kind, an archive, or has another size than it says; or it holds objects.
    """
    stream = io.BytesIO(content)
    try:
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[np.lib.format.read_magic(stream)]
        shape, is_fortran, dtype = read(stream)
    except Exception as error:  # a header is Python, and NumPy reads it by Python's parser
        message = f"it begins with no header of an .npy file ({type(error).__name__})"
        raise ValueError(message) from error
    start = stream.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or len(content) - start != prod(shape) * dtype.itemsize:
        message = f"it has {len(content) - start:,} bytes of values; its header says {dtype} {shape}"
        raise ValueError(message)
    values = np.frombuffer(content, dtype, offset=start) if prod(shape) * dtype.itemsize else np.empty(0, dtype)
    return values.reshape(shape, order="F" if is_fortran else "C")
