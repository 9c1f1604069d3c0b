"""The order in which data flows through what stands side by side."""

import heapq
from collections.abc import Mapping, Sequence

from activis_tb.graph.regrouping import Levels


def in_flow(levels: Levels, siblings: Sequence[str], parent: str) -> list[str]:
    """Returns operators and groups so that none comes before what it depends on, else as given; circles come last."""
    ordered = _sorted(siblings, _before(levels, siblings, parent))
    placed = set(ordered)
    return ordered + [name for name in siblings if name not in placed]


def are_in_flow(levels: Levels, siblings: Sequence[str], parent: str, groups: Mapping[str, str]) -> bool:
    """Whether data would flow one way between the `groups` of siblings, by sibling, and the siblings in none."""
    joined = dict.fromkeys(groups.get(one, one) for one in siblings)
    before: dict[str, set[str]] = {name: set() for name in joined}
    for one, sources in _before(levels, siblings, parent).items():
        target = groups.get(one, one)
        before[target] |= {groups.get(source, source) for source in sources} - {target}
    return len(_sorted(list(joined), before)) == len(joined)


def _before(levels: Levels, siblings: Sequence[str], parent: str) -> dict[str, set[str]]:
    """Returns by sibling those whose tensors it takes."""
    known = set(siblings)
    before: dict[str, set[str]] = {}
    for sibling in siblings:
        operators = (one for one in levels.descendants(sibling) if levels.nodes[one].kind == "operator")
        tensors = {tensor for one in operators for tensor in levels.sources.get(one, ())}
        makers = {maker for tensor in tensors for maker in levels.sources.get(tensor, ())}
        before[sibling] = ({levels.within(maker, parent) for maker in makers} & known) - {sibling}
    return before


def _sorted(names: Sequence[str], before: Mapping[str, set[str]]) -> list[str]:
    """Returns those of `names` that are in no circle, the first given first where the flow leaves it open."""
    position = {name: place for place, name in enumerate(names)}
    after: dict[str, list[str]] = {name: [] for name in names}
    waiting = {name: len(before[name]) for name in names}
    for name in names:
        for source in before[name]:
            after[source].append(name)
    ready = [position[name] for name in names if waiting[name] == 0]
    ordered = []
    while ready:
        name = names[heapq.heappop(ready)]
        ordered.append(name)
        for follower in after[name]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, position[follower])
    return ordered
