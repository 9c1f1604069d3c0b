"""A manifest is checked against itself and its blobs, and values against their ranges, with the field named."""

import resource
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest

from activis_tb.errors import StoredDataError
from activis_tb.storage import activis_pb2 as pb
from activis_tb.storage.decoding import SnapshotReader
from tests.fuzzing.events import Event, arrays, read_event, record_healthy
from tests.fuzzing.queries import HEALTHY

Change = Callable[[pb.Snapshot], object]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Event:
    """Of 60 sampled instances and 2 test cases."""
    logdir: Path = tmp_path_factory.mktemp("healthy")
    record_healthy(logdir, "healthy")
    return read_event(logdir / HEALTHY)


def open_event(event: Event) -> SnapshotReader:
    blobs = [event.manifest.SerializeToString(), *event.blobs]
    return SnapshotReader(blobs[0], blobs.__getitem__, blobs=len(blobs))


def overwrite(event: Event, pointer: pb.Array, values: object, at: int = 0) -> None:
    array = np.frombuffer(event.blobs[pointer.blob - 1], pointer.dtype).copy()
    array[at] = values
    event.blobs[pointer.blob - 1] = array.tobytes()


def read_everything(reader: SnapshotReader) -> None:
    reader.sample()
    reader.examples()
    reader.membership()
    reader.scores()
    for layer in reader.manifest.layers:
        reader.activations(layer.name)
        reader.example_activations(layer.name)
        reader.statistics(layer.name)
        reader.tokens(layer.name)
        reader.top_positions(layer.name)
        reader.arg_positions(layer.name)
        reader.example_arg_positions(layer.name)
        reader.head(layer.name)
        reader.top_rows(layer.name)
        reader.sample_positions(layer.name)
        reader.example_positions(layer.name)
    reader.top_instances()


def test_what_is_whole_is_read(healthy: Event) -> None:
    read_everything(open_event(healthy))


def test_who_knows_of_no_tokens_reads_the_rest(healthy: Event) -> None:
    older = healthy.copy()
    for layer in older.manifest.layers:
        for name in ("positions", "tokens", "top_positions", "sample_positions"):
            layer.ClearField(name)
    reader = open_event(older)
    read_everything(reader)
    assert reader.tokens("hidden") is None
    assert reader.sample_positions("hidden") is None
    assert open_event(healthy).sample_positions("hidden").text_starts is not None
    assert len(open_event(healthy).example_positions("hidden").rows) == 2


