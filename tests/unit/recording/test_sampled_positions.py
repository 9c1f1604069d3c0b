"""Of sampled instances, the snapshot has every position in one byte, the same however the data came, in its room."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.model import LayerSpec, PooledActivations
from activis_tb.positions import SamplePositions
from activis_tb.recording import recorder as recorders
from activis_tb.recording import sampled_positions
from activis_tb.recording import test_cases as recorded_cases
from activis_tb.recording.identity import hash_texts
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.recording.helpers import CLASSES, batch, permute, probabilities, read_snapshots, record, split

ROWS, STEPS = 60, 9
WORDS = [f"word{number}" for number in range(20)] + ["é", "?"]
LAYERS = [
    LayerSpec("words", offset=1),
    LayerSpec("series", "mean", tokens=False),
    LayerSpec("picture", channel_axis=1),
    LayerSpec("last", "last", tokens=False),
    "dense",
]


def instances(rows: int = ROWS, seed: int = 4) -> dict[str, Any]:
    """A batch of layers of every rank: texts of 0 to 11 words padded to 11, a masked series, pictures."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, rows)
    lengths = generator.integers(0, STEPS + 3, rows)
    tokens = np.empty(rows, object)
    tokens[:] = [
        [*generator.choice(WORDS, length).tolist(), *[None] * (STEPS + 2 - length)] for length in lengths.tolist()
    ]
    series = generator.normal(size=(rows, STEPS, 2)).astype(np.float32)
    series[generator.random(series.shape) < 0.05] = np.nan
    return {
        "labels": labels,
        "scores": probabilities(labels),
        "ids": np.array([f"q{number}" for number in range(rows)]),
        "activations": {
            "words": np.maximum(generator.normal(size=(rows, STEPS, 3)), 0).astype(np.float32),
            "series": series,
            "picture": generator.normal(size=(rows, 4, 5, 6)).astype(np.float16),
            "last": generator.normal(size=(rows, STEPS, 2)),
            "dense": generator.normal(size=(rows, 2)),
        },
        "mask": {"series": np.arange(STEPS) < generator.integers(0, STEPS + 1, rows)[:, None]},
        "tokens": tokens,
    }


def expected(one: dict[str, Any], name: str, row: int) -> tuple[np.ndarray, list[str]]:
    """Activations (positions, neurons), NaN where there is none, and the tokens, of one instance."""
    values = one["activations"][name][row].astype(np.float32)
    if name == "picture":
        return values.reshape(4, -1).T, []
    if name == "series":
        return np.where(one["mask"]["series"][row, :, None] & np.isfinite(values), values, np.nan), []
    words = [word for word in one["tokens"][row] if word]
    return values[: max(len(words) - 1, 0)], words


def decoded(found: SamplePositions, at: int) -> np.ndarray:
    codes = found.codes[found.starts[at] : found.starts[at + 1]]
    values = found.origin + (codes - 0.5) * found.scale
    return np.where(codes == 0, 0, np.where(codes == 255, np.nan, values))


def check_layer(found: SamplePositions | None, one: dict[str, Any], name: str, rows: Sequence[int]) -> None:
    """Compares the kept positions with those of the batch; `rows` are the rows in it of the sampled instances."""
    assert found is not None
    for at, row in enumerate(found.rows.tolist()):
        values, words = expected(one, name, rows[row])
        ours = decoded(found, at)
        assert ours.shape == values.shape
        assert_array_equal(np.isnan(ours), np.isnan(values))
        assert_array_equal(found.codes[found.starts[at] : found.starts[at + 1]] == 0, values == 0)
        assert (np.abs(ours - values) <= found.scale * 0.51 + 1e-6)[np.isfinite(values)].all()
        if found.text_starts is None:
            assert name != "words"
        else:
            assert found.texts[found.text_starts[at] : found.text_starts[at + 1]].tolist() == words


def check(reader: SnapshotReader, one: dict[str, Any]) -> None:
    places = {identity: row for row, identity in enumerate(one["ids"].tolist())}
    rows = [places[identity] for identity in reader.ids()]
    for name in ("words", "series", "picture"):
        found = reader.sample_positions(name)
        check_layer(found, one, name, rows)
        assert_array_equal(found.rows, np.arange(len(rows)))
    words = reader.sample_positions("words")
    assert (words.before, words.after) == (1, 1)
    assert reader.sample_positions("last") is None
    assert reader.sample_positions("dense") is None
    assert [layer.positions for layer in reader.manifest.layers] == ["tokens", "steps", "grid", "", ""]


