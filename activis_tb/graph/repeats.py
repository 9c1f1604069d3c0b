"""Blocks of one form, one after another, fold into one group: twelve layers of a transformer read as one, twelve times.

Two blocks have one form if they are equal up to the numbers in their names; their structure is told by colour
refinement (Weisfeiler and Leman 1968) from operators, settings, shapes and types.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from activis_tb.graph.elements import Node
from activis_tb.graph.regrouping import Levels

_FEWEST = 3
_ROUNDS = 4
_NUMBERS = re.compile(r"[_.-]?\d+")
_OWN_SETTINGS = frozenset({"seed", "seed2", "shared_name", "container"})


def fold_repeats(levels: Levels, within: Iterable[str] | None = None) -> None:
    """Puts a group around each chain of at least three groups of one form.

    They stand in one group, their names differ in numbers alone, and each takes what the one before makes. Tensors
    between them stand in the new group too.

    Args:
        levels: The graph.
        within: Look only at what stands directly in these groups.
    """
    for parent in _crowds(levels) if within is None else within:
        folded = _chains(levels, parent)
        if folded:
            levels.regroup(parent, folded)


def _crowds(levels: Levels) -> list[str]:
    """Returns the groups that hold blocks with like names, and the top if it does, the innermost first."""
    counts: dict[tuple[str, str], int] = {}
    for node in levels.nodes.values():
        if node.kind == "group" and not node.auxiliary:
            key = (node.parent, stem(node))
            counts[key] = counts.get(key, 0) + 1
    parents = dict.fromkeys(parent for (parent, _), count in counts.items() if count >= _FEWEST)
    return sorted(parents, key=lambda parent: -parent.count("/"))


def _chains(levels: Levels, parent: str) -> dict[str, Node]:
    """Returns by block of a chain the group for all of the chain."""
    alike: dict[tuple[str, int], list[str]] = {}
    stems: dict[str, list[str]] = {}
    for child in levels.children.get(parent, ()):
        if levels.nodes[child].kind == "group" and not levels.nodes[child].auxiliary:
            stems.setdefault(stem(levels.nodes[child]), []).append(child)
    for name, blocks in stems.items():
        for block in blocks if len(blocks) >= _FEWEST else ():
            alike.setdefault((name, form(levels, block)), []).append(block)
    groups = {}
    for blocks in alike.values():
        for chain in _consecutive(levels, parent, blocks) if len(blocks) >= _FEWEST else ():
            if len(chain) >= _FEWEST:
                group = _group([levels.nodes[block] for block in chain])
                groups.update(dict.fromkeys(chain, group))
    return groups


def _group(blocks: Sequence[Node]) -> Node:
    first, last = blocks[0], blocks[-1]
    name = _common_name([block.name for block in blocks]) or first.operator or first.name
    return Node(
        id=f"{first.id}×{len(blocks)}/",
        kind="group",
        name=name,
        full_name=f"{first.full_name} … {last.full_name}",
        parent=first.parent,
        operator=first.operator,
        repeats=len(blocks),
    )


def _common_name(names: Sequence[str]) -> str:
    """Returns a name without the numbers that differ among `names`: `conv4_block` of `conv4_block2`, `conv4_block3`."""
    parts = [re.split(r"(\d+)", name) for name in names]
    if len({len(found) for found in parts}) > 1:
        return _NUMBERS.sub("", names[-1]).strip("_-. ")
    return "".join(found[0] for found in zip(*parts, strict=True) if len(set(found)) == 1).strip("_-. ")


def _consecutive(levels: Levels, parent: str, blocks: Sequence[str]) -> list[list[str]]:
    """Returns the chains in which each block alone takes the results of the one before, of all of `blocks`."""
    following = {block: _following(levels, parent, block, blocks) for block in blocks}
    after = {block: found[0] for block, found in following.items() if len(found) == 1}
    led = list(after.values())
    starts = [block for block in blocks if led.count(block) != 1]
    chains = []
    for start in starts:
        chain = [start]
        while (following_one := after.get(chain[-1])) and led.count(following_one) == 1 and following_one not in chain:
            chain.append(following_one)
        chains.append(chain)
    return chains


def _following(levels: Levels, parent: str, block: str, blocks: Sequence[str]) -> list[str]:
    """Returns those of `blocks` that use a tensor made in `block`."""
    known = set(blocks)
    found: dict[str, None] = {}
    for one in levels.descendants(block):
        tensors = levels.targets.get(one, ()) if levels.nodes[one].kind == "operator" else ()
        users = (user for tensor in tensors for user in levels.targets.get(tensor, ()))
        found.update(dict.fromkeys(levels.within(user, parent) for user in users))
    return [other for other in found if other in known and other != block]


def form(levels: Levels, block: str) -> int:
    """Returns a number that groups, or operators, of one form have in common."""
    inside = levels.descendants(block)[1:]
    if not inside:
        return hash(_description(levels, block))
    colours = {one: hash(_description(levels, one)) for one in inside}
    for _ in range(_ROUNDS):
        colours = {one: hash((colours[one], *_seen(levels, one, colours))) for one in inside}
    return hash(tuple(sorted(colours.values())))


def _seen(levels: Levels, one: str, colours: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    joined = (levels.sources.get(one, ()), levels.targets.get(one, ()))
    inside = (tuple(sorted(colours[other] for other in others if other in colours)) for others in joined)
    return (*inside, (colours.get(levels.nodes[one].parent, 0),))


def _description(levels: Levels, one: str) -> tuple[object, ...]:
    node = levels.nodes[one]
    settings = tuple(sorted((key, value) for key, value in node.attributes.items() if key not in _OWN_SETTINGS))
    name = stem(node) if node.kind == "group" or node.parameter else ""
    return (node.kind, name, node.operator, settings, node.shape, node.dtype, node.parameter, node.repeats)


def stem(node: Node) -> str:
    """Returns what names that differ in numbers alone have in common."""
    return _NUMBERS.sub("", node.name)