def attribute(message: pb.Snapshot, name: str) -> pb.StoredAttribute:
    return next(one for one in message.sample.attributes if one.name == name)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: setattr(m, "instances", -1), "instances: got -1"),
        (lambda m: setattr(m, "instances", 59), "rows: got 60 of 59 instances"),
        (lambda m: setattr(m, "instances", 2**62), "classes: got 60 instances"),
        (lambda m: setattr(m, "stored", 61), "stored instances: got 61"),
        (lambda m: setattr(m.layers[1], "name", "hidden"), "layers: got 'hidden' twice"),
        (lambda m: setattr(m.subsets[3], "name", "ant"), "subsets: got 'ant' twice"),
        (lambda m: setattr(m.sample.attributes[0], "name", "topic"), "attributes: got 'topic' twice"),
        (lambda m: setattr(m.sample.attributes[0], "name", "label"), "attributes: got 'label' twice"),
        (lambda m: setattr(m.sample.attributes[0], "type", "date"), "is of type 'date'"),
        (lambda m: setattr(m.subsets[0], "kind", "group"), "is of kind 'group'"),
        (lambda m: setattr(m.subsets[0], "count", -20), "counts that hold one another"),
        (lambda m: setattr(m.subsets[0], "correct", 21), "counts that hold one another"),
        (lambda m: setattr(m.subsets[3], "count", 61), "counts that hold one another"),
        (lambda m: m.subsets[0].predicted_counts.append(0), "one for each of 3 classes"),
        (lambda m: m.subsets[0].predicted_counts.__setitem__(0, 10**9), "one for each of 3 classes"),
        (lambda m: m.classes.reverse(), "do not begin with its classes"),
        (lambda m: [m.ClearField(name) for name in ("classes", "subsets")], "subsets: got none"),
        (lambda m: setattr(m.layers[0], "neurons", -4), "-4 neurons"),
        (lambda m: setattr(m.layers[0], "neurons", 2**40), r"expected shape \(60, 1099511627776\)"),
        (lambda m: m.layers[0].shape.append(-7), "sizes, -1 for any"),
        (lambda m: m.layers[0].ClearField("mean"), "layer 'hidden', mean.* declared as nothing"),
        (lambda m: m.layers[0].ClearField("example_activations"), "test cases.* declared as nothing"),
        (lambda m: m.sample.ClearField("label"), "sample, label.* declared as nothing"),
        (lambda m: setattr(m.sample.label, "dtype", "<f4"), "sample, label.* declared as <f4"),
        (lambda m: setattr(m.layers[0].count, "dtype", "<f8"), "hidden', count.* declared as <f8"),
        (lambda m: setattr(m.layers[0].activations, "dtype", "<i4"), "activations.* declared as <i4"),
        (lambda m: setattr(attribute(m, "length").values, "dtype", "<f4"), "'length'.* declared as <f4"),
        (lambda m: setattr(attribute(m, "topic").values, "dtype", "<f4"), "'topic'.* declared as <f4"),
        (lambda m: setattr(attribute(m, "topic").categories, "dtype", "<f4"), "categories.* declared as <f4"),
        (lambda m: m.sample.index.shape.__setitem__(0, -1), "declared as"),
        (lambda m: setattr(m.sample.scores, "blob", 0), "points at blob 0"),
        (lambda m: setattr(m.sample.scores, "blob", 10**6), "no blob 1000000"),
        (lambda m: m.examples.attributes.pop(), "other attributes than the sample"),
        (lambda m: setattr(m, "version", -1), "names no format version"),
        (lambda m: setattr(m.layers[0], "positions", "words"), "layer hidden: got positions 'words'"),
        (lambda m: setattr(m.layers[0], "positions", ""), "layer hidden: got positions ''"),
        (lambda m: m.layers[0].ClearField("tokens"), "layer hidden: got positions 'tokens'"),
        (lambda m: m.layers[0].ClearField("top_positions"), "top positions, value.* declared as nothing"),
        (lambda m: setattr(m.layers[1], "positions", "tokens"), "layer logits: got positions 'tokens'"),
        (lambda m: setattr(m.layers[0].tokens, "distinct", -1), "layer hidden: got negative counts of tokens"),
        (lambda m: setattr(m.layers[0].top_positions, "after", -1), "negative numbers of tokens around one"),
        (lambda m: m.layers[0].tokens.count.shape.__setitem__(0, 7), "hidden', tokens.* declared as bytes"),
        (lambda m: m.layers[0].tokens.mean.shape.__setitem__(1, 5), "tokens, mean.* declared as <f4"),
        (lambda m: m.layers[0].top_positions.word.shape.__setitem__(1, 3), "top positions, word.* declared as <i4"),
        (lambda m: m.layers[0].top_positions.place.shape.__setitem__(1, 2**40), "positions, place.* declared as <i4"),
        (lambda m: setattr(m.layers[0].top_positions.index, "blob", 10**6), "no blob 1000000"),
        (lambda m: setattr(m.layers[0].arg_position, "dtype", "<i2"), "arg positions.* declared as <i2"),
        (lambda m: m.layers[1].head_weights.shape.__setitem__(0, 4), "weights.* declared as <f4"),
        (lambda m: m.layers[1].ClearField("head_bias"), "weights.* declared as <f4"),
        (lambda m: m.layers[0].ClearField("example_arg_position"), "arg positions of test cases.* declared as nothing"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_when_it_is_read(healthy: Event, change: Change, sentence: str) -> None:
    damaged = healthy.copy()
    change(damaged.manifest)
    with pytest.raises(StoredDataError, match=sentence):
        open_event(damaged)


@pytest.mark.parametrize(
    ("pointer", "value", "sentence"),
    [
        (lambda m: m.sample.label, 3, "labels: got 3; expected 0 to 2"),
        (lambda m: m.sample.label, -2, "labels: got -2"),
        (lambda m: m.sample.predicted, 2**31 - 1, "predicted classes: got 2147483647"),
        (lambda m: m.examples.label, 3, "labels: got 3"),
        (lambda m: m.sample.index, -1, "positions in the stream: got -1"),
        (lambda m: m.sample.index, 60, "positions in the stream: got 60; expected 0 to 59"),
        (lambda m: m.sample.drawn, 2, "drawn: got 2; expected 0 to 1"),
        (lambda m: m.sample.always, 255, "always: got 255"),
        (lambda m: m.sample.membership, 7, "membership: got 7"),
        (lambda m: attribute(m, "long").values, 2, "attribute 'long': got 2"),
        (lambda m: attribute(m, "topic").values, 3, "codes of attribute 'topic': got 3; expected -1 to 2"),
        (lambda m: attribute(m, "topic").values, -2, "codes of attribute 'topic': got -2"),
        (lambda m: attribute(m, "topic").present, 9, "presence of attribute 'topic': got 9"),
        (lambda m: m.layers[0].count, 21, "count: got counts that are negative or more"),
        (lambda m: m.layers[1].nonfinite, -1, "nonfinite: got counts that are negative or more"),
        (lambda m: m.layers[0].active, 1.5, "active: got 1.5"),
        (lambda m: m.layers[0].std, -0.5, "std: got -0.5"),
        (lambda m: m.layers[0].tokens.count, -1, "token counts: got -1; expected 1 to 120"),
        (lambda m: m.layers[0].tokens.count, 121, "token counts: got 121; expected 1 to 120"),
        (lambda m: m.layers[0].tokens.count, 120, "tokens: got 8 of 8 tokens at 120 positions; expected counts that"),
        (lambda m: m.layers[0].top_positions.place, 10**6, "places of positions: got 1000000; expected -1 to"),
        (lambda m: m.layers[0].top_positions.place, -2, "places of positions: got -2"),
        (lambda m: m.layers[0].top_positions.place, -1, "strongest positions: got values without a place"),
        (lambda m: m.layers[0].top_positions.value, np.nan, "strongest positions: got values without a place"),
        (lambda m: m.layers[0].top_positions.position, -1, "numbers of positions: got -1"),
        (lambda m: m.layers[0].top_positions.instance, 60, "instances of positions: got 60"),
        (lambda m: m.layers[0].top_positions.index, 60, "places of instances: got 60; expected 0 to 59"),
        (lambda m: m.layers[0].top_positions.word, 8, "tokens of positions: got 8; expected -1 to 7"),
        (lambda m: m.layers[0].top_positions.word, -2, "tokens of positions: got -2"),
        (lambda m: m.layers[0].arg_position, 2, "positions of maxima: got 2; expected 0 to 1"),
        (lambda m: m.layers[1].head_weights, np.inf, "weights: got values that are not finite"),
        (lambda m: m.layers[1].head_bias, np.nan, "weights: got values that are not finite"),
        (lambda m: m.layers[0].example_arg_position, 65_534, "positions of maxima: got 65534"),
    ],
)
def test_a_value_out_of_its_range_is_refused_when_it_is_fetched(
    healthy: Event, pointer: Callable[[pb.Snapshot], pb.Array], value: float, sentence: str
) -> None:
    damaged = healthy.copy()
    overwrite(damaged, pointer(damaged.manifest), value)
    reader = open_event(damaged)
    with pytest.raises(StoredDataError, match=sentence):
        read_everything(reader)


@pytest.fixture(scope="module")
def thinned(tmp_path_factory: pytest.TempPathFactory) -> Event:
    """Of 60 instances, 30 of which are sampled."""
    logdir: Path = tmp_path_factory.mktemp("thinned")
    record_healthy(logdir, "healthy", keep="all")
    return read_event(logdir / HEALTHY)


@pytest.mark.parametrize(
    ("pointer", "value", "sentence"),
    [
        (lambda m: m.layers[0].top_row, 60, "rows of strongest instances: got 60; expected -1 to 5[0-9]"),
        (lambda m: m.layers[0].bottom_row, -2, "rows of strongest instances: got -2"),
        (lambda m: m.layers[0].top_row, -1, "strongest instances: got activations without a row"),
        (lambda m: m.layers[0].top_value, np.nan, "strongest instances: got activations without a row"),
        (lambda m: m.top_instances.label, 3, "labels: got 3; expected 0 to 2"),
        (lambda m: m.top_instances.index, 60, "positions in the stream: got 60; expected 0 to 59"),
        (lambda m: m.top_instances.attributes[1].values, 9, "codes of attribute 'topic': got 9"),
    ],
)
def test_strongest_instances_that_cannot_be_are_refused(
    thinned: Event, pointer: Callable[[pb.Snapshot], pb.Array], value: float, sentence: str
) -> None:
    read_everything(open_event(thinned))
    assert open_event(thinned).top_rows("hidden").strongest.shape == (4, 20)
    damaged = thinned.copy()
    overwrite(damaged, pointer(damaged.manifest), value)
    with pytest.raises(StoredDataError, match=sentence):
        read_everything(open_event(damaged))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.layers[0].ClearField("top_value"), "their activations.* declared as nothing"),
        (lambda m: m.top_instances.ClearField("label"), "strongest instances, label.* declared as nothing"),
        (lambda m: setattr(m.top_instances.attributes[0], "name", "x"), "strongest instances have other attributes"),
        (lambda m: m.layers[0].top_row.shape.__setitem__(0, 5), "strongest instances.* declared as"),
    ],
)
def test_a_manifest_with_such_is_refused(thinned: Event, change: Change, sentence: str) -> None:
    damaged = thinned.copy()
    change(damaged.manifest)
    with pytest.raises(StoredDataError, match=sentence):
        open_event(damaged)


