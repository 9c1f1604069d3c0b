"""Tells blocks of one form: equal up to the numbers in their names.

Their structure is told by colour refinement (Weisfeiler and Leman 1968) from operators, settings, shapes and types.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from activis_tb.graph.elements import Node
from activis_tb.graph.regrouping import Levels

_ROUNDS = 4
_NUMBERS = re.compile(r"[_.-]?\d+")
_OWN_SETTINGS = frozenset({"seed", "seed2", "shared_name", "container"})


class Forms:
    """Tells groups and operators of one form.

    Args:
        levels: The graph.
    """

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._own: dict[str, int] = {}

    def alike(self, blocks: Iterable[str], fewest: int) -> list[list[str]]:
        """Returns those of `blocks` of one form together, where there are at least `fewest`."""
        found = []
        for candidates in _parted(blocks, self.contents):
            if len(candidates) >= fewest:
                found += [same for same in _parted(candidates, self.form) if len(same) >= fewest]
        return found

    def form(self, block: str) -> int:
        """Returns a number that groups of one form have in common."""
        inside = self._levels.descendants(block)[1:]
        colours = {one: self._colour(one) for one in inside}
        for _ in range(_ROUNDS):
            colours = {one: hash((colours[one], *self._seen(one, colours))) for one in inside}
        return hash(tuple(sorted(colours.values())))

    def contents(self, block: str) -> int:
        """Returns a number that operators, or groups of the same nodes, have in common, however these are joined."""
        inside = self._levels.descendants(block)[1:] or [block]
        return hash(tuple(sorted(self._colour(one) for one in inside)))

    def _seen(self, one: str, colours: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
        joined = (self._levels.sources.get(one, ()), self._levels.targets.get(one, ()))
        inside = (tuple(sorted(colours[other] for other in others if other in colours)) for others in joined)
        return (*inside, (colours.get(self._levels.nodes[one].parent, 0),))

    def _colour(self, one: str) -> int:
        if one not in self._own:
            self._own[one] = hash(_description(self._levels.nodes[one]))
        return self._own[one]


def _parted(blocks: Iterable[str], key: Callable[[str], int]) -> list[list[str]]:
    parts: dict[int, list[str]] = {}
    for block in blocks:
        parts.setdefault(key(block), []).append(block)
    return list(parts.values())


def _description(node: Node) -> tuple[object, ...]:
    settings = tuple(sorted((key, value) for key, value in node.attributes.items() if key not in _OWN_SETTINGS))
    name = without_numbers(node.name) if node.kind == "group" or node.parameter else ""
    return (node.kind, name, node.operator, settings, node.shape, node.dtype, node.parameter, node.repeats)


def without_numbers(name: str) -> str:
    """Returns what names that differ in numbers alone have in common."""
    return _NUMBERS.sub("", name)
