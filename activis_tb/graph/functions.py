"""Functions of a GraphDef: calls, branches and bodies resolved, and the functions that a trace or a library holds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from google.protobuf.message import DecodeError
from tensorboard.compat.proto import config_pb2, function_pb2, graph_pb2, node_def_pb2

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall"})
_BRANCHES = {
    **dict.fromkeys(("If", "StatelessIf"), ("then_branch", "else_branch")),
    **dict.fromkeys(("While", "StatelessWhile"), ("cond", "body")),
}
_TAKES_PREDICATE = frozenset({"If", "StatelessIf"})
_DEEPEST = 24
_MOST_ENDS = 64
"""Of one call that something waits for: more edges would tell nobody more."""
_MOST_OPERATIONS = 200_000
_MOST_CHARACTERS = 2**25
"""Of the names of what calls run: each level of calls makes them longer."""
_LATER_OUTPUTS = {
    **{"batch_mean": 1, "batch_variance": 2, "reserve_space_1": 3, "reserve_space_2": 4, "reserve_space_3": 5},
    **{"indices": 1, "idx": 1, "output_true": 1, "value_index": 1, "backprop": 1, "variance": 1, "argmax": 1},
}
"""Where the outputs stand that are not the first of their operation: bodies of functions tell them by name alone."""
_CALL_NAME = re.compile(r"(^|/)(Stateful)?PartitionedCall(_\d+)?$")
_FUNCTION_NAME = re.compile(r"^(?:__(?:inference|forward|backward)_)?(.*?)(?:_\d+)*$")


@dataclass
class Flat:
    """A graph without calls.

    Attributes:
        nodes: All operations; those of a function that `call` calls are named `call/...`.
        aliases: By output of a call, the output inside of the function that it is.
        ends: By name of a call, what waiting for it is waiting for.
        titles: By scope of a call whose own name says nothing, the function's name for people.
        kept: Calls that were left as they are, with the reason.
    """

    nodes: list[node_def_pb2.NodeDef] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    ends: dict[str, list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    _origins: dict[str, str] = field(default_factory=dict)
    _awaited: dict[str, list[str]] = field(default_factory=dict)

    def source(self, text: str) -> list[str]:
        """Returns the inputs, of `nodes` alone, that the input `text` stands for; none where it is in a cycle."""
        if text.startswith("^"):
            name = text[1:]
            return [f"^{end}" for end in self._ends(name)] if name in self.ends else [text]
        key = _output(text)
        if key not in self.aliases:
            return [text]
        passed: dict[str, str] = {}
        while key in self.aliases and key not in self._origins and key not in passed:
            passed[key] = key = _output(self.aliases[key])
        origin = self._origins.get(key, "" if key in self.aliases else key)
        self._origins.update(dict.fromkeys(passed, origin))
        return [origin] if origin else []

    def resolved(self) -> dict[str, str]:
        """Returns by output of a call the output of an operation of `nodes` that it is in the end."""
        return {alias: source for alias in self.aliases for source in self.source(alias)}

    def _ends(self, name: str) -> list[str]:
        """Returns the operations in which what `name` calls ends, each once."""
        if name not in self._awaited:
            found: dict[str, None] = {}
            seen, pending = {name}, self.ends[name][::-1]
            while pending and len(found) < _MOST_ENDS:
                end = pending.pop()
                if end not in self.ends:
                    found[end] = None
                elif end not in seen:
                    seen.add(end)
                    pending += self.ends[end][::-1]
            self._awaited[name] = list(found)
        return self._awaited[name]


def flatten(message: graph_pb2.GraphDef) -> Flat:
    """Returns the operations of a graph with every call of a library function inlined.

    An If or While stays as the operator that its branches end in. A call that is nested deeper than 24 times, that
    calls itself, or that makes the graph larger than 200,000 operations, calls among them, stays as it is.
    """
    library = {function.signature.name: function for function in message.library.function}
    if not library:
        return Flat(list(message.node))
    flattening = _Flattening(library)
    for node in message.node:
        flattening.add(node, node.name, node.input, ())
    flat = flattening.flat
    for node in flat.nodes:
        node.input[:] = [source for text in node.input for source in flat.source(text)]
    return flat


class _Flattening:
    def __init__(self, library: Mapping[str, function_pb2.FunctionDef]) -> None:
        self._library = library
        self._added = 0
        self._characters = 0
        self.flat = Flat()

    def add(self, node: node_def_pb2.NodeDef, name: str, inputs: Iterable[str], callers: tuple[str, ...]) -> None:
        """Adds `node` under `name`, or what it calls; `callers` are the functions that it stands in."""
        inputs = list(inputs)
        self._added += 1
        self._characters += len(name) if callers else 0
        called = _called(node, self._library)
        refused = self._refusal([function for _, function in called], callers) if called else ""
        if refused:
            self.flat.kept.setdefault(refused, []).append(name)
        if not called or refused:
            self._keep(node, name, inputs)
        elif node.op in _BRANCHES:
            self._enter_branches(node, name, inputs, called, callers)
        else:
            self._enter(called[0][1], name, inputs, callers)
            if _CALL_NAME.search(name):
                self.flat.titles[name] = _title(called[0][1])

    def _refusal(self, functions: Sequence[str], callers: tuple[str, ...]) -> str:
        if any(function in callers for function in functions):
            return "call themselves"
        if len(callers) >= _DEEPEST:
            return f"are nested more than {_DEEPEST} deep"
        size = sum(len(self._library[function].node_def) for function in functions)
        if self._added + size > _MOST_OPERATIONS or self._characters > _MOST_CHARACTERS:
            return f"would make the graph larger than {_MOST_OPERATIONS:,} operations"
        return ""

    def _keep(self, node: node_def_pb2.NodeDef, name: str, inputs: Iterable[str]) -> None:
        copy = node_def_pb2.NodeDef()
        copy.CopyFrom(node)
        copy.name = name
        copy.input[:] = inputs
        self.flat.nodes.append(copy)

    def _enter_branches(
        self,
        node: node_def_pb2.NodeDef,
        name: str,
        inputs: list[str],
        called: Sequence[tuple[str, str]],
        callers: tuple[str, ...],
    ) -> None:
        """Adds the branches, and `node` as the operator that takes their results."""
        data, controls = _split(inputs)
        own = data[:1] if node.op in _TAKES_PREDICATE else []
        arguments = data[len(own) :]
        used: set[int] = set()
        for branch, function in called:
            self._enter(function, f"{name}/{branch}", arguments, callers)
            body = self._library[function]
            own += [f"{name}/{branch}:{position}" for position in range(len(body.signature.output_arg))]
            used |= _used_arguments(body)
        own += [text for position, text in enumerate(arguments) if position not in used]
        self._keep(node, name, [*own, *controls])

    def _enter(self, function: str, name: str, inputs: Sequence[str], callers: tuple[str, ...]) -> None:
        body = self._library[function]
        data, _ = _split(inputs)
        arguments = dict(zip((argument.name for argument in body.signature.input_arg), data, strict=False))
        for node in body.node_def:
            sources = [text for raw in node.input if (text := _inside(raw, name, arguments))]
            self.add(node, f"{name}/{node.name}", sources, (*callers, function))
        for position, argument in enumerate(body.signature.output_arg):
            self.flat.aliases[f"{name}:{position}"] = _inside(body.ret[argument.name], name, arguments)
        ends = [*body.control_ret.values(), *(text.partition(":")[0] for text in body.ret.values())]
        self.flat.ends[name] = [f"{name}/{end}" for end in dict.fromkeys(ends) if end not in arguments]


def called_functions(node: node_def_pb2.NodeDef) -> list[str]:
    """Returns all functions that a node may call: its operator, and those among its attributes."""
    given = [value.func.name for value in node.attr.values() if value.HasField("func")]
    listed = [function.name for value in node.attr.values() for function in value.list.func]
    return [node.op, *given, *listed]


def _called(node: node_def_pb2.NodeDef, library: Mapping[str, object]) -> list[tuple[str, str]]:
    """Returns (attribute, function) of what `node` calls; nothing where one of the functions is not in the library."""
    if node.op in library:
        return [("", node.op)]
    attributes = _BRANCHES.get(node.op, ("f",) if node.op in _CALLS else ())
    called = [(key, node.attr[key].func.name) for key in attributes if key in node.attr]
    return called if all(function in library for _, function in called) else []


def _output(text: str) -> str:
    """Returns the input `text` with the position of the output that it is."""
    return text if ":" in text or not text else f"{text}:0"


def _inside(text: str, name: str, arguments: Mapping[str, str]) -> str:
    """Returns what an input inside of a function is outside of it; empty for a control input from an argument.

    `x` is an argument, `MatMul:product:0` the output of a node.
    """
    if text.startswith("^"):
        return "" if text[1:] in arguments else f"^{name}/{text[1:]}"
    node, *rest = text.split(":")
    if node in arguments:
        return arguments[node]
    position = int(rest[-1]) if rest and rest[-1].isdecimal() else 0
    if len(rest) == 2:
        position += _LATER_OUTPUTS.get(rest[0], 0)
    return f"{name}/{node}:{position}"


def _used_arguments(function: function_pb2.FunctionDef) -> set[int]:
    texts = [*function.ret.values(), *(text for node in function.node_def for text in node.input)]
    names = {text.partition(":")[0] for text in texts}
    return {position for position, argument in enumerate(function.signature.input_arg) if argument.name in names}


def _split(inputs: Iterable[str]) -> tuple[list[str], list[str]]:
    texts = list(inputs)
    return [text for text in texts if not text.startswith("^")], [text for text in texts if text.startswith("^")]


def _title(function: str) -> str:
    found = _FUNCTION_NAME.match(function)
    return (found[1] if found else "") or function


def traced_graphs(run_metadata: bytes) -> list[bytes]:
    """Returns the graphs of the functions in a trace (`tf.summary.trace_export`), as they were before optimisation.

    They are serialised GraphDefs, the largest first, none of them twice; none where the trace is damaged.
    """
    try:
        message = config_pb2.RunMetadata.FromString(run_metadata)
    except DecodeError:
        return []
    graphs = [one.pre_optimization_graph for one in message.function_graphs if one.pre_optimization_graph.node]
    ordered = sorted(graphs, key=lambda graph: -len(graph.node))
    return list(dict.fromkeys(bytes(graph.SerializeToString(deterministic=True)) for graph in ordered))


def uncalled_functions(graph_def: bytes, most: int = 12) -> dict[str, bytes]:
    """Returns by name the first functions in a graph's library that nothing calls, each as a graph of its own.

    Each carries the whole library, so there are at most `most`.
    """
    try:
        message = graph_pb2.GraphDef.FromString(graph_def)
    except DecodeError:
        return {}
    bodies = [function.node_def for function in message.library.function]
    called = {name for nodes in (message.node, *bodies) for node in nodes for name in called_functions(node)}
    uncalled = {
        function.signature.name: function
        for function in message.library.function
        if function.signature.name not in called
    }
    return {name: _as_graph(function, message.library) for name, function in islice(uncalled.items(), most)}


def _as_graph(function: function_pb2.FunctionDef, library: function_pb2.FunctionDefLibrary) -> bytes:
    """Returns a graph that calls `function` on placeholders."""
    name = function.signature.name
    graph = graph_pb2.GraphDef(library=library)
    for argument in function.signature.input_arg:
        node = graph.node.add(name=argument.name, op="Placeholder")
        node.attr["dtype"].type = argument.type
    graph.node.add(name=name, op=name, input=[argument.name for argument in function.signature.input_arg])
    return bytes(graph.SerializeToString(deterministic=True))
