"""Reads the side files of `keep="all"`: memory-mapped codes, and columns where they are asked for.

Nothing stored is trusted: what does not have exactly the size, type and shape that it should have is not served.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        return [_read_layer(part, position, self._neurons[position]) for part in self.parts]

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
            part = _read_part(folder / part_folder(len(parts)), self._neurons)
            parts.append(part)
            missing -= part.instances
        if missing < 0 or not parts:
            message = f"The parts in {folder} have {self.instances - missing:,} instances; expected {self.instances:,}."
            raise StoredDataError(message)
        return parts


def _read_part(folder: Path, neurons: Sequence[int]) -> Part:
    path = folder / PART_FILE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        version, instances = int(description["version"]), int(description["instances"])
        part = Part(folder, instances, frozenset(map(str, description["columns"])))
        found = list(description["neurons"])
    except OSError as error:
        message = f"Cannot read {path}: {error.strerror}. Were the side files left behind when the log was copied?"
        raise StoredDataError(message) from error
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


def _read_layer(part: Part, position: int, neurons: int) -> CodedActivations:
    zones = -(-part.instances // ZONE_ROWS)
    tallies = _load(part.folder / layer_file(position, "tallies.npy"), (zones, len(TALLY_NAMES), neurons), np.uint32)
    scales = _load(part.folder / layer_file(position, "scales.npy"), (3, neurons), np.float64)
    codes = _map(part.folder / layer_file(position, "u8"), (part.instances, neurons))
    origin, scale, positive_from = scales
    if not np.isfinite(scales).all() or ((positive_from < 1) | (positive_from > 255)).any():
        message = f"{part.folder / layer_file(position, 'scales.npy')} is damaged: its scales are no numbers."
        raise StoredDataError(message)
    return CodedActivations(codes, origin, scale, positive_from.astype(np.uint8), tallies)


def _map(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    try:
        size = path.stat().st_size
        if size != shape[0] * shape[1]:
            message = f"{path} has {size:,} bytes; expected {shape[0] * shape[1]:,}. It is damaged; record again."
            raise StoredDataError(message)
        return np.asarray(np.memmap(path, np.uint8, "r", shape=shape))
    except OSError as error:
        message = f"Cannot read {path}: {error.strerror}. Were the side files left behind when the log was copied?"
        raise StoredDataError(message) from error


def _load(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        message = f"Cannot read {path}: {error}. Were the side files left behind when the log was copied?"
        raise StoredDataError(message) from error
    if array.shape != shape or array.dtype != dtype:
        message = f"{path} holds {array.dtype} {array.shape}; expected {np.dtype(dtype)} {shape}. Record again."
        raise StoredDataError(message)
    return array
