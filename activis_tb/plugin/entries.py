"""Entries of runs, snapshots and their instances (part 2 of `proto/activis.proto`)."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from werkzeug.wrappers import Response

from activis_tb.model import Attribute, AttributeType, Manifest, Sample, Subset
from activis_tb.plugin.cache import MEBIBYTE, Recent
from activis_tb.plugin.catalogue import Catalogue
from activis_tb.plugin.context import Context
from activis_tb.plugin.http import encoded_document, json_body, message_to_dict, with_encoded
from activis_tb.plugin.snapshots import JoinedSnapshot
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.metadata import SUBRUN
from activis_tb.times import time_texts

_ENTRIES_LIMIT = 64 * MEBIBYTE
_LARGEST = np.finfo(np.float64).max

ENCODED_TYPES: tuple[AttributeType, ...] = ("image", "audio")
"""Attributes whose values are fetched one by one."""

MOST_SCORES = 200_000
"""Scores that go into the columns of the instances; more are fetched apart."""

MOST_COUNTED_CLASSES = 100
"""More predicted counts than these do not go into descriptions."""


class RunRoute:
    """Lists runs and their snapshots, and remembers the entries.

    Args:
        catalogue: Knows the runs without recordings too.
        logdir: As TensorBoard was given it; names the run at its root; may be empty.
    """

    def __init__(self, catalogue: Catalogue, logdir: str) -> None:
        self._catalogue = catalogue
        self._logdir = logdir
        self._entries: Recent[str, bytes] = Recent(_ENTRIES_LIMIT)

    def answer(self, context: Context) -> Response:
        snapshots, warnings = context.snapshots.all(context.experiment)
        by_run: dict[str, list[JoinedSnapshot]] = {}
        for snapshot in snapshots:
            by_run.setdefault(snapshot.key.run, []).append(snapshot)
        labels = run_labels(by_run, self._logdir)
        total = len(self._catalogue.run_names(context.experiment))
        listing = message_to_dict(pb.RunList(total_runs=total, warnings=warnings, logdir=base_name(self._logdir)))
        del listing["runs"]
        runs = (
            with_encoded({"run": run, "label": labels[run]}, "snapshots", map(self._entry, found))
            for run, found in by_run.items()
        )
        return json_body(context.request, with_encoded(listing, "runs", runs))

    def _entry(self, snapshot: JoinedSnapshot) -> bytes:
        def make() -> bytes:
            return encoded_document({**message_to_dict(snapshot_entry(snapshot)), "step": snapshot.key.step})

        return self._entries.get_or_make(snapshot.identity, make)


def snapshot_entry(snapshot: JoinedSnapshot) -> pb.SnapshotEntry:
    manifest = snapshot.manifest
    return pb.SnapshotEntry(
        name=snapshot.key.name,
        step=snapshot.key.step,
        wall_time=snapshot.wall_time,
        classes=manifest.classes,
        layers=[pb.Layer(**vars(layer)) for layer in snapshot.layers],
        subsets=[_subset(subset, manifest) for subset in manifest.subsets],
        attributes=[pb.AttributeEntry(name=name, type=type_) for name, type_ in manifest.attributes],
        instances=manifest.instances,
        sampled=manifest.rows,
        stored=manifest.stored,
        version=snapshot.version,
        examples=manifest.examples,
        unlabelled=not manifest.labelled,
    )


def _subset(subset: Subset, manifest: Manifest) -> pb.Subset:
    message = pb.Subset(**vars(subset), without_prediction=subset.count - sum(subset.predicted_counts))
    if not manifest.labelled:
        message.ClearField("correct")
    if len(manifest.classes) > MOST_COUNTED_CLASSES:
        message.ClearField("predicted_counts")
    return message


def run_labels(runs: Iterable[str], logdir: str) -> dict[str, str]:
    """Returns what to show for each of `runs`: without the sub-run that recordings are in, unique."""
    labels = {run: _label(run, logdir) for run in runs}
    uses = Counter(labels.values())
    return {run: label if uses[label] == 1 else run for run, label in labels.items()}


def _label(run: str, logdir: str) -> str:
    if run in {SUBRUN, "."}:
        return base_name(logdir) or "."
    return run.removesuffix(f"/{SUBRUN}")


def base_name(logdir: str) -> str:
    """Returns the name of the folder that TensorBoard serves; empty where it serves several."""
    if "://" in logdir or not logdir:
        return logdir.rstrip("/").rpartition("/")[2]
    return os.path.basename(os.path.abspath(os.path.expanduser(logdir)))  # noqa: PTH100, PTH111, PTH119


def instance_columns(
    sample: Sample,
    examples: int,
    attributes: Sequence[tuple[str, str]],
    encoded: Mapping[str, NDArray[np.bool_]],
) -> pb.InstanceColumns:
    """Returns the columns of the instances that are shown.

    Args:
        sample: Without the values of pictures and sounds.
        examples: How many at its end are test cases.
        attributes: Name and type of all attributes, in order.
        encoded: By name of a picture or sound, who has one, (rows,).
    """
    read = {attribute.name: attribute for attribute in sample.attributes}
    return pb.InstanceColumns(
        id=sample.ids.tolist(),
        ids_given=sample.ids_given,
        index=sample.index.tolist(),
        label=sample.label.tolist(),
        predicted=sample.predicted.tolist(),
        score=_finite(sample.score).tolist(),
        scores=_finite(sample.scores).ravel().tolist() if sample.scores.size <= MOST_SCORES else (),
        drawn=sample.drawn.tolist(),
        always=sample.always.tolist(),
        attributes=[_attribute(name, type_, read, encoded) for name, type_ in attributes],
        example=[False] * (len(sample.index) - examples) + [True] * examples,
    )


def exact_numbers(values: NDArray[Any]) -> tuple[list[float], list[str]]:
    """Returns numbers or times as finite doubles, of times seconds since 1970, and what they are exactly.

    The texts are those of all times; of numbers, of those that are no finite doubles, empty for the others, and none at
    all where there are none of them.
    """
    if values.dtype.kind == "M":
        seconds = values.astype("M8[us]").astype(np.int64) / 1e6
        return seconds.tolist(), time_texts(values)
    doubles = np.clip(values.astype(np.float64), -_LARGEST, _LARGEST)
    items = values.tolist()
    exact = [number == item for number, item in zip(doubles.tolist(), items, strict=True)]
    texts = ["" if is_exact else str(item) for is_exact, item in zip(exact, items, strict=True)]
    return doubles.tolist(), [] if all(exact) else texts


def _finite(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(np.isfinite(scores), scores, np.float32(0))


def _attribute(
    name: str, type_: str, read: Mapping[str, Attribute], encoded: Mapping[str, NDArray[np.bool_]]
) -> pb.AttributeColumn:
    column = pb.AttributeColumn(name=name, type=type_)
    if name in encoded:
        column.present.extend([] if encoded[name].all() else encoded[name].tolist())
        return column
    attribute = read[name]
    values, present = attribute.values, attribute.present
    if type_ in {"number", "time"}:
        present = present & ~np.isnan(values)
        numbers, texts = exact_numbers(np.where(present, values, np.zeros(1, values.dtype)))
        column.numbers.extend(numbers)
        column.texts.extend(text if there else "" for text, there in zip(texts, present.tolist(), strict=bool(texts)))
    elif type_ == "boolean":
        column.booleans.extend(values.tolist())
    elif type_ == "category":
        column.codes.extend(values.tolist())
        column.categories.extend(attribute.categories)
    else:
        column.texts.extend(values.tolist())
    if not present.all():
        column.present.extend(present.tolist())
    return column
