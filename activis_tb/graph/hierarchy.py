"""Hierarchy of a graph: nodes and edges, name scopes as groups, and groups that are moved while it is made."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

NodeKind = Literal["operator", "tensor", "group"]


@dataclass(frozen=True)
class Node:
    """An operator, a tensor, or a group (a name scope) that holds others.

    Attributes:
        id: Unique in the graph. An operator's is its exact name, a tensor's its exact name with the output's number, a
            group's the scope with a slash at its end; a parameter's also names the operator that uses it.
        kind: What it is.
        name: Short name to show.
        full_name: Exact name in the source.
        parent: Id of the group it stands in; empty at the top.
        operator: An operator's type, e.g. `MatMul`; a group's kind of layer, e.g. `Conv1D`, empty where unknown.
        shape: A tensor's, -1 for an unknown axis; None where the rank is unknown.
        dtype: A tensor's, e.g. `float32`; empty where unknown.
        device: Where an operator was placed; empty where it was not.
        attributes: An operator's settings as text.
        layer: Key of the recorded layer that a tensor is; empty where it is not recorded.
        parameter: A tensor that is a variable or a constant; it has one consumer, each consumer has its own.
        repeats: A group's, where it holds so many blocks of one form, one after another; else 0.
        candidates: Keys of recorded layers that a tensor may be, where names leave it open; `layer` is then empty.
        auxiliary: A group that holds machinery of training and reporting, no part of the model.
    """

    id: str
    kind: NodeKind
    name: str
    full_name: str = ""
    parent: str = ""
    operator: str = ""
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    device: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""
    parameter: bool = False
    repeats: int = 0
    candidates: tuple[str, ...] = ()
    auxiliary: bool = False


@dataclass(frozen=True)
class Edge:
    """From an operator to a tensor it makes, from a tensor to an operator that uses it, or a control edge.

    Attributes:
        source: Id of a node.
        target: Id of a node.
        control: The operator `target` waits for `source`, an operator or the tensor of an input; no data flows.
    """

    source: str
    target: str
    control: bool = False


@dataclass(frozen=True)
class Graph:
    """One hierarchical bipartite graph.

    Attributes:
        nodes: A group before what stands in it, else in the order of the source.
        edges: Each joins two nodes of `nodes`.
        digest: Of the GraphDef; empty where there was none.
        warnings: What could not be shown, as sentences.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    digest: str = ""
    warnings: tuple[str, ...] = ()


