"""Every snippet of the recording guide runs as it stands, and records what the guide says."""

import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import activis_tb
from activis_tb.storage.decoding import SnapshotReader
from tests.unit.test_readme import snapshots, snippets_of

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
SNIPPETS = snippets_of("docs/record.md")
CLASSES = ["negative", "positive"]
INSTANCES = 40
Y = np.arange(INSTANCES) % 2
X = np.column_stack([Y, 1 - Y, np.arange(INSTANCES) / INSTANCES]).astype(np.float32)
SCORES = np.column_stack([1 - Y, Y]) * 0.8 + 0.1


def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x, np.column_stack([0.1 + 0.8 * (x[:, 0] < 0.5), 0.1 + 0.8 * (x[:, 0] >= 0.5)])


def run(snippet: str, logdir: Path, **names: object) -> SnapshotReader:
    """Runs a snippet and returns the one snapshot that it records."""
    exec(SNIPPETS[snippet], {"activis_tb": activis_tb, "logdir": logdir, "epoch": 3, "CLASSES": CLASSES, **names})
    ((step, reader),) = snapshots(logdir).items()
    assert step == 3
    return reader


def test_every_snippet_is_tested() -> None:
    assert set(SNIPPETS) - {"keras", "record", "tensorflow", "torch", "numpy"} == {
        "media",
        "unlabelled",
        "examples",
        "everything",
        "workers",
        "distributed",
        "positions",
        "shuffled",
        "tokens",
        "tokenizer",
        "heads",
    }


