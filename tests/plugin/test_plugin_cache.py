"""Caches are bounded by what their values take, and the folder of the one on disk is where it always was."""

import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import platformdirs
import pytest
from platformdirs import windows
from platformdirs.macos import MacOS
from platformdirs.windows import Windows

from activis_tb.plugin import cache
from activis_tb.plugin.cache import ArrayCache, Recent, cache_folder, size_of
from activis_tb.storage import activis_pb2 as pb


@dataclass
class Holder:
    array: np.ndarray
    name: str


def test_a_size_is_that_of_everything_that_is_held():
    array = np.zeros((100, 10))
    texts = np.array(["x" * 1_000, "y" * 3_000], object)
    message = pb.Graph(source="x" * 5_000)
    assert size_of(array) == 8_000
    assert size_of(texts) >= 4_000
    assert size_of(message) == message.ByteSize() > 5_000
    for holder in (Holder(array, "x" * 500), [array, "x" * 500], {"x" * 500: array}, (array, {"text": ["x" * 500]})):
        assert 8_500 <= size_of(holder) <= 10_000
    assert size_of(7) == sys.getsizeof(7)


def test_what_was_used_least_recently_goes_when_the_bytes_are_too_many():
    recent: Recent[str, bytes] = Recent(4_000)
    for key in "abc":
        recent.put(key, bytes(1_000))
    recent.get("a")
    recent.put("d", bytes(1_500))
    assert [key for key in "abcd" if recent.get(key) is not None] == ["a", "c", "d"]
    recent.put("c", bytes(10))
    recent.put("e", bytes(1_000))
    assert [key for key in "abcde" if recent.get(key) is not None] == ["a", "c", "d", "e"]


def test_looking_through_what_is_kept_is_no_use_of_it():
    recent: Recent[str, int] = Recent(2, lambda _: 1)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    assert sorted(recent.values()) == [1, 2]
    recent.forget(lambda value: value > 2)
    recent.put("c", 3)
    assert [key for key in "abc" if recent.get(key) is not None] == ["a", "c"]


def test_the_newest_value_is_kept_however_large_it_is():
    recent: Recent[str, np.ndarray] = Recent(1_000)
    recent.put("small", np.zeros(10))
    large = recent.get_or_make("large", lambda: np.zeros(10_000))
    assert recent.get("large") is large
    assert recent.get("small") is None
    recent.put("small", np.zeros(10))
    assert recent.get("large") is None


def test_what_is_no_longer_valid_is_made_again_and_what_is_over_is_forgotten():
    recent: Recent[str, int] = Recent(2, lambda _: 1)
    assert [recent.get_or_make("a", lambda: 1), recent.get_or_make("a", lambda: 2)] == [1, 1]
    assert recent.get_or_make("a", lambda: 3, lambda value: value > 1) == 3
    recent.put("b", 4)
    assert sorted(recent.values()) == [3, 4]
    recent.forget(lambda value: value == 3)
    assert recent.values() == [4]


def test_arrays_that_memory_has_no_room_for_come_from_the_disk(tmp_path):
    arrays = ArrayCache(tmp_path, memory_limit=1_000)
    large, small = np.arange(1_000.0), np.arange(10.0)
    arrays.put("large", large)
    arrays.put("small", small)
    assert arrays.get("small") is small
    found = arrays.get("large")
    assert found is not large
    assert np.array_equal(found, large)


def folder_of(monkeypatch, **variables):
    for name in ("ACTIVIS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    return cache_folder()


@pytest.mark.skipif(sys.platform != "linux", reason="the rules of Linux")
def test_the_folder_is_where_it_always_was(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder_of(monkeypatch) == tmp_path / ".cache" / "activis-tb"
    assert folder_of(monkeypatch, XDG_CACHE_HOME="") == tmp_path / ".cache" / "activis-tb"
    assert folder_of(monkeypatch, XDG_CACHE_HOME=tmp_path / "x") == tmp_path / "x" / "activis-tb"
    assert folder_of(monkeypatch, XDG_CACHE_HOME=tmp_path / "x", ACTIVIS_CACHE="~/mine") == tmp_path / "mine"


@pytest.mark.parametrize("found", [Mock(side_effect=RuntimeError), Mock(return_value=Path("~/.cache/activis-tb"))])
def test_without_a_home_there_is_no_folder(monkeypatch, found):
    monkeypatch.delenv("ACTIVIS_CACHE", raising=False)
    monkeypatch.setattr(cache, "user_cache_path", found)
    assert cache_folder() is None


def test_the_folders_of_other_systems_are_where_they_always_were(monkeypatch, tmp_path):
    monkeypatch.delenv("ACTIVIS_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(windows, "get_win_folder", lambda _: str(tmp_path / "Local"))
    folders = {}
    for system in (MacOS, Windows):
        monkeypatch.setattr(platformdirs, "PlatformDirs", system)
        folders[system] = cache_folder()
    assert folders[MacOS] == tmp_path / "Library" / "Caches" / "activis-tb"
    assert folders[Windows] == tmp_path / "Local" / "activis-tb"
