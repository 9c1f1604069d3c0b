"""LRU caches of computed results, in memory and on disk.

The disk is a convenience: whatever is wrong with a file or the folder, the array is computed again.
"""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from cachetools import Cache, LRUCache
from google.protobuf.message import Message
from numpy.typing import NDArray
from platformdirs import user_cache_path

from activis_tb.storage.npy import parse_npy

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

MEBIBYTE = 2**20


def size_of(value: object) -> int:
    """Returns about how many bytes a value takes in memory, with what it holds."""
    match value:
        case np.ndarray():
            return value.nbytes + (sum(map(size_of, value.flat)) if value.dtype.hasobject else 0)
        case Message():
            return value.ByteSize()
        case list() | tuple():
            return sys.getsizeof(value) + sum(map(size_of, value))
        case Mapping():
            return sys.getsizeof(value) + sum(size_of(key) + size_of(item) for key, item in value.items())
    held = size_of(vars(value)) if is_dataclass(value) else 0
    return sys.getsizeof(value) + held


class Recent(Generic[_Key, _Value]):
    """An LRU cache that makes a value once, however many ask for it; safe to use from several threads.

    Args:
        limit: What the values may take together; the newest is kept in any case.
        size: What a value takes; bytes, unless it says otherwise.
    """

    def __init__(self, limit: int, size: Callable[[_Value], int] = size_of) -> None:
        self._values: LRUCache[_Key, _Value] = LRUCache(limit, lambda value: min(limit, size(value)))
        self._lock = threading.Lock()
        self._making: dict[_Key, threading.Lock] = {}

    def get(self, key: _Key) -> _Value | None:
        with self._lock:
            return self._values.get(key)

    def put(self, key: _Key, value: _Value) -> None:
        with self._lock:
            self._values[key] = value

    def values(self) -> list[_Value]:
        """Returns what is kept; that is no use of it."""
        with self._lock:
            return [self._look_at(key) for key in self._values]

    def forget(self, is_over: Callable[[_Value], bool]) -> None:
        """Forgets every value of which `is_over` says so; to ask that is no use of it."""
        with self._lock:
            for key in [key for key in self._values if is_over(self._look_at(key))]:
                del self._values[key]

    def _look_at(self, key: _Key) -> _Value:
        # LRUCache's own way marks it as used.
        return Cache.__getitem__(self._values, key)

    def get_or_make(
        self, key: _Key, make: Callable[[], _Value], valid: Callable[[_Value], bool] = lambda _: True
    ) -> _Value:
        """Returns the value of `key`, making it if needed; who asks for it meanwhile waits for the same one.

        Args:
            key: Of the value.
            make: Makes it.
            valid: Whether a value that was made before still holds.
        """
        with self._lock:
            turn = self._making.setdefault(key, threading.Lock())
        try:
            with turn:
                known = self.get(key)
                if known is None or not valid(known):
                    known = make()
                    self.put(key, known)
                return known
        finally:
            with self._lock:
                if not turn.locked():
                    self._making.pop(key, None)


MEMORY_LIMIT = 64 * MEBIBYTE
DISK_LIMIT = 1024 * MEBIBYTE


def cache_folder() -> Path | None:
    """Returns `$ACTIVIS_CACHE`, or activis-tb in the user's cache directory; None where neither can be told."""
    if os.environ.get("ACTIVIS_CACHE"):
        return Path(os.environ["ACTIVIS_CACHE"]).expanduser()
    try:
        folder = user_cache_path("activis-tb", appauthor=False, opinion=False)
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


class ArrayCache:
    """A bounded store of arrays by key; safe to use from several threads and processes.

    Args:
        folder: Where the files are; made with mode 0700. None, or one that cannot be written or is open to other users:
            memory only.
        memory_limit: Bytes; the arrays used least recently go first.
        disk_limit: Bytes; likewise.
    """

    def __init__(self, folder: Path | None, memory_limit: int = MEMORY_LIMIT, disk_limit: int = DISK_LIMIT) -> None:
        self._folder = _usable(folder)
        self._disk_limit = disk_limit
        self._memory: LRUCache[str, NDArray[Any]] = LRUCache(memory_limit, size_of)
        self._lock = threading.Lock()

    def get(self, key: str) -> NDArray[Any] | None:
        """Returns the array that was put under `key`, letters, digits and dashes; None where there is none."""
        with self._lock:
            known = self._memory.get(key)
        if known is not None:
            return known
        array = self._read(key)
        if array is not None:
            self._remember(key, array)
        return array

    def put(self, key: str, array: NDArray[Any]) -> None:
        """Keeps `array`, which must not be changed from then on."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._write(self._folder, key, array)
                self._shrink(self._folder)
        self._remember(key, array)

    def _remember(self, key: str, array: NDArray[Any]) -> None:
        # LRUCache refuses what is larger than all of it.
        with self._lock, contextlib.suppress(ValueError):
            self._memory[key] = array

    def _read(self, key: str) -> NDArray[Any] | None:
        if self._folder is None:
            return None
        path = self._folder / f"{key}.npy"
        try:
            if path.stat().st_size > self._disk_limit:
                return None
            array = parse_npy(path.read_bytes())
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return array

    def _write(self, folder: Path, key: str, array: NDArray[Any]) -> None:
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, array, allow_pickle=False)
            Path(temporary).replace(folder / f"{key}.npy")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _shrink(self, folder: Path) -> None:
        files = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.is_file()]
        size = sum(status.st_size for status, _ in files)
        for status, path in sorted(files, key=lambda file: file[0].st_mtime):
            if size <= self._disk_limit:
                return
            Path(path).unlink(missing_ok=True)
            size -= status.st_size


def _usable(folder: Path | None) -> Path | None:
    """Returns `folder`, made if needed, where it is ours alone to write."""
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    foreign = hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022)
    return folder if os.access(folder, os.W_OK) and not foreign else None
