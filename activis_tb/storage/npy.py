"""`.npy` arrays from bytes that may be damaged, and from files that others may truncate while they are read.

No file is memory-mapped: reading a mapped file that was truncated kills the process. The version of a file (size and
time of change) is remembered, and the file is read only while that is unchanged.
"""

import io
import itertools
import os
import stat
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import StoredDataError

LONGEST_HEADER = 16_384
"""Bytes before the values: NumPy itself refuses longer headers."""


def parse_npy(content: bytes) -> NDArray[Any]:
    """Returns the array in the bytes of an `.npy` file of version 1.0 or 2.0; nothing is copied.

    Raises:
        ValueError: It is another format, an archive, of another size than its header says, or it holds objects.
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


MEMORY_LIMIT = 2**30
"""Bytes of codes that TensorBoard keeps in memory, of all recordings."""


class CodesMemory:
    """LRU cache of codes that were read as a whole; thread-safe.

    Args:
        limit: Bytes.
    """

    def __init__(self, limit: int = MEMORY_LIMIT) -> None:
        self.limit = limit
        self._codes: OrderedDict[tuple[int, Path], NDArray[np.uint8]] = OrderedDict()
        self._size = 0
        # Reentrant: the garbage collector may call `forget` at any time.
        self._lock = threading.RLock()

    def get(self, owner: int, path: Path) -> NDArray[np.uint8] | None:
        """Returns the codes of a file, if they are still there."""
        with self._lock:
            codes = self._codes.get((owner, path))
            if codes is not None:
                self._codes.move_to_end((owner, path))
            return codes

    def put(self, owner: int, path: Path, codes: NDArray[np.uint8]) -> None:
        """Keeps the codes of a file of `owner`."""
        with self._lock:
            self._remove((owner, path))
            self._codes[owner, path] = codes
            self._size += codes.nbytes
            while self._size > self.limit:
                self._remove(next(iter(self._codes)))

    def forget(self, owner: int) -> None:
        """Frees the memory of everything that belongs to `owner`."""
        with self._lock:
            for key in list(self._codes):
                if key[0] == owner:
                    self._remove(key)

    def _remove(self, key: tuple[int, Path]) -> None:
        removed = self._codes.pop(key, None)
        self._size -= 0 if removed is None else removed.nbytes


_MEMORY = CodesMemory()
_owners = itertools.count()


class SideFiles:
    """Side files at the version that was first read; thread-safe.

    Args:
        root: The folder that holds them, symbolic links resolved; others are not read.
        memory: Cache of codes.
    """

    def __init__(self, root: Path, memory: CodesMemory = _MEMORY) -> None:
        self._root = root.resolve()
        self._versions: dict[Path, _Version] = {}
        self.memory = memory
        self._owner = next(_owners)
        weakref.finalize(self, memory.forget, self._owner).atexit = False

    def add(self, path: Path) -> int:
        """Remembers the version of `path`, before it is read, and returns its size in bytes.

        Raises:
            StoredDataError: It is missing, has changed, is no regular file, or is outside of the folder.
        """
        try:
            status = path.stat()
            elsewhere = path not in self._versions and not path.resolve(strict=True).is_relative_to(self._root)
        except (OSError, RuntimeError) as error:
            raise missing(path, error) from error
        if elsewhere or not stat.S_ISREG(status.st_mode):
            message = f"{path} leads out of the run, or is no file; expected a file below {self._root}. Record again."
            raise StoredDataError(message)
        found = _Version(status)
        self._check(path, found)
        return found.size

    def read(self, path: Path, most: int) -> bytes:
        """Returns the content of a file of at most `most` bytes.

        Raises:
            StoredDataError: It is missing, or longer.
        """
        size = self.add(path)
        if size > most:
            message = f"{path} has {size:,} bytes; expected at most {most:,}. It is damaged; record again."
            raise StoredDataError(message)
        with self.open(path) as file:
            return file.read(most)

    def kept(self, path: Path) -> NDArray[np.uint8] | None:
        """Returns the cached codes, if they are still there.

        Raises:
            StoredDataError: The file has changed.
        """
        codes = self.memory.get(self._owner, path)
        if codes is not None:
            self.add(path)
        return codes

    def keep(self, path: Path, codes: NDArray[np.uint8]) -> None:
        """Keeps the codes of a file for the next time."""
        self.memory.put(self._owner, path, codes)

    def unchanged(self) -> bool:
        """Tells whether no file has changed."""
        try:
            return all(_Version(path.stat()) == version for path, version in list(self._versions.items()))
        except OSError:
            return False

    @contextmanager
    def open(self, path: Path) -> Iterator[io.FileIO]:
        """Opens a file that was added before.

        Raises:
            StoredDataError: It has changed, before or while it was read.
        """
        try:
            with io.FileIO(path) as file:
                self._check(path, _Version(os.fstat(file.fileno())))
                yield file
                self._check(path, _Version(os.fstat(file.fileno())))
        except OSError as error:
            raise missing(path, error) from error

    def load(self, path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """Returns the array of an `.npy` file.

        Raises:
            StoredDataError: It is missing, damaged, or another array.
        """
        try:
            array = parse_npy(self.read(path, LONGEST_HEADER + prod(shape) * np.dtype(dtype).itemsize))
        except ValueError as error:
            raise missing(path, error) from error
        if array.shape != shape or array.dtype != dtype:
            message = f"{path} holds {array.dtype} {array.shape}; expected {np.dtype(dtype)} {shape}. Record again."
            raise StoredDataError(message)
        return array

    def _check(self, path: Path, found: "_Version") -> None:
        if self._versions.setdefault(path, found) != found:
            message = f"{path} was changed while it was being read; ask again when that is over."
            raise StoredDataError(message)


class CodesFile:
    """The codes of one layer and part, `activis_tb.model.CodesFile`.

    Args:
        files: The versions that were first read.
        path: The file.
        shape: Instances and neurons that it should have.
        keep: Whether to cache the codes once all of them are needed.

    Raises:
        StoredDataError: It is missing, or has another size.
    """

    def __init__(self, files: SideFiles, path: Path, shape: tuple[int, int], *, keep: bool) -> None:
        self._files = files
        self._path = path
        self._keep = keep
        self.shape = shape
        size, expected = files.add(path), shape[0] * shape[1]
        if size != expected:
            message = f"{path} has {size:,} bytes; expected {expected:,}. It is damaged; record again."
            raise StoredDataError(message)

    def in_memory(self, *, load: bool) -> NDArray[np.uint8] | None:
        codes = self._files.kept(self._path)
        if codes is None and load and self._keep:
            codes = np.empty(self.shape, np.uint8)
            with self.open() as fill:
                fill(0, codes)
            self._files.keep(self._path, codes)
        return codes

    @contextmanager
    def open(self) -> Iterator[Callable[[int, NDArray[np.uint8]], None]]:
        with self._files.open(self._path) as file:

            def fill(first: int, out: NDArray[np.uint8]) -> None:
                file.seek(first * self.shape[1])
                if (found := file.readinto(out.data)) != out.nbytes:
                    message = f"{self._path} ended {out.nbytes - (found or 0):,} bytes too early: it was truncated."
                    raise StoredDataError(message)

            yield fill


class _Version:
    """Version of a file.

    Without the inode, which some network file systems renumber: a file that replaces it has another time of change.
    """

    def __init__(self, status: os.stat_result) -> None:
        self.size = status.st_size
        self._key = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def missing(path: Path, error: Exception) -> StoredDataError:
    """Returns the error that `path` cannot be read, with likely reasons."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return StoredDataError(f"Cannot read {path}: {reason}. Were the side files left behind when the log was copied?")
