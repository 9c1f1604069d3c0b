"""The graph of a run: the one that its layers' tensor names belong to, or else what comes closest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tensorboard.data.provider import DataProvider

from activis_tb import graph
from activis_tb.errors import StoredDataError
from activis_tb.model import Layer
from activis_tb.plugin.graph_documents import Document, graph_document, source_document
from activis_tb.plugin.graph_sources import Blob, GraphSources, Source, SourceKind
from activis_tb.plugin.params import NotFoundError
from activis_tb.plugin.payloads import encoded_document
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot, Snapshots

_MOST_GRAPHS = 8
_ORDER: tuple[SourceKind, ...] = ("forward", "run_graph", "function", "keras", "layers")
_LAYERS = "layers"


@dataclass(frozen=True)
class _Choice:
    """A source with what is known of it.

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
    """Finds, builds and remembers the graphs of runs.

    Args:
        data_provider: TensorBoard's.
        snapshots: Tell which layers were recorded, and in which graph their tensors are.
    """

    def __init__(self, data_provider: DataProvider, snapshots: Snapshots) -> None:
        self._sources = GraphSources(data_provider)
        self._snapshots = snapshots
        self._built: Recent[tuple[object, ...], bytes] = Recent(_MOST_GRAPHS)

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
    """Gives the best of a kind the kind as its id, the others a number too."""
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
    """Says that a run has more than one graph, as after a restart."""
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
