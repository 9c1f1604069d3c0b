"""Builder of a graph: operations become nodes and edges, grouped by name scope, with their settings as text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tensorboard.compat.proto import attr_value_pb2

from activis_tb.graph.graphdef import Operation, Operations, Output
from activis_tb.graph.hierarchy import Edge, Node, Scopes
from activis_tb.graph.simplify import INPUTS, Folding, Parameter, machinery

_NOT_SETTINGS = frozenset(
    {"T", "N", "Tidx", "Taxis", "Tindices", "Tparams", "Tdim", "Tshape", "Index", "dtype", "use_cudnn_on_gpu"}
    | {"incompatible_shape_error", "parallel_iterations", "swap_memory"}
)
_LIMIT = 200


def settings(operation: Operation, constants: Mapping[str, str]) -> dict[str, str]:
    """Returns what sets this operator apart from others of its type, by name; a switch only where it is on.

    Args:
        operation: Its attributes are taken, types and bookkeeping left out.
        constants: By exact name, the constants that it takes as inputs, as text.
    """
    named = {name.rpartition("/")[2]: value for name, value in constants.items()}
    texts = {name: value for name, value in named.items() if not name.isdecimal()}
    for key in sorted(operation.node.attr):
        text = "" if key.startswith("_") or key in _NOT_SETTINGS else _text(operation.node.attr[key])
        if text and not (key.endswith("_mask") and text == "0"):
            texts[key] = text if len(text) <= _LIMIT else f"{text[: _LIMIT - 1]}…"
    return texts


def _text(value: attr_value_pb2.AttrValue) -> str:
    kind = value.WhichOneof("value")
    if kind == "s":
        return str(value.s.decode(errors="replace"))
    if kind == "b":
        return "True" if value.b else ""
    if kind == "i":
        return str(value.i)
    if kind == "f":
        return f"{value.f:.6g}"
    if kind == "func":
        return str(value.func.name)
    if kind == "list" and value.list.i:
        return ", ".join(map(str, value.list.i))
    return ""


_WITHOUT_OUTPUT = frozenset({"NoOp", "Assert", "SaveV2", "_Retval", "MergeV2Checkpoints", "PrintV2"})
_MOST_RESULTS = 16


class Builder:
    """Makes the nodes and edges of a graph whose pass-through operations are folded.

    Args:
        operations: The graph.
        folding: Which operations are folded, and into what.
        recorded: By output, the recorded layers that it is.
        candidates: By output, the recorded layers that it may be.
    """

    def __init__(
        self,
        operations: Operations,
        folding: Folding,
        recorded: Mapping[Output, Sequence[str]],
        candidates: Mapping[Output, Sequence[str]],
    ) -> None:
        self._operations = operations
        self._folding = folding
        self._recorded = recorded
        self._candidates = candidates
        kept = [operations.by_name[name] for name in folding.kept]
        self._operators = [operation for operation in kept if operation.type not in INPUTS]
        self._inputs = [operation for operation in kept if operation.type in INPUTS]
        self._machinery = machinery(operations, folding.kept, {*recorded, *candidates})
        names = [operation.name for operation in self._operators]
        aside = {name: self._machinery[name] for name in names if name in self._machinery}
        self._scopes = Scopes(names, operations.layers, operations.titles, aside)
        self._users = self._find_users()
        self._wanted: dict[str, set[int]] = {}
        for output in (*self._users, *recorded, *candidates, *folding.returned, *self._waited_inputs()):
            self._wanted.setdefault(output.operation, set()).add(output.position)
        self._results = self._find_results()
        self.edges: list[Edge] = []
        self.nodes = self._nodes()

    nodes: list[Node]
    """Groups first, each before what stands in it."""
    edges: list[Edge]
    """An edge for each use: an operator that takes a tensor twice has two."""

    def _nodes(self) -> list[Node]:
        tensors = [tensor for operation in self._inputs for tensor in self._outputs(operation)]
        operators: list[Node] = []
        parameters: list[Node] = []
        for operation in self._operators:
            operators.append(self._operator(operation))
            parameters += self._parameters(operation)
            tensors += self._outputs(operation)
            self._add_controls(operation)
        return [*self._groups(), *operators, *_distinguished(tensors), *parameters]

    def _find_users(self) -> dict[Output, list[str]]:
        """Returns by output the operators that use it, once per use."""
        users: dict[Output, list[str]] = {}
        for operation in self._operators:
            for slot, source in enumerate(operation.inputs):
                if source is None or (operation.name, slot) in self._folding.parameters:
                    continue
                origin = self._folding.sources.get(source, source)
                if origin.operation in self._folding.kept:
                    users.setdefault(origin, []).append(operation.name)
        return users

    def _find_results(self) -> set[str]:
        """Returns the operators of the model whose output nobody uses, unless there are too many for results."""
        ends = {
            operation.name
            for operation in self._operators
            if not self._wanted.get(operation.name) and operation.name not in self._machinery and _has_output(operation)
        }
        return ends if len(ends) <= _MOST_RESULTS else set()

    def _groups(self) -> list[Node]:
        return [
            Node(
                id=f"{scope}/",
                kind="group",
                name=self._scopes.name(scope),
                full_name=self._scopes.full_name(scope),
                parent=_group_id(self._scopes.parent(scope)),
                operator=self._scopes.kind(scope),
                auxiliary=self._scopes.is_machinery(scope),
            )
            for scope in self._scopes.groups
        ]

    def _operator(self, operation: Operation) -> Node:
        scope = self._scopes.single(operation.name)
        kind = self._scopes.kind(scope)
        constants = {parameter.name: parameter.value for parameter in self._parameters_of(operation) if parameter.value}
        attributes = settings(operation, constants)
        if kind:
            attributes["layer kind"] = kind
        return Node(
            id=operation.name,
            kind="operator",
            name=self._scopes.name(scope) if scope else _last(operation.name),
            full_name=operation.name,
            parent=_group_id(self._scopes.of(operation.name)),
            operator=kind if kind and operation.type == "Identity" else operation.node.op,
            device=operation.node.device,
            attributes=attributes,
        )

    def _parameters_of(self, operation: Operation) -> Iterable[Parameter]:
        slots = ((operation.name, slot) for slot in range(len(operation.inputs)))
        return (self._folding.parameters[key] for key in slots if key in self._folding.parameters)

    def _parameters(self, operation: Operation) -> list[Node]:
        nodes = {}
        for parameter in self._parameters_of(operation):
            if parameter.value:
                continue
            origin = self._operations.by_name[parameter.output.operation]
            dtype = origin.dtype(parameter.output.position)
            node = Node(
                id=parameter_id(parameter, operation.name),
                kind="tensor",
                name=_last(parameter.name),
                full_name=parameter.name,
                parent=_group_id(self._scopes.of(operation.name)),
                shape=None if dtype == "resource" else origin.shape(parameter.output.position),
                dtype="" if dtype == "resource" else dtype,
                parameter=True,
            )
            nodes[node.id] = node
            self.edges.append(Edge(node.id, operation.name))
        return list(nodes.values())

    def _outputs(self, operation: Operation) -> list[Node]:
        """Returns the tensors that `operation` makes and somebody wants, and joins them to it and to their users."""
        wanted = self._wanted.get(operation.name, set())
        if not wanted and operation.name not in self._machinery and _has_output(operation):
            wanted = {0}
        return [node for index in sorted(wanted) for node in self._tensor(operation, index)]

    def _tensor(self, operation: Operation, index: int) -> list[Node]:
        output = Output(operation.name, index)
        users = self._users.get(output, [])
        is_input = operation.type in INPUTS
        home = self._home(operation, output, users)
        layers = self._recorded.get(output, [])
        name = _last(operation.name) if is_input else self._tensor_name(operation, home)
        node = Node(
            id=str(output),
            kind="tensor",
            name=layers[0] if layers else name if index == 0 else f"{name}:{index}",
            full_name=str(output),
            parent=_group_id(home),
            shape=operation.shape(index),
            dtype=operation.dtype(index),
            layer=layers[0] if layers else "",
            candidates=() if layers else tuple(self._candidates.get(output, ())),
        )
        twins = [replace(node, id=f"{output}#{layer}", name=layer, layer=layer) for layer in layers[1:]]
        if not is_input:
            self.edges += [Edge(operation.name, tensor.id) for tensor in (node, *twins)]
        self.edges += [Edge(node.id, user) for user in users]
        return [node, *twins]

    def _home(self, operation: Operation, output: Output, users: Sequence[str]) -> str:
        """Returns the group a tensor stands in; for the sake of machinery no tensor of the model leaves its own."""
        is_machinery = operation.name in self._machinery
        is_input = operation.type in INPUTS
        own = [] if is_input else [self._scopes.of(operation.name)]
        seen_by = [user for user in users if (user in self._machinery) == is_machinery]
        is_result = not seen_by and (output in self._folding.returned or operation.name in self._results)
        if not is_machinery and (is_input or is_result):
            return ""
        home = self._scopes.common([*own, *(self._scopes.of(name) for name in seen_by)])
        return self._scopes.machinery_around(own[0]) if is_machinery and own and not home else home

    def _tensor_name(self, operation: Operation, home: str) -> str:
        left = self._scopes.left(self._scopes.of(operation.name), home) or self._scopes.single(operation.name)
        return self._scopes.name(left) if left else _last(operation.name)

    def _add_controls(self, operation: Operation) -> None:
        for name in operation.controls:
            if name in self._folding.kept:
                source = str(Output(name, 0)) if self._is_input(name) else name
                self.edges.append(Edge(source, operation.name, control=True))

    def _waited_inputs(self) -> Iterable[Output]:
        """Returns the tensors of inputs that operators wait for: an input has no operator of its own."""
        waited = (name for operation in self._operators for name in operation.controls)
        return (Output(name, 0) for name in waited if name in self._folding.kept and self._is_input(name))

    def _is_input(self, name: str) -> bool:
        return self._operations.by_name[name].type in INPUTS


def parameter_id(parameter: Parameter, operator: str) -> str:
    """Returns the id of the node that `parameter` is beside `operator`."""
    return f"{parameter.output}@{operator}"


def _has_output(operation: Operation) -> bool:
    if "_output_shapes" in operation.node.attr:
        return bool(operation.node.attr["_output_shapes"].list.shape)
    return operation.type not in _WITHOUT_OUTPUT


def _distinguished(tensors: Sequence[Node]) -> list[Node]:
    """Where several tensors of one place would have one name, tells them apart by the operators that make them."""
    counts = Counter((tensor.parent, tensor.name) for tensor in tensors)
    return [
        tensor
        if tensor.layer or counts[tensor.parent, tensor.name] == 1
        else replace(tensor, name=f"{tensor.name}/{_last(tensor.full_name.removesuffix(':0'))}")
        for tensor in tensors
    ]


def _group_id(scope: str) -> str:
    return f"{scope}/" if scope else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]
