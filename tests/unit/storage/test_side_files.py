"""Files of codes: the same numbers as in memory, in whatever pieces they are read, and none after a change."""

import gc
import os
import weakref
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from activis_tb.analysis import codes as coding
from activis_tb.errors import StoredDataError
from activis_tb.storage.npy import CodesFile, CodesMemory, SideFiles

INSTANCES = 3000
CHANCE = np.random.default_rng(0).random(INSTANCES)


def codes_of(neurons: int) -> NDArray[np.uint8]:
    return np.random.default_rng(neurons).integers(0, 256, (INSTANCES, neurons), np.uint8)


def write(path: Path, codes: NDArray[np.uint8], *, keep: bool = False) -> CodesFile:
    path.write_bytes(codes.tobytes())
    return CodesFile(SideFiles(path.parent), path, codes.shape, keep=keep)


def read(file: CodesFile, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
    found = [block.copy() for block in coding.blocks(file, rows)]
    return np.concatenate([np.empty((0, file.shape[1]), np.uint8), *found])


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("neurons", [1, 7, 128])
@pytest.mark.parametrize(("read_at_once", "skipped"), [(2**18, 2**14), (1000, 300), (1, 1)])
def test_any_rows_are_read_whatever_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, neurons: int, read_at_once: int, skipped: int
) -> None:
    monkeypatch.setattr(coding, "_BYTES_READ", read_at_once)
    monkeypatch.setattr(coding, "_SKIPPED", skipped)
    codes = codes_of(neurons)
    file = write(tmp_path / "codes", codes, keep=keep)
    for share in (0, 0.001, 0.02, 0.5, 1):
        rows = np.flatnonzero(share > CHANCE)
        assert_array_equal(read(file, rows), codes[rows])
    assert_array_equal(read(file, np.arange(1000, 2000)), codes[1000:2000])
    assert_array_equal(coding.column(file, neurons - 1), codes[:, neurons - 1])


def test_codes_stay_in_memory_as_far_as_there_is_room(tmp_path: Path) -> None:
    codes = codes_of(2)
    files = SideFiles(tmp_path, CodesMemory(codes.nbytes))
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.write_bytes(codes.tobytes())
    one, other = (CodesFile(files, path, (INSTANCES, 2), keep=True) for path in (first, second))
    assert one.in_memory(load=False) is None
    assert_array_equal(one.in_memory(load=True), codes)
    assert one.in_memory(load=False) is not None
    assert_array_equal(other.in_memory(load=True), codes)
    assert one.in_memory(load=False) is None


def test_the_memory_of_files_that_nobody_reads_any_more_is_given_back(tmp_path: Path) -> None:
    codes, memory, path = codes_of(2), CodesMemory(), tmp_path / "codes"
    path.write_bytes(codes.tobytes())
    readers = [CodesFile(SideFiles(tmp_path, memory), path, codes.shape, keep=True) for _ in range(3)]
    found = [weakref.ref(reader.in_memory(load=True)) for reader in readers]
    del readers[0]
    gc.collect()
    assert [one() is None for one in found] == [True, False, False]
    for reader in readers:
        assert_array_equal(reader.in_memory(load=False), codes)


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes())
    os.utime(path, (1, 1))


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


CHANGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, 10),
    "grown": lambda path: os.truncate(path, path.stat().st_size + 1),
    "rewritten": rewrite,
    "replaced": replace,
    "removed": lambda path: path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("keep", [False, True])
def test_a_file_that_changed_is_not_read_any_more(tmp_path: Path, keep: bool, change: str) -> None:
    path = tmp_path / "codes"
    codes = codes_of(5)
    file = write(path, codes, keep=keep)
    assert_array_equal(read(file, np.arange(INSTANCES)), codes)
    CHANGES[change](path)
    for rows in (np.arange(INSTANCES), np.array([7])):
        with pytest.raises(StoredDataError, match="codes"):
            read(file, rows)


def test_a_file_that_is_truncated_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "codes"
    file = write(path, codes_of(5))

    def read_past_the_cut() -> None:
        with file.open() as fill:
            os.truncate(path, 5 * 100 + 2)
            fill(99, np.empty((2, 5), np.uint8))

    with pytest.raises(StoredDataError, match="it was truncated"):
        read_past_the_cut()
    path.write_bytes(codes_of(5).tobytes())
    file = CodesFile(SideFiles(tmp_path), path, (INSTANCES, 5), keep=False)

    def read_before_the_cut() -> None:
        with file.open() as fill:
            fill(0, np.empty((2, 5), np.uint8))
            os.truncate(path, 5 * 100)

    with pytest.raises(StoredDataError, match="was changed"):
        read_before_the_cut()