class Levels:
    """The nodes of a graph by the group they stand in, and what flows between them.

    Args:
        nodes: Of a graph.
        edges: Of the same graph; control edges do not count as flow.
    """

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge]) -> None:
        self.nodes = {node.id: node for node in nodes}
        flow = [(edge.source, edge.target) for edge in edges if not edge.control]
        self.sources = _joined((target, source) for source, target in flow)
        self.targets = _joined(flow)
        self.children: dict[str, list[str]] = {}
        for node in self.nodes.values():
            self.children.setdefault(node.parent, []).append(node.id)

    nodes: dict[str, Node]
    """By id."""
    children: dict[str, list[str]]
    """By group, or empty for the top, what stands in it."""
    sources: Mapping[str, Sequence[str]]
    """By node, where its data comes from."""
    targets: Mapping[str, Sequence[str]]
    """By node, where its data goes."""

    def path(self, identity: str) -> Iterator[str]:
        """Yields a node and the groups around it, the innermost first."""
        while identity:
            yield identity
            identity = self.nodes[identity].parent

    def within(self, identity: str, parent: str) -> str:
        """Returns the child of `parent` that is or holds a node; empty where there is none."""
        return next((one for one in self.path(identity) if self.nodes[one].parent == parent), "")

    def is_auxiliary(self, identity: str) -> bool:
        """Whether a node belongs to machinery."""
        return any(self.nodes[one].auxiliary for one in self.path(identity))

    def descendants(self, identity: str) -> list[str]:
        """Returns everything in a group, the group itself first."""
        found = [identity]
        for one in found:
            found += self.children.get(one, ())
        return found

    def regroup(self, parent: str, groups: Mapping[str, Node]) -> None:
        """Puts children of `parent` into new groups, which stand in `parent`.

        A tensor that is made and used within one of the new groups alone moves into it.

        Args:
            parent: A group, or empty for the top.
            groups: By child that moves, its new group.
        """
        moved = {child: group.id for child, group in groups.items()}
        staying = [child for child in self.children[parent] if child not in moved]
        tensors = [child for child in staying if self.nodes[child].kind == "tensor"]
        moved |= {tensor: around for tensor in tensors if (around := self._around(tensor, parent, moved))}
        new = {group.id: group for group in groups.values()}
        self.nodes |= new
        self.children |= {group: [] for group in new}
        for child, group in moved.items():
            self.nodes[child] = replace(self.nodes[child], parent=group)
            self.children[group].append(child)
        self.children[parent] = [*new, *(child for child in self.children[parent] if child not in moved)]

    def in_order(self) -> list[Node]:
        """Returns all nodes with groups first, each before what stands in it."""
        groups = [node for node in self.nodes.values() if node.kind == "group"]
        groups.sort(key=lambda node: len(list(self.path(node.id))))
        return [*groups, *(node for node in self.nodes.values() if node.kind != "group")]

    def _around(self, tensor: str, parent: str, moved: Mapping[str, str]) -> str:
        """Returns the new group that holds the maker and all users of `tensor`; empty where none does."""
        users = [user for user in self.targets.get(tensor, ()) if not self.is_auxiliary(user)]
        makers = self.sources.get(tensor, ())
        if not users or not makers:
            return ""
        homes = {moved.get(self.within(one, parent), "") for one in (*makers, *users)}
        return homes.pop() if len(homes) == 1 else ""


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    joined: dict[str, list[str]] = {}
    for key, value in pairs:
        joined.setdefault(key, []).append(value)
    return joined


_SUFFIX = re.compile(r"_\d+$")
_MODELS = frozenset({"Functional", "Sequential", "Model"})


def strip_suffix(name: str) -> str:
    """Returns `name` without the number that a second trace adds: `hidden_1` is `hidden`."""
    return _SUFFIX.sub("", name) or name


def ancestors(scope: str) -> list[str]:
    """Returns `scope` and all scopes around it, the innermost first, without the top."""
    parts = scope.split("/") if scope else []
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]


