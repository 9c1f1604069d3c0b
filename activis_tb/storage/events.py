"""Snapshots and graphs as event files: whole or absent, beside whatever else writes to the log directory."""

import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path

import google_crc32c
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2

from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.metadata import FORMAT_VERSION, PLUGIN_NAME, SnapshotTag
from activis_tb.storage.ownership import is_gone, owner

_FILE_VERSION = "brain.Event:2"
_TEMPORARY = ".activis-"


def summary_metadata() -> summary_pb2.SummaryMetadata:
    """Returns the metadata that every snapshot's summary carries."""
    return summary_pb2.SummaryMetadata(
        data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE,
        plugin_data=summary_pb2.SummaryMetadata.PluginData(
            plugin_name=PLUGIN_NAME, content=pb.PluginData(version=FORMAT_VERSION).SerializeToString()
        ),
    )


def snapshot_event(tag: SnapshotTag, blobs: Sequence[bytes], wall_time: float) -> event_pb2.Event:
    """Returns the event that holds one snapshot, a rank-1 string tensor of its blobs."""
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=len(blobs))]),
        string_val=blobs,
    )
    value = summary_pb2.Summary.Value(tag=str(tag), tensor=tensor, metadata=summary_metadata())
    return event_pb2.Event(wall_time=wall_time, step=tag.step, summary=summary_pb2.Summary(value=[value]))


def graph_event(graph_def: bytes, wall_time: float) -> event_pb2.Event:
    """Returns the event that TensorBoard knows as the run's graph; `graph_def` is a serialised GraphDef."""
    return event_pb2.Event(wall_time=wall_time, graph_def=graph_def)


def write_event_file(directory: str | os.PathLike[str], event: event_pb2.Event, label: str = "") -> Path:
    """Writes `event` as a file of its own into `directory`, which is made if needed.

    The file appears under its final name only when all of it is on disk, so a reader never sees a part of it and a
    killed writer leaves at most a temporary file, which the next writer removes.

    Args:
        directory: The run's directory.
        event: What to write.
        label: Goes to the end of the file's name, to find the file again by `find_labelled`.

    Raises:
        OSError: The directory cannot be written, or the disk is full; the temporary file is gone then.
    """
    folder = Path(directory).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    now = time.time_ns()
    temporary = folder / f"{_TEMPORARY}{owner()}-{now}.tmp"
    suffix = f".{label}" if label else ""
    final = folder / f"events.out.tfevents.{now // 10**9:010d}.{now:019d}.activis{suffix}"
    try:
        with temporary.open("wb") as file:
            for record in (event_pb2.Event(wall_time=event.wall_time, file_version=_FILE_VERSION), event):
                file.write(_frame(record.SerializeToString()))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return final


def find_labelled(directory: str | os.PathLike[str], label: str) -> Path | None:
    """Returns the event file that `write_event_file` wrote to `directory` with `label`, or None."""
    return next(Path(directory).expanduser().glob(f"events.out.tfevents.*.activis.{label}"), None)


def _frame(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return b"".join((length, _masked_crc(length), payload, _masked_crc(payload)))


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    rotated = ((crc >> 15) | (crc << 17)) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def _remove_leftovers(folder: Path) -> None:
    """Removes temporary files of writers that are gone."""
    for leftover in folder.glob(f"{_TEMPORARY}*.tmp"):
        try:
            writer, _, _ = leftover.stem.removeprefix(_TEMPORARY).rpartition("-")
            if is_gone(writer, leftover.stat().st_mtime):
                leftover.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue
