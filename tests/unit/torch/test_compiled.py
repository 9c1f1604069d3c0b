"""Models that torch.compile made are captured as the originals are, by the same names."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

import activis_tb
from activis_tb.errors import ArgumentError

LAYERS = ["encoder.0", "encoder", "fc"]
X = torch.randn(4, 6, generator=torch.Generator().manual_seed(2))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 5), nn.ReLU(inplace=True))
        self.fc = nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.encoder(x))


def small():
    torch.manual_seed(0)
    return Small().eval()


def compiled_in_place(model):
    model.compile(backend="eager")
    return model


def compiled_in_part(model):
    model.encoder = torch.compile(model.encoder, backend="eager")
    return model


WAYS = {
    "compiled": lambda model: torch.compile(model, backend="eager"),
    "in place": compiled_in_place,
    "in part": compiled_in_part,
    "whole graph": lambda model: torch.compile(model, backend="eager", fullgraph=True),
}


def check(activations, rows=slice(None)):
    model = small()
    with torch.no_grad():
        first = model.encoder[0](X[rows])
        expected = {"encoder.0": first, "encoder": first.relu(), "fc": model(X[rows])}
    for name, values in activations.items():
        assert_allclose(values, expected[name].numpy(), rtol=1e-5, atol=1e-6, err_msg=name)
    assert list(activations) == LAYERS


@pytest.mark.parametrize("compile_", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("has_run", [False, True], ids=["new", "has run"])
def test_a_compiled_model_is_captured_by_the_names_of_the_original(compile_, has_run):
    model = compile_(small())
    with torch.no_grad():
        expected = small()(X)
        if has_run:
            assert_allclose(model(X), expected, rtol=1e-5, atol=1e-6)
        for _ in range(2):
            with activis_tb.torch.capture(model, LAYERS) as capture:
                for rows in (slice(None), slice(0, 3)):
                    assert_allclose(model(X[rows]), expected[rows], rtol=1e-5, atol=1e-6)
                    check(capture.activations, rows)
                    graph = capture.graph(X)
                assert graph.tensors == small_graph().tensors
        assert_allclose(model(X), expected, rtol=1e-5, atol=1e-6)
    hooked = [module for module in model.modules() if module._forward_hooks or module._forward_pre_hooks]
    assert hooked == []


def small_graph():
    return activis_tb.torch.capture(small(), LAYERS).graph(X)


def test_the_original_is_captured_while_what_was_compiled_of_it_runs():
    model = small()
    function = torch.compile(lambda x: model(x).softmax(1), backend="eager")
    with torch.no_grad():
        function(X)
        with activis_tb.torch.capture(model, LAYERS) as capture:
            function(X)
            check(capture.activations)


def test_a_model_that_is_compiled_inside_of_the_block_is_captured():
    model = small()
    with torch.no_grad(), activis_tb.torch.capture(model, LAYERS) as capture:
        compiled = torch.compile(model, backend="eager")
        for rows in (slice(None), slice(0, 2)):
            compiled(X[rows])
            check(capture.activations, rows)


def test_names_may_be_those_that_the_compiled_model_gives():
    model = compiled_in_part(small())
    with torch.no_grad(), activis_tb.torch.capture(model, ["encoder._orig_mod.0"]) as capture:
        model(X)
        assert_allclose(np.asarray(capture.activations["encoder._orig_mod.0"]), small().encoder[0](X), rtol=1e-5)


@pytest.mark.parametrize("make", [torch.jit.script, lambda model: torch.jit.trace(model, X)], ids=["script", "trace"])
def test_what_calls_no_hooks_is_refused_with_what_works(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(small())
    with pytest.raises(
        ArgumentError, match=r"which calls no hooks; expected a module in Python. Capture the model that it"
    ):
        activis_tb.torch.capture(model, LAYERS)


def test_a_layer_whose_forward_is_called_directly_is_said_not_to_be_called():
    model = small()
    with torch.no_grad(), activis_tb.torch.capture(model, ["fc"]) as capture:
        model.fc.forward(torch.zeros(2, 5))
        with pytest.raises(ArgumentError, match=r"by model\(...\); of what a compiler made, call the original"):
            _ = capture.activations
