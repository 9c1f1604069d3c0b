"""Graphs of Keras models: from their JSON, as Keras' TensorBoard callback writes it, and from our own trace."""

import json

import keras
import pytest
from keras import layers
from tensorboard.compat.proto import graph_pb2

from activis_tb.graph import build_graph, keras_graph_def
from activis_tb.keras import forward_graph
from tests.unit.graph.graphs import by_id, check_sound, collapsed


def edges(model):
    """What the GraphDef of a model's JSON joins: layer to layer, by names."""
    text = model.to_json() if isinstance(model, keras.Model) else json.dumps(model)
    message = graph_pb2.GraphDef.FromString(keras_graph_def(text.encode()))
    return {(source, node.name) for node in message.node for source in node.input}


def two_towers(shared):
    """Two inputs through layers of their own or a shared one, joined."""
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    first = layers.Dense(3, name="tower")
    second = first if shared else layers.Dense(3, name="other")
    joined = layers.Concatenate(name="joined")([first(left), second(right)])
    return keras.Model([left, right], layers.Dense(2, name="output")(joined), name="net")


def test_branches_are_joined_as_in_the_model():
    assert edges(two_towers(shared=False)) == {
        ("net/left", "net/tower"),
        ("net/right", "net/other"),
        ("net/tower", "net/joined"),
        ("net/other", "net/joined"),
        ("net/joined", "net/output"),
    }


def test_a_shared_layer_is_a_group_of_its_calls_and_which_was_recorded_is_left_open():
    model = two_towers(shared=True)
    assert edges(model) >= {
        ("net/left", "net/tower"),
        ("net/right", "net/tower/call_2"),
        ("net/tower", "net/joined"),
        ("net/tower/call_2", "net/joined"),
    }
    graph = build_graph(keras_graph_def(model.to_json().encode()), {}, ["tower", "joined"])
    check_sound(graph)
    assert by_id(graph)["net/tower/"].kind == "group"
    assert [node.full_name for node in graph.nodes if node.candidates == ("tower",)] == [
        "net/tower:0",
        "net/tower/call_2:0",
    ]
    assert {node.layer for node in graph.nodes if node.layer} == {"joined"}


def test_a_nested_model_of_two_inputs_is_a_group_with_its_inputs_joined():
    inner = two_towers(shared=False)
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Dense(2, name="last")(inner([a, b])), name="outer")
    assert edges(model) >= {
        ("outer/a", "outer/net/left"),
        ("outer/b", "outer/net/right"),
        ("outer/net/left", "outer/net/tower"),
        ("outer/net/output", "outer/last"),
    }
    graph = build_graph(keras_graph_def(model.to_json().encode()), {}, ["net/tower", "last"])
    groups = {node.full_name: (node.name, node.operator) for node in graph.nodes if node.kind == "group"}
    assert groups == {"outer/net": ("net", "Functional")}
    assert {node.layer: node.full_name for node in graph.nodes if node.layer} == {
        "net/tower": "outer/net/tower:0",
        "last": "outer/last:0",
    }


def test_arguments_given_by_name_are_inputs_too():
    query, value = keras.Input((5, 8), name="query"), keras.Input((6, 8), name="value")
    attended = layers.MultiHeadAttention(2, 4, name="attention")(query=query, value=value)
    assert edges(keras.Model([query, value], attended, name="net")) == {
        ("net/query", "net/attention"),
        ("net/value", "net/attention"),
    }


def test_layers_have_their_class_settings_and_shapes():
    model = keras.Sequential(
        [
            keras.Input((8,), name="x"),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(2, name="output"),
        ],
        name="net",
    )
    nodes = by_id(build_graph(keras_graph_def(model.to_json().encode()), {}))
    assert (nodes["net/hidden"].operator, nodes["net/hidden"].attributes["units"]) == ("Dense", "4")
    assert nodes["net/hidden"].attributes["activation"] == "relu"
    assert [node.shape for node in nodes.values() if node.kind == "tensor"] == [(-1, 8), (-1, 4), None]


def keras_2_layer(kind, name, inbound, **config):
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": inbound}


