"""Selectivity of one neuron: its values by class, which classes it tells apart, and the neurons that vary with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from activis_tb.analysis.codes import code_intervals
from activis_tb.analysis.comparison import standardised
from activis_tb.analysis.estimates import share_limits
from activis_tb.analysis.projection import placed
from activis_tb.analysis.strata import Strata
from activis_tb.analysis.threads import one_thread
from activis_tb.model import NONFINITE_CODE, ZERO_CODE, CodedActivations, Statistics

FEWEST_FOR_AUC = 5
"""Of fewer instances of a class, or of all others, no AUC is claimed."""
FEWEST_FOR_CORRELATION = 3
_CODES = 256
_WITHIN = 0.4
"""Of a step: codes of one part are in the order of their activations, so that no two of them overlap."""
_SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, eq=False)
class NeuronValues:
    """Finite activations of one neuron; those of one class that have one code are one entry.

    Attributes:
        stratum: Position of the class, int (values,).
        value: float64 (values,).
        low: The activation lies between this, float64 (values,), ...
        high: ... and this; both are `value` where that is exact.
        weight: Instances that each entry stands for, float64 (values,).
        seen: Instances that were looked at, int64 (strata,).
        complete: Whether these are all instances.
    """

    stratum: NDArray[np.integer]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weight: NDArray[np.float64]
    seen: NDArray[np.int64]
    complete: bool


def sampled_values(strata: Strata, activations: NDArray[np.float32]) -> NeuronValues:
    """Returns the values of the drawn instances, each with its weight; `activations` (rows,) of one neuron."""
    known = strata.drawn & np.isfinite(activations)
    stratum, value = strata.stratum[known], activations[known].astype(np.float64)
    seen = np.bincount(stratum, minlength=len(strata.totals))
    return NeuronValues(stratum, value, value, value, strata.weights[known], seen, strata.complete)


def stored_values(
    parts: Sequence[CodedActivations],
    codes: Sequence[NDArray[np.uint8]],
    neuron: int,
    stratum: NDArray[np.integer],
    strata: int,
) -> NeuronValues:
    """Returns the values of all instances, counted by their codes.

    Args:
        parts: The stored activations of a layer.
        codes: Of the neuron, by part, uint8 (instances of the part,) each.
        neuron: Its position in the layer.
        stratum: Of every instance, int (instances,).
        strata: How many there are.
    """
    columns: list[NDArray[np.float64]] = []
    first = 0
    for part, own in zip(parts, codes, strict=True):
        classes = stratum[first : first + len(own)]
        first += len(own)
        counts = np.bincount(own.astype(np.intp) * strata + classes, minlength=_CODES * strata)
        occurring = np.flatnonzero(counts[: NONFINITE_CODE * strata])
        code, label = np.divmod(occurring, strata)
        middle = coded_values(part, neuron, code)
        if len(parts) > 1:
            low, high = (ends[code] for ends in code_intervals(part, neuron))
        else:
            reach = np.where(code == ZERO_CODE, 0, _WITHIN * part.scale[neuron])
            low, high = middle - reach, middle + reach
        columns.append(np.stack([label, middle, low, high, counts[occurring]]))
    label, middle, low, high, weight = np.concatenate([np.empty((5, 0)), *columns], axis=1)
    seen = np.bincount(label.astype(np.intp), weights=weight, minlength=strata).astype(np.int64)
    return NeuronValues(label.astype(np.intp), middle, low, high, weight, seen, complete=True)


def coded_values(part: CodedActivations, neuron: int, codes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Returns what codes of one neuron stand for, float64; NaN for activations that are not finite."""
    values = part.origin[neuron] + (codes - 0.5) * part.scale[neuron]
    values = np.where(codes == ZERO_CODE, 0.0, values)
    return np.where(codes == NONFINITE_CODE, np.nan, values)


class ClassAreas(NamedTuple):
    """Area under the ROC curve of each class against all others, float64 (strata,); NaN where none is claimed.

    Attributes:
        area: The chance that an instance of the class has the larger activation than one of another class, plus half
            of the chance that they are equal.
        low: It is not less: for certain, or with a confidence of 95 % where it is estimated.
        high: It is not more.
    """

    area: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def class_areas(values: NeuronValues) -> ClassAreas:
    """Measures how well a neuron tells each class from all others.

    Of a sample, the limits are Clopper and Pearson's for a share of as many instances as the smaller of the two sides
    has: the variance of the area is at most area (1 - area) / min(m, n) (Birnbaum and Klose 1957).
    """
    area = _areas(values, values.value, values.value)
    if not values.complete:
        size = np.minimum(values.seen, _worth_of_others(values))
        limits = share_limits(np.nan_to_num(area), size.astype(np.float64))
        return ClassAreas(area, *(np.where(np.isnan(area), np.nan, limit) for limit in limits))
    if values.low is values.value:
        return ClassAreas(area, area, area)
    return ClassAreas(area, _areas(values, values.low, values.high), _areas(values, values.high, values.low))


