"""Simplification of a graph: pass-through operations folded, operations of training and reporting set apart.

A graph of a whole training run has more of it than of the model. It is told by what its operators do, by the names that
libraries give its scopes, and by where it stands: what only machinery uses and no input of the model reaches, and what
takes nothing but the results of machinery.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tensorboard.util import tensor_util

from activis_tb.graph import torch_script
from activis_tb.graph.graphdef import Operation, Operations, Output

GRADIENTS, UPDATES, SAVING, STARTING, REPORTING = "gradients", "updates", "saving", "initialisation", "summaries"

_TYPES = (
    (SAVING, re.compile(r"(Save|Restore)(V2|Slices?)?$|ShardedFilename|MergeV2Checkpoints")),
    (REPORTING, re.compile(r".*Summary(V2|Writer)?$|(Create|Flush|Close)Summary|Write\w*Summary")),
    (UPDATES, re.compile(r"(Resource)?(Sparse)?Apply[A-Z]|Assign(Add|Sub)(VariableOp)?$|Scatter\w*(Add|Sub|Update)$")),
    (STARTING, re.compile(r"Assign(VariableOp)?$|(Is|Var)\w*Initialized(Op|V2)?$|(Initialize|LookupTableImport)\w*")),
    (GRADIENTS, re.compile(r"\w+Grad(V\d|Ext)?$|BroadcastGradientArgs$|SymbolicGradient$")),
    (GRADIENTS, re.compile(r"(?!Conv\dDBackpropInput)\w*Backprop\w*$")),
)
_SCOPES = {
    **dict.fromkeys(("gradients", "gradient_tape", "gradient"), GRADIENTS),
    **dict.fromkeys(("save", "saver"), SAVING),
    **dict.fromkeys(("init", "init_ops", "initializer", "report_uninitialized_variables"), STARTING),
    **dict.fromkeys(("summaries", "summary"), REPORTING),
    **dict.fromkeys(("adam", "adamw", "adagrad", "adadelta", "ftrl", "momentum", "rmsprop", "sgd"), UPDATES),
    **dict.fromkeys(("gradientdescent", "optimizer", "exponentialmovingaverage", "assignmovingavg"), UPDATES),
}
_NUMBER = re.compile(r"_\d+$")
_FEEDS = re.compile(r"Placeholder|_Arg$|_DeviceArg$|.*Dequeue|Iterator\w*GetNext|.*Reader\w*$|ReadFile$")


def machinery(operations: Operations, kept: Iterable[str], recorded: Collection[Output]) -> dict[str, str]:
    """Returns by operator that is machinery which: gradients, updates, saving, initialisation or summaries.

    Args:
        operations: The graph.
        kept: Names of the operators that are shown.
        recorded: Never machinery, nor is anything that they depend on.
    """
    return _Search(operations, kept, recorded).run()


def kind_of(operation: Operation) -> str:
    """Returns the kind of machinery that an operation is by its type or name alone; empty where it may be a model's."""
    return _kind_of_type(operation.type) or _kind_of_scope(operation.name.rpartition("/")[0])


def trains(operations: Operations) -> bool:
    """Whether a graph computes gradients or updates variables: a training step, not the model alone."""
    return any(kind_of(operation) in {GRADIENTS, UPDATES} for operation in operations.by_name.values())


@lru_cache(maxsize=4096)
def _kind_of_type(operator: str) -> str:
    return next((kind for kind, pattern in _TYPES if pattern.match(operator)), "")


@lru_cache(maxsize=65536)
def _kind_of_scope(scope: str) -> str:
    """Returns what the outermost scope that tells it is."""
    parts = (_NUMBER.sub("", part).lower() for part in scope.split("/"))
    return next((_SCOPES[part] for part in parts if part in _SCOPES), "")