def test_who_knows_of_no_strongest_instances_reads_the_rest(thinned: Event) -> None:
    older = thinned.copy()
    older.manifest.ClearField("top_instances")
    reader = open_event(older)
    read_everything(reader)
    assert reader.top_rows("hidden") is None


def test_weights_of_other_outputs_than_the_classes_are_refused(healthy: Event) -> None:
    damaged = healthy.copy()
    layer = damaged.manifest.layers[1]
    layer.head_weights.shape[1] = layer.head_bias.shape[0] = 2
    for pointer in (layer.head_weights, layer.head_bias):
        damaged.blobs[pointer.blob - 1] = bytes(4 * prod(pointer.shape))
    with pytest.raises(StoredDataError, match="weights: got those of 2 outputs; expected those of 3 classes"):
        open_event(damaged).head("logits")


@pytest.mark.parametrize("rows", [2**20, 2**24, 2**30, 2**62])
def test_test_cases_that_no_blob_confirms_take_no_memory(healthy: Event, rows: int) -> None:
    damaged = healthy.copy()
    examples = damaged.manifest.examples
    pointers = [*arrays(examples), *(layer.example_activations for layer in damaged.manifest.layers)]
    for one in pointers:
        if one is not examples.attributes[1].categories:
            one.shape[0] = rows
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StoredDataError):
        open_event(damaged).confirmed_examples()
    with pytest.raises(StoredDataError):
        open_event(damaged).presence("photo")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    "values", [b"\n\0" * 5_000_000, b"\n\x7f" + b"x" * 10_000, b"\xff" * 10_000, b"\n" + b"\xff" * 9_000]
)
def test_a_column_of_another_length_is_refused_before_it_is_unpacked(healthy: Event, values: bytes) -> None:
    damaged = healthy.copy()
    damaged.blobs[damaged.manifest.sample.id.blob - 1] = values
    with pytest.raises(StoredDataError, match="column"):
        open_event(damaged).ids()


@pytest.mark.parametrize("field", [b"\x3a", b"\x42"])
def test_a_crowd_of_empty_subsets_or_layers_is_refused_before_it_is_unpacked(field: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    crowd = (field + b"\0") * 8_000_000
    with pytest.raises(StoredDataError, match="damaged or not ours"):
        SnapshotReader(crowd, lambda _: b"")
    inner = b"\x5a\0" * 8_000_000
    with pytest.raises(StoredDataError, match="damaged or not ours"):
        SnapshotReader(b"\x4a\x80\xc8\xd0\x07" + inner, lambda _: b"")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80_000


def test_ids_that_are_no_text_are_shown_as_far_as_they_are(healthy: Event) -> None:
    odd = healthy.copy()
    number = odd.manifest.sample.id.blob - 1
    column = pb.Values.FromString(odd.blobs[number])
    column.values[0] = b"\xffab"
    odd.blobs[number] = column.SerializeToString()
    assert open_event(odd).ids()[0] == "\N{REPLACEMENT CHARACTER}ab"
