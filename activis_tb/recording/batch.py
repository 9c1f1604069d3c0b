"""Batch of one call of `process`, checked and read as a block; a batch that is refused changes nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, shorten
from activis_tb.model import (
    OUTCOME_COLUMNS,
    UNLABELLED,
    Head,
    Layer,
    LayerSpec,
    PooledActivations,
    TakeInstances,
    is_right,
)
from activis_tb.recording.arguments import Settings
from activis_tb.recording.arrays import (
    as_array,
    channels_last,
    common_shape,
    is_owned,
    layer_of,
    pool,
    read_labels,
    read_masks,
    read_scores,
)
from activis_tb.recording.attributes import read_column
from activis_tb.recording.blocks import Block, Column, Demand, Kind, clash
from activis_tb.recording.identity import IdentityDeriver, check_distinct, read_ids
from activis_tb.recording.selections import BatchView
from activis_tb.recording.tokens import (
    Surplus,
    TokenPositions,
    Unpooled,
    align,
    check_taken,
    read_tokens,
    same_surplus,
)
from activis_tb.recording.workers import Part

if TYPE_CHECKING:
    from activis_tb.recording.conditions import Conditions

_NO_POSITIONS = "Leave positions=True out of its LayerSpec."
_RESERVED = frozenset({*OUTCOME_COLUMNS, "scores"})


class BatchReader:
    """Reader of batches as blocks, which remembers what all of them must have in common.

    Args:
        settings: What is to be recorded.
        conditions: Of the settings; they are checked with every batch, and evaluated later.

    Attributes:
        instances: Instances accepted so far.
        ids_given: Whether the user gives ids; None before the first batch.
        labelled: Whether the user gives labels; None before the first batch.
        layers: By name, as in the accepted batches.
        surplus: By name of a layer with tokens, how many more of these than positions an instance has, None where no
            batch tells; None before the first batch.
        heads: By layer, None where it has none; layers are missing that no batch has decided yet.
    """

    def __init__(self, settings: Settings, conditions: "Conditions | None" = None) -> None:
        self.heads: dict[str, Head | None] = {}
        self.instances = 0
        self.ids_given: bool | None = None
        self.labelled: bool | None = None
        self.layers: dict[str, Layer] = {}
        self.surplus: Surplus | None = None
        self._settings = settings
        self._conditions = conditions
        self._names = np.array([*settings.classes, ""])
        self._kinds: dict[str, Kind] | None = None
        self._demands: dict[str, frozenset[Demand]] = {}
        self._deriver = IdentityDeriver()

    def read(
        self,
        recent: Iterable[set[str]],
        *,
        labels: Any,
        scores: Any,
        activations: Any,
        ids: Any = None,
        attributes: Any = None,
        from_logits: bool = False,
        mask: Any = None,
        tokens: Any = None,
    ) -> Block:
        """Returns one checked batch; raises ArgumentError where something does not fit.

        Args:
            recent: Ids that may not come again.
            labels: See `activis_tb.recording.api.SnapshotRecorder.process`, as for the others.
            scores: (instances, classes).
            activations: By layer name.
            ids: One per instance, or None.
            attributes: By name, or None.
            from_logits: Whether `scores` are logits.
            mask: Of all layers or by layer name, or None.
            tokens: Likewise.
        """
        label, predicted, score, all_scores = self._read_outcomes(labels, scores, from_logits=from_logits)
        rows = len(label)
        columns = self._read_attributes({} if attributes is None else attributes, rows)
        demands = self._demanded(columns)
        layers, pooled, owned, positions, surplus, unpooled = self._read_activations(activations, rows, mask, tokens)
        heads = self._find_heads(layers, pooled, all_scores)
        if self._conditions is not None:
            self._conditions.check(columns, pooled, labelled=labels is not None)
        index = np.arange(self.instances, self.instances + rows)
        identities = self._read_ids(ids, columns, label, index)
        check_distinct(identities, recent)
        block = Block(
            ids=identities,
            index=index,
            label=label,
            predicted=predicted,
            score=score,
            scores=all_scores,
            always=np.zeros(rows, np.bool_),
            membership=np.zeros((rows, len(self._settings.subsets)), np.bool_),
            attributes=columns,
            activations=pooled,
            owned=owned,
            positions=positions,
            unpooled=unpooled,
        )
        self._select(block)
        self.surplus = surplus
        self.heads |= heads
        self._accept(block, layers, ids_given=ids is not None, labelled=labels is not None)
        self._demands = demands
        return block

    def check_part(self, part: Part) -> None:
        """Raises ArgumentError where another worker's layers, labels or attributes do not fit the batches here."""
        if part.labelled != self.labelled and None not in {part.labelled, self.labelled}:
            got, expected = ("labels", "none") if part.labelled else ("no labels", "labels")
            raise ArgumentError("part", got, f"{expected}, as here", "Give them on all workers or on none.")
        for layer in part.layers:
            common_shape(self.layers.get(layer.name, layer), layer)
        same_surplus("part", self.surplus, part.surplus)
        kinds = {name: column.kind for name, column in part.sample.attributes.items()} if part.sample else {}
        earlier = kinds if self._kinds is None else self._kinds
        unlike = [name for name, kind in kinds.items() if kind and earlier.get(name) and earlier[name] != kind]
        if list(kinds) != list(earlier) or unlike:
            got, expected = (", ".join(f"{name} ({kind})" for name, kind in one.items()) for one in (kinds, earlier))
            raise ArgumentError("part", f"attributes {got or 'none'}", f"{expected or 'none'}, as here")
        if part.sample:
            self._demanded(part.sample.attributes, "Convert them on every worker")

    def accept_part(self, part: Part, block: Block) -> None:
        """Counts the instances of another worker as accepted; `block` are those of them that were sampled."""
        theirs = {layer.name: layer for layer in part.layers}
        shapes = {name: common_shape(self.layers.get(name, layer), layer) for name, layer in theirs.items()}
        self.layers = {name: replace(layer, shape=shapes[name]) for name, layer in (theirs | self.layers).items()}
        self.ids_given = True
        self.surplus = same_surplus("part", self.surplus, part.surplus)
        self.heads = {**part.heads, **self.heads}
        self.labelled = part.labelled
        self.instances += part.instances
        self._remember_kinds(block)
        self._demands = self._demanded(block.attributes)
        for selection in self._settings.selections:
            selection.found.update(selection.ids.intersection(part.found))

    def _accept(self, block: Block, layers: dict[str, Layer], *, ids_given: bool, labelled: bool) -> None:
        self.layers = layers
        self.ids_given = ids_given
        self.labelled = labelled
        self.instances += len(block)
        self._remember_kinds(block)
        if not ids_given:
            self._deriver.remember(block.attributes, block.label)
        for selection in self._settings.selections:
            if selection.ids:
                selection.found.update(selection.ids.intersection(block.ids))

    def _read_outcomes(
        self, labels: Any, scores: Any, *, from_logits: bool
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """The true classes, -1 without labels, and what `read_scores` returns."""
        labelled, classes = labels is not None, self._settings.classes
        if self.labelled is not None and self.labelled != labelled:
            got, expected = ("labels", "None") if labelled else ("None", "labels")
            raise ArgumentError("labels", got, f"{expected}, as in the earlier batches", "Give them always or never.")
        if not labelled and UNLABELLED in self._settings.subsets:
            expected = f"a subset of another name than {UNLABELLED!r}, as all instances without labels are called"
            raise ArgumentError("labels", "None", expected, "Rename it.")
        label = read_labels(labels, classes, self._settings.class_values) if labelled else None
        rows = None if label is None else len(label)
        predicted, score, all_scores = read_scores(scores, rows, len(classes), from_logits=from_logits)
        return np.full(len(predicted), -1, np.int32) if label is None else label, predicted, score, all_scores

    def _remember_kinds(self, block: Block) -> None:
        earlier = self._kinds or {}
        self._kinds = {name: column.kind or earlier.get(name, "") for name, column in block.attributes.items()}

    def kind_of(self, name: str) -> Kind:
        """Returns the kind of an attribute's values, empty as long as all were missing."""
        return (self._kinds or {}).get(name, "")

    def _demanded(self, columns: Mapping[str, Column], way_out: str = "Convert them") -> dict[str, frozenset[Demand]]:
        """What the values so far demand of their types; raises ArgumentError where no type meets all of it."""
        demands = {name: column.demands(self._demands.get(name, frozenset())) for name, column in columns.items()}
        for name, needed in demands.items():
            if needed is not self._demands.get(name) and (got := clash(needed)):
                declared = f'attribute_types={{"{name}": "text"}}'
                way_out = f"{way_out}, or record them as text: {declared}."
                raise ArgumentError(f'attributes["{name}"]', got, "values of one type, also over batches", way_out)
        return demands

    def _read_attributes(self, attributes: Any, rows: int) -> dict[str, Column]:
        if not isinstance(attributes, Mapping):
            raise ArgumentError("attributes", type(attributes).__name__, "a mapping from names to columns")
        declared = self._settings.attribute_types
        self._check_attribute_names(attributes)
        columns = {name: read_column(name, value, rows, declared.get(name)) for name, value in attributes.items()}
        for name, column in columns.items():
            earlier = self.kind_of(name)
            if column.kind and earlier and column.kind != earlier:
                raise ArgumentError(
                    f'attributes["{name}"]', column.kind, f"{earlier}, as in the earlier batches", "Convert it."
                )
        return columns

    def _check_attribute_names(self, attributes: Mapping[str, Any]) -> None:
        names = set(attributes)
        if self._kinds is not None and names == self._kinds.keys():
            return
        if wrong := [name for name in attributes if not isinstance(name, str) or not name.strip()]:
            raise ArgumentError("attributes", f"the name {wrong[0]!r}", "names that are text and not empty")
        if taken := sorted(names & _RESERVED):
            raise ArgumentError(
                "attributes", f"the name {taken[0]!r}", f"names other than {', '.join(sorted(_RESERVED))}", "Rename it."
            )
        if self._kinds is not None:
            raise ArgumentError(
                "attributes",
                f"{sorted(names) or 'none'}",
                f"{sorted(self._kinds) or 'none'}, as in the earlier batches",
                "Give None where a value is missing.",
            )
        if unknown := sorted(set(self._settings.attribute_types) - names):
            raise ArgumentError(
                "attribute_types", f"the name {unknown[0]!r}", f"names in attributes: {sorted(names) or 'none'}"
            )

    def _read_activations(
        self, activations: Any, rows: int, mask: Any, tokens: Any
    ) -> tuple[
        dict[str, Layer],
        dict[str, NDArray[np.float32]],
        frozenset[str],
        dict[str, TokenPositions],
        Surplus | None,
        dict[str, Unpooled],
    ]:
        """The layers, their activations, which of these are owned, positions with a token, and what has a maximum."""
        if not isinstance(activations, Mapping):
            raise ArgumentError("activations", type(activations).__name__, "a mapping from layer names to arrays")
        wanted = [spec.name for spec in self._settings.layers]
        if set(activations) != set(wanted):
            raise ArgumentError(
                "activations",
                shorten(f"the layers {', '.join(map(str, activations)) or 'none'}"),
                shorten(f"the layers {', '.join(wanted)}"),
                "Record a layer by naming it in layers= and giving it in every batch.",
            )
        masks = read_masks(mask, wanted, rows)
        if masks and all(np.ndim(activations[name]) < 3 for name in wanted):
            expected = "activations of rank > 2, of which padding can be left out when they are pooled"
            way_out = "With activis_tb.torch.capture: set the mask of what it returns before the forward pass."
            raise ArgumentError("mask", "a mask", expected, way_out)
        texts = read_tokens(tokens, self._settings.layers, rows)
        layers, values = {}, {}
        positions: dict[str, TokenPositions] = {}
        surplus: dict[str, int | None] = {}
        whole: dict[str, Unpooled] = {}
        for spec in self._settings.layers:
            name, one, given = spec.name, masks.get(spec.name), activations[spec.name]
            if not isinstance(given, PooledActivations):
                given = as_array(given, f'activations["{name}"]')
            pooled = pool(given, spec, rows, one, is_own_mask=isinstance(mask, Mapping) and one is not None)
            layers[name] = layer_of(pooled, name, self.layers.get(name))
            values[name] = pooled.values
            unpooled, one = (given.positions, given.mask) if isinstance(given, PooledActivations) else (given, one)
            take = given.take if isinstance(given, PooledActivations) else None
            if unpooled is None and take is not None and name in texts and len(pooled.shape) == 2:
                unpooled = take(np.arange(rows))
            if unpooled is not None and unpooled.ndim > 2:
                unpooled = unpooled if unpooled is not given else channels_last(unpooled, spec)
                take = unpooled.__getitem__
                if name in texts and unpooled.ndim == 3:
                    known = (self.surplus or {}).get(name)
                    positions[name], surplus[name] = align(unpooled, spec, texts[name], one, known)
            if take is not None:
                whole[name] = _unpooled(take, spec, pooled, one, positions.get(name))
            elif spec.positions:
                expected = "activations (instances, ..., neurons) that are yet to be pooled"
                raise ArgumentError(f'activations["{name}"]', "activations without positions", expected, _NO_POSITIONS)
        check_taken(tokens, texts, positions, self._settings.layers)
        together = same_surplus("tokens", self.surplus, surplus if rows else None)
        owned = frozenset(name for name, array in values.items() if is_owned(activations[name], array))
        return layers, values, owned, positions, together, whole

    def _find_heads(
        self, layers: Mapping[str, Layer], activations: Mapping[str, NDArray[np.float32]], scores: NDArray[np.float32]
    ) -> dict[str, Head | None]:
        undecided = {name: values for name, values in activations.items() if name not in self.heads}
        if not undecided or not self._settings.heads:
            return {}
        return self._settings.heads.find(undecided, {name: layers[name].dtype for name in undecided}, scores)

    def _read_ids(
        self, ids: Any, columns: Mapping[str, Column], label: NDArray[np.int32], index: NDArray[np.int64]
    ) -> NDArray[np.object_]:
        if self.ids_given is not None and self.ids_given != (ids is not None):
            got, expected = ("ids", "none") if ids is not None else ("none", "ids")
            raise ArgumentError("ids", got, f"{expected}, as in the earlier batches", "Give them always or never.")
        if ids is not None:
            return read_ids(ids, len(label))
        for selection in self._settings.selections:
            if selection.ids and columns:
                raise ArgumentError(
                    "ids", "none", f"ids, because {selection.argument} lists some", "Pass ids= to process()."
                )
        return self._deriver.derive(columns, label, index)

    def _select(self, block: Block) -> None:
        """Fills in `always` and `membership` where a function or ids select; conditions are evaluated later."""
        if not self._settings.selections:
            return
        of_labels: dict[str, Callable[[], NDArray[Any]]] = {
            "label": lambda: self._names[block.label],
            "correct": lambda: is_right(block.label, block.predicted),
        }
        view = BatchView(
            {
                "id": lambda: block.ids.astype(np.str_),
                "index": lambda: block.index,
                "predicted": lambda: self._names[block.predicted],
                "score": lambda: block.score,
                "scores": lambda: block.scores,
                **(of_labels if (block.label >= 0).all() else {}),
            },
            block.attributes,
        )
        if self._settings.always and not self._settings.always.condition:
            block.always[:] = self._settings.always.members(block.ids, view)
        for position, selection in enumerate(self._settings.subsets.values()):
            if not selection.condition:
                block.membership[:, position] = selection.members(block.ids, view)


def _unpooled(
    take: TakeInstances,
    spec: LayerSpec,
    pooled: PooledActivations,
    mask: NDArray[np.bool_] | None,
    tokens: TokenPositions | None,
) -> Unpooled:
    neurons = pooled.values.shape[1]
    is_kept = pooled.pooling in {"max", "mean"} if spec.positions is None else spec.positions
    largest = pooled.values if pooled.pooling == "max" else None
    return Unpooled(take, prod(pooled.shape) // max(neurons, 1), neurons, mask, largest, tokens, is_kept)
