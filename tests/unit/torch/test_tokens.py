"""Tokens of captured activations: by a tokenizer, a function of the call, or beside them; padding takes no part."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

import activis_tb
from activis_tb.errors import ArgumentError
from tests.unit.recording.helpers import read_snapshots

WORDS = ["[PAD]", "what", "is", "a", "cab"]
IDS = torch.tensor([[1, 2, 3, 4], [4, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
LABELS = np.array([0, 1, 0, 1])


class Tokenizer:
    """As libraries have it."""

    pad_token_id = 0

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return [WORDS[number] for number in ids]


class Model(nn.Module):
    """Word ids to a convolution that keeps their number, and to scores."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embedding = nn.Embedding(5, 3)
        self.conv = nn.Conv1d(3, 2, 3, padding=1)
        self.head = nn.Linear(2, 2)

    def forward(self, input_ids, attention_mask=None):
        return self.head(self.conv(self.embedding(input_ids).transpose(1, 2)).amax(2))


def recorded(tmp_path, *inputs, layers=("embedding", "conv"), given=None, tokens=None, **keywords):
    model = Model().eval()
    options = {"step": 0, "layers": layers, "classes": ["a", "b"], "quiet": True}
    with (
        torch.no_grad(),
        activis_tb.torch.capture(model, layers, tokens=tokens) as capture,
        activis_tb.preprocess(tmp_path, **options) as snapshot,
    ):
        scores = model(*inputs, **keywords).softmax(1)
        texts = capture.tokens if given is None else given
        snapshot.process(labels=LABELS, scores=scores, activations=capture.activations, tokens=texts)
    (reader,) = read_snapshots(tmp_path / "activis")
    return model, reader


def check(model, reader):
    found, index = reader.sample_positions("embedding"), reader.sample().index
    assert [layer.positions for layer in reader.manifest.layers] == ["tokens", "tokens"]
    assert reader.tokens("conv").distinct == 4
    for at, row in enumerate(index):
        words = [WORDS[number] for number in IDS[row] if number]
        assert found.texts[found.text_starts[at] : found.text_starts[at + 1]].tolist() == words
        codes = found.codes[found.starts[at] : found.starts[at + 1]]
        values = found.origin + (codes - 0.5) * found.scale
        expected = model.embedding.weight.detach().numpy()[[WORDS.index(word) for word in words]]
        assert_allclose(values, expected, atol=0.51 * found.scale.max())


@pytest.mark.filterwarnings("ignore:ActiVis. padding that the attention_mask")
@pytest.mark.parametrize(
    "keywords",
    [{"input_ids": IDS, "attention_mask": (IDS > 0).long()}, {"input_ids": IDS}],
    ids=["mask", "padding of the tokenizer"],
)
def test_a_tokenizer_makes_tokens_of_what_the_model_is_called_with(tmp_path, keywords):
    check(*recorded(tmp_path, tokens=Tokenizer(), **keywords))


def test_a_function_does_and_so_do_texts_beside_the_activations(tmp_path):
    def texts(input_ids):
        return [[WORDS[number] if number else None for number in row] for row in input_ids.tolist()]

    check(*recorded(tmp_path / "function", IDS, tokens=texts))
    check(*recorded(tmp_path / "beside", IDS, given=texts(IDS)))
    check(*recorded(tmp_path / "first argument", IDS, tokens=Tokenizer()))


def test_layers_that_are_pooled_by_a_position_or_keep_none_have_tokens_too(tmp_path):
    layers = [activis_tb.LayerSpec("embedding", "first"), activis_tb.LayerSpec("conv", positions=False)]
    _, reader = recorded(tmp_path, IDS, tokens=Tokenizer(), layers=layers)
    assert reader.tokens("embedding").distinct == reader.tokens("conv").distinct == 4
    assert reader.sample_positions("embedding") is None
    assert reader.sample_positions("conv") is None


def test_what_makes_no_tokens_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"tokens: got list; expected a tokenizer .* process\(tokens=...\)"):
        activis_tb.torch.capture(Model(), ["conv"], tokens=[["a"]])
    capture = activis_tb.torch.capture(Model(), ["conv"], tokens=Tokenizer())
    with pytest.raises(ArgumentError, match="tokens: got no forward pass"):
        _ = capture.tokens
    model = nn.Sequential(nn.Conv1d(3, 2, 3))
    with activis_tb.torch.capture(model, ["0"], tokens=Tokenizer()) as capture:
        model(torch.ones(2, 3, 5))
    with pytest.raises(ArgumentError, match=r"tokens: got a call without input_ids.*; expected input_ids"):
        _ = capture.tokens
    with activis_tb.torch.capture(model, ["0"]) as capture:
        model(torch.ones(2, 3, 5))
    assert capture.tokens is None
