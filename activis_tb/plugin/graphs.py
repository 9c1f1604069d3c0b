"""The graph of a run: the forward graph that its layers' tensor names belong to, or else what comes closest."""

from collections.abc import Iterable, Mapping, Sequence
from posixpath import dirname, normpath

from tensorboard.context import RequestContext
from tensorboard.data.provider import DataProvider, RunTagFilter

from activis_tb import graph
from activis_tb.model import Layer, graph_digest
from activis_tb.plugin.params import NotFoundError
from activis_tb.plugin.recent import Recent
from activis_tb.plugin.snapshots import JoinedSnapshot, Snapshots
from activis_tb.storage import activis_pb2 as pb

_PLUGIN_NAME = "graphs"
_TAG = "__run_graph__"
_EVERY_STEP = 1000
_SIBLINGS = ("activis", "train", "validation")
_MOST_GRAPHS = 16
_LABELS = {"forward": "forward graph", "layers": "recorded layers"}


class Graphs:
    """Finds, builds and remembers the graphs of runs.

    Args:
        data_provider: TensorBoard's.
        snapshots: Tell which layers were recorded, and in which graph their tensors are.
    """

    def __init__(self, data_provider: DataProvider, snapshots: Snapshots) -> None:
        self._provider = data_provider
        self._snapshots = snapshots
        self._built: Recent[tuple[str, ...], pb.Graph] = Recent(_MOST_GRAPHS)

    def get(self, experiment: str, run: str, source: str = "") -> pb.Graph:
        """Returns the graph of `run` from `source`, or from the best there is.

        Raises:
            NotFoundError: The run has no recordings, or no such source.
        """
        recorded, _ = self._snapshots.all(experiment, run)
        if not recorded:
            raise NotFoundError("run with recordings", run, way_out="The route `runs` lists them.")
        # Several names or steps may have recorded different layers; what the newest says comes first.
        recorded.sort(key=lambda snapshot: snapshot.manifest.session, reverse=True)
        blob_keys = self._blob_keys(experiment, run)
        identity = (experiment, run, source, *(one.version for one in recorded), *blob_keys)
        return self._built.get_or_make(identity, lambda: self._build(run, blob_keys, source, recorded))

    def _build(self, run: str, blob_keys: Sequence[str], source: str, recorded: Sequence[JoinedSnapshot]) -> pb.Graph:
        layers = _layers(recorded)
        forward = self._forward(blob_keys, recorded, layers)
        choices = {"layers": lambda: graph.layers_only(layers.values())}
        if forward is not None:
            choices = {"forward": lambda: forward, **choices}
        chosen = source or next(iter(choices))
        if not source and forward is not None and not any(node.layer for node in forward.nodes):
            chosen = "layers"
        if chosen not in choices:
            raise NotFoundError("source", source, list(choices))
        message = _message(choices[chosen]())
        message.sources.extend(pb.GraphSource(id=kind, kind=kind, label=_LABELS[kind], run=run) for kind in choices)
        return message

    def _forward(
        self, blob_keys: Iterable[str], recorded: Sequence[JoinedSnapshot], layers: Mapping[str, Layer]
    ) -> graph.Graph | None:
        wanted = next((one.manifest.graph_digest for one in recorded if one.manifest.graph_digest), "")
        other: bytes | None = None
        for key in blob_keys:
            content = self._provider.read_blob(RequestContext(), blob_key=key)
            if wanted and graph_digest(content) == wanted:
                same = _layers(one for one in recorded if one.manifest.graph_digest == wanted)
                return _marked(content, {layer.name: layer.tensor for layer in same.values() if layer.tensor}, layers)
            other = content if other is None else other
        return None if other is None else _marked(other, {}, layers)

    def _blob_keys(self, experiment: str, run: str) -> list[str]:
        """Returns the keys of the graphs of `run` and of the runs that belong to it, the run's own first."""
        runs = _relatives(run)
        series = self._provider.read_blob_sequences(
            RequestContext(),
            experiment_id=experiment,
            plugin_name=_PLUGIN_NAME,
            downsample=_EVERY_STEP,
            run_tag_filter=RunTagFilter(runs=runs, tags=[_TAG]),
        )
        found = [datum for name in runs for datum in series.get(name, {}).get(_TAG, ())]
        return [reference.blob_key for datum in found for reference in datum.values]


def _marked(graph_def: bytes, tensors: Mapping[str, str], layers: Iterable[str]) -> graph.Graph:
    """Builds the graph with all of `layers` marked in it: those in `tensors` exactly, the others by their names."""
    matched, warnings = graph.match_layers(graph_def, [layer for layer in layers if layer not in tensors])
    return graph.build_graph(graph_def, {**matched, **tensors}, warnings)


def _relatives(run: str) -> list[str]:
    """Returns the runs that may hold the graph of `run`: itself, its parent, and the usual sub-runs of both."""
    parent = dirname(run) or "."
    places = [run, parent, *(normpath(f"{base}/{name}") for base in (parent, run) for name in _SIBLINGS)]
    return list(dict.fromkeys(places))


def _layers(recorded: Iterable[JoinedSnapshot]) -> dict[str, Layer]:
    """Returns the layers of all of `recorded`, each as the first that has it says."""
    layers: dict[str, Layer] = {}
    for snapshot in recorded:
        for layer in snapshot.layers:
            layers.setdefault(layer.name, layer)
    return layers


def _message(built: graph.Graph) -> pb.Graph:
    return pb.Graph(
        source=built.source,
        digest=built.digest,
        nodes=[_node(node) for node in built.nodes],
        edges=[pb.GraphEdge(source=edge.source, target=edge.target, control=edge.control) for edge in built.edges],
        warnings=built.warnings,
    )


def _node(node: graph.Node) -> pb.GraphNode:
    return pb.GraphNode(
        id=node.id,
        kind=node.kind,
        name=node.name,
        full_name=node.full_name,
        parent=node.parent,
        operator=node.operator,
        shape=node.shape or (),
        has_shape=node.shape is not None,
        dtype=node.dtype,
        device=node.device,
        attributes=node.attributes,
        layer=node.layer,
        parameter=node.parameter,
    )