def _areas(values: NeuronValues, own: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The areas where a class's instances are at `own` and those of all other classes at `others`, (values,) each."""
    order = np.argsort(others, kind="stable")
    stratum, sorted_others, weight = values.stratum[order], others[order], values.weight[order]
    total, seen = values.weight.sum(), values.seen.sum()
    areas = np.full(len(values.seen), np.nan)
    for label in np.flatnonzero((values.seen >= FEWEST_FOR_AUC) & (seen - values.seen >= FEWEST_FOR_AUC)):
        members, same = values.stratum == label, stratum == label
        at, its_weight = own[members], values.weight[members]
        below = _below(at, sorted_others, weight) - _below(at, sorted_others[same], weight[same])
        size = its_weight.sum()
        areas[label] = np.clip((below * its_weight).sum() / (size * (total - size)), 0, 1)
    return areas


def _below(at: NDArray[np.float64], ascending: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weight of what is smaller than each of `at`, and half of what is equal."""
    sums = np.concatenate([[0.0], np.cumsum(weight)])
    left, right = (sums[np.searchsorted(ascending, at, side)] for side in ("left", "right"))
    return np.asarray((left + right) / 2)


def _worth_of_others(values: NeuronValues) -> NDArray[np.float64]:
    """By class, how many instances of equal weight those of all other classes are worth, (strata,)."""
    sums, squares = (
        np.bincount(values.stratum, weights=weight, minlength=len(values.seen))
        for weight in (values.weight, values.weight**2)
    )
    rest, rest_squares = sums.sum() - sums, squares.sum() - squares
    return np.asarray(np.divide(rest**2, rest_squares, out=np.zeros_like(rest), where=rest_squares > 0))


def class_histogram(values: NeuronValues, low: float, high: float, bins: int) -> NDArray[np.float64]:
    """Returns by class the shares of its instances in evenly spaced bins, float64 (strata, bins); 0 without instances.

    Args:
        values: Of the neuron.
        low: Where the first bin begins.
        high: Where the last one ends, more than `low`.
        bins: How many.
    """
    position = np.clip((values.value - low) / (high - low) * bins, 0, bins - 1).astype(np.intp)
    strata = len(values.seen)
    counts = np.bincount(values.stratum * bins + position, weights=values.weight, minlength=strata * bins)
    counts = counts.reshape(strata, bins)
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0))


def eta_squared(statistics: Statistics) -> NDArray[np.float64]:
    """Returns the share of each neuron's variance that lies between the classes, 0 to 1, float64 (neurons,).

    Exact over all instances, but for the single precision of the recorded means and deviations. NaN where fewer than
    two classes have a finite activation, and where the neuron does not vary by more than that precision tells.

    Args:
        statistics: Of the classes, (classes, neurons).
    """
    counts = statistics.count.astype(np.float64)
    seen = statistics.count > 0
    means, deviations = (np.where(seen, values, 0).astype(np.float64) for values in (statistics.mean, statistics.std))
    total = np.maximum(counts.sum(axis=0), 1)
    centre = (counts * means).sum(axis=0) / total
    between = (counts * (means - centre) ** 2).sum(axis=0) / total
    variance = between + (counts * deviations**2).sum(axis=0) / total
    largest = np.abs(means).max(axis=0, initial=0)
    known = (np.count_nonzero(seen, axis=0) > 1) & (np.sqrt(variance) > 4 * _SINGLE * largest)
    return np.asarray(np.divide(between, variance, out=np.full_like(variance, np.nan), where=known))


def largest_first(values: NDArray[np.floating], index: NDArray[np.integer], most: int) -> NDArray[np.intp]:
    """Returns where the `most` largest finite values are, (found,); of equal ones, those with the smallest `index`."""
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) > most:
        least = np.partition(values[finite], len(finite) - most)[len(finite) - most]
        finite = finite[values[finite] >= least]
    return finite[np.lexsort((index[finite], -values[finite]))][:most]


class StandardLayer(NamedTuple):
    """A layer's activations, centred and of length 1 by neuron.

    Attributes:
        rows: Which of the instances take part, bool (rows,).
        neurons: Which of the neurons, int (columns,).
        values: float32 (instances that take part, columns); 0 for a neuron that is constant.
        width: Neurons of the layer.
    """

    rows: NDArray[np.bool_]
    neurons: NDArray[np.intp]
    values: NDArray[np.float32]
    width: int


def standard_layer(activations: NDArray[np.float32]) -> StandardLayer:
    """Returns the layer of some instances, float32 (rows, neurons); who takes part is as in a projection."""
    rows, neurons = placed(activations)
    if not rows.any() or not neurons.any():
        return StandardLayer(
            rows, np.empty(0, np.intp), np.empty((np.count_nonzero(rows), 0), np.float32), len(neurons)
        )
    values = standardised(activations[np.ix_(rows, neurons)].astype(np.float64)).astype(np.float32)
    return StandardLayer(rows, np.flatnonzero(neurons), values, len(neurons))


def correlations(layer: StandardLayer, neuron: int, other: StandardLayer) -> tuple[NDArray[np.float64], int]:
    """Returns Pearson's r of a neuron with each of another layer, or of its own, and over how many instances.

    Returns:
        float64 (neurons,), NaN where one of the two is constant or takes no part; itself is NaN too.
    """
    found = np.full(other.width, np.nan)
    column = np.flatnonzero(layer.neurons == neuron)
    common = layer.rows & other.rows
    over = int(np.count_nonzero(common))
    if not len(column) or over < FEWEST_FOR_CORRELATION or not len(other.neurons):
        return found, over
    one, others = layer.values[:, column], other.values
    if over < len(one):
        one = standardised(one[common[layer.rows]].astype(np.float64)).astype(np.float32)
    if over < len(others):
        others = standardised(others[common[other.rows]].astype(np.float64)).astype(np.float32)
    with one_thread():
        r = np.clip((others.T @ one)[:, 0].astype(np.float64), -1, 1)
    varying = others.any(axis=0) & one.any()
    found[other.neurons[varying]] = r[varying]
    if other is layer:
        found[neuron] = np.nan
    return found, over