class _Search:
    def __init__(self, operations: Operations, kept: Iterable[str], recorded: Collection[Output]) -> None:
        self._operations = operations
        self._kept = dict.fromkeys(kept)
        self._before = {name: self._neighbours(_sources(operations.by_name[name])) for name in self._kept}
        self._after: dict[str, list[str]] = {name: [] for name in self._kept}
        for name, sources in self._before.items():
            for source in sources:
                self._after[source].append(name)
        self._model = _reached((output.operation for output in recorded), self._before)
        feeding = (name for name in self._kept if _FEEDS.match(operations.by_name[name].type))
        self._fed = _reached(feeding, self._after)

    def run(self) -> dict[str, str]:
        kinds = {name: kind_of(self._operations.by_name[name]) for name in self._kept if name not in self._model}
        found = {name: kind for name, kind in kinds.items() if kind}
        pending = list(found)
        while pending:
            name = pending.pop()
            for after in self._after[name]:
                if self._may_join(after, found) and all(source in found for source in self._before[after]):
                    found[after] = found[name]
                    pending.append(after)
            for before in self._before[name]:
                may = self._may_join(before, found) and before not in self._fed
                if may and all(user in found for user in self._after[before]):
                    found[before] = found[name]
                    pending.append(before)
        return found | self._waiting(found)

    def _may_join(self, name: str, found: Mapping[str, str]) -> bool:
        return name not in found and name not in self._model

    def _waiting(self, found: Mapping[str, str]) -> dict[str, str]:
        """Returns the operations that only wait for machinery."""
        waiting: dict[str, str] = {}
        for name in self._kept:
            operation = self._operations.by_name[name]
            awaited = [kind for other in operation.controls if (kind := found.get(other) or waiting.get(other))]
            if operation.type == "NoOp" and name not in found and awaited:
                waiting[name] = awaited[0]
        return waiting

    def _neighbours(self, names: Iterable[str]) -> list[str]:
        """Returns the operators that `names` lead back to, through what is folded away."""
        found: dict[str, None] = {}
        pending, seen = list(names), set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._kept:
                found[name] = None
            else:
                pending += _sources(self._operations.by_name[name])
        return list(found)


def _sources(operation: Operation) -> list[str]:
    return [source.operation for source in operation.inputs if source is not None]


def _reached(starts: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    pending = [name for name in starts if name in edges]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += edges[name]
    return reached


VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})
INPUTS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault", "_Arg", "_DeviceArg"})
_READS = frozenset({"ReadVariableOp", "Identity", "Enter", "RefEnter", "_Retval"})
_RESHAPES = frozenset(
    {"ExpandDims", "Squeeze", "Reshape", "Transpose", "Cast", "StridedSlice", "Pack", "Shape", "Fill"}
)
_SHAPE_SOURCES = frozenset({"Shape", "ShapeN", "Rank", "Size"})
_SHAPE_ARITHMETIC = _SHAPE_SOURCES | frozenset(
    {"StridedSlice", "Slice", "Pack", "ConcatV2", "GatherV2", "Prod", "Mul", "Sub", "AddV2", "Cast", "Range", "Maximum"}
    | {"FloorDiv", "Identity", "Squeeze", "ExpandDims", "Reshape", "BroadcastArgs", "Minimum", "Unpack"}
)
_SHAPE_SLOTS = {
    **dict.fromkeys(("Reshape", "ExpandDims", "BroadcastTo", "Tile", "Transpose"), (1,)),
    **dict.fromkeys(("Slice", "StridedSlice"), (1, 2, 3)),
    **dict.fromkeys(("Fill", "RandomUniform", "RandomStandardNormal", "TruncatedNormal"), (0,)),
    "TensorListReserve": (0, 1),
}
_AUTOMATIC_IDENTITY = re.compile(r"(^|/)(Identity(_\d+)?|read)$")
_VALUE_CHARACTERS = 60
_VALUE_BYTES = 1024


@dataclass(frozen=True)
class Parameter:
    """A variable or a constant that an operator uses.

    Attributes:
        output: Where it comes from: the read of the variable, or the constant.
        name: The variable's name where it can be told, else the operation's.
        value: A small constant as text, to be shown as a setting of the operator; empty otherwise.
    """

    output: Output
    name: str
    value: str = ""


@dataclass(frozen=True)
class Folding:
    """Which operations stay and how the others are told.

    Attributes:
        kept: Names of the operations that are shown.
        parameters: By (operation, slot) of a kept operation, the parameter it takes there.
        sources: By output that is only passed on, the output it stands for.
        hidden: Outputs of shape arithmetic, not shown at all.
        returned: Outputs that leave the graph.
    """

    kept: Collection[str]
    parameters: dict[tuple[str, int], Parameter] = field(default_factory=dict)
    sources: dict[Output, Output] = field(default_factory=dict)
    hidden: Collection[str] = frozenset()
    returned: Collection[Output] = frozenset()


