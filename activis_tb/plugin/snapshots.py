"""Snapshots as the tab sees them, one per (run, name, step), joined from the sessions that recorded it.

A training that was restarted repeats steps, and layers may be recorded in several passes. The newest readable session
wins; an older one adds layers only where it is about the same instances and subsets.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from activis_tb.errors import StoredDataError
from activis_tb.model import Layer, Manifest
from activis_tb.plugin.blob_sequences import UnservedError, VanishedError
from activis_tb.plugin.cache import MEBIBYTE, Recent, size_of
from activis_tb.plugin.catalogue import Catalogue, Listing, Session
from activis_tb.plugin.http import NotFoundError, SnapshotKey
from activis_tb.storage.decoding import SnapshotReader

_SNAPSHOTS_LIMIT = 64 * MEBIBYTE


@dataclass(frozen=True, eq=False)
class JoinedSnapshot:
    """A snapshot to read from.

    Attributes:
        key: Run, name and step.
        wall_time: Of its newest session, seconds since 1970.
        reader: Its newest session: the instances, the subsets and the newest layers.
        layers: The newest session's in its order, then those that older sessions add.
        readers: By layer name, the session to read the layer from.
        version: Changes whenever a number of the snapshot may have changed.
        warnings: Sessions that could not be read or joined.
    """

    key: SnapshotKey
    wall_time: float
    reader: SnapshotReader
    layers: tuple[Layer, ...]
    readers: dict[str, SnapshotReader]
    version: str
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key.name!r} at step {self.key.step} of run {self.key.run!r}"

    @property
    def identity(self) -> str:
        """Identity of the snapshot's present state, a key for caches."""
        return f"{self.key}{self.version}"

    @property
    def manifest(self) -> Manifest:
        return self.reader.manifest

    def reader_of(self, layer: str) -> SnapshotReader:
        """Returns what to read `layer` from; raises NotFoundError where it was not recorded."""
        if layer not in self.readers:
            raise NotFoundError("layer", layer, list(self.readers))
        return self.readers[layer]

    def layer(self, name: str) -> Layer:
        """Returns the description of a layer; raises NotFoundError where it was not recorded."""
        self.reader_of(name)
        return next(layer for layer in self.layers if layer.name == name)


class Snapshots:
    """All snapshots, joined, and cached as long as their sessions are the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._joined: Recent[Any, JoinedSnapshot | StoredDataError] = Recent(_SNAPSHOTS_LIMIT, _size)

    def get(self, experiment: str, key: SnapshotKey) -> JoinedSnapshot:
        """Returns one snapshot.

        Raises:
            NotFoundError: There is no such run, recording or step.
            StoredDataError: All its sessions are damaged or written by a newer activis-tb.
        """
        listing = self._catalogue.list_sessions(experiment, key.run)
        if key not in listing.sessions:
            self._raise_not_found(experiment, key, listing)
        sessions = listing.sessions[key]
        joined = self._join(experiment, sessions, self._catalogue.open(experiment, sessions))
        if isinstance(joined, StoredDataError):
            raise joined
        return joined

    def all(self, experiment: str, run: str | None = None) -> tuple[list[JoinedSnapshot], list[str]]:
        """Returns the readable snapshots by run, name and step, and warnings about the others."""
        listing = self._catalogue.list_sessions(experiment, run)
        found = self._catalogue.open(experiment, [one for sessions in listing.sessions.values() for one in sessions])
        snapshots, warnings = [], list(listing.warnings)
        for _, sessions in sorted(listing.sessions.items()):
            joined = self._join(experiment, sessions, {session: found[session] for session in sessions})
            if isinstance(joined, StoredDataError):
                warnings.append(str(joined))
            else:
                snapshots.append(joined)
                warnings.extend(joined.warnings)
        return snapshots, list(dict.fromkeys(warnings))

    def _join(
        self, experiment: str, sessions: Sequence[Session], found: dict[Session, SnapshotReader | StoredDataError]
    ) -> JoinedSnapshot | StoredDataError:
        if any(isinstance(reader, VanishedError) for reader in found.values()):
            return _join(sessions, found)
        return self._joined.get_or_make((experiment, *sessions), lambda: _join(sessions, found))

    def _raise_not_found(self, experiment: str, key: SnapshotKey, listing: Listing) -> None:
        names = sorted({other.name for other in listing.sessions})
        if not names:
            runs = sorted({other.run for other in self._catalogue.list_sessions(experiment).sessions})
            raise NotFoundError("run with recordings", key.run, runs)
        if key.name not in names:
            raise NotFoundError(f"recording in run {key.run!r} named", key.name, names)
        steps = sorted(other.step for other in listing.sessions if other.name == key.name)
        raise NotFoundError(f"snapshot of {key.name!r} in run {key.run!r} at step", key.step, steps)


def _join(
    sessions: Sequence[Session], found: dict[Session, SnapshotReader | StoredDataError]
) -> JoinedSnapshot | StoredDataError:
    readable: list[tuple[Session, SnapshotReader]] = []
    unreadable: list[str] = []
    for session in sessions:
        opened = found[session]
        if isinstance(opened, StoredDataError):
            unreadable.append(f"{session} (session {session.parts.session}) was left out: {opened}")
        else:
            readable.append((session, opened))
    if not readable:
        unserved = [opened for opened in found.values() if isinstance(opened, UnservedError)]
        return unserved[0] if len(unserved) == len(sessions) else StoredDataError(" ".join(unreadable))
    newest, base = readable[0]
    layers = list(base.manifest.layers)
    readers = {layer.name: base for layer in layers}
    joined, warnings = [newest], list(unreadable)
    for session, reader in readable[1:]:
        added = [layer for layer in reader.manifest.layers if layer.name not in readers]
        if not added:
            continue
        obstacle = _obstacle(base, reader)
        if obstacle:
            names = ", ".join(layer.name for layer in added)
            warnings.append(f"{session}: layers {names} of an older session were left out: {obstacle}.")
            continue
        joined.append(session)
        layers.extend(added)
        readers.update({layer.name: reader for layer in added})
    return JoinedSnapshot(newest.key, newest.wall_time, base, tuple(layers), readers, _version(joined), tuple(warnings))


def _obstacle(newer: SnapshotReader, older: SnapshotReader) -> str:
    """Returns why the layers of `older` cannot stand beside those of `newer`; empty where they can."""
    if newer.manifest.instances != older.manifest.instances:
        return f"it is about {older.manifest.instances:,} instances, the newest about {newer.manifest.instances:,}"
    axes = [[(one.name, one.kind, one.condition) for one in reader.manifest.subsets] for reader in (newer, older)]
    if axes[0] != axes[1]:
        return "its subsets are not those of the newest"
    try:
        same = np.array_equal(newer.ids(), older.ids())
    except StoredDataError as error:
        return str(error)
    return "" if same else "its sampled instances are not those of the newest"


def _version(sessions: Sequence[Session]) -> str:
    parts = [f"{session.tag}\0{session.wall_time!r}\0{session.blobs}" for session in sessions]
    return hashlib.sha256("\0\0".join(parts).encode()).hexdigest()[:16]


def _size(joined: JoinedSnapshot | StoredDataError) -> int:
    """Bytes of what joining adds to the sessions, which the catalogue keeps."""
    return size_of((joined.layers, joined.warnings) if isinstance(joined, JoinedSnapshot) else joined)
