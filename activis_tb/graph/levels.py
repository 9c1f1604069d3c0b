"""Levels of a graph short enough to be read: repeated blocks folded, crowded levels split, in topological order.

Their structure is told by colour refinement (Weisfeiler and Leman 1968) from operators, settings, shapes and types.
"""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from activis_tb.graph.building import Builder
from activis_tb.graph.graphdef import Operations, parse_operations
from activis_tb.graph.hierarchy import Graph, Levels, Node
from activis_tb.graph.match import Matches, match_layers
from activis_tb.graph.simplify import fold
from activis_tb.model import graph_digest

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


def in_flow(levels: Levels, siblings: Sequence[str], parent: str) -> list[str]:
    """Returns operators and groups in topological order, else as given; cycles come last."""
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
    """Returns those of `names` that are in no cycle, in topological order, else as given."""
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


_FEWEST_BLOCKS = 3


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
    parents = dict.fromkeys(parent for (parent, _), count in counts.items() if count >= _FEWEST_BLOCKS)
    return sorted(parents, key=lambda parent: -parent.count("/"))


def _chains(levels: Levels, forms: Forms, parent: str) -> dict[str, Node]:
    """Returns by block of a chain the group for all of the chain."""
    stems: dict[str, list[str]] = {}
    for child in levels.children.get(parent, ()):
        if levels.nodes[child].kind == "group" and not levels.nodes[child].auxiliary:
            stems.setdefault(without_numbers(levels.nodes[child].name), []).append(child)
    groups = {}
    for blocks in (same for children in stems.values() for same in forms.alike(children, _FEWEST_BLOCKS)):
        for chain in _consecutive(levels, parent, blocks):
            if len(chain) >= _FEWEST_BLOCKS:
                group = _group_of_blocks([levels.nodes[block] for block in chain])
                groups.update(dict.fromkeys(chain, group))
    return groups


def _group_of_blocks(blocks: Sequence[Node]) -> Node:
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


MOST_NODES = 80
_PART = 20
_FEWEST_ALIKE = 3
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
        groups.update(dict.fromkeys(members, _group_of_level(levels, parent, f"block_{time + 1}")))
    return groups


def _longest_repetition(forms: Sequence[int]) -> tuple[int, int, int]:
    """Returns (start, period, times) of the sequence whose repetitions cover most; times is 0 or at least 3."""
    best = (0, 0, 0)
    for period in range(2, min(_LONGEST_PERIOD, len(forms) // _FEWEST_ALIKE) + 1):
        same = (forms[at] == forms[at + period] for at in range(len(forms) - period))
        at = 0
        for equal, run in groupby(same):
            length = len(list(run))
            times = length // period + 1
            if equal and times >= _FEWEST_ALIKE and times * period > best[1] * best[2]:
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
        shared = {child: name for child, name in beginnings.items() if _FEWEST_ALIKE <= counts[name] < len(movable)}
        if len(shared) > len(movable) // 2 and max(counts.values()) <= MOST_NODES:
            groups = {child: _group_of_level(levels, parent, name) for child, name in shared.items()}
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
        groups.update(dict.fromkeys(part, _group_of_level(levels, parent, title)))
    return groups if len(ordered) > size else {}


def _group_of_level(levels: Levels, parent: str, name: str) -> Node:
    identity = f"{parent}{name}…/"
    while identity in levels.nodes:
        identity = f"{identity.removesuffix('/')}…/"
    return Node(id=identity, kind="group", name=name, parent=parent)


def build_graph(graph_def: bytes, tensors: Mapping[str, str], names: Iterable[str] = ()) -> Graph:
    """Returns a graph with one group per name scope, operators and tensors in them.

    Variables and constants become small parameter tensors beside the operator that uses them, scalars and axes become
    its attributes; what only passes a tensor on, and arithmetic on shapes, is left out. A tensor that is used outside
    of the scope that makes it stands outside, and so does a result of the graph, so a closed group reads as one
    operator. A call of a function is a group of what the function runs.

    Machinery of training and reporting stands in groups of its own. At least three blocks of one form, each taking what
    the one before makes, stand in one group. Where a group or the top would hold more than 80 nodes, they stand in
    groups by common beginnings of their names, or else by their order.

    Args:
        graph_def: A serialised GraphDef. A damaged one gives what can be shown, and warnings.
        tensors: By recorded layer, the exact name of its tensor, e.g. `model_1/hidden_1/Relu:0`.
        names: Keys of further recorded layers, to be found by name.
    """
    operations = parse_operations(graph_def)
    return assemble(operations, match_layers(operations, tensors, names), graph_digest(graph_def))


def assemble(operations: Operations, matches: Matches, digest: str = "") -> Graph:
    """Does what `build_graph` does, of a graph that was read already and whose recorded layers were found."""
    folding = fold(operations, {*matches.recorded, *matches.candidates})
    built = Builder(operations, folding, matches.recorded, matches.candidates)
    edges = tuple(dict.fromkeys(built.edges))
    levels = Levels(built.nodes, edges)
    forms = Forms(levels)
    fold_repeats(levels, forms)
    divide_crowded(levels, forms)
    warnings = (*operations.warnings, *matches.warnings)
    return Graph(nodes=tuple(levels.in_order()), edges=edges, digest=digest, warnings=warnings)
