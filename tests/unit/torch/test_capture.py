"""What is captured is what the modules return, pooled, and the model is as it was."""

import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import activis_tb
from activis_tb.errors import ArgumentError
from tests.unit.recording.helpers import read_snapshots
from tests.unit.torch.models import CLASSES, INSTANCES, LABELS, PICTURES, outputs, residual


def captured(model, layers, *inputs, **options):
    with torch.no_grad(), activis_tb.torch.capture(model, layers, **options) as capture:
        model(*inputs)
    return capture.activations


def test_what_is_captured_is_what_the_modules_return():
    model = residual()
    got = captured(model, ["features.0", "features", "relu:1", "relu:2", "lstm", "fc1", "fc2"], PICTURES)
    relu = outputs(model, "relu")
    expected = {
        "features.0": outputs(model, "features.0")[0].amax((2, 3)),
        "features": outputs(model, "features")[0].amax((2, 3)),
        "relu:1": relu[0].amax((2, 3)),
        "relu:2": relu[1],
        "lstm": outputs(model, "lstm")[0][0].amax(0),
        "fc1": outputs(model, "fc1")[0],
        "fc2": model(PICTURES).detach(),
    }
    assert list(got) == list(expected)
    for name, values in expected.items():
        assert_array_equal(got[name], values.numpy(), err_msg=name)
    assert (got["features"].shape, got["features"].pooling, got["features"].dtype) == ((4, 6, 5), "max", "float32")
    assert (got["lstm"].shape, got["fc1"].shape, got["fc1"].pooling) == ((5, 3), (2,), "")


def test_a_recording_of_batches_has_the_averages_of_the_modules_outputs(tmp_path):
    model = residual()
    layers = ["features", "fc1"]
    with activis_tb.torch.capture(model, layers) as capture:
        graph = capture.graph(PICTURES[:2])
        with activis_tb.preprocess(
            tmp_path, step=3, layers=layers, classes=CLASSES, graph=graph, quiet=True
        ) as snapshot:
            for rows in (slice(0, 4), slice(4, None)):
                scores = model(PICTURES[rows]).softmax(1)
                snapshot.process(labels=LABELS[rows], scores=scores, activations=capture.activations)
    (reader,) = read_snapshots(tmp_path / "activis")
    for name, values in (("features", outputs(model, "features")[0].amax((2, 3))), ("fc1", outputs(model, "fc1")[0])):
        for position in range(3):
            expected = values.numpy()[position == LABELS].mean(axis=0, dtype=np.float64)
            assert_allclose(reader.statistic(name, "mean")[position], expected, rtol=1e-5, atol=1e-6)
    assert [layer.tensor for layer in reader.manifest.layers] == ["features/2/dropout:0", "fc1/linear:0"]


def test_the_model_trains_as_without_it():
    gradients = []
    for layers in ([], ["features", "fc1"]):
        model = residual().train()
        torch.manual_seed(7)
        with activis_tb.torch.capture(model, layers):
            loss = nn.functional.cross_entropy(model(PICTURES), torch.tensor(LABELS))
        loss.backward()
        assert model.training
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for without, with_capture in zip(*gradients, strict=True):
        assert_array_equal(with_capture.numpy(), without.numpy())


def test_no_hook_stays():
    model = residual()
    with pytest.raises(ZeroDivisionError), activis_tb.torch.capture(model, ["fc1"]):
        raise ZeroDivisionError
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_every_pass_replaces_the_one_before():
    model = residual()
    with torch.no_grad(), activis_tb.torch.capture(model, ["fc1"]) as capture:
        model(PICTURES)
        first = capture.activations["fc1"]
        model(PICTURES[:2])
        assert_array_equal(capture.activations["fc1"], np.asarray(first)[:2])
        model.fc1(torch.zeros(5, 3))
        assert_array_equal(capture.activations["fc1"], model.fc1.bias.expand(5, 2).numpy())


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_it_works_with_and_without_gradients(context):
    model = residual()
    with context(), activis_tb.torch.capture(model, ["fc1"]) as capture:
        model(PICTURES)
    assert_array_equal(capture.activations["fc1"], outputs(model, "fc1")[0].numpy())


