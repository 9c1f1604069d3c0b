"""Joining stored predictions: what cannot be joined is refused with a sentence."""

import numpy as np
import pytest

from activis_tb.errors import StoredDataError
from activis_tb.storage.joining import count_outcomes
from activis_tb.storage.parquet import ParquetWriter


def write(path, ids, label, predicted):
    path.parent.mkdir(parents=True)
    writer = ParquetWriter()
    writer.write(path, {"id": np.array(ids, object), "label": np.array(label), "predicted": np.array(predicted)})
    writer.close()
    return path


def test_instances_are_joined_by_id_over_all_files(tmp_path):
    first = write(tmp_path / "a/part-0/instances.parquet", ["p", "q"], [0, 1], [0, 0])
    second = write(tmp_path / "a/part-1/instances.parquet", ["r", "s"], [0, 1], [1, 1])
    other = write(tmp_path / "b/part-0/instances.parquet", ["s", "r", "q", "t"], [0, 1, 0, 0], [1, 1, 0, 0])
    found = count_outcomes([first, second], [other], classes=[1, 0])
    # s: only the base is right; r: only the other; q: only the other, which takes it for the first class.
    assert found._asdict() == {
        "common": 3,
        "over": 3,
        "both_right": 0,
        "only_base": 1,
        "only_other": 2,
        "both_wrong": 0,
        "same_prediction": 0,
    }
    unknown = count_outcomes([first, second], [other], classes=[-1, 0])
    assert (unknown.common, unknown.over) == (3, 1)


def test_an_id_that_comes_twice_is_refused(tmp_path):
    once = write(tmp_path / "a/part-0/instances.parquet", ["p", "q"], [0, 1], [0, 0])
    twice = write(tmp_path / "b/part-0/instances.parquet", ["p", "p"], [0, 1], [0, 0])
    with pytest.raises(StoredDataError, match="The other has 2 stored instances with 1 different ids"):
        count_outcomes([once], [twice], classes=[0, 1])


def test_a_join_that_takes_too_long_is_stopped(tmp_path):
    one = write(tmp_path / "a/part-0/instances.parquet", ["p", "q"], [0, 1], [0, 0])
    with pytest.raises(StoredDataError, match="cannot be joined: it took longer than 0 s"):
        count_outcomes([one], [one], classes=[0, 1], most_seconds=0)
