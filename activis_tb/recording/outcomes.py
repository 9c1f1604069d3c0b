"""Outcomes of a batch: true classes, predicted classes and scores, from the forms in which people have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activis_tb.errors import ArgumentError
from activis_tb.recording.arrays import as_array, as_float32, check_rows, is_numeric

_ROUNDING = 1e-2
_SUM_ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What the model made of one batch.

    Attributes:
        predicted: Predicted class, int32 (instances,); -1 where a score is not finite.
        score: The predicted class's score, float32 (instances,); NaN where there is none.
        scores: float32 (instances, classes).
    """

    predicted: NDArray[np.int32]
    score: NDArray[np.float32]
    scores: NDArray[np.float32]


def read_labels(value: object, classes: Sequence[str], class_values: Mapping[int, int]) -> NDArray[np.int32]:
    """Returns the true classes by position, int32 (instances,).

    Args:
        value: Integers are positions in `classes`, text (str or UTF-8 bytes) is a class's name.
        classes: Names, by position.
        class_values: By integer, the position that it stands for; empty where integers are positions.

    Raises:
        ArgumentError: Another shape or type, an unknown name, or a position out of range.
    """
    array = as_array(value, "labels")
    if array.ndim != 1:
        way_out = "One-hot labels: pass np.argmax(labels, axis=1)." if array.ndim == 2 else "Pass one batch."
        raise ArgumentError("labels", f"shape {array.shape}", "(instances,)", way_out)
    if array.dtype.kind in "iub" and class_values:
        return _valued(array, class_values)
    if array.dtype.kind in "iub" or len(array) == 0:
        return _positions(array, classes)
    if array.dtype.kind in "OUS":
        return _named(array.tolist(), classes)
    raise ArgumentError(
        "labels", f"dtype {array.dtype}", "integers (positions in classes) or class names", "Pass labels.astype(int)."
    )


def _positions(array: NDArray[Any], classes: Sequence[str]) -> NDArray[np.int32]:
    outside = (array < 0) | (array >= len(classes)) if array.dtype.kind != "b" else np.zeros(len(array), np.bool_)
    if outside.any():
        raise ArgumentError(
            "labels",
            f"{array[outside][0]} at row {np.argmax(outside)}",
            f"positions from 0 to {len(classes) - 1}, as classes has {len(classes)} names",
            "Give every class a name in classes=.",
        )
    return array.astype(np.int32)


def _valued(array: NDArray[Any], class_values: Mapping[int, int]) -> NDArray[np.int32]:
    values, codes = np.unique(array, return_inverse=True)
    if unknown := [value for value in values.tolist() if value not in class_values]:
        row = np.argmax(array == unknown[0])
        expected = f"one of the classes: {', '.join(map(str, class_values))}"
        raise ArgumentError("labels", f"{unknown[0]} at row {row}", expected, "Add it to classes=.")
    positions = np.array([class_values[value] for value in values.tolist()], np.int32)
    return positions[codes]


def _named(names: list[Any], classes: Sequence[str]) -> NDArray[np.int32]:
    positions = {name: position for position, name in enumerate(classes)}
    positions_of_values: dict[Any, int] = {**positions, **{name.encode(): at for name, at in positions.items()}}
    try:
        return np.fromiter((positions_of_values[name] for name in names), np.int32, len(names))
    except (KeyError, TypeError) as error:
        unknown = next(name for name in names if not isinstance(name, str | bytes) or name not in positions_of_values)
        way_out = "Add it to classes=." if unknown is not None else "For data without labels, pass labels=None."
        raise ArgumentError("labels", repr(unknown), f"one of the classes: {', '.join(classes)}", way_out) from error


def read_scores(value: object, rows: int | None, classes: int, *, from_logits: bool = False) -> Outcomes:
    """Returns what the model predicts and how surely.

    An instance with a score that is NaN or infinite is predicted as nothing.

    Args:
        value: Probabilities (instances, classes): predicted is the largest. Or, with two classes, (instances,) or
            (instances, 1), the probability of the second: predicted from 0.5 upwards.
        rows: Instances of the batch, None where the labels do not tell.
        classes: Number of classes.
        from_logits: Whether `value` holds logits: softmax makes them probabilities, sigmoid where there is one column.

    Raises:
        ArgumentError: Another shape, or values that are no probabilities; or `from_logits` of probabilities.
    """
    array = as_array(value, "scores")
    if not is_numeric(array):
        raise ArgumentError("scores", f"dtype {array.dtype}", "probabilities, floating point")
    if rows is None:
        rows = len(array) if array.ndim else 0
    check_rows(array, rows, "scores")
    if check_from_logits(from_logits):
        array = _probabilities(array)
    if classes == 2 and array.shape in {(rows,), (rows, 1)}:
        second = array.reshape(rows).astype(np.float64)
        complete = _check_probabilities(second)
        scores = np.stack([1 - second, second], axis=1)
        predicted = (second >= 0.5).astype(np.int32)
    elif array.shape == (rows, classes):
        scores = array.astype(np.float32 if array.dtype == np.float32 else np.float64)
        complete = _check_probabilities(scores)
        predicted = scores.argmax(axis=1).astype(np.int32)
    else:
        expected = f"({rows}, {classes}), as classes has {classes} names" + (f", or ({rows},)" if classes == 2 else "")
        raise ArgumentError("scores", f"shape {array.shape}", expected, "Pass a probability for every class.")
    score = scores[np.arange(rows), predicted]
    if not complete:
        predicted[~np.isfinite(scores).all(axis=1)] = -1
        score = np.where(predicted < 0, np.nan, score)
    return Outcomes(predicted, as_float32(score), as_float32(scores))


def check_from_logits(from_logits: object) -> bool:
    """Returns whether scores are logits; raises ArgumentError where that is neither True nor False."""
    if not isinstance(from_logits, bool | np.bool_):
        raise ArgumentError("from_logits", repr(from_logits), "True or False")
    return bool(from_logits)


def are_distributions(scores: NDArray[Any]) -> bool:
    """Tells whether every finite row of (instances, classes) is a distribution, as no logits are but by design."""
    if scores.ndim != 2 or scores.shape[1] < 2 or not is_numeric(scores):
        return False
    values = scores.astype(np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return False
    is_distribution = (values >= 0).all() and (np.abs(values.sum(axis=1) - 1) <= _SUM_ROUNDING).all()
    return bool(is_distribution and not np.isin(values, (0, 1)).all())


def _probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Returns softmax over the classes, (instances, classes), or, of a single column, sigmoid."""
    if are_distributions(logits):
        way_out = "Leave from_logits out: these are probabilities already."
        raise ArgumentError("from_logits", "True for scores whose rows sum to 1", "logits", way_out)
    values = logits.astype(np.float64)
    with np.errstate(invalid="ignore"):
        if values.ndim < 2 or values.shape[1] == 1:
            return np.exp(-np.logaddexp(0, -values))
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return probabilities


def _check_probabilities(scores: NDArray[np.floating[Any]]) -> bool:
    """Tells whether all are finite; raises ArgumentError where a finite one is no probability."""
    if scores.size == 0 or (scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING):
        return True
    finite = scores[np.isfinite(scores)]
    if finite.size == 0 or (finite.min() >= -_ROUNDING and finite.max() <= 1 + _ROUNDING):
        return False
    raise ArgumentError(
        "scores",
        f"values from {finite.min():.4g} to {finite.max():.4g}",
        "probabilities from 0 to 1",
        "These look like logits: pass from_logits=True, or apply softmax (sigmoid for two classes in one column).",
    )
