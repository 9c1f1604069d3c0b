"""Blocks of one form, one after another, fold into one group: twelve equal layers read as one, twelve times."""

import re
from collections.abc import Iterable, Sequence

from activis_tb.graph.elements import Node
from activis_tb.graph.forms import Forms, without_numbers
from activis_tb.graph.regrouping import Levels

_FEWEST = 3


def fold_repeats(levels: Levels, forms: Forms, within: Iterable[str] | None = None) -> None:
    """Puts a group around each chain of at least three groups of one form.

    They stand in one group, their names differ in numbers alone, and each takes what the one before makes. Tensors
    between them stand in the new group too.

    Args:
        levels: The graph.
        forms: Of the same graph.
        within: Look only at what stands directly in these groups.
    """
    for parent in _crowds(levels) if within is None else within:
        folded = _chains(levels, forms, parent)
        if folded:
            levels.regroup(parent, folded)


def _crowds(levels: Levels) -> list[str]:
    """Returns the groups that hold blocks with like names, and the top if it does, the innermost first."""
    counts: dict[tuple[str, str], int] = {}
    for node in levels.nodes.values():
        if node.kind == "group" and not node.auxiliary:
            key = (node.parent, without_numbers(node.name))
            counts[key] = counts.get(key, 0) + 1
    parents = dict.fromkeys(parent for (parent, _), count in counts.items() if count >= _FEWEST)
    return sorted(parents, key=lambda parent: -parent.count("/"))


def _chains(levels: Levels, forms: Forms, parent: str) -> dict[str, Node]:
    """Returns by block of a chain the group for all of the chain."""
    stems: dict[str, list[str]] = {}
    for child in levels.children.get(parent, ()):
        if levels.nodes[child].kind == "group" and not levels.nodes[child].auxiliary:
            stems.setdefault(without_numbers(levels.nodes[child].name), []).append(child)
    groups = {}
    for blocks in (same for children in stems.values() for same in forms.alike(children, _FEWEST)):
        for chain in _consecutive(levels, parent, blocks):
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
        return without_numbers(names[-1]).strip("_-. ")
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
