"""Confidence limits of counts and shares that a stratified sample tells of.

They are like those of Clopper and Pearson (1934): one more draw, of a member for the upper limit and of another
instance for the lower one. The draw is of the class in which an instance weighs most, and the sum over classes is one
beta distribution of its mean and variance, as Fay and Feuer (1997) do it for rates.
"""

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.importing import IMPORTING
from activis_tb.analysis.strata import Strata

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2


def undrawn_limit(
    found: NDArray[np.int64], sizes: NDArray[np.int64], totals: NDArray[np.int64], *, upper: bool
) -> float:
    """Returns the least or the largest number of members that there can be among the instances that were not drawn.

    Args:
        found: Drawn members of every stratum, (strata,).
        sizes: Drawn instances.
        totals: Instances.
        upper: Which of the limits.
    """
    unknown = float(totals[sizes == 0].sum()) if upper else 0.0
    partly = (sizes > 0) & (sizes < totals)
    found, sizes, totals = found[partly], sizes[partly], totals[partly]
    undrawn = totals - sizes
    everybody = float(undrawn.sum())
    room = (found < sizes) if upper else (found > 0)
    if not room.any():
        return unknown + (everybody if upper else 0.0)
    heaviest = np.arange(len(sizes)) == np.argmax(np.where(room, totals / sizes, -1))
    draws = sizes + heaviest
    share = (found + heaviest * upper) / draws
    mean = (undrawn * share).sum() / everybody
    variance = (undrawn * share * (1 - share) * (undrawn + draws) / (draws + 1)).sum() / everybody**2
    # Where none was found there is no lower limit to miss: all doubt is the upper one's; and the other way round.
    one_sided = not found.any() if upper else bool((found == sizes).all())
    tail = _TAIL * (2 if one_sided else 1)
    concentration = mean * (1 - mean) / variance - 1 if variance > 0 else 0.0
    if concentration <= 0:
        return unknown + (everybody if upper else 0.0)
    with IMPORTING:
        from scipy.special import betaincinv
    limit = everybody * float(betaincinv(mean * concentration, (1 - mean) * concentration, 1 - tail if upper else tail))
    return unknown + float(np.ceil(limit) if upper else np.floor(limit))


def share_limits(share: NDArray[np.float64], members: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the limits of a share of `members`, a real number (Korn and Graubard 1998); both (neurons,).

    Returns:
        (2, neurons): Clopper and Pearson's, 0 and 1 where there is no member.
    """
    with IMPORTING:
        from scipy.special import betaincinv
    members = np.minimum(members, 1e12)
    found, rest = share * members, (1 - share) * members
    low = np.where(found > 0, betaincinv(np.maximum(found, 1e-9), rest + 1, _TAIL), 0)
    high = np.where(rest > 0, betaincinv(found + 1, np.maximum(rest, 1e-9), 1 - _TAIL), 1)
    limits = np.stack([np.minimum(low, share), np.maximum(high, share)])
    return np.asarray(np.where(members > 0, limits, [[0.0], [1.0]]))


def worth(strata: Strata, weights: NDArray[np.float64], stratum: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns how many members of equal weight some drawn members are worth, (neurons,); infinite where all are known.

    Not more than they are in units of the heaviest that a member may be, drawn or not: one that weighs a hundred times
    as much as those that were found may be missing.

    Args:
        strata: Of the sample.
        weights: Of every member, (members, neurons); 0 for none.
        stratum: Of every member, (members,).
    """
    total = weights.sum(axis=0)
    if strata.complete:
        return np.full(len(total), np.inf)
    heaviest = (strata.totals / np.maximum(strata.sizes, 1))[strata.uncertain].max()
    doubtful = strata.undrawn_shares[stratum] @ weights**2
    evenly = np.divide(total**2, doubtful, out=np.full(len(total), np.inf), where=doubtful > 0)
    return np.asarray(np.minimum(evenly, total / heaviest))
