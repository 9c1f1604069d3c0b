"""Where the graph of a run may be: with every plugin of TensorBoard's that keeps graphs, in the run or beside it."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from posixpath import dirname, normpath
from typing import Literal

from tensorboard.data.provider import DataProvider

from activis_tb import graph
from activis_tb.errors import StoredDataError
from activis_tb.model import graph_digest
from activis_tb.plugin.blob_sequences import BlobSequences, UnservedError, VanishedError
from activis_tb.plugin.recent import Recent

SourceKind = Literal["forward", "run_graph", "function", "keras", "layers"]

_RUN_GRAPH = "__run_graph__"
_PLUGINS: Mapping[str, SourceKind] = {
    "graphs": "run_graph",
    "graph_run_metadata_graph": "function",
    "graph_run_metadata": "function",
    "graph_keras_model": "keras",
}
_NAMES = {"forward": "forward graph", "run_graph": "run graph", "function": "traced function", "keras": "Keras model"}
_SIBLINGS = ("activis", "train", "validation")
_MOST_BLOBS = 32
_MOST_FUNCTIONS = 12


@dataclass(frozen=True)
class Blob:
    """Something that holds graphs, as TensorBoard lists it.

    Attributes:
        kind: `run_graph`, `function` or `keras`.
        run: Where it was found.
        tag: Its name there.
        key: By which TensorBoard gives its content; changes when the content does.
    """

    kind: SourceKind
    run: str
    tag: str
    key: str


@dataclass(frozen=True)
class Source:
    """One graph that was found.

    Attributes:
        kind: What it was made from.
        run: Where it was found.
        title: What tells it from others of its kind and run; may be empty.
        graph_def: Serialised.
        warning: Why there is none, where it cannot be had.
    """

    kind: SourceKind
    run: str
    title: str
    graph_def: bytes
    warning: str = ""

    @cached_property
    def operations(self) -> graph.Operations:
        if self.warning:
            return graph.Operations({}, {}, warnings=(self.warning,))
        return graph.parse_operations(self.graph_def)

    @cached_property
    def trains(self) -> bool:
        """Whether it is a training step, not the model alone."""
        return graph.trains(self.operations)

    @cached_property
    def digest(self) -> str:
        """Names this very graph; empty for a Keras model, whose GraphDef is our own."""
        return "" if self.kind == "keras" else graph_digest(self.graph_def)

    @property
    def label(self) -> str:
        """What to call it for a person."""
        return " · ".join(part for part in (_NAMES[self.kind], self.run, self.title) if part and part != ".")


class GraphSources:
    """Finds the graphs of runs and remembers the latest.

    Args:
        data_provider: TensorBoard's.
    """

    def __init__(self, data_provider: DataProvider) -> None:
        self._sequences = {plugin: BlobSequences(data_provider, plugin) for plugin in _PLUGINS}
        self._read: Recent[str, list[Source]] = Recent(_MOST_BLOBS)

    def blobs(self, experiment: str, run: str) -> list[Blob]:
        """Returns what may hold graphs of `run`, in it and in the runs that belong to it: the run's own
        first, of one run the newest first.
        """
        runs = _relatives(run)
        found: list[Blob] = []
        for plugin, kind in _PLUGINS.items():
            sequences = self._sequences[plugin]
            listed = [(one.run, one.tag) for one in sequences.list(experiment, runs)]
            wanted = [(name, tag) for name, tag in listed if kind != "run_graph" or tag == _RUN_GRAPH]
            events = sequences.events(experiment, wanted)
            for name, tag in sorted(wanted, key=lambda one: runs.index(one[0])):
                data = events.get((name, tag), ())
                keys = (reference.blob_key for datum in reversed(data) for reference in datum.values)
                found += [Blob(kind, name, tag, key) for key in itertools.islice(keys, _MOST_BLOBS)]
        return found[:_MOST_BLOBS]

    def read(self, blob: Blob) -> list[Source]:
        """Returns the graphs in `blob`; a damaged one is a graph without operations, with a warning.

        Raises:
            VanishedError: It is gone.
        """
        return self._read.get_or_make(f"{blob.kind}{blob.run}{blob.key}", lambda: self._sources(blob))

    def _sources(self, blob: Blob) -> list[Source]:
        try:
            content = self._sequences["graphs"].read(blob.key, blob.run, blob.tag)
        except VanishedError:
            raise
        except UnservedError as error:
            return [Source(blob.kind, blob.run, blob.tag, b"", str(error))]
        except StoredDataError:
            content = b""
        if blob.kind == "keras":
            return [Source("keras", blob.run, "", graph.keras_graph_def(content))]
        if blob.kind == "function":
            return [Source("function", blob.run, title, one) for title, one in _traced(blob.tag, content)]
        functions = graph.uncalled_functions(content, _MOST_FUNCTIONS).items()
        main = Source("run_graph", blob.run, "", content)
        if main.operations.results_known:
            main = Source("forward", blob.run, "", content)
        return [main, *(Source("function", blob.run, title, one) for title, one in functions)]


def _traced(tag: str, run_metadata: bytes) -> Iterable[tuple[str, bytes]]:
    graphs: Sequence[bytes] = graph.traced_graphs(run_metadata)[:_MOST_FUNCTIONS]
    if len(graphs) == 1:
        return [(tag, graphs[0])]
    return [(f"{tag} {number}", one) for number, one in enumerate(graphs, 1)]


def _relatives(run: str) -> list[str]:
    """Returns the runs that may hold the graph of `run`: itself, its parent, and the usual sub-runs of both."""
    parent = dirname(run) or "."
    places = [run, parent, *(normpath(f"{base}/{name}") for base in (parent, run) for name in _SIBLINGS)]
    return list(dict.fromkeys(places))
