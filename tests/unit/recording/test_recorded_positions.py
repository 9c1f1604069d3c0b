"""Tokens and strongest positions over all instances: true to a group-by and a full sort, however the data came."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec
from activis_tb.positions import AROUND, TokenTable, TopPositions
from activis_tb.recording import positions as recorded_positions
from activis_tb.recording import token_sums
from activis_tb.recording.identity import hash_texts
from activis_tb.recording.strongest_positions import keys_of
from activis_tb.recording.token_sums import TokenSums
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, batch, permute, read_snapshots, record, split

STEPS, NEURONS, INSTANCES = 12, 4, 300
WORDS = [f"word{number}" for number in range(40)] + ["é", "the", "?"]


def instances(seed: int = 3, rows: int = INSTANCES) -> dict[str, Any]:
    """A batch of texts of 0 to 12 words, the padding masked; few different values, so that many are equally strong."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, STEPS + 1, rows)
    weights = 1 / np.arange(1, len(WORDS) + 1)
    tokens = np.empty(rows, object)
    tokens[:] = [generator.choice(WORDS, length, p=weights / weights.sum()).tolist() for length in lengths]
    values = generator.integers(-3, 4, (rows, STEPS, NEURONS)).astype(np.float32)
    values[..., 1] = np.maximum(values[..., 1] - 2, 0)  # mostly zero
    values[..., 2] = 0
    values[..., 3] = generator.normal(size=(rows, STEPS))
    mask = np.arange(STEPS) < lengths[:, None]
    return batch(
        generator.integers(0, 3, rows),
        values,
        ids=np.array([f"q{number}" for number in range(rows)]),
        mask=mask,
        tokens=tokens,
    )


def positions_of(one: dict[str, Any]) -> list[tuple[str, int, list[str], np.ndarray]]:
    """Id, number of the token, texts, and activations of every position that is no padding."""
    return [
        (str(identity), place, texts, values[place])
        for identity, texts, values in zip(one["ids"], one["tokens"], one["activations"]["hidden"], strict=True)
        for place in range(len(texts))
    ]


def check_tokens(table: TokenTable, one: dict[str, Any], least: int = 3) -> None:
    """Compares the table with a group-by of every position."""
    found: dict[str, list[np.ndarray]] = {}
    for _, place, texts, values in positions_of(one):
        found.setdefault(texts[place], []).append(values)
    frequent = {token: np.array(rows) for token, rows in found.items() if len(rows) >= least}
    assert set(table.tokens) == set(frequent)
    assert (np.diff(table.count) <= 0).all()
    assert table.positions == sum(map(len, found.values()))
    assert (table.distinct, table.least, table.exact) == (len(found), least, True)
    for token, count, mean in zip(table.tokens, table.count, table.mean, strict=True):
        assert count == len(frequent[token])
        assert_allclose(mean, frequent[token].mean(0, dtype=np.float64), rtol=1e-6, atol=1e-7)
    if table.max is not None:
        assert_array_equal(table.max, [frequent[token].max(0) for token in table.tokens])


def listed(top: TopPositions, neuron: int) -> list[tuple[float, str, int, tuple[str, ...]]]:
    """Value, id, number of the token and texts of the strongest positions of a neuron."""
    rows = [
        (float(value), str(top.ids[top.instance[place]]), int(top.position[place]), tuple(top.texts[place]))
        for value, place in zip(top.value[neuron], top.place[neuron], strict=True)
        if place >= 0
    ]
    assert len(rows) == np.count_nonzero(~np.isnan(top.value[neuron]))
    return rows


def around(texts: Sequence[str], place: int) -> tuple[str, ...]:
    return tuple(texts[at] if 0 <= at < len(texts) else "" for at in range(place - AROUND, place + AROUND + 1))


