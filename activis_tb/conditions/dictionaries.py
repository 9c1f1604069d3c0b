"""Texts that repeat: a condition about one of them is evaluated once per different value, then looked up by row."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activis_tb.conditions.expression import Column, Expression, Junction, Neuron, ScoreOf, parts_of
from activis_tb.conditions.table import Table

MOST_DISTINCT = 50_000
FEWEST_REPEATS = 8
"""On average, for which looking up is worth it."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """The different values of one column.

    Attributes:
        values: A row for every value, and a last one for NULL.
        codes: The row of every instance's value, uint16 (instances,).
    """

    values: Table
    codes: NDArray[np.uint16]


def share_out(
    expression: Expression, dictionaries: Mapping[str, Dictionary]
) -> tuple[dict[str, Expression], Expression | None]:
    """Returns the parts of a condition that are about one of the `dictionaries` alone, by column, and all the rest.

    The condition is what its outermost AND or OR makes of these; each of them counts where it is true, NULL does not.
    """
    operands = expression.operands if isinstance(expression, Junction) else (expression,)
    shares: dict[str | None, list[Expression]] = {}
    for operand in operands:
        name = _only_column(operand)
        shares.setdefault(name if name in dictionaries else None, []).append(operand)
    joined = {name: _join(expression, share) for name, share in shares.items()}
    return {name: share for name, share in joined.items() if name is not None}, joined.get(None)


def _only_column(expression: Expression) -> str | None:
    parts = list(parts_of(expression))
    names = {part.name for part in parts if isinstance(part, Column)}
    computed = any(isinstance(part, Neuron | ScoreOf) for part in parts)
    return names.pop() if len(names) == 1 and not computed else None


def _join(whole: Expression, share: list[Expression]) -> Expression:
    return Junction(whole.operator, tuple(share)) if isinstance(whole, Junction) and len(share) > 1 else share[0]
