"""Recorder in memory: batches in, statistics and a sample of one snapshot out; its callers write the files."""

import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, shorten
from activis_tb.model import UNLABELLED, Layer, Manifest, PositionKind, Sample, Snapshot, Subset
from activis_tb.positions import UNKNOWN_POSITION, SamplePositions, TokenTable, TopPositions
from activis_tb.recording.arguments import Settings
from activis_tb.recording.attributes import typed_attribute
from activis_tb.recording.batch import BatchReader
from activis_tb.recording.blocks import Background, Block, Buffer, encode_media, has_media, join, with_maxima
from activis_tb.recording.identity import KnownIds, hash_texts
from activis_tb.recording.positions import PositionRecorder, above, below
from activis_tb.recording.sample import Sampler
from activis_tb.recording.sampled_positions import LAYER_BYTES, SampledPositions
from activis_tb.recording.statistics import Accumulator
from activis_tb.recording.strongest_instances import StrongestInstances
from activis_tb.recording.test_cases import TestCases
from activis_tb.recording.workers import Part, check_alike, describe, pack, unpack

if TYPE_CHECKING:
    from activis_tb.recording.conditions import Conditions

_session_lock = threading.Lock()
_last_session = 0


def new_session() -> int:
    """Returns the present time in nanoseconds since 1970, never the same twice in one process."""
    global _last_session
    with _session_lock:
        _last_session = max(time.time_ns(), _last_session + 1)
        return _last_session


