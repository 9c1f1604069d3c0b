"""Part of a recording: what one worker recorded, packed as bytes for the worker that merges."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError, NewerVersionError
from activis_tb.model import Head, Layer
from activis_tb.recording.arguments import Settings
from activis_tb.recording.blocks import Block, Column
from activis_tb.recording.positions import below
from activis_tb.recording.tokens import Surplus
from activis_tb.storage.npy import parse_npy

_VERSION = 4
_NUMBERS = ("index", "label", "predicted", "score", "scores", "always", "membership")


@dataclass(frozen=True, eq=False)
class Part:
    """Part of a recording: what one worker recorded.

    Attributes:
        description: What is recorded, see `describe`; the same on all workers.
        instances: Processed by it.
        layers: As in its batches.
        labelled: Whether they have true classes; None where there was no instance.
        found: Those of the ids asked for that it processed.
        sums: See `activis_tb.recording.statistics.Accumulator.arrays`; empty where there was no instance.
        sample: Its sample, or None where there was no instance.
        ids: The hashes of all ids, ascending, uint64 (instances,), 8 bytes each; None where there are too many.
        surplus: See `activis_tb.recording.batch.BatchReader`; None where there was no instance.
        positions: See `activis_tb.recording.positions.PositionRecorder.arrays`, of the layers in `surplus`; and under
            `sampled/`, see `activis_tb.recording.sampled_positions.SampledPositions.arrays`.
        maxima: Layers of which the positions of the maxima are kept, and how many neurons each has.
        heads: By layer.
        sampled: Layers of which positions of sampled instances are kept.
        pool: Instances that neurons answer to most or least, or None where there was no instance.
    """

    description: Mapping[str, Any]
    instances: int
    layers: Sequence[Layer]
    labelled: bool | None
    found: Sequence[str]
    sums: Mapping[str, NDArray[Any]]
    sample: Block | None
    ids: NDArray[np.uint64] | None
    surplus: Surplus | None
    positions: Mapping[str, NDArray[Any]]
    maxima: Mapping[str, int]
    heads: Mapping[str, Head]
    sampled: Sequence[str]
    pool: Block | None


def describe(settings: Settings) -> dict[str, Any]:
    """Returns what all workers must have in common, in the types of JSON."""
    selections = {selection.argument: [selection.kind, selection.condition] for selection in settings.selections}
    description = {
        "name": settings.name,
        "layers": [asdict(layer) for layer in settings.layers],
        "classes": settings.classes,
        "subsets": list(settings.subsets),
        "conditions": selections,
        "sample": settings.sample,
        "attribute_types": settings.attribute_types,
    }
    common: dict[str, Any] = json.loads(json.dumps(description))
    return common


def pack(part: Part) -> bytes:
    """Returns `part` as bytes."""
    kinds = {} if part.sample is None else {name: one.kind for name, one in part.sample.attributes.items()}
    header = {
        "version": _VERSION,
        "description": part.description,
        "instances": part.instances,
        "layers": [asdict(layer) for layer in part.layers],
        "labelled": part.labelled,
        "found": list(part.found),
        "attributes": kinds,
        "pool": {} if part.pool is None else {name: one.kind for name, one in part.pool.attributes.items()},
        "surplus": part.surplus,
        "maxima": part.maxima,
        "heads": list(part.heads),
        "sampled": list(part.sampled),
    }
    arrays: dict[str, NDArray[Any]] = {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    arrays |= {} if part.ids is None else {"ids": part.ids}
    arrays |= {f"sums/{name}": values for name, values in part.sums.items()}
    for name, values in part.positions.items():
        whole = f"positions/{name}"
        arrays |= _texts(whole, values) if values.dtype == np.object_ else {whole: values}
    for position, head in enumerate(part.heads.values()):
        arrays |= {f"heads/{position}/{name}": values for name, values in vars(head).items()}
    if part.sample is not None:
        arrays |= _block_arrays(part.sample)
    if part.pool is not None:
        arrays |= {f"pool/{name}": values for name, values in _block_arrays(part.pool).items()}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(packed: bytes) -> Part:
    """Returns the part that `pack` packed.

    Raises:
        ArgumentError: It is no packed part.
        NewerVersionError: A newer activis-tb packed it.
    """
    try:
        arrays = _arrays(packed)
        header = json.loads(arrays["header"].tobytes())
        if header["version"] > _VERSION:
            raise NewerVersionError("This part of a recording", header["version"], _VERSION)
        if header["version"] < _VERSION:
            message = "packed by an older activis-tb"
            raise ValueError(message)
        layers = [Layer(**{**layer, "shape": tuple(layer["shape"])}) for layer in header["layers"]]
        return Part(
            description=header["description"],
            instances=header["instances"],
            layers=layers,
            labelled=header["labelled"],
            found=header["found"],
            sums=below(arrays, "sums/"),
            sample=_block(arrays, header["attributes"], [layer.name for layer in layers]),
            ids=_ids(arrays, header["instances"]),
            surplus=header["surplus"],
            positions=_positions(arrays),
            maxima=header["maxima"],
            heads={
                name: Head(arrays[f"heads/{position}/weights"], arrays[f"heads/{position}/bias"])
                for position, name in enumerate(header["heads"])
            },
            sampled=header["sampled"],
            pool=_block(below(arrays, "pool/"), header["pool"], ()),
        )
    except NewerVersionError:
        raise
    except Exception as error:  # an archive can be wrong in as many ways as its two parsers know
        got = f"{len(packed):,} bytes" if isinstance(packed, bytes) else type(packed).__name__
        expected = "the bytes that extract() of another worker returned"
        raise ArgumentError("part", got, expected, "Install the same activis-tb on every worker.") from error


def _arrays(packed: bytes) -> dict[str, NDArray[Any]]:
    """Returns the arrays of an uncompressed archive, so that none is larger than it."""
    with ZipFile(io.BytesIO(packed)) as archive:
        members = archive.infolist()
        if any(member.compress_type != ZIP_STORED or member.file_size > len(packed) for member in members):
            message = "got compressed arrays; expected what np.savez writes"
            raise ValueError(message)
        return {member.filename.removesuffix(".npy"): parse_npy(archive.read(member)).copy() for member in members}


def check_alike(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Raises ArgumentError where two workers do not record the same thing."""
    for key, expected in ours.items():
        if theirs.get(key) != expected:
            got = f"a recording with {key} {json.dumps(theirs.get(key))}"
            way_out = "Call preprocess with the same arguments on every worker."
            raise ArgumentError("part", got, f"{key} {json.dumps(expected)}, as here", way_out)


