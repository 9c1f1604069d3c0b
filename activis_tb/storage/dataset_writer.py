"""Every instance of a recording as side files, part by part; nothing of them stays unless their event is written."""

import json
import os
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import RecordingClosedError
from activis_tb.model import CodedActivations
from activis_tb.storage.dataset_files import (
    DATASET_VERSION,
    INSTANCES_FILE,
    PART_FILE,
    claim_of,
    is_whole,
    layer_file,
    part_folder,
    remove_abandoned,
    remove_dataset,
    store_of,
)
from activis_tb.storage.folders import explained
from activis_tb.storage.metadata import SnapshotTag
from activis_tb.storage.parquet import ParquetWriter


class DatasetWriter:
    """Writes the instances of one recording.

    The order is: `write_part` for every part, then the event that points at `store`, then `commit`. What is not
    committed is removed: by `abandon`, when a part fails, when the writer is forgotten or Python ends, and after a kill
    by the next recording.

    Args:
        run_directory: The folder of the event file.
        tag: Of the snapshot.

    Attributes:
        store: The dataset's folder, relative to `run_directory`.
        instances: Written so far.
    """

    def __init__(self, run_directory: Path, tag: SnapshotTag) -> None:
        self.store = store_of(tag)
        self.instances = 0
        self._run_directory = run_directory.absolute()
        self._folder = self._run_directory / self.store
        self._claim = claim_of(self._run_directory, tag)
        self._parts = 0
        self._parquet: ParquetWriter | None = None
        self._removal = weakref.finalize(self, _remove, self._folder, self._claim, os.getpid())

    @property
    def closed(self) -> bool:
        """Whether it was committed or abandoned."""
        return not self._removal.alive

    def write_part(self, columns: Mapping[str, NDArray[Any]], layers: Sequence[CodedActivations]) -> None:
        """Writes the next instances, at most `activis_tb.storage.dataset_files.MOST_ROWS`.

        Args:
            columns: Of `instances.parquet`, by name (instances,).
            layers: In the snapshot's order.

        Raises:
            OSError: The directory cannot be written, or the disk is full; the dataset is removed then.
            RecordingClosedError: It was committed or abandoned.
        """
        if self.closed:
            message = f"The dataset {self.store} was committed or abandoned; begin another recording."
            raise RecordingClosedError(message)
        try:
            self._begin()
            temporary = self._folder / f".{part_folder(self._parts)}.tmp"
            temporary.mkdir()
            self._write_files(temporary, columns, layers)
            temporary.rename(self._folder / part_folder(self._parts))
        except OSError as error:
            self.abandon()
            attempt = f"store every instance in {self._folder}"
            raise explained(error, attempt, ', or record with keep="sample"') from error
        except BaseException:
            self.abandon()
            raise
        self._parts += 1
        self.instances += len(columns["id"])

    def commit(self) -> None:
        """Keeps what was written; to be called when the event is on disk."""
        self._removal.detach()
        with suppress(OSError):  # the next recording tries again
            self._claim.unlink()
        self._close()

    def abandon(self) -> None:
        """Removes what was written, unless it was committed."""
        self._close()
        self._removal()

    def _begin(self) -> None:
        if self._parts == 0:
            remove_abandoned(self._run_directory)
            self._run_directory.mkdir(parents=True, exist_ok=True)
            self._claim.write_text(self.store, encoding="utf-8")
            self._folder.mkdir(parents=True)
            self._parquet = ParquetWriter()
        self._claim.touch()

    def _close(self) -> None:
        if self._parquet is not None:
            self._parquet.close()
            self._parquet = None

    def _write_files(
        self, folder: Path, columns: Mapping[str, NDArray[Any]], layers: Sequence[CodedActivations]
    ) -> None:
        assert self._parquet is not None
        self._parquet.write(folder / INSTANCES_FILE, columns)
        for position, layer in enumerate(layers):
            (folder / layer_file(position, "u8")).write_bytes(np.asarray(layer.codes).data)
            np.save(folder / layer_file(position, "tallies.npy"), layer.tallies)
            scales = np.stack([layer.origin, layer.scale, layer.positive_from.astype(np.float64)])
            np.save(folder / layer_file(position, "scales.npy"), scales)
        description = {
            "version": DATASET_VERSION if any(map(is_whole, columns)) else 1,
            "instances": len(columns["id"]),
            "neurons": [layer.codes.shape[1] for layer in layers],
            "columns": list(columns),
        }
        (folder / PART_FILE).write_text(json.dumps(description), encoding="utf-8")
        for path in folder.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def _remove(folder: Path, claim: Path, pid: int) -> None:
    """Removes the dataset in `folder` and its claim; not in a forked child of the process `pid`."""
    if os.getpid() == pid:
        remove_dataset(folder, claim)