def test_the_calls_of_keras_2_are_read():
    """As Keras 2.3 wrote them: a list of [layer, call, position, arguments] for every call."""
    model = {
        "class_name": "Model",
        "config": {
            "name": "Logistic",
            "layers": [
                keras_2_layer("InputLayer", "Inputs", [], batch_input_shape=[None, 2], dtype="float32"),
                keras_2_layer("Dense", "dense", [[["Inputs", 0, 0, {}]]], units=5),
                keras_2_layer("Dense", "gate", [[["Inputs", 0, 0, {}]]], units=5),
                keras_2_layer("Add", "add", [[["dense", 0, 0, {}], ["gate", 0, 0, {}]]]),
            ],
            "input_layers": [["Inputs", 0, 0]],
            "output_layers": [["add", 0, 0]],
        },
    }
    assert edges(model) == {
        ("Logistic/Inputs", "Logistic/dense"),
        ("Logistic/Inputs", "Logistic/gate"),
        ("Logistic/dense", "Logistic/add"),
        ("Logistic/gate", "Logistic/add"),
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"config": {"layers": [1]}}', '{"config": {"layers": 3}}'])
def test_what_is_no_model_gives_an_empty_graph_that_says_so(text):
    assert build_graph(keras_graph_def(text.encode()), {}).warnings == ("The graph is empty.",)


def encoder(blocks):
    """A transformer encoder whose layers are all at one level, as a functional model has them."""
    tokens = keras.Input((8,), dtype="int32", name="tokens")
    x = layers.Embedding(20, 8, name="embedding")(tokens)
    for at in range(blocks):
        x = layers.LayerNormalization(name=f"norm1_{at}")(
            x + layers.MultiHeadAttention(2, 4, name=f"attention_{at}")(x, x)
        )
        inner = layers.Dense(8, name=f"down_{at}")(layers.Dense(16, activation="gelu", name=f"up_{at}")(x))
        x = layers.LayerNormalization(name=f"norm2_{at}")(x + inner)
    pooled = layers.GlobalAveragePooling1D(name="pool")(x)
    return keras.Model(tokens, layers.Dense(4, activation="softmax", name="output")(pooled), name="encoder")


def test_a_flat_encoder_of_twelve_blocks_reads_as_one_block_twelve_times():
    forward = forward_graph(encoder(12), ["attention_3", "output"])
    graph = build_graph(forward.graph_def, forward.tensors)
    check_sound(graph)
    (folded,) = [node for node in graph.nodes if node.repeats and not node.parent]
    assert (folded.name, folded.repeats) == ("block", 12)
    assert collapsed(graph) == {
        *{("(tokens)", "embedding"), ("embedding", "(embedding)"), ("(embedding)", "block"), ("block", "(norm2_11)")},
        *{("(norm2_11)", "pool"), ("pool", "(pool)"), ("(pool)", "output"), ("output", "(output)")},
    }
    nodes = by_id(graph)
    recorded = next(node for node in graph.nodes if node.layer == "attention_3")
    assert (nodes[recorded.parent].name, nodes[nodes[recorded.parent].parent].id) == ("block_4", folded.id)


class Residual(keras.layers.Layer):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.first = layers.Dense(8, activation="relu", name="first")
        self.second = layers.Dense(8, name="second")

    def call(self, x):
        return x + self.second(self.first(x))


class Stack(keras.Model):
    def __init__(self):
        super().__init__(name="stack")
        self.blocks = [Residual(name=f"residual_{at}") for at in range(6)]
        self.last = layers.Dense(2, name="output")

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.last(x)


def test_blocks_of_a_subclassed_model_with_skips_are_folded_and_recorded_tensors_land_in_theirs():
    forward = forward_graph(Stack(), ["residual_2", "output"], keras.ops.zeros((1, 8)))
    graph = build_graph(forward.graph_def, forward.tensors)
    check_sound(graph)
    (folded,) = [node for node in graph.nodes if node.repeats]
    assert (folded.name, folded.repeats, folded.operator) == ("residual", 6, "Residual")
    nodes = by_id(graph)
    recorded = next(node for node in graph.nodes if node.layer == "residual_2")
    assert recorded.parent == folded.id
    makers = [edge.source for edge in graph.edges if edge.target == recorded.id]
    assert [(nodes[maker].operator, nodes[nodes[maker].parent].name) for maker in makers] == [("AddV2", "residual_2")]
