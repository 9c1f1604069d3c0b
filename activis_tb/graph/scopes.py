"""Name scopes as groups: which operator stands in which group, and what the groups are called."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

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

    A scope that encloses all operators is no group (the model's own name says nothing), nor is one that holds a single
    operator: that operator takes its name.

    Args:
        operators: Exact names of the operators that are shown.
        layers: By scope, (kind, name) of the layer it belongs to, where known.
    """

    def __init__(self, operators: Iterable[str], layers: Mapping[str, tuple[str, str]]) -> None:
        self._layers = layers
        names = list(operators)
        opened = {scope for name in names for scope in ancestors(name)[1:]}
        self._scope = {name: name if name in opened else name.rpartition("/")[0] for name in names}
        self._counts = Counter(scope for name in names for scope in ancestors(self._scope[name]))
        self._root = self._enclosing(names)

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

    def kind(self, scope: str) -> str:
        """Returns the kind of layer of a scope, e.g. `Conv1D`; empty where unknown."""
        return self._layers.get(scope, ("", ""))[0]

    def single(self, operator: str) -> str:
        """Returns the outermost scope that holds nothing but `operator`; empty where there is none."""
        alone = [
            scope for scope in ancestors(self._scope[operator]) if self._counts[scope] == 1 and scope != self._root
        ]
        return alone[-1] if alone else ""

    def _path(self, scope: str) -> list[str]:
        return [scope for scope in ancestors(scope) if self._counts[scope] > 1 and scope != self._root]

    def _around(self, scope: str) -> str:
        return scope.rpartition("/")[0]

    def _short(self, scope: str) -> str:
        return self._layers.get(scope, ("", ""))[1] or strip_suffix(scope.rpartition("/")[2])

    @cached_property
    def _neighbours(self) -> Counter[tuple[str, str]]:
        return Counter((self._around(scope), self._short(scope)) for scope in self._counts)

    def _enclosing(self, names: list[str]) -> str:
        """Returns the scope of the model: the one that holds everything, if it holds scopes itself."""
        first = names[0].split("/")[0] if names else ""
        if not first or self._counts[first] != len(names):
            return ""
        inner = {scope for scope in self._counts if self._around(scope) == first}
        known = first in self._layers
        is_model = self.kind(first) in _MODELS or any(scope in self._layers for scope in inner)
        return first if (is_model if known else len(inner) > 1) else ""
