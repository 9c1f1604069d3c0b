"""Catalogue of the recorded snapshots among TensorBoard's data.

Every recording session has a tag of its own. Only the listing is polled: a session does not
change once it is written, so its parsed manifest and its blobs are cached by tag, wall time and length.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from google.protobuf.message import DecodeError
from tensorboard.context import RequestContext
from tensorboard.data.provider import BlobReference, BlobSequenceDatum, DataProvider

from activis_tb.errors import NewerVersionError, StoredDataError, shorten
from activis_tb.plugin.blob_sequences import MOST_BLOBS, BlobSequences, Listed, UnservedError, VanishedError
from activis_tb.plugin.cache import MEBIBYTE, Recent, size_of
from activis_tb.plugin.http import SnapshotKey
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.metadata import FORMAT_VERSION, PLUGIN_NAME, SnapshotTag, parse_tag

_READERS_LIMIT = 1024 * MEBIBYTE
_PARSED = 20
"""Times as large as its blob is a manifest in memory."""
_FETCHES = 16
_BLOBS_LIMIT = 64 * MEBIBYTE


@dataclass(frozen=True)
class Session:
    """One stored snapshot as listed, not yet read.

    Attributes:
        run: TensorBoard's run name.
        tag: The tag as it stands in the event file.
        parts: Parts of the tag.
        wall_time: Seconds since 1970.
        blobs: Number of blobs, as the event claims.
        version: Format version.
    """

    run: str
    tag: str
    parts: SnapshotTag
    wall_time: float
    blobs: int
    version: int

    @property
    def key(self) -> SnapshotKey:
        return SnapshotKey(self.run, self.parts.name, self.parts.step)

    def __str__(self) -> str:
        return f"snapshot {self.parts.name}/{self.parts.step} of run {self.run}"


@dataclass(frozen=True)
class Listing:
    """All sessions by run, name and step, the newest first, and warnings about those that could not be listed."""

    sessions: Mapping[SnapshotKey, list[Session]]
    warnings: list[str]


class Catalogue:
    """Recordings known to one data provider.

    Args:
        data_provider: TensorBoard's; the multiplexer or the data server stands behind it.
    """

    def __init__(self, data_provider: DataProvider) -> None:
        self._provider = data_provider
        self._sequences = BlobSequences(data_provider, PLUGIN_NAME)
        self._readers: Recent[tuple[str, Session], SnapshotReader | StoredDataError] = Recent(_READERS_LIMIT, _size)
        # The data server takes about 40 ms per blob (a delayed acknowledgement), for many at once no longer.
        self._blobs: Recent[tuple[Session, str], bytes] = Recent(_BLOBS_LIMIT)
        self._pool = ThreadPoolExecutor(_FETCHES, "activis-fetch")

    def run_names(self, experiment: str) -> list[str]:
        """Returns the names of all runs, with or without recordings."""
        return [run.run_name for run in self._provider.list_runs(RequestContext(), experiment_id=experiment)]

    def list_sessions(self, experiment: str, run: str | None = None) -> Listing:
        """Returns the sessions of all runs, or of one."""
        sessions: dict[SnapshotKey, list[Session]] = defaultdict(list)
        warnings = []
        for listed in self._sequences.list(experiment, None if run is None else [run]):
            session = _session(listed)
            if session is None:
                tag = shorten(listed.tag)
                warnings.append(f"Tag {tag} of run {listed.run} is not a snapshot of activis-tb; it is left out.")
            else:
                sessions[session.key].append(session)
        for found in sessions.values():
            found.sort(key=lambda session: session.parts.session, reverse=True)
        return Listing(sessions, warnings)

    def open(self, experiment: str, sessions: Iterable[Session]) -> dict[Session, SnapshotReader | StoredDataError]:
        """Returns the reader of each of `sessions`, or its error.

        References of the sessions that were not read before are fetched in one call.
        """
        known = {session: self._readers.get((experiment, session)) for session in sessions}
        new = [session for session, reader in known.items() if reader is None]
        made = list(self._pool.map(self._read, new, self._references(experiment, new)))
        for session, reader in zip(new, made, strict=True):
            if not isinstance(reader, VanishedError):
                self._readers.put((experiment, session), reader)
        return {session: reader for session, reader in known.items() if reader is not None} | dict(
            zip(new, made, strict=True)
        )

    def _references(self, experiment: str, sessions: Sequence[Session]) -> list[tuple[BlobReference, ...]]:
        """Returns the references to the blobs of each of `sessions`."""
        found = self._sequences.events(experiment, [(session.run, session.tag) for session in sessions])
        return [_at_step(found.get((session.run, session.tag), ()), session.parts.step) for session in sessions]

    def _read(self, session: Session, references: tuple[BlobReference, ...]) -> SnapshotReader | StoredDataError:
        fetch = partial(self._fetch, session, references)
        try:
            if session.version > FORMAT_VERSION:
                raise NewerVersionError(f"The {session}", session.version, FORMAT_VERSION)
            if not 0 <= session.blobs <= MOST_BLOBS:
                text = f"The snapshot claims {session.blobs:,} blobs; expected at most {MOST_BLOBS:,}. It is damaged."
                raise StoredDataError(text)
            fetch_many = partial(self._fetch_many, fetch)
            return SnapshotReader(fetch(0), fetch, fetch_many, len(references))
        except StoredDataError as error:
            return error

    def _fetch(self, session: Session, references: tuple[BlobReference, ...], number: int) -> bytes:
        if number >= len(references):
            text = f"The snapshot has no blob {number}; it ends after {len(references)}. Record the step again."
            raise StoredDataError(text)
        key = references[number].blob_key
        try:
            return self._blobs.get_or_make((session, key), lambda: self._sequences.read(key, session.run, session.tag))
        except UnservedError as error:
            raise UnservedError(session.run, f"recording {session.parts.name!r}") from error

    def _fetch_many(self, fetch: Callable[[int], bytes], numbers: Sequence[int]) -> list[bytes]:
        return list(self._pool.map(fetch, numbers))


def _session(listed: Listed) -> Session | None:
    parts = parse_tag(listed.tag)
    if parts is None:
        return None
    version = _format_version(listed.content)
    return Session(listed.run, listed.tag, parts, listed.wall_time, listed.blobs, version)


def _at_step(series: Iterable[BlobSequenceDatum], step: int) -> tuple[BlobReference, ...]:
    matching = [datum for datum in series if datum.step == step]
    return tuple(matching[-1].values) if matching else ()


def _format_version(plugin_content: bytes) -> int:
    try:
        return int(pb.PluginData.FromString(plugin_content).version)
    except DecodeError:
        return 0


def _size(reader: SnapshotReader | StoredDataError) -> int:
    return _PARSED * reader.size if isinstance(reader, SnapshotReader) else size_of(reader)
