"""What a finished recording leaves: blobs, the forward graph, and one line that says where to look."""

import time
import warnings
from pathlib import Path

from activis_tb.model import ForwardGraph, Manifest, Snapshot
from activis_tb.storage.encoding import LARGE, encode_snapshot
from activis_tb.storage.events import graph_event, is_labelled, write_event_file
from activis_tb.storage.folders import Location
from activis_tb.storage.metadata import SUBRUN

_announced: set[Location] = set()


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


def announce(logdir: Location, manifest: Manifest) -> None:
    """Prints where a snapshot is to be seen: once per process and directory, not at every epoch."""
    directory = logdir.resolve() if isinstance(logdir, Path) else logdir
    if directory in _announced:
        return
    _announced.add(directory)
    layers = f"{len(manifest.layers)} layer" + ("s" if len(manifest.layers) > 1 else "")
    what = f"{manifest.name} at step {manifest.step} ({manifest.instances:,} instances, {layers})"
    print(  # noqa: T201 (the user's terminal is where the link belongs)
        f"ActiVis: recorded {what}. See it:\n"
        f"  tensorboard --logdir {logdir}\n"
        f"  http://localhost:6006/#activis&p.activis.run={SUBRUN}",
        flush=True,
    )
