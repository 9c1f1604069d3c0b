"""Reads the side files of `keep="all"`: codes and columns, where they are asked for.

Nothing stored is trusted: what does not have exactly the size, type and shape that it should have is not served.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from activis_tb.errors import NewerVersionError, StoredDataError
from activis_tb.model import TALLY_NAMES, ZONE_ROWS, CodedActivations, Manifest
from activis_tb.storage.dataset_files import (
    DATASET_VERSION,
    INSTANCES_FILE,
    MOST_ROWS,
    PART_FILE,
    is_store,
    layer_file,
    part_folder,
)
from activis_tb.storage.parquet import read_parquet
from activis_tb.storage.side_files import MEMORY_LIMIT, CodesFile, SideFiles


@dataclass(frozen=True)
class Part:
    """Consecutive instances of a dataset.

    Attributes:
        folder: Where its files are.
        instances: Their number.
        columns: Of its Parquet file.
    """

    folder: Path
    instances: int
    columns: frozenset[str]


class DatasetReader:
    """Every instance of one snapshot, in the order of the stream: the position is the `index`.

    Args:
        run_directory: The folder of the event file.
        manifest: Of a snapshot with a store.

    Attributes:
        instances: Their number.
        parts: In order.

    Raises:
        NewerVersionError: It was written by a newer activis-tb.
        StoredDataError: The folder is not there, a file is damaged, or there is no store.
    """

    def __init__(self, run_directory: Path, manifest: Manifest) -> None:
        if not is_store(manifest.store):
            message = f"The snapshot's store is {manifest.store!r}; expected a folder below plugins/activis."
            raise StoredDataError(message)
        folder = run_directory / manifest.store
        self._files = SideFiles()
        self._layers = {layer.name: position for position, layer in enumerate(manifest.layers)}
        self._neurons = [layer.neurons for layer in manifest.layers]
        self.instances = manifest.stored
        self.parts = tuple(self._read_parts(folder))

    def layer(self, name: str) -> list[CodedActivations]:
        """Returns the activations of a layer, part by part; the codes are read from the disk where they are touched.

        Raises:
            KeyError: There is no such layer.
            StoredDataError: A file is not there, or damaged.
        """
        position = self._layers[name]
        return [self._read_layer(part, position, self._neurons[position]) for part in self.parts]

    def unchanged(self) -> bool:
        """Tells whether all files that were read so far are still what they were."""
        return self._files.unchanged()

    @property
    def parquet_files(self) -> list[Path]:
        """The tables of the parts; `activis_tb.storage.dataset_files` says what the columns are called.

        A part in which an attribute is missing everywhere lacks its column.
        """
        return [part.folder / INSTANCES_FILE for part in self.parts]

    def columns(self, *names: str) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        """Returns columns of the tables, each (instances,), masked where a value is missing.

        Raises:
            StoredDataError: A file is not there, or damaged.
        """
        known = frozenset[str]().union(*(part.columns for part in self.parts))
        stored = [name for name in names if name in known]
        table = read_parquet(self.parquet_files, stored) if stored else {}
        for name, values in table.items():
            if len(values) != self.instances:
                folder = self.parts[0].folder.parent
                message = f"Column {name} in {folder} has {len(values):,} values; expected {self.instances:,}."
                raise StoredDataError(message)
        nothing = np.ma.masked_array(np.empty(self.instances, np.object_), mask=True)
        return {name: table.get(name, nothing) for name in names}

    def _read_parts(self, folder: Path) -> list[Part]:
        parts: list[Part] = []
        missing = self.instances
        while missing > 0:
            part = self._read_part(folder / part_folder(len(parts)))
            parts.append(part)
            missing -= part.instances
        if missing < 0 or not parts:
            message = f"The parts in {folder} have {self.instances - missing:,} instances; expected {self.instances:,}."
            raise StoredDataError(message)
        return parts

    def _read_part(self, folder: Path) -> Part:
        path = folder / PART_FILE
        self._files.add(path)
        with self._files.open(path) as file:
            content = file.readall()
        part = _described(path, content, folder, self._neurons)
        self._files.add(folder / INSTANCES_FILE)
        return part

    def _read_layer(self, part: Part, position: int, neurons: int) -> CodedActivations:
        zones = -(-part.instances // ZONE_ROWS)
        codes, tally_file, scale_file = (
            part.folder / layer_file(position, kind) for kind in ("u8", "tallies.npy", "scales.npy")
        )
        tallies = self._files.load(tally_file, (zones, len(TALLY_NAMES), neurons), np.uint32)
        origin, scale, positive_from = scales = self._files.load(scale_file, (3, neurons), np.float64)
        if not np.isfinite(scales).all() or ((positive_from < 1) | (positive_from > 255)).any():
            message = f"{scale_file} is damaged: its scales are no numbers."
            raise StoredDataError(message)
        return CodedActivations(
            CodesFile(self._files, codes, (part.instances, neurons), keep=2 * self.instances * neurons <= MEMORY_LIMIT),
            origin,
            scale,
            positive_from.astype(np.uint8),
            tallies,
        )


def _described(path: Path, content: bytes, folder: Path, neurons: Sequence[int]) -> Part:
    try:
        description = json.loads(content.decode("utf-8"))
        version, instances = int(description["version"]), int(description["instances"])
        part = Part(folder, instances, frozenset(map(str, description["columns"])))
        found = list(description["neurons"])
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is damaged: it is no description of a part. Record the step again."
        raise StoredDataError(message) from error
    if version > DATASET_VERSION:
        raise NewerVersionError(f"The part {folder}", version, DATASET_VERSION)
    if version < 1 or not 0 < instances <= MOST_ROWS or found != list(neurons):
        message = (
            f"{path} is damaged: {instances:,} instances of layers with {found} neurons; expected {list(neurons)}."
        )
        raise StoredDataError(message)
    return part
