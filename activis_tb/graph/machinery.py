"""What of a graph is machinery of training and reporting, no part of the model: it stands in groups of its own.

A graph of a whole training run has more of it than of the model. It is told by what its operators do, by the names that
libraries give its scopes, and by where it stands: what only machinery uses and no input of the model reaches, and what
takes nothing but the results of machinery.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from activis_tb.graph.parsing import Operation, Operations, Output

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