@pytest.mark.parametrize("sample", [1000, 20])
def test_every_position_of_sampled_instances_is_kept(tmp_path: Path, sample: int) -> None:
    one = instances()
    check(record(tmp_path / "one", [one], LAYERS, sample=sample), one)
    other = permute(one, np.random.default_rng(1).permutation(ROWS))
    check(record(tmp_path / "parts", split(other, [20, 1, 0, 30]), LAYERS, sample=sample), other)


def test_test_cases_have_them_too(tmp_path: Path) -> None:
    one, cases = instances(), instances(5, seed=9)
    options: dict[str, Any] = {"step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path, layers=LAYERS, **options) as snapshot:
        snapshot.examples(**cases)
        snapshot.process(**one)
    reader = read_snapshots(tmp_path / "activis")[-1]
    check(reader, one)
    for name in ("words", "series", "picture"):
        found = reader.example_positions(name)
        check_layer(found, cases, name, range(5))
        assert_array_equal(found.rows, np.arange(5))


def test_test_cases_without_tokens_have_none_of_such_a_layer(tmp_path: Path) -> None:
    one, cases = instances(), {**instances(5, seed=9), "tokens": None}
    options: dict[str, Any] = {"step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path, layers=LAYERS, **options) as snapshot:
        snapshot.process(**one)
        snapshot.examples(**cases)
    reader = read_snapshots(tmp_path / "activis")[-1]
    check(reader, one)
    assert len(reader.example_positions("words").rows) == 0
    assert len(reader.example_positions("picture").rows) == 5


def test_tokens_of_test_cases_alone_are_refused(tmp_path: Path) -> None:
    one, cases = {**instances(), "tokens": None}, instances(5, seed=9)
    options: dict[str, Any] = {"step": 0, "classes": CLASSES, "quiet": True}
    with suppress(RuntimeError), activis_tb.preprocess(tmp_path, layers=LAYERS, **options) as snapshot:
        snapshot.process(**one)
        snapshot.examples(**{**cases, "tokens": None})
        refused = pytest.raises(ArgumentError, match="tokens of the test cases: got some for words; expected none")
        snapshot.examples(**{**cases, "ids": np.arange(5)})
        with refused:
            snapshot.process(**{**one, "ids": np.arange(ROWS).astype(str)})
        with refused:
            snapshot.postprocess()
        raise RuntimeError


def of_classes(rows: int = 400, seed: int = 1) -> dict[str, Any]:
    """Instances of classes of very different sizes, whose texts have 0 to 30 words."""
    generator = np.random.default_rng(seed)
    labels = np.sort(generator.choice(3, rows, p=[0.85, 0.1, 0.05]))
    lengths = generator.integers(0, 31, rows)
    tokens = np.empty(rows, object)
    tokens[:] = [generator.choice(WORDS, length).tolist() for length in lengths.tolist()]
    return batch(
        labels,
        generator.normal(size=(rows, 30, 2)).astype(np.float32),
        ids=np.array([f"q{number}" for number in range(rows)]),
        mask=np.arange(30) < lengths[:, None],
        tokens=tokens,
    )


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> int:
    """So little that hardly anything has room."""
    room = 6_000
    for module in (recorders, sampled_positions, recorded_cases):
        monkeypatch.setattr(module, "LAYER_BYTES", room)
    monkeypatch.setattr(sampled_positions, "_POSSIBLE", 2 * room)
    monkeypatch.setattr(sampled_positions, "_HELD", 4 * room)
    return room


def same(one: SamplePositions, other: SamplePositions) -> None:
    for name in ("rows", "starts", "codes", "origin", "scale", "text_starts"):
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.texts.tolist() == other.texts.tolist()


@pytest.mark.parametrize("sample", [1000, 120, 30])
def test_those_of_smallest_hash_have_room_however_the_data_came(tmp_path: Path, room: int, sample: int) -> None:
    one = of_classes()
    reader = record(tmp_path / "one", [one], sample=sample)
    found = reader.sample_positions("hidden")
    assert 0 < len(found.rows) < reader.manifest.rows + (sample == 30)
    taken = found.codes.size + 4 * len(found.texts) + len("".join(found.texts).encode())
    assert taken <= room
    assert found.rows[: len(found.rows) // 2].tolist() == list(range(len(found.rows) // 2))  # rows are in that order
    generator = np.random.default_rng(8)
    for number in range(4):
        shuffled = permute(one, generator.permutation(len(one["ids"])))
        parts = split(shuffled, generator.integers(0, 60, 6).tolist())
        same(record(tmp_path / str(number), parts, sample=sample).sample_positions("hidden"), found)
    backwards = permute(one, np.arange(len(one["ids"]))[::-1])
    parts = split(backwards, [10] * 39)
    same(record(tmp_path / "backwards", parts, sample=sample).sample_positions("hidden"), found)


@pytest.mark.parametrize("workers", [2, 5])
@pytest.mark.parametrize("sample", [1000, 40])
def test_workers_keep_what_one_process_would(tmp_path: Path, room: int, workers: int, sample: int) -> None:
    assert room
    one = of_classes()
    options: dict[str, Any] = {"layers": ["hidden"], "step": 0, "classes": CLASSES, "quiet": True, "sample": sample}
    parts = split(one, [len(one["ids"]) // workers] * (workers - 1))
    packed = []
    for number, part in enumerate(parts[1:]):
        with activis_tb.preprocess(tmp_path / f"worker {number}", **options) as worker:
            worker.process(**part)
            packed.append(worker.extract())
    with activis_tb.preprocess(tmp_path / "merged", **options) as snapshot:
        for part in packed:
            snapshot.merge(part)
        snapshot.process(**parts[0])
    merged = read_snapshots(tmp_path / "merged" / "activis")[-1].sample_positions("hidden")
    same(merged, record(tmp_path / "one", [one], sample=sample).sample_positions("hidden"))


def test_what_is_held_is_bounded(tmp_path: Path, room: int) -> None:
    one = of_classes(3_000)
    options: dict[str, Any] = {"layers": ["hidden"], "step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path, **options) as snapshot:
        for part in split(one, [100] * 29):
            snapshot.process(**part)
            held = snapshot._recorder._sampled._held["hidden"]
            assert sum(one.cost for one in held if one is not None) <= 5 * room


def test_test_cases_come_first(tmp_path: Path, room: int) -> None:
    assert room
    one, cases = of_classes(), of_classes(100, seed=2)
    options: dict[str, Any] = {"layers": ["hidden"], "step": 0, "classes": CLASSES, "quiet": True}
    with activis_tb.preprocess(tmp_path, **options) as snapshot:
        snapshot.process(**one)
        snapshot.examples(**cases)
    reader = read_snapshots(tmp_path / "activis")[-1]
    ours, theirs = reader.sample_positions("hidden"), reader.example_positions("hidden")
    assert theirs.rows[:10].tolist() == list(range(10))
    assert len(theirs.rows) > 20
    assert ours.codes.size + theirs.codes.size < room


def test_what_is_required_and_has_no_room_is_refused(tmp_path: Path, room: int) -> None:
    one = of_classes()
    message = (
        rf'positions of layer "hidden": got [\d,]+ bytes of [\d,]+ sampled instances; expected at most {room:,}\. '
        "Lower sample="
    )
    layers = [LayerSpec("hidden", positions=True)]
    with pytest.raises(ArgumentError, match=message):
        record(tmp_path / "one", split(one, [40] * 5), layers)
    few = record(tmp_path / "few", [one], layers, sample=20)
    assert_array_equal(few.sample_positions("hidden").rows, np.arange(few.manifest.rows))


def test_they_can_be_switched_off_and_asked_for(tmp_path: Path) -> None:
    one = instances()
    layers = [
        LayerSpec("words", offset=1, positions=False),
        *LAYERS[1:3],
        LayerSpec("last", "last", tokens=False, positions=True),
    ]
    one["activations"].pop("dense")
    reader = record(tmp_path, [one], layers)
    assert reader.sample_positions("words") is None
    assert reader.arg_positions("words") is not None
    assert reader.sample_positions("last").codes.shape[1] == 2
    with pytest.raises(ArgumentError, match='positions of layer "x": got 3; expected True, False or None'):
        record(tmp_path, [], [LayerSpec("x", positions=3)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values", [np.ones((2, 3)), PooledActivations(np.ones((2, 3), np.float32), (4, 3), "float32", "max")]
)
def test_positions_that_are_not_there_are_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(ArgumentError, match=r"got activations without positions; expected .* yet to be pooled"):
        record(tmp_path, [batch([0, 1], values)], [LayerSpec("hidden", positions=True)])


def test_pooled_activations_give_those_of_some_instances(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(6, 4, 2)).astype(np.float32)
    asked: list[list[int]] = []

    def take(rows: np.ndarray) -> np.ndarray:
        asked.append(rows.tolist())
        return values[rows]

    mask = np.arange(4) < np.array([[4], [3], [0], [1], [2], [4]])
    pooled = PooledActivations(
        np.where(mask.any(1)[:, None], np.where(mask[..., None], values, -np.inf).max(1), np.nan),
        (4, 2),
        "float32",
        "max",
        mask=mask,
        take=take,
    )
    ids = ["a", "b", "c", "d", "e"]
    reader = record(tmp_path, [batch([0, 1, 0, 1, 0], pooled[1:], ids=ids)], sample=2)
    rows = [ids.index(identity) + 1 for identity in reader.ids()]
    assert {row for some in asked for row in some} == set(rows)  # nothing else has to leave the device
    found = reader.sample_positions("hidden")
    for at, row in enumerate(rows):
        assert np.allclose(
            decoded(found, at), np.where(mask[row, :, None], values[row], np.nan), atol=0.02, equal_nan=True
        )
    where = np.where(mask[rows][..., None], values[rows], -np.inf).argmax(1).astype(np.int64)
    where[~mask[rows].any(1)] = 65_535
    assert_array_equal(reader.arg_positions("hidden"), where)


def test_texts_of_ten_thousand_words_and_of_none(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    long = generator.choice(WORDS, 10_000).tolist()
    values = generator.normal(size=(1, 10_000, 3)).astype(np.float32)
    batches = [
        batch([0], values, tokens=[long], ids=["long"]),
        batch([1, 2], np.ones((2, 3, 3)), tokens=[[None] * 3, ["", "", ""]], ids=["none", "nothing"]),
        batch([1], np.ones((1, 3, 3)), tokens=[[]], mask=[[0, 0, 0]], ids=["masked"]),
        batch([2], np.ones((1, 4, 3)), tokens=[["", "x" * 300, None, "end"]], ids=["inner"]),
    ]
    reader = record(tmp_path, batches)
    found, ids = reader.sample_positions("hidden"), reader.ids().tolist()
    assert_array_equal(found.rows, np.arange(5))

    def texts(identity: str) -> list[str]:
        at = ids.index(identity)
        return found.texts[found.text_starts[at] : found.text_starts[at + 1]].tolist()

    assert texts("long") == long
    assert np.allclose(decoded(found, ids.index("long")), values[0], atol=0.51 * found.scale.max())
    for empty in ("none", "nothing", "masked"):
        assert texts(empty) == []
        assert len(decoded(found, ids.index(empty))) == 0
    assert texts("inner") == ["", "x" * 99 + "…", "", "end"]
    assert np.isnan(decoded(found, ids.index("inner"))[:, 0]).tolist() == [True, False, True, False]


def test_where_only_kept_steps_have_texts_positions_are_counted_among_them(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(2, 6, 1) + 1
    mask = np.array([[0, 0, 1, 1, 1, 0], [0, 1, 0, 0, 1, 1]], bool)
    reader = record(tmp_path, [batch([0, 1], values, tokens=[["a", "b", "c"], ["d", "e", "f"]], mask=mask)])
    found = reader.sample_positions("hidden")
    order = np.argsort(reader.sample().index)
    assert [np.round(decoded(found, at)[:, 0]).tolist() for at in order] == [[3, 4, 5], [8, 11, 12]]
    assert reader.arg_positions("hidden")[order].tolist() == [[2], [2]]


def test_a_layer_with_tokens_takes_no_more_than_its_room(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    rows, steps = 2_000, 20
    words = generator.choice([f"a longer word {number}" for number in range(4_000)], (rows, steps))
    values = generator.normal(size=(rows, steps, 64)).astype(np.float32)
    one = batch(generator.integers(0, 3, rows), values, tokens=words.tolist(), ids=np.arange(rows).astype(str))
    found, sizes = {}, {}
    for positions in (False, None):
        folder = tmp_path / str(positions)
        reader = record(folder, [one], [LayerSpec("hidden", positions=positions)])
        found[positions] = reader
        sizes[positions] = sum(path.stat().st_size for path in (folder / "activis").iterdir())
    kept = found[None].sample_positions("hidden")
    assert 2**18 < kept.codes.size < 2**19
    plain = record(tmp_path / "plain", [{**one, "tokens": None}], [LayerSpec("hidden", positions=False)])
    assert plain.sample_positions("hidden") is None
    size = sum(path.stat().st_size for path in (tmp_path / "plain" / "activis").iterdir())
    assert sizes[None] - size <= 1.01 * 2**20
    assert_array_equal(kept.rows[:50], np.arange(50))
    assert len(hash_texts(found[None].ids().tolist())) == found[None].manifest.rows


def test_texts_of_masked_positions_are_padding(tmp_path: Path) -> None:
    values = np.arange(8, dtype=np.float32).reshape(2, 4, 1) + 1
    mask = np.array([[1, 1, 0, 0], [0, 1, 0, 1]], bool)
    tokens = [["a", "b", "[PAD]", "[PAD]"], ["[PAD]", "c", "[PAD]", "d"]]
    reader = record(tmp_path, [batch([0, 1], values, tokens=tokens, mask=mask)])
    found = reader.sample_positions("hidden")
    texts = [found.texts[found.text_starts[at] : found.text_starts[at + 1]].tolist() for at in (0, 1)]
    order = np.argsort(reader.sample().index)
    assert [texts[at] for at in order] == [["a", "b"], ["", "c", "", "d"]]
    assert np.isnan(decoded(found, order[1])[:, 0]).tolist() == [True, False, True, False]