def fold(operations: Operations, recorded: Collection[Output]) -> Folding:
    """Decides which of `operations` are pass-through and are folded. What makes a `recorded` output is never folded."""
    pinned = {output.operation for output in recorded}
    constant = _constants(operations, pinned)
    passing = {
        name
        for name, operation in operations.by_name.items()
        if name not in pinned and name not in constant and _passes_on(operation, operations)
    }
    shapes = _shape_arithmetic(operations, pinned | constant)
    returns = {name for name, operation in operations.by_name.items() if operation.type == "_Retval"} - pinned
    folded = constant | passing | shapes | returns
    discarded = returns | _empty(operations, folded)
    folded |= discarded
    sources = _origins(operations, passing)
    returned = {
        sources.get(output, output)
        for name in passing | discarded
        if name in discarded or not _consumed(name, operations)
        for output in operations.by_name[name].inputs
        if output is not None
    }
    alive = _alive(operations, {*recorded, *returned})
    kept = {name: None for name in operations.by_name if name not in folded and name in alive}
    if not kept:
        return Folding(operations.by_name.keys())
    parameters = {
        (name, slot): _parameter(output, operations)
        for name in kept
        for slot, source in enumerate(operations.by_name[name].inputs)
        if source is not None and (output := sources.get(source, source)).operation in constant
    }
    return Folding(kept.keys(), parameters, sources, shapes, returned)


def _alive(operations: Operations, results: Iterable[Output]) -> Collection[str]:
    """Returns what leads to a result, and the inputs; everything where the source does not say what its results are."""
    if not operations.results_known:
        return operations.by_name.keys()
    alive = {name for name, operation in operations.by_name.items() if operation.type in INPUTS}
    pending = [output.operation for output in results]
    while pending:
        name = pending.pop()
        if name not in alive:
            alive.add(name)
            operation = operations.by_name[name]
            pending += [*operation.controls, *(source.operation for source in operation.inputs if source is not None)]
    return alive


def _empty(operations: Operations, folded: set[str]) -> set[str]:
    """Returns the operations that do nothing but wait, for nothing that is shown."""
    waiting = (operation for operation in operations.by_name.values() if operation.type == "NoOp")
    return {operation.name for operation in waiting if folded >= set(operation.controls)}


def _constants(operations: Operations, pinned: Collection[str]) -> set[str]:
    """Returns the operations that only fetch or reshape variables and constants, and are used by something else."""
    constant: set[str] = set()
    pending = [name for name, operation in operations.by_name.items() if _is_parameter(operation)]
    while pending:
        name = pending.pop()
        operation = operations.by_name[name]
        if name in constant or name in pinned or not _folds_into_parameter(operation, constant):
            continue
        constant.add(name)
        pending += [consumer for consumer, _ in _uses(operation, operations)]
    return {name for name in constant if operations.by_name[name].type not in _RESHAPES or _consumed(name, operations)}


def _is_parameter(operation: Operation) -> bool:
    is_resource = operation.type in INPUTS and operation.dtype(0) == "resource"
    return is_resource or operation.type == "Const" or operation.type in VARIABLES


def _folds_into_parameter(operation: Operation, constant: Collection[str]) -> bool:
    if _is_parameter(operation):
        return True
    known = all(output is not None and output.operation in constant for output in operation.inputs)
    return known and bool(operation.inputs) and operation.type in _READS | _RESHAPES


def _uses(operation: Operation, operations: Operations) -> Iterable[tuple[str, int]]:
    """Returns (consumer, slot) over all outputs."""
    return operations.uses.get(operation.name, ())


def _consumed(name: str, operations: Operations) -> bool:
    return name in operations.uses


def _passes_on(operation: Operation, operations: Operations) -> bool:
    """Whether it is an Identity that somebody's function return or a library made, not a layer."""
    scope = operation.name.rpartition("/")[0]
    automatic = operation.type == "Identity" and bool(_AUTOMATIC_IDENTITY.search(operation.name))
    return automatic and scope not in operations.layers and operation.inputs[:1] not in ((), (None,))