def check_top(top: TopPositions, one: dict[str, Any], most: int = 20) -> None:
    """Compares the strongest positions with a full sort of all of them."""
    everything = positions_of(one)
    ids = np.array([identity for identity, _, _, _ in everything], object)
    keys = keys_of(ids, np.arange(len(ids)), np.array([place for _, place, _, _ in everything]))
    values = np.array([values for _, _, _, values in everything])
    for neuron in range(values.shape[1]):
        order = np.lexsort((keys, -values[:, neuron]))[:most]
        expected = [
            (float(values[row, neuron]), ids[row], everything[row][1], around(everything[row][2], everything[row][1]))
            for row in order
        ]
        assert listed(top, neuron) == expected


def check(reader: SnapshotReader, one: dict[str, Any]) -> None:
    table, top = reader.tokens("hidden"), reader.top_positions("hidden")
    check_tokens(table, one)
    check_top(top, one)
    assert_array_equal(np.array(one["ids"], object)[top.index], top.ids)


@pytest.mark.parametrize("sizes", [(), (1, 0, 7, 100), (32,) * 8])
@pytest.mark.parametrize("tokens", [None, True, "max"])
def test_tokens_are_a_group_by_and_the_strongest_a_full_sort(tmp_path: Path, sizes: Any, tokens: Any) -> None:
    one = instances()
    reader = record(tmp_path, split(one, sizes), layers=[LayerSpec("hidden", tokens=tokens)])
    check(reader, one)
    assert reader.manifest.layers[0].positions == "tokens"
    assert reader._message.version == 1  # as without: older readers read the rest
    assert (reader.tokens("hidden").max is not None) == (tokens == "max")


def same(reader: SnapshotReader, other: SnapshotReader) -> None:
    """Whatever the order, the same bits."""
    for table, twin in ((reader.tokens("hidden"), other.tokens("hidden")),):
        assert_array_equal(table.tokens, twin.tokens)
        assert_array_equal(table.count, twin.count)
        assert_array_equal(table.mean, twin.mean)
    ours, theirs = reader.top_positions("hidden"), other.top_positions("hidden")
    assert [listed(ours, neuron) for neuron in range(NEURONS)] == [listed(theirs, neuron) for neuron in range(NEURONS)]


def test_neither_the_order_nor_the_batches_change_anything(tmp_path: Path) -> None:
    one = instances()
    reader = record(tmp_path / "one", [one])
    generator = np.random.default_rng(8)
    for number in range(4):
        shuffled = permute(one, generator.permutation(INSTANCES))
        other = record(tmp_path / str(number), split(shuffled, generator.integers(0, 60, 6).tolist()))
        same(reader, other)
        check(other, shuffled)


def test_many_positions_go_through_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_positions, "_MOST_POSITIONS", 700)
    one = instances(rows=3_000)
    check(record(tmp_path, split(one, (500, 1, 999))), one)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_workers_record_what_one_process_would(tmp_path: Path, workers: int) -> None:
    one = instances()

    def begin(folder: str) -> Any:
        layers = [LayerSpec("hidden", tokens="max")]
        return activis_tb.preprocess(tmp_path / folder, layers=layers, step=0, classes=CLASSES, quiet=True)

    bounds = np.linspace(0, INSTANCES, workers + 1).astype(int)[1:-1]
    parts = split(one, np.diff([0, *bounds]))
    packed = []
    for number, part in enumerate(parts[1:]):
        with begin(f"worker {number}") as worker:
            worker.process(**part)
            packed.append(worker.extract())
    with begin("merged") as snapshot:
        snapshot.process(**parts[0])
        for part in packed:
            snapshot.merge(part)
    with begin("one") as alone:
        alone.process(**one)
    merged, single = (read_snapshots(tmp_path / name / "activis")[-1] for name in ("merged", "one"))
    check(merged, one)
    same(merged, single)
    assert_array_equal(merged.tokens("hidden").max, single.tokens("hidden").max)


