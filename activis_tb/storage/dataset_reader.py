"""Reads the side files of `keep="all"`: codes and columns, where they are asked for.

Nothing stored is trusted: what does not have exactly the size, type and shape that it should have is not served.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import NewerVersionError, StoredDataError, shorten
from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZONE_ROWS, CodedActivations, Manifest
from activis_tb.storage.dataset_files import (
    DATASET_VERSION,
    INSTANCES_FILE,
    MOST_ROWS,
    PART_FILE,
    is_store,
    layer_file,
    part_folder,
)
from activis_tb.storage.parquet import Kind, check_rows, read_parquet
from activis_tb.storage.side_files import CodesFile, SideFiles

_LONGEST_DESCRIPTION = 2**24
_LARGEST = 1e39
"""Of the scales: the largest float32 several times over."""
_KINDS: Mapping[str, Kind] = {"id": "text", **dict.fromkeys(("index", "label", "predicted"), "integer")}
"""Of the columns that are no scores."""


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
        self._files = SideFiles(run_directory)
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
        """Returns columns of outcomes, each (instances,), masked where a value is missing.

        Raises:
            StoredDataError: A file is not there, or damaged.
        """
        check_rows(self.parquet_files, [part.instances for part in self.parts])
        known = frozenset[str]().union(*(part.columns for part in self.parts))
        stored = {name: _KINDS.get(name, "number") for name in names if name in known}
        table = read_parquet(self.parquet_files, stored) if stored else {}
        for name, values in table.items():
            if len(values) != self.instances:
                folder = self.parts[0].folder.parent
                message = f"Column {name} in {folder} has {len(values):,} values; expected {self.instances:,}."
                raise StoredDataError(message)
        nothing = np.ma.masked_array(np.zeros(self.instances), mask=True)
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
        part = _described(path, self._files.read(path, _LONGEST_DESCRIPTION), folder, self._neurons)
        self._files.add(folder / INSTANCES_FILE)
        return part

    def _read_layer(self, part: Part, position: int, neurons: int) -> CodedActivations:
        zones = -(-part.instances // ZONE_ROWS)
        codes, tally_file, scale_file = (
            part.folder / layer_file(position, kind) for kind in ("u8", "tallies.npy", "scales.npy")
        )
        tallies = self._files.load(tally_file, (zones, len(TALLY_NAMES), neurons), np.uint32)
        origin, scale, positive_from = scales = self._files.load(scale_file, (3, neurons), np.float64)
        if not _are_scales(scales):
            message = f"{scale_file} is damaged: its scales are no numbers."
            raise StoredDataError(message)
        if not _are_tallies(tallies, part.instances):
            message = f"{tally_file} is damaged: it counts more than there is. Record again."
            raise StoredDataError(message)
        fits = self.instances * neurons <= self._files.memory.limit
        return CodedActivations(
            CodesFile(self._files, codes, (part.instances, neurons), keep=fits),
            origin,
            scale,
            positive_from.astype(np.uint8),
            tallies,
        )


def _are_scales(scales: NDArray[np.float64]) -> bool:
    """Whether codes could have such scales: those of activations that are float32."""
    _, scale, positive_from = scales
    fit = bool((np.abs(scales) <= _LARGEST).all() and (scale >= 0).all())
    return fit and bool(((positive_from >= 1) & (positive_from <= NONFINITE_CODE)).all())


def _are_tallies(tallies: NDArray[np.uint32], instances: int) -> bool:
    """Whether zones of so many instances could have such tallies, (zones, tallies, neurons)."""
    rows = np.minimum(ZONE_ROWS, instances - ZONE_ROWS * np.arange(len(tallies)))[:, None]
    most = {"sum": NONFINITE_CODE - 1, "squares": (NONFINITE_CODE - 1) ** 2}
    return all((tallies[:, at] <= rows * most.get(name, 1)).all() for at, name in enumerate(TALLY_NAMES))


def _described(path: Path, content: bytes, folder: Path, neurons: Sequence[int]) -> Part:
    try:
        description = json.loads(content.decode("utf-8"))
        version, instances = int(description["version"]), int(description["instances"])
        part = Part(folder, instances, frozenset(map(str, description["columns"])))
        found = list(description["neurons"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        message = f"{path} is damaged: it is no description of a part. Record the step again."
        raise StoredDataError(message) from error
    if version > DATASET_VERSION:
        raise NewerVersionError(f"The part {folder}", version, DATASET_VERSION)
    if version < 1 or not 0 < instances <= MOST_ROWS or found != list(neurons):
        shown, expected = shorten(repr(found)), shorten(repr(list(neurons)))
        message = f"{path} is damaged: {instances:,} instances of layers with {shown} neurons; expected {expected}."
        raise StoredDataError(message)
    return part
