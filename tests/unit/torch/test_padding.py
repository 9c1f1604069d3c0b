"""Padding is left out of pooling: by a mask that is given, or by the `attention_mask` that a model is called with."""

import re
import warnings
from collections import UserDict

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

import activis_tb
from activis_tb.errors import ArgumentError
from tests.unit.recording.test_padding import MASK, POOLINGS, STEPS, by_hand

X = torch.tensor(STEPS)
M = torch.tensor(MASK)
ADDITIVE = torch.where(M != 0, 0.0, torch.finfo(torch.float32).min)


class Encoder(nn.Module):
    """Two layers of which the second is twice as short."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Linear(3, 3)
        self.short = nn.Linear(3, 4)

    def forward(self, states, attention_mask=None):
        states = self.scale(states)
        return {"last": states, "short": self.short(states[:, :2])}


class Classifier(nn.Module):
    """Calls its own argument as it likes."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(3, 2)

    def forward(self, states, kept):
        return self.head(self.encoder(states, attention_mask=kept)["last"][:, 0])


torch.manual_seed(0)
ENCODER, CLASSIFIER = Encoder().eval(), Classifier().eval()
with torch.no_grad():
    SCALED = ENCODER.scale(X).numpy()
    INNER = CLASSIFIER.encoder.scale(X).numpy()


def captured(model, *inputs, layers=("scale",), pooling="max", mask=None, **keywords):
    with torch.no_grad(), activis_tb.torch.capture(model, list(layers), pooling=pooling, mask=mask) as capture:
        model(*inputs, **keywords)
        return {name: np.array(values) for name, values in capture.activations.items()}


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(
    "mask",
    [
        M,
        M.bool(),
        M.float(),
        M.to(torch.uint8),
        M.half(),
        MASK,
        MASK.astype(np.uint16),
        MASK.astype(bool),
        MASK.tolist(),
    ],
    ids=lambda mask: f"{type(mask).__name__} {getattr(mask, 'dtype', '')}",
)
def test_a_mask_of_any_kind_leaves_padding_out(mask, pooling):
    assert_allclose(
        captured(ENCODER, X, mask=mask, pooling=pooling)["scale"], by_hand(SCALED, MASK, pooling), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("inputs", "keywords"),
    [
        ((X,), {"attention_mask": M}),
        ((X, M), {}),
        ((X, M.bool()), {}),
        ((X, M.float()), {}),
        ((X,), {"attention_mask": ADDITIVE}),
        ((X,), {"attention_mask": ADDITIVE[:, None, None, :]}),
        ((X,), {"attention_mask": ADDITIVE[:, None, None, :].half()}),
        ((X,), {"attention_mask": M[:, None, :]}),
        ((X,), {"attention_mask": torch.where(M != 0, 0.0, -torch.inf)}),
    ],
    ids=[
        "keyword",
        "position",
        "booleans",
        "floats",
        "additive",
        "for every head",
        "half",
        "for every query",
        "infinite",
    ],
)
@pytest.mark.parametrize("pooling", ["max", "first", "last"])
def test_the_attention_mask_of_the_call_is_used_and_that_is_said_once(inputs, keywords, pooling):
    with activis_tb.torch.capture(ENCODER, ["scale"], pooling=pooling) as capture, torch.no_grad():
        ENCODER(*inputs, **keywords)
        with pytest.warns(UserWarning, match="attention_mask of the model's call tells of is left out of 'scale'. Set"):
            got = capture.activations["scale"]
        assert_allclose(got, by_hand(SCALED, MASK, pooling), rtol=1e-5)
        ENCODER(*inputs, **keywords)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_array_equal(capture.activations["scale"], got)
        ENCODER(X)
        assert_allclose(capture.activations["scale"], by_hand(SCALED, np.ones_like(MASK), pooling), rtol=1e-5)