def test_the_media_snippet_takes_every_type(tmp_path: Path) -> None:
    with activis_tb.preprocess(tmp_path, step=0, layers=["hidden"], classes=CLASSES, quiet=True) as snapshot:
        names = {
            "activis_tb": activis_tb,
            "snapshot": snapshot,
            "y": Y,
            "probabilities": SCORES,
            "hidden": X,
            "pictures": np.zeros((INSTANCES, 5, 7, 3), np.uint8),
            "samples": np.zeros((INSTANCES, 100), np.float32),
            "speakers": ["ann", "bob"] * (INSTANCES // 2),
            "ages": np.ma.masked_less(np.arange(INSTANCES), 3),
        }
        exec(SNIPPETS["media"], names)
    (reader,) = snapshots(tmp_path).values()
    expected = (("spectrogram", "image"), ("recording", "audio"), ("speaker", "category"), ("age", "number"))
    assert reader.manifest.attributes == expected
    assert np.count_nonzero(~reader.attribute("age").present) == 3


def test_the_examples_snippet_keeps_test_cases_out_of_the_averages(tmp_path: Path) -> None:
    batches = [{"x": X, "y": Y, "text": [f"text {row}" for row in range(INSTANCES)]}]
    reader = run("examples", tmp_path, forward=forward, encode=lambda texts: 100 * X[: len(texts)], batches=batches)
    assert reader.manifest.instances == INSTANCES
    assert reader.examples().ids.tolist() == ["test case 1", "test case 2"]
    np.testing.assert_allclose(reader.statistic("hidden", "mean")[0], X[Y == 0].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(reader.example_activations("hidden"), 100 * X[:2])


@pytest.mark.filterwarnings("ignore:ActiVis. padding that the attention_mask")
def test_the_tokenizer_snippet_knows_the_tokens_of_what_the_model_is_called_with(tmp_path: Path) -> None:
    import torch

    class Tokenizer:
        pad_token_id = 0

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return ["[PAD]" if number == 0 else f"word{number}" for number in ids]

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = torch.nn.Embedding(5, 3)
            self.head = torch.nn.Linear(3, 2)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids)
            return self.head((states * attention_mask[..., None]).sum(1))

    torch.manual_seed(0)
    model = Model()
    lengths = torch.arange(INSTANCES) % 6
    mask = (torch.arange(6) < lengths[:, None]).long()
    ids = torch.randint(1, 5, (INSTANCES, 6)) * mask
    loader = [
        {"input_ids": ids[rows], "attention_mask": mask[rows], "labels": torch.tensor(Y[rows])}
        for rows in (slice(0, 16), slice(16, None))
    ]
    reader = run("tokenizer", tmp_path, model=model, tokenizer=Tokenizer(), loader=loader, torch=torch)
    table, found = reader.tokens("encoder"), reader.sample_positions("encoder")
    assert table is not None
    assert found is not None
    assert found.text_starts is not None
    assert sorted(table.tokens) == ["word1", "word2", "word3", "word4"]
    for token, count, mean in zip(table.tokens, table.count, table.mean, strict=True):
        number = int(token[-1])
        assert count == int((ids == number).sum())
        np.testing.assert_allclose(mean, model.encoder.weight[number].detach().numpy(), rtol=1e-6)
    index = reader.sample().index
    for at, row in enumerate(found.rows):
        own = [f"word{number}" for number in ids[index[row]].tolist() if number]
        assert found.texts[found.text_starts[at] : found.text_starts[at + 1]].tolist() == own


def test_the_heads_snippet_keeps_the_weights(tmp_path: Path) -> None:
    weights, bias = np.random.default_rng(1).normal(size=(3, 2)), np.array([0.5, -0.5])

    def through(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        powers = np.exp(x @ weights + bias)
        return x, powers / powers.sum(axis=1, keepdims=True)

    reader = run("heads", tmp_path, forward=through, x_val=X, y_val=Y, weights=weights, bias=bias)
    head = reader.head("hidden")
    assert head is not None
    np.testing.assert_allclose(head.weights, weights, rtol=1e-6)


def test_the_tokens_snippet_knows_which_word_a_position_belongs_to(tmp_path: Path) -> None:
    vocabulary = ["", "what", "is", "a", "cab"]
    batches = [{"x": np.array([[1, 2, 3, 4, 0], [4, 1, 0, 0, 0]]), "y": [0, 1]}]
    conv3 = np.arange(6.0).reshape(2, 3, 1)
    reader = run(
        "tokens", tmp_path, forward=lambda _: (conv3, X[:2], SCORES[:2]), batches=batches, vocabulary=vocabulary
    )
    top = reader.top_positions("conv3")
    assert [top.texts[place, 3] for place in top.place[0] if place >= 0] == ["what", "cab", "a", "is"]
    assert reader.tokens("hidden") is None


def test_the_unlabelled_snippet_claims_no_accuracy(tmp_path: Path) -> None:
    reader = run("unlabelled", tmp_path, forward=lambda x: (x, SCORES), batches=[{"x": X}])
    found = [(subset.name, subset.count, subset.correct) for subset in reader.manifest.subsets]
    assert found == [("unlabelled", INSTANCES, 0), ("unsure", 0, 0)]


def test_the_snippet_that_keeps_everything_stores_every_instance(tmp_path: Path) -> None:
    topics, lengths = ["sea", "land"] * (INSTANCES // 2), np.arange(INSTANCES)
    batches = [{"x": X, "y": Y, "topic": topics, "length": lengths}]
    reader = run("everything", tmp_path, forward=forward, batches=batches, topics=topics, lengths=lengths)
    assert reader.manifest.stored == INSTANCES
    counts = {subset.name: subset.count for subset in reader.manifest.subsets[2:]}
    assert counts["topic: sea"] == INSTANCES // 2
    assert len(counts) == 6
    assert counts["length <= 9"] == INSTANCES // 4


@pytest.mark.filterwarnings("ignore:ActiVis. padding that the attention_mask")
def test_the_positions_snippet_leaves_padding_out_and_takes_the_tensors_it_names(tmp_path: Path) -> None:
    import torch

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(20, 4)
            self.norm = torch.nn.LayerNorm(4)

        def forward(self, words: torch.Tensor) -> dict[str, object]:
            states = self.embedding(words)
            return {"last_hidden_state": self.norm(states), "hidden_states": (states, states + 1)}

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = Encoder()
            self.lstm = torch.nn.LSTM(4, 3, batch_first=True)
            self.head = torch.nn.Linear(3, 2)

        def forward(self, words: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(words)["last_hidden_state"]
            return self.head(self.lstm(states * attention_mask[..., None])[1][0][-1])

    torch.manual_seed(0)
    model = Classifier()
    words, mask = (
        torch.randint(0, 20, (INSTANCES, 6)),
        torch.tensor([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]]).repeat(20, 1),
    )
    batches = [{"words": words, "mask": mask, "y": Y}]
    reader = run("positions", tmp_path, torch=torch, model=model, batches=batches)
    with torch.no_grad():
        states = model.encoder(words)["hidden_states"][1]
        last = model.encoder(words)["last_hidden_state"]
        hidden = model.lstm(last * mask[..., None])[1][0][-1]
    first = states[torch.arange(INSTANCES), mask.argmax(1)]
    mean = (last * mask[..., None]).sum(1) / 4
    for layer, values in (("encoder[hidden_states][1]", first), ("encoder", mean), ("lstm[1][0][-1]", hidden)):
        expected = values[Y == 0].numpy().mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(reader.statistic(layer, "mean")[0], expected, rtol=1e-5, atol=1e-6)
    assert [layer.pooling for layer in reader.manifest.layers] == ["first", "mean", ""]


def test_the_workers_snippet_records_what_one_process_would(tmp_path: Path) -> None:
    ids = [f"id {row}" for row in range(INSTANCES)]
    reader = run("workers", tmp_path, half=17, y=Y, scores=SCORES, ids=ids, hidden=X)
    assert reader.manifest.instances == INSTANCES
    np.testing.assert_allclose(reader.statistic("hidden", "mean")[1], X[Y == 1].mean(axis=0), rtol=1e-6)


DISTRIBUTED = """
import sys
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
import activis_tb
from tests.unit.test_guide import CLASSES, SNIPPETS, questions

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
for instances in (401, 5001):
    model, x, y, texts = questions(instances)
    data = TensorDataset(x, y)
    loader = DataLoader(data, 50, sampler=DistributedSampler(data, shuffle=True, seed=3))
    names = {"activis_tb": activis_tb, "logdir": f"{folder}/{instances}", "epoch": 3, "CLASSES": CLASSES}
    exec(SNIPPETS["distributed"], names | {"model": model, "loader": loader, "texts": texts})
torch.distributed.destroy_process_group()
"""


def questions(instances: int) -> tuple[Any, Any, Any, np.ndarray]:
    """A small model, the same everywhere, and what it is asked."""
    import torch

    generator = torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(OrderedDict(hidden=torch.nn.Linear(3, 4), out=torch.nn.Linear(4, 2)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    x = torch.randn((instances, 3), generator=generator)
    return model, x, torch.arange(instances) % 2, np.array([f"text {row}" for row in range(instances)])


def test_two_processes_with_padding_record_what_one_would(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", DISTRIBUTED, str(rank), str(tmp_path)] for rank in range(2)]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for worker in workers:
        _, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors[-3000:]
    for instances in (401, 5001):
        model, x, y, _ = questions(instances)
        hidden = model.hidden(x).detach().numpy()
        (reader,) = snapshots(tmp_path / str(instances)).values()
        sample = reader.sample()
        assert reader.manifest.instances == instances
        assert [subset.count for subset in reader.manifest.subsets] == np.bincount(y).tolist()
        for label in range(2):
            expected = hidden[y == label].mean(axis=0, dtype=np.float64)
            np.testing.assert_allclose(reader.statistic("hidden", "mean")[label], expected, rtol=1e-5)
        rows = sample.ids.astype(int)
        assert sample.attributes[0].values.tolist() == [f"text {row}" for row in rows]
        np.testing.assert_allclose(reader.activations("hidden"), hidden[rows], rtol=1e-5)


def test_the_snippet_of_shuffled_data_keeps_columns_at_their_instances(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    texts, ids = [f"text {row}" for row in range(INSTANCES)], np.arange(INSTANCES)
    names = {"tf": tf, "model": model, "x_val": X, "y_val": Y, "texts": texts, "ids": ids}
    sample = run("shuffled", tmp_path, **names).sample()
    (text,) = sample.attributes
    rows = sample.ids.astype(int)
    assert [text.categories[code] for code in text.values] == [texts[row] for row in rows]
    np.testing.assert_array_equal(sample.label, Y[rows])
    logits = model.predict(X, verbose=0)[rows].astype(np.float64)
    np.testing.assert_allclose(sample.scores[:, 1], 1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), rtol=1e-5)


@pytest.mark.parametrize("size", [10_000, 96, 160_000, 50_000_000])
def test_the_limits_that_the_guide_states_are_those_of_the_code(size: int) -> None:
    from activis_tb import model
    from activis_tb.recording import identity, media

    assert size in {model.MOST_CHARACTERS, media.LONGEST_SIDE, media.MOST_BYTES, identity.MOST_CHECKED}
    assert f"{size:,}" in GUIDE
