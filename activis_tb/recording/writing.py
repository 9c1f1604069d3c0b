"""What a finished recording leaves: blobs, the forward graph, and one line that says where to look."""

import os
import shlex
import subprocess
import sys
import time
import warnings
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from activis_tb.errors import ArgumentError
from activis_tb.model import ForwardGraph, Manifest, Snapshot
from activis_tb.storage.encoding import LARGE, encode_snapshot
from activis_tb.storage.events import graph_event, is_labelled, write_event_file
from activis_tb.storage.folders import Location, child, open_folder, read_location
from activis_tb.storage.metadata import SUBRUN, UNSERVED_CHARACTERS, is_served

_announced: set[Location] = set()
_LINKED_FOLDERS = 2
"""Of the log directory, as many as a run's name in a link has: TensorBoard may serve any of the folders around it."""


def warn_of_unserved(logdir: Location) -> None:
    """Warns where TensorBoard's default loader cannot serve the run from a folder around its own."""
    folders = _folders(logdir)
    if not all(map(is_served, folders)):
        message = (
            f"logdir: got {str(logdir)!r}; TensorBoard's data server gives no data of runs whose folders' names have "
            f"{UNSERVED_CHARACTERS}. Choose other names, start TensorBoard on this very folder, or with "
            "--load_fast=false."
        )
        warnings.warn(message, stacklevel=4)


def encode(snapshot: Snapshot) -> list[bytes]:
    """Returns the blobs of `snapshot`, with a warning where they are large; see `storage.encoding.encode_snapshot`."""
    blobs = encode_snapshot(snapshot)
    size = sum(map(len, blobs))
    if size > LARGE:
        manifest = snapshot.manifest
        message = (
            f"ActiVis: the snapshot {manifest.name}, step {manifest.step}, has {size / 2**20:,.0f} MB, and TensorBoard "
            f"keeps every snapshot in memory. Lower sample= (now {manifest.rows:,} instances), record fewer layers, or "
            "smaller pictures."
        )
        warnings.warn(message, stacklevel=4)
    return blobs


def write_graph(directory: Location, graph: ForwardGraph) -> None:
    """Writes `graph` to `directory` unless it is there already."""
    label = f"graph-{graph.digest}"
    if not is_labelled(directory, label):
        write_event_file(directory, graph_event(graph.graph_def, time.time()), label)


def check_writable(logdir: str | os.PathLike[str]) -> None:
    """Raises ArgumentError where nothing can be written to a run's directory; nothing is left there by this."""
    location = child(read_location(os.fspath(logdir)), SUBRUN)
    try:
        open_folder(location).try_writing()
    except OSError as error:
        got = f"{os.fspath(logdir)!r}, to which nothing can be written ({error.strerror or error})"
        raise ArgumentError("logdir", got, "a directory that can be written", "Mind its permissions.") from error


def announce(logdir: Location, manifest: Manifest) -> None:
    """Prints where a snapshot is to be seen: once per process and directory, not at every epoch."""
    directory = logdir.resolve() if isinstance(logdir, Path) else logdir
    if directory in _announced:
        return
    _announced.add(directory)
    layers = f"{len(manifest.layers)} layer" + ("s" if len(manifest.layers) > 1 else "")
    what = f"{manifest.name} at step {manifest.step} ({manifest.instances:,} instances, {layers})"
    run = quote("/".join([*_folders(directory)[-_LINKED_FOLDERS:], SUBRUN]), errors="surrogateescape")
    text = (
        f"ActiVis: recorded {what}. See it:\n"
        f"  tensorboard --logdir {_shell_quoted(str(logdir))}\n"
        f"  http://localhost:6006/#activis&p.activis.run={run}"
    )
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    printable = text.encode(encoding, "backslashreplace").decode(encoding)
    print(printable, flush=True)  # noqa: T201 (the user's terminal is where the link belongs)


def _folders(location: Location) -> list[str]:
    """The names of the folders that lead to a run."""
    if isinstance(location, Path):
        return [part for part in location.parts if part != location.anchor]
    return [part for part in unquote(urlsplit(location).path).split("/") if part]


def _shell_quoted(text: str) -> str:
    return subprocess.list2cmdline([text]) if os.name == "nt" else shlex.quote(text)
