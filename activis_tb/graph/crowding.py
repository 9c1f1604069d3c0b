"""Keeps every level of a graph short enough to be read: what is too much for one stands in groups."""

import re
from collections.abc import Sequence

from activis_tb.graph.elements import Node
from activis_tb.graph.regrouping import Levels

MOST_NODES = 80
_PART = 20
_FEWEST = 3
_ENDS = re.compile(r"[_./-]|(?<=\D)(?=\d)")


def divide_crowded(levels: Levels) -> None:
    """Puts nodes into new groups wherever more than 80 would stand side by side; parameters do not count.

    First by a common beginning of names, such as `conv2_block1_`; where that does not help, by order of the flow.
    """
    for divide in (_by_names, _by_order):
        for parent in _crowded(levels):
            groups = divide(levels, parent)
            if groups:
                levels.regroup(parent, groups)


def _crowded(levels: Levels) -> list[str]:
    nodes = levels.nodes
    counts = {
        parent: sum(not nodes[child].parameter and not nodes[child].auxiliary for child in children)
        for parent, children in levels.children.items()
    }
    return [parent for parent, count in counts.items() if count > MOST_NODES]


def _movable(levels: Levels, parent: str) -> list[str]:
    nodes = (levels.nodes[child] for child in levels.children[parent])
    return [node.id for node in nodes if node.kind != "tensor" and not node.auxiliary]


def _by_names(levels: Levels, parent: str) -> dict[str, Node]:
    """Groups what shares the longest beginning with at least two others, but not what shares it with everything."""
    movable = _movable(levels, parent)
    members: dict[str, list[str]] = {}
    for child in movable:
        for beginning in _beginnings(levels.nodes[child].name):
            members.setdefault(beginning, []).append(child)
    shared = {beginning: found for beginning, found in members.items() if _FEWEST <= len(found) <= MOST_NODES // 2}
    groups: dict[str, Node] = {}
    for beginning, found in sorted(shared.items(), key=lambda item: (len(item[0].rstrip("0123456789")), item[0])):
        free = [child for child in found if child not in groups]
        if len(free) >= _FEWEST:
            group = _new_group(parent, beginning, beginning)
            groups.update(dict.fromkeys(free, group))
    return groups


def _beginnings(name: str) -> list[str]:
    return [name[: match.start()] for match in _ENDS.finditer(name) if match.start() > 0]


def _by_order(levels: Levels, parent: str) -> dict[str, Node]:
    """Groups what follows one another in the flow, in parts of about equal size."""
    ordered = _in_flow(levels, parent)
    size = max(_PART, len(ordered) // (MOST_NODES // 4) + 1)
    groups = {}
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        title = f"{start + 1}-{start + len(part)} of {len(ordered)}"
        groups.update(dict.fromkeys(part, _new_group(parent, title, title)))
    return groups if len(ordered) > size else {}


def _in_flow(levels: Levels, parent: str) -> list[str]:
    """Returns the operators and groups of one level, none before what it depends on; circles are cut anywhere."""
    movable = _movable(levels, parent)
    known = set(movable)
    before: dict[str, set[str]] = {child: set() for child in movable}
    for child in movable:
        for one in levels.descendants(child):
            for tensor in levels.sources.get(one, ()) if levels.nodes[one].kind == "operator" else ():
                makers = (levels.within(maker, parent) for maker in levels.sources.get(tensor, ()))
                before[child] |= {maker for maker in makers if maker in known and maker != child}
    return _sorted(movable, before)


def _sorted(names: Sequence[str], before: dict[str, set[str]]) -> list[str]:
    after: dict[str, list[str]] = {name: [] for name in names}
    waiting = {name: len(before[name]) for name in names}
    for name in names:
        for source in before[name]:
            after[source].append(name)
    ready = [name for name in names if waiting[name] == 0]
    ordered: list[str] = []
    for name in ready:
        ordered.append(name)
        for follower in after[name]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    placed = set(ordered)
    return ordered + [name for name in names if name not in placed]


def _new_group(parent: str, key: str, name: str) -> Node:
    return Node(id=f"{parent}{key}…/", kind="group", name=name, parent=parent)
