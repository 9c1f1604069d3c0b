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
