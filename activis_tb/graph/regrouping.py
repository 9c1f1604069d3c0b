"""The hierarchy of a graph while it is being made: what stands side by side can be put into new groups."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from activis_tb.graph.elements import Edge, Node


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
