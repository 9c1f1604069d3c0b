"""The nouns of activis-tb as frozen dataclasses: what recording makes, storage keeps and the plugin serves.

Axes have the same names and the same order everywhere: `(rows,)` are the sampled instances in ascending (hash, id)
order, `(subsets, neurons)` begins with the classes in order and goes on with the user's subsets.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from activis_tb.positions import SamplePositions, TokenTable, TopPositions, TopRows

SubsetKind = Literal["class", "all", "condition", "function", "ids"]
AttributeType = Literal["number", "category", "text", "boolean", "time", "image", "audio"]
Pooling = Literal["max", "mean", "first", "last"]
StatisticName = Literal["count", "mean", "std", "min", "max", "active", "nonfinite"]
PositionKind = Literal["", "tokens", "steps", "grid"]

SUBSET_KINDS: tuple[SubsetKind, ...] = get_args(SubsetKind)
ATTRIBUTE_TYPES: tuple[AttributeType, ...] = get_args(AttributeType)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
STATISTIC_NAMES: tuple[StatisticName, ...] = get_args(StatisticName)
POSITION_KINDS: tuple[PositionKind, ...] = get_args(PositionKind)

UNLABELLED = "unlabelled"
"""Name of the one row that all instances of data without labels are in, a subset of kind `all`."""

OUTCOME_COLUMNS = ("id", "label", "predicted", "score", "correct", "index")
"""Columns every instance has; attributes may not take these names."""


@dataclass(frozen=True)
class Subset:
    """A named set of instances, with what the model made of it, over all streamed instances.

    Attributes:
        name: What the user calls it; the class's name for kind `class`.
        kind: How its members were found; `all` is the one row of data without labels.
        condition: The condition's text; empty for other kinds.
        count: Instances in it.
        correct: Those whose predicted label is the true one; 0 where there are no labels.
        predicted_counts: By class, how many were predicted as it; the rest of `count` was predicted as nothing.
    """

    name: str
    kind: SubsetKind
    condition: str = ""
    count: int = 0
    correct: int = 0
    predicted_counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Layer:
    """A variable node of the model that the user chose to record.

    Attributes:
        name: The name the user knows it by; the key everywhere.
        neurons: Columns of its activations.
        shape: Shape of one instance's activation before pooling; -1 for a variable axis.
        dtype: NumPy-style name of the type it was computed in, e.g. `float32`, `bfloat16`.
        tensor: Exact tensor name in the forward graph; empty where unknown.
        signed: Whether any finite activation over all instances is negative.
        pooling: One of `POOLINGS` where axes were pooled away, else empty.
        positions: What its positions are, where something is known of them: `tokens`, of which it is known too what it
            does at which; `steps` of a series, or a `grid`. Empty for nothing.
    """

    name: str
    neurons: int
    shape: tuple[int, ...]
    dtype: str
    tensor: str = ""
    signed: bool = False
    pooling: str = ""
    positions: str = ""


@dataclass(frozen=True)
class LayerSpec:
    """How a layer is to be recorded, where its name alone does not say it.

    Attributes:
        name: The key of the layer in `activations=`.
        pooling: Over all axes but the instances and the channels, for activations of rank > 2: `max`, `mean`, or the
            `first` or `last` position that is no padding.
        channel_axis: The axis of the neurons in activations of rank > 2, e.g. 1 for PyTorch convolutions; None for the
            last one, or the one that the framework's layer tells.
        tokens: Whether its positions have the tokens that `process(tokens=...)` brings: True, they must come; False,
            they are of other layers; `"max"`, keep the largest activation at every token besides the mean. None: where
            they fit.
        offset: Position p of the layer belongs to token p + `offset` of the instance: 1 for the middle word of a
            convolution over 3 words that is not padded.
        positions: Whether every position of sampled instances is kept: None, of those of smallest hash, as many as have
            room, where the layer is pooled by its maximum or mean; True, of all, which is refused where they have no
            room; False, of none.
    """

    name: str
    pooling: Pooling = "max"
    channel_axis: int | None = None
    tokens: bool | Literal["max"] | None = None
    offset: int = 0
    positions: bool | None = None


TakeInstances = Callable[[NDArray[np.intp]], NDArray[Any]]
"""Given rows of a batch, returns something of these instances."""


@dataclass(frozen=True, eq=False)
class PooledActivations:
    """One batch of a layer as it is recorded; NumPy reads it as its values.

    Whoever pools and converts on the device hands over these, so that nothing else has to leave it.

    Attributes:
        values: float32 (instances, neurons); read-only where nobody will overwrite them.
        shape: Shape of one instance's activation before pooling; -1 for a variable axis.
        dtype: Name of the type it was computed in, e.g. `bfloat16`.
        pooling: One of `POOLINGS` where axes were pooled away, else empty.
        positions: What was pooled, float32 (instances, positions, neurons), where its positions have tokens.
        mask: Which of the steps, on the first of the axes that were pooled, are no padding, bool (instances, steps);
            None where all are none.
        take: Where `positions` is None, returns what was pooled of some instances, real numbers (rows, ..., neurons):
            only they have to leave the device.
    """

    values: NDArray[np.float32]
    shape: tuple[int, ...]
    dtype: str
    pooling: str = ""
    positions: NDArray[np.float32] | None = None
    mask: NDArray[np.bool_] | None = None
    take: TakeInstances | None = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype, copy=True) if copy else np.asarray(self.values, dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> "PooledActivations":
        """Returns those of the instances at `rows`, a slice, positions or bool (instances,)."""
        parts = {name: part[rows] for name in ("positions", "mask") if (part := getattr(self, name)) is not None}
        if (take := self.take) is not None:
            chosen = np.arange(len(self))[rows]
            parts["take"] = lambda some: take(chosen[some])
        return replace(self, values=self.values[rows], **parts)


@dataclass(frozen=True, eq=False)
class Head:
    """Linear layer that turns the activations of a recorded layer into logits: `activations @ weights + bias`.

    Attributes:
        weights: float32 (neurons, outputs); one output is the second of two classes.
        bias: float32 (outputs,).
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


