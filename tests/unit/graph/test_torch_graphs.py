"""Graphs that PyTorch's SummaryWriter.add_graph writes: modules are groups, layers are found by their paths."""

import pytest
import torch
from torch import nn
from torch.utils.tensorboard._pytorch_graph import graph as trace

import activis_tb
from activis_tb.graph import build_graph
from tests.unit.graph.accounting import check_accounted
from tests.unit.graph.graphs import by_id, collapsed


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.conv2(torch.relu(self.norm(self.conv1(x)))))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.blocks = nn.Sequential(*(Block(8) for _ in range(4)))
        self.fc = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def message():
    return trace(Net().eval(), torch.zeros(2, 3, 8, 8))[0]


def test_modules_are_groups_of_their_kind_and_equal_ones_are_folded(message):
    graph = build_graph(message.SerializeToString(), {})
    nodes = by_id(graph)
    top = {
        (node.name, node.operator, node.repeats) for node in nodes.values() if not node.parent and node.kind == "group"
    }
    assert top == {("blocks", "Sequential", 0)}
    (folded,) = [node for node in nodes.values() if node.repeats]
    assert (folded.operator, folded.repeats, folded.parent) == ("Block", 4, "Net/Sequential[blocks]/")
    assert {("(x)", "stem"), ("stem", "(stem)"), ("(stem)", "blocks"), ("fc", "(fc)")} <= collapsed(graph)


def test_parameters_have_the_names_that_the_model_gives_them(message):
    names = {node.full_name for node in build_graph(message.SerializeToString(), {}).nodes if node.parameter}
    assert {"stem/weight", "stem/bias", "blocks/3/norm/running_mean", "blocks/3/conv2/weight", "fc/bias"} <= names


def test_layers_are_found_by_their_module_paths(message):
    names = ["stem", "blocks.2", "blocks.1.conv1", "blocks.3.norm", "fc"]
    graph = build_graph(message.SerializeToString(), {}, names)
    found = {node.layer: (node.shape, node.full_name.rpartition("/")[0]) for node in graph.nodes if node.layer}
    assert found == {
        "stem": ((2, 8, 6, 6), "Net/Conv2d[stem]"),
        "blocks.2": ((2, 8, 6, 6), "Net/Sequential[blocks]/Block[2]"),
        "blocks.1.conv1": ((2, 8, 6, 6), "Net/Sequential[blocks]/Block[1]/Conv2d[conv1]"),
        "blocks.3.norm": ((2, 8, 6, 6), "Net/Sequential[blocks]/Block[3]/BatchNorm2d[norm]"),
        "fc": ((2, 4), "Net/Linear[fc]"),
    }
    assert graph.warnings == ()


def test_a_name_that_several_modules_have_is_left_open(message):
    graph = build_graph(message.SerializeToString(), {}, ["conv1"])
    assert sum(node.candidates == ("conv1",) for node in graph.nodes) == 4
    assert not any(node.layer for node in graph.nodes)


def test_recorded_tensors_in_one_of_the_blocks_of_a_captured_model_do_not_set_it_apart():
    model, example = Net().eval(), torch.zeros(2, 3, 8, 8)
    with activis_tb.torch.capture(model, ["blocks.1.conv1", "blocks.2", "fc"]) as captured:
        model(example)
    forward = captured.graph(example)
    graph = build_graph(forward.graph_def, forward.tensors)
    (folded,) = [node for node in graph.nodes if node.repeats]
    assert (folded.operator, folded.repeats) == ("Block", 4)
    parents = {node.layer: node.parent for node in graph.nodes if node.layer}
    assert parents == {"blocks.1.conv1": "blocks/1/", "blocks.2": folded.id, "fc": ""}


def test_every_operation_is_accounted_for(message):
    for node in message.node:
        if node.op == "prim::GetAttr":
            del node.input[:]
    check_accounted(message, build_graph(message.SerializeToString(), {}))
