"""The graph that PyTorch traces: modules are groups, recorded layers are exact tensors."""

import pytest
import torch
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
