"""The graph that PyTorch traces: modules are groups, recorded layers are exact tensors."""

import pytest
import torch
from tensorboard.compat.proto import graph_pb2
from torch import nn

import activis_tb
from activis_tb.graph import build_graph
from tests.unit.graph.graphs import check_sound
from tests.unit.torch.models import PICTURES, residual

LAYERS = ["features.0", "relu:2", "lstm", "fc1"]


@pytest.fixture(scope="module")
def forward():
    model = residual().train()
    model.features.eval()
    graph = activis_tb.torch.capture(model, LAYERS).graph(PICTURES[:2])
    assert [module.training for module in (model, model.features, model.features[1], model.fc1)] == [1, 0, 0, 1]
    return graph


def test_every_recorded_layer_is_a_tensor_of_its_module(forward):
    assert forward.tensors == {
        "features.0": "features/0/conv2d:0",
        "relu:2": "relu_1/relu_1:0",
        "lstm": "lstm/lstm:0",
        "fc1": "fc1/linear:0",
    }


def test_the_graph_reads_as_the_modules(forward):
    shown = build_graph(forward.graph_def, forward.tensors)
    check_sound(shown)
    assert shown.warnings == ()
    recorded = {node.layer: node.shape for node in shown.nodes if node.layer}
    assert recorded == {"features.0": (-1, 4, 6, 5), "relu:2": (-1, 2), "lstm": (5, 2, 3), "fc1": (-1, 2)}
    kinds = {node.name: node.operator for node in shown.nodes if node.kind == "group"}
    assert kinds["features"] == "Sequential"
    assert "pictures:0" in {node.full_name for node in shown.nodes}
    parameters = {node.full_name for node in shown.nodes if node.parameter}
    assert {"features/0/weight", "lstm/weight_ih_l0", "fc1/bias", "fc2/weight"} <= parameters


def test_a_skip_is_an_edge_around_what_it_skips(forward):
    shown = build_graph(forward.graph_def, forward.tensors)
    names = {node.id: node.full_name for node in shown.nodes}
    into_sum = {names[edge.source] for edge in shown.edges if names[edge.target] == "add"}
    assert into_sum == {"features/2/dropout:0", "relu/relu:0"}


