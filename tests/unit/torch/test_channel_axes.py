"""Neurons are on the axis where the modules have their channels; where that is open, there is one warning."""

import re
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn
from torch.nn.utils import parametrizations, spectral_norm

import activis_tb
from tests.unit.torch import look_alikes as models
from tests.unit.torch.models import outputs

torch.manual_seed(1)
PICTURES = torch.randn(5, 3, 20, 16)
WORDS = torch.randint(0, 50, (5, 11))
STEPS = torch.randn(5, 11, 8)

CONVNEXT = {
    "features.0.0": 1, "features.0.1": 1, "features.0": 1, "features.1.0.block.0": 1, "features.1.0.block.1": 3,
    "features.1.0.block.2": 3, "features.1.0.block.3": 3, "features.1.0.block.4": 3, "features.1.0.block.6": 1,
    "features.1.0.block": 1, "features.1.0.stochastic_depth": 1, "features.1.0": 1, "features.1": 1,
    "features.2.0": 1, "features.2": 1, "features": 1, "avgpool": 1, "classifier.0": 1,
}  # fmt: skip
SWIN = {
    "features.0.0": 1, "features.0.1": 3, "features.0": 3, "features.1.0.norm1": 3, "features.1.0.qkv": 3,
    "features.1.0.stochastic_depth:1": 3, "features.1.0.stochastic_depth:2": 3, "features.1.0.mlp": 3,
    "features.1.0.mlp.1": 3, "features.1.0": 3, "features.1": 3, "features.2.norm": 3, "features.2": 3,
    "features.3": 3, "features": 3, "norm": 3, "permute": 1, "avgpool": 1,
}  # fmt: skip
VIT = {
    "patch_embed.proj": 1, "patch_embed": 2, "drop": 2, "blocks.0.ln_1": 2, "blocks.0.attention.attention": 2,
    "blocks.0.attention.drop": 2, "blocks.0.attention": 2, "blocks.0.mlp.1": 2, "blocks.0.mlp": 2, "blocks.0": 2,
    "blocks.1": 2, "norm": 2,
}  # fmt: skip
CONVOLUTIONAL = {
    "stem.0": 1, "stem.1": 1, "stem.2": 1, "stem": 1, "dense.conv1": 1, "dense": 1, "squeeze.avgpool": 1, "squeeze": 1,
    "pool": 1, "dropout": 1, "norm": 1, "act": 1, "up": 1, "shuffle": 1,
}  # fmt: skip
TEXT = {
    "embedding": 2, "embedding_dropout": 2, "conv": 1, "norm": 1, "act": 1, "pool": 1, "back": 2, "rnn": 2,
    "rnn_dropout": 2,
}  # fmt: skip
LANGUAGE = {
    "transformer.wte": 2, "transformer.h.0.norm": 2, "transformer.h.0.c_fc": 2, "transformer.h.0.act": 2,
    "transformer.h.0": 2, "transformer.h.1": 2, "transformer.ln_f": 2, "transformer": 2,
    "transformer[hidden_states][0]": 2, "transformer[hidden_states][2]": 2,
}  # fmt: skip
WHOLE = {
    "convnext": (models.ConvNeXt, PICTURES, CONVNEXT),
    "swin": (models.Swin, PICTURES, SWIN),
    "vit": (models.ViT, PICTURES, VIT),
    "convolutions": (models.ConvNet, PICTURES, CONVOLUTIONAL),
    "text": (models.TextCNN, WORDS, TEXT),
    "language model": (models.LanguageModel, WORDS, LANGUAGE),
}


def captured(model, layers, inputs):
    with torch.no_grad(), activis_tb.torch.capture(model.eval(), layers) as capture:
        model(inputs)
        return capture.activations


def first_tensor(output):
    while not isinstance(output, torch.Tensor):
        output = output.last_hidden_state if isinstance(output, models.ModelOutput) else output[0]
    return output


def maximum(output, axis):
    channels_last = output.movedim(axis, -1)
    return channels_last.flatten(1, -2).amax(1).detach().numpy()


@pytest.mark.parametrize(("make", "inputs", "axes"), WHOLE.values(), ids=WHOLE)
def test_every_layer_of_models_of_the_field_has_its_channels_without_a_warning(make, inputs, axes):
    model = make().eval()
    got = captured(model, list(axes), inputs)
    for name, axis in axes.items():
        path, call = name.partition("[")[0].partition(":")[::2]
        output = outputs(model, path, inputs)[int(call or 1) - 1]
        if "hidden_states" in name:
            output = output.hidden_states[int(name[-2])]
        assert_array_equal(got[name], maximum(first_tensor(output), axis), err_msg=name)