def test_low_precision_becomes_float32_and_keeps_its_type_name():
    model = residual()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), activis_tb.torch.capture(model, ["fc1"]) as capture:
        model(PICTURES)
        expected = outputs(model, "fc1")[0]
    got = capture.activations["fc1"]
    assert (got.dtype, got.values.dtype) == ("bfloat16", np.float32)
    assert_array_equal(got, expected.float().numpy())


class Returning(nn.Module):
    """A model whose module `inner` returns what it is told."""

    def __init__(self, output):
        super().__init__()
        self.inner = nn.Identity()
        self.output = output

    def forward(self, _):
        return self.inner(self.output)


X = torch.arange(24.0).reshape(2, 3, 4)


@pytest.mark.filterwarnings("ignore:ActiVis. nothing tells which axis")
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (X, [[8, 9, 10, 11], [20, 21, 22, 23]]),
        ((X, X[:1]), [[8, 9, 10, 11], [20, 21, 22, 23]]),
        (OrderedDict(last_hidden_state=X[:, 0], pooled=X), [[0, 1, 2, 3], [12, 13, 14, 15]]),
        ({"states": [X[..., 0]]}, [[0, 4, 8], [12, 16, 20]]),
        (X[:, 0, 0], [[0], [12]]),
        (-X[:, :, 0].int(), [[0, -4, -8], [-12, -16, -20]]),
        (X.reshape(2, 2, 3, 2, 1), [[5], [11]]),
        (X.reshape(2, 2, 3, 2), [[5, 11], [17, 23]]),
    ],
    ids=["sequence", "tuple", "dict", "nested", "one number", "integers", "volume", "picture"],
)
def test_outputs_of_every_form_and_rank(output, expected):
    if isinstance(output, torch.Tensor) and output.ndim == 5:
        expected = output.amax((2, 3, 4)).tolist()
    assert_array_equal(captured(Returning(output), ["inner"], X)["inner"], expected)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantized_outputs_are_the_numbers_they_stand_for():
    quantized = torch.quantize_per_tensor(X / 10, 0.125, 0, torch.qint8)
    got = captured(Returning(quantized), [activis_tb.LayerSpec("inner", channel_axis=2)], X)["inner"]
    assert got.dtype == "qint8"
    assert_array_equal(got, (torch.round(X / 10 / 0.125) * 0.125).amax(1))


def test_channels_are_where_they_are_said_to_be():
    last = activis_tb.LayerSpec("inner", channel_axis=-1)
    assert_array_equal(captured(Returning(X[None]), [last], X)["inner"], [[20, 21, 22, 23]])
    second = activis_tb.LayerSpec("inner", "mean", channel_axis=1)
    assert_array_equal(captured(Returning(X), [second], X)["inner"], X.mean(2).numpy())
    convolution = nn.Sequential(nn.Conv1d(3, 2, 2))
    expected = convolution(X).detach().amax(2).numpy()
    assert_array_equal(captured(convolution, ["0"], X)["0"], expected)