class Deciding(nn.Module):
    """What it does depends on the data, which no trace can say."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 2)

    def forward(self, values):
        return self.fc1(values) if values.sum().item() > 0 else values


def test_a_model_that_cannot_be_traced_has_no_graph_and_a_warning():
    capture = activis_tb.torch.capture(Deciding(), ["fc1"])
    with pytest.warns(RuntimeWarning, match=r"no graph of Deciding, as torch.export cannot trace it"):
        assert capture.graph(torch.ones(2, 2)) is None


class Written(nn.Module):
    """Changes in place what `a` returned, in every way there is, before `b` gets it."""

    def __init__(self, write):
        super().__init__()
        self.a, self.then, self.b = nn.Linear(2, 3), nn.Identity(), nn.Linear(3, 2)
        self.write = write

    def forward(self, x):
        h = self.a(x)
        changed = self.write(h)
        return self.b(self.then(h if changed is None else changed))


def sigmoid_in_place(h):
    h.sigmoid_()


def assign_slice(h):
    h[:, 0] = 5


def add_in_place(h):
    h += 1000
    return h


def clamp_through_a_view(h):
    h[:, 1:].clamp_(0, 0.1)


@pytest.mark.parametrize(
    ("write", "operator"),
    [
        (add_in_place, "add_"),
        (lambda h: h.clamp_(0), "clamp_"),
        (sigmoid_in_place, "sigmoid_"),
        (nn.ReLU(inplace=True), "relu_"),
        (assign_slice, "select_scatter"),
        (clamp_through_a_view, "slice_scatter"),
    ],
)
def test_a_layer_is_where_its_values_are_not_where_they_were_overwritten(write, operator):
    model = Written(write).eval()
    with torch.no_grad():
        model.a.weight.fill_(-1)
        model.a.bias.copy_(torch.tensor([-1.0, 0.5, 2.0]))
    graph = activis_tb.torch.capture(model, ["a", "then", "b"]).graph(torch.rand(4, 2))
    nodes = {node.name: node for node in graph_pb2.GraphDef.FromString(graph.graph_def).node}
    found = {name: nodes[tensor.partition(":")[0]] for name, tensor in graph.tensors.items()}
    assert {name: node.op for name, node in found.items()} == {"a": "linear", "then": operator, "b": "linear"}
    assert found["then"].name in found["b"].input
    assert [node.op for node in nodes.values()].count("clone") == (write is assign_slice)  # of the number 5


class Hard(nn.Module):
    """Modules that share, view, pass on, and return several tensors."""

    def __init__(self):
        super().__init__()
        self.passing = nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 4)
        self.flatten = nn.Flatten()
        self.lstm = nn.LSTM(4, 3, batch_first=True)
        self.unused = nn.Linear(1, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x, *, scale):
        self.calls += 1
        x = self.passing(x)
        h = self.relu(self.fc(x))
        h = self.relu(h - 0.1)
        steps, (_, cells) = self.lstm(self.flatten(h)[:, None] * scale)
        return nn.functional.dropout(steps + cells.sum(), 0.5, training=True)


def test_every_kind_of_output_has_its_tensor_and_the_model_is_as_it_was():
    model = Hard().eval()
    layers = ["passing", "relu:1", "relu:2", "flatten", "lstm[0]", "lstm[1][0]", "lstm[1][1]"]
    state = torch.random.get_rng_state()
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    graph = activis_tb.torch.capture(model, layers).graph(x.clone(), scale=torch.tensor(2.0))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.calls == 0
    assert graph.tensors == {
        "passing": "x:0",
        "relu:1": "relu/relu_:0",
        "relu:2": "relu_1/relu__1:0",
        "flatten": "flatten/flatten:0",
        "lstm[0]": "lstm/lstm:0",
        "lstm[1][0]": "lstm/lstm:1",
        "lstm[1][1]": "lstm/lstm:2",
    }


def test_a_random_model_is_compared_with_the_same_chance():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Identity()

        def forward(self, x):
            return self.drop(nn.functional.dropout(x, 0.5, training=True) + torch.randn_like(x))

    assert activis_tb.torch.capture(Noisy(), ["drop"]).graph(torch.ones(5, 4)).tensors == {"drop": "add:0"}


class Otherwise(nn.Module):
    """Computes something else when it is traced."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Identity()
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(self.inner(x if torch.compiler.is_exporting() else x * 3))


def test_a_layer_whose_values_no_tensor_has_is_in_no_place_and_that_is_said():
    capture = activis_tb.torch.capture(Otherwise(), ["inner"])
    with pytest.warns(RuntimeWarning, match="no tensor of the graph has the values of 'inner': shown beside the graph"):
        graph = capture.graph(torch.ones(2, 2))
    assert graph.tensors == {}
    assert graph.graph_def


def test_a_layer_that_is_not_called_is_in_no_place():
    capture = activis_tb.torch.capture(Hard(), ["unused", "fc"])
    with pytest.warns(RuntimeWarning, match="no tensor of the graph has the values of 'unused'"):
        graph = capture.graph(torch.ones(2, 4), scale=1.0)
    assert graph.tensors == {"fc": "fc/linear:0"}


def test_layers_of_a_transformer_with_padding_have_their_tensors():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), 2).eval()
    padding = torch.tensor([[False, False, False, True, True], [False] * 5])
    layers = ["layers.0", "layers.1.norm2", "layers.0.self_attn"]
    graph = activis_tb.torch.capture(encoder, layers).graph(torch.rand(2, 5, 6), src_key_padding_mask=padding)
    assert graph.tensors["layers.0"] == "layers/0/norm2/layer_norm_1:0"
    assert graph.tensors["layers.1.norm2"] == "layers/1/norm2/layer_norm_3:0"
    assert graph.tensors["layers.0.self_attn"].startswith("layers/0/self_attn/")
    assert torch.backends.mha.get_fastpath_enabled()
