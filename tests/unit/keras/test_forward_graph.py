from itertools import pairwise

import keras
import numpy as np
from tensorboard.compat.proto import graph_pb2

from activis_tb.graph import build_graph
from activis_tb.keras import forward_graph
from tests.unit.graph.graphs import check_sound, collapsed
from tests.unit.keras.models import Subclassed, X, text_cnn

layers = keras.layers


def shown(model, names, inputs=None):
    forward = forward_graph(model, names, inputs)
    graph = build_graph(forward.graph_def, forward.tensors)
    check_sound(graph)
    assert graph.warnings == ()
    return graph


def test_a_text_cnn_reads_as_its_layers():
    tokens = keras.Input((37,), dtype="int32", name="tokens")
    embedding = layers.Embedding(50, 8, name="embedding")(tokens)
    pooled = []
    for width in (3, 4, 5):
        convolution = layers.Conv1D(4, width, activation="relu", name=f"conv{width}")(embedding)
        pooled.append(layers.GlobalMaxPooling1D(name=f"pool{width}")(convolution))
    concat = layers.Dropout(0.5, name="dropout")(layers.Concatenate(name="concat")(pooled))
    hidden = layers.Dense(7, activation="relu", name="hidden")(concat)
    model = keras.Model(tokens, layers.Dense(6, activation="softmax", name="output")(hidden), name="textcnn")
    graph = shown(model, ["concat", "hidden", "output"])
    chain = ["(tokens)", "embedding", "(embedding)"], ["(concat)", "dropout", "(dropout)", "hidden", "(hidden)"]
    towers = [["(embedding)", f"conv{w}", f"(conv{w})", f"pool{w}", f"(pool{w})", "concat"] for w in (3, 4, 5)]
    paths = [*chain, *towers, ["concat", "(concat)"], ["(hidden)", "output", "(output)"]]
    assert collapsed(graph) == {pair for path in paths for pair in pairwise(path)}
    assert sum(not element.parent and not element.parameter for element in graph.nodes) == 23
    recorded = [(element.layer, element.shape, element.dtype) for element in graph.nodes if element.layer]
    expected = [("concat", (-1, 12), "float32"), ("hidden", (-1, 7), "float32"), ("output", (-1, 6), "float32")]
    assert recorded == expected


def test_variables_have_the_names_that_keras_gives_them():
    graph = shown(text_cnn(), ["hidden"])
    parameters = {(element.full_name, element.shape) for element in graph.nodes if element.parameter}
    assert {("hidden/kernel", (8, 5)), ("hidden/bias", (5,)), ("conv2/kernel", (2, 2, 4))} <= parameters


def test_one_model_has_one_digest():
    model = text_cnn()
    assert forward_graph(model, ["hidden"]) == forward_graph(model, ["hidden"])


def test_dropout_has_a_tensor_of_its_own():
    forward = forward_graph(text_cnn(), ["concat", "drop"])
    assert len(set(forward.tensors.values())) == 2
    graph = build_graph(forward.graph_def, forward.tensors)
    assert ("drop", "Dropout") in {(element.name, element.operator) for element in graph.nodes}


def test_a_model_that_ends_in_a_nested_model_has_a_tensor_for_each():
    inner = keras.Sequential([keras.Input((12,)), layers.Dense(3, activation="softmax", name="dense")], name="head")
    inputs = keras.Input((6, 2))
    model = keras.Model(inputs, inner(layers.Flatten()(inputs)))
    recorded = {element.layer for element in shown(model, ["head/dense", "head"]).nodes if element.layer}
    assert recorded == {"head/dense", "head"}


def test_a_subclassed_model_shows_nested_layers_as_nested_groups():
    graph = shown(Subclassed(), ["encoder/dense", "output"], X[:1])
    groups = {element.name: element for element in graph.nodes if element.kind == "group"}
    assert (groups["encoder"].operator, groups["encoder"].parent) == ("Encoder", "")
    assert (groups["dense"].operator, groups["dense"].parent) == ("Dense", groups["encoder"].id)


def test_the_loop_of_an_lstm_stays_inside_of_its_layer():
    tokens = keras.Input((7,), dtype="int32", name="tokens")
    embedded = layers.Embedding(20, 4, mask_zero=True, name="embedding")(tokens)
    states = layers.LSTM(5, name="lstm")(embedded)
    model = keras.Model(tokens, layers.Dense(3, name="output")(states), name="reader")
    graph = shown(model, ["lstm", "output"])
    loops = [element for element in graph.nodes if element.operator in {"While", "StatelessWhile"}]
    assert [element.parent.split("/")[-3:] for element in loops] == [["lstm_1", "while", ""]]
    assert ("lstm", "(lstm)") in collapsed(graph)


def test_large_constants_are_not_written_with_the_graph():
    table = np.ones((500, 100), np.float32)
    inputs = keras.Input((500,), name="x")
    outputs = layers.Dense(2, name="output")(keras.ops.matmul(inputs, table))
    forward = forward_graph(keras.Model(inputs, outputs), ["output"])
    assert len(forward.graph_def) < 20_000
    assert graph_pb2.GraphDef.FromString(forward.graph_def).node


def test_layers_are_found_by_name_in_the_graph_of_another_trace():
    forward = forward_graph(text_cnn(), ["concat", "hidden", "output"])
    graph = build_graph(forward.graph_def, {}, ["concat", "hidden", "output"])
    assert {element.layer: element.full_name for element in graph.nodes if element.layer} == forward.tensors
    assert graph.warnings == ()