SCOPES_ATTRIBUTE = "_activis_scopes"
"""Node attribute, a list of JSON texts `[scope, kind, name]`, by which a tracer says which name scopes are layers."""


@dataclass(frozen=True)
class ForwardGraph:
    """The model's forward graph, written once per run so that the tab can show where the layers stand.

    Attributes:
        graph_def: A serialised GraphDef.
        tensors: By layer name, the exact name of its tensor in that graph, e.g. `textcnn_1/hidden_1/Relu:0`.
    """

    graph_def: bytes
    tensors: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """Names this very graph: tensor names of another trace do not fit it."""
        return graph_digest(self.graph_def)


def graph_digest(graph_def: bytes) -> str:
    """Returns the digest of a serialised GraphDef, 16 hexadecimal digits."""
    return hashlib.sha256(graph_def).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Statistics:
    """A layer's activations summarised per subset and neuron, over all streamed instances.

    Non-finite activations are counted and left out. Where `count` is 0 the others are NaN (`nonfinite` excepted).

    Attributes:
        count: Finite activations, int64 (subsets, neurons).
        mean: float32 (subsets, neurons), accumulated in float64.
        std: Population standard deviation (ddof 0), float32 (subsets, neurons).
        min: float32 (subsets, neurons).
        max: float32 (subsets, neurons).
        active: Share of the finite activations that are > 0, float32 (subsets, neurons).
        nonfinite: NaN and infinite activations, int64 (subsets, neurons).
    """

    count: NDArray[np.int64]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    min: NDArray[np.float32]
    max: NDArray[np.float32]
    active: NDArray[np.float32]
    nonfinite: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Attribute:
    """A typed column of the sampled instances.

    Attributes:
        name: What the user calls it.
        type: Decides what `values` holds.
        values: (rows,): float64 for `number`, int64 or uint64 where some whole number is none of float64's; bool for
            `boolean`; int32 codes for `category`; datetime64[us] for `time`, [ns] where some time has nanoseconds; an
            object array of str for `text`, of bytes for `image` and `audio` (encoded). Where a value is missing it is
            0, False, -1 or empty.
        present: bool (rows,), False where the value is missing.
        categories: What the codes stand for; empty unless `type` is `category`.
    """

    name: str
    type: AttributeType
    values: NDArray[Any]
    present: NDArray[np.bool_]
    categories: tuple[str, ...] = ()


MOST_CHARACTERS = 10_000
"""Characters of a sampled text that are kept."""
_CUT = re.compile(r" … \([\d,]+ more characters were not kept\)", re.ASCII)


def cut_text(text: str) -> str:
    """Returns the first `MOST_CHARACTERS` of a longer text and a mark that says how many are missing.

    A sampled text with more than `MOST_CHARACTERS` is always one that was cut, so no text can be taken for another.
    """
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]} … ({len(text) - MOST_CHARACTERS:,} more characters were not kept)"