@pytest.mark.parametrize("name", ["features.3", "features.1.0.stochastic_depth:2", "features.0.1"])
def test_one_layer_alone_is_followed_as_well(name):
    model = models.Swin().eval()
    path, call = name.partition(":")[::2]
    expected = maximum(outputs(model, path, PICTURES)[int(call or 1) - 1], 3)
    assert_array_equal(captured(model, [name], PICTURES)[name], expected)


KINDS = {
    "Linear": (nn.Linear(8, 6), STEPS, 2),
    "Linear on four axes": (nn.Linear(8, 6), STEPS.reshape(5, 1, 11, 8), 3),
    "Linear that is lazy": (nn.LazyLinear(6), STEPS, 2),
    "Linear that is parametrized": (parametrizations.weight_norm(nn.Linear(8, 6)), STEPS, 2),
    "Linear with a spectral norm": (spectral_norm(nn.Linear(8, 6)), STEPS, 2),
    "Bilinear": (nn.Sequential(nn.Linear(8, 6)), STEPS, 2),
    "LayerNorm": (nn.LayerNorm(8), STEPS.reshape(5, 1, 11, 8), 3),
    "RMSNorm": (nn.RMSNorm(8), STEPS, 2),
    "GroupNorm": (nn.GroupNorm(1, 11), STEPS, 1),
    "BatchNorm1d": (nn.BatchNorm1d(11), STEPS, 1),
    "InstanceNorm1d": (nn.InstanceNorm1d(11), STEPS, 1),
    "Embedding": (nn.Embedding(50, 6), WORDS, 2),
    "Embedding of words in sentences": (nn.Embedding(50, 6), WORDS.reshape(5, 11, 1), 3),
    "Conv1d": (nn.Conv1d(11, 4, 2), STEPS, 1),
    "Conv3d": (nn.Conv3d(1, 4, 2), STEPS.reshape(5, 1, 11, 4, 2), 1),
    "Conv2d as wide as its picture": (nn.Conv2d(3, 16, 3, padding=1), PICTURES, 1),
    "Conv2d that is parametrized": (parametrizations.weight_norm(nn.Conv2d(3, 16, 3, padding=1)), PICTURES, 1),
    "ConvTranspose1d": (nn.ConvTranspose1d(11, 4, 2), STEPS, 1),
    "LSTM with projections": (nn.LSTM(8, 6, proj_size=3, bidirectional=True, batch_first=True), STEPS, 2),
    "TransformerEncoderLayer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), STEPS, 2),
    "MaxPool1d": (nn.MaxPool1d(2), STEPS, 1),
    "AvgPool2d": (nn.AvgPool2d(2), PICTURES, 1),
    "Upsample": (nn.Upsample(scale_factor=2), PICTURES, 1),
    "ZeroPad2d": (nn.ZeroPad2d(1), PICTURES, 1),
    "PixelUnshuffle": (nn.PixelUnshuffle(2), PICTURES, 1),
    "Unfold": (nn.Unfold(2), PICTURES, 1),
    "after a convolution": (nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Dropout(0.1)), PICTURES, 1),
    "Flatten": (nn.Sequential(nn.Conv2d(3, 7, 3, padding=1), nn.Flatten(2)), PICTURES, 1),
    "Flatten and transpose": (
        nn.Sequential(nn.Conv2d(3, 7, 3), nn.Flatten(2), models.Permute(0, 2, 1), nn.GELU()), PICTURES, 2,
    ),
    "square": (nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), models.Permute(0, 2, 3, 1), nn.Tanh()), PICTURES, 3),
    "LayerNorm over everything": (nn.Sequential(nn.Conv2d(3, 7, 1), nn.LayerNorm((7, 20, 16))), PICTURES, 1),
    "GLU": (nn.Sequential(nn.Conv2d(3, 8, 1), nn.GLU(1)), PICTURES, 1),
}  # fmt: skip


@pytest.mark.parametrize(("module", "inputs", "axis"), KINDS.values(), ids=KINDS)
def test_a_module_says_where_its_channels_are(module, inputs, axis):
    model = nn.Sequential(module).eval()
    with torch.no_grad():
        output = first_tensor(model(inputs))
    got = captured(model, ["0"], inputs)["0"]
    assert_array_equal(got, maximum(output, axis))
    assert got.shape == tuple(output.shape[1:])


def test_steps_that_come_first_are_moved_behind_the_instances():
    model = models.StepsFirst().eval()
    layers = ["encoder", "encoder.layers.0", "encoder.layers.1.linear1", "lstm", "lstm[1]", "dropout", "fc"]
    for steps in (STEPS, STEPS[:, :5]):
        got = captured(model, layers, steps)
        for name in layers:
            output = outputs(model, name.partition("[")[0], steps)[0]
            tensor = output[1][0] if "[" in name else first_tensor(output)
            assert_array_equal(got[name], tensor.amax(0).numpy(), err_msg=name)