PACKED = nn.utils.rnn.pack_padded_sequence(X, [3, 2], batch_first=True)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (PACKED, "which returns a packed sequence; expected a tensor. Record a layer after torch.nn.utils.rnn.pad"),
        ("text", "which returns str; expected a layer that returns a dense tensor of real numbers"),
        ((), "which returns tuple; expected a layer that returns a dense tensor of real numbers"),
        (torch.tensor(3.0), "which returns torch.float32 (); expected a layer that returns a dense tensor"),
        (X.to_sparse(), "which returns Tensor; expected a layer that returns a dense tensor of real numbers"),
        (torch.view_as_complex(X.reshape(2, 3, 2, 2)), "which returns torch.complex64 (2, 3, 2); expected"),
        (X[:, :0], "'inner' of shape (2, 0, 4); expected a layer without an empty axis"),
    ],
    ids=["packed", "text", "nothing", "one number for all", "sparse", "complex", "no step"],
)
def test_what_is_no_layer_is_refused(output, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        captured(Returning(output), ["inner"], X)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["fc3"], "got 'fc3'; expected modules of Residual: 'features', 'features.0'"),
        (["feature.0"], "Did you mean 'features.0'"),
        ("fc1", "Write layers=['fc1']."),
        (["relu"], "'relu', which the forward pass calls 2 times; expected 'relu:1', 'relu:2'."),
        (["relu:3"], "got 'relu:3'; expected a call from 1 to 2."),
        ([activis_tb.LayerSpec("features", channel_axis=4)], "expected an axis from 1 to 3, or negative from the end"),
    ],
)
def test_what_the_model_has_not_is_refused(layers, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        captured(residual(), layers, PICTURES)


def test_reading_before_the_model_ran_is_refused():
    with activis_tb.torch.capture(residual(), ["fc1"]) as capture, pytest.raises(ArgumentError, match="not called"):
        _ = capture.activations


def test_scores_and_labels_may_be_tensors_with_gradients(tmp_path):
    with activis_tb.preprocess(tmp_path, step=0, layers=["a"], classes=CLASSES, quiet=True) as snapshot:
        scores = torch.full((INSTANCES, 3), 1 / 3, dtype=torch.bfloat16, requires_grad=True)
        snapshot.process(labels=torch.tensor(LABELS), scores=scores, activations={"a": scores})
    (reader,) = read_snapshots(tmp_path / "activis")
    assert_allclose(reader.statistic("a", "mean")[0], [1 / 3] * 3, rtol=4e-3)


def test_the_weights_after_a_captured_layer_are_kept_where_they_give_the_scores(tmp_path):
    model = nn.Sequential(OrderedDict(fc=nn.Linear(4, 5), act=nn.ReLU(), drop=nn.Dropout(), out=nn.Linear(5, 3))).eval()
    inputs = torch.randn(INSTANCES, 4, generator=torch.Generator().manual_seed(1))
    layers = ["fc", "act", "out"]
    with torch.no_grad(), activis_tb.torch.capture(model, layers) as capture:
        arguments = {"layers": layers, "classes": CLASSES, "heads": capture.heads, "quiet": True}
        with activis_tb.preprocess(tmp_path, step=0, **arguments) as recorder:
            scores = model(inputs).softmax(1)
            recorder.process(labels=LABELS, scores=scores, activations=capture.activations)
    (reader,) = read_snapshots(tmp_path / "activis")
    assert_array_equal(reader.head("act").weights, model.out.weight.detach().numpy().T)
    assert_array_equal(reader.head("act").bias, model.out.bias.detach().numpy())
    assert reader.head("fc") is None
    assert reader.head("out") is None


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_positions_of_sampled_instances_leave_the_device_as_they_were_returned(tmp_path, pooling):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(3))
    with torch.no_grad():
        expected = model[0](PICTURES).numpy().copy()  # what the next module overwrites
    layers = [activis_tb.LayerSpec("0", pooling), activis_tb.LayerSpec("1", pooling, positions=False)]
    with (
        torch.no_grad(),
        activis_tb.torch.capture(model, layers) as capture,
        activis_tb.preprocess(tmp_path, step=0, layers=layers, classes=CLASSES, sample=4, quiet=True) as snapshot,
    ):
        for rows in (slice(0, 4), slice(4, None)):
            scores = model(PICTURES[rows]).softmax(1)
            activations = capture.activations
            assert activations["1"].take is None
            snapshot.process(labels=LABELS[rows], scores=scores, activations=activations)
    (reader,) = read_snapshots(tmp_path / "activis")
    found, index = reader.sample_positions("0"), reader.sample().index
    assert reader.sample_positions("1") is None
    assert [layer.positions for layer in reader.manifest.layers] == ["grid", ""]
    assert len(found.rows) == len(index) < INSTANCES
    values = np.where(found.codes == 0, 0, found.origin + (found.codes - 0.5) * found.scale)
    own = expected[index].reshape(len(index), 4, -1).transpose(0, 2, 1)
    assert_allclose(values, own.reshape(-1, 4), atol=0.51 * found.scale.max())
    places = reader.arg_positions("0")
    if pooling == "max":
        assert_array_equal(places, own.argmax(1))
    else:
        assert places is None