class Scopes:
    """The groups of a graph.

    A scope that encloses the whole model is no group (the model's own name says nothing), nor is one that holds a
    single operator: that operator takes its name; nor one, unless a layer, that holds all that the scope around it
    holds. Machinery stands in one group per kind, whose scope is `@kind`.

    Args:
        operators: Exact names of the operators that are shown.
        layers: By scope, (kind, name) of the layer it belongs to, where known.
        titles: By scope, what to call it instead of its last part.
        machinery: By operator that is no part of the model, its kind.
    """

    def __init__(
        self,
        operators: Iterable[str],
        layers: Mapping[str, tuple[str, str]],
        titles: Mapping[str, str],
        machinery: Mapping[str, str],
    ) -> None:
        self._layers = layers
        self._titles = titles
        names = list(operators)
        opened = {scope for name in names for scope in ancestors(name)[1:]}
        self._scope = {name: name if name in opened else name.rpartition("/")[0] for name in names}
        self._root = self._enclosing([name for name in names if name not in machinery])
        for name, kind in machinery.items():
            self._scope[name] = f"@{kind}/{self._scope[name]}".rstrip("/")
        self._machinery = {f"@{kind}": kind for kind in machinery.values()}
        self._counts = Counter(scope for name in names for scope in ancestors(self._scope[name]))
        self._paths: dict[str, list[str]] = {}

    @cached_property
    def groups(self) -> list[str]:
        """All groups, each after the one it stands in."""
        found = {scope: None for start in self._scope.values() for scope in reversed(self._path(start))}
        return list(found)

    def of(self, operator: str) -> str:
        """Returns the group that `operator` stands in; empty at the top."""
        return next(iter(self._path(self._scope[operator])), "")

    def parent(self, group: str) -> str:
        """Returns the group that `group` stands in; empty at the top."""
        return next(iter(self._path(group)[1:]), "")

    def common(self, groups: Iterable[str]) -> str:
        """Returns the innermost group that holds all of `groups`; empty where only the top does."""
        shared: list[str] | None = None
        for group in groups:
            path = self._path(group)
            shared = path if shared is None else [scope for scope in shared if scope in path]
        return shared[0] if shared else ""

    def left(self, group: str, home: str) -> str:
        """Returns the outermost group around `group` that is inside of `home`; empty where `group` is `home`."""
        path = self._path(group)
        inside = path[: path.index(home)] if home in path else path
        return inside[-1] if inside else ""

    def name(self, scope: str) -> str:
        """Returns the short name of a group.

        It is the layer's, or the scope's last part without the number of a trace, where that tells it from its
        neighbours, else the exact last part.
        """
        short = self._short(scope)
        neighbours = self._neighbours.get((self._around(scope), short), 0)
        return short if neighbours <= 1 else scope.rpartition("/")[2]

    def is_machinery(self, group: str) -> bool:
        """Whether `group` holds all machinery of one kind."""
        return group in self._machinery

    def machinery_around(self, group: str) -> str:
        """Returns the group of all machinery of the kind that `group` belongs to."""
        return group.partition("/")[0]

    def full_name(self, scope: str) -> str:
        """Returns the exact name of a group; empty for one that is no scope of the source."""
        return re.sub(r"^@\w+/?", "", scope)

    def kind(self, scope: str) -> str:
        """Returns the kind of layer of a scope, e.g. `Conv1D`; empty where unknown."""
        return self._layers.get(scope, ("", ""))[0]

    def single(self, operator: str) -> str:
        """Returns the outermost scope that holds nothing but `operator`; empty where there is none."""
        around = ancestors(self._scope[operator])
        alone = [one for one in around if self._counts[one] == 1 and one != self._root and one not in self._machinery]
        return alone[-1] if alone else ""

    def _path(self, scope: str) -> list[str]:
        """Returns the groups around and including `scope`, the innermost first."""
        if scope not in self._paths:
            self._paths[scope] = [one for one in ancestors(scope) if one in self._machinery or self._is_group(one)]
        return self._paths[scope]

    def _is_group(self, scope: str) -> bool:
        around = self._around(scope)
        fills = bool(around) and around != self._root and self._counts[around] == self._counts[scope]
        return self._counts[scope] > 1 and scope != self._root and (not fills or scope in self._layers)

    def _around(self, scope: str) -> str:
        return scope.rpartition("/")[0]

    def _short(self, scope: str) -> str:
        known = self._machinery.get(scope) or self._layers.get(scope, ("", ""))[1] or self._titles.get(scope)
        return known or strip_suffix(scope.rpartition("/")[2])

    @cached_property
    def _neighbours(self) -> Counter[tuple[str, str]]:
        return Counter((self._around(scope), self._short(scope)) for scope in self._counts)

    def _enclosing(self, names: list[str]) -> str:
        """Returns the scope of the model: the one that holds everything, if it holds scopes itself."""
        first = names[0].split("/")[0] if names else ""
        if not first or any(self._scope[name].split("/")[0] != first for name in names):
            return ""
        inner = {"/".join(self._scope[name].split("/")[:2]) for name in names} - {first}
        known = first in self._layers
        is_model = self.kind(first) in _MODELS or any(scope in self._layers for scope in inner)
        return first if (is_model if known else len(inner) > 1) else ""
