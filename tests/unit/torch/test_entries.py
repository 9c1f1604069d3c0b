"""Which tensor of what a module returns is recorded: the first one, or the entry that is named."""

import re
from dataclasses import dataclass

import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from activis_tb.errors import ArgumentError
from tests.unit.torch.test_padding import X, captured


@dataclass
class Result:
    """As libraries of transformers return it."""

    loss: torch.Tensor | None
    last_hidden_state: torch.Tensor
    hidden_states: tuple[torch.Tensor, ...]


@dataclass(slots=True)
class Slots:
    """One that has no __dict__."""

    nothing: None
    states: torch.Tensor


class Returning(nn.Module):
    def __init__(self, output):
        super().__init__()
        self.encoder = nn.Identity()
        self.lstm = nn.LSTM(3, 2, num_layers=2, bidirectional=True, batch_first=True)
        self.packed = nn.GRU(3, 2, batch_first=True)
        self.output = output

    def forward(self, states):
        self.lstm(states)
        self.packed(nn.utils.rnn.pack_padded_sequence(states, [5, 4, 3, 3, 2, 1], batch_first=True))
        return {"logits": self.encoder(self.output), "nothing": None}


FLAT = X[:, 0]
RESULT = Result(None, FLAT, (FLAT + 1, FLAT + 2))


@pytest.mark.parametrize(
    ("output", "name", "expected"),
    [
        (RESULT, "encoder", FLAT),
        (RESULT, "encoder[last_hidden_state]", FLAT),
        (RESULT, "encoder[hidden_states][1]", FLAT + 2),
        (RESULT, "encoder['hidden_states'][-1]", FLAT + 2),
        (RESULT, "encoder[hidden_states]", FLAT + 1),
        (RESULT, "[logits][hidden_states][1]", FLAT + 2),
        ((FLAT, FLAT + 1), "encoder:1[1]", FLAT + 1),
        ({"a": FLAT, 7: [FLAT, FLAT + 3]}, "encoder[7][1]", FLAT + 3),
        (torch.max(X, 1), "encoder[values]", X.amax(1)),
        (torch.max(X, 1), "encoder[1]", X.argmax(1)),
        ((None, FLAT), "encoder", FLAT),
        (Slots(None, FLAT), "encoder", FLAT),
        (Slots(None, FLAT), "encoder[states]", FLAT),
    ],
)
def test_an_entry_of_what_a_module_returns_may_be_named(output, name, expected):
    assert_array_equal(captured(Returning(output), X, layers=[name])[name], expected.numpy())


def test_states_of_recurrent_modules_have_their_instances_first():
    model = Returning(FLAT).eval()
    with torch.no_grad():
        _, (hidden, cells) = model.lstm(X)
        _, packed = model.packed(nn.utils.rnn.pack_padded_sequence(X, [5, 4, 3, 3, 2, 1], batch_first=True))
    layers = ["lstm[1]", "lstm[1][1]", "lstm[1][0][-1]", "lstm[1][0][0]", "packed[1]"]
    got = captured(model, X, layers=layers)
    assert_array_equal(got["lstm[1]"], hidden.amax(0))
    assert_array_equal(got["lstm[1][1]"], cells.amax(0))
    assert_array_equal(got["lstm[1][0][-1]"], hidden[-1])
    assert_array_equal(got["lstm[1][0][0]"], hidden[0])
    assert_array_equal(got["packed[1]"], packed[0])


@pytest.mark.parametrize(
    ("output", "name", "message"),
    [
        (
            RESULT,
            "encoder[pooler]",
            "'encoder[pooler]'; expected 'encoder[last_hidden_state]' or 'encoder[hidden_states][0]'",
        ),
        (RESULT, "encoder[loss]", "which returns NoneType; expected 'encoder[last_hidden_state]' or"),
        ((FLAT, FLAT), "encoder[2]", "'encoder[2]'; expected 'encoder[0]' or 'encoder[1]', which are tensors that it"),
        (FLAT, "encoder[0]", "'encoder[0]'; expected a layer that returns a dense tensor of real numbers"),
        (FLAT, "lstm[1][0][4]", "'lstm[1][0][4]'; expected one of the layers and directions of the state, from 0 to 3"),
        (FLAT, "lstm[2]", "'lstm[2]'; expected 'lstm[0]' or 'lstm[1][0]' or 'lstm[1][1]'"),
        (FLAT, "packed", "which returns a packed sequence"),
        ({"loss": torch.tensor(1.0), "logits": FLAT}, "encoder", "torch.float32 (); expected 'encoder[logits]'"),
        (FLAT, "encoder.last_hidden_state", "Did you mean 'encoder[last_hidden_state]'?"),
        (FLAT, "encoder[1", "got 'encoder[1'; expected modules of Returning"),
        (FLAT, "", "got ''; expected modules of Returning: 'encoder', 'lstm', 'packed'"),
    ],
)
def test_an_entry_that_is_not_there_is_refused_with_those_that_are(output, name, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        captured(Returning(output), X, layers=[name])
