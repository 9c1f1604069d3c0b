"""Keeps every level of a graph short enough to be read: what is too much for one stands in groups."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from activis_tb.graph.elements import Node
from activis_tb.graph.flow import are_in_flow, in_flow
from activis_tb.graph.forms import Forms, without_numbers
from activis_tb.graph.regrouping import Levels
from activis_tb.graph.repeats import fold_repeats

MOST_NODES = 80
_PART = 20
_FEWEST = 3
_LONGEST_PERIOD = 200
_ENDS = re.compile(r"[_./-]|(?<=\D)(?=\d)|$")


def divide_crowded(levels: Levels, forms: Forms) -> None:
    """Puts nodes into new groups wherever more than 80 would stand side by side; parameters do not count.

    Names with a common beginning, such as `conv2_block1_`, make a group, unless data would flow out of it and back into
    it. Else, where a sequence of operators and groups repeats at least three times, each time is a group. Else what
    follows one another in the flow is.
    """
    pending = list(levels.children)
    while pending:
        parent = pending.pop()
        size = _size(levels, parent)
        if size <= MOST_NODES:
            continue
        groups = _by_names(levels, parent) or _periods(levels, forms, parent) or _by_order(levels, parent)
        if groups:
            levels.regroup(parent, groups)
            fold_repeats(levels, forms, [parent])
            pending += [
                *dict.fromkeys(group.id for group in groups.values()),
                *([parent] if size > _size(levels, parent) else []),
            ]


def _size(levels: Levels, parent: str) -> int:
    nodes = (levels.nodes[child] for child in levels.children[parent])
    return sum(not node.parameter and not node.auxiliary for node in nodes)


def _movable(levels: Levels, parent: str) -> list[str]:
    nodes = (levels.nodes[child] for child in levels.children[parent])
    return [node.id for node in nodes if node.kind != "tensor" and not node.auxiliary]


def _periods(levels: Levels, forms: Forms, parent: str) -> dict[str, Node]:
    """Makes a group of each time that a sequence repeats, all of them called `block`."""
    ordered = in_flow(levels, _movable(levels, parent), parent)
    names = (without_numbers(levels.nodes[one].name) for one in ordered)
    alike = [hash((name, forms.contents(one))) for name, one in zip(names, ordered, strict=True)]
    start, period, times = _longest_repetition(alike)
    groups: dict[str, Node] = {}
    for time in range(times):
        members = ordered[start + time * period : start + (time + 1) * period]
        groups.update(dict.fromkeys(members, _group(levels, parent, f"block_{time + 1}")))
    return groups


def _longest_repetition(forms: Sequence[int]) -> tuple[int, int, int]:
    """Returns (start, period, times) of the sequence whose repetitions cover most; times is 0 or at least 3."""
    best = (0, 0, 0)
    for period in range(2, min(_LONGEST_PERIOD, len(forms) // _FEWEST) + 1):
        same = (forms[at] == forms[at + period] for at in range(len(forms) - period))
        at = 0
        for equal, run in groupby(same):
            length = len(list(run))
            times = length // period + 1
            if equal and times >= _FEWEST and times * period > best[1] * best[2]:
                best = (at, period, times)
            at += length
    return best


def _by_names(levels: Levels, parent: str) -> dict[str, Node]:
    """Groups by as few parts of the names as make more than one group, none of them crowded by itself."""
    movable = _movable(levels, parent)
    ends = {child: [match.start() for match in _ENDS.finditer(levels.nodes[child].name)] for child in movable}
    for parts in range(1, 1 + max(map(len, ends.values()), default=0)):
        beginnings = {child: levels.nodes[child].name[: found[:parts][-1]] for child, found in ends.items()}
        counts = Counter(beginnings.values())
        shared = {child: name for child, name in beginnings.items() if _FEWEST <= counts[name] < len(movable)}
        if len(shared) > len(movable) // 2 and max(counts.values()) <= MOST_NODES:
            groups = {child: _group(levels, parent, name) for child, name in shared.items()}
            return groups if are_in_flow(levels, movable, parent, shared) else {}
    return {}


def _by_order(levels: Levels, parent: str) -> dict[str, Node]:
    """Groups what follows one another in the flow, in parts of about equal size."""
    ordered = in_flow(levels, _movable(levels, parent), parent)
    size = max(_PART, len(ordered) // (MOST_NODES // 4) + 1)
    groups = {}
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        title = f"{start + 1}-{start + len(part)} of {len(ordered)}"
        groups.update(dict.fromkeys(part, _group(levels, parent, title)))
    return groups if len(ordered) > size else {}


def _group(levels: Levels, parent: str, name: str) -> Node:
    identity = f"{parent}{name}…/"
    while identity in levels.nodes:
        identity = f"{identity.removesuffix('/')}…/"
    return Node(id=identity, kind="group", name=name, parent=parent)