def _block_arrays(block: Block) -> dict[str, NDArray[Any]]:
    arrays = {f"sample/{name}": getattr(block, name) for name in _NUMBERS} | _texts("sample/ids", block.ids)
    for position, column in enumerate(block.attributes.values()):
        name = f"attributes/{position}"
        arrays[f"{name}/present"] = column.present
        arrays |= _texts(name, column.values) if column.values.dtype == np.object_ else {name: column.values}
    if block.maxima is not None:
        known = [places for places in block.maxima if places is not None]
        arrays["sample/maxima"] = np.array(known, np.uint16).reshape(len(known), -1 if known else 0)
        arrays["sample/known"] = np.array([places is not None for places in block.maxima], np.bool_)
    return arrays | {f"activations/{position}": values for position, values in enumerate(block.activations.values())}


def _block(arrays: Mapping[str, NDArray[Any]], kinds: Mapping[str, Any], layers: Sequence[str]) -> Block | None:
    if "sample/index" not in arrays:
        return None
    columns = {
        name: Column(kind, _values(arrays, f"attributes/{position}", kind), arrays[f"attributes/{position}/present"])
        for position, (name, kind) in enumerate(kinds.items())
    }
    numbers: dict[str, Any] = {name: arrays[f"sample/{name}"] for name in _NUMBERS}
    if "sample/maxima" in arrays:
        numbers["maxima"] = np.full(len(arrays["sample/known"]), None, np.object_)
        for row, places in zip(np.flatnonzero(arrays["sample/known"]), arrays["sample/maxima"], strict=True):
            numbers["maxima"][row] = places
    return Block(
        ids=_values(arrays, "sample/ids", "text"),
        **numbers,
        attributes=columns,
        activations={layer: arrays[f"activations/{position}"] for position, layer in enumerate(layers)},
        owned=frozenset(layers),
    )


def _positions(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    names = {name.removesuffix("/bytes").removesuffix("/lengths") for name in arrays if name.startswith("positions/")}
    return {name.removeprefix("positions/"): _values(arrays, name, "text") for name in sorted(names)}


def _ids(arrays: Mapping[str, NDArray[Any]], instances: int) -> NDArray[np.uint64] | None:
    if "ids" not in arrays:
        return None
    hashes = arrays["ids"]
    if hashes.dtype != np.uint64 or hashes.shape != (instances,) or (hashes[1:] <= hashes[:-1]).any():
        message = f"{instances} different ids have other hashes"
        raise ValueError(message)
    return hashes


def _texts(name: str, values: NDArray[np.object_]) -> dict[str, NDArray[Any]]:
    """Returns texts or bytes, None among them as empty, as one array of bytes and one of their lengths."""
    encoded = [value.encode() if isinstance(value, str) else value or b"" for value in values]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    return {f"{name}/bytes": np.frombuffer(b"".join(encoded), np.uint8), f"{name}/lengths": lengths}


def _values(arrays: Mapping[str, NDArray[Any]], name: str, kind: str) -> NDArray[Any]:
    if name in arrays:
        return arrays[name]
    content, ends = arrays[f"{name}/bytes"].tobytes(), np.cumsum(arrays[f"{name}/lengths"])
    values = np.empty(len(ends), np.object_)
    parts = [content[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=False)]
    values[:] = [part.decode() for part in parts] if kind == "text" else parts if kind else [None] * len(ends)
    return values
