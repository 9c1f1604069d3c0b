"""What a module returned is what is recorded, whatever is written to that memory afterwards."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn
from torch.nn import functional

import activis_tb
from tests.unit.recording.helpers import read_snapshots

GENERATOR = torch.Generator().manual_seed(11)
ROWS = torch.randn(7, 6, generator=GENERATOR)
SEQUENCES = torch.randn(7, 5, 6, generator=GENERATOR)
PICTURES = torch.randn(7, 3, 8, 8, generator=GENERATOR)


class Then(nn.Module):
    """Calls `inner`, and then does something to what it returned."""

    def __init__(self, inner, then):
        super().__init__()
        self.inner = inner
        self.then = then

    def forward(self, inputs):
        output = self.inner(inputs)
        changed = self.then(output)
        return output if changed is None else changed


def sliced(output):
    output[1:] = 1e6
    output[..., :1] = -1e6


def added(output):
    output += 1000
    return output


def through_numpy(output):
    output.detach().numpy()[:] = 1e6


def states(output):
    _, (hidden, cells) = output
    hidden.fill_(7)
    cells.mul_(0)


WRITES = {
    "relu": nn.ReLU(inplace=True),
    "hardtanh": nn.Hardtanh(-0.1, 0.1, inplace=True),
    "leaky": nn.LeakyReLU(0.1, inplace=True),
    "functional": lambda output: functional.relu(output, inplace=True),
    "sum": added,
    "clamp_": lambda output: output.clamp_(-0.1, 0.1),
    "mul_": lambda output: output.mul_(0),
    "sigmoid_": lambda output: output.sigmoid_(),
    "slice": sliced,
    "view": lambda output: output.transpose(0, -1).unsqueeze(0).zero_(),
    "set through data": lambda output: output.data.fill_(3),
    "numpy": through_numpy,
    "out": lambda output: torch.add(output, 5, out=output),
}
MODULES = {
    "rows": (nn.Linear(6, 4), ROWS),
    "one number": (nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), ROWS),
    "sequences": (nn.Linear(6, 4), SEQUENCES),
    "pictures": (nn.Conv2d(3, 4, 3), PICTURES),
    "one position": (nn.AdaptiveAvgPool2d(1), PICTURES),
    "channels last": (nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last), PICTURES),
}


def recorded(model, layer, inputs, **options):
    with torch.no_grad(), activis_tb.torch.capture(model.eval(), [layer], **options) as captured:
        model(inputs.clone())
        return np.array(captured.activations[getattr(layer, "name", layer)])


def returned(module, inputs):
    with torch.no_grad():
        return module.eval()(inputs.clone())


def pooled(output, pooling="max"):
    """The oracle, of an output with the channels last from rank 3 on."""
    values = output.detach().float().numpy()
    if values.ndim < 3:
        return values.reshape(len(values), -1)
    flat = values.reshape(len(values), -1, values.shape[-1])
    return {"max": lambda: flat.max(1), "first": lambda: flat[:, 0], "last": lambda: flat[:, -1]}[pooling]()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(("module", "inputs"), MODULES.values(), ids=MODULES)
def test_writing_to_an_output_changes_nothing_recorded(module, inputs, write):
    expected = returned(module, inputs)
    expected = pooled(expected.movedim(1, -1) if expected.ndim == 4 else expected)
    assert_array_equal(recorded(Then(module, write), "inner", inputs), expected)


@pytest.mark.parametrize("pooling", ["first", "last"])
def test_a_single_position_is_copied_too(pooling):
    model = Then(nn.Linear(6, 4), lambda output: output.fill_(9))
    expected = pooled(returned(model.inner, SEQUENCES), pooling)
    assert_array_equal(recorded(model, "inner", SEQUENCES, pooling=pooling), expected)


@pytest.mark.parametrize("inner", [nn.Identity(), nn.Dropout(0.5), nn.Flatten(), nn.Sequential()], ids=str)
def test_a_module_that_returns_its_input_is_recorded_as_it_was(inner):
    model = nn.Sequential(Then(inner, lambda output: output.mul_(-3)), nn.ReLU(inplace=True))
    assert_array_equal(recorded(model, "0.inner", ROWS), ROWS.numpy())


class Buffered(nn.Module):
    """Returns the same memory every time."""

    def __init__(self):
        super().__init__()
        self.register_buffer("memory", torch.zeros(7, 6))

    def forward(self, inputs):
        self.memory.copy_(inputs)
        return self.memory


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.buffered = Buffered()

    def forward(self, inputs):
        self.buffered(inputs)
        return self.buffered(-inputs)


def test_memory_that_is_used_again_holds_each_call():
    assert_array_equal(recorded(Twice(), "buffered:1", ROWS), ROWS.numpy())
    assert_array_equal(recorded(Twice(), "buffered:2", ROWS), -ROWS.numpy())


def test_batches_that_share_memory_are_recorded_each(tmp_path):
    model = nn.Sequential(Buffered(), nn.Identity())
    with activis_tb.torch.capture(model, ["0"]) as captured:
        kept = []
        with activis_tb.preprocess(tmp_path, step=0, layers=["0"], classes=("a", "b"), quiet=True) as snapshot:
            for factor in (1, 2, 3):
                model(factor * ROWS)
                kept.append(captured.activations)
                scores = np.full((7, 2), 0.5)
                snapshot.process(labels=np.zeros(7, int), scores=scores, activations=kept[-1])
        model(torch.zeros_like(ROWS))
    for factor, activations in zip((1, 2, 3), kept, strict=True):
        assert_array_equal(activations["0"], factor * ROWS.numpy())
    (reader,) = read_snapshots(tmp_path / "activis")
    values = np.concatenate([factor * ROWS.numpy() for factor in (1, 2, 3)])
    np.testing.assert_allclose(reader.statistic("0", "mean")[0], values.mean(0, dtype=np.float64), rtol=1e-5)
    np.testing.assert_array_equal(reader.statistic("0", "max")[0], values.max(0))


def test_what_was_read_cannot_be_overwritten():
    with activis_tb.torch.capture(nn.Sequential(nn.Linear(6, 4)), ["0"]) as captured:
        captured._model(ROWS)
        with pytest.raises(ValueError, match="read-only"):
            captured.activations["0"].values[:] = 0


def test_states_that_are_overwritten_are_recorded_as_they_were():
    model = Then(nn.LSTM(6, 4, num_layers=2, batch_first=True), states)
    hidden, cells = (state.clone() for state in returned(model.inner, SEQUENCES)[1])
    assert_array_equal(recorded(model, "inner[1][0][-1]", SEQUENCES), hidden[-1].numpy())
    last = activis_tb.LayerSpec("inner[1][1]", pooling="last")
    assert_array_equal(recorded(model, last, SEQUENCES), cells[-1].numpy())


def test_low_precision_and_views_are_copied():
    model = Then(nn.Linear(6, 4).to(torch.bfloat16), lambda output: output.zero_())
    inputs = ROWS.to(torch.bfloat16)
    expected = returned(model.inner, inputs).float().numpy()
    assert_array_equal(recorded(model, "inner", inputs), expected)

    class First(nn.Module):
        def forward(self, inputs):
            return inputs[:, 0]

    class Base(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = First()

        def forward(self, inputs):
            first = self.first(inputs)
            inputs.zero_()
            return first

    assert_array_equal(recorded(Base(), "first", SEQUENCES), SEQUENCES[:, 0].numpy())


def test_what_a_hook_of_the_users_own_returns_is_the_output():
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(inplace=True))
    model[0].register_forward_hook(lambda module, inputs, output: output - 100)
    with torch.no_grad():
        expected = model[0](ROWS).numpy()
    assert expected.max() < 0
    assert_array_equal(recorded(model, "0", ROWS), expected)


def test_a_mask_that_is_overwritten_is_the_one_that_the_pass_began_with():
    mask = torch.tensor([[1, 1, 0, 0, 0]] * 7)

    class Overwriting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(6, 4)

        def forward(self, inputs):
            mask.fill_(1)
            return self.inner(inputs)

    model = Overwriting()
    expected = returned(model.inner, SEQUENCES)[:, :2].amax(1).numpy()
    assert_array_equal(recorded(model, "inner", SEQUENCES, mask=mask), expected)
