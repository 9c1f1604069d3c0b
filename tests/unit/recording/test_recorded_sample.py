"""The sample: the same instances for every order and split, a fair share of each class, and what is always kept."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import activis_tb
from activis_tb.errors import ArgumentError
from activis_tb.recording import blocks, identity
from activis_tb.recording.identity import hash_texts
from activis_tb.recording.sample import Sampler, share_of_classes
from tests.unit.recording.helpers import CLASSES, batch, block, permute, probabilities, record, split


def instances(count: int = 300) -> dict:
    numbers = np.arange(count)
    labels = np.where(numbers % 10 == 0, 2, numbers % 2)
    activations = np.stack([numbers, -numbers], axis=1).astype(np.float32)
    return batch(labels, activations, ids=[f"q{number}" for number in numbers], attributes={"number": numbers % 50})


def test_each_class_gives_the_same_number_of_its_smallest_hashes(tmp_path: Path) -> None:
    stream = instances()
    snapshot = record(tmp_path, split(stream, [100]), sample=31)
    hashes = hash_texts(stream["ids"])
    expected = np.concatenate(
        [
            np.flatnonzero(stream["labels"] == label)[np.argsort(hashes[stream["labels"] == label])[:11]]
            for label in range(3)
        ]
    )
    ordered = expected[np.argsort(hashes[expected])]
    assert_array_equal(snapshot.sample().index, ordered)
    assert snapshot.sample().drawn.all()


@pytest.mark.parametrize(
    ("sizes", "sample", "kept"),
    [
        ((50, 2, 0), 9, (7, 2, 0)),
        ((40, 3, 60), 30, (14, 3, 14)),
        ((0, 70, 0), 20, (0, 20, 0)),
        ((38, 2, 0), 40, (38, 2, 0)),
        ((38, 2, 1), 40, (37, 2, 1)),
        ((50, 50, 1), 1, (1, 1, 1)),
        ((9, 9, 9), 0, (0, 0, 0)),
    ],
)
def test_what_small_classes_leave_of_the_sample_goes_to_the_others(
    tmp_path: Path, sizes: tuple[int, ...], sample: int, kept: tuple[int, ...]
) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(range(3), sizes))
    stream = batch(labels, ids=np.arange(len(labels)))
    found = record(tmp_path, split(stream, [7, 1, 20]), sample=sample).sample()
    hashes = hash_texts([str(number) for number in stream["ids"]])
    expected = [
        row
        for label in range(3)
        for row in np.flatnonzero(labels == label)[np.argsort(hashes[labels == label])][: kept[label]]
    ]
    assert sorted(found.index) == sorted(expected)
    assert found.drawn.all()


def test_everything_is_kept_where_everything_fits(tmp_path: Path) -> None:
    """A thousand classes, most of them of one instance or none, one of them large."""
    names = [f"class {number}" for number in range(1000)]
    labels = np.concatenate([np.zeros(600, int), np.arange(0, 1000, 3)])
    scores = np.full((len(labels), 1000), 0.001)
    stream = {"labels": labels, "scores": scores, "activations": {"hidden": labels[:, None]}}
    everything = record(tmp_path / "all", split(stream, [300]), sample=len(labels), classes=names).sample()
    assert sorted(everything.index) == list(range(len(labels)))
    assert everything.drawn.all()
    all_but_one = record(tmp_path / "one less", split(stream, [300]), sample=len(labels) - 1, classes=names).sample()
    assert np.bincount(all_but_one.label)[[0, 3, 4]].tolist() == [600, 1, 0]


def test_the_share_of_the_classes_is_the_smallest_that_fills_the_sample() -> None:
    generator = np.random.default_rng(1)
    for _ in range(500):
        counts, sample = generator.integers(0, 15, generator.integers(1, 8)), int(generator.integers(0, 50))
        wanted = min(sample, counts.sum())
        fits = [share for share in range(15) if np.minimum(counts, share).sum() >= wanted]
        assert share_of_classes(counts, sample) == min(fits)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_split_and_tree_of_merges_gives_the_sample_of_one_process(seed: int) -> None:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(0, 400, 4)
    labels = np.repeat(range(4), sizes)
    sample = int(generator.integers(1, 500))
    stream = batch(labels % 3, labels[:, None].astype(np.float32), ids=np.arange(len(labels))) | {"labels": labels}
    stream = stream | {"scores": probabilities(labels, 4)}
    alone = Sampler(4, sample)
    alone.add(block(stream, np.zeros((len(labels), 0), np.bool_)))
    workers = []
    for part in split(permute(stream, generator.permutation(len(labels))), generator.integers(0, 300, 5)):
        worker = Sampler(4, sample)
        for batch_of_it in split(part, generator.integers(0, 60, 6)):
            worker.add(block(batch_of_it, np.zeros((len(batch_of_it["labels"]), 0), np.bool_)))
        workers.append(worker)
    while len(workers) > 1:
        one, other = (workers.pop(int(generator.integers(len(workers)))) for _ in range(2))
        kept, _ = other.extract()
        one.merge(kept, other.counts)
        workers.append(one)
    (expected, expected_drawn), (found, drawn) = alone.extract(), workers[0].extract()
    assert found.ids.tolist() == expected.ids.tolist()
    assert len(found) >= min(sample, len(labels))
    assert_array_equal(drawn, expected_drawn)


def test_pictures_of_instances_that_get_a_share_late_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 8)
    labels = np.concatenate([np.zeros(60, int), np.ones(3, int)])
    pictures = np.arange(63, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    stream = batch(labels, ids=np.arange(63), attributes={"picture": pictures})
    sample = record(tmp_path, split(stream, [5] * 12), sample=20).sample()
    assert np.bincount(sample.label).tolist() == [17, 3]
    assert sample.attributes[0].present.all()
    assert len(set(sample.attributes[0].values)) == 20


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ids", ["given", "derived"])
def test_the_sample_is_the_same_for_every_order_and_split(
    tmp_path: Path, seed: int, ids: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = instances()
    if ids == "derived":
        del stream["ids"]
    expected = record(tmp_path / "whole", [stream], sample=30, always=["q7"] if ids == "given" else ()).sample()
    monkeypatch.setattr(blocks, "MOST_ROWS", 16)
    generator = np.random.default_rng(seed)
    shuffled = permute(_arrays(stream), generator.permutation(300))
    batches = split(shuffled, generator.integers(0, 20, 12))
    sample = record(tmp_path / "parts", batches, sample=30, always=["q7"] if ids == "given" else ()).sample()
    assert sample.ids.tolist() == expected.ids.tolist()
    assert_array_equal(sample.label, expected.label)
    assert_array_equal(sample.always, expected.always)


def _arrays(stream: dict) -> dict:
    return {name: np.array(value) if isinstance(value, list) else value for name, value in stream.items()}


def test_the_rows_carry_each_instances_own_values(tmp_path: Path) -> None:
    stream = instances()
    snapshot = record(tmp_path, split(stream, [7] * 20), sample=30, subsets={"low": lambda batch: batch["number"] < 10})
    sample = snapshot.sample()
    numbers = sample.index
    assert sample.ids.tolist() == [f"q{number}" for number in numbers]
    assert sample.ids_given
    assert_array_equal(snapshot.activations("hidden"), np.stack([numbers, -numbers], axis=1))
    assert_array_equal(sample.attributes[0].values, numbers % 50)
    assert_array_equal(sample.label, stream["labels"][numbers])
    assert_array_equal(sample.membership[:, :3], np.eye(3, dtype=bool)[stream["labels"][numbers]])
    assert_array_equal(sample.membership[:, 3], numbers % 50 < 10)
    assert_allclose(sample.scores, probabilities(stream["labels"][numbers]), rtol=1e-6)


def test_always_comes_on_top_of_the_sample(tmp_path: Path) -> None:
    stream = instances()
    drawn = record(tmp_path / "without", [stream], sample=30).sample()
    others = [name for name in stream["ids"] if name not in set(drawn.ids)][:3]
    sample = record(tmp_path / "with", split(stream, [9, 40]), sample=30, always=[*others, drawn.ids[0]]).sample()
    assert set(sample.ids) == {*drawn.ids, *others}
    assert sample.ids[sample.drawn].tolist() == drawn.ids.tolist()
    assert set(sample.ids[sample.always]) == {*others, drawn.ids[0]}


def test_always_takes_a_function_and_sample_may_be_zero(tmp_path: Path) -> None:
    sample = record(tmp_path, [instances()], sample=0, always=lambda batch: batch["number"] == 5).sample()
    assert sorted(sample.index) == [5, 55, 105, 155, 205, 255]
    assert not sample.drawn.any()


def test_nothing_is_kept_one_by_one_where_nothing_is_asked_for(tmp_path: Path) -> None:
    snapshot = record(tmp_path, [instances()], sample=0)
    assert snapshot.sample().ids.tolist() == []
    assert snapshot.activations("hidden").shape == (0, 2)
    assert snapshot.manifest.instances == 300


def test_always_is_bounded(tmp_path: Path) -> None:
    stream = batch([0] * 10_001, ids=np.arange(10_001))
    with pytest.raises(ArgumentError, match=r"always: got 10,001 instances so far; expected at most 10,000"):
        record(tmp_path, [stream], always=lambda batch: np.ones(len(batch["id"]), bool))


def test_ids_that_are_numbers_are_their_decimal_text(tmp_path: Path) -> None:
    as_numbers = record(tmp_path / "numbers", [batch([0, 1], ids=np.array([38, 2**40]))]).sample()
    as_text = record(tmp_path / "text", [batch([0, 1], ids=[b"38", str(2**40)])]).sample()
    assert as_numbers.ids.tolist() == as_text.ids.tolist()
    assert set(as_numbers.ids) == {"38", "1099511627776"}


def test_the_hash_of_an_id_does_not_depend_on_its_neighbours() -> None:
    ids = ["", "a", "a\0", "12345678", "123456789", "ü" * 40, "x" * 500]
    alone = [int(hash_texts([identity])[0]) for identity in ids]
    assert hash_texts(ids).tolist() == alone
    assert len(set(alone)) == len(ids)


def test_the_hash_is_the_same_on_every_machine() -> None:
    def mix(word: int) -> int:
        word = (word + 0x9E3779B97F4A7C15) % 2**64
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
        return word ^ word >> 31

    text = b"question 1"
    state = mix(len(text) ^ 0x41637469566973)
    for word in (text[:8], text[8:].ljust(8, b"\0")):
        state = mix(state ^ int.from_bytes(word, "little"))
    assert int(hash_texts(["question 1"])[0]) == state


def test_without_ids_and_attributes_the_id_is_the_index(tmp_path: Path) -> None:
    sample = record(tmp_path, split(batch([0, 1, 2, 0]), [2]), subsets={"two": ["1", "3"]}).sample()
    assert sorted(sample.ids) == ["0", "1", "2", "3"]
    assert not sample.ids_given
    assert sorted(sample.index[sample.membership[:, 3]]) == [1, 3]


def test_equal_instances_without_ids_are_numbered(tmp_path: Path) -> None:
    texts = ["who", "what", "who", None, "who", None]
    sample = record(tmp_path, split(batch([0] * 6, attributes={"text": texts}), [1, 3])).sample()
    by_text = {text: sorted(sample.ids[[texts[index] == text for index in sample.index]]) for text in set(texts)}
    who = by_text["who"][0]
    assert by_text["who"] == [who, f"{who}-1", f"{who}-2"]
    assert by_text[None] == [by_text[None][0], f"{by_text[None][0]}-1"]
    assert len(by_text["what"]) == 1


@pytest.mark.parametrize("sizes", [[], [1], [2]], ids=["one batch", "next batch", "last"])
def test_an_id_that_comes_twice_is_refused_by_name(tmp_path: Path, sizes: list[int]) -> None:
    with pytest.raises(
        ArgumentError, match=r"ids: got the id 'x' twice in this recording; expected every instance once"
    ):
        record(tmp_path, split(batch([0, 1, 1], ids=["x", "y", "x"]), sizes))


@pytest.mark.parametrize("keep", ["sample", "all"])
def test_an_id_that_comes_again_much_later_is_refused_whether_or_not_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 10)
    stream = instances()
    kept = record(tmp_path / "run", [stream], sample=9).sample().ids
    again = {"kept": kept[0], "first": stream["ids"][0], "middle": stream["ids"][150]}
    assert not {again["first"], again["middle"]} & set(kept)
    for name, known in again.items():
        repeated = batch([1], np.zeros((1, 2)), ids=[known], attributes={"number": [0]})
        with pytest.raises(ArgumentError, match=f"the id '{known}' twice") as caught:
            record(tmp_path / name, [*split(stream, [150]), repeated], sample=9, keep=keep)
        assert "activis_tb.torch.positions(loader)" in str(caught.value)
        assert not list((tmp_path / name).rglob("*tfevents*"))


def test_after_an_id_that_came_twice_nothing_is_written_whoever_catches_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 10)
    stream = instances()
    recorder = activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, sample=9, quiet=True)
    recorder.process(**stream)
    recorder.process(**split(stream, [10])[0])
    new = split(instances(310), [300])[1]
    for call in (recorder.postprocess, recorder.extract, lambda: recorder.process(**new), recorder.postprocess):
        with pytest.raises(ArgumentError, match="the id 'q0' twice"):
            call()
    assert not list(tmp_path.rglob("*tfevents*"))


def test_of_too_many_instances_repeats_are_not_looked_for_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_ROWS", 10)
    monkeypatch.setattr(identity, "MOST_CHECKED", 299)
    with pytest.warns(UserWarning, match="of more than 299 instances, ids that come twice are not looked for"):
        assert record(tmp_path, [instances()], sample=9).manifest.instances == 300


def test_ids_that_never_came_are_warned_about(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"always lists 1 ids that never came, e\.g\. '9'"):
        record(tmp_path, [batch([0, 1], ids=[1, 2])], always=["2", "9"])


def test_samplers_of_several_workers_merge_to_that_of_one() -> None:
    numbers = np.arange(90)
    stream = batch(numbers % 3, numbers[:, None].astype(np.float32), ids=numbers)
    parts = [block(part, np.zeros((len(part["ids"]), 0), np.bool_)) for part in split(stream, [20, 50])]
    alone, merged = Sampler(3, 12), Sampler(3, 12)
    for part in parts:
        alone.add(part)
    for part in reversed(parts):
        worker = Sampler(3, 12)
        worker.add(part)
        kept, _ = worker.extract()
        merged.merge(kept, worker.counts)
    (expected, expected_drawn), (found, drawn) = alone.extract(), merged.extract()
    assert found.ids.tolist() == expected.ids.tolist()
    assert len(found) == 12
    assert_array_equal(found.activations["hidden"], expected.activations["hidden"])
    assert_array_equal(drawn, expected_drawn)


def test_estimates_from_the_sample_are_right_on_average() -> None:
    """400 populations of the same values under other ids: each draws another sample, whose mean is that of them all."""
    numbers = np.arange(200)
    labels, values = np.where(numbers < 150, 0, 1), (numbers**2).astype(np.float32)[:, None]
    estimates = []
    for population in range(400):
        stream = batch(labels, values, ids=[f"{population}/{number}" for number in numbers])
        sampler = Sampler(2, 20)
        sampler.add(block(stream, np.zeros((200, 0), np.bool_)))
        kept, drawn = sampler.extract()
        assert np.bincount(kept.label[drawn]).tolist() == [10, 10]
        means = [kept.activations["hidden"][kept.label == label].mean() for label in range(2)]
        estimates.append(np.average(means, weights=[150, 50]))
    standard_error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - values.mean()) < 3 * standard_error
    assert standard_error < 0.02 * values.mean()


def test_steps_runs_and_names_have_the_same_sample(tmp_path: Path) -> None:
    stream = instances()
    expected = record(tmp_path / "a", [stream], sample=30, step=0).sample().ids.tolist()
    for run, name, step in (("a", "validation", 1), ("a", "test", 0), ("b", "validation", 7)):
        other = stream | {"activations": {"hidden": np.full((300, 2), float(step))}}
        found = record(tmp_path / run, split(other, [40 * (step + 1)]), sample=30, step=step, name=name)
        assert found.sample().ids.tolist() == expected
