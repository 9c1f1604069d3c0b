"""Side files of `keep="all"`: their names, their writer, part by part, and their reader.

Below the folder of the event file: `plugins/activis/<name>/<step>/<session>/part-00000/`, with

- `part.json`: format version, instances, neurons per layer, columns of `instances.parquet`;
- `instances.parquet`: `id, index, label, predicted, score`, and a column per class's score and per attribute (that of a
  number has another name where whole ones beyond 2^53 come; times are timestamps in UTC);
- per layer `layer-000.u8` (the codes, row-major), `.scales.npy` and `.tallies.npy`, in the snapshot's order.

Folders carry a name that is safe in every file system, files carry numbers; what the user called things is in the
snapshot's manifest alone. No name contains `tfevents`, so TensorBoard takes none of it for an event file.

Nothing stored is trusted: files of another size, type or shape than expected are not served.
"""

import json
import os
import re
import shutil
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import NewerVersionError, RecordingClosedError, StoredDataError, shorten
from activis_tb.model import NONFINITE_CODE, TALLY_NAMES, ZONE_ROWS, CodedActivations, Manifest
from activis_tb.storage.events import is_labelled
from activis_tb.storage.folders import explained, is_gone, owner
from activis_tb.storage.metadata import PLUGIN_NAME, SnapshotTag
from activis_tb.storage.npy import CodesFile, SideFiles
from activis_tb.storage.parquet import Kind, ParquetWriter, check_rows, read_parquet, read_texts
from activis_tb.storage.validation import LARGEST_SCALE

DATASET_VERSION = 2
"""The newest that is read; a part says the oldest that it needs: version 1 has no `whole_column`."""
MOST_ROWS = 65_536
"""Instances of one part at most: the sums of its codes and of their squares fit into 64 bits several times over."""
PART_FILE = "part.json"
INSTANCES_FILE = "instances.parquet"

_CLAIM = ".claim"
_ROOT = PurePosixPath("plugins", PLUGIN_NAME)
_STORE = re.compile(rf"{_ROOT}/[\w-]{{1,64}}/\d{{1,19}}/\d{{1,19}}", re.ASCII)


def store_of(tag: SnapshotTag) -> str:
    """Returns the folder of a dataset, relative to that of its event file, with forward slashes."""
    name = re.sub(r"[^\w-]+", "-", tag.name.lower(), flags=re.ASCII).replace("tfevents", "tf-events")[:64]
    return str(_ROOT / name / str(tag.step) / str(tag.session))


def is_store(store: str) -> bool:
    """Tells whether `store` is a folder that `store_of` returns, so that no other can be read."""
    return _STORE.fullmatch(store) is not None


def part_folder(number: int) -> str:
    """Returns the name of a part's folder."""
    return f"part-{number:05d}"


def layer_file(position: int, kind: str) -> str:
    """Returns the name of one of a layer's files; `kind` is `u8`, `scales.npy` or `tallies.npy`."""
    return f"layer-{position:03d}.{kind}"


def score_column(position: int) -> str:
    """Returns the name of the column with the scores of the class at `position`."""
    return f"score_of_{position}"


def attribute_column(position: int) -> str:
    """Returns the name of the column with the attribute at `position`."""
    return f"attribute_{position}"


def whole_column(position: int) -> str:
    """Returns the name of the column with the attribute at `position` for whole numbers that no double represents."""
    return f"{attribute_column(position)}_whole"


def is_whole(column: str) -> bool:
    """Tells whether a column's name is one of `whole_column`."""
    return column.endswith("_whole")


def event_label(session: int) -> str:
    """Returns the label of the event file that points at the dataset of `session`."""
    return f"stored-{session}"


def claim_of(run_directory: Path, tag: SnapshotTag) -> Path:
    """Returns the claim file of a dataset's folder, which exists until its event is written.

    Its name holds the owner, its content the folder: `store_of(tag)`.
    """
    return run_directory / f".activis-{owner()}-{tag.session}{_CLAIM}"


def remove_abandoned(run_directory: Path) -> None:
    """Removes the datasets of recordings that were killed before their event was written."""
    for claim in run_directory.glob(f".activis-*{_CLAIM}"):
        try:
            writer, _, session = claim.stem.removeprefix(".activis-").rpartition("-")
            if not is_gone(writer, claim.stat().st_mtime):
                continue
            store = claim.read_text(encoding="utf-8")
            if is_store(store) and not is_labelled(run_directory, event_label(int(session))):
                remove_dataset(run_directory / store, claim)
            claim.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue


def remove_dataset(folder: Path, claim: Path) -> None:
    """Removes `folder`, its claim, and the folders around them that are empty then."""
    if not claim.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    run_directory = claim.parent
    with suppress(OSError):
        for parent in folder.parents[: len(folder.relative_to(run_directory).parts) - 1]:
            parent.rmdir()
    with suppress(OSError):
        claim.unlink()
        run_directory.rmdir()


class DatasetWriter:
    """Writes the instances of one recording.

    The order is: `write_part` for every part, then the event that points at `store`, then `commit`. An uncommitted
    dataset is removed: by `abandon`, when a part fails, when the writer is garbage-collected or Python exits, and
    after a kill by the next recording.

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
        """Writes the next instances, at most `activis_tb.storage.side_files.MOST_ROWS`.

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
        """Keeps what was written; call it when the event is on disk."""
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


_LONGEST_DESCRIPTION = 2**24
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
        StoredDataError: The folder is missing, a file is damaged, or there is no store.
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
        """Returns the activations of a layer, part by part; the codes are read from the disk on demand.

        Raises:
            KeyError: There is no such layer.
            StoredDataError: A file is missing or damaged.
        """
        position = self._layers[name]
        return [self._read_layer(part, position, self._neurons[position]) for part in self.parts]

    def unchanged(self) -> bool:
        """Tells whether none of the files that were read so far has changed."""
        return self._files.unchanged()

    @property
    def parquet_files(self) -> list[Path]:
        """The tables of the parts; `activis_tb.storage.side_files` says what the columns are called.

        A part in which an attribute is missing everywhere lacks its column.
        """
        return [part.folder / INSTANCES_FILE for part in self.parts]

    def columns(self, *names: str) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        """Returns columns of outcomes, each (instances,), masked where a value is missing.

        Raises:
            StoredDataError: A file is missing or damaged.
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

    def texts(self, names: Sequence[str], positions: Sequence[int], longest: int) -> list[tuple[str, ...]]:
        """Returns the beginnings of texts of some instances, at ascending `positions`, empty where there is none.

        Args:
            names: Of columns; a part may lack them.
            positions: Of the instances.
            longest: Characters that are read at most.

        Raises:
            StoredDataError: A file is missing or damaged.
        """
        found: list[tuple[str, ...]] = []
        first = 0
        for part in self.parts:
            rows = [position - first for position in positions if first <= position < first + part.instances]
            first += part.instances
            known = [name for name in names if name in part.columns]
            if not rows:
                continue
            for row in read_texts(part.folder / INSTANCES_FILE, known, rows, longest) if known else [()] * len(rows):
                texts = dict(zip(known, row, strict=True))
                found.append(tuple(texts.get(name, "") for name in names))
        return found

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
    """Whether these can be the scales of float32 activations."""
    _, scale, positive_from = scales
    fit = bool((np.abs(scales) <= LARGEST_SCALE).all() and (scale >= 0).all())
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
