"""Graphs of a run: their sources among TensorBoard's plugins, the choice for the recorded layers, and JSON."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from posixpath import dirname, normpath
from typing import Any, Literal

from tensorboard.data.provider import DataProvider
from werkzeug.wrappers import Response

from activis_tb import graph
from activis_tb.errors import StoredDataError
from activis_tb.model import Layer, graph_digest
from activis_tb.plugin.blob_sequences import BlobSequences, UnservedError, VanishedError
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.context import Context
from activis_tb.plugin.http import NotFoundError, encoded_document, json_body
from activis_tb.plugin.snapshots import JoinedSnapshot, Snapshots

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
_SOURCES_LIMIT = 128 * MEBIBYTE
_PARSED = 8
"""Times as large as its GraphDef's bytes is a graph in memory, both together."""


@dataclass(frozen=True)
class Blob:
    """A blob that holds graphs, as TensorBoard lists it.

    Attributes:
        kind: `run_graph`, `function` or `keras`.
        run: Where it was found.
        tag: Its name there.
        key: TensorBoard's key of the content; changes with it.
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
        title: Distinguishes it from others of its kind and run; may be empty.
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
        """Digest of the graph; empty for a Keras model, whose GraphDef is our own."""
        return "" if self.kind == "keras" else graph_digest(self.graph_def)

    @property
    def label(self) -> str:
        """Label of the source in the tab."""
        return " · ".join(part for part in (_NAMES[self.kind], self.run, self.title) if part and part != ".")


class GraphSources:
    """Graphs of runs, with a cache of the latest.

    Args:
        data_provider: TensorBoard's.
    """

    def __init__(self, data_provider: DataProvider) -> None:
        self._sequences = {plugin: BlobSequences(data_provider, plugin) for plugin in _PLUGINS}
        self._read: Recent[str, list[Source]] = Recent(_SOURCES_LIMIT, _size)

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
            VanishedError: It no longer exists.
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


def _size(sources: Sequence[Source]) -> int:
    return sum(_PARSED * len(source.graph_def) for source in sources)


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


Document = dict[str, Any]


def graph_document(built: graph.Graph, source: str, sources: Sequence[Document]) -> Document:
    """Returns the message `Graph` of `proto/activis.proto` as JSON."""
    return {
        "source": source,
        "sources": list(sources),
        "digest": built.digest,
        "nodes": [_node(node) for node in built.nodes],
        "edges": [{"source": edge.source, "target": edge.target, "control": edge.control} for edge in built.edges],
        "warnings": list(built.warnings),
    }


def source_document(identity: str, source: Source | None, layers: int = 0) -> Document:
    """Returns the message `GraphSource` as JSON; without a `source`, of the recorded layers alone."""
    if source is None:
        return {"id": identity, "kind": "layers", "label": "recorded layers", "run": "", "nodes": layers}
    return {
        "id": identity,
        "kind": source.kind,
        "label": source.label,
        "run": source.run,
        "nodes": len(source.operations.by_name),
    }


def _node(node: graph.Node) -> Document:
    return {
        "id": node.id,
        "kind": node.kind,
        "name": node.name,
        "full_name": node.full_name,
        "parent": node.parent,
        "operator": node.operator,
        "shape": list(node.shape or ()),
        "has_shape": node.shape is not None,
        "dtype": node.dtype,
        "device": node.device,
        "attributes": dict(node.attributes),
        "layer": node.layer,
        "parameter": node.parameter,
        "repeats": node.repeats,
        "layer_candidates": list(node.candidates),
        "auxiliary": node.auxiliary,
    }


_GRAPHS_LIMIT = 32 * MEBIBYTE
_ORDER: tuple[SourceKind, ...] = ("forward", "run_graph", "function", "keras", "layers")
_LAYERS = "layers"


@dataclass(frozen=True)
class _Choice:
    """A source with its matches.

    Attributes:
        source: The graph.
        matches: Where the recorded layers are in it.
        id: The value of the parameter `source`.
    """

    source: Source
    matches: graph.Matches
    id: str = ""

    @property
    def found(self) -> int:
        """How many of the recorded layers are in it."""
        return sum(map(len, self.matches.recorded.values()))


class Graphs:
    """Graphs of runs, built and cached.

    Args:
        data_provider: TensorBoard's.
        snapshots: Snapshots, for the recorded layers and the graphs of their tensors.
    """

    def __init__(self, data_provider: DataProvider, snapshots: Snapshots) -> None:
        self._sources = GraphSources(data_provider)
        self._snapshots = snapshots
        self._built: Recent[tuple[object, ...], bytes] = Recent(_GRAPHS_LIMIT)

    def answer(self, context: Context) -> Response:
        """Answers `graph`; raises what `get` raises."""
        run, source = context.parameters.text("run"), context.parameters.text("source", "")
        return json_body(context.request, self.get(context.experiment, run, source))

    def get(self, experiment: str, run: str, source: str = "") -> bytes:
        """Returns, as JSON, the graph of `run` from `source`, or from the best there is.

        Raises:
            NotFoundError: The run has no recordings, or no such source.
            StoredDataError: None of its recordings can be read.
        """
        recorded, warnings = self._snapshots.all(experiment, run)
        if not recorded and warnings:
            raise StoredDataError(warnings[0])
        if not recorded:
            raise NotFoundError("run with recordings", run, way_out="The route `runs` lists them.")
        # Several names or steps may have recorded different layers; what the newest says comes first.
        recorded.sort(key=lambda snapshot: snapshot.manifest.session, reverse=True)
        blobs = self._sources.blobs(experiment, run)
        identity = (experiment, run, source, *(one.version for one in recorded), *blobs)
        return self._built.get_or_make(identity, lambda: encoded_document(self._build(blobs, source, recorded)))

    def _build(self, blobs: Sequence[Blob], source: str, recorded: Sequence[JoinedSnapshot]) -> Document:
        layers = _layers(recorded)
        choices = self._choices(blobs, recorded, layers)
        known = {choice.id: choice for choice in choices}
        shown = (choice.id for choice in choices if choice.source.operations.by_name)
        chosen = source or next(shown, _LAYERS)
        if chosen != _LAYERS and chosen not in known:
            raise NotFoundError("source", source, [*known, _LAYERS])
        sources = [source_document(choice.id, choice.source) for choice in choices]
        sources.append(source_document(_LAYERS, None, len(layers)))
        if chosen == _LAYERS:
            return graph_document(graph.layers_only(layers.values()), chosen, sources)
        built = _shown(known[chosen], layers)
        warnings = (*built.warnings, *_several(known[chosen], choices))
        return graph_document(replace(built, warnings=warnings), chosen, sources)

    def _choices(
        self, blobs: Iterable[Blob], recorded: Sequence[JoinedSnapshot], layers: Mapping[str, Layer]
    ) -> list[_Choice]:
        """Returns the graphs there are, the best first.

        The graph that the newest tensor names belong to is better than any other; of the others, the one that more of
        the recorded layers are found in; then one that does not train; then by kind; then the one found nearer to the
        run, and there the newer one.
        """
        digests = list(dict.fromkeys(one.manifest.graph_digest for one in recorded if one.manifest.graph_digest))
        found = {
            (source.kind == "keras", source.graph_def): source for blob in blobs for source in self._sources.read(blob)
        }
        choices = []
        for source in found.values():
            exact = source.digest in digests
            same = _layers(one for one in recorded if exact and one.manifest.graph_digest == source.digest)
            tensors = {layer.name: layer.tensor for layer in same.values() if layer.tensor}
            matches = graph.match_layers(source.operations, tensors, [name for name in layers if name not in tensors])
            kept = replace(source, kind="forward") if exact and source.kind != "forward" else source
            choices.append(_Choice(kept, matches))
        place = {digest: position for position, digest in enumerate(digests)}

        def rank(one: _Choice) -> tuple[int, ...]:
            exact = place.get(one.source.digest, len(place))
            return exact, -one.found, one.source.trains, _ORDER.index(one.source.kind)

        return _identified(sorted(choices, key=rank))


def _identified(choices: Iterable[_Choice]) -> list[_Choice]:
    """Assigns ids: the kind for the best of a kind, and a number too for the others."""
    counts: Counter[str] = Counter()
    identified = []
    for choice in choices:
        kind = choice.source.kind
        counts[kind] += 1
        identified.append(replace(choice, id=kind if counts[kind] == 1 else f"{kind}:{counts[kind]}"))
    return identified


def _shown(choice: _Choice, layers: Mapping[str, Layer]) -> graph.Graph:
    """Builds a graph with all of `layers` marked that are in it."""
    built = graph.assemble(choice.source.operations, choice.matches, choice.source.digest)
    return replace(built, nodes=tuple(_with_recorded_shape(node, layers) for node in built.nodes))


def _with_recorded_shape(node: graph.Node, layers: Mapping[str, Layer]) -> graph.Node:
    layer = layers.get(node.layer)
    if layer is None or node.shape is not None:
        return node
    return replace(node, shape=(-1, *layer.shape), dtype=node.dtype or layer.dtype)


def _several(chosen: _Choice, choices: Iterable[_Choice]) -> list[str]:
    """The warning that a run has several graphs, as after a restart."""
    same = [one for one in choices if (one.source.kind, one.source.run) == (chosen.source.kind, chosen.source.run)]
    if chosen.source.kind not in {"forward", "run_graph"} or len(same) == 1:
        return []
    others = ", ".join(repr(one.id) for one in same if one is not chosen)
    return [f"Run {chosen.source.run!r} has {len(same)} graphs, as after a restart; the others are {others}."]


def _layers(recorded: Iterable[JoinedSnapshot]) -> dict[str, Layer]:
    """Returns the layers of all of `recorded`, each as the first that has it says."""
    layers: dict[str, Layer] = {}
    for snapshot in recorded:
        for layer in snapshot.layers:
            layers.setdefault(layer.name, layer)
    return layers
