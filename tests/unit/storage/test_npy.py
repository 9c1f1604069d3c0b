"""An `.npy` file is believed where its size confirms its header."""

import io

import numpy as np
import pytest

from activis_tb.storage.npy import parse_npy


def npy(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
        np.zeros((0, 4)),
        np.array(7),
    ],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_arrays_come_back(array: np.ndarray, version: tuple[int, int]) -> None:
    read = parse_npy(npy(array, version=version))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


def with_header(header: str) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(24)


WHOLE = npy(np.arange(3.0))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00" + bytes(200),
        WHOLE[:-1],
        WHOLE + b"\0",
        archive(),
        npy(np.array([{}, None]), allow_pickle=True),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}"),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -3)}"),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}"),
        with_header("(" * 100),
        with_header("__import__('os').system('true')"),
    ],
)
def test_what_is_no_array_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"begins with no header|bytes of values"):
        parse_npy(content)
