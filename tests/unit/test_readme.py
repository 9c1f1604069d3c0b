"""Every snippet of the README, and those for frameworks of the guide, runs as it stands and records what it says."""

import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from activis_tb.storage.decoding import SnapshotReader
from activis_tb.storage.metadata import parse_tag

ROOT = Path(__file__).resolve().parents[2]


def snippets_of(page: str) -> dict[str, str]:
    """The Python snippets of a page, by the name in the comment before each."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = dict(re.findall(r"<!-- tested: (\w+) -->\n```python\n(.*?)```", text, flags=re.DOTALL))
    assert len(found) == text.count("```python"), f"{page}: a snippet has no name, or two have one"
    return found


README, GUIDE = snippets_of("README.md"), snippets_of("docs/record.md")
IN_BOTH = pytest.mark.parametrize("snippets", [README, GUIDE], ids=["README.md", "record.md"])
CLASSES = ["DESC", "NUM"]
TEXTS = np.array(["What is a golf ball ?", "How far is the moon ?", "What is the speed of light ?", "Who ?"] * 12)
INSTANCES = len(TEXTS)


def snapshots(logdir: Path) -> dict[int, SnapshotReader]:
    """The snapshots below `logdir`, by step."""
    found = {}
    for path in sorted(logdir.rglob("*tfevents*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if parse_tag(value.tag):
                    blobs = list(value.tensor.string_val)
                    found[event.step] = SnapshotReader(blobs[0], blobs.__getitem__)
    return found


def subset_counts(reader: SnapshotReader) -> dict[str, int]:
    return {subset.name: subset.count for subset in reader.manifest.subsets}


@pytest.fixture
def data():
    generator = np.random.default_rng(3)
    x = generator.normal(size=(INSTANCES, 5)).astype(np.float32)
    y = generator.integers(0, 2, INSTANCES)
    weights = generator.normal(size=(5, 4)).astype(np.float32)

    def forward(inputs):
        hidden = np.maximum(np.asarray(inputs) @ weights, 0)
        exponentials = np.exp(hidden[:, :2])
        return hidden, exponentials / exponentials.sum(axis=1, keepdims=True)

    return x, y, forward


def test_every_framework_has_a_snippet() -> None:
    assert set(README) == {"keras", "torch"}
    assert {"keras", "record", "tensorflow", "torch", "numpy"} <= set(GUIDE)


def test_the_readme_is_read_in_one_sitting_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("https://")]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_numpy_snippet_records(tmp_path: Path, data) -> None:
    x, y, forward = data
    batches = [
        {
            "x": x[rows],
            "y": y[rows],
            "ids": [str(number) for number in range(INSTANCES)[rows]],
            "text": TEXTS[rows],
            "length": np.array([len(text.split()) for text in TEXTS[rows]]),
        }
        for rows in (slice(0, 20), slice(20, None))
    ]
    exec(GUIDE["numpy"], {"logdir": tmp_path, "epoch": 4, "CLASSES": CLASSES, "batches": batches, "forward": forward})
    (reader,) = snapshots(tmp_path).values()
    assert reader.manifest.step == 4
    assert subset_counts(reader)["my test cases"] == 2
    np.testing.assert_allclose(
        reader.statistic("hidden", "mean")[0], forward(x)[0][y == 0].mean(axis=0, dtype=np.float64), rtol=1e-5
    )


def test_the_tensorflow_snippet_records(tmp_path: Path, data) -> None:
    x, y, forward = data
    names = {
        "logdir": str(tmp_path),
        "epoch": 2,
        "CLASSES": CLASSES,
        "forward": forward,
        "accuracy": lambda labels, scores: float((scores.argmax(axis=1) == labels).mean()),
        "x_val": x,
        "y_val": y,
        "texts": TEXTS,
    }
    exec(GUIDE["tensorflow"], names)
    (reader,) = snapshots(tmp_path).values()
    assert reader.manifest.step == 2
    assert reader.manifest.instances == INSTANCES
    np.testing.assert_allclose(
        reader.statistic("hidden", "mean")[1], forward(x)[0][y == 1].mean(axis=0, dtype=np.float64), rtol=1e-5
    )


@IN_BOTH
def test_the_torch_snippet_records(tmp_path: Path, data, snippets: dict[str, str]) -> None:
    import torch

    x, y, _ = data
    torch.manual_seed(0)
    features = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU())
    model = torch.nn.Sequential(OrderedDict(features=features, fc1=torch.nn.Linear(4, 2)))
    pairs = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=20)
    exec(snippets["torch"], {"logdir": tmp_path, "epoch": 5, "CLASSES": CLASSES, "model": model, "loader": loader})
    (reader,) = snapshots(tmp_path).values()
    assert [layer.tensor for layer in reader.manifest.layers] == ["features/1/relu:0", "fc1/linear_1:0"]
    expected = model.features(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(
        reader.statistic("features", "mean")[0], expected[y == 0].mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-7
    )


def keras_model():
    """The model of the Keras snippets, and one that ends at its hidden layer."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="relu", name="hidden")(inputs)
    output = keras.layers.Dense(2, activation="softmax", name="output")(hidden)
    model = keras.Model(inputs, output)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model, keras.Model(inputs, hidden)


def test_the_record_snippet_records(tmp_path: Path, data) -> None:
    x, y, _ = data
    model, inner = keras_model()
    names = {"logdir": tmp_path, "epoch": 7, "CLASSES": CLASSES, "model": model, "x_val": x, "y_val": y}
    exec(GUIDE["record"], names)
    np.testing.assert_allclose(
        snapshots(tmp_path)[7].statistic("hidden", "mean")[1],
        inner(x).numpy()[y == 1].mean(axis=0, dtype=np.float64),
        rtol=1e-5,
    )


@IN_BOTH
def test_the_keras_snippet_records(tmp_path: Path, data, snippets: dict[str, str]) -> None:
    x, y, _ = data
    model, inner = keras_model()
    names = {
        "logdir": str(tmp_path),
        "CLASSES": CLASSES,
        "model": model,
        "x_train": x,
        "y_train": y,
        "x_val": x,
        "y_val": y,
        "texts": TEXTS,
    }
    exec(snippets["keras"], names)
    found = snapshots(tmp_path)
    assert len(found) == 3
    last = found[max(found)]
    assert subset_counts(last)["What is"] == INSTANCES // 2
    expected = inner(x).numpy()
    np.testing.assert_allclose(
        last.statistic("hidden", "mean")[0], expected[y == 0].mean(axis=0, dtype=np.float64), rtol=1e-5
    )