def is_cut(text: str) -> bool:
    """Tells whether a sampled text is one that `cut_text` cut."""
    return len(text) > MOST_CHARACTERS and _CUT.fullmatch(text, MOST_CHARACTERS) is not None


def kept_text(text: str) -> str:
    """Returns a sampled text without the mark that it was cut."""
    return text[:MOST_CHARACTERS] if is_cut(text) else text


@dataclass(frozen=True, eq=False)
class Sample:
    """The instances kept individually, by row.

    Attributes:
        ids: str, object array (rows,).
        ids_given: Whether the user gave the ids; if not, show `#index`.
        index: Position in the stream, int64 (rows,).
        label: True class, int32 (rows,); -1 where there is none.
        predicted: Predicted class, int32 (rows,); -1 where it is predicted as nothing.
        score: The predicted class's score, float32 (rows,); NaN where there is none.
        scores: float32 (rows, classes).
        drawn: Chosen by the hash, so part of estimates; bool (rows,).
        always: Asked for by the user; bool (rows,). A row may be both.
        membership: The mapping S, bool (rows, subsets).
        attributes: In the user's order.
    """

    ids: NDArray[np.object_]
    ids_given: bool
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    score: NDArray[np.float32]
    scores: NDArray[np.float32]
    drawn: NDArray[np.bool_]
    always: NDArray[np.bool_]
    membership: NDArray[np.bool_]
    attributes: tuple[Attribute, ...] = ()

    def take(self, rows: slice) -> "Sample":
        """Returns some of the instances."""
        columns = {
            name: getattr(self, name)[rows]
            for name in ("ids", "index", "label", "predicted", "score", "scores", "drawn", "always", "membership")
        }
        attributes = tuple(
            replace(attribute, values=attribute.values[rows], present=attribute.present[rows])
            for attribute in self.attributes
        )
        return Sample(**columns, ids_given=self.ids_given, attributes=attributes)