class Recorder:
    """Streaming recorder of the statistics and the sample of one snapshot.

    Args:
        settings: What is to be recorded.
        keep: Called with every instance once, in order, in blocks; their activations are valid during the call only.
    """

    def __init__(self, settings: Settings, keep: Callable[[Block], None] | None = None) -> None:
        self._settings = settings
        self._keep = keep
        self._conditions = _conditions(settings)
        self._reader = BatchReader(settings, self._conditions)
        self._buffer, self._other_buffer = Buffer(), Buffer()
        self._background = Background()
        self._sampler = Sampler(len(settings.classes), settings.sample)
        self._known = KnownIds()
        self._test_cases = TestCases(settings)
        self._positions = PositionRecorder(settings.layers)
        self._maxima: dict[str, int] = {}
        self._strongest = StrongestInstances()
        self._sampled = SampledPositions(settings.layers, len(settings.classes), settings.sample)
        self._accumulator: Accumulator | None = None

    @property
    def instances(self) -> int:
        """Number of instances processed."""
        return self._reader.instances

    def process(self, **columns: Any) -> None:
        """Adds one batch, see `activis_tb.recording.api.SnapshotRecorder.process`."""
        recent = (self._buffer.ids, self._other_buffer.ids)
        batch = self._reader.read(recent, **columns)
        self._test_cases.check(batch)
        if len(batch):
            self._test_cases.check_tokens(batch.positions)
        if batch.positions:
            for work in self._positions.collect(batch.positions, batch.ids, batch.index):
                self._background.begin(work)
            batch = replace(batch, positions={})
        if batch.unpooled:
            self._maxima = {name: one.neurons for name, one in batch.unpooled.items() if one.largest is not None}
            batch = with_maxima(batch, self._kept(batch), self._sampled.keep)
        if has_media(batch):
            self._background.settle()
            batch = encode_media(batch, self._wanted(batch))
        rest = batch if len(batch) else None
        while rest is not None:
            rest = self._buffer.fill(rest)
            if self._buffer.full:
                self._begin_flush()

    def examples(self, **columns: Any) -> None:
        """Adds test cases, see `activis_tb.recording.api.SnapshotRecorder.examples`."""
        self._test_cases.add(**columns)

    def extract(self) -> bytes:
        """Returns everything recorded so far, for `merge` in another process.

        Raises:
            ArgumentError: There are no ids to tell the instances of several workers apart.
        """
        self._flush()
        if self._reader.ids_given is False:
            raise ArgumentError("ids", "none", "ids, as several workers record", "Pass ids= to process().")
        self._known.warn(stacklevel=3)
        kept = self._sampler.extract()
        part = Part(
            description=describe(self._settings),
            instances=self._reader.instances,
            layers=list(self._reader.layers.values()),
            labelled=self._reader.labelled,
            found=sorted(set[str]().union(*(selection.found for selection in self._settings.selections))),
            sums=self._accumulator.arrays() if self._accumulator else {},
            sample=kept[0] if kept else None,
            ids=self._known.extract(),
            surplus=self._reader.surplus,
            positions=self._positions.arrays(self._reader.surplus or ())
            | above(self._sampled.arrays(), "sampled/")
            | above(self._strongest.arrays(list(self._reader.layers)), "strongest/"),
            maxima=self._maxima,
            heads={name: head for name, head in self._reader.heads.items() if head is not None},
            sampled=self._sampled.layers,
            pool=self._strongest.pool(),
        )
        return pack(part)

    def merge(self, packed: bytes) -> None:
        """Adds what another worker has recorded; what is refused changes nothing.

        Raises:
            ArgumentError: It is no part of a recording, of another recording, or of instances that are here already.
        """
        part = unpack(packed)
        check_alike(describe(self._settings), part.description)
        self._flush()
        if self._reader.ids_given is False:
            raise ArgumentError("ids", "none", "ids, as several workers record", "Pass ids= to process().")
        if part.sample is None:
            return
        self._reader.check_part(part)
        strata = len(self._settings.classes) if part.labelled else 1
        names = [layer.name for layer in part.layers]
        other = Accumulator.from_arrays(part.sums, names, part.instances, strata)
        self._known.check(part.ids, part.sample.ids)
        sample = replace(part.sample, index=part.sample.index + self._reader.instances)
        self._sampler.merge(sample, other.stratum_counts)
        self._known.merge(part.ids)
        self._positions.merge(part.positions, part.surplus or (), self._reader.instances)
        self._sampled.merge(below(part.positions, "sampled/"), part.sampled)
        if part.pool is not None:
            pool = replace(part.pool, index=part.pool.index + self._reader.instances)
            self._strongest.merge(below(part.positions, "strongest/"), names, pool)
        self._maxima = self._maxima or dict(part.maxima)
        self._reader.accept_part(part, sample)
        if self._accumulator is None:
            self._accumulator = other
        else:
            self._accumulator.merge(other)

    def finish(self, step: int, session: int) -> Snapshot:
        """Returns everything recorded so far as one snapshot.

        Raises:
            ArgumentError: There is no instance, or the test cases have columns that the instances lack.
        """
        self._flush()
        kept = self._sampler.extract()
        if self._accumulator is None or kept is None:
            raise ArgumentError(
                "process", "no instance", "at least one before postprocess()", "Is the data empty, or used up already?"
            )
        self._warn_of_unseen_ids()
        self._known.warn(stacklevel=4)
        sampled, drawn = kept
        cases = self._test_cases.extract(sampled)
        self._test_cases.check_tokens(self._reader.surplus or ())
        self._warn_of_no_prediction(self._accumulator, cases)
        sample, examples = self._samples(sampled, drawn, cases)
        graph = self._settings.graph
        manifest = Manifest(
            name=self._settings.name,
            step=step,
            session=session,
            classes=self._settings.classes,
            instances=self._accumulator.instances,
            rows=len(sampled),
            layers=self._layers(self._accumulator),
            subsets=self._subsets(self._accumulator),
            attributes=tuple((attribute.name, attribute.type) for attribute in sample.attributes),
            graph_digest=graph.digest if graph else "",
            examples=len(cases),
            labelled=self._reader.labelled is not False,
        )
        strongest = None
        if manifest.rows < manifest.instances:
            kinds = {name: self._reader.kind_of(name) for name in sampled.attributes}
            strongest = self._strongest.extract(kinds, sample.attributes)
        tokens, top, sample_positions, example_positions = self._extract_positions(sampled)
        return Snapshot(
            manifest,
            sample,
            self._accumulator.extract(),
            sampled.activations,
            examples,
            cases.activations,
            tokens,
            top,
            self._arg_positions(sampled),
            self._arg_positions(cases),
            sample_positions,
            example_positions,
            heads={name: head for name, head in self._reader.heads.items() if head is not None},
            top_instances=strongest[0] if strongest else None,
            top_rows=strongest[1] if strongest else {},
        )

    def close(self) -> None:
        """Ends the background thread, without an error; nothing may be added afterwards."""
        self._background.close()

    def _flush(self) -> None:
        """Accumulates everything that was processed, and waits until that is done."""
        self._begin_flush()
        for work in self._positions.drain():
            self._background.begin(work)
        self._background.settle()

    def _begin_flush(self) -> None:
        """Accumulates the full buffer in the background while the next batches fill the other one.

        With `keep`, on this thread: the call that brings instances raises that they cannot be written.
        """
        self._background.settle()
        collected = self._buffer.drain()
        if collected is None:
            return
        evaluate = self._conditions.prepare() if self._conditions else _as_it_is
        if self._keep is None:
            self._background.begin(lambda: self._accumulate(evaluate(collected())))
            self._buffer, self._other_buffer = self._other_buffer, self._buffer
        else:
            self._background.do(lambda: self._accumulate(evaluate(collected())))

    def _accumulate(self, block: Block) -> None:
        hashes = hash_texts(block.ids.tolist())
        if self._reader.ids_given:
            self._known.add(block.ids, hashes)
        if self._accumulator is None:
            neurons = {name: values.shape[1] for name, values in block.activations.items()}
            classes, subsets = len(self._settings.classes), len(self._settings.subsets)
            self._accumulator = Accumulator(classes, subsets, neurons, len(self._strata))
        self._accumulator.add(block)
        self._sampler.add(block, hashes)
        self._strongest.add(block, hashes, self._accumulator.signed)
        if self._keep is not None:
            self._keep(block)

    def _kept(self, batch: Block) -> NDArray[np.intp]:
        """Rows of a batch that may be kept individually."""
        rows = self._sampled.offer(batch)
        always = self._settings.always
        return np.arange(len(batch)) if self._maxima and always and always.condition else rows

    def _extract_positions(
        self, sampled: Block
    ) -> tuple[dict[str, TokenTable], dict[str, TopPositions], dict[str, SamplePositions], dict[str, SamplePositions]]:
        """Tokens, strongest positions, and positions of the sample and of the test cases, by layer."""
        tokens: dict[str, TokenTable] = {}
        top: dict[str, TopPositions] = {}
        of_sample: dict[str, SamplePositions] = {}
        of_cases: dict[str, SamplePositions] = {}
        specs = {spec.name: spec for spec in self._settings.layers}
        surpluses = self._reader.surplus or {}
        for name in self._reader.layers:
            is_kept, used = name in self._sampled.layers, 0
            surplus = surpluses.get(name) or 0
            if name in surpluses:
                room = LAYER_BYTES // (2 if is_kept else 1)
                tokens[name], top[name], used = self._positions.extract(name, surplus, room)
            if is_kept:
                before = specs[name].offset
                around = (before, surplus - before) if name in surpluses else None
                cases = self._test_cases.positions(name, with_tokens=around is not None)
                of_sample[name], of_cases[name] = self._sampled.extract(
                    name, sampled.ids.tolist(), cases, LAYER_BYTES - used, around
                )
        return tokens, top, of_sample, of_cases

    def _wanted(self, batch: Block) -> NDArray[np.bool_]:
        """Which instances may be kept individually: all of them where a condition decides later on `always`."""
        always = self._settings.always
        if always and always.condition:
            return np.ones(len(batch), np.bool_)
        return batch.always | self._sampler.wanted(batch)

    def _layers(self, accumulator: Accumulator) -> tuple[Layer, ...]:
        tensors = self._settings.graph.tensors if self._settings.graph else {}
        return tuple(
            replace(
                layer,
                tensor=tensors.get(name, ""),
                signed=accumulator.signed(name),
                positions=self._kind_of_positions(layer),
            )
            for name, layer in self._reader.layers.items()
        )

    def _kind_of_positions(self, layer: Layer) -> PositionKind:
        if layer.name in (self._reader.surplus or {}):
            return "tokens"
        is_known = layer.name in self._maxima or layer.name in self._sampled.layers
        return ("steps" if len(layer.shape) == 2 else "grid") if is_known else ""

    def _arg_positions(self, block: Block) -> dict[str, NDArray[np.uint16]]:
        """Where the maxima of kept instances are, by layer, uint16 (rows, neurons)."""
        if not self._maxima:
            return {}
        unknown = np.full(sum(self._maxima.values()), UNKNOWN_POSITION, np.uint16)
        kept = [None] * len(block) if block.maxima is None else block.maxima.tolist()
        table = np.array([unknown if places is None else places for places in kept], np.uint16)
        parts = np.split(table.reshape(len(block), len(unknown)), np.cumsum(list(self._maxima.values()))[:-1], axis=1)
        return dict(zip(self._maxima, parts, strict=True))

    def _subsets(self, accumulator: Accumulator) -> tuple[Subset, ...]:
        subsets = [Subset(name, "class" if self._reader.labelled else "all") for name in self._strata]
        subsets += [
            Subset(name, selection.kind, selection.condition) for name, selection in self._settings.subsets.items()
        ]
        return tuple(
            replace(subset, count=count, correct=correct, predicted_counts=predicted_counts)
            for subset, (count, correct, predicted_counts) in zip(subsets, accumulator.outcomes(), strict=True)
        )

    def _samples(self, sampled: Block, drawn: NDArray[np.bool_], examples: Block) -> tuple[Sample, Sample | None]:
        """The sampled instances and the test cases, with the same attribute types and categories."""
        if not len(examples):
            return self._sample(sampled, drawn), None
        together = self._sample(join([sampled, examples]), np.append(drawn, np.zeros(len(examples), np.bool_)))
        cases = together.take(slice(len(sampled), None))
        return together.take(slice(len(sampled))), replace(cases, membership=np.zeros_like(cases.membership))

    def _sample(self, kept: Block, drawn: NDArray[np.bool_]) -> Sample:
        strata = kept.stratum[:, None] == np.arange(len(self._strata))
        return Sample(
            ids=kept.ids,
            ids_given=bool(self._reader.ids_given),
            index=kept.index,
            label=kept.label,
            predicted=kept.predicted,
            score=kept.score,
            scores=kept.scores,
            drawn=drawn,
            always=kept.always,
            membership=np.concatenate([strata, kept.membership], axis=1),
            attributes=tuple(
                typed_attribute(
                    name, column.as_kind(self._reader.kind_of(name)), self._settings.attribute_types.get(name)
                )
                for name, column in kept.attributes.items()
            ),
        )

    @property
    def _strata(self) -> tuple[str, ...]:
        return self._settings.classes if self._reader.labelled else (UNLABELLED,)

    def _warn_of_no_prediction(self, accumulator: Accumulator, cases: Block) -> None:
        counts = {
            f"{accumulator.instances:,} instances": accumulator.without_prediction,
            f"{len(cases):,} test cases": np.count_nonzero(cases.predicted < 0),
        }
        lacking = [f"{count:,} of {all_of_them}" for all_of_them, count in counts.items() if count]
        if lacking:
            message = (
                f"ActiVis: {' and '.join(lacking)} have scores that are not finite. They are predicted as nothing, and "
                "never right. Has the model diverged?"
            )
            warnings.warn(message, stacklevel=5)

    def _warn_of_unseen_ids(self) -> None:
        for selection in self._settings.selections:
            if unseen := selection.unseen:
                example = shorten(unseen[0])
                message = f"ActiVis: {selection.argument} lists {len(unseen)} ids that never came, e.g. {example!r}."
                warnings.warn(message, stacklevel=5)


def _as_it_is(block: Block) -> Block:
    return block


def _conditions(settings: Settings) -> "Conditions | None":
    if not settings.has_conditions:
        return None
    from activis_tb.recording.conditions import Conditions

    return Conditions(settings)
