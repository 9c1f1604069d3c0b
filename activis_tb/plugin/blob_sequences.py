"""Door to TensorBoard's blob sequences, whose claims are checked before memory is allocated.

An event of a few bytes can claim any number of blobs, and the multiplexer makes an object for each that is asked for.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tensorboard.context import RequestContext
from tensorboard.data.provider import BlobSequenceDatum, DataProvider, RunTagFilter
from tensorboard.errors import InvalidArgumentError, NotFoundError

from activis_tb.errors import StoredDataError
from activis_tb.storage.metadata import UNSERVED_CHARACTERS, is_served

MOST_BLOBS = 65_536
"""Blobs of one event at most: those of 7,000 layers."""

_EVERY_STEP = 1000
_END_OF_TIME = 1e11

Series = tuple[str, str]
"""Run and tag."""


class VanishedError(StoredDataError):
    """Data that was listed no longer exists; it may come back."""

    def __init__(self) -> None:
        super().__init__("It is gone since it was listed: the run was deleted or is being replaced. Reload the page.")


class UnservedError(StoredDataError):
    """TensorBoard's data server cannot serve data of such a name.

    Args:
        run: Whose data it is.
        what: Which of it.
    """

    def __init__(self, run: str, what: str) -> None:
        if is_served(run):
            odd, way_out = f"{what} of run {run!r}", "Record it by another name"
        else:
            odd, way_out = f"run {run!r}", "Rename its folder"
        super().__init__(
            f"TensorBoard's data server does not give the data of {odd}: the name has {UNSERVED_CHARACTERS}. "
            f"{way_out}, or start TensorBoard with --load_fast=false."
        )


class Listed(NamedTuple):
    """Blob sequences of one run and tag as they are listed.

    Attributes:
        run: TensorBoard's run name.
        tag: As it stands in the event file.
        content: Content of the plugin's metadata.
        wall_time: Of the newest event, seconds since 1970; 0 where the event says nothing of the kind.
        blobs: Of the longest event, as it claims.
    """

    run: str
    tag: str
    content: bytes
    wall_time: float
    blobs: int

    @property
    def plausible(self) -> bool:
        """Whether the number of blobs is plausible."""
        return 0 <= self.blobs <= MOST_BLOBS


class BlobSequences:
    """The blob sequences of one plugin.

    Args:
        data_provider: TensorBoard's; the multiplexer or the data server stands behind it.
        plugin: Its name.
    """

    def __init__(self, data_provider: DataProvider, plugin: str) -> None:
        self._provider = data_provider
        self._plugin = plugin
        self._implausible: frozenset[tuple[str, Series]] = frozenset()
        self._lock = threading.Lock()

    def list(self, experiment: str, runs: Sequence[str] | None = None) -> list[Listed]:
        """Returns what there is, in all runs or in some."""
        found = self._provider.list_blob_sequences(
            RequestContext(),
            experiment_id=experiment,
            plugin_name=self._plugin,
            run_tag_filter=None if runs is None else RunTagFilter(runs=runs),
        )
        listed = [
            Listed(run, tag, series.plugin_content, _moment(series.max_wall_time), series.max_length or 0)
            for run, tags in found.items()
            for tag, series in tags.items()
        ]
        refused = frozenset((experiment, (one.run, one.tag)) for one in listed if not one.plausible)
        if refused - self._implausible:
            with self._lock:
                self._implausible |= refused
        return listed

    def events(self, experiment: str, wanted: Iterable[Series]) -> Mapping[Series, Sequence[BlobSequenceDatum]]:
        """Returns the events of what was listed, with the references to their blobs; those of implausible ones never.

        It is one call of the data provider's, unless that would name an implausible one among the runs and tags.
        """
        refused = self._implausible
        series = [one for one in wanted if (experiment, one) not in refused]
        runs, tags = {run for run, _ in series}, {tag for _, tag in series}
        mixed = any(run in runs and tag in tags for _, (run, tag) in refused)
        found: dict[Series, Sequence[BlobSequenceDatum]] = {}
        for some in [[one] for one in series] if mixed else [series] if series else []:
            read = self._provider.read_blob_sequences(
                RequestContext(),
                experiment_id=experiment,
                plugin_name=self._plugin,
                downsample=_EVERY_STEP,
                run_tag_filter=RunTagFilter(runs={run for run, _ in some}, tags={tag for _, tag in some}),
            )
            found |= {(run, tag): data for run, series_of in read.items() for tag, data in series_of.items()}
        return found

    def read(self, key: str, run: str, tag: str) -> bytes:
        """Returns the blob of a reference.

        Raises:
            VanishedError: It no longer exists.
            UnservedError: The data server cannot serve data of such a run or tag.
            StoredDataError: TensorBoard cannot read it.
        """
        try:
            blob = self._provider.read_blob(RequestContext(), blob_key=key)
        except (KeyError, NotFoundError) as error:
            raise VanishedError from error
        except InvalidArgumentError as error:
            if is_served(run) and is_served(tag):
                raise StoredDataError(f"TensorBoard cannot read a blob of it: {error}") from error
            raise UnservedError(run, repr(tag)) from error
        except (IndexError, TypeError, ValueError, MemoryError) as error:
            # The multiplexer lists whatever tensor bears the plugin's name and fails when it is read.
            text = f"TensorBoard cannot read a blob of it ({error}): it is not ours, or damaged."
            raise StoredDataError(text) from error
        return blob if isinstance(blob, bytes) else b""


def _moment(wall_time: float | None) -> float:
    """Returns a time that a person may be shown."""
    return wall_time if wall_time is not None and 0 <= wall_time < _END_OF_TIME else 0.0