def test_attention_weights_have_their_instances_first():
    model = nn.Sequential(nn.MultiheadAttention(8, 2))
    queries = STEPS.transpose(0, 1)
    weights = activis_tb.LayerSpec("0[1]", channel_axis=1)
    with torch.no_grad(), activis_tb.torch.capture(model, ["0", weights]) as capture:
        states, attended = model[0](queries, queries, queries)
        got = capture.activations
    assert_array_equal(got["0"], states.amax(0))
    assert_array_equal(got["0[1]"], attended.amax(2))


class Unknown(nn.Module):
    """Makes pictures of which nothing says where their channels are."""

    def forward(self, x):
        return x.reshape(len(x), 4, 5, -1)


def test_where_it_stays_open_one_warning_names_both_readings():
    model = nn.Sequential(Unknown(), nn.ReLU()).eval()
    message = (
        "ActiVis: nothing tells which axis of layer '1' has its neurons: on axis 1: 4 neurons, each over 5 × 48 "
        "positions; or on axis 3: 48 neurons, each over 4 × 5 positions. Axis 1 is taken; say which by "
        "LayerSpec('1', channel_axis=1) or LayerSpec('1', channel_axis=3)."
    )
    with torch.no_grad(), activis_tb.torch.capture(model, ["1"]) as capture:
        model(PICTURES)
        with pytest.warns(UserWarning, match=re.escape(message)) as warned:
            got = capture.activations["1"]
        assert len(warned) == 1
        assert_array_equal(got, maximum(model(PICTURES), 1))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _ = capture.activations
    for axis in (1, 2, 3, -1):
        spec = activis_tb.LayerSpec("1", channel_axis=axis)
        assert_array_equal(captured(model, [spec], PICTURES)["1"], maximum(model(PICTURES), axis))


class Swapping(nn.Module):
    """A square output of a module of its own, whose axes nothing tells apart."""

    def __init__(self, axis):
        super().__init__()
        self.conv = nn.Conv1d(6, 8, 1)
        self.axis = axis

    def forward(self, x):
        x = self.conv(x)
        return (x if self.axis == 1 else x.transpose(1, 2)) + 0.0


class WithHead(nn.Module):
    """What it calls last is not what it returns."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 6)
        self.head = nn.Linear(6, 11)

    def forward(self, x):
        x = torch.relu(self.fc(x))
        self.head(x.mean(1))
        return x


def test_a_head_that_is_called_last_does_not_tell_of_what_is_returned():
    model = nn.Sequential(WithHead()).eval()
    with pytest.warns(UserWarning, match="nothing tells which axis of layer '0'"):
        got = captured(model, ["0"], STEPS)["0"]
    assert_array_equal(got, maximum(model(STEPS), 2))


@pytest.mark.parametrize("axis", [1, 2])
def test_axes_of_one_size_are_not_told_apart_and_that_is_said(axis):
    with pytest.warns(UserWarning, match="on axis 1: 8 neurons, each over 8 positions; or on axis 2: 8 neurons"):
        captured(nn.Sequential(Swapping(axis)), ["0"], torch.randn(3, 6, 8))


class Matrix(nn.Module):
    """A layer of the user's own with nothing but a matrix."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(8, 12))

    def forward(self, x):
        return x @ self.matrix


def test_as_many_steps_as_there_were_channels_are_not_taken_for_them():
    model = nn.Sequential(nn.Linear(5, 8), Matrix())
    steps = torch.randn(3, 8, 5)
    with pytest.warns(UserWarning, match="on axis 2: 12 neurons, each over 8 positions. Axis 2 is taken"):
        got = captured(model, ["1"], steps)["1"]
    with torch.no_grad():
        assert_array_equal(got, maximum(model(steps), 2))


def test_the_axis_of_the_first_pass_holds_for_the_others():
    model = models.TextCNN().eval()
    with torch.no_grad(), activis_tb.torch.capture(model, ["embedding_dropout", "act"]) as capture:
        for words in (WORDS, WORDS[:3, :7], WORDS[:2, :8]):
            model(words)
            got = capture.activations
            for name, axis in (("embedding_dropout", 2), ("act", 1)):
                assert_array_equal(got[name], maximum(outputs(model, name, words)[0], axis))


def test_following_the_modules_leaves_no_hook_and_holds_no_tensor():
    model = models.Swin().eval()
    with torch.no_grad(), activis_tb.torch.capture(model, ["features"]) as capture:
        model(PICTURES)
        np.asarray(capture.activations["features"])
        hooked = [name for name, module in model.named_modules() if module._forward_hooks]
        assert hooked == ["features"]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
