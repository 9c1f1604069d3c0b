"""Event files of snapshots and graphs, written atomically beside other writers of the log directory."""

import struct
import time
from collections.abc import Sequence

import google_crc32c
from tensorboard.compat.proto import event_pb2, summary_pb2, types_pb2

from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.folders import Location, open_folder
from activis_tb.storage.metadata import OLDEST_VERSION, PLUGIN_NAME, SnapshotTag

_FILE_VERSION = "brain.Event:2"
_NAME = "events.out.tfevents"


def summary_metadata() -> summary_pb2.SummaryMetadata:
    """Returns the metadata that every snapshot's summary carries; which version it needs, its manifest says."""
    return summary_pb2.SummaryMetadata(
        data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE,
        plugin_data=summary_pb2.SummaryMetadata.PluginData(
            plugin_name=PLUGIN_NAME, content=pb.PluginData(version=OLDEST_VERSION).SerializeToString()
        ),
    )


def snapshot_event(tag: SnapshotTag, blobs: Sequence[bytes], wall_time: float) -> event_pb2.Event:
    """Returns the event that holds one snapshot, a rank-1 string tensor of its blobs."""
    event = event_pb2.Event(wall_time=wall_time, step=tag.step)
    # In place: protobuf copies a message that is assigned to another one, and it may have 256 MB.
    value = event.summary.value.add(tag=str(tag), metadata=summary_metadata())
    value.tensor.dtype = types_pb2.DT_STRING
    value.tensor.tensor_shape.dim.add(size=len(blobs))
    value.tensor.string_val.extend(blobs)
    return event


def graph_event(graph_def: bytes, wall_time: float) -> event_pb2.Event:
    """Returns the event that TensorBoard knows as the run's graph; `graph_def` is a serialised GraphDef."""
    return event_pb2.Event(wall_time=wall_time, graph_def=graph_def)


def write_event_file(directory: Location, event: event_pb2.Event, label: str = "") -> Location:
    """Writes `event` as a file of its own into `directory` and returns where it is.

    The file is renamed into place when it is complete, so a reader never sees a part of it.

    Args:
        directory: The run's directory, which is made if needed.
        event: What to write.
        label: End of the file's name, for `is_labelled`.

    Raises:
        OSError: The directory cannot be written, or the disk is full; nothing is left then.
    """
    now = time.time_ns()
    suffix = f".{label}" if label else ""
    version = event_pb2.Event(wall_time=event.wall_time, file_version=_FILE_VERSION)
    pieces = [piece for record in (version, event) for piece in _frame(record.SerializeToString())]
    return open_folder(directory).write(f"{_NAME}.{now // 10**9:010d}.{now:019d}.activis{suffix}", pieces)


def is_labelled(directory: Location, label: str) -> bool:
    """Tells whether `write_event_file` wrote an event with `label` to `directory`."""
    return open_folder(directory).holds(f"{_NAME}.*.activis.{label}")


def _frame(payload: bytes) -> tuple[bytes, ...]:
    length = struct.pack("<Q", len(payload))
    return length, _masked_crc(length), payload, _masked_crc(payload)


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    rotated = ((crc >> 15) | (crc << 17)) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)