def test_a_worker_without_instances_takes_what_the_others_have(tmp_path: Path) -> None:
    one = instances()
    arguments: dict[str, Any] = {"layers": ["hidden"], "step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path / "worker", **arguments) as worker:
        worker.process(**one)
        part = worker.extract()
    with activis_tb.preprocess(tmp_path / "writes", **arguments) as snapshot:
        snapshot.merge(part)
    check(read_snapshots(tmp_path / "writes" / "activis")[-1], one)


def test_workers_that_disagree_about_tokens_are_refused(tmp_path: Path) -> None:
    first, second = split(instances(), [150])
    arguments: dict[str, Any] = {"layers": ["hidden"], "step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path / "worker", **arguments) as worker:
        worker.process(**{**first, "tokens": None})
        part = worker.extract()
    with activis_tb.preprocess(tmp_path / "writes", **arguments) as snapshot:
        snapshot.process(**second)
        with pytest.raises(ArgumentError, match="part: got none; expected tokens for hidden"):
            snapshot.merge(part)


def test_texts_of_ten_thousand_words_and_of_none(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    long = generator.choice(WORDS, 10_000).tolist()
    batches = [
        batch([0], generator.normal(size=(1, 10_000, NEURONS)), tokens=[long], ids=["long"]),
        batch([1, 2], np.ones((2, 3, NEURONS)), tokens=[[None] * 3, ["", "", ""]], ids=["none", "nothing"]),
        batch([1], np.ones((1, 3, NEURONS)), tokens=[[]], mask=[[0, 0, 0]], ids=["masked"]),
    ]
    reader = record(tmp_path, batches)
    check_tokens(
        reader.tokens("hidden"), {**batches[0], "activations": {"hidden": batches[0]["activations"]["hidden"]}}
    )
    assert set(reader.top_positions("hidden").ids) == {"long"}


def test_padding_without_a_mask_has_no_token_and_is_among_no_strongest(tmp_path: Path) -> None:
    values = np.zeros((2, 4, 1))
    values[:, 2:] = 9  # padding wins the maximum, which is recorded as it is
    values[1, 0] = 1
    tokens = [["a", "b", None, None], ["a", "c", "", ""]]
    reader = record(tmp_path, [batch([0, 1], values, tokens=tokens, ids=["x", "y"])])
    assert reader.activations("hidden").tolist() == [[9], [9]]
    top = reader.top_positions("hidden")
    assert listed(top, 0)[0] == (1, "y", 0, ("", "", "", "a", "c", "", ""))
    assert len(listed(top, 0)) == 4
    assert reader.tokens("hidden").positions == 4


def test_what_is_not_finite_is_left_out(tmp_path: Path) -> None:
    one = instances()
    values = one["activations"]["hidden"]
    generator = np.random.default_rng(4)
    odd = generator.random(values.shape) < 0.2
    values[odd] = generator.choice([np.nan, np.inf, -np.inf], odd.sum())
    values[..., 2] = np.nan
    reader = record(tmp_path, split(one, (40, 80)), layers=[LayerSpec("hidden", tokens="max")])
    table, top = reader.tokens("hidden"), reader.top_positions("hidden")
    found: dict[str, list[np.ndarray]] = {}
    for _, place, texts, row in positions_of(one):
        found.setdefault(texts[place], []).append(row)
    for token, count, mean, largest in zip(table.tokens, table.count, table.mean, table.max, strict=True):
        rows = np.array(found[token], np.float64)
        assert count == len(rows)
        for neuron in range(NEURONS):
            finite = rows[np.isfinite(rows[:, neuron]), neuron]
            expected = (finite.mean(), finite.max()) if len(finite) else (np.nan, np.nan)
            assert_allclose((mean[neuron], largest[neuron]), expected, rtol=1e-6, atol=1e-7)
    everything = np.array([row for _, _, _, row in positions_of(one)])
    for neuron in range(NEURONS):
        finite = np.sort(everything[np.isfinite(everything[:, neuron]), neuron])[::-1][:20]
        assert_array_equal([value for value, *_ in listed(top, neuron)], finite)


def test_positions_of_a_convolution_belong_to_its_middle_words(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    tokens = [["what", "is", "a", "cab", "?"], ["name", "the", "city", None, None]]
    layers = [LayerSpec("hidden", offset=1)]
    reader = record(tmp_path, [batch([0, 1], values, tokens=tokens, ids=["x", "y"])], layers=layers)
    top = reader.top_positions("hidden")
    assert [(value, identity, place) for value, identity, place, _ in listed(top, 0)] == [
        (4, "y", 2), (3, "y", 1), (2, "x", 3), (1, "x", 2), (0, "x", 1),
    ]  # fmt: skip
    assert (top.before, top.after) == (1, 1)
    assert listed(top, 0)[0][3] == ("", "name", "the", "city", "", "", "")


def test_a_mask_counts_the_positions_that_it_keeps_on_either_side(tmp_path: Path) -> None:
    values = np.array([[[7], [1], [2]], [[3], [7], [7]]], np.float32)
    mask = [[False, True, True], [True, False, False]]
    for tokens in ([["a", "b"], ["c"]], [["[PAD]", "a", "b"], ["c", "[PAD]", "[PAD]"]]):
        reader = record(tmp_path / tokens[0][0], [batch([0, 1], values, mask=mask, tokens=tokens, ids=["x", "y"])])
        assert [row[0::3] for row in listed(reader.top_positions("hidden"), 0)] == [
            (3, around(tokens[1], tokens[1].index("c"))),
            (2, around(tokens[0], tokens[0].index("b"))),
            (1, around(tokens[0], tokens[0].index("a"))),
        ]


def test_channels_may_be_anywhere_and_texts_of_any_kind(tmp_path: Path) -> None:
    one = instances()
    values = np.moveaxis(one["activations"]["hidden"], -1, 1)
    padded = [[text.encode() for text in texts] + [None] * (STEPS - len(texts)) for texts in one["tokens"]]
    flat = [text for texts in one["tokens"] for text in texts]
    offsets = np.cumsum([0, *map(len, one["tokens"])])
    for name, tokens, mask in (
        ("padded", padded, None),
        ("pair", (offsets, flat), one["mask"]),
        ("named", {"hidden": np.array([[text or "" for text in texts] for texts in padded], "S")}, None),
    ):
        given = {**one, "activations": {"hidden": values}, "tokens": tokens, "mask": mask}
        reader = record(tmp_path / name, [given], layers=[LayerSpec("hidden", channel_axis=1)])
        if name == "named":  # NumPy's byte strings
            assert set(reader.tokens("hidden").tokens) <= set(WORDS)
        check(reader, one)


def test_layers_have_tokens_of_their_own(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    words, pieces, flat = (generator.normal(size=shape) for shape in ((3, 4, 2), (3, 6, 5), (3, 7)))
    given = {
        "labels": [0, 1, 2],
        "scores": np.eye(3),
        "activations": {"words": words, "pieces": pieces, "dense": flat},
        "tokens": {"words": [list("abcd")] * 3, "pieces": [list("uvwxyz")] * 3},
    }
    reader = record(tmp_path, [given], layers=["words", "pieces", "dense"])
    assert set(reader.tokens("words").tokens) == set("abcd")
    assert set(reader.tokens("pieces").tokens) == set("uvwxyz")
    assert reader.tokens("dense") is None
    assert reader.top_positions("dense") is None
    assert [layer.positions for layer in reader.manifest.layers] == ["tokens", "tokens", ""]


def test_without_tokens_nothing_is_kept(tmp_path: Path) -> None:
    reader = record(tmp_path, [{**instances(), "tokens": None}])
    assert reader.tokens("hidden") is None
    assert reader.top_positions("hidden") is None
    with pytest.raises(KeyError):
        reader.tokens("unknown")


def fill(most: int, pieces: Sequence[Sequence[str]], workers: int = 1) -> TokenSums:
    """Sums of one neuron, 1 at each token."""
    parts = [TokenSums(1, most=most) for _ in range(workers)]
    for number, piece in enumerate(pieces):
        parts[number % workers].add(np.ones((len(piece), 1), np.float32), piece)
    for other in parts[1:]:
        parts[0].merge(TokenSums.from_arrays(other.arrays()))
    return parts[0]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_of_too_many_tokens_those_of_smallest_hash_are_counted_from_the_beginning(workers: int) -> None:
    generator = np.random.default_rng(6)
    stream = [f"t{number}" for number in generator.zipf(1.2, 40_000) % 9_000]
    counts = Counter(stream)
    most = 500
    kept = sorted(counts, key=lambda token: hash_texts([token])[0])[:most]
    for shuffle in range(2):
        order = np.random.default_rng(shuffle).permutation(len(stream))
        pieces = [[stream[at] for at in part] for part in np.array_split(order, 23)]
        table = fill(most, pieces, workers).extract(2**20, 20_000, 1, 1)
        assert dict(zip(table.tokens, table.count.tolist(), strict=True)) == {token: counts[token] for token in kept}
        assert_array_equal(table.mean, 1)
        assert not table.exact
        assert table.positions == len(stream)
        assert abs(table.distinct / len(counts) - 1) < 4 / np.sqrt(most)


def test_a_wide_layer_counts_as_many_tokens_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_sums, "_MOST_BYTES", 8 * 5_000 * 16)
    sums = TokenSums(16)
    texts = [f"t{number}" for number in range(20_000)]
    sums.add(np.ones((len(texts), 16), np.float32), texts)
    assert len(sums.arrays()["texts"]) == 5_000


def test_the_most_frequent_tokens_are_stored_as_far_as_there_is_room() -> None:
    frequent = {f"a{number:03}": 3 + number // 4 for number in range(100)}
    sums = fill(1_000, [[token] * count for token, count in frequent.items()] + [["rare"] * 2])
    everything = sums.extract(2**20, 20_000, 3, 10)
    assert (len(everything.tokens), everything.least, everything.distinct) == (100, 3, 101)
    bytes_each = 8 + 4 + 4 + 3
    enough = [token for token, count in frequent.items() if count >= 10]
    some = sums.extract(99 * bytes_each, 20_000, 3, 10)
    assert (set(some.tokens), some.least) == (set(enough), 10)
    few = sums.extract(10 * bytes_each, 20_000, 3, 10)
    assert (len(few.tokens), few.least) == (10, 27 - 1)
    assert {token for token, count in frequent.items() if count >= few.least} <= set(few.tokens)
    assert len(sums.extract(2**20, 7, 3, 10).tokens) == 7


@pytest.mark.parametrize("neurons", [700, 4000])
def test_a_layer_takes_at_most_a_megabyte(tmp_path: Path, neurons: int) -> None:
    generator = np.random.default_rng(9)
    rows, steps = 60, 40
    values = generator.normal(size=(rows, steps, neurons)).astype(np.float32)
    tokens = [[f"a word that is long {number}" for number in generator.integers(0, 400, steps)] for _ in range(rows)]
    reader = record(
        tmp_path, [batch([0] * rows, values, tokens=tokens, ids=[f"question number {n}" for n in range(rows)])]
    )
    stored = reader._message.layers[0]
    blobs = [getattr(message, field.name).blob for message in (stored.tokens, stored.top_positions)
             for field, value in message.ListFields() if hasattr(value, "blob")]  # fmt: skip
    size = sum(len(reader._fetch(blob)) for blob in blobs)
    assert size <= 2**20
    top = reader.top_positions("hidden")
    assert (top.value.shape[1] < 20) == (neurons > 1_000)
    largest = np.sort(values.reshape(-1, neurons), axis=0)[::-1][: top.value.shape[1]]
    assert_array_equal(top.value, largest.T)
