"""Subset definitions that users reach for: the conditions share out the instances as NumPy does."""

from pathlib import Path

import numpy as np
import pytest

from activis_tb.errors import ArgumentError
from activis_tb.subsets import by_category, by_quantile
from tests.unit.recording.helpers import batch, record


def counts(tmp_path: Path, subsets: dict[str, str], **attributes: object) -> list[int]:
    rows = len(next(iter(attributes.values())))
    instances = batch([0] * rows, attributes=attributes, ids=np.arange(rows))
    return [subset.count for subset in record(tmp_path, [instances], subsets=subsets).manifest.subsets[3:]]


def test_every_category_is_a_subset(tmp_path: Path) -> None:
    column = ["Masters", None, "it's", "Masters", "Ärzte", b"it's"]
    subsets = by_category("education", column)
    assert subsets == {
        "education: Masters": "education = 'Masters'",
        "education: it's": "education = 'it''s'",
        "education: Ärzte": "education = 'Ärzte'",
    }
    assert counts(tmp_path, subsets, education=column) == [2, 2, 1]


def test_categories_may_be_numbers_and_booleans(tmp_path: Path) -> None:
    grades = np.array([1.0, -2.5, np.nan, 1.0])
    assert by_category("the grade", grades) == {
        "the grade: 1": '"the grade" = 1',
        "the grade: -2.5": '"the grade" = -2.5',
    }
    assert counts(tmp_path, by_category("the grade", grades), **{"the grade": grades}) == [2, 1]
    new = np.array([True, False, True, True])
    assert by_category("new", new) == {"new: TRUE": "new = TRUE", "new: FALSE": "new = FALSE"}
    assert counts(tmp_path, by_category("new", new), new=new) == [3, 1]


@pytest.mark.parametrize("quantiles", [2, 4, 10])
def test_quantiles_share_out_the_instances(tmp_path: Path, quantiles: int) -> None:
    ages = np.random.default_rng(0).normal(scale=1e-5, size=200)
    subsets = by_quantile("age", quantiles, values=ages)
    assert counts(tmp_path, subsets, age=ages) == [200 // quantiles] * quantiles


def test_quantiles_are_readable() -> None:
    assert by_quantile("age", 4, values=[*range(1, 9), np.nan, np.inf]) == {
        "age <= 2": "age <= 2",
        "2 < age <= 4": "age > 2 AND age <= 4",
        "4 < age <= 6": "age > 4 AND age <= 6",
        "age > 6": "age > 6",
    }


def test_ties_leave_fewer_parts_that_still_cover_everything(tmp_path: Path) -> None:
    hours = [40.0] * 7 + [10.0, 50.0, 60.0]
    assert by_quantile("hours", 4, values=hours) == {"hours <= 40": "hours <= 40", "hours > 40": "hours > 40"}
    assert counts(tmp_path, by_quantile("hours", 4, values=hours), hours=hours) == [8, 2]
    assert by_quantile("hours", 4, values=[3, 3]) == {"hours = 3": "hours = 3"}


def test_what_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"values: got 0 different values; expected 1 to 250\."):
        by_category("x", [None])
    with pytest.raises(ArgumentError, match=r"values: got 251 different values; expected 1 to 250. Give those"):
        by_category("x", range(251))
    with pytest.raises(ArgumentError, match=r"values: got tuple .*; expected texts, numbers, times or booleans"):
        by_category("x", [(1, 2)])
    with pytest.raises(ArgumentError, match=r"quantiles: got 1; expected 2 to 250 parts"):
        by_quantile("x", 1, values=[1, 2])
    with pytest.raises(ArgumentError, match=r"values: got no finite value"):
        by_quantile("x", 4, values=[np.nan])
