"""GraphDef to one hierarchical bipartite graph, read at the level of layers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from activis_tb.graph.elements import Edge, Graph, Node
from activis_tb.graph.folding import INPUTS, Folding, Parameter, fold
from activis_tb.graph.parsing import Operation, Operations, Output, parse_operations
from activis_tb.graph.scopes import Scopes
from activis_tb.graph.settings import settings
from activis_tb.model import graph_digest

_WITHOUT_OUTPUT = frozenset({"NoOp", "Assert", "SaveV2", "_Retval", "MergeV2Checkpoints", "PrintV2"})


def build_graph(graph_def: bytes, tensors: Mapping[str, str], warnings: Sequence[str] = ()) -> Graph:
    """Returns the model's forward function: one group per name scope, operators and tensors in them.

    Variables and constants become small parameter tensors beside the operator that uses them, scalars and axes become
    its attributes; what only passes a tensor on, and arithmetic on shapes, is left out. A tensor that is used outside
    of the scope that makes it stands outside, and so does one that leaves the graph, so a closed group reads as one
    operator. A call of a function is one operator.

    Args:
        graph_def: A serialised GraphDef. A damaged one gives what can be shown, and warnings.
        tensors: By recorded layer, the exact name of its tensor, e.g. `model_1/hidden_1/Relu:0`.
        warnings: Put before those found here.
    """
    operations = parse_operations(graph_def)
    recorded, unknown = _recorded(tensors, operations)
    folding = fold(operations, recorded)
    builder = _Builder(operations, folding, recorded)
    return Graph(
        source="forward",
        nodes=tuple(builder.nodes()),
        edges=tuple(dict.fromkeys(builder.edges)),
        digest=graph_digest(graph_def),
        warnings=(*warnings, *operations.warnings, *unknown),
    )


def _recorded(tensors: Mapping[str, str], operations: Operations) -> tuple[dict[Output, list[str]], list[str]]:
    recorded: dict[Output, list[str]] = {}
    warnings = []
    for layer, tensor in tensors.items():
        name, _, index = tensor.partition(":")
        if name in operations.by_name and (not index or index.isdecimal()):
            recorded.setdefault(Output(name, int(index or 0)), []).append(layer)
        elif operations.by_name:
            warnings.append(f"The recorded layer {layer!r} is not in the graph: there is no tensor {tensor!r}.")
    return recorded, warnings


class _Builder:
    def __init__(self, operations: Operations, folding: Folding, recorded: Mapping[Output, Sequence[str]]) -> None:
        self._operations = operations
        self._folding = folding
        self._recorded = recorded
        kept = [operations.by_name[name] for name in folding.kept]
        self._operators = [operation for operation in kept if operation.type not in INPUTS]
        self._inputs = [operation for operation in kept if operation.type in INPUTS]
        self._scopes = Scopes([operation.name for operation in self._operators], operations.layers)
        self._users = self._find_users()
        self._names = {operation.name for operation in self._operators}
        self._wanted: dict[str, set[int]] = {}
        for output in (*self._users, *recorded, *folding.returned):
            self._wanted.setdefault(output.operation, set()).add(output.position)
        self.edges: list[Edge] = []

    def nodes(self) -> list[Node]:
        """Returns all nodes, groups first, and fills `edges`."""
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

    def _groups(self) -> list[Node]:
        return [
            Node(
                id=f"{scope}/",
                kind="group",
                name=self._scopes.name(scope),
                full_name=scope,
                parent=_group_id(self._scopes.parent(scope)),
                operator=self._scopes.kind(scope),
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
            operator=kind if kind and operation.type == "Identity" else operation.type,
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
                id=f"{parameter.output}@{operation.name}",
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
        if not wanted and _has_output(operation):
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
        )
        twins = [replace(node, id=f"{output}#{layer}", name=layer, layer=layer) for layer in layers[1:]]
        if not is_input:
            self.edges += [Edge(operation.name, tensor.id) for tensor in (node, *twins)]
        self.edges += [Edge(node.id, user) for user in users]
        return [node, *twins]

    def _home(self, operation: Operation, output: Output, users: Sequence[str]) -> str:
        if operation.type in INPUTS or not users or output in self._folding.returned:
            return ""
        return self._scopes.common(self._scopes.of(name) for name in (operation.name, *users))

    def _tensor_name(self, operation: Operation, home: str) -> str:
        left = self._scopes.left(self._scopes.of(operation.name), home) or self._scopes.single(operation.name)
        return self._scopes.name(left) if left else _last(operation.name)

    def _add_controls(self, operation: Operation) -> None:
        self.edges += [Edge(name, operation.name, control=True) for name in operation.controls if name in self._names]


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