def _origins(operations: Operations, passing: Collection[str]) -> dict[Output, Output]:
    """Returns by output that is only passed on the output it stands for; in a cycle, one of the cycle's."""
    origins: dict[Output, Output] = {}
    for name in passing:
        output: Output = Output(name, 0)
        passed: dict[Output, None] = {}
        while output.operation in passing and output not in passed and output not in origins:
            passed[output] = None
            source = operations.by_name[output.operation].inputs[0]
            if source is None:
                break
            output = source
        origins |= dict.fromkeys(passed, origins.get(output, output))
    return origins


def _shape_arithmetic(operations: Operations, excluded: Collection[str]) -> set[str]:
    """Returns the operations that start from a tensor's shape and end only in arguments that are shapes."""
    reached: set[str] = set()
    pending = [name for name, operation in operations.by_name.items() if operation.type in _SHAPE_SOURCES]
    while pending:
        name = pending.pop()
        operation = operations.by_name[name]
        if name in reached or name in excluded or operation.type not in _SHAPE_ARITHMETIC:
            continue
        reached.add(name)
        pending += [
            consumer for consumer, slot in _uses(operation, operations) if not _takes_shape(consumer, slot, operations)
        ]
    return _closed(reached, operations)


def _takes_shape(name: str, slot: int, operations: Operations) -> bool:
    return slot in _SHAPE_SLOTS.get(operations.by_name[name].type, ())


def _closed(reached: set[str], operations: Operations) -> set[str]:
    """Keeps of `reached` what is used, and used only as a shape or by others that are kept."""
    closed = set(reached)
    pending = list(reached)
    while pending:
        name = pending.pop()
        if name not in closed:
            continue
        uses = list(_uses(operations.by_name[name], operations))
        if uses and all(user in closed or _takes_shape(user, slot, operations) for user, slot in uses):
            continue
        closed.remove(name)
        pending += [output.operation for output in operations.by_name[name].inputs if output is not None]
    return closed


def _parameter(output: Output, operations: Operations) -> Parameter:
    """Follows a folded output back to the variable that it fetches; without one it is a constant."""
    pending, seen = [output], {output}
    while pending:
        operation = operations.by_name[pending.pop(0).operation]
        if operation.type in VARIABLES | INPUTS:
            return Parameter(_read(output, operations), _variable_name(operation))
        sources = [source for source in operation.inputs if source is not None and source not in seen]
        seen.update(sources)
        pending += sources
    return Parameter(output, output.operation, _small_value(operations.by_name[output.operation]))


def _read(output: Output, operations: Operations) -> Output:
    """Returns the output in the chain before `output` where the variable's value first appears, unreshaped."""
    while True:
        operation = operations.by_name[output.operation]
        before = [source for source in operation.inputs if source is not None]
        if operation.type in _READS | VARIABLES | INPUTS or not before:
            return output
        output = before[0]


def _variable_name(operation: Operation) -> str:
    if operation.node.op == "prim::GetAttr":
        return torch_script.parameter_name(operation.node)
    for key in ("_user_specified_name", "shared_name"):
        text = operation.node.attr[key].s.decode(errors="replace") if key in operation.node.attr else ""
        if text and text != "resource":
            return text
    return operation.name.removesuffix("/ReadVariableOp/resource").removesuffix("/resource")


def _small_value(operation: Operation) -> str:
    """Returns a constant as text where it is a setting (a scalar, or a list of integers such as axes); else nothing."""
    if operation.node.op == "prim::Constant":
        return torch_script.entry(operation.node)
    if operation.type != "Const" or "value" not in operation.node.attr:
        return ""
    message = operation.node.attr["value"].tensor
    if message.ByteSize() > _VALUE_BYTES:
        return ""
    try:
        value = tensor_util.make_ndarray(message)
    except (TypeError, ValueError):
        return ""
    if value.ndim > 1 or (value.ndim == 1 and value.dtype.kind not in "iub"):
        return ""
    text = f"{value:.6g}" if value.ndim == 0 and value.dtype.kind == "f" else str(value.tolist())
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[: _VALUE_CHARACTERS - 1]}…"