def is_right(label: NDArray[np.int32], predicted: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns which instances are predicted right, bool (instances,).

    Args:
        label: Positions of the true classes, (instances,); -1 where there is none.
        predicted: Positions of the predicted classes, (instances,); -1 where an instance is predicted as nothing.
    """
    return np.asarray((label == predicted) & (label >= 0))


def stratum_of(label: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns which of the `Manifest.strata` instances are in, int32 (instances,), by their true classes or -1."""
    return np.maximum(label, 0)


@dataclass(frozen=True)
class Manifest:
    """What a snapshot is, without its arrays: enough to list it.

    Attributes:
        name: The recording's name, e.g. `validation`.
        step: The training step it belongs to.
        session: Start of the recording, nanoseconds since 1970.
        classes: Names, by position.
        instances: Instances streamed through the recording.
        rows: Sampled instances.
        layers: In the user's order.
        subsets: The classes, or all instances where there are no labels; then the user's.
        attributes: Name and type, in the user's order.
        graph_digest: Digest of the graph that the layers' tensor names belong to; empty where there is none.
        store: The folder of the side files, relative to the event file's; empty where only the sample is kept.
        stored: Instances in the side files: all of them, or 0.
        examples: Test cases of the user's own, which are in no other count.
        labelled: Whether the instances have true classes.
    """

    name: str
    step: int
    session: int
    classes: tuple[str, ...]
    instances: int
    rows: int
    layers: tuple[Layer, ...]
    subsets: tuple[Subset, ...]
    attributes: tuple[tuple[str, AttributeType], ...] = ()
    graph_digest: str = ""
    store: str = ""
    stored: int = 0
    examples: int = 0
    labelled: bool = True

    @property
    def strata(self) -> tuple[str, ...]:
        """The first subsets' names: every instance is in one of them. The classes, or all where there are no labels."""
        return self.classes if self.labelled else (UNLABELLED,)

    @property
    def stratum_counts(self) -> NDArray[np.int64]:
        """Instances of every stratum, int64 (strata,)."""
        return np.array([subset.count for subset in self.subsets[: len(self.strata)]], np.int64)


@dataclass(frozen=True, eq=False)
class TopInstances:
    """Instances, sampled or not, to which some neuron answers most, or least, of all streamed instances.

    Attributes:
        ids: str, object array (instances,).
        index: Position in the stream, int64 (instances,).
        label: True class, int32 (instances,); -1 where there is none.
        predicted: Predicted class, int32 (instances,); -1 where it is predicted as nothing.
        attributes: Those of the sample but pictures and sounds, with categories of their own; long texts are cut.
    """

    ids: NDArray[np.object_]
    index: NDArray[np.int64]
    label: NDArray[np.int32]
    predicted: NDArray[np.int32]
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything recorded at one (run, name, step) by one session.

    Attributes:
        manifest: What it is.
        sample: The instances kept individually.
        statistics: By layer name.
        activations: By layer name, float32 (rows, neurons).
        examples: Test cases of the user's own, in the order given, members of no subset; None where there are none.
        example_activations: By layer name, float32 (examples, neurons).
        tokens: By name of a layer whose positions have tokens.
        top_positions: Likewise.
        arg_positions: By name of a layer that was pooled by its maximum, where it was, uint16 (rows, neurons):
            positions as the layer numbers them, row-major, or `UNKNOWN_POSITION`.
        example_arg_positions: Likewise, (examples, neurons).
        sample_positions: By name of a layer of which the positions of sampled instances are kept.
        example_positions: Of the same layers, those of the test cases; coded alike. Empty where there are none.
        heads: By name of a layer of which the scores are a linear function.
        top_instances: Instances that neurons answer to most or least; None where all instances are sampled.
        top_rows: By layer name, which of them.
    """

    manifest: Manifest
    sample: Sample
    statistics: Mapping[str, Statistics] = field(default_factory=dict)
    activations: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    examples: Sample | None = None
    example_activations: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    tokens: Mapping[str, TokenTable] = field(default_factory=dict)
    top_positions: Mapping[str, TopPositions] = field(default_factory=dict)
    arg_positions: Mapping[str, NDArray[np.uint16]] = field(default_factory=dict)
    example_arg_positions: Mapping[str, NDArray[np.uint16]] = field(default_factory=dict)
    sample_positions: Mapping[str, SamplePositions] = field(default_factory=dict)
    example_positions: Mapping[str, SamplePositions] = field(default_factory=dict)
    heads: Mapping[str, Head] = field(default_factory=dict)
    top_instances: TopInstances | None = None
    top_rows: Mapping[str, TopRows] = field(default_factory=dict)


ZERO_CODE = 0
NONFINITE_CODE = 255
ZONE_ROWS = 1024
TALLY_NAMES = ("sum", "squares", "zeros", "positive", "nonfinite")
"""What is counted of codes, per neuron: their sum and sum of squares (without those of non-finite activations), and how
many stand for an exact zero, for an activation > 0, and for a non-finite one."""


class CodesFile(Protocol):
    """Codes in a file that somebody may truncate or replace; all methods raise StoredDataError once that happened."""

    @property
    def shape(self) -> tuple[int, int]:
        """Instances and neurons."""

    def in_memory(self, *, load: bool) -> NDArray[np.uint8] | None:
        """Returns all codes, uint8 (instances, neurons), if they were read before, or if they are to be loaded and are
        few enough to stay in memory.
        """

    def open(self) -> AbstractContextManager[Callable[[int, NDArray[np.uint8]], None]]:
        """Gives a function that fills an array, uint8 (rows, neurons), with the codes from one instance on."""


@dataclass(frozen=True, eq=False)
class CodedActivations:
    """One layer's activations of consecutive instances, in one byte each.

    Code 0 is an activation of exactly zero and 255 a non-finite one. Any other code c stands for the activations from
    `origin + (c - 1) * scale` to `origin + c * scale`, none of which lies on both sides of zero.

    Attributes:
        codes: uint8 (instances, neurons), in memory or in a file.
        origin: float64 (neurons,).
        scale: float64 (neurons,); 0 where all coded activations are `origin`.
        positive_from: The smallest code of an activation > 0, uint8 (neurons,); 255 where there is none.
        tallies: By zone of `ZONE_ROWS` instances, `TALLY_NAMES` of the codes, uint32 (zones, tallies, neurons).
    """

    codes: NDArray[np.uint8] | CodesFile
    origin: NDArray[np.float64]
    scale: NDArray[np.float64]
    positive_from: NDArray[np.uint8]
    tallies: NDArray[np.uint32]

    @cached_property
    def occurring(self) -> frozenset[str]:
        """The `TALLY_NAMES` of which there is anything at all."""
        return frozenset(
            name for name, tally in zip(TALLY_NAMES, self.tallies.swapaxes(0, 1), strict=True) if tally.any()
        )
