"""On every back end of Keras, every kind of model gives the values that its own outputs say."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.unit.keras.cases import CASES, TOKENS
from tests.unit.keras.models import Y, graph, in_order, snapshots

ROOT = Path(__file__).resolve().parents[3]
CLOSE = {"rtol": 2e-5, "atol": 2e-6}
HAS_GRAPH = [case for case in CASES if case != "data_of_pytorch"]


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def recordings(request, tmp_path_factory) -> Path:
    """A folder with every case, recorded in one process of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    environment = os.environ | {"KERAS_BACKEND": request.param, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-W", "error:::activis_tb", "-m", "tests.unit.keras.cases", str(folder)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_values_are_those_of_the_models_own_outputs(recordings: Path, case: str) -> None:
    (reader,) = snapshots(recordings / case).values()
    expected = {key.replace("|", "/"): values for key, values in np.load(recordings / f"{case}.npz").items()}
    scores = expected.pop("scores", None)
    assert [layer.name for layer in reader.manifest.layers] == list(expected)
    for layer, values in expected.items():
        assert_allclose(in_order(reader, reader.activations(layer)), values, err_msg=layer, **CLOSE)
        for position in range(3):
            members = np.ma.masked_invalid(values[position == Y].astype(np.float64))
            assert_allclose(reader.statistic(layer, "mean")[position], members.mean(axis=0), err_msg=layer, **CLOSE)
            assert_allclose(reader.statistic(layer, "std")[position], members.std(axis=0), err_msg=layer, **CLOSE)
    np.testing.assert_array_equal(in_order(reader, reader.sample().label), Y)
    if scores is not None:
        assert_allclose(in_order(reader, reader.sample().scores), scores, **CLOSE)


def test_every_position_of_sampled_instances_is_kept(recordings: Path) -> None:
    kinds = set()
    for case in CASES:
        (reader,) = snapshots(recordings / case).values()
        for layer in reader.manifest.layers:
            found, activations = reader.sample_positions(layer.name), reader.activations(layer.name)
            assert (found is not None) == (layer.pooling in {"max", "mean"})
            if found is None or layer.positions == "tokens":
                continue
            kinds.add(layer.positions)
            assert_array_equal(found.rows, np.arange(len(activations)))
            values = np.where(found.codes == 0, 0, found.origin + (found.codes - 0.5) * found.scale)
            values[found.codes == 255] = np.nan
            for row, own in enumerate(np.split(values, found.starts[1:-1])):
                finite = np.isfinite(activations[row])
                pooled = (np.nanmax if layer.pooling == "max" else np.nanmean)(own[:, finite], axis=0)
                close = np.abs(pooled - activations[row, finite]) <= found.scale[finite] * 0.51 + 1e-6
                assert close.all(), f"{case}, {layer.name}"
                if layer.pooling == "max":
                    places = reader.arg_positions(layer.name)[row, finite].astype(int)
                    assert_array_equal(own[places, np.flatnonzero(finite)], pooled)
    assert kinds == {"steps", "grid"}


@pytest.mark.parametrize("case", HAS_GRAPH)
def test_every_recorded_layer_is_in_the_graph(recordings: Path, case: str) -> None:
    (reader,) = snapshots(recordings / case).values()
    shown = graph(recordings / case, reader)
    tensors = {node.full_name for node in shown.nodes if node.layer}
    assert tensors == {layer.tensor for layer in reader.manifest.layers if layer.tensor}
    hidden = [layer.name for layer in reader.manifest.layers if not layer.tensor]
    assert hidden in ([], ["both/forward_lstm"]), "JAX and PyTorch show a Bidirectional as one operation"


def test_an_embedding_is_the_same_wherever_its_word_stands(recordings: Path) -> None:
    (reader,) = snapshots(recordings / "masks").values()
    words, times = np.unique(TOKENS[TOKENS > 0], return_counts=True)
    table = reader.tokens("embedding")
    counts = {f"word {word}": count for word, count in zip(words, times.tolist(), strict=True) if count >= 3}
    assert dict(zip(table.tokens, table.count.tolist(), strict=True)) == counts
    assert_allclose(table.mean, table.max, rtol=1e-5, atol=1e-7)
    assert reader.tokens("both").positions == times.sum()


def test_shapes_and_types_are_those_on_the_device(recordings: Path) -> None:
    def layers(case: str) -> dict[str, tuple[tuple[int, ...], str, str]]:
        (reader,) = snapshots(recordings / case).values()
        return {layer.name: (layer.shape, layer.dtype, layer.pooling) for layer in reader.manifest.layers}

    assert layers("ranks") == {
        "scalar": ((1,), "float32", ""),
        "flat": ((12,), "float32", ""),
        "sequence": ((6, 3), "float32", "max"),
        "picture": ((3, 2, 2), "float32", "max"),
        "volume": ((3, 2, 1, 2), "float32", "max"),
    }
    assert layers("variable_length") == {"conv": ((-1, 4), "float32", "max")}
    assert layers("wide_and_low_precision") == {"wide": ((16_384,), "bfloat16", "")}
    assert layers("masks")["both"] == ((7, 4), "float32", "mean")
