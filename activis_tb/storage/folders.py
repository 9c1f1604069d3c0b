"""Folders where runs are written, local or by fsspec, with atomic writes and the owner of temporary files."""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from errno import EIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote, urlsplit

from activis_tb.errors import ArgumentError

_STALE_SECONDS = 24 * 3600


def owner() -> str:
    """Returns the identity of this process among those that share the file system: `<host>-<pid>`."""
    return f"{socket.gethostname()}-{os.getpid()}"


def is_gone(owner: str, touched: float) -> bool:
    """Tells whether `owner` has ended: a dead process of this host, or one that has been silent for a day.

    Args:
        owner: What `owner()` returned there.
        touched: Time of its last sign of life, seconds since 1970.

    Raises:
        ValueError: `owner` has another form.
    """
    if time.time() - touched > _STALE_SECONDS:
        return True
    host, separator, pid = owner.rpartition("-")
    if not separator:
        message = f"owner: got {owner!r}; expected <host>-<pid>."
        raise ValueError(message)
    return host == socket.gethostname() and not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


Location = Path | str
"""A directory of this machine, or the URL of another folder."""

_TEMPORARY = ".activis-"


class LocalFolder:
    """A directory of this machine; made when something is written to it.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def holds(self, pattern: str) -> bool:
        """Tells whether there is a file whose name fits `pattern`, with `*` for anything."""
        return any(self.path.glob(pattern))

    def write(self, name: str, pieces: Sequence[bytes]) -> Path:
        """Writes a file: under a temporary name, to the disk, then under its own.

        A killed writer leaves at most the temporary file, which the next writer removes.

        Raises:
            OSError: The directory cannot be written, or the disk is full; the temporary file is gone then.
        """
        temporary = self.path / f"{_TEMPORARY}{owner()}-{time.time_ns()}.tmp"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
            with temporary.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            return temporary.rename(self.path / name)
        except BaseException as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise explained(error, f"write to {self.path}") from error
            raise

    def try_writing(self) -> None:
        """Raises OSError where no file can be written; leaves nothing behind, not even the directory."""
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self.path) as file:
                file.write(b"?")
        finally:
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()

    def _remove_leftovers(self) -> None:
        """Removes temporary files of writers that are gone."""
        for leftover in self.path.glob(f"{_TEMPORARY}*.tmp"):
            try:
                writer, _, _ = leftover.stem.removeprefix(_TEMPORARY).rpartition("-")
                if is_gone(writer, leftover.stat().st_mtime):
                    leftover.unlink(missing_ok=True)
            except (OSError, ValueError):
                continue


class RemoteFolder:
    """A folder that a URL names, such as `gs://bucket/run`, by fsspec.

    A file is uploaded in one piece; object stores show it when it is complete.

    Args:
        url: Of the folder.

    Raises:
        ArgumentError: fsspec, or what it needs for this kind of URL, is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._system, self._path = _file_system(self.url)

    def holds(self, pattern: str) -> bool:
        """Tells whether there is a file whose name fits `pattern`, with `*` for anything."""
        return bool(self._system.glob(f"{self._path}/{pattern}"))

    def try_writing(self) -> None:
        """Raises OSError where no file can be written; leaves no file behind."""
        name = f"{_TEMPORARY}{owner()}-{time.time_ns()}.tmp"
        self.write(name, [b"?"])
        with suppress(OSError):
            self._system.rm_file(f"{self._path}/{name}")

    def write(self, name: str, pieces: Sequence[bytes]) -> str:
        """Writes a file and returns its URL.

        Raises:
            OSError: It cannot be written; a partial file is removed.
        """
        path = f"{self._path}/{name}"
        try:
            self._system.makedirs(self._path, exist_ok=True)
            self._system.pipe_file(path, b"".join(pieces))
        except OSError as error:
            with suppress(Exception):
                self._system.rm_file(path)
            raise explained(error, f"write to {self.url}") from error
        return f"{self.url}/{name}"


def read_location(text: str) -> Location:
    """Returns where `text`, a path or a URL, leads to; `file://` URLs are directories of this machine."""
    if "://" not in text:
        return Path(text).expanduser()
    parts = urlsplit(text)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in {"", "localhost"} else text


def child(location: Location, name: str) -> Location:
    """Returns the folder `name` in `location`."""
    return location / name if isinstance(location, Path) else f"{location.rstrip('/')}/{name}"


def open_folder(location: Location) -> LocalFolder | RemoteFolder:
    """Returns the folder at `location`.

    Raises:
        ArgumentError: It is a URL that cannot be reached from here.
    """
    return LocalFolder(location) if isinstance(location, Path) else RemoteFolder(location)


def explained(error: OSError, attempt: str, way_out: str = "") -> OSError:
    """Returns `error` with a message that names the place and the way out."""
    choice = f"Free space, mind its permissions, or choose another log directory{way_out}."
    sentence = f"Cannot {attempt}: {error.strerror or error}. Nothing of this recording is left there. {choice}"
    return OSError(error.errno or EIO, sentence)


def _file_system(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        way_out = 'Install "activis-tb[remote]", or record to a directory and copy it.'
        raise ArgumentError("logdir", repr(url), "a directory, as fsspec is not installed", way_out) from error
    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ArgumentError("logdir", repr(url), "a directory, or a URL that fsspec can reach", f"{error}.") from error
    return system, path