@pytest.mark.parametrize("batch", [dict, UserDict])
def test_the_mask_may_stand_in_a_batch(batch):
    class OfBatches(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = ENCODER

        def forward(self, batch):
            return self.encoder(batch["states"])

    with pytest.warns(UserWarning, match="left out of 'encoder.scale'"):
        got = captured(OfBatches(), batch(states=X, attention_mask=M), layers=["encoder.scale"])
    assert_allclose(got["encoder.scale"], by_hand(SCALED, MASK, "max"), rtol=1e-5)


def test_the_mask_may_be_given_to_a_module_around_the_layer():
    with pytest.warns(UserWarning, match="left out of 'encoder.scale'"):
        got = captured(CLASSIFIER, X, M, layers=["encoder.scale", "head"])
    assert_allclose(got["encoder.scale"], by_hand(INNER, MASK, "max"), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:ActiVis. padding that the attention_mask")
def test_a_part_that_is_called_by_itself_has_the_mask_of_its_own_call():
    with activis_tb.torch.capture(CLASSIFIER, ["encoder.scale"]) as capture, torch.no_grad():
        for mask in (M, M.flip(1), torch.ones_like(M)):
            CLASSIFIER.encoder(X, mask)
            got = capture.activations["encoder.scale"]
            assert_allclose(got, by_hand(INNER, mask.numpy(), "max"), rtol=1e-5)


def test_layers_of_another_length_are_named():
    with pytest.warns(UserWarning, match="left out of 'scale'; not of 'short', of another number of steps or ano"):
        got = captured(ENCODER, X, M, layers=["scale", "short"])
    assert_allclose(got["scale"], by_hand(SCALED, MASK, "max"), rtol=1e-5)
    short = ENCODER.short(ENCODER.scale(X)[:, :2]).amax(1).detach()
    assert_allclose(got["short"], short, rtol=1e-5)
    with pytest.warns(UserWarning, match=r"mask has shape \(6, 5\), layer 'short' 6 instances and 2 steps: nothing is"):
        captured(ENCODER, X, layers=["scale", "short"], mask=M)


class TwoSequences(nn.Module):
    """Calls its decoder as libraries do, and has a layer behind both."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Encoder()
        self.head = nn.Linear(3, 3)

    def forward(self, states, attention_mask=None, decoder_states=None, decoder_attention_mask=None):
        self.encoder(states, attention_mask=attention_mask)
        decoded = self.decoder(decoder_states, attention_mask=decoder_attention_mask)
        return self.head(decoded["last"])


@pytest.mark.filterwarnings("ignore:ActiVis. padding that")
@pytest.mark.parametrize("masked", ["attention_mask", "decoder_attention_mask"])
def test_the_padding_of_one_sequence_is_not_that_of_another(masked):
    model = TwoSequences().eval()
    with torch.no_grad(), activis_tb.torch.capture(model, ["encoder.scale", "decoder.scale", "head"]) as capture:
        head = model(X, decoder_states=X + 1, **{masked: M})
        got = capture.activations
        states = {"encoder.scale": model.encoder.scale(X), "decoder.scale": model.decoder.scale(X + 1), "head": head}
    own = {"attention_mask": "encoder.scale", "decoder_attention_mask": "decoder.scale"}[masked]
    for name, values in states.items():
        mask = MASK if name == own else np.ones_like(MASK)
        assert_allclose(got[name], by_hand(values.numpy(), mask, "max"), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:ActiVis. padding that", "ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize(("masked", "own"), [("src", ["encoder"]), ("tgt", ["0", "decoder"])])
def test_pytorchs_encoder_and_decoder_have_padding_of_their_own(masked, own):
    torch.manual_seed(0)
    transformer = nn.Transformer(6, 2, 1, 1, 8, batch_first=True).eval()
    model = nn.ModuleList([transformer])
    states, padding = torch.randn(6, 5, 6), {f"{masked}_key_padding_mask": M == 0}
    with torch.no_grad(), activis_tb.torch.capture(model, ["0", "0.encoder", "0.decoder"]) as capture:
        result = model[0](states, states + 1, **padding)
        got = capture.activations
        encoded = transformer.encoder(states, **(padding if masked == "src" else {}))
    for name, values in (("0", result), ("encoder", encoded), ("decoder", result)):
        expected = by_hand(values.numpy(), MASK if name in own else np.ones_like(MASK), "max")
        assert_allclose(got[name if name == "0" else f"0.{name}"], expected, rtol=1e-4, atol=1e-5)


def test_a_second_call_without_padding_has_none():
    class Twins(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = ENCODER

        def forward(self, left, right, kept):
            self.encoder(left, attention_mask=kept)
            self.encoder(right)

    with pytest.warns(UserWarning, match="left out of 'encoder.scale:1'; not of 'encoder.scale:2'"):
        got = captured(Twins(), X, X, M, layers=["encoder.scale:1", "encoder.scale:2"])
    assert_allclose(got["encoder.scale:1"], by_hand(SCALED, MASK, "max"), rtol=1e-5)
    assert_allclose(got["encoder.scale:2"], SCALED.max(1), rtol=1e-5)


def test_layers_and_directions_of_a_state_are_no_steps():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(3, 4, num_layers=5, batch_first=True)

        def forward(self, states, attention_mask):
            return self.gru(states)

    model = Recurrent().eval()
    with pytest.warns(UserWarning, match="left out of 'gru'. Set"):
        got = captured(model, X, M, layers=["gru[1]", "gru"])
    with torch.no_grad():
        states, last = model.gru(X)
    assert_array_equal(got["gru[1]"], last.amax(0))
    assert_array_equal(got["gru"], by_hand(states.numpy(), MASK, "max"))
    with pytest.raises(ArgumentError, match=re.escape("mask['gru[1]']: got one for 'gru[1]', which has no steps")):
        captured(model, X, M, layers=["gru[1]"], mask={"gru[1]": M})


def test_layers_may_have_masks_of_their_own():
    masks = {"scale": MASK, "short": MASK[:, :2] | 1}
    got = captured(ENCODER, X, layers=["scale", "short"], mask=masks)
    assert_allclose(got["scale"], by_hand(SCALED, MASK, "max"), rtol=1e-5)


def test_a_mask_that_is_given_goes_before_the_one_of_the_call():
    other = MASK[::-1].copy()
    got = captured(ENCODER, X, mask=other, attention_mask=M)
    assert_allclose(got["scale"], by_hand(SCALED, other, "max"), rtol=1e-5)


@pytest.mark.parametrize(
    "mask",
    [
        torch.ones(6, 1, 5, 5).tril(),
        torch.zeros(5, 5).masked_fill(torch.ones(5, 5).triu(1) > 0, -torch.inf),
        torch.randn(6, 5),
        torch.ones(6, 4),
        torch.tensor(-100 * (MASK == 0)),
    ],
    ids=["who attends to whom", "causal", "weights", "another length", "negative"],
)
def test_what_says_nothing_of_padding_is_not_used_and_that_is_said(mask):
    with pytest.warns(UserWarning, match=r"is no padding mask of 'scale': nothing is left out. Set mask="):
        got = captured(ENCODER, X, attention_mask=mask)
    assert_allclose(got["scale"], SCALED.max(1), rtol=1e-5)


def test_a_causal_mask_of_as_many_steps_as_instances_is_not_taken_for_padding():
    with pytest.warns(UserWarning, match="is no padding mask of 'scale': nothing is left out"):
        got = captured(ENCODER, X[:5], attention_mask=torch.ones(5, 5).tril())
    assert_allclose(got["scale"], SCALED[:5].max(1), rtol=1e-5)


def test_an_additive_mask_without_padding_leaves_nothing_out():
    with pytest.warns(UserWarning, match="left out of 'scale'"):
        got = captured(ENCODER, X, attention_mask=torch.zeros(6, 5))
    assert_allclose(got["scale"], SCALED.max(1), rtol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_instance_of_nothing_but_padding_has_no_activation(pooling):
    mask = MASK.copy()
    mask[2] = 0
    got = captured(ENCODER, X, mask=mask, pooling=pooling)["scale"]
    assert np.isnan(got[2]).all()
    assert np.isfinite(np.delete(got, 2, 0)).all()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (MASK[:, :4], "mask: got shape (6, 4); expected (6, 5), the instances and steps of layer 'scale'"),
        (M[:5], "mask: got shape (5, 5); expected (6, 5), the instances and steps of layer 'scale'"),
        (M[:, None, None], "mask: got shape (6, 1, 1, 5); expected booleans, or 1 and 0, of shape (instances, steps)"),
        (ADDITIVE, "mask: got values from -3.4028234663852886e+38 to 0.0; expected booleans, or 1 and 0"),
        (M - 1, "mask: got values from -1 to 0; expected booleans"),
        ("padding", "mask: got str; expected booleans, or 1 and 0"),
        ({"scael": M}, "mask: got 'scael'; expected names of captured layers: scale"),
        ({"scale": M[:, :2]}, "mask['scale']: got shape (6, 2); expected (6, 5), the instances and steps of"),
    ],
)
def test_what_is_no_mask_of_the_layers_is_refused(mask, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        captured(ENCODER, X, mask=mask)


def test_pooling_is_one_of_four():
    with pytest.raises(ArgumentError, match="pooling: got 'cls'; expected 'max', 'mean', 'first' or 'last'"):
        activis_tb.torch.capture(ENCODER, ["scale"], pooling="cls")
    with pytest.raises(ArgumentError, match="pooling of layer 'scale': got 'cls'; expected 'max'"):
        activis_tb.torch.capture(ENCODER, [activis_tb.LayerSpec("scale", "cls")])


def test_the_first_and_last_position_are_recorded_as_such(tmp_path):
    from tests.unit.recording.helpers import read_snapshots

    first, last = activis_tb.LayerSpec("scale", "first"), activis_tb.LayerSpec("short", "last")
    with activis_tb.torch.capture(ENCODER, [first, last]) as capture, torch.no_grad():
        ENCODER(X)
        with activis_tb.preprocess(tmp_path, step=0, layers=[first, last], classes=("a", "b"), quiet=True) as snapshot:
            snapshot.process(labels=[0] * 6, scores=np.full((6, 2), 0.5), activations=capture.activations)
    (reader,) = read_snapshots(tmp_path / "activis")
    assert [layer.pooling for layer in reader.manifest.layers] == ["first", "last"]
    assert_allclose(reader.statistic("scale", "mean")[0], SCALED[:, 0].mean(0), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors", "ignore:ActiVis. padding that")
def test_layers_of_an_encoder_that_leaves_padding_out_by_itself_have_none():
    torch.manual_seed(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), 2).eval()
    lengths = torch.tensor([5, 3, 4, 1])
    mask = torch.arange(5) < lengths[:, None]
    states = torch.randn(4, 5, 6)
    with torch.no_grad():
        alone = [encoder.layers[0](one[None, :length]).amax(1)[0] for one, length in zip(states, lengths, strict=True)]
        with activis_tb.torch.capture(encoder, ["layers.0", "layers.1.norm2"], pooling="max") as capture:
            encoder(states, src_key_padding_mask=~mask)
            got = capture.activations
            assert_allclose(got["layers.0"], torch.stack(alone).numpy(), rtol=1e-4, atol=1e-5)
            plain = [encoder(one[None, :length]).amax(1)[0] for one, length in zip(states, lengths, strict=True)]
    assert_allclose(got["layers.1.norm2"], torch.stack(plain).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("additive", [False, True])
def test_the_padding_of_pytorchs_own_transformers_is_understood(additive):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).eval()
    states = torch.randn(6, 5, 6)
    padding = torch.where(M != 0, 0.0, -torch.inf) if additive else M == 0
    with torch.no_grad(), activis_tb.torch.capture(encoder, ["layers.0"]) as capture:
        expected = by_hand(encoder(states, src_key_padding_mask=padding).numpy(), MASK, "max")
        with pytest.warns(
            UserWarning, match="the src_key_padding_mask of the model's call tells of is left out of 'layer"
        ):
            assert_allclose(capture.activations["layers.0"], expected, rtol=1e-5, atol=1e-6)
